//! One point of the sweep: a run with one fault, then everything that must be true, then the way out that the migrator
//! itself names, until everything is done.

use std::path::PathBuf;
use std::process::Child;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use migrator_xtask::postgres::Builder;
use rustix::process::{Pid, Signal, kill_process};

use crate::claims;
use crate::facts::{self, Facts};
use crate::inquiry::Inquiry;
use crate::migrator;
use crate::oracle;
use crate::proxy::{Harm, Place, Proxy, Settings, Strike, Traffic};
use crate::scenario::{LEDGER, Scenario};
use crate::server::{Server, Session, database_name};

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Fault {
    /// The connection ends before the message.
    Cut,
    /// The message is worked off, its answer is lost.
    LoseReply,
    /// `kill -9` of the migrator.
    KillMigrator,
    /// `pg_terminate_backend`.
    Terminate,
    /// `kill -9` of the process that serves the connection: the whole cluster recovers.
    KillBackend,
    /// The server stops at once, without a checkpoint, and starts again.
    Restart,
}

impl Fault {
    pub(crate) const GENTLE: [Fault; 4] = [Fault::Cut, Fault::LoseReply, Fault::KillMigrator, Fault::Terminate];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Fault::Cut => "connection cut before the message",
            Fault::LoseReply => "reply lost",
            Fault::KillMigrator => "kill -9 of the migrator",
            Fault::Terminate => "pg_terminate_backend",
            Fault::KillBackend => "kill -9 of the backend",
            Fault::Restart => "immediate restart of the server",
        }
    }
}

/// What is in the database when the run begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// Nothing.
    Empty,
    /// An earlier run was lost when it had built its last index: nobody has recorded the end.
    IndexBuilt,
    /// The same, and the index is invalid.
    IndexInvalid,
}

impl Start {
    pub(crate) const ALL: [Start; 3] = [Start::Empty, Start::IndexBuilt, Start::IndexInvalid];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Start::Empty => "",
            Start::IndexBuilt => ", resuming at a built index",
            Start::IndexInvalid => ", resuming at an invalid index",
        }
    }
}

/// A fault at a message.
#[derive(Debug, Clone)]
pub(crate) struct Point {
    pub(crate) start: Start,
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
    /// One fault in a run from the beginning, before the message.
    pub(crate) fn new(fault: Fault, place: Place) -> Point {
        let (start, behind, then) = (Start::Empty, false, None);
        Point { start, fault, place, behind, then, rival: false, one_by_one: false, planted: None }
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
    pub(crate) db: PathBuf,
    strategy: &'static str,
    clean: [OnceLock<Clean>; Start::ALL.len()],
}

/// A run without a fault.
pub(crate) struct Clean {
    pub(crate) traffic: Vec<Traffic>,
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
        let db = scenario.path();
        World { server, _scenario: scenario, db, strategy, clean: Default::default() }
    }

    /// The run without a fault; it must have gone well.
    pub(crate) fn clean(&self, start: Start) -> &Clean {
        self.clean[start as usize].get_or_init(|| {
            let database = self.start(start);
            let proxy = Proxy::watching(self.server.address());
            let said = migrator::run(&self.db, &proxy.url(&database), &["up"]);
            let session = self.server.session(&database);
            assert_eq!(facts::wait_for_quiet(&session), Vec::<String>::new());
            let facts = Facts::read(&session);
            let mut wrong = oracle::judge_complete(&facts);
            wrong.extend(claims::judge(&said, &facts, false));
            assert_eq!(wrong, Vec::<String>::new(), "without a fault:\n{}", said.text());
            Clean { traffic: proxy.traffic(), schema: facts::schema(&session) }
        })
    }

    /// A new database with a ledger and nothing else.
    pub(crate) fn create(&self) -> String {
        let name = database_name();
        let sql = format!("CREATE DATABASE {name} TEMPLATE {TEMPLATE}{}", self.strategy);
        let begun = Instant::now();
        loop {
            // The session that has filled the template may not have gone yet.
            match self.server.session("postgres").try_rows(&sql) {
                Ok(_) => return name,
                Err(error) if begun.elapsed() > PATIENCE => panic!("{sql}: {error:?}"),
                Err(_) => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }

    /// The message of the migrating session that brings this text for the first time, in a run from the beginning.
    pub(crate) fn place_of(&self, text: &str) -> Place {
        let messages = &self.clean(Start::Empty).traffic[0].messages;
        let message = messages.iter().position(|message| message.contains(text));
        Place { connection: 0, message: message.unwrap_or_else(|| panic!("no message with `{text}`: {messages:#?}")) }
    }

    /// A database in which a run can begin.
    fn start(&self, start: Start) -> String {
        let database = self.create();
        if start == Start::Empty {
            return database;
        }
        let place = self.place_of("Q CREATE UNIQUE INDEX CONCURRENTLY");
        let harms = vec![(place, Harm::LoseReply)];
        let proxy = Proxy::start(Settings { server: self.server.address(), harms, cancels: true });
        let said = migrator::run(&self.db, &proxy.url(&database), &["up"]);
        assert_eq!(said.exit, Some(7), "{}", said.text());
        let session = self.server.session(&database);
        assert_eq!(facts::wait_for_quiet(&session), Vec::<String>::new());
        if start == Start::IndexInvalid {
            session.rows("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'accounts_email'::regclass");
        }
        database
    }

    /// Runs one point.
    pub(crate) fn run(&self, point: &Point) -> Outcome {
        let clean = self.clean(point.start);
        let database = self.start(point.start);
        let victim = Arc::new(AtomicI32::new(0));
        let faults: Vec<_> = [(point.fault, point.place)].into_iter().chain(point.then).collect();
        let harm = |(fault, place): &(Fault, Place)| (*place, self.harm(*fault, point.behind, &victim));
        let harms = faults.iter().map(harm).collect();
        let proxy = Proxy::start(Settings { server: self.server.address(), harms, cancels: true });
        let mut command = migrator::command(&self.db, &proxy.url(&database), &["up"]);
        if let Some(defect) = point.planted {
            command.env("MIGRATOR_PLANTED_BUG", defect);
        }
        if point.one_by_one {
            command.arg("--one-by-one");
        }
        let mut child = command.spawn().unwrap();
        victim.store(migrator::pid(&child).as_raw_nonzero().get(), Ordering::SeqCst);
        let rival = point.rival.then(|| self.rival(&database, &proxy, &mut child));
        let said = migrator::finish(child);
        let rival = rival.map(migrator::finish);
        let reached = proxy.harms_done() == faults.len();
        let killed = reached && faults.iter().any(|(fault, _)| *fault == Fault::KillMigrator);
        drop(proxy);
        let mut inquiry = Inquiry {
            world: self,
            session: self.wait_for_server(&database),
            database,
            outcome: Outcome { exit: said.exit, reached, ..Outcome::default() },
        };
        inquiry.first_run(&said, rival.as_ref(), killed);
        inquiry.go_on();
        inquiry.end(clean);
        let Inquiry { database, outcome, session, .. } = inquiry;
        drop(session);
        // Hundreds of databases would fill the disk.
        self.server.session("postgres").rows(&format!("DROP DATABASE {database}"));
        outcome
    }

    /// Starts another migrator as soon as the first one has the lock, or is no more.
    fn rival(&self, database: &str, proxy: &Proxy, first: &mut Child) -> Child {
        let has_the_lock = |traffic: &Traffic| {
            let asked = traffic.messages.iter().position(|message| message.contains("pg_try_advisory_lock"));
            asked.is_some_and(|asked| traffic.messages.len() > asked + 1)
        };
        while !proxy.traffic().first().is_some_and(has_the_lock) && first.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        migrator::command(&self.db, &self.server.url(database), &["up"]).spawn().unwrap()
    }

    fn harm(&self, fault: Fault, behind: bool, victim: &Arc<AtomicI32>) -> Harm {
        let strike = |ends, act: Arc<dyn Fn(i32) + Send + Sync>| Harm::Strike(Strike { behind, ends, act });
        let server = Arc::clone(&self.server);
        match fault {
            Fault::Cut => Harm::Cut,
            Fault::LoseReply => Harm::LoseReply,
            Fault::KillMigrator => {
                let victim = Arc::clone(victim);
                strike(true, Arc::new(move |_| kill(wait_for(&victim))))
            }
            Fault::Terminate => strike(
                false,
                Arc::new(move |process| {
                    server.session("postgres").rows(&format!("SELECT pg_terminate_backend({process})"));
                }),
            ),
            Fault::KillBackend => strike(false, Arc::new(move |process| crash(&server, process))),
            Fault::Restart => strike(false, Arc::new(move |_| server.restart())),
        }
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
const PATIENCE: Duration = Duration::from_secs(120);

/// The migrator's process, once it is known.
pub(crate) fn wait_for(victim: &AtomicI32) -> i32 {
    loop {
        match victim.load(Ordering::SeqCst) {
            0 => std::thread::sleep(Duration::from_millis(1)),
            pid => return pid,
        }
    }
}

fn kill(pid: i32) {
    if let Some(pid) = Pid::from_raw(pid) {
        // It may have ended by itself in this moment.
        let _ = kill_process(pid, Signal::KILL);
    }
}

/// Kills a process of the server, and returns when the server has noticed: it ends every session then.
fn crash(server: &Server, process: i32) {
    let session = server.session("postgres");
    kill(process);
    while session.try_rows("SELECT 1").is_ok() {
        std::thread::sleep(Duration::from_millis(5));
    }
}
