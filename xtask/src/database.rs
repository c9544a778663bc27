//! The workspace's own server, and the migrator on it.

pub(crate) mod db;
pub(crate) mod migrate;
