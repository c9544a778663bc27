//! Databases that have begun with a migration before it was squashed.

use expect_test::expect;

use super::shop::{Shop, facts};
use crate::support::{Project, fingerprint};

/// A database at that version of the migrations as they are now.
fn at(shop: &Shop, version: u32) -> Project {
    let database = shop.project();
    let up = database.run(&["up", "--to", &version.to_string()]);
    assert!(up.starts_with("exit 0"), "{up}");
    database
}

#[test]
fn a_database_stopped_anywhere_goes_up_and_down() {
    let shop = Shop::of_thirty("squash-older");
    let whole = at(&shop, 30);
    let stopped: Vec<(u32, Project)> = (3..=30).step_by(3).map(|version| (version, at(&shop, version))).collect();
    shop.squash("--to 020 --drop-data");
    for (version, database) in &stopped {
        let database = shop.on(database);
        let plan = database.run(&["plan"]);
        assert!(plan.starts_with("exit 0") && !plan.contains("baseline ("), "{version}: {plan}");
        let up = database.run(&["up"]);
        assert!(up.starts_with("exit 0") && !up.contains("applied 020_baseline"), "{version}: {up}");
        assert_eq!(facts(&database), facts(&whole), "{version}");
        assert!(database.run(&["status", "--check"]).starts_with("exit 0"), "{version}");
        assert!(database.run(&["up"]).contains("nothing to apply"), "{version}");
        assert_eq!(database.query("SELECT count(*) FROM t1"), "1\n", "{version}");
    }
    let (_, first) = &stopped[0];
    let first = shop.on(first);
    let down = first.run(&["down", "--to", "5", "--yes"]);
    assert!(down.starts_with("exit 0") && down.contains("rolled back 006_view"), "{down}");
    let redo = first.run(&["redo", "--yes"]);
    assert!(redo.contains("applied 005_drop_name"), "{redo}");
    assert!(first.run(&["up"]).starts_with("exit 0"));
    assert_eq!(facts(&first).replace('#', ""), facts(&whole).replace('#', ""));
    // Once everything is rolled back, it is a new database.
    first.query("DROP VIEW all_of_t1");
    assert!(first.run(&["down", "--to", "0", "--yes"]).starts_with("exit 0"));
    let up = first.run(&["up"]);
    assert!(up.contains("applied 020_baseline"), "{up}");
    assert_eq!(facts(&first), facts(&whole));
}

#[test]
fn what_it_has_run_must_be_what_was_squashed() {
    let shop = Shop::of_thirty("squash-checksum");
    let changed = at(&shop, 8);
    changed.query("UPDATE schema_migrations SET checksum = repeat('0', 64) WHERE version = '003'");
    let late = at(&shop, 8);
    late.query("DELETE FROM schema_migrations WHERE version = '005'");
    let unknown = at(&shop, 8);
    unknown.query("UPDATE schema_migrations SET version = '0071' WHERE version = '007'");
    shop.squash("--to 020 --drop-data");
    for database in [&changed, &late] {
        let before = fingerprint(database);
        let database = shop.on(database);
        assert!(database.run(&["up"]).starts_with("exit 4"));
        assert!(database.run(&["status", "--check"]).starts_with("exit 4"));
        assert_eq!(fingerprint(&database), before);
    }
    expect![[r#"
        exit 4
        --- stderr
        error: history and binary diverge: `db/squashed/003_index.sql`: version 003 was applied by release 1.0.0 with checksum CHECKSUM, but this binary has CHECKSUM
          = help: applied migrations are immutable: restore the file (`git log -p` shows the change) and put the change into a new migration
    "#]].assert_eq(&shop.on(&changed).run(&["plan"]));
    expect![[r#"
        exit 4
        --- stderr
        error: history and binary diverge: `db/squashed/005_drop_name.sql`: version 005 is pending, but the newer 008 is applied
          = help: give it a version above 008, or, if its order does not matter, run `up --allow-out-of-order`
    "#]].assert_eq(&shop.on(&late).run(&["plan"]));
    assert!(shop.on(&unknown).run(&["up"]).starts_with("exit 4"));
    let new = shop.project();
    assert!(new.run(&["up", "--to", "25"]).starts_with("exit 0"));
    new.query("UPDATE schema_migrations SET checksum = repeat('0', 64) WHERE version = '020'");
    expect![[r#"
        exit 4
        --- stderr
        error: history and binary diverge: `db/migrations/020_baseline.sql`: version 020 was applied by release 1.0.0 with checksum CHECKSUM, but this binary has CHECKSUM
          = help: applied migrations are immutable: restore the file (`git log -p` shows the change) and put the change into a new migration
    "#]].assert_eq(&new.run(&["plan"]));
}

#[test]
fn the_release_before_the_squash_refuses_what_it_does_not_know() {
    let shop = Shop::of_thirty("squash-old-release");
    let old_files = shop.project();
    shop.squash("--to 020 --drop-data");
    let new = shop.project();
    assert!(new.run(&["up"]).starts_with("exit 0"));
    let before = fingerprint(&new);
    let old = new.release("0.9.0");
    std::fs::remove_dir_all(old.db()).unwrap();
    for (path, bytes) in crate::workspace::files(&old_files.db()) {
        let path = path.display().to_string();
        old.file(&path, str::from_utf8(&bytes).unwrap());
    }
    for command in [&["up"][..], &["down", "--yes"], &["status", "--check"]] {
        let said = old.run(command);
        assert!(said.starts_with("exit 4"), "{said}");
    }
    assert_eq!(fingerprint(&new), before);
}

#[test]
fn rows_without_checksums_are_taken_for_what_they_say() {
    let shop = Shop::of_thirty("squash-dbmate");
    let as_dbmate = |database: &Project| {
        database.query(
            "ALTER TABLE schema_migrations RENAME TO ours; CREATE TABLE schema_migrations (version varchar(128) PRIMARY KEY); \
             INSERT INTO schema_migrations SELECT version FROM ours; DROP TABLE ours; DROP TABLE schema_migration_events",
        );
    };
    let whole = at(&shop, 30);
    let older = at(&shop, 14);
    shop.squash("--to 020 --drop-data");
    let new = shop.project();
    assert!(new.run(&["up", "--to", "22"]).starts_with("exit 0"));
    for database in [older, new] {
        as_dbmate(&database);
        let database = shop.on(&database);
        let up = database.run(&["up"]);
        assert!(up.starts_with("exit 0") && !up.contains("020_baseline"), "{up}");
        assert_eq!(facts(&database), facts(&whole));
    }
}

#[test]
fn without_their_files_squashed_migrations_are_still_known() {
    let shop = Shop::of_thirty("squash-files-gone");
    let (past, short) = (at(&shop, 22), at(&shop, 13));
    let whole = at(&shop, 30);
    shop.squash("--to 020 --drop-data");
    for entry in std::fs::read_dir(shop.0.path("db/squashed")).unwrap() {
        std::fs::remove_file(entry.unwrap().path()).unwrap();
    }
    let (past, short) = (shop.on(&past), shop.on(&short));
    assert!(past.run(&["up"]).starts_with("exit 0"));
    assert_eq!(facts(&past), facts(&whole));
    expect![[r#"
        exit 8
        --- stderr
        error: cannot apply 014_state: it is squashed, and this binary does not hold its SQL
          = note: the file `db/squashed/014_state.sql` was deleted before this release was built
          = help: run the migrator of a release that still holds it first, or restore the file with git and build again
    "#]]
    .assert_eq(&short.run(&["up"]));
    expect![[r#"
        exit 2
        --- stderr
        error: the SQL of 007_function is not in this binary
          = note: it is squashed, and `db/squashed/007_function.sql` was deleted before this release was built
          = help: use the binary of a release that still contains it, or git
    "#]]
    .assert_eq(&short.run(&["show", "7"]));
    // Their down blocks are in the history.
    let down = past.run(&["down", "--to", "18", "--yes"]);
    assert!(down.starts_with("exit 0") && down.contains("rolled back 019_grant"), "{down}");
    past.query("UPDATE schema_migration_events SET down_block = NULL");
    expect![[r#"
        exit 8
        --- stderr
        error: cannot roll back 018_child: it is squashed, and this binary does not hold its SQL
          = note: the file `db/squashed/018_child.sql` was deleted before this release was built
          = help: run the migrator of a release that still holds it first, or restore the file with git and build again
    "#]]
    .assert_eq(&past.run(&["down", "--yes"]));
}

#[test]
fn a_database_can_be_recorded_at_a_squashed_version() {
    let shop = Shop::of_thirty("squash-stamp");
    let whole = at(&shop, 30);
    let [stamped, adopted] = [at(&shop, 9), at(&shop, 9)];
    shop.squash("--to 020 --drop-data");
    for database in [&stamped, &adopted] {
        database.query("DROP TABLE schema_migrations, schema_migration_events");
    }
    let stamped = shop.on(&stamped);
    expect![[r#"
        exit 0
        --- stdout
        stamped 9 without running: 001_table, 002_note, 003_index and 6 more
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
    "#]]
    .assert_eq(&stamped.run(&["stamp", "--to", "9"]));
    adopted.query(
        "CREATE TABLE _sqlx_migrations (version bigint PRIMARY KEY, description text NOT NULL, installed_on timestamptz NOT NULL DEFAULT now(), \
         success boolean NOT NULL, checksum bytea NOT NULL, execution_time bigint NOT NULL); \
         INSERT INTO _sqlx_migrations SELECT n, 'm', now(), true, '\\x00', 1 FROM generate_series(1, 9) n",
    );
    let adopted = shop.on(&adopted);
    let said = adopted.run(&["adopt", "sqlx"]);
    assert!(said.starts_with("exit 0"), "{said}");
    for database in [stamped, adopted] {
        let up = database.run(&["up"]);
        assert!(up.starts_with("exit 0") && up.contains("applied 010_rows"), "{up}");
        assert!(up.contains("applied 21 migrations"), "{up}");
        database.query("DROP TABLE IF EXISTS _sqlx_migrations");
        assert_eq!(facts(&database), facts(&whole));
    }
}

#[test]
fn a_half_done_squashed_migration_is_resumed() {
    let shop = Shop::of_thirty("squash-half-done");
    let half = at(&shop, 2);
    // Other statements than those that were squashed, and the second one fails.
    half.file(
        "migrations/003_index.sql",
        "-- migrate:up transaction:false\nSELECT 1;\nSELECT 1 / 0;\n\n-- migrate:down\n",
    );
    assert!(!half.run(&["up"]).starts_with("exit 0"));
    let status = half.run(&["status"]);
    assert!(status.contains("half-done"), "{status}");
    shop.squash("--to 020 --drop-data");
    let refused = shop.on(&half).run(&["up"]);
    assert!(refused.starts_with("exit 4") && refused.contains("db/squashed/003_index.sql"), "{refused}");
}
