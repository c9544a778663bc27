//! One point of the sweep: a run with one fault, then everything that must be true, then the way out that the migrator
//! itself names, until everything is done.

use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use migrator_postgres::Builder;

use crate::claims::{Said, Trial};
use crate::command::{Command, Task};
use crate::facts::{self, Facts};
use crate::fault::{Fault, Stage};
use crate::inquiry::{Beside, Inquiry};
use crate::migrator;
use crate::oracle;
use crate::proxy::{Harm, Place, Proxy, Traffic};
use crate::scenario::{LEDGER, MIGRATIONS, Scenario};
use crate::server::{Server, Session, database_name};

/// A fault at a message.
#[derive(Debug, Clone)]
pub(crate) struct Point {
    pub(crate) task: Task,
    pub(crate) fault: Fault,
    pub(crate) place: Place,
    /// Whether what happens outside happens behind the message or before it.
    pub(crate) behind: bool,
    /// A second fault in the same run.
    pub(crate) then: Option<(Fault, Place)>,
    /// Whether another migrator waits for the lock when it happens.
    pub(crate) rival: bool,
    /// Whether each migration is durable before the next is sent.
    pub(crate) one_by_one: bool,
    /// The defect that is switched on in the migrator.
    pub(crate) planted: Option<&'static str>,
}

impl Point {
    /// One fault in an `up` from the beginning, before the message.
    pub(crate) fn new(fault: Fault, place: Place) -> Point {
        Point::of(Task::Up, fault, place)
    }

    /// One fault in a task, before the message.
    pub(crate) fn of(task: Task, fault: Fault, place: Place) -> Point {
        Point { task, fault, place, behind: false, then: None, rival: false, one_by_one: false, planted: None }
    }
}

/// How a point ended.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) exit: Option<i32>,
    /// Whether the run came as far as the message, and to the second one, if there is one.
    pub(crate) reached: bool,
    /// How often a person had to decide.
    pub(crate) decisions: usize,
    /// The broken promises.
    pub(crate) wrong: Vec<String>,
    /// What was said on the way.
    pub(crate) log: String,
}

/// A server, the scenario, and how a run without a fault goes.
pub(crate) struct World {
    pub(crate) server: Arc<Server>,
    _scenario: Scenario,
    db: PathBuf,
    older: PathBuf,
    strategy: &'static str,
    templates: [OnceLock<String>; Task::ALL.len()],
    clean: [OnceLock<Clean>; Task::ALL.len()],
}

/// A run without a fault.
pub(crate) struct Clean {
    pub(crate) traffic: Vec<Traffic>,
    /// What was in the database before it.
    pub(crate) before: Facts,
    pub(crate) schema: String,
}

/// The database that every other is a copy of: there is a ledger in it.
const TEMPLATE: &str = "scenario";

impl World {
    /// Starts the server and runs the scenario once without a fault.
    pub(crate) fn new(settings: Builder) -> World {
        let scenario = Scenario::write();
        let server = Arc::new(Server::start(settings));
        let session = server.session("postgres");
        session.rows(&format!("CREATE DATABASE {TEMPLATE}"));
        server.session(TEMPLATE).rows(LEDGER);
        let copies_files = session.value("SELECT current_setting('server_version_num')::int >= 150000") == "t";
        let strategy = if copies_files { " STRATEGY FILE_COPY" } else { "" };
        let (db, older) = (scenario.path(), scenario.older());
        World {
            server,
            _scenario: scenario,
            db,
            older,
            strategy,
            templates: Default::default(),
            clean: Default::default(),
        }
    }

    /// The db directory of the binary that runs a command.
    pub(crate) fn db(&self, command: Command) -> &Path {
        if command == Command::DownOfNewer { &self.older } else { &self.db }
    }

    /// The version of the server, as it says it.
    pub(crate) fn version(&self) -> String {
        self.server.session("postgres").value("SHOW server_version")
    }

    /// The run without a fault; it must have gone well.
    pub(crate) fn clean(&self, task: Task) -> &Clean {
        self.clean[task as usize].get_or_init(|| {
            let database = self.begin(task);
            let session = self.server.session(&database);
            let before = Facts::read(&session);
            let proxy = Proxy::watching(self.server.address());
            let command = task.command();
            let said = migrator::run(self.db(command), &proxy.url(&database), &command.arguments());
            assert_eq!(facts::wait_for_quiet(&session), Vec::<String>::new());
            let after = Facts::read(&session);
            let mut wrong = oracle::judge(&after);
            wrong.extend(
                Trial { command, before: &before, after: &after, killed: false, undone: false, by_others: 0 }
                    .judge(&said),
            );
            assert_eq!((said.exit, wrong), (Some(0), vec![]), "{} without a fault:\n{}", task.name(), said.text());
            Clean { traffic: proxy.traffic(), before, schema: facts::schema(&session) }
        })
    }

    /// A new database with a ledger and nothing else.
    pub(crate) fn create(&self) -> String {
        self.copy(TEMPLATE)
    }

    fn copy(&self, template: &str) -> String {
        let name = database_name();
        let sql = format!("CREATE DATABASE {name} TEMPLATE {template}{}", self.strategy);
        let begun = Instant::now();
        loop {
            // The session that has filled the template may not have gone yet, or the server may be starting.
            let created = Session::open(&self.server.url("postgres")).and_then(|session| session.try_rows(&sql));
            match created {
                Ok(_) => return name,
                Err(error) if begun.elapsed() > PATIENCE => panic!("{sql}: {error:?}"),
                Err(_) => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }

    /// The message of the migrating session that brings this text for the first time, in a run without a fault.
    pub(crate) fn place_in(&self, task: Task, text: &str) -> Place {
        let messages = &self.clean(task).traffic[0].messages;
        let message = messages.iter().position(|message| message.contains(text));
        Place { connection: 0, message: message.unwrap_or_else(|| panic!("no message with `{text}`: {messages:#?}")) }
    }

    /// The same in an `up` from the beginning.
    pub(crate) fn place_of(&self, text: &str) -> Place {
        self.place_in(Task::Up, text)
    }

    /// A database in which a task can begin.
    pub(crate) fn begin(&self, task: Task) -> String {
        let template = self.templates[task as usize].get_or_init(|| match task {
            Task::Up | Task::Stamp => TEMPLATE.to_owned(),
            Task::Adopt => {
                let database = self.copy(TEMPLATE);
                let session = self.server.session(&database);
                session.rows("CREATE TABLE goose_db_version (id serial, version_id bigint, is_applied boolean)");
                for migration in MIGRATIONS {
                    session.rows(&format!(
                        "INSERT INTO goose_db_version (version_id, is_applied) VALUES ({}, true)",
                        migration.version
                    ));
                }
                database
            }
            Task::Down | Task::DownOfNewer | Task::Seed => self.prepared(Task::Up, None, 0),
            Task::UpAtBuiltIndex | Task::UpAtInvalidIndex => {
                let place = self.place_of("Q CREATE UNIQUE INDEX CONCURRENTLY");
                let database = self.prepared(Task::Up, Some((place, Harm::LoseReply)), 7);
                if task == Task::UpAtInvalidIndex {
                    self.server
                        .session(&database)
                        .rows("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'accounts_email'::regclass");
                }
                database
            }
            Task::DownAtBuiltIndex => {
                let place = self.place_in(Task::Down, "Q CREATE INDEX CONCURRENTLY orders_account");
                self.prepared(Task::Down, Some((place, Harm::LoseReply)), 7)
            }
            Task::ResolveApplied => self.prepared(Task::Up, Some((self.place_of("Q DO"), Harm::LoseReply)), 7),
            Task::ResolveRetry => self.prepared(Task::Up, Some((self.place_of("Q DO"), Harm::Cut)), 7),
        });
        self.copy(template)
    }

    /// A database in which a task has been run, with this harm.
    fn prepared(&self, task: Task, harm: Option<(Place, Harm)>, exit: i32) -> String {
        let database = self.begin(task);
        let proxy = Proxy::harming(self.server.address(), harm.into_iter().collect());
        let said = migrator::run(self.db(task.command()), &proxy.url(&database), &task.command().arguments());
        assert_eq!(said.exit, Some(exit), "{}", said.text());
        assert_eq!(facts::wait_for_quiet(&self.server.session(&database)), Vec::<String>::new());
        database
    }

    /// Runs one point.
    pub(crate) fn run(&self, point: &Point) -> Outcome {
        let clean = self.clean(point.task);
        let command = point.task.command();
        let stage = Stage {
            database: self.begin(point.task),
            command,
            first: Arc::new(AtomicI32::new(0)),
            others: Arc::default(),
        };
        let faults: Vec<_> = [(point.fault, point.place)].into_iter().chain(point.then).collect();
        let harm = |(fault, place): &(Fault, Place)| (*place, stage.harm(self, *fault, point.behind));
        let harms = faults.iter().map(harm).collect();
        let proxy = Proxy::harming(self.server.address(), harms);
        let mut process = migrator::command(self.db(command), &proxy.url(&stage.database), &command.arguments());
        if let Some(defect) = point.planted {
            process.env("MIGRATOR_PLANTED_BUG", defect);
        }
        if point.one_by_one {
            process.arg("--one-by-one");
        }
        let mut child = process.spawn().unwrap();
        stage.first.store(migrator::pid(&child).as_raw_nonzero().get(), Ordering::SeqCst);
        if point.rival {
            let rival = self.rival(&stage, &proxy, &mut child);
            stage.others().push(rival);
        }
        let said = migrator::finish(child);
        let reached = proxy.harms_done() == faults.len();
        let killed = reached && faults.iter().any(|(fault, _)| *fault == Fault::KillMigrator);
        drop(proxy);
        let others: Vec<Said> = std::mem::take(&mut *stage.others()).into_iter().map(migrator::finish).collect();
        let mut inquiry = Inquiry {
            world: self,
            session: self.wait_for_server(&stage.database),
            database: stage.database,
            command,
            before: &clean.before,
            outcome: Outcome { exit: said.exit, reached, ..Outcome::default() },
        };
        let beside = match point.fault {
            _ if point.rival => Beside::Same,
            Fault::Race => Beside::Opposed,
            Fault::FreezeOpposed => Beside::Undone,
            _ => Beside::NoOne,
        };
        inquiry.first_run(&said, &others, killed, beside);
        inquiry.go_on();
        inquiry.end(point.task);
        let Inquiry { database, outcome, session, .. } = inquiry;
        drop(session);
        // Hundreds of databases would fill the disk.
        self.server.session("postgres").rows(&format!("DROP DATABASE {database}"));
        outcome
    }

    /// Starts another migrator as soon as the first one has the lock, or is no more.
    fn rival(&self, stage: &Stage, proxy: &Proxy, first: &mut Child) -> Child {
        let has_the_lock = |traffic: &Traffic| {
            let asked = traffic.messages.iter().position(|message| message.contains("pg_try_advisory_lock"));
            asked.is_some_and(|asked| traffic.messages.len() > asked + 1)
        };
        while !proxy.traffic().first().is_some_and(has_the_lock) && first.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        self.another(stage, stage.command)
    }

    /// Starts another migrator, past the proxy.
    fn another(&self, stage: &Stage, command: Command) -> Child {
        migrator::command(self.db(command), &self.server.url(&stage.database), &command.arguments()).spawn().unwrap()
    }

    /// A session in the database, when the server lets people in again.
    fn wait_for_server(&self, database: &str) -> Session {
        let begun = Instant::now();
        loop {
            match Session::open(&self.server.url(database)) {
                Ok(session) => return session,
                Err(error) if begun.elapsed() > PATIENCE => panic!("the server has not come back: {error:?}"),
                Err(_) => std::thread::sleep(Duration::from_millis(50)),
            }
        }
    }
}

/// How long the server is given for what it does at once when nobody else needs the machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);
