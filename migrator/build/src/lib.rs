//! Reads, checks and embeds a db directory of PostgreSQL migrations at build time.
pub mod set;
