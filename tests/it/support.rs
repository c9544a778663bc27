//! A server for the whole test run, a database and a db directory for each test, and the output of a run as one text.

pub(crate) mod schema;
mod waiting;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Once, OnceLock};

use migrator_postgres::TemporaryServer;
use serde_json::Value;
use tempfile::TempDir;
use tokio_postgres::{NoTls, SimpleQueryMessage};

pub(crate) use waiting::{wait_until, wait_until_asleep};

/// The server that all tests share. Its watchdog stops it when this process ends, however it ends.
pub(crate) fn server() -> &'static TemporaryServer {
    static SERVER: OnceLock<TemporaryServer> = OnceLock::new();
    SERVER.get_or_init(|| {
        // The tests look for statements in what a session runs, which is cut.
        let server = TemporaryServer::builder().setting("track_activity_query_size", "16kB").start();
        server.unwrap_or_else(|error| panic!("no PostgreSQL to test against: {error:#}"))
    })
}

/// Where a server is, as messages name it.
pub(crate) fn place(server: &TemporaryServer) -> String {
    format!("{}:{}", server.socket_directory().display(), server.port())
}

/// A project of one test: a db directory, a database, and the binary over both.
pub(crate) struct Project {
    directory: TempDir,
    database: String,
    release: String,
}

impl Project {
    /// An empty db directory and an empty database.
    pub(crate) fn new() -> Project {
        let project = Project::without_database();
        query_on("postgres", &format!("CREATE DATABASE {}", project.database));
        project
    }

    /// An empty db directory and the name of a database that is not there.
    pub(crate) fn without_database() -> Project {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let directory = TempDir::new().unwrap();
        std::fs::create_dir_all(directory.path().join("db/migrations")).unwrap();
        let database = format!("database_{:03}", NEXT.fetch_add(1, Ordering::Relaxed));
        Project { directory, database, release: "1.0.0".to_owned() }
    }

    /// A copy of a db directory and an empty database.
    pub(crate) fn of(directory: &Path) -> Project {
        let project = Project::new();
        copy(directory, &project.db());
        project
    }

    /// The same database seen by another release with its own copy of the files.
    pub(crate) fn release(&self, release: &str) -> Project {
        let directory = TempDir::new().unwrap();
        copy(&self.db(), &directory.path().join("db"));
        Project { directory, database: self.database.clone(), release: release.to_owned() }
    }

    pub(crate) fn db(&self) -> PathBuf {
        self.directory.path().join("db")
    }

    pub(crate) fn database(&self) -> &str {
        &self.database
    }

    pub(crate) fn url(&self) -> String {
        server().url(&self.database)
    }

    /// Writes a file below db/.
    pub(crate) fn file(&self, path: &str, text: &str) -> &Project {
        let path = self.db().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    /// Writes a migration of two blocks.
    pub(crate) fn migration(&self, name: &str, up: &str, down: &str) -> &Project {
        self.file(&format!("migrations/{name}.sql"), &format!("-- migrate:up\n{up}\n\n-- migrate:down\n{down}\n"))
    }

    /// `count` migrations that each create a table.
    pub(crate) fn tables(&self, count: usize) -> &Project {
        for n in 1..=count {
            self.migration(
                &format!("{n:03}_t{n}"),
                &format!("CREATE TABLE t{n} (id int);"),
                &format!("DROP TABLE t{n};"),
            );
        }
        self
    }

    pub(crate) fn remove(&self, path: &str) -> &Project {
        std::fs::remove_file(self.db().join(path)).unwrap();
        self
    }

    /// The binary over this directory and database, not yet started.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        heed_signals();
        let mut command = Command::new(env!("CARGO_BIN_EXE_dir-migrator"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PG") || name.starts_with("MIGRATOR_")) {
            command.env_remove(name);
        }
        command
            .arg(self.db())
            .args(arguments)
            .env("DATABASE_URL", self.url())
            .env("DIR_MIGRATOR_RELEASE", &self.release);
        command.stdin(Stdio::null());
        command
    }

    /// Runs it: exit code, stdout and stderr in one text, without what differs from run to run.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        self.finish(self.start(arguments))
    }

    /// Runs it as another role.
    pub(crate) fn run_as(&self, role: &str, arguments: &[&str]) -> String {
        let url = self.url().replace("postgres@", &format!("{role}@"));
        self.run_with(arguments, &[("DATABASE_URL", &url)])
    }

    /// Runs it with other variables; an empty value removes one.
    pub(crate) fn run_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> String {
        let mut command = self.command(arguments);
        for (name, value) in variables {
            if value.is_empty() {
                command.env_remove(name)
            } else {
                command.env(name, value)
            };
        }
        self.finish(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    }

    /// Starts it; [`Project::finish`] waits for it.
    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Runs it with `--json`: the exit code, and its lines, the last of which says how it ended. Nothing is on stderr.
    pub(crate) fn json(&self, arguments: &[&str]) -> (i32, Vec<Value>) {
        finish_json(self.start(&[arguments, &["--json"]].concat()))
    }

    /// Waits for a started one.
    pub(crate) fn finish(&self, child: Child) -> String {
        let output = child.wait_with_output().unwrap();
        schema::check(&String::from_utf8_lossy(&output.stdout));
        let code = output.status.code().map_or("killed".to_owned(), |code| code.to_string());
        let mut text = format!("exit {code}\n");
        for (name, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
            let part = String::from_utf8_lossy(bytes);
            if !part.is_empty() {
                text.push_str(&format!("--- {name}\n{}\n", part.trim_end()));
            }
        }
        self.normalise(&text)
    }

    fn normalise(&self, text: &str) -> String {
        let text = text.replace(&place(server()), "SERVER").replace(&self.database, "DB");
        // How far an index build is, is said once it takes its time: on a busy machine any of them does.
        let steady = text.lines().filter(|line| !line.contains(INDEX_BUILD));
        steady.map(|line| normalise_line(line) + "\n").collect()
    }

    /// Runs SQL in this project's database; rows as `a|b` lines.
    pub(crate) fn query(&self, sql: &str) -> String {
        query_on(&self.database, sql)
    }
}

/// Waits for a started one that prints JSON.
pub(crate) fn finish_json(child: Child) -> (i32, Vec<Value>) {
    let output = child.wait_with_output().unwrap();
    let [stdout, stderr] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert_eq!(stderr, "", "{stdout}");
    let (code, lines) = (output.status.code().unwrap(), schema::lines(&stdout));
    assert_eq!(lines[lines.len() - 1]["exit"], code, "{stdout}");
    (code, lines)
}

/// What a line about the progress of an index build has in it.
pub(crate) const INDEX_BUILD: &str = ": index build: ";

/// Lets every program that the tests start heed the signals that they send it, also where the tests were started to ignore them, as a
/// shell without job control starts what ends in `&`: a program inherits what is ignored, but not what is handled.
pub(crate) fn heed_signals() {
    static DONE: Once = Once::new();
    DONE.call_once(|| {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).map_or("0", str::trim);
        let mask = u64::from_str_radix(mask, 16).unwrap();
        use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
        for signal in [SIGHUP, SIGINT, SIGTERM].into_iter().filter(|signal| mask & (1 << (signal - 1)) != 0) {
            signal_hook::flag::register(signal, Arc::new(AtomicBool::new(false))).unwrap();
        }
    });
}

/// What `verify` says in answer to one question, without times.
pub(crate) fn answer(output: &str, question: &str) -> String {
    let start = format!(" {question}: ");
    let mut lines: Vec<&str> = output.lines().skip_while(|line| !line.contains(&start)).collect();
    let end = lines.iter().skip(1).position(|line| !line.starts_with(' ')).map_or(lines.len(), |end| end + 1);
    lines.truncate(end);
    assert!(!lines.is_empty(), "{output}");
    lines.iter().map(|line| line.replace(" (N ms)", "") + "\n").collect()
}

/// Durations become `N ms`, moments `WHEN`, checksums `CHECKSUM`, the server's version `X`.
pub(crate) fn normalise_line(line: &str) -> String {
    let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
    for index in 0..words.len() {
        let hex = |word: &str| word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        let trimmed = words[index].trim_matches(|c: char| !c.is_ascii_alphanumeric()).to_owned();
        // The digest of a plan begins with a checksum, and what it was made for comes after it.
        if trimmed.split_once('.').is_some_and(|(sum, basis)| hex(sum) && basis.split('.').count() == 2)
            || hex(&trimmed)
        {
            words[index] = words[index].replace(&trimmed, "CHECKSUM");
        }
        let unit = words.get(index + 1).map(|word| word.trim_matches(|c: char| !c.is_ascii_alphabetic()).to_owned());
        let number = words[index].trim_start_matches('(').to_owned();
        if matches!(unit.as_deref(), Some("ms" | "s")) && number.parse::<f64>().is_ok() {
            words[index] = words[index].replace(&number, "N");
            words[index + 1] = words[index + 1].replacen("ms", "s", 1).replacen('s', "ms", 1);
        }
        if trimmed.len() == 10 && trimmed.as_bytes()[4] == b'-' && trimmed.as_bytes()[7] == b'-' {
            words[index] = "DATE".to_owned();
            if let Some(time) = words.get_mut(index + 1) {
                *time = "TIME".to_owned();
            }
        }
        if words[index] == "PostgreSQL" && index + 1 < words.len() {
            words[index + 1] = "X".to_owned();
        }
        if words[index] == "pid" && index + 1 < words.len() {
            words[index + 1] = "PID".to_owned();
        }
    }
    let line = words.join(" ");
    if !line.contains("DATE TIME UTC") && !line.starts_with("VERSION") {
        return line;
    }
    // Who runs the tests, and where.
    let is_actor =
        |word: &str| word.split_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.contains('/'));
    let named = line.split(' ').map(|word| if is_actor(word) { "WHO" } else { word });
    // The width of a column follows what was replaced above.
    let mut table = named.collect::<Vec<_>>().join(" ");
    while table.contains("   ") {
        table = table.replace("   ", "  ");
    }
    table
}

/// A session of somebody else, which stays open.
pub(crate) struct Other {
    runtime: tokio::runtime::Runtime,
    client: tokio_postgres::Client,
}

impl Other {
    /// Connects to the project's database as the application `shop`.
    pub(crate) fn new(project: &Project) -> Other {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let client = runtime.block_on(async {
            let mut config: tokio_postgres::Config = project.url().parse().unwrap();
            let (client, connection) = config.application_name("shop").connect(NoTls).await.unwrap();
            tokio::spawn(connection);
            client
        });
        Other { runtime, client }
    }

    pub(crate) fn run(&self, sql: &str) {
        self.runtime.block_on(self.client.batch_execute(sql)).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }
}

/// Says that something could not be tested here, also where the output of a test that passes is not shown.
pub(crate) fn not_tested(why: &str) {
    let _ = writeln!(std::io::stderr(), "NOT TESTED: {why}");
}

/// The major release of the shared server.
pub(crate) fn major() -> u32 {
    query_on("postgres", "SELECT current_setting('server_version_num')::int / 10000").trim().parse().unwrap()
}

/// Runs SQL on a database of the shared server.
pub(crate) fn query_on(database: &str, sql: &str) -> String {
    query_at(&server().url(database), sql)
}

/// Runs SQL wherever the URL leads; rows as `a|b` lines.
pub(crate) fn query_at(url: &str, sql: &str) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        tokio::spawn(connection);
        let asked = client.simple_query(sql).await;
        let messages = asked.unwrap_or_else(|error| panic!("{}: {error:?}", &sql[..sql.floor_char_boundary(500)]));
        let row = |message| if let SimpleQueryMessage::Row(row) = message { Some(row) } else { None };
        let line = |row: tokio_postgres::SimpleQueryRow| {
            (0..row.len()).map(|column| row.get(column).unwrap_or("null").to_owned()).collect::<Vec<_>>().join("|")
                + "\n"
        };
        messages.into_iter().filter_map(row).map(line).collect()
    })
}

/// Everything in a database that must not change when nothing is written: relations and versions of rows.
pub(crate) fn fingerprint(project: &Project) -> String {
    let user = "relnamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname LIKE 'pg\\_%' OR nspname = 'information_schema')";
    let relations =
        project.query(&format!("SELECT oid::regclass, relkind, relfilenode FROM pg_class WHERE {user} ORDER BY oid"));
    let tables = relations.lines().filter_map(|line| line.split_once("|r|")).map(|(table, _)| {
        let rows =
            format!("SELECT count(*), md5(string_agg(xmin::text || ctid::text, ',' ORDER BY ctid)) FROM {table}");
        format!("{table}: {}", project.query(&rows))
    });
    tables.chain([relations.clone()]).collect()
}

/// What a client program of the shared server says of a database.
fn client(program: &str, database: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(server().program_directory().join(program));
    command.env("PGOPTIONS", "").arg("--dbname").arg(server().url(database)).args(arguments);
    let output = command.output().unwrap_or_else(|error| panic!("{program}, beside the server's programs: {error}"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A project's database as pg_dump writes it.
pub(crate) fn dump(project: &Project, arguments: &[&str]) -> String {
    client("pg_dump", project.database(), arguments)
}

/// Runs a file of psql in the project's database.
pub(crate) fn load(project: &Project, file: &Path) {
    let file = file.display().to_string();
    client("psql", project.database(), &["--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--file", &file]);
}

/// A new database with what pg_dump says of the project's, restored by psql as a role.
pub(crate) fn restore(project: &Project, arguments: &[&str], role: &str) -> Project {
    let restored = Project::new();
    restored.file("dump.sql", &dump(project, arguments));
    let file = restored.db().join("dump.sql").display().to_string();
    let authorization = format!("SET SESSION AUTHORIZATION {role}");
    let fixed = ["--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1"];
    client("psql", restored.database(), &[&fixed[..], &["--command", &authorization, "--file", &file]].concat());
    restored
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target)
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
