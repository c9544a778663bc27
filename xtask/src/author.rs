//! Files of the workspace and of the db directory, written for the developer.

mod backfill;
mod baseline;
mod code;
pub mod diff;
mod difference;
pub mod fix;
pub mod import;
pub(crate) mod init;
pub(crate) mod new;
mod pg_dump;
mod schema;
pub(crate) mod squash;
