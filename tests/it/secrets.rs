//! A password is in no output, whatever happens, and in nothing that others see.

use migrator_postgres::TemporaryServer;
use tempfile::TempDir;

use crate::support::{Project, query_at};

/// Commands that succeed, that fail, that ask for help.
const COMMANDS: [&[&str]; 20] = [
    &["wait", "--timeout", "200ms"],
    &["status", "--verbose"],
    &["status", "--json"],
    &["plan", "--sql"],
    &["plan", "--json"],
    &["up", "--to", "1", "--verbose"],
    &["up", "--dry-run", "--sql"],
    &["up"],
    &["up", "--one-by-one"],
    &["seed", "missing"],
    &["stamp", "--to", "2"],
    &["adopt", "goose", "--dry-run"],
    &["environment"],
    &["resolve", "1", "--statement", "1", "--retry"],
    &["down", "--yes", "--verbose"],
    &["list"],
    &["show", "1"],
    &["version", "--verbose"],
    &["up", "--no-such-option"],
    &["--help"],
];

/// Connection strings and variables with the password. The first five connect, each to a database of its own; the others cannot be read
/// or lead nowhere.
fn ways<'v>(
    port: u16,
    canary: &'v str,
    passwords: &'v str,
    services: &'v str,
) -> Vec<(String, Vec<(&'static str, &'v str)>)> {
    vec![
        (format!("postgresql://deploy:{canary}@127.0.0.1:{port}/a"), vec![]),
        (format!("host=127.0.0.1 port={port} user=deploy password={canary} dbname=b"), vec![]),
        (format!("postgresql://deploy@127.0.0.1:{port}/c"), vec![("PGPASSWORD", canary)]),
        (format!("postgresql://deploy@127.0.0.1:{port}/d"), vec![("PGPASSFILE", passwords)]),
        ("postgresql:///e?service=crm".to_owned(), vec![("PGSERVICEFILE", services)]),
        (format!("postgresql://deploy:{canary}@127.0.0.1:{port}/missing"), vec![]),
        (format!("postgresql://deploy:{canary}@127.0.0.1:1/crm"), vec![]),
        (format!("postgresql://deploy:{canary}@127.0.0.1:{port}/a?sslmode=verify-full"), vec![]),
        (format!("postgresql://deploy:{canary}@127.0.0.1:{port}/a?application_name=x&sslmode=wrong"), vec![]),
        (format!("postgresql://deploy:{canary}%zz@127.0.0.1:{port}/a"), vec![]),
        (format!("host=127.0.0.1 password='{canary}"), vec![]),
        (format!("deploy:{canary}@127.0.0.1"), vec![]),
        (format!("postgresql://deploy:hun@{canary}@127.0.0.1:{port}/a"), vec![]),
        (format!("postgresql://deploy:12/{canary}@127.0.0.1:{port}/a"), vec![]),
        (format!("postgresql://deploy:hun@127.0.0.1:{port}/{canary}@127.0.0.1/a"), vec![]),
        (format!("postgresql://127.0.0.1:{port}/a?user=deploy&password=hun&{canary}=1"), vec![]),
        (format!("postgresql://127.0.0.1:{port}/a?user=deploy&password={canary}&schema=public"), vec![]),
        (
            format!("postgresql://127.0.0.1:{port}/a?user=deploy&password={canary}&search_path=a,b&nonesuch_timeout=1"),
            vec![],
        ),
        (format!("postgres:/deploy:{canary}@127.0.0.1/a"), vec![]),
        (format!("postgresql+asyncpg://deploy:{canary}@127.0.0.1/a"), vec![]),
        (format!("\"postgresql://deploy:{canary}@127.0.0.1/a\""), vec![]),
        (format!("host=127.0.0.1 password=hun {canary}=1"), vec![]),
        (format!("dbname=postgresql://deploy:{canary}@127.0.0.1/a"), vec![]),
        ("postgresql:///e?service=bad".to_owned(), vec![("PGSERVICEFILE", services)]),
        ("postgresql:///e?service=worse".to_owned(), vec![("PGSERVICEFILE", services)]),
    ]
}

#[test]
fn a_password_is_never_shown() {
    let server = TemporaryServer::builder().tcp().start().unwrap();
    // Of a password that is written here, anyone on this machine could make use.
    let canary = format!("canary-{}", server.password().unwrap());
    let canary = canary.as_str();
    let socket = server.url("postgres");
    query_at(&socket, &format!("CREATE ROLE deploy SUPERUSER LOGIN PASSWORD '{canary}'"));
    let home = TempDir::new().unwrap();
    let write = |name: &str, text: String| {
        use std::os::unix::fs::PermissionsExt as _;
        let path = home.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        path.display().to_string()
    };
    let services = write(
        "services",
        format!(
            "[crm]\nhost=127.0.0.1\nport={}\nuser=deploy\npassword={canary}\n[bad]\npassword:{canary}=1\n[worse]\npassword {canary}\n",
            server.port()
        ),
    );
    let passwords = write("passwords", format!("*:*:*:deploy:{canary}\n"));
    let home = home.path().display().to_string();
    let ways = ways(server.port(), canary, &passwords, &services);
    for database in ["a", "b", "c", "d", "e"] {
        query_at(&socket, &format!("CREATE DATABASE {database}"));
    }
    let mut connected = 0;
    for (text, variables) in &ways {
        let project = Project::without_database();
        project.tables(2).migration("003_fails", "SELECT 1 / 0;", "");
        for command in COMMANDS {
            let mut variables = variables.clone();
            variables.extend([("DATABASE_URL", text.as_str()), ("HOME", &home)]);
            let output = project.run_with(command, &variables);
            assert!(!output.contains(canary), "{command:?}: {output}");
            connected += usize::from(output.contains("applied 002_t2"));
        }
    }
    assert_eq!(connected, 5, "each of the good ways leads to the server");
    for database in ["a", "b", "c", "d", "e"] {
        let logged =
            format!("SELECT count(*), coalesce(sum((e::text ~ '{canary}')::int), 0) FROM schema_migration_events e");
        let logged = query_at(&server.url(database), &logged);
        assert!(logged.ends_with("|0\n") && !logged.starts_with('0'), "{logged}");
    }
    assert!(!server.log().contains(canary));
}
