//! `adopt`: take over what another tool has applied, as its own history says it.

use std::time::Duration;

use super::drift;
use super::options::{WAIT_LOCK, options};
use crate::adopt::{
    self, Decision, Explained, ForeignHistory, Recognised, Refusal, decide, explain, of_tool, recognise,
};
use crate::embedded::{Migration, Script, Tool};
use crate::error::{Error, ErrorKind};
use crate::history::History;
use crate::migrator::Migrator;
use crate::recorded;
use crate::session::{Locked, Session};
use crate::sql::{NewEvent, Run, Tables, insert_event, insert_state, mark_state};
use crate::store::foreign::{self, Candidate, Named, Source};
use crate::words::{cell, list};

options! {
    /// Options of [`Session::adopt`].
    AdoptOptions {
        /// The other tool's table, with its schema if that is necessary; by default the tool's usual one, in whatever schema it is.
        table: Option<String> = None,
        /// Say what would be recorded, and write nothing.
        dry_run: bool = false,
        /// Refuse a schema that is not the compiled one.
        verify: bool = false,
        /// How long to wait for another migrator, and for the other tool; 15 minutes by default.
        wait_lock: Duration = WAIT_LOCK,
    }
}

/// The result of [`Session::adopt`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct AdoptReport {
    /// The other tool.
    pub tool: Tool,
    /// Its table, as the server quotes it.
    pub table: String,
    /// Whether our own history is that table, as it can be with dbmate.
    pub is_ours: bool,
    /// The migrations that were recorded, `001_init`; with `dry_run` those that would be.
    pub adopted: Vec<String>,
    /// The repeatables that were recorded.
    pub repeatables: Vec<String>,
    /// How many migrations had been recorded before.
    pub already: usize,
    /// How many checksums of the other tool agree with the files that were imported; `None`: none of it is compared.
    pub verified: Option<usize>,
    /// What the other tool has not applied, and `up` will.
    pub pending: Vec<String>,
    /// What it has not applied although it has applied a later one.
    pub out_of_order: Vec<String>,
    /// Repeatables that it has applied with another content: the next `up` applies them.
    pub outdated: Vec<String>,
}

/// Reads the other history, and writes ours.
pub(crate) async fn run(mut session: Session, tool: Tool, options: &AdoptOptions) -> Result<AdoptReport, Error> {
    let history = known(session.migrator.embedded, tool)?;
    // What the log says last of every version decides here.
    session.demand_whole().await?;
    let table = find(&session, history, options.table.as_deref()).await?;
    let source = Source { history, table: &table, wait: options.wait_lock };
    if options.dry_run {
        let rows = foreign::look(&session.connection, source).await?;
        let judged = judge(&session.migrator, &session.tables, &session.history, source, &rows)?;
        return Ok(judged.report(source));
    }
    session.announce();
    session.locked(options.wait_lock, async |locked| adopt(locked, source, options.verify).await).await
}

/// How the tool keeps its history, if the migrations of this binary can be found in it.
fn known(set: &crate::embedded::Embedded, tool: Tool) -> Result<&'static ForeignHistory, Error> {
    let Some(history) = of_tool(tool) else {
        return Err(Error::usage("plain SQL files have no history that could be adopted")
            .help("record what has been applied with `migrator stamp --to VERSION`"));
    };
    match &set.origin {
        Some(origin) if origin.tool != tool => {
            let (was, name) = (origin.tool.title(), origin.tool.name());
            let error = Error::usage(format!("these migrations were imported from {was}, not from {}", tool.title()));
            Err(match of_tool(origin.tool) {
                Some(_) => {
                    error.help(format!("run `migrator adopt {name}`; db/imported.toml says where they come from"))
                }
                None => error.help("record what has been applied with `migrator stamp --to VERSION`"),
            })
        }
        None if !history.has_versions() => Err(Error::usage(format!(
            "{} does not record versions, and this binary does not know what it calls these migrations",
            tool.title()
        ))
        .help(format!("run `cargo xtask import {}`, which writes db/imported.toml, and build", tool.name()))),
        _ => Ok(history),
    }
}

/// The table that holds the history.
async fn find(session: &Session, history: &'static ForeignHistory, given: Option<&str>) -> Result<Candidate, Error> {
    let title = history.tool.title();
    let named = match given {
        None => Named::Usual(history.tables),
        Some(text) => {
            let (schema, table) = adopt::name::parse(text).ok_or_else(|| {
                Error::usage(format!("`{text}` is not the name of a table"))
                    .help("write it as in SQL: `history`, `app.history`, `\"App\".\"History\"`")
            })?;
            Named::Exactly(schema, table)
        }
    };
    let found = foreign::candidates(&session.connection, &named).await?;
    let fits = |candidate: &Candidate| history.fits(&names(candidate));
    let (mut fitting, others): (Vec<Candidate>, Vec<Candidate>) = found.into_iter().partition(fits);
    let is_ours = |candidate: &Candidate| is_own(&session.tables, candidate);
    // What is ours alone needs no adoption.
    let is_complete = session.history.exists && session.history.applied.iter().all(|row| row.checksum.is_some());
    if fitting.len() > 1 && (history.tool != Tool::Dbmate || is_complete) {
        fitting.retain(|candidate| !is_ours(candidate));
    }
    match (fitting.len(), others.first()) {
        (1, _) if is_ours(&fitting[0]) && history.tool != Tool::Dbmate => {
            Err(Error::usage(format!("`{}` is the history of this migrator", fitting[0].shown))
                .help(format!("pass the table of {title} with `--table`")))
        }
        (1, _) => Ok(fitting.remove(0)),
        (0, Some(other)) => {
            Err(Error::usage(format!("`{}` is not a history of {title}: {}", other.shown, mismatch(history, other)))
                .help("pass the right table with `--table`"))
        }
        (0, None) => {
            let name = given.map_or_else(|| history.tables.join("` or `"), str::to_owned);
            Err(Error::usage(format!(
                "there is no table `{name}` in database `{}`",
                session.connection.server.database
            ))
            .help(format!("check the database; if {title} keeps its history in another table, pass it with `--table`")))
        }
        _ => {
            let tables: Vec<&str> = fitting.iter().map(|candidate| candidate.shown.as_str()).collect();
            Err(Error::usage(format!("several tables may be the history of {title}: {}", list(&tables))).help(format!(
                "pass the right one: `migrator adopt {} --table {}`",
                history.tool.name(),
                tables[0]
            )))
        }
    }
}

fn names(candidate: &Candidate) -> Vec<&str> {
    candidate.columns.iter().map(String::as_str).collect()
}

/// Why a table is not that of the tool.
fn mismatch(history: &ForeignHistory, candidate: &Candidate) -> String {
    let columns = names(candidate);
    match recognise(&candidate.schema, &candidate.table, &columns) {
        Recognised::Tool(tool) if tool != history.tool => return format!("it is one of {}", tool.title()),
        _ => {}
    }
    match history.columns.iter().find(|column| !columns.contains(column)) {
        Some(column) => format!("it has no column `{column}`"),
        None => {
            let other = history.lacks.iter().find(|column| columns.contains(column));
            format!("it has a column `{}`", other.copied().unwrap_or_default())
        }
    }
}

fn is_own(tables: &Tables, candidate: &Candidate) -> bool {
    (&candidate.schema, &candidate.table) == (&tables.schema, &tables.table)
}

/// What the rows mean for our history.
struct Judged {
    is_ours: bool,
    explained: Explained,
    decision: Decision,
}

impl Judged {
    fn report(&self, source: Source<'_>) -> AdoptReport {
        let Decision { new, unmarked, repeatables, pending, out_of_order, already, .. } = &self.decision;
        let labels = |migrations: &[&'static Migration]| migrations.iter().map(|m| m.label()).collect::<Vec<_>>();
        let names = |scripts: &[&'static Script]| scripts.iter().map(|script| script.name.to_string()).collect();
        let mut adopted = [&new[..], &unmarked[..]].concat();
        adopted.sort_by_key(|migration| migration.number);
        AdoptReport {
            tool: source.history.tool,
            table: source.table.shown.clone(),
            is_ours: self.is_ours,
            adopted: labels(&adopted),
            repeatables: names(repeatables),
            already: *already,
            verified: source.history.has_checksums().then_some(self.explained.verified),
            pending: labels(pending),
            out_of_order: labels(out_of_order),
            outdated: names(&self.explained.outdated),
        }
    }
}

/// Judges the rows and our own history.
///
/// # Errors
/// Everything that is in the way.
fn judge(
    migrator: &Migrator,
    tables: &Tables,
    history: &History,
    source: Source<'_>,
    rows: &[adopt::Row],
) -> Result<Judged, Error> {
    let is_ours = is_own(tables, source.table);
    let shown = &source.table.shown;
    let title = source.history.tool.title();
    // What has run elsewhere has run from the first migration on.
    let embedded = if history.applied.is_empty() { migrator.roads.original() } else { migrator.embedded };
    let explained = explain(embedded, source.history, rows).map_err(|refusal| refused(refusal, shown))?;
    let decision = decide(embedded, history, &explained, is_ours)?;
    disagreement(&decision, title, shown, &tables.state).map_or(Ok(Judged { is_ours, explained, decision }), Err)
}

/// Where our own history and the other one cannot both be right.
fn disagreement(decision: &Decision, title: &str, table: &str, ours: &str) -> Option<Error> {
    let labels = |migrations: &[&'static Migration]| {
        list(&migrations.iter().map(|migration| migration.label()).collect::<Vec<_>>())
    };
    let error = |what: String| Error::diverged(format!("the histories disagree: {what}"));
    if let Some(first) = decision.withdrawn.first() {
        let labels = labels(&decision.withdrawn);
        return Some(error(format!("ours records {labels} as taken over, `{table}` does not list it"))
            .note(format!("{title} may have rolled it back meanwhile"))
            .help(format!("if it is rolled back, delete the row `{}` of `{ours}`, and adopt again; otherwise apply it again with {title}", first.version)));
    }
    let first = decision.rolled_back.first()?;
    let labels = labels(&decision.rolled_back);
    Some(error(format!("`{table}` lists {labels}, which was rolled back with `migrator down`"))
        .note(format!("{title} still counts it as applied"))
        .help(format!("run `migrator up` to apply it again; if {title} has applied it since, record it with `migrator stamp --to {}`", first.version)))
}

/// How many obstacles are shown.
const MOST_SHOWN: usize = 200;

fn refused(refusal: Refusal, table: &str) -> Error {
    let kind = |message: String| match refusal.is_unfinished {
        true => ErrorKind::Refused { message },
        false => ErrorKind::Diverged { message, places: Vec::new() },
    };
    if let [(what, way_out)] = &refusal.found[..] {
        return Error::from(kind(format!("cannot adopt `{table}`: {what}"))).help(way_out.clone());
    }
    let count = refusal.found.len();
    let mut error = Error::from(kind(format!("cannot adopt `{table}`: {count} rows are in the way")));
    let mut help: Vec<&str> = Vec::new();
    for (what, way_out) in refusal.found.iter().take(MOST_SHOWN) {
        error = error.note(what.clone());
        if !help.contains(&way_out.as_str()) {
            help.push(way_out);
        }
    }
    if count > MOST_SHOWN {
        error = error.note(format!("and {} more", count - MOST_SHOWN));
    }
    help.into_iter().fold(error, Error::help)
}

/// Reads and writes in one transaction: the other tool cannot run in between.
async fn adopt(locked: &mut Locked, source: Source<'_>, verify: bool) -> Result<AdoptReport, Error> {
    let Locked { executor, history } = locked;
    let (connection, tables) = (&executor.connection, &executor.tables);
    if verify {
        let rows = foreign::look(connection, source).await?;
        let judged = judge(&executor.migrator, tables, history, source, &rows)?;
        whole(&judged.decision)?;
        let traces = adopt::of_table(source.history.tool, &source.table.shown);
        drift::verify(&executor.migrator, connection, tables, &traces).await?;
    }
    let rows = foreign::begin(connection, tables, &executor.run, &executor.session(None), source).await?;
    let judged = match judge(&executor.migrator, tables, history, source, &rows) {
        Ok(judged) if !judged.decision.is_empty() => judged,
        judged => {
            foreign::abandon(connection).await;
            return judged.map(|judged| judged.report(source));
        }
    };
    let detail = adopt::detail(source.history.tool, &cell(&source.table.shown));
    let statements = statements(tables, &executor.run, &judged.decision, &detail);
    foreign::finish(connection, tables, history, &statements.join(";\n")).await?;
    Ok(judged.report(source))
}

/// Refuses a comparison with the compiled facts, which are those of the newest version, where that is not reached.
fn whole(decision: &Decision) -> Result<(), Error> {
    let Some(missing) = decision.pending.iter().chain(&decision.out_of_order).next() else { return Ok(()) };
    Err(Error::usage(format!(
        "cannot verify the schema: {} would stay pending, and this binary knows only the schema with it",
        missing.label()
    ))
    .help("leave out `--verify`, run `up`, and then `migrator drift`"))
}

fn statements(tables: &Tables, run: &Run, decision: &Decision, detail: &str) -> Vec<String> {
    let mut migrations: Vec<(&'static Migration, bool)> =
        decision.new.iter().map(|migration| (*migration, true)).collect();
    migrations.extend(decision.unmarked.iter().map(|migration| (*migration, false)));
    migrations.sort_by_key(|(migration, _)| migration.number);
    let mut statements = Vec::new();
    for (migration, is_new) in migrations {
        let label = (&*migration.version, &*migration.name, &*migration.checksum);
        let down_block = recorded::encode(migration);
        statements.push(match is_new {
            true => insert_state(tables, run, label, Some(0)),
            false => mark_state(tables, run, label),
        });
        let event = NewEvent {
            down_block: Some(&down_block),
            action: "adopt",
            version: Some(&*migration.version),
            name: Some(&*migration.name),
            checksum: Some(&*migration.checksum),
            outcome: "done",
            duration_ms: Some(0),
            detail: Some(detail),
            ..NewEvent::default()
        };
        statements.push(insert_event(tables, run, &event));
    }
    for script in &decision.repeatables {
        let event = NewEvent {
            action: "repeatable",
            name: Some(&script.name),
            checksum: Some(&script.checksum),
            outcome: "done",
            duration_ms: Some(0),
            ..NewEvent::default()
        };
        statements.push(insert_event(tables, run, &event));
    }
    statements
}
