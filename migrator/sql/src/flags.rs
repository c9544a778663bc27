//! Options in parentheses, as `VACUUM`, `REINDEX` and `CREATE SUBSCRIPTION` have them: `(VERBOSE, CONCURRENTLY off)`.

use crate::lexer::Kind;
use crate::words::Words;

/// What the list that is opened at an index says about an option; `None` where it says nothing, or nothing that is true or
/// false. The last one counts.
pub fn flag(words: &Words<'_>, open: usize, name: &str) -> Option<bool> {
    if words.at(open) != "(" {
        return None;
    }
    let ends = |index: usize| [",", ")"].contains(&words.at(index));
    let mut found = None;
    let mut depth = 0usize;
    for index in open..words.tokens.len() {
        match words.at(index) {
            "(" => depth += 1,
            ")" if depth <= 1 => break,
            ")" => depth -= 1,
            _ => {}
        }
        let first = depth == 1 && ["(", ","].contains(&words.at(index));
        if first && is_named(words, index + 1, name) {
            let value = if words.at(index + 2) == "=" { index + 3 } else { index + 2 };
            found = if ends(value) { Some(true) } else { truth(words.at(value)) };
        }
    }
    found
}

fn is_named(words: &Words<'_>, index: usize, name: &str) -> bool {
    let quoted = words.tokens.get(index).is_some_and(|token| token.kind == Kind::Quoted);
    words.is(index, name) || quoted && words.at(index).trim_matches('"') == name
}

/// The spellings that the server has for an option's value.
fn truth(value: &str) -> Option<bool> {
    let value = value.trim_matches(['\'', '"']).to_ascii_lowercase();
    match value.as_str() {
        "true" | "on" | "1" => Some(true),
        "false" | "off" | "0" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lexer::lex;

    #[test]
    fn an_option_is_on_or_off_in_every_spelling() {
        let said = |text: &str| {
            let lexed = lex(text);
            flag(&Words::new(text, &lexed.tokens), 1, "concurrently")
        };
        for on in ["", " true", " ON", " 1", " 'on'", " = on", " \"true\""] {
            assert_eq!(said(&format!("REINDEX (VERBOSE, CONCURRENTLY{on}) TABLE t")), Some(true), "{on}");
        }
        for off in [" false", " OFF", " 0", " 'False'", " \"off\"", " = 0"] {
            assert_eq!(said(&format!("REINDEX (concurrently{off}, verbose) TABLE t")), Some(false), "{off}");
        }
        assert_eq!(said("REINDEX (\"concurrently\" off) TABLE t"), Some(false));
        assert_eq!(said("REINDEX (CONCURRENTLY, CONCURRENTLY off) TABLE t"), Some(false));
        assert_eq!(said("REINDEX (VERBOSE) TABLE concurrently"), None);
        assert_eq!(said("REINDEX TABLE CONCURRENTLY t"), None);
        assert_eq!(said("REINDEX (TABLESPACE concurrently) TABLE t"), None);
        assert_eq!(said("REINDEX (CONCURRENTLY what) TABLE t"), None);
    }
}
