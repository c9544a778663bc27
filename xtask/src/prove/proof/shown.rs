//! What `verify` writes to files: the page, and the comment.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::answer::{Finding, RolledBack};
use super::before::Base;
use crate::developer::Context;
use crate::prove::compat::{Outcome, Weighed};
use crate::prove::forecast;
use crate::prove::html;
use crate::prove::page::{self, Page, Part};
use crate::prove::review::{self, About, Losses, Review, Seen};
use crate::prove::trace::Trace;
use migrator_engine::embedded::Migration;
use migrator_engine::facts::Difference;
use migrator_engine::stats::Stats;
use migrator_engine::{Error, Place};

/// The files that are written when all questions are answered.
pub(super) struct Shown {
    page: Option<html::Place>,
    comment: Option<Place>,
    summary: Option<PathBuf>,
}

/// What was found out beside the answers, by the numbers of the migrations where it is about one.
pub(super) struct Asked {
    pub(super) ways: Vec<RolledBack>,
    pub(super) traces: Vec<Trace>,
    pub(super) losses: BTreeMap<i64, Losses>,
    pub(super) facts: BTreeMap<i64, Vec<Difference>>,
    pub(super) forecasts: BTreeMap<i64, forecast::Step>,
    pub(super) stats: Option<Stats>,
    pub(super) judged: Option<Outcome>,
    pub(super) about: About,
    pub(super) server: String,
}

impl Shown {
    /// Opens the files before the work begins that takes long.
    ///
    /// # Errors
    /// One of them cannot be written.
    pub(super) fn open(page: Option<&Path>, comment: Option<&Path>, summary: Option<&Path>) -> Result<Shown, Error> {
        Ok(Shown {
            page: page.map(html::Place::open).transpose()?,
            comment: comment.map(|path| Place::open(path, "the comment")).transpose()?,
            summary: summary.map(Path::to_owned),
        })
    }

    /// Whether anything is written.
    pub(super) fn is_wanted(&self) -> bool {
        self.page.is_some() || self.comment.is_some() || self.summary.is_some()
    }

    /// Writes them.
    ///
    /// # Errors
    /// The disk is full.
    pub(super) fn write(
        self,
        context: &Context,
        (base, findings): (&Base, &[Finding]),
        asked: Asked,
    ) -> Result<(), Error> {
        if !self.is_wanted() {
            return Ok(());
        }
        let review = review(context, (base, findings), &asked);
        if let Some(place) = self.page {
            place.write(&page(context, (base, findings), &asked, &review))?;
        }
        let comment = review.markdown();
        if let Some(summary) = &self.summary {
            // The summary belongs to the program that runs the pipeline: the answers are the same without it.
            if let Err(error) = append(summary, &comment) {
                context.terminal.say(&format!("cannot append to the summary `{}`: {error}", summary.display()));
            }
        }
        self.comment.map_or(Ok(()), |place| place.write(&comment))
    }
}

fn append(path: &Path, text: &str) -> std::io::Result<()> {
    OpenOptions::new().append(true).create(true).open(path)?.write_all(text.as_bytes())
}

fn is_new(base: &Base, migration: &Migration) -> bool {
    !base.versions.contains(&migration.number)
}

fn about(asked: &Asked) -> About {
    let mut about = asked.about.clone();
    about.push(("Verified on", format!("PostgreSQL {}, on empty databases: {}", asked.server, page::WITHOUT_DATA)));
    about
}

fn review(context: &Context, (base, findings): (&Base, &[Finding]), asked: &Asked) -> Review {
    let embedded = context.migrator.embedded();
    let ways: Vec<review::RolledBack> = asked.ways.iter().map(RolledBack::on_page).collect();
    let new = embedded.migrations.iter().filter(|migration| is_new(base, migration));
    let seen = Seen {
        embedded,
        about: about(asked),
        verdicts: findings.iter().map(Finding::on_page).collect(),
        new: new.map(|migration| migration.number).collect(),
        repeatables: base.branch.is_some().then_some(&base.repeatables[..]),
        ways: &ways,
        traces: &asked.traces,
        losses: &asked.losses,
        facts: &asked.facts,
        forecasts: asked.forecasts.clone(),
        outcome: asked.judged.as_ref(),
    };
    seen.review()
}

fn page<'t>(
    context: &Context,
    (base, findings): (&Base, &[Finding]),
    asked: &'t Asked,
    review: &'t Review,
) -> Page<'t> {
    let embedded = context.migrator.embedded();
    let mut shown = vec![
        ("Migrations", embedded.migrations.len().to_string()),
        ("Release", context.migrator.version().to_owned()),
        ("Digest", embedded.digest.to_string()),
    ];
    shown.extend(about(asked));
    let step = |(index, migration): (usize, &'static Migration)| page::Step {
        label: migration.label(),
        file: &migration.file,
        how: page::how(migration),
        part: if is_new(base, migration) { Part::New } else { Part::History },
        review: review.steps.iter().find(|step| *step.file == *migration.file),
        trace: asked.traces.get(index),
        forecast: asked.forecasts.get(&migration.number),
        rollback: asked.ways.get(index).map(RolledBack::on_page),
    };
    Page {
        title: "Verification of the migrations",
        headline: Some(review.headline(str::to_owned)),
        about: shown,
        verdicts: findings.iter().map(Finding::on_page).collect(),
        release: asked.judged.as_ref().map(on_page),
        steps: embedded.migrations.iter().enumerate().map(step).collect(),
        repeatables: &review.repeatables,
        sizes: asked.stats.as_ref().map(page::sizes).unwrap_or_default(),
    }
}

fn on_page(outcome: &Outcome) -> page::Release {
    let hazards = outcome.hazards.iter().map(Weighed::line).collect();
    page::Release { name: outcome.release.clone(), findings: outcome.findings.clone(), hazards }
}
