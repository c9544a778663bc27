//! Where another tool is better: from the figures, not by hand.

use std::fmt::Write as _;

use crate::acceptance::PEERS;
use crate::figures::Figures;
use crate::stats::{short, spread};

/// Figures of which less is better, and that tools share.
const COMPARED: [&str; 9] = [
    "wall s",
    "client CPU s",
    "server CPU s",
    "peak memory MB",
    "round trips",
    "connections",
    "bytes to the server",
    "bytes to the client",
    "flushes",
];

/// Writes the section; also that there is nothing to say.
pub(crate) fn write(page: &mut String, parts: &[Figures]) {
    page.push_str("\n## Where we lose\n\nEvery figure in which psql or another tool is ahead of us, whatever else it does or leaves undone.\n\n");
    let lines: Vec<String> = parts.iter().flat_map(losses).collect();
    if lines.is_empty() {
        page.push_str("Nowhere in what was measured.\n");
    }
    for line in lines {
        let _ = writeln!(page, "- {line}");
    }
}

fn losses(part: &Figures) -> Vec<String> {
    let mut lines = Vec::new();
    for metric in COMPARED {
        for case in part.cases() {
            let Some(ours) = part.median(case, "us", metric) else { continue };
            let ahead: Vec<String> = PEERS
                .iter()
                .chain(&["psql"])
                .filter_map(|tool| Some((tool, part.median(case, tool, metric)?)))
                .filter(|(_, theirs)| *theirs < ours)
                .map(|(tool, theirs)| {
                    let near = if overlaps(part, case, tool, metric) { ", within the spread" } else { "" };
                    format!("{tool} {} ({} x{near})", short(theirs), short(ours / theirs))
                })
                .collect();
            if !ahead.is_empty() {
                lines.push(format!("{case}, {metric}: us {}; {}", short(ours), ahead.join(", ")));
            }
        }
    }
    lines
}

/// Whether the slowest of one is no better than the fastest of the other.
fn overlaps(part: &Figures, case: &str, tool: &str, metric: &str) -> bool {
    let of = |tool: &str| part.series(case, tool, metric).and_then(spread);
    match (of("us"), of(tool)) {
        (Some(ours), Some(theirs)) => theirs.1 >= ours.0,
        _ => false,
    }
}
