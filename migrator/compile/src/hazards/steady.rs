//! The functions of PostgreSQL that give the same for every row of a statement: with them a default is computed once.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::known::Known;
use super::object::Object;
use migrator_sql::{Kind, Words};

/// From `pg_proc` of PostgreSQL 15: those that a default can have and of which none is volatile; key words and types with
/// a length, which look like calls.
static STEADY: LazyLock<HashSet<&str>> = LazyLock::new(|| include_str!("steady.txt").split_whitespace().collect());

/// True for a function of PostgreSQL that is not volatile.
pub(crate) fn is_steady(function: &Object) -> bool {
    function.may_be_builtin() && STEADY.contains(function.name.as_str())
}

/// True if the default of a column is the same for every row.
pub(crate) fn has_steady_default(action: &Words<'_>, known: &Known) -> bool {
    let Some(start) = action.find("default").filter(|_| action.find("generated").is_none()) else { return false };
    let end = ["references", "check", "constraint"].iter().filter_map(|word| action.find(word)).min();
    let end = end.unwrap_or(action.tokens.len());
    let named = |at: usize| matches!(action.tokens[at].kind, Kind::Word | Kind::Quoted);
    let mut at = start + 1;
    while at < end {
        if !named(at) {
            at += 1;
            continue;
        }
        // A name from its first part on; `::app.kind (...)` is a type.
        let behind = action.behind_name(at);
        if action.at(behind) == "(" && action.at(at - 1) != ":" {
            let steady = Object::read(action, at).is_some_and(|(function, _)| known.is_steady(&function));
            if !steady {
                return false;
            }
        }
        at = behind.max(at + 1);
    }
    true
}
