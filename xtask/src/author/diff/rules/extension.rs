//! An extension that changes: its version, its schema.

use migrator_engine::client::literal;
use migrator_engine::facts::Difference;

use crate::author::diff::key::Key;
use crate::author::diff::work::Work;

pub(super) fn changed(work: &mut Work<'_>, key: &Key, difference: &Difference) {
    let parts = |definition: &Option<String>| {
        let (version, schema) = definition.as_deref()?.strip_prefix("VERSION ")?.split_once(" SCHEMA ")?;
        Some((version.to_owned(), schema.to_owned()))
    };
    let (Some(from), Some(to)) = (parts(&difference.expected), parts(&difference.found)) else { return };
    if from.0 != to.0 {
        work.alter(key, format!("ALTER EXTENSION {} UPDATE TO {}", key.object, literal(&to.0)));
    }
    if from.1 != to.1 {
        work.alter(key, format!("ALTER EXTENSION {} SET SCHEMA {}", key.object, to.1));
    }
}
