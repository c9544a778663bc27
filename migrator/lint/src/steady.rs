//! The functions of PostgreSQL that give the same for every row of a statement: with them a default is computed once.

use std::collections::HashSet;
use std::sync::LazyLock;

use migrator_sql::Object;

/// From `pg_proc` of PostgreSQL 15: those that a default can have and of which none is volatile; key words and types with
/// a length, which look like calls.
static STEADY: LazyLock<HashSet<&str>> = LazyLock::new(|| include_str!("steady.txt").split_whitespace().collect());

/// True for a function of PostgreSQL that is not volatile.
pub(crate) fn is_steady(function: &Object) -> bool {
    function.may_be_builtin() && STEADY.contains(function.name.as_str())
}
