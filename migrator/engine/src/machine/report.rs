//! What an operation has come to, as a program reads it.

use serde_json::{Value, json};

use super::event::{ms, of_applied};
use crate::event::Applied;
use crate::operation::adopt::AdoptReport;
use crate::operation::down::DownReport;
use crate::operation::redo::RedoReport;
use crate::operation::resolve::{Decision, ResolveReport};
use crate::operation::seed::SeedReport;
use crate::operation::up::UpReport;

fn all(steps: &[Applied]) -> Value {
    steps.iter().map(of_applied).collect()
}

/// `up`.
pub(crate) fn up(report: &UpReport) -> Value {
    json!({
        "applied": all(&report.applied),
        "by_another": report.by_another,
        "newest": report.newest,
        "took_ms": ms(report.took),
    })
}

/// `down`.
pub(crate) fn down(report: &DownReport) -> Value {
    json!({
        "rolled_back": all(&report.rolled_back),
        "newest": report.newest,
        "repeatables_are_due": report.repeatables_are_due,
        "took_ms": ms(report.took),
    })
}

/// `redo`.
pub(crate) fn redo(report: &RedoReport) -> Value {
    json!({ "done": all(&report.done) })
}

/// `seed`.
pub(crate) fn seed(report: &SeedReport) -> Value {
    json!({ "seed": report.name, "took_ms": ms(report.took) })
}

/// `resolve`.
pub(crate) fn resolve(report: &ResolveReport) -> Value {
    let decision = match report.decision {
        Decision::Applied => "applied",
        Decision::Retry => "retry",
    };
    json!({
        "migration": report.migration,
        "statement": report.statement,
        "decision": decision,
        "direction": report.direction.word(),
    })
}

/// `adopt`.
pub(crate) fn adopt(report: &AdoptReport, dry_run: bool) -> Value {
    json!({
        "tool": report.tool.name(),
        "table": report.table,
        "is_ours": report.is_ours,
        "dry_run": dry_run,
        "adopted": report.adopted,
        "repeatables": report.repeatables,
        "already": report.already,
        "verified": report.verified,
        "pending": report.pending,
        "out_of_order": report.out_of_order,
        "outdated": report.outdated,
    })
}
