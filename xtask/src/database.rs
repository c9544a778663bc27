//! The workspace's own server, the migrator on it, and whole databases: created, dropped, made anew.
//!
//! Nothing else can drop a database, so no migrator that ships can.

pub mod create;
pub(crate) mod db;
pub mod drop;
pub mod guard;
pub(crate) mod migrate;
pub mod reset;
