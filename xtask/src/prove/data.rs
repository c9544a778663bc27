//! What only rows show: whether a migration keeps them, and whether its rollback gives them back.

pub(super) mod ladder;
pub(super) mod query;
pub(super) mod table;
pub(super) mod test;
