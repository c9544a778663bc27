//! `plan --locks`: runs the plan on a throwaway copy of the schema and shows what each statement locks.

use std::path::PathBuf;

use serde_json::json;

use crate::developer::Context;
use crate::prove::budget::{Bounds, Judged, Judgement, NEEDS_TIMES, judge};
use crate::prove::forecast::{self, Forecast};
use crate::prove::html::Place;
use crate::prove::page::{self, Page, Part};
use crate::prove::scratch::{Database, Scratch};
use crate::prove::trace::{Subject, Trace, Tracer, Waits};
use migrator_engine::ConnectionTarget;
use migrator_engine::Locked;
use migrator_engine::embedded::Script;
use migrator_engine::history::History;
use migrator_engine::model::Budget;
use migrator_engine::operation::PlanOptions;
use migrator_engine::output::{self, file, result};
use migrator_engine::plan::{self, Plan, Step};
use migrator_engine::stats::Stats;
use migrator_engine::units::{UnitKind, units};
use migrator_engine::words::count;
use migrator_engine::{Error, ErrorKind, Exit};

/// What is planned, and how it is shown.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
#[command(after_help = "Example: cargo xtask migrate plan --locks")]
pub struct Args {
    /// Plan up to and including this version [default: the newest]
    #[arg(long, value_name = "VERSION")]
    pub to: Option<i64>,
    /// Show the SQL too
    #[arg(long)]
    pub sql: bool,
    /// Plan pending migrations also below applied ones
    #[arg(long)]
    pub allow_out_of_order: bool,
    /// Run it on a scratch copy of the schema and show which locks each statement takes
    #[arg(long)]
    pub locks: bool,
    /// With --locks: make the copy on this server instead of starting a throwaway one
    #[arg(long, value_name = "URL", requires = "locks")]
    pub scratch_url: Option<String>,
    /// With --locks: also write an HTML page to this file
    #[arg(long, value_name = "FILE", requires = "locks")]
    pub html: Option<PathBuf>,
    /// With --locks: also say how long it takes on tables as large as in this file of `migrator stats`
    #[arg(long, value_name = "FILE", requires = "locks")]
    pub stats: Option<PathBuf>,
}

/// Plans, traces on the server of `scratch`, prints.
pub async fn run(context: &Context, args: &Args, scratch: &Context) -> Result<Exit, Error> {
    let html = args.html.as_deref().map(Place::open).transpose()?;
    let stats = args.stats.as_deref().map(Stats::open).transpose()?;
    let session = context.connect().await?;
    let options = PlanOptions::default().to(args.to).allow_out_of_order(args.allow_out_of_order);
    let plan = &session.plan(&options).await?;
    context.migrator.warn_ahead(&plan.ahead);
    let (history, target) = (session.history().clone(), session.target().clone());
    let place = match &stats {
        Some(stats) => Some(forecast::Place::of(session.client(), stats, context.own.is_some()).await?),
        None => None,
    };
    drop(session);
    let wanted = stats.as_ref().zip(place.as_ref());
    let Seen { version, traces, forecast } = on_copy(context, scratch, (&history, plan), wanted)
        .await
        .map_err(|error| error.note("this happened on a scratch copy; the database itself was not changed"))?;
    let seen = Seen { version, traces, forecast };
    if let Some(html) = html {
        html.write(&page(context, &target, plan, (&seen, stats.as_ref())))?;
    }
    let budget = &context.migrator.embedded().settings.budget;
    let judgement = judge(budget, &seen.judged());
    let exit = if judgement.beyond.is_empty() { Exit::Done } else { Exit::Found };
    if output::is_json() {
        output::json(&json(plan, &seen, (budget, &judgement), args.sql));
        result(&match plan.steps.len() {
            0 => "nothing to apply".to_owned(),
            steps => format!("would apply {}", count(steps, "step")),
        });
        return Ok(exit);
    }
    print(plan, &seen, args.sql);
    if plan.steps.is_empty() {
        return Ok(Exit::Done);
    }
    let version = &seen.version;
    match &seen.forecast {
        Some(forecast) => forecast.notes.iter().for_each(|note| context.terminal.say(note)),
        None => context
            .terminal
            .say(&format!("seen on an empty copy of the schema on PostgreSQL {version}: {}", page::WITHOUT_DATA)),
    }
    judgement.beyond.iter().for_each(|line| result(&format!("beyond [budget]: {line}")));
    if judgement.needs_times {
        context.terminal.say(NEEDS_TIMES);
    }
    Ok(exit)
}

/// What was seen on scratch copies.
struct Seen {
    /// The release of the server.
    version: String,
    /// One for each step.
    traces: Vec<Trace>,
    /// Where statistics were given.
    forecast: Option<Forecast>,
}

impl Seen {
    fn forecast_of(&self, index: usize) -> Option<&forecast::Step> {
        self.forecast.as_ref().and_then(|forecast| forecast.steps.get(index))
    }

    /// What [`judge`] asks for.
    fn judged(&self) -> Vec<Judged<'_>> {
        let judged = |index: usize| {
            let trace = &self.traces[index];
            let time = |number| self.forecast_of(index)?.statement(number)?.time.as_ref().ok();
            let bounds = |time: &forecast::Time| Bounds { lower: time.lower, upper: time.upper };
            let times = trace.statements.iter().map(|statement| time(statement.number).map(bounds)).collect();
            Judged { trace, times }
        };
        (0..self.traces.len()).map(judged).collect()
    }
}

fn json(plan: &Plan, seen: &Seen, (budget, judgement): (&Budget, &Judgement), sql: bool) -> serde_json::Value {
    let step = |(index, (step, trace)): (usize, (&Step, &Trace))| {
        let mut value = step.json(sql);
        value["statements"] = trace.json();
        if let Some(forecast) = seen.forecast_of(index) {
            value["forecast"] = forecast.json();
        }
        value
    };
    let steps: Vec<_> = plan.steps.iter().zip(&seen.traces).enumerate().map(step).collect();
    let mut value = json!({ "digest": plan.digest(), "steps": steps, "ahead": plan.ahead });
    if let Some(forecast) = &seen.forecast {
        value["notes"] = forecast.notes.clone().into();
    }
    if budget.is_set() {
        value["budget"] = json!({ "beyond": judgement.beyond, "needs_times": judgement.needs_times });
    }
    value
}

fn page<'t>(
    context: &Context,
    target: &ConnectionTarget,
    plan: &Plan,
    (seen, stats): (&'t Seen, Option<&Stats>),
) -> Page<'t> {
    let version = &seen.version;
    let mut about = vec![
        ("Database", target.to_string()),
        ("To apply", plan.steps.len().to_string()),
        ("Release", context.migrator.version().to_owned()),
        ("Plan digest", plan.digest()),
        ("Seen on", format!("PostgreSQL {version}, on an empty copy of the schema: {}", page::WITHOUT_DATA)),
    ];
    let sizes = stats.map(page::sizes).unwrap_or_default();
    about.extend(seen.forecast.iter().map(|forecast| ("Forecast", forecast.notes.join("; "))));
    let step = |(index, (step, trace)): (usize, (&Step, &'t Trace))| {
        let how = match step {
            Step::Migration { migration, .. } => page::how(migration),
            Step::Repeatable(_) => "repeatable".to_owned(),
        };
        let forecast = seen.forecast_of(index);
        let (label, file, part) = (trace.label.clone(), trace.file, Part::New);
        page::Step { label, file, how, part, review: None, trace: Some(trace), forecast, rollback: None }
    };
    let steps = plan.steps.iter().zip(&seen.traces).enumerate().map(step).collect();
    let (headline, verdicts, release, repeatables) = (None, Vec::new(), None, &[][..]);
    Page { title: "Migration plan", headline, about, verdicts, release, steps, repeatables, sizes }
}

fn print(plan: &Plan, seen: &Seen, sql: bool) {
    if plan.steps.is_empty() {
        result("nothing to apply");
    }
    for (index, (step, trace)) in plan.steps.iter().zip(&seen.traces).enumerate() {
        result(&step.sentence());
        let mut quiet = true;
        for statement in &trace.statements {
            let lines = statement.lines(Waits::Nobody);
            if sql {
                file(&format!("    {}", statement.sql.replace('\n', "\n    ")));
            }
            quiet &= lines.is_empty();
            lines.iter().for_each(|line| result(&format!("    {line}")));
        }
        if quiet {
            result("    no one waits for an existing relation");
        }
        let lines = seen.forecast_of(index).map(forecast::Step::lines).unwrap_or_default();
        lines.iter().for_each(|line| result(&format!("    forecast: {line}")));
    }
    if !plan.steps.is_empty() {
        result(&format!("plan digest: {}", plan.digest()));
    }
}

/// Brings a new database to where the history says the real one is, and runs the plan there; with statistics, also on copies with rows.
async fn on_copy(
    context: &Context,
    there: &Context,
    (history, plan): (&History, &Plan),
    wanted: Option<(&Stats, &forecast::Place)>,
) -> Result<Seen, Error> {
    let scratch = Scratch::new(there).await?;
    let make = async || {
        let database = scratch.database().await?;
        database.locked.apply(&behind(context, history)).await?;
        put_in_older(context, &database, history).await;
        Ok::<_, Error>(database)
    };
    let run =
        async |database: &Database, traces: &mut Vec<Trace>| steps(context, database, (history, plan), traces).await;
    let traced = async {
        let database = make().await?;
        let mut traces = Vec::new();
        run(&database, &mut traces).await?;
        let forecast = match wanted {
            Some(wanted) => Some(forecast::measure(wanted, &scratch, (&database, &traces), &make, &run).await?),
            None => None,
        };
        scratch.discard(database).await;
        Ok::<_, Error>(Seen { version: scratch.server_version().await?, traces, forecast })
    }
    .await;
    scratch.finish().await;
    traced
}

/// What the real database has behind it, as far as this binary holds it.
fn behind(context: &Context, history: &History) -> Plan {
    let embedded = plan::begun(context.migrator.embedded(), history);
    let applied = |number: i64| history.applied.iter().any(|row| row.number() == Some(number));
    let migrations = embedded.migrations.iter().filter(|migration| applied(migration.number));
    let repeatables = embedded.repeatables.iter().filter(|script| !history.is_due(script));
    let steps = migrations.map(Step::first_up).chain(repeatables.map(Step::Repeatable));
    Plan::new(steps)
}

/// Repeatables that are there with an older text, which no binary holds: the present one takes its place, as far as it can be put in
/// before what is pending, which may need it.
async fn put_in_older(context: &Context, database: &Database, history: &History) {
    for script in context.migrator.embedded().repeatables.iter() {
        if is_older(history, script) {
            // One that needs what is pending cannot have been there in this form.
            let _ = database.locked.apply(&Plan::new([Step::Repeatable(script)])).await;
        }
    }
}

/// Whether it is there with another text than in this binary.
fn is_older(history: &History, script: &Script) -> bool {
    history.has_run_repeatable(&script.name) && history.is_due(script)
}

/// Runs the plan; what was seen before a failure is in the traces.
async fn steps(
    context: &Context,
    database: &Database,
    (history, plan): (&History, &Plan),
    traces: &mut Vec<Trace>,
) -> Result<(), Error> {
    let mut tracer = Tracer::new(&database.locked).await?;
    for (index, step) in plan.steps.iter().enumerate() {
        if context.migrator.stop().is_requested() {
            return Err(ErrorKind::Stopped { by: context.migrator.stop().reason() }.into());
        }
        context.terminal.begin(&format!("tracing {}", step.label()), index + 1, plan.steps.len());
        let again = matches!(step, Step::Repeatable(script) if is_older(history, script));
        let traced = one(&mut tracer, &database.locked, step, again).await;
        context.terminal.end();
        traces.push(traced?);
    }
    Ok(())
}

/// `again`: a repeatable of which an older text is there. That one is in no binary; the new one takes its place here, and
/// is then replaced by itself, which locks the same.
async fn one(tracer: &mut Tracer<'_>, locked: &Locked, step: &Step, again: bool) -> Result<Trace, Error> {
    let alone = Plan::new([step.clone()]);
    if again {
        locked.apply(&alone).await?;
        tracer.look_again().await?;
    }
    let traced = match step {
        Step::Migration { migration, resume, .. } => {
            let traced = tracer.run_new(Subject::Migration(migration)).await;
            // What is done already is there, and will not be done again.
            let done = resume.as_ref().map_or(0, |progress| progress.done.len());
            let left = units(&migration.up).into_iter().filter(|unit| unit.kind != UnitKind::Session).nth(done);
            traced.map(|mut trace| {
                trace.statements.retain(|statement| left.as_ref().is_some_and(|unit| statement.number >= unit.number));
                trace
            })
        }
        Step::Repeatable(script) => tracer.run_new(Subject::Repeatable(script)).await,
    };
    if traced.is_err() {
        // It fails again, and then with its place in the file.
        locked.apply(&alone).await?;
    }
    traced
}
