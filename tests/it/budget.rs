//! `[budget]` of db/migrator.toml: `verify` and `plan --locks` fail beyond it.

use std::fs;

use expect_test::expect;
use serde_json::json;

use crate::support::{Project, server};

const SETTINGS: &str = "[budget]\nblocks_writes = \"500ms\"\nblocks_reads = \"200ms\"\nrewrites = 0\n";

/// Two migrations of production, and two new ones: one rewrites a table of production, one a table of its own release.
fn project(settings: &str) -> Project {
    let project = Project::new();
    project
        .file("migrator.toml", settings)
        .migration("001_base", "CREATE TABLE a (id int PRIMARY KEY, n int);", "DROP TABLE a;")
        .migration("002_old", "ALTER TABLE a ALTER COLUMN n TYPE bigint;", "ALTER TABLE a ALTER COLUMN n TYPE int;")
        .migration("003_own", "CREATE TABLE b (id int);", "DROP TABLE b;")
        .migration(
            "004_own_rewrite",
            "ALTER TABLE b ALTER COLUMN id TYPE bigint;",
            "ALTER TABLE b ALTER COLUMN id TYPE int;",
        );
    project
}

fn rewrite(project: &Project) {
    let down = "ALTER TABLE a ALTER COLUMN id TYPE int;";
    project.migration("005_rewrite", "ALTER TABLE a ALTER COLUMN id TYPE bigint;", down);
}

/// The exit code and the answer of `verify` to the last question.
fn verify(project: &Project) -> String {
    let base = json!({ "name": "origin/main", "versions": ["001", "002"], "repeatables": [] });
    fs::write(project.db().join("../base.json"), base.to_string()).unwrap();
    let base = project.db().join("../base.json").display().to_string();
    let output = project.run(&["verify", "--base", &base]);
    let code = output.lines().next().unwrap().to_owned();
    let lines =
        output.lines().skip_while(|line| !line.contains(" budget: ")).take_while(|line| !line.starts_with("---"));
    std::iter::once(code).chain(lines.map(|line| line.replace(" (N ms)", ""))).collect::<Vec<_>>().join("\n")
}

#[test]
fn verify_judges_what_is_not_on_the_base_branch() {
    let project = project(SETTINGS);
    expect![[r#"
        exit 0
        ok      budget: 2 new migrations, within [budget]
        everything else passed; not checked: release, schema"#]]
    .assert_eq(&verify(&project));
    rewrite(&project);
    expect![[r#"
        exit 1
        FAILED  budget: 3 new migrations, beyond [budget] of db/migrator.toml
                    1 table is rewritten: public.a by statement 1 of 005_rewrite; the budget allows 0
                    how long a lock is held depends on the data: the times of [budget] are judged only with `--stats`
        1 of 14 checks failed"#]]
    .assert_eq(&verify(&project));
    project.file("migrator.toml", "[budget]\nblocks_reads = \"0\"\n");
    expect![[r#"
        exit 1
        FAILED  budget: 3 new migrations, beyond [budget] of db/migrator.toml
                    005_rewrite makes reads of public.a wait from statement 1 on; the budget allows none
        1 of 14 checks failed"#]]
    .assert_eq(&verify(&project));
    project.file("migrator.toml", "");
    assert_eq!(verify(&project), "exit 0");
    project.file("migrator.toml", SETTINGS).migration("006_bad", "SELECT nothing;", "SELECT 1;");
    expect![[r#"
        exit 1
        skipped budget: the migrations do not go up
        2 of 14 checks failed"#]]
    .assert_eq(&verify(&project));
}

#[test]
fn a_plan_with_its_locks_is_judged_from_where_the_database_is() {
    let project = project(SETTINGS);
    project.run(&["up"]);
    rewrite(&project);
    project.migration("006_index", "CREATE INDEX ON a (n);", "");
    let locks = |more: &[&str]| {
        let scratch = server().url("postgres");
        project.run(&[&["plan", "--locks", "--scratch-url", &scratch], more].concat())
    };
    expect![[r#"
        exit 1
        --- stdout
        would apply 005_rewrite
            statement 1: AccessExclusiveLock on public.a, rewritten, scanned: reads and writes wait (N ms)
            statement 1: AccessExclusiveLock on public.a_pkey, rewritten: reads and writes wait (N ms)
        would apply 006_index
            statement 1: ShareLock on public.a, scanned: writes wait (N ms)
        plan digest: CHECKSUM
        beyond [budget]: 1 table is rewritten: public.a by statement 1 of 005_rewrite; the budget allows 0
        --- stderr
        seen on an empty copy of the schema on PostgreSQL X with real data, the same locks are held longer
        how long a lock is held depends on the data: the times of [budget] are judged only with `--stats`
    "#]]
    .assert_eq(&locks(&[]));
    let output = locks(&["--json"]);
    let json: serde_json::Value = crate::support::schema::result(&output);
    expect![[r#"
        {
          "beyond": [
            "1 table is rewritten: public.a by statement 1 of 005_rewrite; the budget allows 0"
          ],
          "needs_times": true
        }"#]]
    .assert_eq(&format!("{:#}", json["budget"]));
    assert!(output.starts_with("exit 1\n"), "{output}");
    // Only what ships decides what production does: it judges nothing.
    assert!(project.run(&["plan"]).starts_with("exit 0\n"));
}
