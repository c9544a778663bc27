//! An operator that changes: what the planner asks for its selectivity, in place.

use migrator_engine::facts::Difference;

use crate::author::diff::key::{Key, pieces};
use crate::author::diff::work::Work;

const ESTIMATES: &[&str] = &["RESTRICT", "JOIN"];

pub(super) fn changed(work: &mut Work<'_>, key: &Key, difference: &Difference) {
    // Words and what follows each: `FUNCTION app.f RETURNS boolean RESTRICT eqsel`.
    let parts = |text: &Option<String>| {
        let mut rest = Vec::new();
        let mut estimates = [None, None];
        let text = text.clone().unwrap_or_default();
        let mut words = pieces(&text, " ").into_iter();
        while let Some(word) = words.next() {
            match ESTIMATES.iter().position(|estimate| *estimate == word) {
                Some(place) => estimates[place] = words.next().map(str::to_owned),
                None => rest.push(word.to_owned()),
            }
        }
        (rest, estimates)
    };
    let (from, to) = (parts(&difference.expected), parts(&difference.found));
    if from.0 != to.0 {
        return work.replace(key);
    }
    let changes = ESTIMATES.iter().zip(from.1.iter().zip(&to.1)).filter(|(_, (before, after))| before != after);
    let change =
        |(word, (_, after)): (&&str, (_, &Option<String>))| format!("{word} = {}", after.as_deref().unwrap_or("NONE"));
    let changes: Vec<String> = changes.map(change).collect();
    let name = key.object.replace(',', ", ");
    work.alter(key, format!("ALTER OPERATOR {} SET ({})", name.replacen('(', " (", 1), changes.join(", ")));
}
