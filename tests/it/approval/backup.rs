//! `backup = "required"`: what destroys data says first which backup there is.

use expect_test::expect;

use crate::support::Project;

/// A database that is production, with a table that has rows.
fn production(policy: &str) -> Project {
    let project = Project::new();
    project.migration("001_users", "CREATE TABLE users (id int, name text);", "DROP TABLE users;");
    project.file("migrator.toml", &format!("[environments.production]\nbackup = \"required\"\n{policy}"));
    project.run(&["up"]);
    project.run(&["environment", "set", "production"]);
    project
}

const REFERENCE: [&str; 2] = ["--backup-reference", "base backup of 02:00, s3://backups/crm"];

fn references(project: &Project) -> String {
    project.query("SELECT action, version, backup_reference FROM schema_migration_events WHERE backup_reference IS NOT NULL ORDER BY id")
}

#[test]
fn a_migration_that_destroys_nothing_needs_none() {
    let project = production("");
    project.migration(
        "002_more",
        "ALTER TABLE users ADD mail text; CREATE TABLE old (id int); DROP TABLE old; UPDATE users SET mail = name WHERE mail IS NULL;",
        "ALTER TABLE users DROP mail;",
    );
    assert!(project.run(&["up"]).starts_with("exit 0\n"));
    assert_eq!(references(&project), "");
}

#[test]
fn what_destroys_data_needs_a_reference_which_is_recorded() {
    let project = production("");
    project.migration("002_less", "SELECT 1;\nALTER TABLE users DROP COLUMN name;", "SELECT 1;");
    project.file("repeatable/r.sql", "DELETE FROM users;\n");
    expect![[r#"
        exit 8
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X · environment production
        error: the environment `production` requires a backup before data is destroyed
          = note: 002_less, statement 2: ALTER TABLE users DROP COLUMN name
          = note: r, statement 1: DELETE FROM users
          = note: nothing was changed
          = help: make a backup, then run the command again with `--backup-reference "WHAT, WHERE"`, which the history records
    "#]]
    .assert_eq(&project.run(&["up"]));
    assert!(project.run(&["up", "--backup-reference", "  "]).starts_with("exit 8\n"));
    let done = project.run(&[&["up"], &REFERENCE[..]].concat());
    assert!(done.starts_with("exit 0\n"), "{done}");
    expect![[r#"
        up|002|base backup of 02:00, s3://backups/crm
        repeatable|null|base backup of 02:00, s3://backups/crm
    "#]]
    .assert_eq(&references(&project));
}

#[test]
fn a_rollback_and_a_redo_need_one_too() {
    let project = production("");
    let refused = project.run(&["down", "--yes"]);
    assert!(
        refused.starts_with("exit 8\n") && refused.contains("001_users, statement 1: DROP TABLE users"),
        "{refused}"
    );
    assert!(project.run(&["redo", "--yes"]).starts_with("exit 8\n"));
    assert_eq!(project.query("SELECT to_regclass('users') IS NOT NULL"), "t\n");
    let variable = [("MIGRATOR_BACKUP_REFERENCE", REFERENCE[1])];
    assert!(project.run_with(&["redo", "--yes"], &variable).starts_with("exit 0\n"));
    let line = ["down", "--yes", "--approved-by", "ada"];
    assert!(project.run(&[&line[..], &REFERENCE[..]].concat()).starts_with("exit 0\n"));
    expect![[r#"
        down|001|base backup of 02:00, s3://backups/crm
        up|001|base backup of 02:00, s3://backups/crm
        down|001|base backup of 02:00, s3://backups/crm
    "#]]
    .assert_eq(&references(&project));
    assert_eq!(project.query("SELECT approved_by FROM schema_migration_events ORDER BY id DESC LIMIT 1"), "ada\n");
}

#[test]
fn a_redo_whose_way_up_destroys_is_refused_before_anything_is_gone() {
    let project = production("");
    project.migration("002_purge", "DELETE FROM users;", "SELECT 1;");
    project.run(&[&["up"], &REFERENCE[..]].concat());
    assert!(project.run(&["redo", "--yes"]).starts_with("exit 8\n"));
    assert_eq!(project.query("SELECT count(*) FROM schema_migrations"), "2\n");
}

#[test]
fn approval_and_backup_are_asked_for_one_after_the_other() {
    let project = production("approval = true\n");
    project.migration("002_less", "DROP TABLE users;", "SELECT 1;");
    assert!(project.run(&[&["up"], &REFERENCE[..]].concat()).contains("requires an approved plan"));
    let digest = super::digest(&project);
    let approved = ["up", "--plan", &digest, "--approved-by", "ada"];
    assert!(project.run(&approved).contains("requires a backup"));
    assert!(project.run(&[&approved[..], &REFERENCE[..]].concat()).starts_with("exit 0\n"));
    assert_eq!(
        project.query("SELECT approved_by, backup_reference FROM schema_migration_events ORDER BY id DESC LIMIT 1"),
        format!("ada|{}\n", REFERENCE[1])
    );
}

#[test]
fn a_seed_and_another_environment() {
    let project = production("");
    project.file("seeds/fresh.sql", "TRUNCATE users;\n");
    assert!(project.run(&["seed", "fresh"]).contains("seed fresh, statement 1: TRUNCATE users"));
    assert!(project.run(&[&["seed", "fresh"], &REFERENCE[..]].concat()).starts_with("exit 0\n"));
    project.run(&["environment", "set", "staging"]);
    assert!(project.run(&["seed", "fresh"]).starts_with("exit 0\n"));
    assert!(project.run(&["down", "--yes"]).starts_with("exit 0\n"));
}

#[test]
fn a_log_of_an_earlier_release_gets_the_column() {
    let project = production("");
    project.query("ALTER TABLE schema_migration_events DROP COLUMN backup_reference");
    assert!(project.run(&["status"]).starts_with("exit 0\n"));
    let done = project.run(&[&["down", "--yes"], &REFERENCE[..]].concat());
    assert!(done.starts_with("exit 0\n"), "{done}");
    assert_eq!(references(&project), format!("down|001|{}\n", REFERENCE[1]));
}

#[test]
fn a_down_block_of_which_nothing_is_known_may_destroy_anything() {
    let project = production("");
    project.query("UPDATE schema_migration_events SET down_block = (down_block::jsonb #- '{down,destroys}')::text WHERE down_block IS NOT NULL");
    project.migration("001_users", "CREATE TABLE people (id int);", "SELECT 1;");
    let refused = project.run(&["down", "--yes"]);
    assert!(refused.starts_with("exit 8\n") && refused.contains("has not recorded what it destroys"), "{refused}");
    assert!(project.run(&[&["down", "--yes"], &REFERENCE[..]].concat()).starts_with("exit 0\n"));
}

#[test]
fn a_policy_that_does_not_exist_is_a_mistake() {
    let project = Project::new();
    project.tables(1).file("migrator.toml", "[environments.production]\nbackup = true\n");
    let refused = project.run(&["up"]);
    assert!(refused.contains("write one of `\"required\"`, `\"optional\"`"), "{refused}");
}
