//! A view that changes: replaced in place where its columns allow it.

use migrator_engine::facts::Difference;

use crate::author::diff::catalog::Catalog;
use crate::author::diff::key::Key;
use crate::author::diff::work::Work;

pub(super) fn changed(work: &mut Work<'_>, key: &Key, _: &Difference) {
    again(work, key);
}

/// The view, or one of its columns, is another one.
pub(super) fn again(work: &mut Work<'_>, key: &Key) {
    if work.gone.contains(key) || work.altered.contains_key(key) {
        return;
    }
    let columns = |of: &Catalog| -> Vec<(String, String)> {
        let columns = of.columns.get(&key.object).into_iter().flatten();
        columns.map(|column| (column.name.clone(), column.typed())).collect()
    };
    let (from, to) = (columns(work.from), columns(work.to));
    let statements: Vec<String> = work.to.own_entries(key).flat_map(|entry| entry.statements.clone()).collect();
    match statements.as_slice() {
        [only] if key.kind == "view" && to.starts_with(&from) => {
            work.alter(key, only.replacen("CREATE VIEW", "CREATE OR REPLACE VIEW", 1));
        }
        _ => work.replace(key),
    }
}
