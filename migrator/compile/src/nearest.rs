//! "Did you mean".

pub(crate) use migrator_diagnostic::nearest;
