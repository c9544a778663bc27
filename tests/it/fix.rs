//! `check --fix`: hazards of new migrations rewritten, and what is proved before a file is written.

mod command;
mod hostile;
mod rows;
mod shapes;

use std::fs;
use std::path::{Path, PathBuf};

use expect_test::expect;
use migrator_build::load;
use migrator_lint::{RULES, search};
use migrator_xtask::author::fix::{Rewritten, Room, rewrite};

use crate::support::Project;

fn fixture(rule: &str) -> PathBuf {
    let folder = format!("fixtures/hazard_{}", rule.replace('-', "_"));
    Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)
}

/// Rewrites the newest migration of a directory, and writes what came of it.
fn fix(room: &mut Room, db: &Path) -> Rewritten {
    let set = load(db).unwrap_or_else(|problems| panic!("{problems}")).set;
    let newest = set.migrations.last().unwrap().number;
    fix_one(room, db, newest)
}

/// Rewrites one migration.
fn fix_one(room: &mut Room, db: &Path, version: i64) -> Rewritten {
    let set = load(db).unwrap_or_else(|problems| panic!("{problems}")).set;
    let rewritten = rewrite(room, db, Box::leak(Box::new(set)), version).unwrap();
    for file in &rewritten.files {
        fs::write(db.join("migrations").join(&file.name), &file.new).unwrap();
    }
    rewritten
}

/// The files in the order of their versions, but for the first ones.
fn written(db: &Path, without: usize) -> String {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(db.join("migrations")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let text =
        |path: &PathBuf| format!("## {}\n{}", path.file_name().unwrap().display(), fs::read_to_string(path).unwrap());
    paths[without..].iter().map(text).collect()
}

/// The facts of what the migrations of a directory make.
fn facts(db: &Path) -> String {
    let project = Project::of(db);
    let up = project.run(&["up"]);
    assert!(up.starts_with("exit 0"), "{up}");
    facts_of(&project)
}

/// The facts of a database, without the version that it is at.
fn facts_of(project: &Project) -> String {
    let said = project.run(&["drift", "--facts"]);
    assert!(said.starts_with("exit 0"), "{said}");
    let facts = said.split("--- stderr\n").next().unwrap_or_default();
    facts.lines().filter(|line| !line.starts_with("# ")).map(|line| format!("{line}\n")).collect()
}

#[test]
fn every_hazard_is_rewritten_as_its_safe_way_or_left_with_a_reason() {
    let mut room = Room::new().unwrap();
    let (mut fixed, mut left) = (String::new(), String::new());
    for rule in RULES.iter().map(|rule| rule.name) {
        let project = Project::of(&fixture(rule).join("db"));
        let original = facts(&project.db());
        let rewritten = fix(&mut room, &project.db());
        match (rewritten.fixed.as_slice(), rewritten.left.as_slice()) {
            ([hazard], []) => {
                assert_eq!(hazard.rule, rule);
                assert_eq!(facts(&project.db()), original, "{rule}");
                assert_eq!(search(&load(&project.db()).unwrap().set), [], "{rule}");
                let is_safe = facts(&fixture(rule).join("safe/db")) == original;
                let note = if is_safe { "" } else { " (safe/ makes another schema)" };
                fixed.push_str(&format!("{rule}: {}{note}\n", rewritten.files.len()));
            }
            ([], [(_, reason)]) => left.push_str(&format!("{rule}: {reason}\n")),
            other => panic!("{rule}: {other:?}"),
        }
        // What is done is done, and what is left stays.
        let again = fix(&mut room, &project.db());
        assert!(again.files.is_empty() && again.fixed.is_empty(), "{rule}: {again:?}");
    }
    fixed_are(&fixed);
    left_are(&left);
}

#[track_caller]
fn fixed_are(fixed: &str) {
    expect![[r#"
        adding-field-with-default: 2
        adding-foreign-key-constraint: 2
        adding-not-nullable-field: 2
        adding-serial-primary-key-field: 1
        constraint-missing-not-valid: 2
        creating-partition-of: 1
        creating-trigger: 2
        data-while-locked: 2
        disallowed-unique-constraint: 1
        identifier-too-long: 1 (safe/ makes another schema)
        refreshing-materialized-view: 1
        require-concurrent-index-creation: 1
        require-concurrent-index-deletion: 1
        require-concurrent-reindex: 1
        validate-in-same-transaction: 2
    "#]]
    .assert_eq(fixed);
}

#[track_caller]
fn left_are(left: &str) {
    expect![[r#"
        adding-exclusion-constraint: PostgreSQL can build it neither `NOT VALID` nor `CONCURRENTLY`
        adding-required-field: only you know which value existing rows should get
        attaching-partition: only you know the CHECK that proves the bounds
        ban-alter-domain-with-add-constraint: a CHECK on each table instead is another schema
        ban-alter-row-level-security: it decides who sees what
        ban-char-field: it would make another schema: column `core.notes language`
        ban-create-domain-with-constraint: a CHECK on each table instead is another schema
        ban-disable-trigger: only you know what the trigger is for
        ban-drop-column: only you know when no release uses it any more
        ban-drop-constraint: only you know what clients expect of it
        ban-drop-default: only you know whether the running release relies on it
        ban-drop-domain: only you know when no release uses it any more
        ban-drop-extension: only you know when no release uses it any more
        ban-drop-function: only you know when no release uses it any more
        ban-drop-not-null: only you know whether the running release can read NULL
        ban-drop-policy: only you know when no release uses it any more
        ban-drop-schema: only you know when no release uses it any more
        ban-drop-sequence: only you know when no release uses it any more
        ban-drop-table: only you know when no release uses it any more
        ban-drop-trigger: only you know when no release uses it any more
        ban-drop-type: only you know when no release uses it any more
        ban-drop-view: only you know when no release uses it any more
        ban-revoke: only you know who needs the privilege
        ban-set-schema: a view under the old name is another schema
        changing-column-type: a new column that takes its place is another schema for a while
        ddl-in-do: what a DO block executes is known only when it runs
        delete-without-where: only you know which rows are meant
        foreign-key-in-create-table: the locks would be the same
        prefer-bigint-over-int: it would make another schema: column `core.notes id`, sequence `core.notes_id_seq`
        prefer-identity: it would make another schema: column `core.notes id`
        prefer-jsonb: another type is another schema
        prefer-timestamp-tz: it would make another schema: column `core.notes written_at`
        renaming-column: both names at once are another schema
        renaming-object: both names at once are another schema
        renaming-table: a view under the old name is another schema
        require-concurrent-partition-detach: it would make another schema: constraint `core.events_2025 events_2025_happened_at_check`
        rewriting-table: PostgreSQL has no form that does the same without the lock
        truncate-table: batches of DELETE do not do quite the same
        update-without-where: only you know by which key the rows can be divided
    "#]].assert_eq(left);
}
