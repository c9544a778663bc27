//! `wait`: what passes by itself is waited for, what does not is said at once.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStderr, Command, Stdio};

use expect_test::expect;
use migrator_postgres::TemporaryServer;

use crate::support::{Project, place, query_at, query_on, server};

/// One that has said for what it waits.
struct Waiting {
    child: Child,
    said: String,
    rest: BufReader<ChildStderr>,
}

impl Waiting {
    fn start(mut command: Command) -> Waiting {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut rest = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        rest.read_line(&mut said).unwrap();
        Waiting { child, said, rest }
    }

    /// What it said until its end.
    fn finish(mut self) -> String {
        self.rest.read_to_string(&mut self.said).unwrap();
        let output = self.child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", self.said);
        self.said + &String::from_utf8_lossy(&output.stdout)
    }
}

#[test]
fn a_server_that_answers_is_not_waited_for() {
    expect![[r#"
        exit 0
        --- stdout
        SERVER accepts connections to `DB`
    "#]]
    .assert_eq(&Project::new().run(&["wait"]));
}

#[test]
fn a_database_that_is_created_meanwhile_is_waited_for() {
    let project = Project::without_database();
    let waiting = Waiting::start(project.command(&["wait"]));
    query_on("postgres", &format!("CREATE DATABASE {}", project.database()));
    expect![[r#"
        waiting for postgresql://postgres@SERVER/DB: database "DB" does not exist [3D000]
        help: create the database first (`createdb`, or `cargo xtask migrate create` in development)
        SERVER accepts connections to `DB`
    "#]]
    .assert_eq(&waiting.finish().replace(project.database(), "DB").replace(&place(server()), "SERVER"));
}

#[test]
fn a_database_that_never_comes_is_named_at_the_end() {
    expect![[r#"
        exit 6
        --- stderr
        waiting for postgresql://postgres@SERVER/DB: database "DB" does not exist [3D000]
        help: create the database first (`createdb`, or `cargo xtask migrate create` in development)
        error: cannot connect to `postgresql://postgres@SERVER/DB`: database "DB" does not exist [3D000]
          = note: waited for N ms
          = help: create the database first (`createdb`, or `cargo xtask migrate create` in development)
    "#]]
    .assert_eq(&Project::without_database().run(&["wait", "--timeout", "300ms"]));
}

#[test]
fn a_server_that_starts_is_waited_for() {
    let mut starting = TemporaryServer::builder().tcp().start().unwrap();
    let url = starting.tcp_url("postgres").unwrap();
    let port = starting.port().to_string();
    starting.stop().unwrap();
    let project = Project::without_database();
    let mut command = project.command(&["wait"]);
    command.env("DATABASE_URL", &url);
    let waiting = Waiting::start(command);
    starting.start_again().unwrap();
    let output = waiting.finish().replace(&port, "PORT");
    assert_eq!(starting.tcp_url("postgres"), Some(url));
    // On a quick machine the moments in which it starts are not seen.
    let lines = output.lines().filter(|line| !line.contains("[57P03]") && !line.starts_with("help: the server is"));
    expect![[r#"
        waiting for postgresql://postgres@127.0.0.1:PORT/postgres: Connection refused (os error 111)
        help: check that the server is running and that the host and port are correct
        127.0.0.1:PORT accepts connections to `postgres`
    "#]]
    .assert_eq(&lines.map(|line| format!("{line}\n")).collect::<String>());
}

#[test]
fn nobody_there_is_said_when_the_time_is_over() {
    let project = Project::without_database();
    let nowhere = [("DATABASE_URL", "postgresql://me@127.0.0.1:1/crm")];
    expect![[r#"
        exit 6
        --- stderr
        waiting for postgresql://me@127.0.0.1:1/crm: Connection refused (os error 111)
        help: check that the server is running and that the host and port are correct
        error: cannot connect to `postgresql://me@127.0.0.1:1/crm`: Connection refused (os error 111)
          = note: waited for N ms
          = help: check that the server is running and that the host and port are correct
    "#]]
    .assert_eq(&project.run_with(&["wait", "--timeout", "300ms"], &nowhere));
}

#[test]
fn a_wrong_password_is_not_waited_for() {
    let secured = TemporaryServer::builder().tcp().start().unwrap();
    // Anyone on this machine could come with a password that is written here.
    let right = secured.password().unwrap();
    query_at(&secured.url("postgres"), &format!("CREATE ROLE deploy LOGIN PASSWORD '{right}'"));
    let project = Project::without_database();
    let run = |user: &str| {
        let url = format!("postgresql://{user}@127.0.0.1:{}/postgres", secured.port());
        project
            .run_with(&["wait"], &[("DATABASE_URL", &url), ("HOME", "/nowhere")])
            .replace(&secured.port().to_string(), "PORT")
    };
    expect![[r#"
        exit 6
        --- stderr
        error: cannot connect to `postgresql://deploy@127.0.0.1:PORT/postgres`: password authentication failed for user "deploy" [28P01]
          = note: waiting does not help: this error does not go away by itself
          = help: the password comes from the URL, the service file, PGPASSWORD or the password file; also check the server's pg_hba.conf
    "#]].assert_eq(&run("deploy:wrong"));
    expect![[r#"
        exit 6
        --- stderr
        error: cannot connect to `postgresql://deploy@127.0.0.1:PORT/postgres`: password missing
          = note: waiting does not help: this error does not go away by itself
          = help: the server asks for a password: set it in the URL, PGPASSWORD or the password file
    "#]]
    .assert_eq(&run("deploy"));
    assert!(run(&format!("deploy:{right}")).starts_with("exit 0"));
}

#[test]
fn several_servers_are_tried_in_turn() {
    let project = Project::new();
    project.tables(1);
    let (port, socket) = (server().port(), server().socket_directory().display().to_string().replace('/', "%2F"));
    let to = |text: String| project.run_with(&["status"], &[("DATABASE_URL", &text)]);
    let database = project.database();
    assert!(to(format!("postgresql://postgres@127.0.0.1:1,{socket}:{port}/{database}")).starts_with("exit 0"));
    let both = format!("postgresql://postgres@127.0.0.1:1,{socket}:{port}/{database}?target_session_attrs=standby");
    expect![[r#"
        exit 6
        --- stderr
        error: cannot connect to `postgresql://postgres@127.0.0.1:1,SERVER/DB`: this server is not a standby
          = note: 127.0.0.1:1: Connection refused (os error 111)
          = help: list the other servers too, or connect to the right one
    "#]]
    .assert_eq(&to(both));
    expect![[r#"
        exit 6
        --- stderr
        error: cannot connect to `postgresql://postgres@127.0.0.1:1,127.0.0.1:2/DB`: Connection refused (os error 111)
          = note: 127.0.0.1:1: Connection refused (os error 111)
          = help: check that the server is running and that the host and port are correct
    "#]]
    .assert_eq(&to(format!("host=127.0.0.1,127.0.0.1 port=1,2 user=postgres dbname={database}")));
}
