//! The error of a connection string that cannot be used.

use crate::error::Error;

pub(super) fn usage(message: &str) -> Error {
    Error::usage(message)
}
