//! M012: a comment that was most likely meant as a marker.

use migrator_model::Direction;

use crate::code::Meaning;
use crate::problem::Problem;
use crate::rule::Rule;
use crate::source::Source;

pub(crate) const RULE: Rule = Rule::reading(&Meaning::error("M012", "misspelled marker"));

/// A comment that was most likely meant as a marker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LookAlike {
    /// Its direction; `None` if it may be either.
    pub(crate) direction: Option<Direction>,
    message: String,
    help: String,
}

impl LookAlike {
    pub(crate) fn problem(self, source: &Source, at: usize) -> Problem {
        source.problem(RULE.code, at, self.message, self.help)
    }
}

/// A marker that does not start its line; `before` is what comes before it there.
pub(crate) fn misplaced(direction: Direction, before: &str) -> LookAlike {
    let message = if before.trim().is_empty() {
        format!("the marker `{}` is indented", direction.marker())
    } else {
        format!("the marker `{}` does not start its line", direction.marker())
    };
    let help = "put it at the start of its own line".to_owned();
    LookAlike { direction: Some(direction), message, help }
}

/// Recognises a misspelled marker, or another tool's. Prose that mentions a migration is not a marker.
pub(crate) fn look_alike(text: &str) -> Option<LookAlike> {
    let body = text[2..].trim().to_lowercase();
    let other_tool = body.starts_with('+');
    let rest = body.strip_prefix("+goose").or_else(|| body.trim_start_matches('+').strip_prefix("migrate"))?;
    let word = rest.trim_start_matches(|c: char| c.is_whitespace() || ":;=_-.".contains(c));
    let separator = &rest[..rest.len() - word.len()];
    let after = word.trim_start_matches(|c: char| c.is_alphanumeric());
    let word = &word[..word.len() - after.len()];
    let nearest = nearest(word);
    let exact = nearest == Some(word);
    let meant = match separator {
        "" => false,
        // Only a marker is written without a space after the colon.
        ":" => !word.is_empty(),
        _ if separator.contains(':') => nearest.is_some(),
        _ => exact && (other_tool || after.trim_matches(|c: char| !c.is_alphanumeric()).is_empty()),
    };
    if !meant {
        return None;
    }
    let direction = match nearest {
        Some("up") => Some(Direction::Up),
        Some("down") => Some(Direction::Down),
        _ => None,
    };
    let help = help(other_tool, nearest, exact);
    let shown: String = text.chars().take(40).collect();
    Some(LookAlike { direction, message: format!("`{}` is not a marker", shown.trim_end()), help })
}

fn help(other_tool: bool, nearest: Option<&str>, exact: bool) -> String {
    match (other_tool, nearest) {
        (true, _) => "this marker belongs to another tool: write `-- migrate:up` and `-- migrate:down`".to_owned(),
        (_, Some("unchecked")) => "write `-- migrate:unchecked <reason>` in lowercase, on its own line".to_owned(),
        (_, Some("allow")) => "write `-- migrate:allow <rule> <reason>` in lowercase, on its own line".to_owned(),
        (_, Some("loses")) => {
            "write `-- migrate:loses <name>` in lowercase, on its own line in the down block".to_owned()
        }
        (_, Some(word)) if exact => {
            format!("write `-- migrate:{word}` in exactly this form; only options may follow, after a space")
        }
        (_, Some(word)) => format!("did you mean `-- migrate:{word}`?"),
        (_, None) => {
            "only `-- migrate:up`, `-- migrate:down`, `-- migrate:unchecked <reason>`, `-- migrate:allow <rule> \
             <reason>` and `-- migrate:loses <name>` exist"
                .to_owned()
        }
    }
}

/// The directive that a word was meant to be.
fn nearest(word: &str) -> Option<&'static str> {
    let allowed = |known: &str| known.len() / 2;
    ["up", "down", "unchecked", "allow", "loses"]
        .into_iter()
        .find(|known| word == *known || (known.len() > 2 && strsim::damerau_levenshtein(word, known) < allowed(known)))
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use crate::read::markers::{Directive, read};
    use crate::source::Source;
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
                Directive::Loses(object) => format!("loses {object:?}"),
                Directive::LookAlike(found) => format!("{}; {} ({:?})", found.message, found.help, found.direction),
            })
            .collect();
        expect.assert_eq(&shown.join("\n"));
    }

    #[test]
    fn recognises_what_was_meant_as_a_marker() {
        check(
            "-- Migrate:Up",
            expect![[r#"
                `-- Migrate:Up` is not a marker; write `-- migrate:up` in exactly this form; only options may follow, after a space (Some(Up))"#]],
        );
        check(
            "  -- migrate:up",
            expect!["the marker `-- migrate:up` is indented; put it at the start of its own line (Some(Up))"],
        );
        check(
            "SELECT 1; -- migrate:down",
            expect![[r#"
                the marker `-- migrate:down` does not start its line; put it at the start of its own line (Some(Down))"#]],
        );
        check(
            "-- migrate: up",
            expect![[r#"
                `-- migrate: up` is not a marker; write `-- migrate:up` in exactly this form; only options may follow, after a space (Some(Up))"#]],
        );
        check(
            "-- migrate :up",
            expect![[r#"
                `-- migrate :up` is not a marker; write `-- migrate:up` in exactly this form; only options may follow, after a space (Some(Up))"#]],
        );
        check(
            "-- migrate:up;",
            expect![[r#"
                `-- migrate:up;` is not a marker; write `-- migrate:up` in exactly this form; only options may follow, after a space (Some(Up))"#]],
        );
        check(
            "-- migrate:dwon",
            expect!["`-- migrate:dwon` is not a marker; did you mean `-- migrate:down`? (Some(Down))"],
        );
        check(
            "-- migrate:rollback",
            expect![[r#"
                `-- migrate:rollback` is not a marker; only `-- migrate:up`, `-- migrate:down`, `-- migrate:unchecked <reason>`, `-- migrate:allow <rule> <reason>` and `-- migrate:loses <name>` exist (None)"#]],
        );
        check(
            "-- migrate:Unchecked because",
            expect![[r#"
                `-- migrate:Unchecked because` is not a marker; write `-- migrate:unchecked <reason>` in lowercase, on its own line (None)"#]],
        );
    }

    #[test]
    fn recognises_a_misspelled_allow() {
        check(
            "-- migrate:alow ban-drop-column gone",
            expect![[r#"
                `-- migrate:alow ban-drop-column gone` is not a marker; write `-- migrate:allow <rule> <reason>` in lowercase, on its own line (None)"#]],
        );
        check(
            "-- Migrate:allow ban-drop-column gone",
            expect![[r#"
                `-- Migrate:allow ban-drop-column gone` is not a marker; write `-- migrate:allow <rule> <reason>` in lowercase, on its own line (None)"#]],
        );
        check(
            "-- migrate: allow ban-drop-column gone",
            expect![[r#"
                `-- migrate: allow ban-drop-column gone` is not a marker; write `-- migrate:allow <rule> <reason>` in lowercase, on its own line (None)"#]],
        );
    }

    #[test]
    fn recognises_a_misspelled_loses() {
        check(
            "-- migrate:lose core.users.locale",
            expect![[r#"
                `-- migrate:lose core.users.locale` is not a marker; write `-- migrate:loses <name>` in lowercase, on its own line in the down block (None)"#]],
        );
        check(
            "-- Migrate:loses core.users.locale",
            expect![[r#"
                `-- Migrate:loses core.users.locale` is not a marker; write `-- migrate:loses <name>` in lowercase, on its own line in the down block (None)"#]],
        );
        check(
            "SELECT 1; -- migrate:loses core.users.locale",
            expect![[r#"
                `-- migrate:loses core.users.locale` is not a marker; write `-- migrate:loses <name>` in lowercase, on its own line in the down block (None)"#]],
        );
    }

    #[test]
    fn recognises_markers_of_other_tools_and_other_spellings() {
        check(
            "-- migrate down",
            expect![[r#"
                `-- migrate down` is not a marker; write `-- migrate:down` in exactly this form; only options may follow, after a space (Some(Down))"#]],
        );
        check(
            "-- +migrate Down",
            expect![[r#"
                `-- +migrate Down` is not a marker; this marker belongs to another tool: write `-- migrate:up` and `-- migrate:down` (Some(Down))"#]],
        );
        check(
            "-- +goose Up",
            expect![[r#"
                `-- +goose Up` is not a marker; this marker belongs to another tool: write `-- migrate:up` and `-- migrate:down` (Some(Up))"#]],
        );
        check(
            "-- migrate:up\u{a0}",
            expect![[r#"
                `-- migrate:up` is not a marker; write `-- migrate:up` in exactly this form; only options may follow, after a space (Some(Up))"#]],
        );
    }

    #[test]
    fn prose_is_not_a_marker() {
        for text in [
            "-- migrate the users up to the new table",
            "-- migrate: users to accounts",
            "-- migrate up the ladder",
            "-- migrations go up and down",
            "-- see migrate:up",
            "/* migrate:up */",
            "-- migrate:",
            "-- +goose StatementBegin",
            // For `cargo xtask check`, which checks it.
            "-- migrate:allow",
            "-- migrate:allow ban-drop-column nobody reads it",
        ] {
            check(text, expect!["none"]);
        }
    }
}
