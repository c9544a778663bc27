//! `REFRESH MATERIALIZED VIEW CONCURRENTLY`, which may run in a transaction.

use crate::author::fix::edit::Edit;
use crate::author::fix::remedy::{Case, Outcome, Remedy};

pub(super) fn concurrently(case: Case<'_, '_>) -> Outcome {
    let is_lower = case.words().at(2).chars().all(|c| c.is_ascii_lowercase());
    let word = if is_lower { " concurrently" } else { " CONCURRENTLY" };
    Ok(Remedy::edits(vec![Edit::insert(case.end_of(2), word)]))
}
