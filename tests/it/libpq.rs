//! Whoever can connect with psql connects with us, to the same server, database and user.

use std::process::Command;
use std::sync::OnceLock;

use migrator_postgres::TemporaryServer;
use tempfile::TempDir;

use crate::support::Project;

/// One that also listens on 127.0.0.1.
fn server() -> &'static TemporaryServer {
    static SERVER: OnceLock<TemporaryServer> = OnceLock::new();
    SERVER.get_or_init(|| TemporaryServer::builder().tcp().start().unwrap())
}

/// Where psql ends up: `host port database user`; its message, if it does not get there.
fn psql(text: &str, variables: &[(String, String)]) -> String {
    let mut command = Command::new(server().program_directory().join("psql"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PG")) {
        command.env_remove(name);
    }
    let sql = "SELECT coalesce(host(inet_server_addr()), 'socket'), current_setting('port'), current_database(), current_user";
    let output = command.envs(variables.iter().cloned()).args(["-XAtw", "-F", " ", "-c", sql, "-d", text]).output();
    let output = output.unwrap();
    if output.status.success() {
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    } else {
        "refused".to_owned()
    }
}

/// Where we end up, read from the line that a writing command begins with.
fn ours(text: &str, variables: &[(String, String)]) -> String {
    let project = Project::without_database();
    let mut variables: Vec<(&str, &str)> =
        variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    variables.push(("DATABASE_URL", text));
    let output = project.run_with(&["up"], &variables);
    let Some(line) = output.lines().find(|line| line.contains(" · database ")) else { return "refused".to_owned() };
    let parts: Vec<&str> = line.split(" · ").collect();
    let database = parts[1].trim_start_matches("database ");
    let user = parts[2].trim_start_matches("user ");
    let port = server().port();
    let host = if parts[0].starts_with('/') { "socket" } else { "127.0.0.1" };
    assert!(parts[0].ends_with(&port.to_string()), "{line}");
    format!("{host} {port} {database} {user}")
}

/// Connection strings and the variables beside them.
fn cases(port: u16, socket: &str) -> Vec<(String, Vec<(&'static str, String)>)> {
    vec![
        (format!("postgresql://postgres@127.0.0.1:{port}/postgres"), vec![]),
        (format!("postgres://postgres@127.0.0.1:{port}/template1"), vec![]),
        (format!("postgresql://postgres@localhost:{port}/postgres?sslmode=disable"), vec![]),
        (format!("postgresql://postgres@localhost:{port}/postgres?sslmode=require"), vec![]),
        (format!("postgresql://postgres@127.0.0.1:1,127.0.0.1:{port}/postgres"), vec![]),
        (format!("postgresql://postgres@127.0.0.1:{port}/postgres?target_session_attrs=read-write"), vec![]),
        (format!("postgresql://postgres@127.0.0.1:{port}/postgres?target_session_attrs=standby"), vec![]),
        (format!("postgresql://postgres@127.0.0.1:{port}/postgres?target_session_attrs=prefer-standby"), vec![]),
        (format!("postgresql:///postgres?host={socket}&port={port}&user=postgres"), vec![]),
        (format!("postgresql://postgres@{}:{port}/postgres", socket.replace('/', "%2F")), vec![]),
        (format!("postgresql://nobody.there@127.0.0.1:{port}/postgres"), vec![]),
        (format!("postgresql://postgres@127.0.0.1:{port}/not_there"), vec![]),
        (format!("host=127.0.0.1 port={port} dbname=postgres user=postgres"), vec![]),
        (format!("host = '127.0.0.1' port = {port} dbname='post''gres' user=postgres"), vec![]),
        (format!("host='127.0.0.1' port={port} dbname='post\\gres' user=postgres"), vec![]),
        (format!("hostaddr=127.0.0.1 port={port} dbname=postgres user=postgres"), vec![]),
        (format!("host=db.invalid hostaddr=127.0.0.1 port={port} dbname=postgres user=postgres"), vec![]),
        (format!("host={socket} port={port} dbname=postgres user=postgres sslmode=verify-full"), vec![]),
        (format!("host=127.0.0.1 port={port} user=postgres"), vec![]),
        (
            "postgresql://".to_owned(),
            vec![("PGHOST", "127.0.0.1".into()), ("PGPORT", port.to_string()), ("PGUSER", "postgres".into())],
        ),
        (
            "postgresql:///template1".to_owned(),
            vec![("PGHOST", socket.into()), ("PGPORT", port.to_string()), ("PGUSER", "postgres".into())],
        ),
        (
            "dbname=postgres".to_owned(),
            vec![("PGHOSTADDR", "127.0.0.1".into()), ("PGPORT", port.to_string()), ("PGUSER", "postgres".into())],
        ),
        (
            "dbname=postgres sslmode=prefer".to_owned(),
            vec![
                ("PGHOST", "127.0.0.1".into()),
                ("PGPORT", port.to_string()),
                ("PGUSER", "postgres".into()),
                ("PGSSLMODE", "require".into()),
            ],
        ),
        ("service=crm".to_owned(), vec![]),
        ("service=crm dbname=template1".to_owned(), vec![("PGDATABASE", "ignored".into())]),
        ("postgresql:///?service=crm".to_owned(), vec![]),
        ("user=postgres".to_owned(), vec![("PGSERVICE", "half".into()), ("PGHOST", "127.0.0.1".into())]),
        ("service=missing".to_owned(), vec![]),
        (format!("host=127.0.0.1 port={port} user=postgres dbname=postgres options='-c search_path=app'"), vec![]),
        (format!("host=127.0.0.1 port={port} user=postgres dbname=postgres nonsense=1"), vec![]),
    ]
}

#[test]
fn we_get_where_psql_gets() {
    if !server().program_directory().join("psql").exists() {
        eprintln!("not run, because there is no psql beside the server: the comparison with psql");
        return;
    }
    let home = TempDir::new().unwrap();
    let (port, socket) = (server().port(), server().socket_directory());
    let socket = socket.to_str().unwrap();
    std::fs::write(
        home.path().join("services"),
        format!("[crm]\nhost=127.0.0.1\nport={port}\ndbname=postgres\nuser=postgres\n[half]\nport={port}\n"),
    )
    .unwrap();
    let services = ("PGSERVICEFILE".to_owned(), home.path().join("services").display().to_string());
    let password = ("PGPASSWORD".to_owned(), server().password().unwrap().to_owned());
    let cases = cases(port, socket);
    let mut refused = 0;
    for (text, variables) in &cases {
        let variables: Vec<(String, String)> = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .chain([services.clone(), password.clone(), ("HOME".to_owned(), home.path().display().to_string())])
            .collect();
        let theirs = psql(text, &variables);
        refused += usize::from(theirs == "refused");
        assert_eq!(ours(text, &variables), theirs, "{text} {variables:?}");
    }
    assert!(refused > 5 && refused < cases.len() / 2, "{refused} of {} are refused by psql itself", cases.len());
}
