//! What is read of a history: in proportion to what is asked, and a plan of it is the plan of the whole.

use std::fmt::Write as _;
use std::time::Duration;

use migrator_engine::embedded::Embedded;
use migrator_engine::history::{History, Log};
use migrator_engine::plan::{self, State, Survey, Target};
use migrator_engine::{ConnectionTarget, Migrator};

use crate::support::Project;

/// The transactional migrations of the set, and those outside a transaction.
const PLAIN: [&str; 4] = ["001", "002", "003", "004"];
const STEPWISE: [&str; 3] = ["005", "006", "007"];

/// A set of four transactional migrations, three others, and two repeatables.
fn project() -> Project {
    let project = Project::new();
    project.tables(4);
    for version in STEPWISE {
        let up = format!(
            "-- migrate:up transaction:false\nCREATE TABLE t{version} (id int);\nCREATE INDEX CONCURRENTLY i{version} ON t{version} (id);\n\
             -- migrate:down transaction:false\nDROP TABLE t{version};\n"
        );
        project.file(&format!("migrations/{version}_t.sql"), &up);
    }
    for name in ["a", "b"] {
        project
            .file(&format!("repeatable/{name}.sql"), &format!("CREATE OR REPLACE VIEW {name} AS SELECT 1 AS one;\n"));
    }
    project
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// Writes histories as years of work leave them: what each run writes follows from what is there.
struct Years {
    set: &'static Embedded,
    /// xorshift64.
    random: u64,
    seconds: u32,
    attempts: [i32; 3],
    open: [Option<&'static str>; 3],
    applied: Vec<&'static str>,
    sql: String,
}

impl Years {
    fn new(set: &'static Embedded, seed: u64) -> Years {
        let sql = "TRUNCATE schema_migrations; TRUNCATE schema_migration_events;\n".to_owned();
        let random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        Years { set, random, seconds: 0, attempts: [0; 3], open: [None; 3], applied: Vec::new(), sql }
    }

    fn below(&mut self, limit: usize) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        ((self.random >> 33) as usize) % limit
    }

    fn at(&self) -> String {
        format!("timestamptz '2026-01-01 00:00:00Z' + interval '{} seconds'", self.seconds)
    }

    /// An event; `version`, `name`, `statement` as SQL.
    fn event(&mut self, action: &str, version: &str, name: &str, attempt: Option<i32>, statement: &str, outcome: &str) {
        self.seconds += 1;
        let (at, attempt) = (self.at(), attempt.map_or("NULL".to_owned(), |attempt| attempt.to_string()));
        let checksum = match (action, self.below(8)) {
            ("repeatable", 0) => "'old'".to_owned(),
            ("repeatable", _) => {
                let script = self.set.repeatables.iter().find(|script| format!("'{}'", script.name) == name);
                script.map_or("'gone'".to_owned(), |script| format!("'{}'", script.checksum))
            }
            _ => "NULL".to_owned(),
        };
        let detail = match (action, self.below(2)) {
            ("resolve", 0) => "'applied'",
            ("resolve", _) => "'retry'",
            ("adopt", 0) => "'goose: public.goose_db_version'",
            ("adopt", _) => "'flyway: public.flyway_schema_history'",
            _ => "NULL",
        };
        let done = if statement == "NULL" { "NULL".to_owned() } else { format!("'c{statement}'") };
        let values = format!(
            "'r', '{action}', {version}, {name}, {checksum}, {attempt}, {statement}, {done}, '{outcome}', {detail}"
        );
        writeln!(
            self.sql,
            "INSERT INTO schema_migration_events (at, run_id, action, version, name, checksum, attempt, statement, statement_checksum, outcome, detail) \
             VALUES ({at}, {values});"
        )
        .unwrap();
    }

    fn apply(&mut self, version: &'static str, is_ours: bool) {
        self.seconds += 1;
        let migration = self.set.migrations.iter().find(|migration| migration.version == version);
        let checksum = match (migration, self.below(24)) {
            (_, 0) => "'other'".to_owned(),
            (Some(migration), _) if is_ours => format!("'{}'", migration.checksum),
            _ => "NULL".to_owned(),
        };
        let at = self.at();
        writeln!(
            self.sql,
            "INSERT INTO schema_migrations (version, checksum, applied_at) VALUES ('{version}', {checksum}, {at}) ON CONFLICT DO NOTHING;"
        )
        .unwrap();
        self.applied.push(version);
    }

    fn remove(&mut self, version: &str) {
        writeln!(self.sql, "DELETE FROM schema_migrations WHERE version = '{version}';").unwrap();
        self.applied.retain(|applied| *applied != version);
    }

    /// One run, or what another tool does.
    fn go_on(&mut self) {
        let plain = PLAIN[self.below(PLAIN.len())];
        let (at, version) = (format!("'{plain}'"), plain);
        match self.below(18) {
            0..=4 if !self.applied.contains(&version) => {
                self.event("up", &at, "'t'", None, "NULL", "done");
                self.apply(version, true);
            }
            0..=1 => {
                self.event("down", &at, "'t'", None, "NULL", "done");
                self.remove(version);
            }
            2..=4 => self.event("seed", "NULL", "'some'", None, "NULL", "done"),
            5..=8 => self.step(),
            9 => {
                let (action, file) = [("stamp", PLAIN[0]), ("adopt", PLAIN[1]), ("stamp", STEPWISE[0])][self.below(3)];
                self.event(action, &format!("'{file}'"), "'t'", None, "NULL", "done");
                self.apply(file, true);
            }
            10 => {
                let action = ["up", "down"][self.below(2)];
                self.event(action, &at, "'t'", None, "NULL", "failed");
            }
            11 => {
                let name = ["'staging'", "'production'"][self.below(2)];
                self.event("environment", "NULL", name, None, "NULL", "done");
            }
            12 if self.below(3) == 0 => {
                let other = [version, STEPWISE[1], "009", "0x"][self.below(4)];
                self.apply(other, false);
            }
            13 if !self.applied.is_empty() => {
                let which = self.below(self.applied.len());
                let other = self.applied[which];
                self.remove(other);
            }
            _ => {
                for name in ["'a'", "'b'", "'c'"] {
                    let outcome = if self.below(5) == 0 { "failed" } else { "done" };
                    self.event("repeatable", "NULL", name, None, "NULL", outcome);
                }
            }
        }
    }

    /// A try of a migration outside a transaction, which ends anywhere.
    fn step(&mut self) {
        let which = self.below(3);
        let (version, is_applied) = (STEPWISE[which], self.applied.contains(&STEPWISE[which]));
        let at = format!("'{version}'");
        let action = match self.open[which] {
            Some(action) => action,
            None => {
                if is_applied {
                    "down"
                } else {
                    "up"
                }
            }
        };
        if self.open[which].is_some() && self.below(3) == 0 {
            return self.event("resolve", &at, "'t'", Some(self.attempts[which]), "1", "done");
        }
        // It goes on, or begins anew.
        if self.open[which].is_none() || self.below(4) == 0 {
            self.attempts[which] += 1;
        }
        let attempt = Some(self.attempts[which]);
        self.open[which] = Some(action);
        // One without a statement to record has its own row only.
        for statement in ["1", "2"].iter().take(self.below(6)) {
            self.event(action, &at, "'t'", attempt, statement, "started");
            match self.below(8) {
                0 => return,
                1 => return self.event(action, &at, "'t'", attempt, statement, "failed"),
                _ => self.event(action, &at, "'t'", attempt, statement, "done"),
            }
        }
        // Rewritten as one transaction, it is recorded without a number.
        let attempt = attempt.filter(|_| self.below(6) > 0);
        self.event(action, &at, "'t'", attempt, "NULL", "done");
        self.open[which] = None;
        if action == "up" { self.apply(version, true) } else { self.remove(version) }
    }
}

/// Everything that a plan, a status or a report asks of a history.
fn answers(set: &'static Embedded, history: &History) -> String {
    let states = |survey: Survey| -> Vec<(String, State)> {
        survey.entries.into_iter().map(|entry| (entry.version.into_owned(), entry.state)).collect()
    };
    let targets = [Target::Newest, Target::Version(3), Target::Version(6)];
    let ups = targets.map(|target| [false, true].map(|out_of_order| plan::up(set, history, target, out_of_order)));
    let downs = [Target::Steps(1), Target::Version(0)].map(|target| plan::down(set, history, target));
    let repeatables = ["a", "b", "c", "d"].map(|name| history.has_run_repeatable(name));
    let checksums = history.repeatable_checksums();
    format!(
        "{:?}\n{:?}\n{:?}\n{:?}\n{checksums:?}\n{repeatables:?}\n{:?}\n{ups:#?}\n{downs:#?}\n",
        states(plan::survey(set, history)),
        history.progress(),
        history.attempts(),
        history.environment(),
        history.newest_event,
    )
}

#[test]
fn what_decides_is_read_and_decides_as_the_whole_log_does() {
    let project = project();
    let set = migrator_tests::load(&project.db()).unwrap().0.set().unwrap();
    let (migrator, target) = (Migrator::new(set), ConnectionTarget::parse(&project.url()).unwrap());
    let (mut fewer, mut seen) = (0, [0; 4]);
    block_on(async {
        let locked = migrator.connect(&target).await.unwrap().lock(Duration::from_secs(5)).await.unwrap();
        locked.create_history().await.unwrap();
        locked.release().await;
    });
    for seed in 1..=150 {
        let mut years = Years::new(set, seed);
        for _ in 0..seed % 60 {
            years.go_on();
        }
        project.query(&years.sql);
        let (rows, planning, whole) = block_on(async {
            let session = migrator.connect(&target).await.unwrap();
            let rows = session.history().clone();
            let mut locked = session.lock(Duration::from_secs(5)).await.unwrap();
            let planning = locked.history().clone();
            let whole = locked.read_history().await.unwrap().clone();
            locked.release().await;
            (rows, planning, whole)
        });
        assert_eq!(rows.applied, whole.applied);
        assert!(matches!(planning.log, Log::Deciding { .. }) && whole.log == Log::Whole);
        let expected = answers(set, &whole);
        let cases = [
            !whole.progress().is_empty(),
            !whole.repeatable_checksums().is_empty(),
            planning.log == Log::Deciding { removed_elsewhere: true },
            plan::up(set, &whole, Target::Newest, true).is_ok_and(|plan| !plan.steps.is_empty()),
        ];
        seen.iter_mut().zip(cases).for_each(|(count, is_so)| *count += usize::from(is_so));
        for history in [rows, planning] {
            fewer += whole.events.len() - history.events.len();
            assert_eq!(answers(set, &history), expected, "seed {seed}\n{}\n{:#?}", years.sql, history.events);
        }
    }
    assert!(fewer > 5_000, "only {fewer} events were left out");
    assert!(
        seen.iter().all(|count| *count >= 5),
        "half-done, repeatables in place, removed by another, planned: {seen:?}"
    );
}

#[test]
fn the_length_of_the_log_does_not_show_in_what_is_read() {
    let project = project();
    project.run(&["up"]);
    let set = migrator_tests::load(&project.db()).unwrap().0.set().unwrap();
    let (migrator, target) = (Migrator::new(set), ConnectionTarget::parse(&project.url()).unwrap());
    let read = || block_on(async { migrator.connect(&target).await.unwrap().history().events.len() });
    let before = read();
    // Years of seeds, failures, repeatables, and the statements of migrations that were tried, finished and rolled back.
    project.query(
        "INSERT INTO schema_migration_events (run_id, action, version, name, checksum, attempt, statement, statement_checksum, outcome) \
         SELECT 'r', what.action, version, name, checksum, attempt, statement, checksum, outcome FROM generate_series(1, 2000) AS year, LATERAL (VALUES \
           ('seed', NULL, 'some', NULL::int, NULL::int, 'done'), ('up', '003', 't3', NULL, NULL, 'failed'), \
           ('up', '006', 't', year, 1, 'started'), ('up', '006', 't', year, 1, 'done'), ('up', '006', 't', year, NULL, 'done'), \
           ('repeatable', NULL, 'a', NULL, NULL, 'failed'), ('repeatable', NULL, 'a', NULL, NULL, 'done'), \
           ('repeatable', NULL, 'b', NULL, NULL, 'done')) AS what(action, version, name, attempt, statement, outcome), \
         LATERAL (SELECT checksum FROM schema_migration_events AS e WHERE e.action = what.action AND e.name = what.name \
           AND e.outcome = 'done' AND e.id < 100 LIMIT 1) AS past",
    );
    project.query("ANALYZE schema_migration_events");
    assert!(project.query("SELECT count(*) > 10000 FROM schema_migration_events").starts_with('t'));
    assert!(read() <= before + 1, "{} instead of {before} events", read());
    assert!(project.run(&["up"]).contains("nothing to apply"));
}

#[test]
fn a_log_without_its_index_is_read_whole_and_gets_it_from_the_next_up() {
    let project = project();
    project.run(&["up", "--to", "3"]);
    let index = "SELECT count(*) FROM pg_index WHERE indrelid = 'schema_migration_events'::regclass";
    assert_eq!(project.query(index), "2\n");
    project.query("DROP INDEX schema_migration_events_by_key");
    let before = project.run(&["status"]);
    assert_eq!(project.query(index), "1\n");
    assert!(project.run(&["up"]).contains("applied 4 migrations and 2 repeatables"));
    assert_eq!(project.query(index), "2\n");
    assert!(before.contains("4 pending") || before.contains("6 pending"), "{before}");
    assert!(project.run(&["up"]).contains("nothing to apply"));
}

#[test]
fn a_new_log_gets_its_index_after_many_migrations_or_from_the_next_up() {
    let project = Project::new();
    for number in 1..=600 {
        let name = format!("migrations/{number:04}_tiny.sql");
        project.file(&name, &format!("-- migrate:up\nSELECT {number};\n-- migrate:down\nSELECT {number};\n"));
    }
    let last = "migrations/0601_last.sql";
    project.file(last, "-- migrate:up\nCREATE TABLE absent.t ();\n-- migrate:down\nDROP TABLE absent.t;\n");
    let index = "SELECT count(*) FROM pg_index WHERE indrelid = 'schema_migration_events'::regclass";
    assert!(project.run(&["up"]).starts_with("exit 3"));
    assert_eq!(project.query("SELECT count(*) FROM schema_migrations"), "600\n");
    assert_eq!(project.query(index), "1\n");
    project.file(last, "-- migrate:up\nCREATE TABLE t ();\n-- migrate:down\nDROP TABLE t;\n");
    assert!(project.run(&["up"]).contains("applied 1 migration"));
    assert_eq!(project.query(index), "2\n");

    project.query("DROP TABLE t, schema_migrations, schema_migration_events");
    assert!(project.run(&["up"]).contains("applied 601 migrations"));
    assert_eq!(project.query(index), "2\n");
    assert_eq!(project.query("SELECT count(*) FROM schema_migration_events"), "601\n");
}

/// What the server has read of the event log so far: rows, and entries of its indexes.
fn read_of_the_log(project: &Project) -> i64 {
    let counted = "SELECT coalesce(sum(idx_tup_read), 0)::bigint + (SELECT seq_tup_read FROM pg_stat_user_tables \
         WHERE relname = 'schema_migration_events') FROM pg_stat_user_indexes WHERE relname = 'schema_migration_events'";
    // A session hands in what it has counted when it ends, at the latest.
    std::thread::sleep(Duration::from_millis(1_200));
    project.query(counted).trim().parse().unwrap()
}

#[test]
fn the_server_does_not_walk_through_a_log_of_one_kind_of_event() {
    let project = Project::new();
    project.tables(4);
    project.run(&["up"]);
    // Nothing was ever rolled back, and the environment was set long ago: what is asked for is far away, or is not there.
    project.query(
        "INSERT INTO schema_migration_events (run_id, action, name, outcome) VALUES ('r', 'environment', 'staging', 'done'); \
         INSERT INTO schema_migration_events (run_id, action, version, name, outcome) \
         SELECT 'r', 'up', '001', 't1', CASE WHEN n % 2 = 0 THEN 'done' ELSE 'failed' END FROM generate_series(1, 20000) AS n",
    );
    project.query("VACUUM ANALYZE schema_migration_events");
    for command in [&["up"][..], &["plan"], &["status"]] {
        let before = read_of_the_log(&project);
        assert!(project.run(command).starts_with("exit 0"));
        let read = read_of_the_log(&project) - before;
        assert!(read < 500, "{command:?} had the server read {read} entries of a log of 20,005");
    }
}
