//! Both directions in one file, divided by lines: dbmate, goose, sql-migrate, tern, node-pg-migrate.

use migrator_model::Direction;

use super::shared;
use crate::author::import::draft::{Draft, Found, Part, Trouble};
use crate::author::import::mark::Mark;
use crate::author::import::name::{self, Named};
use crate::author::import::tool::{Names, Tool, WithoutMark};
use crate::author::import::tree::Tree;

pub(crate) fn read(
    tool: &Tool,
    mark: fn(&str) -> Mark,
    names: &Names,
    without_mark: WithoutMark,
    tree: &mut Tree,
    found: &mut Found,
) {
    let mut unmarked = Vec::new();
    for file in tree.top() {
        let Some(named) = name::split(&file, names) else { continue };
        if named.direction == Direction::Down {
            continue;
        }
        let Some(content) = tree.read(&file, found) else { continue };
        let mut reading = Reading::new(tool, mark, without_mark, &file);
        reading.notes = content.notes;
        reading.lines(&content.text);
        match reading.end() {
            Ok(parts) => {
                let draft = pair(draft(tool, &named, &file, parts), &file, names, tree, found);
                found.drafts.push(draft);
            }
            Err(trouble) if trouble.line == 0 => unmarked.push(trouble),
            Err(trouble) => found.troubles.push(trouble),
        }
    }
    if unmarked.len() > 1 && found.drafts.is_empty() && found.troubles.is_empty() {
        let (title, number) = (tool.title, unmarked.len());
        let message = format!(
            "none of the {number} files has a line of {title} that marks where it begins: name the tool that they are of"
        );
        found.refuse("", 0, message);
    } else {
        found.troubles.append(&mut unmarked);
    }
}

/// A down file beside a file without a down part.
fn pair(mut draft: Draft, file: &str, names: &Names, tree: &mut Tree, found: &mut Found) -> Draft {
    let stem = names.up.iter().find_map(|ending| file.strip_suffix(ending)).unwrap_or(file);
    let down = names.down.iter().map(|ending| format!("{stem}{ending}")).find(|down| tree.has(down));
    let Some(down) = down.filter(|_| draft.down.is_none()) else { return draft };
    if let Some(content) = tree.read(&down, found) {
        draft.down = Some(Part::whole(&down, content.text));
        draft.files.push(down);
    }
    draft
}

fn draft(tool: &Tool, named: &Named<'_>, file: &str, parts: Parts) -> Draft {
    let name = if named.name.is_empty() { "imported" } else { named.name };
    Draft {
        files: vec![file.to_owned()],
        key: shared::key(tool, named, file),
        digits: (!named.version.is_empty()).then(|| named.version.to_owned()),
        name: name.to_owned(),
        row: shared::row(tool, named, file),
        head: parts.head,
        up: parts.up,
        down: parts.down,
        notes: parts.notes,
    }
}

/// A file that has been divided.
struct Parts {
    head: String,
    up: Part,
    down: Option<Part>,
    notes: Vec<String>,
}

/// A file while it is divided.
struct Reading<'a> {
    tool: &'a Tool,
    mark: fn(&str) -> Mark,
    file: &'a str,
    line: usize,
    direction: Option<Direction>,
    before: String,
    up: Option<Part>,
    down: Option<Part>,
    /// Where the text of a `StatementBegin` starts in its part, and its line.
    statement: Option<(usize, usize)>,
    environment: bool,
    off: bool,
    notes: Vec<String>,
    trouble: Option<Trouble>,
}

impl<'a> Reading<'a> {
    fn new(tool: &'a Tool, mark: fn(&str) -> Mark, without_mark: WithoutMark, file: &'a str) -> Reading<'a> {
        let is_up = without_mark == WithoutMark::Up;
        Reading {
            tool,
            mark,
            file,
            line: 0,
            direction: is_up.then_some(Direction::Up),
            before: String::new(),
            up: is_up.then(|| shared::part(file, 1, false)),
            down: None,
            statement: None,
            environment: false,
            off: false,
            notes: Vec::new(),
            trouble: None,
        }
    }

    fn lines(&mut self, text: &str) {
        for line in text.split_inclusive('\n') {
            self.line += 1;
            let bare = line.strip_suffix('\n').unwrap_or(line);
            match (self.mark)(bare) {
                Mark::Text => self.text(line),
                Mark::Up { off } => self.begin(Direction::Up, off, bare),
                Mark::Down { off } => self.begin(Direction::Down, off, bare),
                Mark::Off { file } => self.without_transaction(file, bare),
                Mark::StatementBegin => {
                    self.statement = self.part().map(|part| part.text.len()).zip(Some(self.line));
                    self.blank();
                }
                Mark::StatementEnd => self.end_of_statement(),
                Mark::Environment(on) => {
                    self.environment = on;
                    self.note(bare, "removed");
                    self.blank();
                }
                Mark::Ignored(why) => {
                    self.note(bare, why);
                    self.text(line);
                }
            }
        }
    }

    fn note(&mut self, line: &str, what: &str) {
        self.notes.push(format!("line {}: `{}`: {what}", self.line, line.trim()));
    }

    fn refuse(&mut self, line: usize, message: impl Into<String>) {
        let trouble = Trouble { file: self.file.to_owned(), line, message: message.into() };
        self.trouble.get_or_insert(trouble);
    }

    fn part(&mut self) -> Option<&mut Part> {
        match self.direction? {
            Direction::Up => self.up.as_mut(),
            Direction::Down => self.down.as_mut(),
        }
    }

    /// A marker inside a part leaves an empty line, so that every line of the part keeps its number.
    fn blank(&mut self) {
        if let Some(part) = self.part() {
            part.text.push('\n');
        }
    }

    fn text(&mut self, line: &str) {
        if self.environment && has_variable(line) {
            let message = "goose puts variables of the environment into this line: write what they stand for";
            self.refuse(self.line, message);
        }
        match self.part() {
            Some(part) => part.text.push_str(line),
            None => self.before.push_str(line),
        }
    }

    fn begin(&mut self, direction: Direction, off: bool, bare: &str) {
        if let Some((_, line)) = self.statement {
            self.refuse(line, "`StatementBegin` without its `StatementEnd`");
        }
        let line = self.line + 1;
        let (first, title) = (self.direction.is_none(), self.tool.title);
        // What comes before the marker is no part of the migration, or all of it where there is no other marker.
        let replaced = direction == Direction::Up && !first && self.tool.name == "node-pg-migrate";
        if replaced && let Some(up) = self.up.take().filter(|_| self.direction == Some(Direction::Up)) {
            self.before.push_str(&up.text);
        }
        let place = if direction == Direction::Up { &mut self.up } else { &mut self.down };
        match place {
            None => *place = Some(shared::part(self.file, line, off)),
            Some(part) if self.tool.name == "sql-migrate" => {
                part.off |= off;
                self.notes.push(format!(
                    "line {}: `{}`: another part in the same direction, joined",
                    self.line,
                    bare.trim()
                ));
            }
            Some(_) => {
                self.refuse(
                    self.line,
                    format!("a second `{}`: {title} runs the two one by one, or refuses them", bare.trim()),
                );
            }
        }
        if self.tool.name == "dbmate" {
            self.options(bare, off);
        } else if off {
            self.note(bare, "transaction:false");
        }
        self.direction = Some(direction);
    }

    /// dbmate passes over every option but one, and that in one spelling.
    fn options(&mut self, bare: &str, off: bool) {
        let options = bare.split_once("migrate:").and_then(|(_, rest)| rest.split_once(char::is_whitespace));
        let options = options.map_or("", |(_, options)| options.trim());
        if !options.is_empty() && options != "transaction:false" {
            let meaning = if off {
                "dbmate takes it for `transaction:false`"
            } else {
                "dbmate passes over it: the transaction stays"
            };
            self.note(bare, meaning);
        }
    }

    fn without_transaction(&mut self, file: bool, bare: &str) {
        self.note(bare, "transaction:false");
        if file {
            self.off = true;
            self.blank();
        } else if let Some(part) = self.part() {
            part.off = true;
            part.text.push('\n');
        }
    }

    /// Tools send what is between the two as one statement, whether it ends with a semicolon or not.
    fn end_of_statement(&mut self) {
        let line = self.line;
        let Some((start, _)) = self.statement.take() else {
            return self.refuse(line, "`StatementEnd` without its `StatementBegin`");
        };
        let Some(part) = self.part() else { return };
        let lexed = migrator_sql::lex(&part.text[start..]);
        let last = lexed.tokens.last().map(|token| (start + token.end(), token.text(&part.text[start..]) == ";"));
        if let Some((end, false)) = last {
            part.text.insert(end, ';');
            self.notes.push(format!("line {line}: a semicolon added before `StatementEnd`"));
        }
        self.blank();
    }

    fn end(mut self) -> Result<Parts, Trouble> {
        if let Some((_, line)) = self.statement {
            self.refuse(line, "`StatementBegin` without its `StatementEnd`");
        }
        if self.up.is_none() {
            self.refuse(0, format!("no line marks where it begins: {} refuses it too", self.tool.title));
        }
        if let Some(trouble) = self.trouble {
            return Err(trouble);
        }
        let (head, changed) = shared::head(&self.before);
        if changed {
            self.notes.push(format!(
                "the SQL before the first marker is never run by {}: kept as a comment",
                self.tool.title
            ));
        }
        let mut up = self.up.unwrap_or_default();
        up.off |= self.off;
        let down = self.down.map(|down| Part { off: down.off | self.off, ..down });
        Ok(Parts { head, up, down, notes: self.notes })
    }
}

/// `$NAME` or `${NAME}`.
fn has_variable(line: &str) -> bool {
    line.match_indices('$').any(|(at, _)| {
        let next = line[at + 1..].chars().next();
        // `$tag$` quotes a text.
        let tag: String = line[at + 1..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        next.is_some_and(|c| c == '{' || c.is_ascii_alphabetic() || c == '_')
            && !line[at + 1 + tag.len()..].starts_with('$')
    })
}
