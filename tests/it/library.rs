//! The engine as a library: without a command line, without output.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use expect_test::expect;
use migrator_engine::embedded::{Embedded, Tool};
use migrator_engine::operation::{
    AdoptOptions, Decision, DownOptions, EnvironmentOptions, PlanOptions, ResolveOptions, SeedOptions, StampOptions,
    UpOptions,
};
use migrator_engine::plan::State;
use migrator_engine::{Cancellation, ConnectionTarget, Error, ErrorKind, Event, Exit, Migrator, Observer, Waiting};

use crate::support::{Project, wait_until_asleep};

/// Keeps what it hears.
#[derive(Default, Clone)]
struct Heard(Arc<Mutex<Vec<String>>>);

impl Observer for Heard {
    fn event(&self, event: &Event<'_>) {
        let line = match event {
            Event::Applied(applied) => format!("applied {}", applied.step),
            Event::Started { step, number, of } => format!("started {step}, {number} of {of}"),
            Event::Notice(notice) => format!("{}: {}", notice.severity, notice.message),
            Event::Waiting(Waiting::Lock { .. }) => "waiting for the lock".to_owned(),
            Event::Warning(text) => format!("warning: {text}"),
            _ => return,
        };
        self.0.lock().unwrap().push(line);
    }
}

impl Heard {
    fn take(&self) -> String {
        std::mem::take(&mut *self.0.lock().unwrap()).iter().map(|line| format!("{line}\n")).collect()
    }
}

fn embedded(project: &Project) -> &'static Embedded {
    migrator_tests::load(&project.db()).unwrap().0.set().unwrap()
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// The example of the crate's documentation.
async fn migrate(embedded: &'static Embedded, url: &str, observer: Heard) -> Result<String, Error> {
    let migrator = Migrator::new(embedded).observer(observer);
    let target = ConnectionTarget::parse(url)?;
    let report = migrator.connect(&target).await?.up(&UpOptions::default()).await?;
    let status = migrator.connect(&target).await?.status();
    let applied = status.of(State::Applied).count();
    Ok(format!("{} steps, {applied} applied, at {}", report.applied.len(), report.newest.unwrap_or_default()))
}

#[test]
fn a_program_migrates_and_hears_what_happens() {
    let project = Project::new();
    project.tables(2).migration("003_loud", "DO $$ BEGIN RAISE NOTICE 'hello'; END $$;", "SELECT 1;");
    let heard = Heard::default();
    let report = block_on(migrate(embedded(&project), &project.url(), heard.clone()));
    assert_eq!(report.unwrap(), "3 steps, 3 applied, at 003");
    expect![[r#"
        started 001_t1, 1 of 3
        started 002_t2, 2 of 3
        started 003_loud, 3 of 3
        NOTICE: hello
        applied 001_t1
        applied 002_t2
        applied 003_loud
    "#]]
    .assert_eq(&heard.take());
    let again = block_on(migrate(embedded(&project), &project.url(), heard.clone()));
    assert_eq!(again.unwrap(), "0 steps, 3 applied, at ");
    assert_eq!(heard.take(), "");
}

#[test]
fn an_error_says_its_kind_its_place_and_its_source() {
    let project = Project::new();
    project.tables(1).migration("002_wrong", "SELECT nope;", "SELECT 1;");
    let error = block_on(migrate(embedded(&project), &project.url(), Heard::default())).unwrap_err();
    let ErrorKind::MigrationFailed { step, sqlstate, .. } = error.kind() else { panic!("{error:?}") };
    assert_eq!((&**step, sqlstate.as_deref(), error.exit()), ("migration 002_wrong", Some("42703"), Exit::Failed));
    assert_eq!(error.place().unwrap(), "db/migrations/002_wrong.sql:2:8");
    let source = std::error::Error::source(&error).unwrap();
    assert!(source.downcast_ref::<tokio_postgres::Error>().unwrap().as_db_error().is_some());
    let nowhere = ConnectionTarget::parse("postgresql://nobody@127.0.0.1:1/nothing").unwrap();
    let Err(error) = block_on(Migrator::new(embedded(&project)).connect(&nowhere)) else { panic!("connected") };
    assert!(matches!(error.kind(), ErrorKind::Connect { .. }), "{error:?}");
    assert!(std::error::Error::source(&error).is_some());
}

#[test]
fn a_rollback_asks_the_caller_who_may_refuse_it() {
    let project = Project::new();
    project.tables(2).file("seeds/some.sql", "INSERT INTO t1 VALUES (1);");
    let (migrator, target) = (Migrator::new(embedded(&project)), ConnectionTarget::parse(&project.url()).unwrap());
    block_on(async {
        migrator.connect(&target).await?.up(&UpOptions::default().to(1)).await?;
        let pending = migrator.connect(&target).await?.plan(&PlanOptions::default()).await?;
        assert_eq!(pending.steps.len(), 1);
        assert_eq!(migrator.connect(&target).await?.seed("some", &SeedOptions::default()).await?.name, "some");
        let no = |_: &_| Err(migrator.migration(99).unwrap_err());
        let refused = migrator.connect(&target).await?.down(&DownOptions::default(), no).await.unwrap_err();
        assert!(matches!(refused.kind(), ErrorKind::Usage { .. }), "{refused:?}");
        let report = migrator.connect(&target).await?.down(&DownOptions::default(), |_| Ok(())).await?;
        assert_eq!(report.rolled_back.len(), 1);
        Ok::<_, Error>(())
    })
    .unwrap();
    assert_eq!(project.query("SELECT count(*) FROM schema_migrations"), "0\n");
}

#[test]
fn a_session_with_the_lock_carries_out_plans_of_ones_own() {
    let project = Project::new();
    project.tables(3);
    let (migrator, target) = (Migrator::new(embedded(&project)), ConnectionTarget::parse(&project.url()).unwrap());
    block_on(async {
        let session = migrator.connect(&target).await?;
        let plan = session.plan(&PlanOptions::default().to(2)).await?;
        let mut locked = session.lock(Duration::from_secs(5)).await?;
        locked.create_history().await?;
        assert_eq!(locked.apply(&plan).await?.len(), 2);
        assert_eq!(locked.read_history().await?.applied.len(), 2);
        let facts = locked.facts().await?;
        assert_eq!(facts, migrator.connect(&target).await?.facts().await?);
        let waiting = migrator.connect(&target).await?.lock(Duration::from_millis(100)).await;
        assert!(matches!(waiting.map(|_| ()).unwrap_err().kind(), ErrorKind::Locked { .. }));
        locked.release().await;
        Ok::<_, Error>(())
    })
    .unwrap();
}

#[test]
fn an_operation_that_fails_gives_the_lock_back() {
    let project = Project::new();
    project.tables(2).file("seeds/wrong.sql", "SELECT 1 / 0;");
    let (migrator, target) = (Migrator::new(embedded(&project)), ConnectionTarget::parse(&project.url()).unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let session = || runtime.block_on(migrator.connect(&target)).unwrap();
    let is_free = |operation: &str, error: Option<Error>| {
        let error = error.unwrap_or_else(|| panic!("{operation} did not fail"));
        assert!(!matches!(error.kind(), ErrorKind::Locked { .. }), "{operation}: {error}");
        // Nothing drives the connections at this moment: the server has not learned that the session is over.
        let locks = "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
                     WHERE l.locktype = 'advisory' AND d.datname = current_database()";
        assert_eq!(project.query(locks), "0\n", "{operation}: {error}");
    };
    runtime.block_on(session().up(&UpOptions::default().to(1))).unwrap();
    let failed = runtime.block_on(session().seed("wrong", &SeedOptions::default()));
    is_free("seed", failed.err());
    let failed = runtime.block_on(session().resolve(1, 1, Decision::Applied, &ResolveOptions::default()));
    is_free("resolve", failed.err());
    project.query("ALTER TABLE schema_migration_events ADD CHECK (action NOT IN ('environment', 'up')) NOT VALID");
    let failed = runtime.block_on(session().set_environment("test", &EnvironmentOptions::default()));
    is_free("environment", failed.err());
    let failed = runtime.block_on(session().up(&UpOptions::default()));
    is_free("up", failed.err());
    let failed = runtime.block_on(session().down(&DownOptions::default().to(0), |_| Ok(())));
    assert_eq!(failed.unwrap().rolled_back.len(), 1);
    project.query("INSERT INTO schema_migrations (version, name, checksum) VALUES ('001', 't1', 'changed')");
    let failed = runtime.block_on(session().stamp(&StampOptions::default()));
    is_free("stamp", failed.err());
    project.query(
        "CREATE TABLE goose_db_version (id int, version_id bigint, is_applied boolean); INSERT INTO goose_db_version VALUES (1, 7, true)",
    );
    let failed = runtime.block_on(session().adopt(Tool::Goose, &AdoptOptions::default()));
    is_free("adopt", failed.err());
}

#[test]
fn a_cancellation_ends_what_runs_and_tells_the_truth() {
    let project = Project::new();
    project.tables(1).migration("002_long", "SELECT pg_sleep(600);", "SELECT 1;");
    let cancellation = Cancellation::new();
    let migrator = Migrator::new(embedded(&project)).cancellation(&cancellation);
    let url = project.url();
    let work = std::thread::spawn(move || {
        block_on(async {
            let session = migrator.connect(&ConnectionTarget::parse(&url)?).await?;
            session.up(&UpOptions::default()).await.map(|_| ())
        })
    });
    wait_until_asleep(&project);
    block_on(cancellation.cancel("the test"));
    let error = work.join().unwrap().unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::MigrationFailed { .. }), "{error:?}");
    expect![[r#"
        error: migration 002_long failed and was rolled back
         --> db/migrations/002_long.sql:2:1
          |
        2 | SELECT pg_sleep(600);
          | ^ canceling statement due to user request [57014]
          |
          = note: applied before it in this run: 001_t1. Not run: none.
          = help: the test stopped it: run the command again, and it continues where it stopped"#]]
    .assert_eq(&error.render(false));
}

#[test]
fn a_blob_that_is_not_whole_is_an_error_with_a_way_out() {
    static CUT: migrator_engine::Blob = migrator_engine::Blob::new(b"migrator", "");
    let error = Error::from(CUT.set().unwrap_err());
    assert_eq!(error.exit() as u8, 9);
    expect_test::expect![[r#"
        error: the embedded migrations cannot be read: their table ends early
          = help: run `cargo clean` for the package of the migrator, and build it again"#]]
    .assert_eq(error.render(false).trim_end());
}
