//! What becomes of a schema, as numbers and as lines.

use std::collections::BTreeMap;

use migrator_diagnostic::printable;
use migrator_engine::facts::Difference;
use migrator_engine::words;
use similar::{ChangeTag, TextDiff};

use super::parts::{Schema, SchemaLine};

/// So many kinds of facts are counted in a sentence.
const KINDS: usize = 6;

/// So many lines that are the same are shown around one that is not.
const AROUND: usize = 2;

/// Facts about an object that go with it.
const ABOUT: [&str; 3] = ["owner", "privileges", "comment"];

/// How a fact was before and how it is after; `None`: there was none, or there is none any more.
type Definitions<'a> = (Option<&'a str>, Option<&'a str>);

/// `+3 columns, -1 index`: what several steps come to together. `None`: that is not known of all of them.
pub(super) fn counts<'a>(steps: impl Iterator<Item = &'a Schema>) -> Option<String> {
    let mut net: BTreeMap<(&str, &str, &str), Definitions<'_>> = BTreeMap::new();
    for step in steps {
        let Schema::Differs(differences) = step else { return None };
        for fact in differences {
            let (before, after) = (fact.expected.as_deref(), fact.found.as_deref());
            // How it was before the first of them, and how it is after the last.
            net.entry((&fact.object, &fact.kind, &fact.part))
                .and_modify(|known| known.1 = after)
                .or_insert((before, after));
        }
    }
    net.retain(|(_, kind, _), (before, after)| {
        before.map(|text| without_place(kind, text)) != after.map(|text| without_place(kind, text))
    });
    let goes_with = |object: &str, kind: &str, part: &str, sign: char| {
        let is_object = |key: &&(&str, &str, &str)| key.0 == object && key.2.is_empty() && !ABOUT.contains(&key.1);
        let whole = net.iter().find(|(key, _)| is_object(key)).map(|(_, value)| self::sign(*value));
        let constraint =
            (kind == "index").then(|| net.get(&(object, "constraint", part)).map(|value| self::sign(*value)));
        let is_whole = part.is_empty() && !ABOUT.contains(&kind);
        !is_whole && whole == Some(sign) || constraint.flatten() == Some(sign)
    };
    let mut sums: BTreeMap<(usize, &str, char), usize> = BTreeMap::new();
    for (&(object, kind, part), &value) in &net {
        let sign = sign(value);
        if !goes_with(object, kind, part, sign) {
            *sums.entry((rank(kind), kind, sign)).or_default() += 1;
        }
    }
    Some(sentence(&sums))
}

fn sentence(sums: &BTreeMap<(usize, &str, char), usize>) -> String {
    if sums.is_empty() {
        return "no change of the schema".to_owned();
    }
    let mut parts: Vec<String> =
        sums.iter().take(KINDS).map(|((_, kind, sign), count)| format!("{sign}{}", plural(*count, kind))).collect();
    if sums.len() > KINDS {
        parts.push(format!("and {} more kinds", sums.len() - KINDS));
    }
    parts.join(", ")
}

/// Tables and columns come first.
fn rank(kind: &str) -> usize {
    ["table", "column", "index", "constraint"].iter().position(|known| *known == kind).unwrap_or(9)
}

fn plural(count: usize, noun: &str) -> String {
    match noun {
        // They are several already.
        _ if noun.ends_with("ges") || noun == "statistics" => format!("{count} {noun}"),
        _ if count != 1 && (noun.ends_with('x') || noun.ends_with("ss")) => format!("{count} {noun}es"),
        _ => words::count(count, noun),
    }
}

fn sign((before, after): Definitions<'_>) -> char {
    match (before, after) {
        (None, _) => '+',
        (_, None) => '-',
        _ => '~',
    }
}

/// A column's definition without its number, which says where it is.
fn without_place<'a>(kind: &str, definition: &'a str) -> &'a str {
    match definition.strip_prefix('#').and_then(|rest| rest.split_once(' ')) {
        Some((_, rest)) if kind == "column" => rest,
        _ => definition,
    }
}

impl Schema {
    /// The facts before and after, line by line; each is one line and can be printed.
    pub(crate) fn lines(&self) -> Vec<SchemaLine> {
        match self {
            Schema::Unknown => Vec::new(),
            Schema::Differs(differences) => differences.iter().flat_map(of_fact).collect(),
        }
    }
}

fn of_fact(fact: &Difference) -> Vec<SchemaLine> {
    let part = if fact.part.is_empty() { String::new() } else { format!(" {}", fact.part) };
    let name = printable::line(&format!("{} {}{part}", fact.object, fact.kind)).into_owned();
    let (before, after) = (fact.expected.as_deref(), fact.found.as_deref());
    let is_long = |text: &str| text.contains('\n');
    if before.is_some_and(is_long) || after.is_some_and(is_long) {
        return of_text(name, before.unwrap_or_default(), after.unwrap_or_default());
    }
    // Only where a column is: the number is all that differs.
    let only_place =
        before.map(|text| without_place(&fact.kind, text)) == after.map(|text| without_place(&fact.kind, text));
    let shown = |text: &str| {
        let text = if only_place { text } else { without_place(&fact.kind, text) };
        format!("{name} {}", printable::line(text)).trim_end().to_owned()
    };
    let before = before.map(|text| SchemaLine::Before(shown(text)));
    before.into_iter().chain(after.map(|text| SchemaLine::After(shown(text)))).collect()
}

/// A definition of several lines, such as a function: the lines that differ, and those around them.
fn of_text(name: String, before: &str, after: &str) -> Vec<SchemaLine> {
    let mut lines = vec![match (before.is_empty(), after.is_empty()) {
        (true, _) => SchemaLine::After(name),
        (_, true) => SchemaLine::Before(name),
        _ => SchemaLine::Both(name),
    }];
    let diff = TextDiff::from_lines(before, after);
    for (index, group) in diff.grouped_ops(AROUND).iter().enumerate() {
        if index > 0 {
            lines.push(SchemaLine::Both("  ...".to_owned()));
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let text = format!("  {}", printable::line(change.value().trim_end_matches(['\r', '\n'])));
            lines.push(match change.tag() {
                ChangeTag::Equal => SchemaLine::Both(text),
                ChangeTag::Delete => SchemaLine::Before(text),
                ChangeTag::Insert => SchemaLine::After(text),
            });
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn fact(name: &str, before: &str, after: &str) -> Difference {
        let mut words = name.splitn(3, ' ').map(str::to_owned);
        let mut next = || words.next().unwrap_or_default();
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Difference { object: next(), kind: next(), part: next(), expected: some(before), found: some(after) }
    }

    fn counted(steps: &[&[Difference]]) -> Option<String> {
        let steps: Vec<Schema> = steps.iter().map(|step| Schema::Differs(step.to_vec())).collect();
        counts(steps.iter())
    }

    #[test]
    fn what_goes_with_an_object_is_not_counted_by_itself() {
        let made = [
            fact("core.a table", "", "LOGGED"),
            fact("core.a column id", "", "#1 bigint"),
            fact("core.a owner", "", "deploy"),
            fact("core.b column x", "", "#2 text"),
            fact("core.b column y", "", "#3 text"),
            fact("core.b index b_x", "CREATE INDEX", ""),
            fact("core.b index b_y", "CREATE INDEX", ""),
            fact("core.b constraint b_z", "", "UNIQUE (z)"),
            fact("core.b index b_z", "", "CREATE UNIQUE INDEX"),
            fact("core.b privileges", "a", "b"),
            fact("core.b column id", "#1 integer", "#4 integer"),
        ];
        expect!["+1 table, +2 columns, -2 indexes, +1 constraint, ~1 privileges"]
            .assert_eq(&counted(&[&made]).unwrap());
    }

    #[test]
    fn several_steps_are_counted_together() {
        let first = [fact("core.b column x", "", "#2 text"), fact("core.b column y", "", "#3 text")];
        let second = [fact("core.b column x", "#2 text", ""), fact("core.b column y", "#3 text", "#3 text NOT NULL")];
        assert_eq!(counted(&[&first, &second]).unwrap(), "+1 column");
        assert_eq!(counted(&[&first[..1], &second[..1]]).unwrap(), "no change of the schema");
        assert_eq!(counts([Schema::Unknown].iter()), None);
    }

    #[test]
    fn no_line_of_a_definition_looks_like_another() {
        let facts = [
            fact("core.b column x", "#2 text", "#2 text NOT NULL"),
            fact("core.b column y", "#3 text", "#2 text"),
            fact("core.f() function", "AS $$\n- a\n  b\nc\nd\ne\n$$", "AS $$\n- a\n  b\n+ \u{202e}c\nd\ne\n$$"),
            fact("core.g() function", "", "AS $$\nx\r\n$$"),
        ];
        let shown: Vec<String> = Schema::Differs(facts.to_vec()).lines().iter().map(SchemaLine::signed).collect();
        expect![[r"
            - core.b column x text
            + core.b column x text NOT NULL
            - core.b column y #3 text
            + core.b column y #2 text
              core.f() function
                - a
                  b
            -   c
            +   + \u{202e}c
                d
                e
            + core.g() function
            +   AS $$
            +   x
            +   $$"]]
        .assert_eq(&shown.join("\n"));
    }
}
