//! What a page shows. Pure.

use std::time::Duration;

use crate::prove::compat::Finding;
use crate::prove::forecast;
use crate::prove::trace::{Trace, Waits};

/// What the page is about.
#[derive(Debug)]
pub(crate) struct Page<'a> {
    /// Its heading.
    pub title: &'a str,
    /// What was looked at and where: names and values.
    pub about: Vec<(&'static str, String)>,
    /// The answers of `verify`.
    pub verdicts: Vec<Verdict>,
    /// What the running release was asked; `None`: it was not judged.
    pub release: Option<Release>,
    /// The migrations and repeatables in their order.
    pub steps: Vec<Step<'a>>,
}

/// One answer.
#[derive(Debug)]
pub(crate) struct Verdict {
    /// What was asked.
    pub name: &'static str,
    /// How good it is.
    pub mark: Mark,
    /// The word for it.
    pub word: &'static str,
    /// One line, then what belongs to it.
    pub lines: Vec<String>,
    /// How long it took.
    pub time: Duration,
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

/// How good something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    /// As promised.
    Good,
    /// Worth knowing.
    Note,
    /// A promise is broken.
    Bad,
    /// Nothing is known.
    None,
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
    /// What its statements did; `None`: no one has looked.
    pub trace: Option<&'a Trace>,
    /// How long it takes with real data, where that was forecast.
    pub forecast: Option<&'a forecast::Step>,
    /// What became of its rollback.
    pub rollback: Option<RolledBack>,
}

/// What became of a rollback.
#[derive(Debug)]
pub(crate) struct RolledBack {
    /// How good it is.
    pub mark: Mark,
    /// In a few words.
    pub what: &'static str,
    /// The differences or the error.
    pub lines: Vec<String>,
}

/// The word for it in the style sheet.
pub(super) fn class(waits: Waits) -> &'static str {
    match waits {
        Waits::Nobody => "nobody",
        Waits::Writes => "writes",
        Waits::ReadsAndWrites => "everybody",
    }
}
