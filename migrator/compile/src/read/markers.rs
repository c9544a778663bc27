//! Comments with a meaning: `-- migrate:up`, `-- migrate:down`, `-- migrate:unchecked`, `-- migrate:loses`, `-- migrate:allow`, and
//! those that only look like them.

use std::ops::Range;

use migrator_model::Direction;
use migrator_sql::Comment;

use crate::contract::loses;
use crate::contract::marker_misspelled::{LookAlike, look_alike, misplaced};
use crate::source::Source;

/// What a comment means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Directive {
    /// Nothing.
    None,
    /// A marker, with the range of its options in the file.
    Marker(Direction, Range<usize>),
    /// `-- migrate:unchecked`, with the reason, which may be empty.
    Unchecked(String),
    /// `-- migrate:loses`, with the parts of the name; `None`: no name follows.
    Loses(Option<Vec<String>>),
    /// Most likely meant as a marker.
    LookAlike(LookAlike),
}

/// Reads a comment. Block comments have no meaning.
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
        return Directive::LookAlike(misplaced(direction, before));
    }
    if let Some(reason) = body.strip_prefix("migrate:unchecked")
        && (reason.is_empty() || reason.starts_with([' ', '\t']))
        && before.trim().is_empty()
    {
        return Directive::Unchecked(reason.trim().to_owned());
    }
    if let Some(object) = body.strip_prefix("migrate:loses")
        && (object.is_empty() || object.starts_with([' ', '\t']))
        && before.trim().is_empty()
    {
        return Directive::Loses(loses::object(object));
    }
    // `cargo xtask check` reads it.
    if migrator_lint::allowed(text).is_some() {
        return Directive::None;
    }
    look_alike(text).map_or(Directive::None, Directive::LookAlike)
}

fn contains_ignoring_case(text: &str, lowercase: &str) -> bool {
    text.as_bytes().windows(lowercase.len()).any(|window| window.eq_ignore_ascii_case(lowercase.as_bytes()))
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use migrator_sql::lex;

    #[track_caller]
    fn check(text: &str, expect: Expect) {
        let source = Source::new("x.sql", text);
        let shown = match read(&source, &lex(text).comments[0]) {
            Directive::Marker(direction, options) => format!("{direction:?} {:?}", &text[options]),
            Directive::Unchecked(reason) => format!("unchecked {reason:?}"),
            other => format!("{other:?}"),
        };
        expect.assert_eq(&shown);
    }

    #[test]
    fn reads_markers_at_the_start_of_a_line() {
        check("-- migrate:up", expect![[r#"Up """#]]);
        check("--migrate:down", expect![[r#"Down """#]]);
        check("--\t  migrate:up \t transaction:false ", expect![[r#"Up " \t transaction:false ""#]]);
        check("-- migrate:unchecked  psql reads it ", expect![[r#"unchecked "psql reads it""#]]);
        check("  -- migrate:unchecked", expect![[r#"unchecked """#]]);
    }
}
