//! A setting of the database, whose name no file knows.

use migrator_engine::client::literal;
use migrator_engine::facts::Difference;

use crate::author::diff::key::Key;
use crate::author::diff::work::Work;

pub(super) fn differs(work: &mut Work<'_>, key: &Key, difference: &Difference) {
    // Those of a role in this database are the server's.
    if key.object != "database" || key.part.contains(' ') {
        return;
    }
    let what = match &difference.found {
        Some(value) => format!(
            "format('ALTER DATABASE %I SET {} = %s', current_database(), {})",
            key.part,
            literal(&literal(value))
        ),
        None => format!("format('ALTER DATABASE %I RESET {}', current_database())", key.part),
    };
    work.finish.push((key.clone(), format!("DO $setting$\nBEGIN\n    EXECUTE {what};\nEND;\n$setting$")));
}
