//! The comments that steer us: `-- migrate:up`, `-- migrate:down`, `-- migrate:unchecked`, `-- migrate:allow`, and what only
//! looks like one.

use std::ops::Range;

use migrator_model::Direction;
use migrator_sql::Comment;

use crate::problem::{Code, Problem};
use crate::source::Source;

/// What a comment means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Directive {
    /// Nothing to us.
    None,
    /// A marker; the bytes of the file in which its options stand.
    Marker(Direction, Range<usize>),
    /// `-- migrate:unchecked`; the reason, possibly empty.
    Unchecked(String),
    /// Meant as a marker, most likely: what is wrong with it and how it is spelt.
    LookAlike { direction: Option<Direction>, message: String, help: String },
}

/// Reads a comment. Block comments mean nothing to us.
pub(crate) fn read(source: &Source, comment: &Comment) -> Directive {
    let text = &source.text[comment.range.clone()];
    // Nearly all comments end here.
    if comment.block || !contains_ignoring_case(text, "migrat") && !contains_ignoring_case(text, "+goose") {
        return Directive::None;
    }
    let before = &source.text[source.line_start(comment.range.start)..comment.range.start];
    let body = text[2..].trim_start_matches([' ', '\t']);
    for direction in [Direction::Up, Direction::Down] {
        let word = &direction.marker()[3..];
        let Some(rest) = body.strip_prefix(word) else { continue };
        if !rest.is_empty() && !rest.starts_with([' ', '\t']) {
            break;
        }
        if before.is_empty() {
            return Directive::Marker(direction, comment.range.end - rest.len()..comment.range.end);
        }
        let message = if before.trim().is_empty() {
            format!("the marker `{}` is indented", direction.marker())
        } else {
            format!("the marker `{}` does not start its line", direction.marker())
        };
        let help = "put it at the start of a line of its own".to_owned();
        return Directive::LookAlike { direction: Some(direction), message, help };
    }
    if let Some(reason) = body.strip_prefix("migrate:unchecked")
        && (reason.is_empty() || reason.starts_with([' ', '\t']))
        && before.trim().is_empty()
    {
        return Directive::Unchecked(reason.trim().to_owned());
    }
    if allow(text).is_some() {
        return Directive::None;
    }
    look_alike(text)
}

/// What stands behind `-- migrate:allow` in a line comment, which means nothing to the build; `None` for other comments.
pub(crate) fn allow(comment: &str) -> Option<&str> {
    let rest = comment.get(2..)?.trim_start_matches([' ', '\t']).strip_prefix("migrate:allow")?;
    (rest.is_empty() || rest.starts_with([' ', '\t'])).then(|| rest.trim())
}

/// A switch without a reason says nothing to the next reader.
pub(crate) fn without_reason(source: &Source, at: usize) -> Problem {
    let help = "say behind it why the parser is wrong: `-- migrate:unchecked <reason>`";
    source.problem(Code::Unchecked, at, "`-- migrate:unchecked` without a reason", help)
}

fn contains_ignoring_case(text: &str, lowercase: &str) -> bool {
    text.as_bytes().windows(lowercase.len()).any(|window| window.eq_ignore_ascii_case(lowercase.as_bytes()))
}

/// Finds what was meant as a marker: our own misspelt, or another tool's. Prose that mentions a migration is none.
fn look_alike(text: &str) -> Directive {
    let body = text[2..].trim().to_lowercase();
    let other_tool = body.starts_with('+');
    let Some(rest) = body.strip_prefix("+goose").or_else(|| body.trim_start_matches('+').strip_prefix("migrate"))
    else {
        return Directive::None;
    };
    let word = rest.trim_start_matches(|c: char| c.is_whitespace() || ":;=_-.".contains(c));
    let separator = &rest[..rest.len() - word.len()];
    let behind = word.trim_start_matches(|c: char| c.is_alphanumeric());
    let word = &word[..word.len() - behind.len()];
    let nearest = nearest(word);
    let exact = nearest == Some(word);
    let meant = match separator {
        "" => false,
        // Only a directive is written without a blank behind the colon.
        ":" => !word.is_empty(),
        _ if separator.contains(':') => nearest.is_some(),
        _ => exact && (other_tool || behind.trim_matches(|c: char| !c.is_alphanumeric()).is_empty()),
    };
    if !meant {
        return Directive::None;
    }
    let direction = match nearest {
        Some("up") => Some(Direction::Up),
        Some("down") => Some(Direction::Down),
        _ => None,
    };
    let help = match (other_tool, nearest) {
        (true, _) => "this is another tool's: write `-- migrate:up` and `-- migrate:down`".to_owned(),
        (_, Some("unchecked")) => {
            "write `-- migrate:unchecked <reason>` in lower case, on a line of its own".to_owned()
        }
        (_, Some("allow")) => "write `-- migrate:allow <rule> <reason>` in lower case, on a line of its own".to_owned(),
        (_, Some(word)) if exact => {
            format!("write `-- migrate:{word}` in exactly this form; only options may follow it, after a blank")
        }
        (_, Some(word)) => format!("did you mean `-- migrate:{word}`?"),
        (_, None) => {
            "only `-- migrate:up`, `-- migrate:down`, `-- migrate:unchecked <reason>` and `-- migrate:allow <rule> \
             <reason>` exist"
                .to_owned()
        }
    };
    let shown: String = text.chars().take(40).collect();
    Directive::LookAlike { direction, message: format!("`{}` is not a marker", shown.trim_end()), help }
}

/// The directive that a word was meant to be.
fn nearest(word: &str) -> Option<&'static str> {
    let allowed = |known: &str| known.len() / 2;
    ["up", "down", "unchecked", "allow"]
        .into_iter()
        .find(|known| word == *known || (known.len() > 2 && strsim::damerau_levenshtein(word, known) < allowed(known)))
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use migrator_sql::lex;

    #[track_caller]
    fn check(text: &str, expect: Expect) {
        let source = Source::new("x.sql", text);
        let shown: Vec<String> = lex(text)
            .comments
            .iter()
            .map(|comment| match read(&source, comment) {
                Directive::None => "none".to_owned(),
                Directive::Marker(direction, options) => format!("{direction:?} {:?}", &text[options]),
                Directive::Unchecked(reason) => format!("unchecked {reason:?}"),
                Directive::LookAlike { direction, message, help } => format!("{message}; {help} ({direction:?})"),
            })
            .collect();
        expect.assert_eq(&shown.join("\n"));
    }

    #[test]
    fn reads_markers_at_the_start_of_a_line() {
        check("-- migrate:up", expect![[r#"Up """#]]);
        check("--migrate:down", expect![[r#"Down """#]]);
        check("--\t  migrate:up \t transaction:false ", expect![[r#"Up " \t transaction:false ""#]]);
        check("-- migrate:unchecked  psql reads it ", expect![[r#"unchecked "psql reads it""#]]);
        check("  -- migrate:unchecked", expect![[r#"unchecked """#]]);
    }

    #[test]
    fn recognises_what_was_meant_as_a_marker() {
        check(
            "-- Migrate:Up",
            expect![[r#"
                `-- Migrate:Up` is not a marker; write `-- migrate:up` in exactly this form; only options may follow it, after a blank (Some(Up))"#]],
        );
        check(
            "  -- migrate:up",
            expect!["the marker `-- migrate:up` is indented; put it at the start of a line of its own (Some(Up))"],
        );
        check(
            "SELECT 1; -- migrate:down",
            expect![[r#"
                the marker `-- migrate:down` does not start its line; put it at the start of a line of its own (Some(Down))"#]],
        );
        check(
            "-- migrate: up",
            expect![[r#"
                `-- migrate: up` is not a marker; write `-- migrate:up` in exactly this form; only options may follow it, after a blank (Some(Up))"#]],
        );
        check(
            "-- migrate :up",
            expect![[r#"
                `-- migrate :up` is not a marker; write `-- migrate:up` in exactly this form; only options may follow it, after a blank (Some(Up))"#]],
        );
        check(
            "-- migrate:up;",
            expect![[r#"
                `-- migrate:up;` is not a marker; write `-- migrate:up` in exactly this form; only options may follow it, after a blank (Some(Up))"#]],
        );
        check(
            "-- migrate:dwon",
            expect!["`-- migrate:dwon` is not a marker; did you mean `-- migrate:down`? (Some(Down))"],
        );
        check(
            "-- migrate:rollback",
            expect![[r#"
                `-- migrate:rollback` is not a marker; only `-- migrate:up`, `-- migrate:down`, `-- migrate:unchecked <reason>` and `-- migrate:allow <rule> <reason>` exist (None)"#]],
        );
        check(
            "-- migrate:Unchecked because",
            expect![[r#"
                `-- migrate:Unchecked because` is not a marker; write `-- migrate:unchecked <reason>` in lower case, on a line of its own (None)"#]],
        );
    }

    #[test]
    fn recognises_a_misspelt_allow() {
        check(
            "-- migrate:alow ban-drop-column gone",
            expect![[r#"
                `-- migrate:alow ban-drop-column gone` is not a marker; write `-- migrate:allow <rule> <reason>` in lower case, on a line of its own (None)"#]],
        );
        check(
            "-- Migrate:allow ban-drop-column gone",
            expect![[r#"
                `-- Migrate:allow ban-drop-column gone` is not a marker; write `-- migrate:allow <rule> <reason>` in lower case, on a line of its own (None)"#]],
        );
        check(
            "-- migrate: allow ban-drop-column gone",
            expect![[r#"
                `-- migrate: allow ban-drop-column gone` is not a marker; write `-- migrate:allow <rule> <reason>` in lower case, on a line of its own (None)"#]],
        );
    }

    #[test]
    fn recognises_markers_of_other_tools_and_other_spellings() {
        check(
            "-- migrate down",
            expect![[r#"
                `-- migrate down` is not a marker; write `-- migrate:down` in exactly this form; only options may follow it, after a blank (Some(Down))"#]],
        );
        check(
            "-- +migrate Down",
            expect![[r#"
                `-- +migrate Down` is not a marker; this is another tool's: write `-- migrate:up` and `-- migrate:down` (Some(Down))"#]],
        );
        check(
            "-- +goose Up",
            expect![[r#"
                `-- +goose Up` is not a marker; this is another tool's: write `-- migrate:up` and `-- migrate:down` (Some(Up))"#]],
        );
        check(
            "-- migrate:up\u{a0}",
            expect![[r#"
                `-- migrate:up` is not a marker; write `-- migrate:up` in exactly this form; only options may follow it, after a blank (Some(Up))"#]],
        );
    }

    #[test]
    fn prose_is_no_marker() {
        for text in [
            "-- migrate the users up to the new table",
            "-- migrate: users to accounts",
            "-- migrate up the ladder",
            "-- migrations go up and down",
            "-- see migrate:up",
            "/* migrate:up */",
            "-- migrate:",
            "-- +goose StatementBegin",
            // For `cargo xtask check`, which looks whether it is right.
            "-- migrate:allow",
            "-- migrate:allow ban-drop-column nobody reads it",
        ] {
            check(text, expect!["none"]);
        }
    }
}
