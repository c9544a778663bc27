//! Throw-away databases, for `verify` and `plan --locks`: made on demand, dropped when nobody needs them.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::apply::{Executor, apply};
use crate::command::{Beside, Context, development};
use crate::connect::{Connection, query};
use crate::error::Error;
use crate::history::History;
use crate::output::Progress;
use crate::plan::{self, Step, Target};
use crate::sql::{Run, literal};
use crate::store;
use crate::target::ConnectionTarget;

/// So many databases that nobody needs any more lie around; an empty one has 8 MB.
const LEFT: usize = 16;

/// Where they are made.
pub(super) struct Scratch<'a> {
    pub(super) context: &'a Context,
    maintenance: Connection,
    target: ConnectionTarget,
    /// Random, one for each run.
    run: String,
    next: AtomicUsize,
    made: Mutex<Vec<String>>,
    /// Those of them that nobody needs any more.
    left: Mutex<Vec<ConnectionTarget>>,
    /// What all databases share, as it was at the beginning; `None`: this user may not see it.
    shared: Option<String>,
}

/// Roles, their memberships and settings, and tablespaces, each with the transaction that wrote it last: what was dropped and
/// made again is not the same.
async fn shared(maintenance: &Connection) -> Option<String> {
    let statement = "SELECT pg_catalog.string_agg(line, ' ' ORDER BY line) FROM ( \
         SELECT 'role ' || oid || ' ' || xmin AS line FROM pg_catalog.pg_authid \
         UNION ALL SELECT 'member ' || roleid || ' ' || member || ' ' || xmin FROM pg_catalog.pg_auth_members \
         UNION ALL SELECT 'setting ' || setrole || ' ' || xmin FROM pg_catalog.pg_db_role_setting WHERE setdatabase = 0 \
         UNION ALL SELECT 'tablespace ' || oid || ' ' || xmin FROM pg_catalog.pg_tablespace) lines";
    let rows = query(&maintenance.client, "looking at what databases share", statement).await.ok()?;
    rows.first()?.get(0).map(str::to_owned)
}

/// Whether a copy of the database is all that it is: what is said of it in catalogs that all databases share is not copied.
async fn copy_has_everything(maintenance: &Connection, database: &str) -> Result<bool, Error> {
    let statement = format!(
        "SELECT 1 FROM pg_catalog.pg_database d WHERE d.datname = {} AND d.datacl IS NULL AND d.datconnlimit = -1 \
         AND d.datdba = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = current_user) \
         AND NOT EXISTS (SELECT FROM pg_catalog.pg_db_role_setting s WHERE s.setdatabase = d.oid) \
         AND NOT EXISTS (SELECT FROM pg_catalog.pg_shdescription c WHERE c.classoid = 'pg_catalog.pg_database'::regclass AND c.objoid = d.oid) \
         AND NOT EXISTS (SELECT FROM pg_catalog.pg_shseclabel l WHERE l.classoid = 'pg_catalog.pg_database'::regclass AND l.objoid = d.oid) \
         AND NOT EXISTS (SELECT FROM pg_catalog.pg_subscription s WHERE s.subdbid = d.oid)",
        literal(database)
    );
    Ok(!query(&maintenance.client, "looking whether a database can be copied", &statement).await?.is_empty())
}

/// The server notices a moment later that a session is over, and copies no database that somebody is in; left to itself it
/// looks only ten times a second.
async fn wait_until_left(maintenance: &Connection, database: &str) -> Result<(), Error> {
    let statement = format!(
        "SELECT 1 FROM pg_catalog.pg_stat_activity WHERE backend_type = 'client backend' AND datname = {}",
        literal(database)
    );
    for _ in 0..500 {
        if query(&maintenance.client, "waiting for the sessions to end", &statement).await?.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    Ok(())
}

/// A new database, and a session in it that holds the migration lock.
pub(super) struct Database {
    pub(super) context: Context,
    pub(super) executor: Executor,
}

impl<'a> Scratch<'a> {
    pub(super) async fn new(context: &'a Context) -> Result<Scratch<'a>, Error> {
        context.interrupt.keep();
        let target = context.target()?;
        let maintenance = development::maintenance(context, &target).await?;
        let shared = shared(&maintenance).await;
        let run = Run::new(context.release.version).id[..8].to_owned();
        Ok(Scratch {
            context,
            maintenance,
            target,
            run,
            next: AtomicUsize::new(0),
            made: Mutex::new(Vec::new()),
            left: Mutex::new(Vec::new()),
            shared,
        })
    }

    /// Whether what all databases of the server share is untouched since the beginning, for certain.
    pub(super) async fn shares_nothing(&self) -> bool {
        self.shared.is_some() && self.shared == shared(&self.maintenance).await
    }

    /// A context over a new, empty database.
    pub(super) async fn empty(&self) -> Result<Context, Error> {
        let target = self.name();
        development::create(&self.maintenance, &target).await?;
        Ok(self.made(target))
    }

    /// A context over a copy of a database whose sessions have ended. `None`: something belongs to the database that a copy
    /// would not have, such as its settings.
    pub(super) async fn copy(&self, template: &Context, server_version: i32) -> Result<Option<Context>, Error> {
        let template = template.target()?;
        if !copy_has_everything(&self.maintenance, template.database()).await? {
            return Ok(None);
        }
        wait_until_left(&self.maintenance, template.database()).await?;
        let target = self.name();
        development::copy(&self.maintenance, &template, &target, server_version).await?;
        Ok(Some(self.made(target)))
    }

    /// The next name. Two runs may have one number of a process, each in its container.
    fn name(&self) -> ConnectionTarget {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.target.with_database(&format!("migrator_verify_{}_{}_{number}", std::process::id(), self.run))
    }

    /// A context over a database that is there now, and will be dropped at the end.
    fn made(&self, target: ConnectionTarget) -> Context {
        if let Ok(mut made) = self.made.lock() {
            made.push(target.database().to_owned());
        }
        self.context_of(target)
    }

    fn context_of(&self, target: ConnectionTarget) -> Context {
        Context {
            target: Some(target),
            // What each step prints is not what this command is about.
            progress: Arc::new(Progress::silent()),
            ..self.context.clone()
        }
    }

    /// The release of the server: `15.18`.
    pub(super) async fn server_version(&self) -> Result<String, Error> {
        let rows = query(&self.maintenance.client, "asking for the server's release", "SHOW server_version").await?;
        let version = rows.first().and_then(|row| row.get(0)).unwrap_or_default();
        Ok(version.split(' ').next().unwrap_or_default().to_owned())
    }

    /// A new database and a session in it.
    pub(super) async fn database(&self) -> Result<Database, Error> {
        Database::open(self.empty().await?).await
    }

    /// Ends the session in one, which is dropped with others later: each drop waits until the server has written what is in its memory,
    /// and several in a row wait for little more than the first.
    pub(super) async fn leave(&self, database: Database) {
        let target = database.context.target();
        database.close().await;
        let Ok(target) = target else { return };
        let full = self.left.lock().ok().and_then(|mut left| {
            left.push(target);
            (left.len() >= LEFT).then(|| std::mem::take(&mut *left))
        });
        for target in full.unwrap_or_default() {
            self.drop(&target).await;
        }
    }

    /// Ends the session in one and drops it: what it holds is in nobody's way any more, such as of a role that is to be dropped.
    pub(super) async fn discard(&self, database: Database) {
        let target = database.context.target();
        database.close().await;
        if let Ok(target) = target {
            self.drop(&target).await;
        }
    }

    async fn drop(&self, target: &ConnectionTarget) {
        if development::drop(&self.maintenance, target).await.is_ok()
            && let Ok(mut made) = self.made.lock()
        {
            // One that is left is tried again at the end, and named there.
            made.retain(|name| name != target.database());
        }
    }

    /// Drops them all. One that cannot be dropped, because it has a subscription, is named: what was found out stays true.
    pub(super) async fn finish(self) {
        for name in self.made.into_inner().unwrap_or_default() {
            let target = self.target.with_database(&name);
            if let Err(error) = development::drop(&self.maintenance, &target).await {
                self.context.progress.warn(&format!("the database `{name}` is left behind: {}", error.reason()));
            }
        }
    }
}

impl Database {
    /// A session in a database that is there; waits for whoever else migrates it.
    pub(super) async fn open(context: Context) -> Result<Database, Error> {
        let session = context.open().await?;
        let (executor, history) = context.lock(session, Duration::from_secs(600)).await?;
        executor.prepare(&history, Beside::Allowed).await?;
        Ok(Database { context, executor })
    }

    pub(super) async fn history(&mut self) -> Result<History, Error> {
        store::read(&mut self.executor.connection, &self.executor.tables, store::LONGEST_WAIT).await
    }

    /// Applies what is pending, without the repeatables unless they are asked for; returns how many steps that were.
    pub(super) async fn up(&mut self, target: Target, repeatables: bool) -> Result<usize, Error> {
        let history = self.history().await?;
        let mut plan = plan::up(self.context.embedded, &history, target, false)?;
        plan.steps.retain(|step| repeatables || matches!(step, Step::Migration { .. }));
        apply(&self.executor, &plan).await?;
        Ok(plan.steps.len())
    }

    /// Ends the session; the database stays.
    pub(super) async fn close(self) {
        self.executor.finish().await;
    }
}
