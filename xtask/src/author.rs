//! Files of the db directory, written for the developer.

pub mod import;
pub(crate) mod new;
