//! A release that runs, as it is judged.

use std::collections::BTreeSet;

use migrator_engine::embedded::Embedded;
use migrator_engine::{Error, ErrorKind};
use migrator_engine::{plan, words};
use serde_json::Value;

use super::allow::Allowed;
use super::case::Case;
use super::hazards::{self, Weighed};
use super::judge as judging;
use super::query::{Column, Declared, Place, Queries, Query};
use super::report::{Finding, Report};
use crate::developer::Context;
use crate::prove::scratch::Scratch;

/// A release that runs: its schema, and what it asks of it.
#[derive(Debug)]
pub struct Running {
    /// Its name in messages: `v1.21`.
    pub(super) name: String,
    /// Why it is this one, where it was chosen.
    pub(super) how: Option<String>,
    /// Its db directory.
    pub(super) set: &'static Embedded,
    pub(super) queries: Queries,
    /// What the working tree asks; `None`: that is not known.
    pub(super) next: Option<Queries>,
}

/// A query for [`Running`], where it is not read from sources.
#[derive(Debug, Default, Clone)]
pub struct Asked {
    /// As the server gets it.
    pub text: String,
    /// The name that its source gives it.
    pub name: Option<String>,
    /// Its file, relative to the workspace.
    pub file: String,
    /// Its line in the file, from 1.
    pub line: usize,
    /// Its client tells the server the types of the parameters, as sqlx does, and has declared of each column whether it may be null.
    pub declared: Option<Vec<Option<bool>>>,
}

impl Running {
    /// A release that asks nothing yet.
    pub fn new(name: &str, set: &'static Embedded) -> Running {
        Running { name: name.to_owned(), how: None, set, queries: Queries::default(), next: None }
    }

    /// Adds queries of the release.
    #[must_use]
    pub fn asking(mut self, asked: impl IntoIterator<Item = Asked>) -> Running {
        self.queries.queries.extend(asked.into_iter().map(query));
        self
    }

    /// Sets the queries of the working tree.
    #[must_use]
    pub fn followed_by(mut self, asked: impl IntoIterator<Item = Asked>) -> Running {
        self.next = Some(Queries { queries: asked.into_iter().map(query).collect(), ..Queries::default() });
        self
    }
}

fn query(asked: Asked) -> Query {
    let column = |nullable| Column { name: String::new(), type_name: String::new(), nullable };
    let declared = asked
        .declared
        .map(|columns| Declared { parameters: Vec::new(), columns: columns.into_iter().map(column).collect() });
    Query { text: asked.text, name: asked.name, places: vec![Place { file: asked.file, line: asked.line }], declared }
}

/// The verdict, and what there is to say.
pub struct Outcome {
    /// A query breaks that may not.
    pub failed: bool,
    /// The release asks nothing, as far as that can be read.
    pub is_empty: bool,
    /// One line, then what belongs to it.
    pub lines: Vec<String>,
    /// All of it, as `--json` prints it.
    pub json: Value,
    /// The name of the release.
    pub release: String,
    /// What breaks.
    pub findings: Vec<Finding>,
    /// What the new migrations take from the release.
    pub hazards: Vec<Weighed>,
}

/// Judges the release against the migrations of the context, on scratch databases of its server.
///
/// # Errors
/// The migrations of one of them do not go up; the role of `[release]` is not there; a lost connection.
pub async fn judge(context: &Context, running: &Running) -> Result<Outcome, Error> {
    let scratch = Scratch::new(context).await?;
    let judged = judge_on(&scratch, running).await;
    scratch.finish().await;
    let stop = context.migrator.stop();
    if stop.is_requested() {
        return Err(Error::from(ErrorKind::Stopped { by: stop.reason().to_string() })
            .note("the databases of this run were dropped; nothing else was changed"));
    }
    judged
}

/// The same where there are scratch databases already.
///
/// # Errors
/// Those of [`judge`].
pub(in crate::prove) async fn judge_on(scratch: &Scratch<'_>, running: &Running) -> Result<Outcome, Error> {
    let embedded = scratch.context.migrator.embedded();
    refuse_lost(running, embedded)?;
    let known: BTreeSet<&str> = running.queries.queries.iter().map(|query| &*query.text).collect();
    let next =
        running.next.iter().flat_map(|next| &next.queries).filter(|query| !known.contains(&*query.text)).collect();
    let case = Case {
        release: &running.name,
        before: running.set,
        queries: &running.queries.queries,
        next,
        role: embedded.settings.release_role.as_deref(),
    };
    let judgement = judging::judge(scratch, &case).await?;
    let (allowed, new) = (Allowed::of(embedded), &case.next[..]);
    let (release, queries, next) = (case.release, &running.queries, running.next.as_ref());
    let hazards = hazards::weigh(embedded, release, queries, &judgement);
    let report = Report { release, queries, next, new, judgement: &judgement, allowed: &allowed, hazards: &hazards };
    let (failed, is_empty) = (report.is_failed(), queries.queries.is_empty());
    let (lines, json, findings) = (report.lines(), report.json(), report.findings());
    Ok(Outcome { failed, is_empty, lines, json, release: release.to_owned(), findings, hazards })
}

/// A database of the release has migrations that the db directory has not.
fn refuse_lost(running: &Running, embedded: &'static Embedded) -> Result<(), Error> {
    let embedded = plan::through(embedded, running.set.migrations.iter().map(|migration| migration.number));
    let is_lost = |number: i64| !embedded.migrations.iter().any(|migration| migration.number == number);
    let lost = running.set.migrations.iter().filter(|migration| is_lost(migration.number));
    let lost: Vec<String> = lost.map(|migration| migration.label()).collect();
    if lost.is_empty() {
        return Ok(());
    }
    let message = format!("`{}` has {}, which is not in the db directory", running.name, words::list(&lost));
    Err(Error::diverged(message).help("bring the file back: `up` refuses a database that has it"))
}
