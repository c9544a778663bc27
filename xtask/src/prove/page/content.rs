//! What a page shows. Pure.

use std::collections::BTreeMap;

use crate::prove::compat::Finding;
use crate::prove::forecast;
use crate::prove::review::{self, Repeatable};
pub(crate) use crate::prove::review::{Mark, RolledBack, Verdict};
use crate::prove::trace::{Trace, Waits};
use migrator_engine::stats::{Stats, Table};
use migrator_engine::words;

/// What the page is about.
#[derive(Debug)]
pub(crate) struct Page<'a> {
    /// Its heading.
    pub title: &'a str,
    /// What all of it comes to, in a line.
    pub headline: Option<String>,
    /// What was looked at and where: names and values.
    pub about: Vec<(&'static str, String)>,
    /// The answers of `verify`.
    pub verdicts: Vec<Verdict>,
    /// What the running release was asked; `None`: it was not judged.
    pub release: Option<Release>,
    /// The migrations and repeatables in their order.
    pub steps: Vec<Step<'a>>,
    /// The repeatables that are not what they were on the base branch.
    pub repeatables: &'a [Repeatable],
    /// How large tables are, where statistics were given: `1.2 GB, 12,400,000 rows`.
    pub sizes: BTreeMap<String, String>,
}

/// How a page is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// What the base branch does not have, or what is planned.
    New,
    /// What it has.
    History,
}

/// What the new migrations do to the release that runs.
#[derive(Debug)]
pub(crate) struct Release {
    /// Its name: `v1.21`.
    pub name: String,
    /// Its queries that break.
    pub findings: Vec<Finding>,
    /// What the migrations take, and whether a query needs that, a line each.
    pub hazards: Vec<String>,
}

/// One migration or repeatable.
#[derive(Debug)]
pub(crate) struct Step<'a> {
    /// `003_add_x`, or a repeatable's name.
    pub label: String,
    /// The path shown in messages.
    pub file: &'static str,
    /// How it is run: `outside a transaction`.
    pub how: String,
    /// Which part of the page it is in.
    pub part: Part,
    /// What was found out about it, where it is new.
    pub review: Option<&'a review::Step>,
    /// What its statements did; `None`: no one has looked.
    pub trace: Option<&'a Trace>,
    /// How long it takes with real data, where that was forecast.
    pub forecast: Option<&'a forecast::Step>,
    /// What became of its rollback.
    pub rollback: Option<RolledBack>,
}

/// The word for it in the style sheet.
pub(super) fn class(waits: Waits) -> &'static str {
    match waits {
        Waits::Nobody => "no-one",
        Waits::Writes => "writes",
        Waits::ReadsAndWrites => "everyone",
    }
}

/// How large the tables are where it will run: `1.2 GB, 12,400,000 rows`.
pub(crate) fn sizes(stats: &Stats) -> BTreeMap<String, String> {
    let size = |table: &Table| {
        let bytes = table.bytes.map(words::bytes);
        let rows = (table.rows >= 0).then(|| format!("{} rows", words::thousands(table.rows)));
        let parts: Vec<String> = bytes.into_iter().chain(rows).collect();
        (!parts.is_empty()).then(|| (table.name.clone(), parts.join(", ")))
    };
    stats.tables.iter().filter_map(size).collect()
}
