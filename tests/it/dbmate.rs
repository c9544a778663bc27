//! The real dbmate and we on one database, each going on where the other stopped.

use std::path::Path;

use expect_test::expect;

use crate::dbmate_tool::{self, Dbmate};
use crate::support::Project;

/// Three tables, the third with an index that is built outside a transaction.
fn tables() -> Project {
    let project = Project::new();
    project.tables(3);
    let (up, down) = ("CREATE INDEX CONCURRENTLY t3_id_idx ON t3 (id);", "DROP INDEX CONCURRENTLY t3_id_idx;");
    let text = format!("-- migrate:up transaction:false\n{up}\n-- migrate:down transaction:false\n{down}\n");
    project.file("migrations/004_index_t3.sql", &text);
    project
}

/// Runs `test` with dbmate over the project's files and its database.
fn with_dbmate(rule: &str, project: impl FnOnce() -> Project, test: impl FnOnce(&Project, &Dbmate<'_>)) {
    if dbmate_tool::is_here(rule) {
        let project = project();
        let dbmate = Dbmate { migrations: &project.db().join("migrations"), url: project.url(), search_path: "" };
        test(&project, &dbmate);
    }
}

/// The applied versions, in the order of their number.
fn applied(project: &Project) -> String {
    project.query("SELECT string_agg(version, ' ' ORDER BY version::bigint) FROM schema_migrations")
}

#[test]
fn dbmate_sees_everything_of_this_repository_applied_after_us() {
    let own = || Project::of(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../db"));
    with_dbmate("dbmate's status after our up of db/", own, |project, dbmate| {
        project.run(&["up"]);
        let names = std::fs::read_dir(dbmate.migrations).unwrap().map(|entry| entry.unwrap().file_name());
        // README.md is for people.
        let files = names.filter(|name| name.to_string_lossy().ends_with(".sql")).count();
        let status = dbmate.run(&["status"]);
        assert!(status.ends_with(&format!("Applied: {files}\nPending: 0\n")), "{status}");
        let history = applied(project);
        assert_eq!(dbmate.run(&["migrate"]), "", "nothing is left to do for dbmate");
        assert_eq!(applied(project), history);
    });
}

#[test]
fn dbmate_goes_on_where_we_have_stopped() {
    with_dbmate("dbmate's migrate after our up --to", tables, |project, dbmate| {
        project.run(&["up", "--to", "2"]);
        expect![[r#"
            [X] 001_t1.sql
            [X] 002_t2.sql
            [ ] 003_t3.sql
            [ ] 004_index_t3.sql

            Applied: 2
            Pending: 2
        "#]]
        .assert_eq(&dbmate.run(&["status"]));
        dbmate.run(&["migrate"]);
        expect![[r#"
            exit 0
            --- stdout
            database DB at SERVER · release 1.0.0
            VERSION  NAME  STATE  APPLIED  BY  TIME
            001  t1  applied  DATE TIME UTC  postgres  N ms
            002  t2  applied  DATE TIME UTC  postgres  N ms
            003      t3        applied  elsewhere, unchecked
            004      index_t3  applied  elsewhere, unchecked
            up to date
        "#]]
        .assert_eq(&project.run(&["status", "--check"]));
    });
}

#[test]
fn we_see_what_dbmate_has_applied_and_do_the_rest() {
    with_dbmate("our status and up after dbmate's migrate", tables, |project, dbmate| {
        let later = ["migrations/003_t3.sql", "migrations/004_index_t3.sql"];
        let texts = later.map(|file| std::fs::read_to_string(project.db().join(file)).unwrap());
        for file in later {
            project.remove(file);
        }
        dbmate.run(&["migrate"]);
        for (file, text) in later.iter().zip(texts) {
            project.file(file, &text);
        }
        expect![[r#"
            exit 0
            --- stdout
            database DB at SERVER · release 1.0.0
            VERSION  NAME  STATE  APPLIED  BY  TIME
            001      t1        applied  elsewhere, unchecked
            002      t2        applied  elsewhere, unchecked
            003      t3        pending
            004      index_t3  pending
            2 pending. Next: `migrator up` applies what is pending.
        "#]]
        .assert_eq(&project.run(&["status"]));
        expect![[r#"
            exit 0
            --- stdout
            applied 003_t3 (N ms)
            applied 004_index_t3 (N ms)
            applied 2 migrations in N ms; the database is at 004
            --- stderr
            SERVER · database DB · user postgres · PostgreSQL X
        "#]]
        .assert_eq(&project.run(&["up"]));
        expect![[r#"
            exit 0
            --- stdout
            database DB at SERVER · release 1.0.0
            VERSION  NAME  STATE  APPLIED  BY  TIME
            001      t1        applied  elsewhere, unchecked
            002      t2        applied  elsewhere, unchecked
            003  t3  applied  DATE TIME UTC  postgres  N ms
            004  index_t3  applied  DATE TIME UTC  postgres  N ms
            up to date
        "#]]
        .assert_eq(&project.run(&["status"]));
        expect![[r#"
            [X] 001_t1.sql
            [X] 002_t2.sql
            [X] 003_t3.sql
            [X] 004_index_t3.sql

            Applied: 4
            Pending: 0
        "#]]
        .assert_eq(&dbmate.run(&["status"]));
    });
}

#[test]
fn dbmate_takes_back_what_we_have_applied() {
    with_dbmate("dbmate's rollback after our up", tables, |project, dbmate| {
        project.run(&["up"]);
        for _ in 0..2 {
            dbmate.run(&["rollback"]);
        }
        assert_eq!(project.query("SELECT to_regclass('t2'), to_regclass('t3')"), "t2|null\n");
        expect![[r#"
            exit 0
            --- stdout
            database DB at SERVER · release 1.0.0
            VERSION  NAME  STATE  APPLIED  BY  TIME
            001  t1  applied  DATE TIME UTC  postgres  N ms
            002  t2  applied  DATE TIME UTC  postgres  N ms
            003      t3        pending
            004      index_t3  pending
            2 pending. Next: `migrator up` applies what is pending.
        "#]]
        .assert_eq(&project.run(&["status"]));
        expect![[r#"
            exit 0
            --- stdout
            applied 003_t3 (N ms)
            applied 004_index_t3 (N ms)
            applied 2 migrations in N ms; the database is at 004
            --- stderr
            SERVER · database DB · user postgres · PostgreSQL X
        "#]]
        .assert_eq(&project.run(&["up"]));
        // The event log still says that the index was built once; what counts is that the migration is not applied.
        assert_eq!(project.query("SELECT to_regclass('t3'), to_regclass('t3_id_idx')"), "t3|t3_id_idx\n");
    });
}

#[test]
fn we_take_back_what_dbmate_has_applied() {
    with_dbmate("our down after dbmate's migrate", tables, |project, dbmate| {
        dbmate.run(&["migrate"]);
        expect![[r#"
            exit 0
            --- stdout
            rolled back 004_index_t3 (N ms)
            rolled back 003_t3 (N ms)
            rolled back 2 migrations in N ms; the database is at 002
            --- stderr
            SERVER · database DB · user postgres · PostgreSQL X
        "#]]
        .assert_eq(&project.run(&["down", "--to", "2", "--yes"]));
        assert_eq!(project.query("SELECT to_regclass('t2'), to_regclass('t3')"), "t2|null\n");
        assert_eq!(applied(project), "001 002\n");
        dbmate.run(&["migrate"]);
        assert_eq!(applied(project), "001 002 003 004\n");
    });
}
