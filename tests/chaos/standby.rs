//! A standby as the target: it can be asked, and nothing more.

use expect_test::expect;
use migrator_postgres::TemporaryServer;
use tempfile::TempDir;

use crate::migrator;
use crate::server::Session;

#[test]
fn a_standby_is_refused_by_who_writes_and_read_by_who_reads() {
    let primary = TemporaryServer::start().unwrap();
    let standby = primary.standby().unwrap();
    let directory = TempDir::new().unwrap();
    std::fs::create_dir(directory.path().join("migrations")).unwrap();
    let file = |name: &str| {
        let text = format!("-- migrate:up\nCREATE TABLE t{name} ();\n-- migrate:down\nDROP TABLE t{name};\n");
        std::fs::write(directory.path().join(format!("migrations/00{name}.sql")), text).unwrap();
    };
    file("1_a");
    let up = migrator::run(directory.path(), &primary.url("postgres"), &["up"]);
    assert_eq!(up.exit, Some(0), "{}", up.text());
    let session = Session::open(&standby.url("postgres")).unwrap();
    let arrived = (0..600).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        session.value("SELECT to_regclass('schema_migrations') IS NOT NULL") == "t"
            && session.value("SELECT count(*) FROM schema_migrations") == "1"
    });
    assert!(arrived, "the standby has not followed within a minute");
    let place = format!("{}:{}", standby.socket_directory().display(), standby.port());
    let release = session.value("SELECT split_part(current_setting('server_version'), ' ', 1)");
    let ask = |arguments: &[&str]| {
        let said = migrator::run(directory.path(), &standby.url("postgres"), arguments);
        let text = said.text().replace(&place, "SERVER");
        text.replace(&format!("PostgreSQL {release}"), "PostgreSQL X")
    };
    expect![[r#"
        exit 0
        --- stdout
        nothing to apply
        --- stderr
        SERVER · database postgres · user postgres · PostgreSQL X
    "#]]
    .assert_eq(&ask(&["up"]));
    file("2_b");
    expect![[r#"
        exit 8
        --- stdout
        --- stderr
        SERVER · database postgres · user postgres · PostgreSQL X
        error: cannot write to `postgresql://postgres@SERVER/postgres`: the server is a standby
          = help: connect to the primary
    "#]]
    .assert_eq(&ask(&["up"]));
    assert!(ask(&["status"]).starts_with("exit 0\n"));
    assert!(ask(&["plan"]).starts_with("exit 0\n"));
}
