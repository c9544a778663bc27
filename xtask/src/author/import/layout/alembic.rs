//! Alembic's offline SQL: what `alembic upgrade head --sql` and `alembic downgrade head:base --sql` print.

use std::collections::{BTreeMap, BTreeSet};

use migrator_sql::{lex, split};

use crate::author::import::cut::{self, statement_with_end};
use crate::author::import::draft::{Draft, Found, Key, Part, Row};
use crate::author::import::text::line_of;
use crate::author::import::tree::Tree;

/// The SQL between two comments of Alembic.
struct Section {
    is_up: bool,
    /// The revision that it leads to, or away from.
    revision: String,
    /// Those that it starts from.
    from: Vec<String>,
    part: Part,
}

pub(crate) fn read(tree: &mut Tree, found: &mut Found) {
    let mut downs: BTreeMap<String, Part> = BTreeMap::new();
    let mut drafts: Vec<Draft> = Vec::new();
    let mut from: Vec<Vec<String>> = Vec::new();
    for path in tree.files().into_iter().filter(|path| path.ends_with(".sql")) {
        let Some(content) = tree.read(&path, found) else { continue };
        let Some(sections) = sections(&path, &content.text, found) else {
            found.leave(&path, "no `-- Running upgrade` in it");
            continue;
        };
        for section in sections {
            if section.is_up && drafts.iter().any(|draft| draft.row.source == section.revision) {
                found.refuse(
                    &path,
                    section.part.line - 1,
                    format!("the revision {} is there a second time", section.revision),
                );
            } else if section.is_up {
                from.push(section.from.clone());
                drafts.push(draft(&path, section, content.notes.clone()));
            } else {
                downs.insert(section.revision, section.part);
            }
        }
    }
    let mut drafts = in_order(drafts, from, found);
    for draft in &mut drafts {
        draft.down = downs.remove(&draft.row.source);
        let more = draft.down.iter().map(|down| down.file.clone()).filter(|file| *file != draft.files[0]);
        let more: Vec<String> = more.collect();
        draft.files.extend(more);
    }
    for (revision, part) in downs {
        found.refuse(&part.file, part.line - 1, format!("it downgrades {revision}, which nothing here upgrades to"));
    }
    found.drafts.extend(drafts);
    if found.drafts.is_empty() {
        found.notes.push(
            "write the SQL first: `alembic upgrade head --sql > migrations.sql`, and `alembic downgrade head:base --sql > downgrade.sql`"
                .to_owned(),
        );
    }
}

/// Every migration after those that it starts from, else as the files have them: their names need not give the order.
fn in_order(drafts: Vec<Draft>, from: Vec<Vec<String>>, found: &mut Found) -> Vec<Draft> {
    let known: BTreeSet<String> = drafts.iter().map(|draft| draft.row.source.clone()).collect();
    let mut waiting: Vec<(Draft, Vec<String>)> = Vec::new();
    for (draft, from) in drafts.into_iter().zip(from) {
        if let Some(missing) = from.iter().find(|revision| !known.contains(*revision)) {
            let message = format!("it upgrades from {missing}, which nothing here upgrades to");
            found.refuse(&draft.up.file, draft.up.line - 1, message);
        }
        waiting.push((draft, from.into_iter().filter(|revision| known.contains(revision)).collect()));
    }
    let (mut done, mut ordered) = (BTreeSet::new(), Vec::with_capacity(waiting.len()));
    while !waiting.is_empty() {
        let before = waiting.len();
        for (draft, from) in std::mem::take(&mut waiting) {
            if from.iter().all(|revision| done.contains(revision)) {
                done.insert(draft.row.source.clone());
                ordered.push(draft);
            } else {
                waiting.push((draft, from));
            }
        }
        if waiting.len() == before {
            found.refuse(&waiting[0].0.up.file, waiting[0].0.up.line - 1, "these revisions lead to each other");
            break;
        }
    }
    ordered
}

fn draft(path: &str, section: Section, notes: Vec<String>) -> Draft {
    Draft {
        files: vec![path.to_owned()],
        key: Key::text(""),
        digits: None,
        name: section.revision.clone(),
        row: Row { source: section.revision, ..Row::default() },
        head: String::new(),
        up: section.part,
        down: None,
        notes,
    }
}

/// Divides a file; `None` if Alembic has not written it.
fn sections(path: &str, text: &str, found: &mut Found) -> Option<Vec<Section>> {
    let mut starts: Vec<(usize, usize, bool, String, Vec<String>)> = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let body = line.trim().strip_prefix("-- Running ");
        let step =
            body.and_then(|body| body.split_once(' ')).filter(|(word, _)| ["upgrade", "downgrade"].contains(word));
        if let Some((word, rest)) = step {
            let (from, to) = rest.split_once("->").unwrap_or((rest, ""));
            let is_up = word == "upgrade";
            // `a, b -> c` merges; a comment may follow the revision.
            let of = if is_up { to } else { from };
            let revision = of.trim().split([',', ' ']).next().unwrap_or_default().to_owned();
            let named =
                |from: &str| from.trim().split(", ").filter(|name| !name.is_empty()).map(str::to_owned).collect();
            starts.push((at, at + line.len(), is_up, revision, named(from)));
        }
        at += line.len();
    }
    let first = starts.first()?.0;
    let ends: Vec<usize> = starts.iter().skip(1).map(|start| start.0).chain([text.len()]).collect();
    // Before the first section there are BEGIN and Alembic's own table.
    let preamble = bare(&text[..first]);
    if !lex(&preamble).tokens.is_empty() {
        found.refuse(path, 1, "SQL above the first `-- Running upgrade`, which belongs to no revision");
    }
    let section = |((_, start, is_up, revision, from), end): ((usize, usize, bool, String, Vec<String>), usize)| {
        let mut part = Part::whole(path, bare(&text[start..end]));
        part.line = line_of(text, start);
        Section { is_up, revision, from, part }
    };
    Some(starts.into_iter().zip(ends).map(section).collect())
}

/// The text without what Alembic itself adds: statements on its table, also if it is called `alembic_version_<name>`, and the `BEGIN` and `COMMIT` at either end.
///
/// A `COMMIT` in the middle is the end of a transaction that Alembic has opened; what is around it stays to be settled.
fn bare(text: &str) -> String {
    let lexed = lex(text);
    let statements = split(text, &lexed.tokens);
    let is_own = |at: &usize| {
        let words = &statements[*at];
        (0..words.tokens.len().min(6))
            .any(|index| words.at(index).trim_matches('"').to_ascii_lowercase().starts_with("alembic_version"))
    };
    let is_border = |at: &usize| statements[*at].is_any(0, &["begin", "commit"]) && statements[*at].tokens.len() == 1;
    let rest: Vec<usize> = (0..statements.len()).filter(|at| !is_own(at)).collect();
    let leading = rest.iter().take_while(|at| is_border(at)).count();
    let trailing = rest[leading..].iter().rev().take_while(|at| is_border(at)).count();
    let kept = &rest[leading..rest.len() - trailing];
    let gone = (0..statements.len()).filter(|at| kept.binary_search(at).is_err());
    cut::without(text, &gone.map(|at| statement_with_end(&statements[at], &lexed)).collect::<Vec<_>>())
}
