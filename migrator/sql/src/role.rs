//! Statements that change who works.

use crate::setting::{Reset, Set, Setting};
use crate::sql::Sql;
use crate::words::Words;

/// The name of a statement after which another role is at work.
pub fn role(words: &Words<'_>) -> Option<&'static str> {
    match Sql::of(words) {
        Sql::Set(Set { setting: Setting::Role { back: false }, .. }) => Some("SET ROLE"),
        Sql::Set(Set { setting: Setting::SessionAuthorization { back: false }, .. }) => {
            Some("SET SESSION AUTHORIZATION")
        }
        _ => None,
    }
}

/// True for a statement that ends what [`role`] began.
pub fn is_role_back(words: &Words<'_>) -> bool {
    let back = Setting::Role { back: true };
    let user_back = Setting::SessionAuthorization { back: true };
    match Sql::of(words) {
        Sql::Set(Set { setting, .. }) | Sql::Reset(Reset::One(setting)) => setting == back || setting == user_back,
        Sql::Reset(Reset::All) => true,
        _ => false,
    }
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
