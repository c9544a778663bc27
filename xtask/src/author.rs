//! Files of the db directory, written for the developer.

pub(crate) mod new;
