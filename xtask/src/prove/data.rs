//! What only rows show: whether a migration keeps them, and whether its rollback gives them back.

mod choose;
mod fill;
pub(super) mod ladder;
pub(super) mod loss;
mod query;
pub(super) mod rollback;
mod scope;
pub(super) mod seeded;
mod shape;
mod state;
mod table;
pub(super) mod takes;
pub(super) mod test;
mod values;
mod words;
