//! `up`: apply what is pending.

use super::context::Context;
use super::plan as show_plan;
use super::wait_lock::Wait;
use crate::error::{Error, Exit};
use crate::machine::report;
use crate::operation::up::UpOptions;
use crate::output::{is_json, json, result};

/// The arguments of `up`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Example: migrator up --to 012")]
pub(crate) struct Args {
    /// Apply up to and including this version [default: the newest].
    #[arg(long, value_name = "VERSION")]
    pub to: Option<i64>,
    /// Show what would be applied, and change nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// With --dry-run: show the SQL too.
    #[arg(long, requires = "dry_run")]
    pub sql: bool,
    /// Also apply pending migrations that are older than applied ones.
    #[arg(long, env = "MIGRATOR_ALLOW_OUT_OF_ORDER")]
    pub allow_out_of_order: bool,
    /// Apply only if the plan has this digest (`migrator plan` shows it).
    #[arg(long, value_name = "DIGEST", env = "MIGRATOR_PLAN")]
    pub plan: Option<String>,
    /// Who approved the plan; some environments require this.
    #[arg(long, value_name = "WHO", env = "MIGRATOR_APPROVED_BY")]
    pub approved_by: Option<String>,
    /// Which backup was made before, and where it is; some environments require this before data is destroyed.
    #[arg(long, value_name = "WHAT, WHERE", env = "MIGRATOR_BACKUP_REFERENCE")]
    pub backup_reference: Option<String>,
    /// Send one migration at a time and make each durable before the next: slower, but easier to follow in the server's log.
    #[arg(long, env = "MIGRATOR_ONE_BY_ONE")]
    pub one_by_one: bool,
    /// Run the data checks before and after; exit with code 1 if they find something afterwards.
    #[arg(long, env = "MIGRATOR_AUDIT")]
    pub audit: bool,
    /// Refuse a schema that was changed by hand; exit with code 1 if it differs from the compiled one afterwards.
    #[arg(long, env = "MIGRATOR_CHECK_DRIFT")]
    pub check_drift: bool,
    /// Start a new history even if this database has one from another tool or in another schema.
    #[arg(long)]
    pub new_history: bool,
    /// How long to wait for another migrator.
    #[command(flatten)]
    pub wait: Wait,
}

impl Args {
    /// What the library is asked for.
    pub(crate) fn options(&self) -> UpOptions {
        UpOptions {
            to: self.to,
            allow_out_of_order: self.allow_out_of_order,
            refuse_empty: false,
            plan: self.plan.clone(),
            approved_by: self.approved_by.clone(),
            backup_reference: self.backup_reference.clone(),
            one_by_one: self.one_by_one,
            audit: self.audit,
            check_drift: self.check_drift,
            new_history: self.new_history,
            wait_lock: self.wait.wait_lock,
        }
    }
}

/// Applies, or shows what would be done.
pub(crate) async fn run(context: &Context, args: &Args) -> Result<Exit, Error> {
    let session = context.connect_within(args.wait.wait_lock).await?;
    if args.dry_run {
        let plan = session.plan(&args.options().planning()).await?;
        let locks = session.locks(&plan).await?;
        if is_json() {
            json(&serde_json::json!({ "dry_run": true }));
        }
        show_plan::show(context, &plan, &locks, args.sql);
        return Ok(Exit::Done);
    }
    let report = session.up(&args.options()).await?;
    if is_json() {
        json(&report::up(&report));
    }
    result(&report.sentence());
    Ok(report.verdict)
}
