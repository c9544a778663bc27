//! What has to be said before production changes: which plan was approved, and which backup was made.

mod backup;

use expect_test::expect;

use crate::support::{Project, query_on};

/// The digest that `plan` shows.
fn digest(project: &Project) -> String {
    let plan = std::process::Command::output(&mut project.command(&["plan", "--json"])).unwrap();
    let plan: serde_json::Value = serde_json::from_slice(&plan.stdout).unwrap();
    plan["digest"].as_str().unwrap().to_owned()
}

/// `up` with that digest, as approved by Ada.
fn up(project: &Project, digest: &str) -> String {
    project.run(&["up", "--plan", digest, "--approved-by", "ada"])
}

#[test]
fn the_same_plan_has_the_same_digest() {
    let project = Project::new();
    project.tables(2);
    let first = digest(&project);
    assert_eq!(first, digest(&project));
    assert_eq!(first.split('.').count(), 3, "{first}");
    assert!(up(&project, &first).starts_with("exit 0\n"));
    assert_eq!(project.query("SELECT DISTINCT plan_digest FROM schema_migration_events"), format!("{first}\n"));
    // Nothing to do is the same before and after, and needs no approval.
    let nothing = digest(&project);
    assert_eq!(nothing, digest(&project));
    assert!(up(&project, &first).contains("nothing to apply"));
}

#[test]
fn what_happens_to_the_history_in_between_makes_the_approval_void() {
    let project = Project::new();
    project.tables(2).run(&["up"]);
    project.migration("003_x", "CREATE TABLE x (id int);", "DROP TABLE x;");
    let approved = digest(&project);
    // The schema is the same afterwards, and so are the rows.
    assert!(project.release("1.0.1").remove("migrations/003_x.sql").run(&["redo", "--yes"]).starts_with("exit 0\n"));
    expect![[r#"
        exit 8
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
        error: the plan is not the approved one
          = note: nothing was applied
          = note: it was approved at event 2 of the history, whose newest event is 4
          = note: the digest of this plan is CHECKSUM
          = help: run `migrator plan`, have it approved, and pass its digest
    "#]]
    .assert_eq(&up(&project, &approved));
    assert_eq!(project.query("SELECT to_regclass('x') IS NULL"), "t\n");
    // Another tool writes no event.
    let approved = digest(&project);
    project.query("INSERT INTO schema_migrations (version, applied_at) VALUES ('000', '2026-01-01')");
    project.migration("000_zero", "SELECT 1;", "SELECT 1;");
    let refused = up(&project, &approved);
    assert!(refused.starts_with("exit 8\n") && refused.contains("for another history"), "{refused}");
    let approved = digest(&project);
    project.query("UPDATE schema_migrations SET applied_at = '2026-01-02' WHERE version = '000'");
    assert!(up(&project, &approved).starts_with("exit 8\n"));
    let approved = digest(&project);
    project.run(&["environment", "set", "staging"]);
    assert!(up(&project, &approved).starts_with("exit 8\n"));
    assert!(up(&project, &digest(&project)).starts_with("exit 0\n"));
}

#[test]
fn a_failed_try_changes_nothing_that_was_approved() {
    let project = Project::new();
    project.tables(1).query("CREATE TABLE t1 (id int)");
    let approved = digest(&project);
    assert!(up(&project, &approved).starts_with("exit 3\n"));
    project.query("DROP TABLE t1");
    // The first try has created the history, and its failure is an event.
    assert_eq!(project.query("SELECT count(*) FROM schema_migration_events WHERE outcome = 'failed'"), "1\n");
    let done = up(&project, &approved);
    assert!(done.starts_with("exit 0\n"), "{done}");
}

#[test]
fn other_sql_and_another_database_are_not_what_was_approved() {
    let project = Project::new();
    project.tables(1);
    let approved = digest(&project);
    let other = Project::of(&project.db());
    let refused = up(&other, &approved).replace(project.database(), "APPROVED");
    let refused = refused.lines().map(|line| line.split(" (OID").next().unwrap()).collect::<Vec<_>>().join("\n");
    expect![[r#"
        exit 8
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
        error: the plan is not the approved one
          = note: nothing was applied
          = note: it was approved for database `APPROVED`
          = note: the digest of this plan is CHECKSUM
          = help: run `migrator plan`, have it approved, and pass its digest"#]]
    .assert_eq(&refused);
    assert_eq!(other.query("SELECT to_regclass('schema_migrations') IS NULL"), "t\n");
    project.migration("001_t1", "CREATE TABLE t1 (id bigint);", "DROP TABLE t1;");
    let refused = up(&project, &approved);
    assert!(refused.starts_with("exit 8\n") && refused.contains("with other steps"), "{refused}");
    assert!(up(&project, "beef").contains("`beef` is not the digest of a plan"));
    assert!(up(&project, &approved[..64]).contains("names neither a history nor a database"));
    assert!(up(&project, &digest(&project)).starts_with("exit 0\n"));
}

#[test]
fn a_database_that_takes_the_place_of_another_is_not_it() {
    let project = Project::new();
    project.tables(1);
    let approved = digest(&project);
    let database = project.database();
    query_on("postgres", &format!("DROP DATABASE {database}"));
    query_on("postgres", &format!("CREATE DATABASE {database}"));
    let refused = up(&project, &approved);
    assert!(refused.starts_with("exit 8\n") && refused.contains("it was approved for database `DB` (OID"), "{refused}");
}

#[test]
fn a_role_that_may_not_ask_for_the_system_approves_the_same_plan() {
    let project = Project::new();
    project.tables(1);
    let approved = digest(&project);
    project.query(
        "DO $$ BEGIN CREATE ROLE modest LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN END $$; \
         GRANT ALL ON SCHEMA public TO modest; REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC",
    );
    let applied = project.run_as("modest", &["up", "--plan", &approved, "--approved-by", "ada"]);
    assert!(applied.starts_with("exit 0\n"), "{applied}");
    assert_eq!(
        project.query("SELECT split_part(split_part(plan_digest, '.', 3), '-', 2) FROM schema_migration_events"),
        "0\n"
    );
}
