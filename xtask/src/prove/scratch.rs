//! Scratch databases, for `verify` and `plan --locks`: made on demand, dropped when no question needs them, with what they have made that all
//! databases of the server share.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sha2::{Digest as _, Sha256};

use crate::developer::Context;
use crate::maintenance;
use migrator_engine::ConnectionTarget;
use migrator_engine::Error;
use migrator_engine::Locked;
use migrator_engine::Terminal;
use migrator_engine::client::{Connection, literal, query};
use migrator_engine::history::History;
use migrator_engine::plan::{self, Step, Target};
use shared::Snapshot;

pub(crate) mod shared;

/// So many databases that no one needs any more are kept; an empty one has 8 MB.
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
    /// Those of them that no one needs any more.
    left: Mutex<Vec<ConnectionTarget>>,
    /// What all databases share, as it was at the beginning; `None`: this user may not see it.
    shared: Option<String>,
    /// The same, to be brought back.
    before: Snapshot,
    /// Something of it was changed since.
    touched: AtomicBool,
    /// The server is there for this run alone: whatever is new on it is of this run.
    alone: bool,
    user: String,
}

/// What no other run is called.
fn run() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seed = format!("{} {} {:p}", now.as_nanos(), std::process::id(), &now);
    hex::encode(&Sha256::digest(seed)[..4])
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
    Ok(!query(maintenance.client(), "checking whether a database can be copied", &statement).await?.is_empty())
}

/// The server notices a moment later that a session is over, and copies no database that another session is in; left to itself it
/// looks only ten times a second.
async fn wait_until_left(maintenance: &Connection, database: &str) -> Result<(), Error> {
    let statement = format!(
        "SELECT 1 FROM pg_catalog.pg_stat_activity WHERE backend_type = 'client backend' AND datname = {}",
        literal(database)
    );
    for _ in 0..500 {
        if query(maintenance.client(), "waiting for the sessions to end", &statement).await?.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    Ok(())
}

/// A new database, and a session in it that holds the migration lock.
pub(super) struct Database {
    pub(super) context: Context,
    pub(super) locked: Locked,
}

impl<'a> Scratch<'a> {
    pub(super) async fn new(context: &'a Context) -> Result<Scratch<'a>, Error> {
        context.migrator.stop().keep();
        let target = context.target.clone();
        let maintenance = maintenance::connect(context, &target).await?;
        let shared = shared::fingerprint(maintenance.client()).await;
        let before = Snapshot::read(maintenance.client()).await?;
        let alone = maintenance::is_cluster_of(&maintenance, context.own.as_deref()).await?;
        let user = maintenance::user(&maintenance).await?;
        let run = run();
        Ok(Scratch {
            context,
            maintenance,
            target,
            run,
            next: AtomicUsize::new(0),
            made: Mutex::new(Vec::new()),
            left: Mutex::new(Vec::new()),
            shared,
            before,
            touched: AtomicBool::new(false),
            alone,
            user,
        })
    }

    /// Whether what all databases of the server share is untouched since the beginning, for certain.
    pub(super) async fn shares_nothing(&self) -> bool {
        let untouched = self.shared.is_some() && self.shared == shared::fingerprint(self.maintenance.client()).await;
        untouched && !self.touched.load(Ordering::Relaxed)
    }

    /// Brings back what databases share: the next one starts from where this one has started. Returns what is left behind.
    async fn restore(&self) -> Vec<String> {
        if !self.shares_nothing().await {
            self.touched.store(true, Ordering::Relaxed);
        }
        let ours = |names: &[String]| {
            self.alone || names.iter().any(|name| shared::mentioned(self.context.migrator.embedded(), &self.user, name))
        };
        match self.before.restore(self.maintenance.client(), &ours).await {
            Ok(left) => left,
            Err(error) => vec![format!("what databases share: {}", error.kind().cause())],
        }
    }

    /// A question has been answered, whatever came of it: nothing of it may be there when the next one is asked.
    pub(super) async fn settle(&self) {
        if self.shares_nothing().await {
            return;
        }
        let made = self.made.lock().map(|made| made.clone()).unwrap_or_default();
        for name in made {
            self.drop(&self.target.with_database(&name)).await;
        }
        // What cannot be brought back yet is tried again at the end, and named there.
        let _ = self.restore().await;
    }

    /// A context over a new, empty database.
    pub(super) async fn empty(&self) -> Result<Context, Error> {
        let target = self.name();
        maintenance::create(&self.maintenance, &target).await?;
        Ok(self.made(target))
    }

    /// A context over a copy of a database whose sessions have ended. `None`: something belongs to the database that a copy
    /// would not have, such as its settings.
    pub(super) async fn copy(&self, template: &Context, server_version: i32) -> Result<Option<Context>, Error> {
        let template = &template.target;
        if !copy_has_everything(&self.maintenance, template.database()).await? {
            return Ok(None);
        }
        wait_until_left(&self.maintenance, template.database()).await?;
        let target = self.name();
        maintenance::copy(&self.maintenance, template, &target, server_version).await?;
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

    /// A context over one that is there.
    pub(super) fn context_of(&self, target: ConnectionTarget) -> Context {
        // What each step prints is not what this command is about.
        let terminal = Arc::new(Terminal::silent());
        let migrator = self.context.migrator.clone().observer(Arc::clone(&terminal));
        Context { migrator, terminal, ..self.context.at(target) }
    }

    /// The release of the server: `15.18`.
    pub(super) async fn server_version(&self) -> Result<String, Error> {
        let rows = query(self.maintenance.client(), "reading the server's release", "SHOW server_version").await?;
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
        let target = database.context.target.clone();
        database.close().await;
        let full = self.left.lock().ok().and_then(|mut left| {
            left.push(target);
            (left.len() >= LEFT).then(|| std::mem::take(&mut *left))
        });
        for target in full.unwrap_or_default() {
            self.drop(&target).await;
        }
    }

    /// Ends the session in one and drops it: what it holds is in no one's way any more, such as of a role that is to be dropped.
    pub(super) async fn discard(&self, database: Database) {
        let target = database.context.target.clone();
        database.close().await;
        self.drop(&target).await;
        if !self.shares_nothing().await {
            let _ = self.restore().await;
        }
    }

    async fn drop(&self, target: &ConnectionTarget) {
        if self.try_to_drop(target).await.is_ok()
            && let Ok(mut made) = self.made.lock()
        {
            // One that is left is tried again at the end, and named there.
            made.retain(|name| name != target.database());
        }
    }

    /// Drops one, also where its migrations have made something that keeps a database from being dropped.
    async fn try_to_drop(&self, target: &ConnectionTarget) -> Result<(), Error> {
        if maintenance::drop(&self.maintenance, target).await.is_ok() {
            return Ok(());
        }
        self.unblock(target).await;
        maintenance::drop(&self.maintenance, target).await
    }

    /// What fails here is told by the second try.
    async fn unblock(&self, target: &ConnectionTarget) {
        let Ok(blocks) = shared::blocks(self.maintenance.client(), target.database()).await else { return };
        for statement in blocks.outside {
            let _ = self.maintenance.client().batch_execute(&statement).await;
        }
        if blocks.inside.is_empty() {
            return;
        }
        let Ok(inside) = self.context.migrator.open(target).await else { return };
        for statement in blocks.inside {
            let _ = inside.client().batch_execute(&statement).await;
        }
    }

    /// Drops them all, and what they have made beside them. What cannot be dropped is named: what was found out stays true.
    pub(super) async fn finish(self) {
        let made = self.made.lock().map(|made| made.clone()).unwrap_or_default();
        for name in made {
            if let Err(error) = self.try_to_drop(&self.target.with_database(&name)).await {
                self.context.terminal.warn(&format!("the database `{name}` is left behind: {}", error.kind().cause()));
            }
        }
        for what in self.restore().await {
            self.context.terminal.warn(&format!("left behind: {what}"));
        }
    }
}

impl Database {
    /// A session in a database that is there; waits for another migrator.
    pub(super) async fn open(context: Context) -> Result<Database, Error> {
        let session = context.connect().await?;
        let locked = session.lock(Duration::from_secs(600)).await?;
        locked.create_history().await?;
        Ok(Database { context, locked })
    }

    pub(super) async fn history(&mut self) -> Result<History, Error> {
        self.locked.read_history().await.cloned()
    }

    /// Applies what is pending, without the repeatables unless they are asked for; returns how many steps that were.
    pub(super) async fn up(&mut self, target: Target, repeatables: bool) -> Result<usize, Error> {
        let history = self.history().await?;
        let mut plan = plan::up(self.context.migrator.embedded(), &history, target, false)?;
        plan.steps.retain(|step| repeatables || matches!(step, Step::Migration { .. }));
        self.locked.apply(&plan).await?;
        Ok(plan.steps.len())
    }

    /// Ends the session; the database stays.
    pub(super) async fn close(self) {
        self.locked.release().await;
    }
}
