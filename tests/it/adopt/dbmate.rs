//! dbmate's history is ours where both use one table, and another one where dbmate keeps it in its own schema.

use expect_test::expect;

use super::{ends, is_adopted};
use crate::dbmate_tool::{self, Dbmate};
use crate::support::Project;

#[test]
fn rows_of_dbmate_in_our_own_table_get_what_they_lack() {
    let project = Project::new();
    project.tables(3).query(
        "CREATE TABLE schema_migrations (version varchar PRIMARY KEY); INSERT INTO schema_migrations VALUES ('001'), ('002'); \
         CREATE TABLE t1 (id int); CREATE TABLE t2 (id int)",
    );
    expect![[r#"
        exit 0
        --- stdout
        adopted from `public.schema_migrations` of dbmate: 2 without running: 001_t1, 002_t2
        pending: 003_t3
        Next: `migrator drift` compares the schema with the compiled one.
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
    "#]]
    .assert_eq(&project.run(&["adopt", "dbmate"]));
    assert_eq!(
        project.query("SELECT version, name, checksum IS NULL FROM schema_migrations ORDER BY 1"),
        "001|t1|f\n002|t2|f\n"
    );
    assert_eq!(
        project.query("SELECT action, version, detail FROM schema_migration_events ORDER BY id"),
        "adopt|001|dbmate: public.schema_migrations\nadopt|002|dbmate: public.schema_migrations\n"
    );
    assert!(ends(&project, "up", 0).contains("applied 1 migration in"));
    is_adopted(&project, "dbmate");
    // From now on an edited file is noticed.
    project.migration("001_t1", "CREATE TABLE other (id int);", "DROP TABLE other;");
    ends(&project, "up", 4);
}

#[test]
fn the_table_of_another_schema_is_copied() {
    let project = Project::new();
    project.tables(2).query(
        "CREATE SCHEMA app; CREATE TABLE app.schema_migrations (version varchar PRIMARY KEY); INSERT INTO app.schema_migrations VALUES ('001'), ('002'); \
         CREATE TABLE t1 (id int); CREATE TABLE t2 (id int)",
    );
    let output = ends(&project, "up", 4);
    assert!(output.contains("set `schema = \"app\"`") && output.contains("`migrator adopt dbmate`"), "{output}");
    ends(&project, "adopt dbmate --table app.schema_migrations", 0);
    is_adopted(&project, "dbmate");
}

/// dbmate, we, dbmate again, on one table: nothing is applied twice, and both agree.
fn there_and_back(project: &Project, path: &'static str) {
    let url = match path {
        "" => project.url(),
        path => format!("{}?search_path={path}", project.url()),
    };
    let ours = |line: &str, code: u8| {
        let said = project.run_with(&line.split(' ').collect::<Vec<_>>(), &[("DATABASE_URL", &url)]);
        assert!(said.starts_with(&format!("exit {code}\n")), "{line}: {said}");
        said
    };
    project.tables(5);
    let later: Vec<(String, String)> = (3..=5)
        .map(|n| {
            let file = format!("migrations/{n:03}_t{n}.sql");
            let text = std::fs::read_to_string(project.db().join(&file)).unwrap();
            project.remove(&file);
            (file, text)
        })
        .collect();
    let add = |at: usize| {
        project.file(&later[at].0, &later[at].1);
    };
    let dbmate = Dbmate { migrations: &project.db().join("migrations"), url: project.url(), search_path: path };
    dbmate.run(&["migrate"]);
    add(0);
    ours("adopt dbmate", 0);
    assert!(ours("up", 0).contains("applied 1 migration in"));
    ours("status --check", 0);
    add(1);
    assert!(dbmate.run(&["status"]).ends_with("Applied: 3\nPending: 1\n"));
    dbmate.run(&["migrate"]);
    ours("status --check", 0);
    add(2);
    let output = ours("adopt dbmate", 0);
    assert!(output.contains("1 without running: 004_t4\n"), "{output}");
    assert!(ours("up", 0).contains("applied 1 migration in"));
    assert!(dbmate.run(&["status"]).ends_with("Applied: 5\nPending: 0\n"));
    assert_eq!(dbmate.run(&["migrate"]), "");
    dbmate.run(&["rollback"]);
    let status = ours("status --check", 1);
    assert!(status.contains("1 pending"), "{status}");
    assert!(ours("up", 0).contains("applied 1 migration in"));
}

#[test]
fn there_and_back_in_public() {
    if dbmate_tool::is_here("dbmate, adopt, dbmate in public") {
        there_and_back(&Project::new(), "");
    }
}

#[test]
fn there_and_back_in_a_schema_of_its_own() {
    if dbmate_tool::is_here("dbmate, adopt, dbmate with search_path=app") {
        let project = Project::new();
        project.query("CREATE SCHEMA app");
        project.file("migrator.toml", "[history]\nschema = \"app\"\n");
        there_and_back(&project, "app");
    }
}
