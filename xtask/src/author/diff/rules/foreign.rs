//! What is elsewhere: wrappers, servers and foreign tables change their options in place.

use std::collections::BTreeMap;

use migrator_engine::client::literal;
use migrator_engine::facts::Difference;

use super::table::parents;
use crate::author::diff::key::{Key, pieces};
use crate::author::diff::work::Work;

type Options = BTreeMap<String, String>;

/// From some options to others; `None`: they are the same.
fn between(from: &Options, to: &Options) -> Option<String> {
    let gone = from.keys().filter(|name| !to.contains_key(*name)).map(|name| format!("DROP {name}"));
    let come = to.iter().filter(|(name, value)| from.get(*name) != Some(value)).map(|(name, value)| {
        let word = if from.contains_key(name) { "SET" } else { "ADD" };
        format!("{word} {name} {}", literal(value))
    });
    let all: Vec<String> = gone.chain(come).collect();
    (!all.is_empty()).then(|| format!("OPTIONS ({})", all.join(", ")))
}

pub(super) fn options(work: &Work<'_>, key: &Key) -> Option<String> {
    let none = Options::new();
    let of = |options: &BTreeMap<Key, Options>| options.get(key).unwrap_or(&none).clone();
    between(&of(&work.from.options), &of(&work.to.options))
}

/// A definition without its options, which come last.
fn head(definition: &Option<String>) -> &str {
    let definition = definition.as_deref().unwrap_or_default();
    let end = definition.match_indices("OPTIONS (").map(|(at, _)| at).find(|at| {
        let before = definition.get(..*at).unwrap_or_default();
        before.matches('\'').count() % 2 == 0 && before.matches('"').count() % 2 == 0
    });
    end.and_then(|end| definition.get(..end)).unwrap_or(definition).trim_end()
}

pub(super) fn wrapper(work: &mut Work<'_>, key: &Key, difference: &Difference) {
    let parts = |text: &Option<String>| {
        let words: Vec<String> = pieces(head(text), " ").into_iter().map(str::to_owned).collect();
        let after = |word: &str| words.iter().position(|one| one == word).and_then(|at| words.get(at + 1)).cloned();
        [("HANDLER", after("HANDLER")), ("VALIDATOR", after("VALIDATOR"))]
    };
    let (from, to) = (parts(&difference.expected), parts(&difference.found));
    let mut all = Vec::new();
    for (_, (word, name)) in from.iter().zip(&to).filter(|(before, after)| before != after) {
        all.push(name.as_ref().map_or_else(|| format!("NO {word}"), |name| format!("{word} {name}")));
    }
    all.extend(options(work, key));
    work.alter(key, format!("ALTER FOREIGN DATA WRAPPER {} {}", key.object, all.join(" ")));
}

pub(super) fn server(work: &mut Work<'_>, key: &Key, difference: &Difference) {
    let parts = |text: &Option<String>| {
        let text = head(text).to_owned();
        let version = text.rsplit_once(" VERSION ").map(|(rest, version)| (rest.to_owned(), version.to_owned()));
        version.unwrap_or((text, String::new()))
    };
    let (from, to) = (parts(&difference.expected), parts(&difference.found));
    // Its wrapper and its type stay, and a version is not taken away.
    if from.0 != to.0 || to.1.is_empty() && !from.1.is_empty() {
        return work.replace(key);
    }
    let version = (from.1 != to.1).then(|| format!("VERSION {}", to.1));
    let all: Vec<String> = version.into_iter().chain(options(work, key)).collect();
    work.alter(key, format!("ALTER SERVER {} {}", key.object, all.join(" ")));
}

pub(super) fn table(work: &mut Work<'_>, key: &Key, _: &Difference) {
    let (Some(from), Some(to)) = (work.from.relations.get(&key.object), work.to.relations.get(&key.object)) else {
        return;
    };
    // It holds nothing here: another server is another table.
    if from.server != to.server {
        return work.replace(key);
    }
    if let Some(options) = options(work, key) {
        work.alter(key, format!("ALTER FOREIGN TABLE {} {options}", key.object));
    }
    parents(work, key, from, to);
}

/// A user mapping, which comes and goes without its options: one of them is the password.
pub(super) fn mapping(work: &mut Work<'_>, key: &Key, difference: &Difference) {
    if difference.expected.is_some() {
        work.gone.insert(key.clone());
    }
    if difference.found.is_some() {
        work.made.insert(key.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_come_change_and_go() {
        let options =
            |all: &[(&str, &str)]| all.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let some: Options = options(&[("host", "a"), ("port", "1")]);
        assert_eq!(between(&some, &some), None);
        let expected = "OPTIONS (DROP port, ADD \"a b\" 'it''s', SET host 'b')";
        let mut other = options(&[("\"a b\"", "it's"), ("host", "b")]);
        assert_eq!(between(&some, &other).as_deref(), Some(expected));
        other.clear();
        assert_eq!(between(&other, &some).as_deref(), Some("OPTIONS (ADD host 'a', ADD port '1')"));
    }

    #[test]
    fn what_looks_like_options_in_a_text_is_none() {
        let check = |text: &str, expected: &str| assert_eq!(head(&Some(text.to_owned())), expected);
        check("WRAPPER w TYPE 'OPTIONS (' OPTIONS (host=OPTIONS ()", "WRAPPER w TYPE 'OPTIONS ('");
        check("OPTIONS (debug=true)", "");
        check("HANDLER app.h", "HANDLER app.h");
    }
}
