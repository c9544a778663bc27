//! Plans, applies and reports PostgreSQL migrations that are compiled into a binary.
pub mod embedded;
