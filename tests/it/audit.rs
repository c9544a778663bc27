//! `audit`: questions about the data; every row that comes back is a violation.

use expect_test::expect;

use crate::support::{Project, fingerprint};

fn project() -> Project {
    let project = Project::new();
    project
        .migration("001_a", "CREATE TABLE a (id int, name text);", "DROP TABLE a;")
        .file("checks/names.sql", "SELECT id, name FROM a WHERE name IS NULL ORDER BY id;\nSELECT name, count(*) AS times FROM a GROUP BY name HAVING count(*) > 1;\n")
        .file("checks/negative.sql", "SELECT 'below zero' AS what, count(*) FROM a WHERE id < 0;\n")
        .run(&["up"]);
    project
}

#[test]
fn clean_data_is_exit_0_and_nothing_is_written() {
    let project = project();
    project.query("INSERT INTO a VALUES (1, 'one')");
    let before = fingerprint(&project);
    expect![[r#"
        exit 0
        --- stdout
        ok        names (1)
        ok        names (2)
        ok        negative
        3 queries, no violations
    "#]]
    .assert_eq(&project.run(&["audit"]));
    assert_eq!(fingerprint(&project), before);
}

#[test]
fn violations_are_shown_with_their_first_rows() {
    let project = project();
    project.query("INSERT INTO a SELECT n, CASE WHEN n % 2 = 0 THEN 'even' END FROM generate_series(-2, 25) n");
    expect![[r#"
        exit 1
        --- stdout
        violated  names (1): 14 rows
                  id  name
                  -1  null
                  1   null
                  3   null
                  5   null
                  7   null
                  9   null
                  11  null
                  13  null
                  15  null
                  17  null
                  ... 4 more
        violated  names (2): 2 rows
                  name  times
                  null  14
                  even  14
        violated  negative: 1 row
                  what        count
                  below zero  2
        3 of 3 queries need attention
    "#]]
    .assert_eq(&project.run(&["audit"]));
    expect![[r#"
        exit 1
        --- stdout
        {"format":1,"command":"audit","checks":[{"check":"negative","columns":["what","count"],"count":1,"file":"db/checks/negative.sql","first_rows":[["below zero","2"]],"result":"violated","statement":1}],"exit":1,"message":"1 of 1 queries need attention"}
    "#]].assert_eq(&project.run(&["audit", "negative", "--json"]));
}

#[test]
fn a_check_that_cannot_be_run_does_not_hide_the_others() {
    let project = project();
    project.query("INSERT INTO a VALUES (-1, 'x')");
    project.file("checks/broken.sql", "-- a column that is not there\nSELECT id FROM a WHERE nmae = 'Zoë';\n");
    expect![[r#"
        exit 9
        --- stdout
        failed    broken
        error: check broken cannot be run
         --> db/checks/broken.sql:2:24
          |
        2 | SELECT id FROM a WHERE nmae = 'Zoë';
          |                        ^ column "nmae" does not exist [42703]
        ok        names (1)
        ok        names (2)
        violated  negative: 1 row
                  what        count
                  below zero  1
        2 of 4 queries need attention
    "#]]
    .assert_eq(&project.run(&["audit"]));
}

#[test]
fn an_unknown_check_is_named_with_those_that_there_are() {
    expect![[r#"
        exit 2
        --- stderr
        error: there is no check `nmaes` in this binary
          = help: checks in this binary: `names`, `negative`
    "#]]
    .assert_eq(&project().run(&["audit", "nmaes"]));
    let empty = Project::new();
    expect![[r#"
        exit 2
        --- stderr
        error: there is no check `names` in this binary
          = help: checks in this binary: none
    "#]]
    .assert_eq(&empty.run(&["audit", "names"]));
    expect![[r#"
        exit 0
        --- stdout
        there are no checks in this binary
    "#]]
    .assert_eq(&empty.run(&["audit"]));
}

#[test]
fn a_role_that_may_only_read_can_audit() {
    let project = project();
    project
        .query("CREATE ROLE auditor LOGIN; GRANT SELECT ON a, schema_migrations, schema_migration_events TO auditor");
    assert!(project.run_as("auditor", &["audit"]).starts_with("exit 0"));
}

#[test]
fn up_audits_before_and_after() {
    let project = project();
    project.query("INSERT INTO a VALUES (-1, 'x')");
    project.migration("002_repair", "UPDATE a SET id = 1;", "");
    expect![[r#"
        exit 0
        --- stdout
        applied 002_repair (N ms)
        applied 1 migration in N ms; the database is at 002
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
        warning: the data checks before:
          violated  negative: 1 row
                    what        count
                    below zero  1
          1 of 1 queries need attention
        the data checks after found nothing
    "#]]
    .assert_eq(&project.run(&["up", "--audit"]));
    project.migration("003_spoil", "UPDATE a SET id = -7;", "");
    expect![[r#"
        exit 1
        --- stdout
        applied 003_spoil (N ms)
        applied 1 migration in N ms; the database is at 003
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
        the data checks before found nothing
        warning: the data checks after:
          violated  negative: 1 row
                    what        count
                    below zero  1
          1 of 1 queries need attention
    "#]]
    .assert_eq(&project.run(&["up", "--audit"]));
}
