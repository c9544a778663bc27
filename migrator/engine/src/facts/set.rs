//! The facts of one schema, and the file that holds them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use migrator_model::Text;

use super::canonical::{Domains, canonical};
use super::kinds;
use crate::error::Error;

/// One object, or one part of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fact {
    /// The object that it belongs to, qualified and quoted: `core.users`, `core.touch()`.
    pub object: String,
    /// `table`, `column`, `index`, `function`, ...
    pub kind: String,
    /// The part of the object, such as the name of a column; empty for the object itself.
    pub part: String,
    /// Everything else about it.
    pub definition: String,
}

/// The facts of one schema, each in its canonical form. No two of them have the same object, kind and part.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts(pub(super) BTreeMap<(String, String, String), String>);

impl FromIterator<Fact> for Facts {
    fn from_iter<I: IntoIterator<Item = Fact>>(facts: I) -> Facts {
        let mut sorted: Vec<Fact> = facts.into_iter().collect();
        let mut domains = Domains::default();
        sorted
            .iter()
            .filter(|fact| fact.kind == "domain")
            .for_each(|fact| domains.insert(&fact.object, &fact.definition));
        for fact in &mut sorted {
            if let Cow::Owned(definition) = canonical(&fact.kind, &fact.definition, &domains) {
                fact.definition = definition;
            }
        }
        sorted.sort();
        let mut all: BTreeMap<_, String> = BTreeMap::new();
        for Fact { object, kind, part, definition } in sorted {
            // Should two objects ever share a name, neither is lost.
            all.entry((object, kind, part))
                .and_modify(|known| *known = format!("{known}\n{definition}"))
                .or_insert(definition);
        }
        Facts(all)
    }
}

/// The beginning of a file's first line.
const HEADER: &str = "# schema facts of PostgreSQL ";

/// Rises when the facts of a schema change form: differences from a file of another format need not be drift.
const FORMAT: u32 = 2;

impl Facts {
    /// The definition of one fact: of the constraint `users_pkey` of `core.users`.
    pub fn get(&self, object: &str, kind: &str, part: &str) -> Option<&str> {
        self.0.get(&(object.to_owned(), kind.to_owned(), part.to_owned())).map(String::as_str)
    }

    /// Reads what [`Facts::render`] has written; the build refuses every file of another form.
    pub fn parse(text: &str) -> Facts {
        let fact = |line: &str| {
            let mut fields = line.splitn(3, '\t');
            let (object, name, definition) = (fields.next()?, fields.next()?, fields.next()?);
            let (kind, part) = name.split_once(' ').unwrap_or((name, ""));
            Some(Fact {
                object: unescape(object),
                kind: kind.to_owned(),
                part: unescape(part),
                definition: unescape(definition),
            })
        };
        text.lines().filter(|line| !line.starts_with('#')).filter_map(fact).collect()
    }

    /// The newest version that the facts of a file describe; `None` where nothing had been applied.
    pub fn version(text: &str) -> Option<i64> {
        let first = text.lines().next()?.strip_prefix(HEADER)?;
        first.split_once(" at ")?.1.split([',', ';']).next()?.parse().ok()
    }

    /// Whether a file was written by a release with facts of another form.
    pub fn is_of_another_format(text: &str) -> bool {
        let first = text.lines().next().and_then(|line| line.split(';').next()).unwrap_or_default();
        // The first form did not name itself.
        first.split_once(", format ").map_or("1", |(_, format)| format) != FORMAT.to_string()
    }

    /// The file: sorted, one fact a line, `object`, `kind part` and `definition` divided by tabs; what belongs to a table
    /// is kept together.
    pub fn render(&self, major: i32, version: &str) -> String {
        let mut text = format!(
            "{HEADER}{major} at {version}, format {FORMAT}; written by `cargo xtask dump`, compared by `migrator drift`\n"
        );
        for (object, name, definition) in self.fields() {
            text.push_str(&format!("{}\t{}\t{}\n", escape(object), escape(&name), escape(definition)));
        }
        text
    }

    /// Object, kind and part, definition.
    fn fields(&self) -> impl Iterator<Item = (&str, String, &str)> {
        self.0.iter().map(|((object, kind, part), definition)| (&**object, name(kind, part), &**definition))
    }

    /// The same facts as lines without the order of columns.
    pub fn without_order(&self) -> Vec<String> {
        self.fields()
            .map(|(object, name, definition)| {
                let definition = match definition.strip_prefix('#').and_then(|rest| rest.split_once(' ')) {
                    Some((_, rest)) if name.starts_with("column ") => rest,
                    _ => definition,
                };
                format!("{object} {name} {}", escape(definition))
            })
            .collect()
    }

    /// Removes objects of a kind that this migrator does not know, where the settings exclude them.
    ///
    /// # Errors
    /// Another such object: two of that kind cannot be compared.
    pub fn refuse_unknown(&mut self, ignored: &[Text]) -> Result<(), Error> {
        let mut unknown = Facts(self.0.extract_if(.., |(_, kind, _), _| kind == kinds::UNKNOWN).collect());
        unknown.ignore(ignored, true);
        kinds::refuse(unknown.0.iter().map(|((object, ..), definition)| (&**object, &**definition)))
    }

    /// Removes what the settings exclude: owners, unless enabled, and what a pattern names.
    pub fn ignore(&mut self, patterns: &[Text], owners: bool) {
        let patterns: Vec<(&str, &str)> = patterns.iter().filter_map(|pattern| pattern.split_once(' ')).collect();
        let named = |kind: &str, name: &str| {
            patterns.iter().any(|(wanted, glob)| (*wanted == "*" || *wanted == kind) && matches(glob, name))
        };
        // A table goes with everything that belongs to it.
        let whole: Vec<String> = self
            .0
            .keys()
            .filter(|(object, kind, part)| part.is_empty() && named(kind, object))
            .map(|(object, ..)| object.clone())
            .collect();
        self.0.retain(|(object, kind, part), _| {
            let by_part = || named(kind, &format!("{object}.{part}"));
            (owners || kind != "owner") && whole.binary_search(object).is_err() && !by_part()
        });
    }
}

/// `column email`, `table`.
pub(super) fn name(kind: &str, part: &str) -> String {
    if part.is_empty() { kind.to_owned() } else { format!("{kind} {part}") }
}

/// One line: what would end it or divide it otherwise is written as in a C string.
pub(super) fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r").replace('\t', "\\t")
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        out.push(match character {
            '\\' => match characters.next() {
                Some('n') => '\n',
                Some('r') => '\r',
                Some('t') => '\t',
                Some(other) => other,
                None => '\\',
            },
            other => other,
        });
    }
    out
}

/// Whether a pattern is the whole text, where `*` stands for any text.
pub fn matches(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        // The first place is the best: it leaves the most to what follows.
        let Some(at) = text.find(part) else { return false };
        text = &text[at + part.len()..];
    }
    text.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fact(object: &str, kind: &str, part: &str, definition: &str) -> Fact {
        Fact { object: object.into(), kind: kind.into(), part: part.into(), definition: definition.into() }
    }

    fn facts() -> Facts {
        [
            fact("core.users", "table", "", "LOGGED"),
            fact("core.users", "column", "\"E mail\"", "#2 text"),
            fact("core.users", "owner", "", "deploy"),
            fact("core.users_x", "table", "", "LOGGED"),
            fact("core.f()", "function", "", "AS $$\r\n\tx \\n  \n$$"),
        ]
        .into_iter()
        .collect()
    }

    #[test]
    fn a_file_is_read_as_it_was_written() {
        let text = facts().render(15, "013");
        expect_test::expect![[r"
            # schema facts of PostgreSQL 15 at 013, format 2; written by `cargo xtask dump`, compared by `migrator drift`
            core.f()	function	AS $$\r\n\tx \\n  \n$$
            core.users	column \42E mail\42	#2 text
            core.users	owner	deploy
            core.users	table	LOGGED
            core.users_x	table	LOGGED
        "]]
        .assert_eq(&text.replace('"', "\\42"));
        assert_eq!(Facts::parse(&text), facts());
        assert_eq!(Facts::version(&text), Some(13));
        assert_eq!(Facts::version(&facts().render(15, "nothing")), None);
    }

    #[test]
    fn a_file_says_of_which_form_its_facts_are() {
        let text = facts().render(15, "013");
        assert!(!Facts::is_of_another_format(&text));
        for old in [text.replace(", format 2", ""), text.replace("format 2", "format 3"), String::new()] {
            assert!(Facts::is_of_another_format(&old), "{old}");
            assert_eq!(Facts::version(&old), (!old.is_empty()).then_some(13));
        }
    }

    #[test]
    fn the_order_of_columns_can_be_left_out_of_the_comparison() {
        let other = Facts::parse(&facts().render(15, "1").replace("#2", "#3"));
        assert_ne!(other, facts());
        assert_eq!(other.without_order(), facts().without_order());
        assert_eq!(
            facts().differences(&other),
            ["- core.users column \"E mail\" #2 text", "+ core.users column \"E mail\" #3 text"]
        );
    }

    #[track_caller]
    fn check_ignored(patterns: &[&str], owners: bool, left: &[&str]) {
        let mut facts = facts();
        let written: Vec<Text> = patterns.iter().map(|pattern| (*pattern).to_owned().into()).collect();
        facts.ignore(&written, owners);
        let names: Vec<String> = facts.fields().map(|(object, name, _)| format!("{name} {object}")).collect();
        assert_eq!(names, left, "{patterns:?}");
    }

    #[test]
    fn a_pattern_takes_the_object_with_all_that_belongs_to_it_or_one_part() {
        let all = ["function core.f()", "column \"E mail\" core.users", "table core.users", "table core.users_x"];
        check_ignored(&[], false, &all);
        check_ignored(&["table core.users"], false, &[all[0], all[3]]);
        check_ignored(&["table core.users*"], false, &[all[0]]);
        check_ignored(&["column core.*mail\""], false, &[all[0], all[2], all[3]]);
        check_ignored(&["index core.*", "view *"], false, &all);
        check_ignored(&["* core.users_*"], false, &all[..3]);
        check_ignored(&["function *", "table core.users_x"], true, &[all[1], "owner core.users", all[2]]);
    }

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, name, expected) in
            [("a", "a", true), ("a", "ab", false), ("*", "", true), ("a*c*e", "abcde", true), ("a*c", "abcd", false)]
        {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
    #[test]
    fn a_pattern_is_the_whole_text() {
        for (pattern, text, expected) in [
            ("a.sql", "a.sql", true),
            ("a.sql", "x/a.sql", false),
            ("*a.sql", "x/a.sql", true),
            ("x/*/*.sql", "x/y/z.sql", true),
            ("x/*/*.sql", "x/z.sql", false),
            ("aba*ab", "abab", false),
            ("*", "", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
