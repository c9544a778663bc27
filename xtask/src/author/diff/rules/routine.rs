//! A function or procedure that changes: replaced in place where the server allows it.

use migrator_engine::facts::Difference;

use crate::author::diff::key::Key;
use crate::author::diff::work::Work;

pub(super) fn changed(work: &mut Work<'_>, key: &Key, _: &Difference) {
    // `f 1 integer`: its kind, how many arguments have a default, what it returns.
    let parts = |note: &str| {
        let mut words = note.splitn(3, ' ');
        let kind = words.next().unwrap_or_default().to_owned();
        let defaults: usize = words.next().and_then(|word| word.parse().ok()).unwrap_or_default();
        (kind, defaults, words.next().unwrap_or_default().to_owned())
    };
    let (from, to) = (parts(work.from.note(key)), parts(work.to.note(key)));
    let statements: Vec<String> = work.to.own_entries(key).flat_map(|entry| entry.statements.clone()).collect();
    let replaced: Option<Vec<String>> =
        statements.iter().map(|text| Some(format!("CREATE OR REPLACE {}", text.strip_prefix("CREATE ")?))).collect();
    match replaced {
        Some(replaced) if (&from.0, &from.2) == (&to.0, &to.2) && from.1 <= to.1 => {
            replaced.into_iter().for_each(|sql| work.alter(key, sql));
        }
        _ => work.replace(key),
    }
}
