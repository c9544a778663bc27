//! What a file may hold: one room for each question that is asked of its statements.

pub(crate) mod dbmate;
pub(crate) mod headers;
pub(crate) mod procedures;
pub(crate) mod query;
pub(crate) mod scope;
pub(crate) mod session;
pub(crate) mod syntax;
pub(crate) mod transaction;
