//! What the linter itself would write: a matter of style, in place.

use crate::author::fix::edit::Edit;
use crate::author::fix::remedy::{Case, Outcome, Remedy};

pub(super) fn of_linter(case: Case<'_, '_>) -> Outcome {
    let edits = case.hazard.edits.iter().map(|(range, text)| Edit::replace(range.clone(), text.clone()));
    Ok(Remedy { is_style: true, ..Remedy::edits(edits.collect()) })
}
