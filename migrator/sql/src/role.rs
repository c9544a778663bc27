//! Statements that change who works.

use crate::words::Words;

/// The name of a statement after which another role is at work.
pub fn role(words: &Words<'_>) -> Option<&'static str> {
    let scope = if words.is_any(1, &["session", "local"]) && !words.is(2, "authorization") { 2 } else { 1 };
    let back = |index: usize| words.is_any(index, &["none", "default"]);
    // The name of a setting, also between quotes, and the value behind `=` or `TO`.
    let named = |name: &str| words.at(scope).trim_matches('"').eq_ignore_ascii_case(name);
    let value = |index: usize| if words.at(index) == "=" || words.is(index, "to") { index + 1 } else { index };
    if !words.is(0, "set") {
        None
    } else if named("role") {
        (!back(value(scope + 1))).then_some("SET ROLE")
    } else if named("session_authorization") {
        (!back(value(scope + 1))).then_some("SET SESSION AUTHORIZATION")
    } else if words.is(scope, "session") && words.is(scope + 1, "authorization") {
        (!back(scope + 2)).then_some("SET SESSION AUTHORIZATION")
    } else {
        None
    }
}

/// True for a statement that ends what [`role`] began.
pub fn is_role_back(words: &Words<'_>) -> bool {
    let names = ["role", "session", "all"];
    words.is(0, "reset") && words.is_any(1, &names)
        || words.is(0, "set")
            && role(words).is_none()
            && (words.is_any(1, &["role", "session"]) || words.is(1, "local") && words.is_any(2, &["role", "session"]))
            && (words.has("role") || words.has("authorization"))
            && words.is_any(words.tokens.len() - 1, &["none", "default"])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lexer::lex;

    #[test]
    fn knows_who_gives_a_role_back() {
        for (text, back) in [
            ("RESET ROLE", true),
            ("RESET ALL", true),
            ("SET ROLE NONE", true),
            ("SET LOCAL ROLE NONE", true),
            ("SET SESSION AUTHORIZATION DEFAULT", true),
            ("SET ROLE x", false),
            ("SET x = DEFAULT", false),
            ("SET SESSION x = DEFAULT", false),
        ] {
            assert_eq!(is_role_back(&Words::new(text, &lex(text).tokens)), back, "{text}");
        }
    }
}
