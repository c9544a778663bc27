//! A schema as one migration: what pg_dump says of a database, in an order that a server takes.

pub(crate) mod order;
pub(crate) mod proof;
pub(crate) mod source;
pub(crate) mod statements;
pub(crate) mod survey;
