//! `SET` and `RESET`.

use crate::words::Words;

/// `SET ...`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Set {
    /// `LOCAL`: to the end of the transaction.
    pub local: bool,
    /// What is set.
    pub setting: Setting,
}

/// `RESET ...`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reset {
    /// `ALL`
    All,
    /// One setting.
    One(Setting),
}

/// What `SET` and `RESET` can mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Setting {
    /// How the transaction is to be: `SET TRANSACTION ...`, or a setting such as `transaction_read_only`.
    Transaction,
    /// `CONSTRAINTS ...`: when they are checked in this transaction.
    Constraints,
    /// `ROLE ...`
    Role {
        /// `NONE` or `DEFAULT`: the role of the session again.
        back: bool,
    },
    /// `SESSION AUTHORIZATION ...`
    SessionAuthorization {
        /// `DEFAULT`: the user that has connected again.
        back: bool,
    },
    /// Any other.
    Other,
}

impl Set {
    /// `words` begin with `SET`.
    pub(crate) fn of(words: &Words<'_>) -> Set {
        let authorization = words.is(1, "session") && words.is(2, "authorization");
        let scope = if words.is_any(1, &["session", "local"]) && !authorization { 2 } else { 1 };
        let back = |index: usize| words.is_any(index, &["none", "default"]);
        let value = |index: usize| if words.at(index) == "=" || words.is(index, "to") { index + 1 } else { index };
        let setting = if words.is(scope, "transaction") || is_of_transaction(words, scope) {
            Setting::Transaction
        } else if words.is(1, "constraints") {
            Setting::Constraints
        } else if is_named(words, scope, "role") {
            Setting::Role { back: back(value(scope + 1)) }
        } else if is_named(words, scope, "session_authorization") {
            Setting::SessionAuthorization { back: back(value(scope + 1)) }
        } else if words.is(scope, "session") && words.is(scope + 1, "authorization") {
            Setting::SessionAuthorization { back: back(scope + 2) }
        } else {
            Setting::Other
        };
        Set { local: words.is(1, "local"), setting }
    }
}

impl Reset {
    /// `words` begin with `RESET`.
    pub(crate) fn of(words: &Words<'_>) -> Reset {
        if words.is(1, "all") {
            Reset::All
        } else if is_of_transaction(words, 1) {
            Reset::One(Setting::Transaction)
        } else if words.is(1, "role") {
            Reset::One(Setting::Role { back: true })
        } else if words.is(1, "session") {
            Reset::One(Setting::SessionAuthorization { back: true })
        } else {
            Reset::One(Setting::Other)
        }
    }
}

/// The settings that belong to the transaction: they say nothing about the session, and the server refuses some of them after a
/// query of the same transaction.
fn is_of_transaction(words: &Words<'_>, index: usize) -> bool {
    const SETTINGS: [&str; 3] = ["transaction_isolation", "transaction_read_only", "transaction_deferrable"];
    SETTINGS.iter().any(|name| is_named(words, index, name))
}

/// The server folds the case of a setting's name, also between quotes.
fn is_named(words: &Words<'_>, index: usize, name: &str) -> bool {
    words.at(index).trim_matches('"').eq_ignore_ascii_case(name)
}
