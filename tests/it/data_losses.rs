//! `verify` rolls back with rows in place, and says what is lost: all of it, and nothing else.

use expect_test::{Expect, expect};

use crate::support::Project;

mod cases;
mod rows;

use cases::{Case, DEFINITIONS};
use rows::ROWS;

/// All of them.
fn cases() -> impl Iterator<Item = (usize, &'static Case)> {
    DEFINITIONS.iter().chain(ROWS).enumerate()
}

/// The lines that `verify` says of the losses.
fn losses(project: &Project) -> (String, Vec<String>) {
    let output = project.run(&["verify", "--data", "all", "--json"]);
    let findings = crate::support::schema::result(&output)["findings"].clone();
    let finding = findings.as_array().unwrap().iter().find(|finding| finding["name"] == "data losses").unwrap();
    let lines = finding["lines"].as_array().unwrap().iter().map(|line| line.as_str().unwrap().to_owned());
    (finding["verdict"].as_str().unwrap().to_owned(), lines.collect())
}

/// The schema of a case.
fn schema(index: usize) -> String {
    format!("s{index:02}")
}

/// The lines about a migration, without its name: each begins with it. What an error adds is left out.
fn about(lines: &[String], label: &str) -> Vec<String> {
    let rolling = format!("rolling {label} back ");
    let own = format!("{label}: ");
    let file = format!("db/migrations/{label}.sql:");
    let line = |line: &String| {
        let rest = line.strip_prefix(&rolling).or_else(|| line.strip_prefix(&own));
        rest.map(str::to_owned).or_else(|| line.strip_prefix(&file).map(|rest| format!("line {rest}")))
    };
    lines.iter().filter_map(line).collect()
}

#[test]
fn every_loss_is_found_and_none_is_invented() {
    let project = Project::new();
    for (index, Case { name, setup, up, down, .. }) in cases() {
        let here = |sql: &str| sql.replace('@', &schema(index));
        project.migration(&format!("{:03}_setup", 2 * index), &here(&format!("CREATE SCHEMA @;\n{setup}")), "");
        project.migration(&format!("{:03}_{name}", 2 * index + 1), &here(up), &here(down));
    }
    let (_, lines) = losses(&project);
    let mut wrong = String::new();
    for (index, case) in cases() {
        let expected: Vec<String> = case.expected.iter().map(|line| line.replace('@', &schema(index))).collect();
        let found = about(&lines, &format!("{:03}_{}", 2 * index + 1, case.name));
        if found != expected {
            wrong.push_str(&format!("{}:\n  expected {expected:#?}\n  found {found:#?}\n", case.name));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(cases().count() >= 50);
}

#[track_caller]
fn check(project: &Project, expected: Expect) {
    let (verdict, lines) = losses(project);
    expected.assert_eq(&format!("{verdict}\n{}\n", lines.join("\n")));
}

#[test]
fn an_undeclared_loss_is_mild_and_a_wrong_declaration_fails() {
    let project = Project::new();
    project.migration("001_t", "CREATE TABLE t (id int PRIMARY KEY, \"Odd name\" text);", "");
    check(
        &project,
        expect![[r#"
            ok
            no new migration has a down block
        "#]],
    );
    project.migration("002_b", "ALTER TABLE t ADD COLUMN b text;", "ALTER TABLE t DROP COLUMN b;");
    check(
        &project,
        expect![[r#"
        mild
        1 of 1 rollback loses data
        rolling 002_b back loses 1 column with 3 rows: public.t.b
        help: where that is meant, say so in the down block: `-- migrate:loses <schema>.<table>.<column>`
    "#]],
    );
    project.migration(
        "002_b",
        "ALTER TABLE t ADD COLUMN b text;",
        "-- migrate:loses t.b it is a copy\nALTER TABLE t DROP COLUMN b;",
    );
    check(
        &project,
        expect![[r#"
        ok
        1 of 1 rollback loses data
        rolling 002_b back loses 1 column with 3 rows: public.t.b, as declared
    "#]],
    );
    project.migration(
        "003_rename",
        "ALTER TABLE t RENAME COLUMN \"Odd name\" TO plain;",
        "-- migrate:loses public.t.\"Odd name\"\nALTER TABLE t RENAME COLUMN plain TO \"Odd name\";",
    );
    check(
        &project,
        expect![[r#"
        failed
        1 of 2 rollbacks loses data
        rolling 002_b back loses 1 column with 3 rows: public.t.b, as declared
        db/migrations/003_rename.sql:5: the rollback does not lose `public.t."Odd name"`: remove `-- migrate:loses`
    "#]],
    );
}

#[test]
fn only_what_is_new_is_looked_at_unless_all_is_asked_for() {
    let project = Project::new();
    project.tables(2);
    let output = project.run(&["verify"]);
    assert!(output.contains("mild    data losses: 1 of 1 rollback loses data (N ms)"), "{output}");
    assert!(output.contains("rolling 002_t2 back loses 1 table with 3 rows: public.t2\n"), "{output}");
    assert!(!output.contains("rolling 001_t1 back"), "{output}");
    let output = project.run(&["verify", "--data", "all"]);
    assert!(output.contains("mild    data losses: 2 of 2 rollbacks lose data (N ms)"), "{output}");
}

#[test]
fn of_many_tables_those_count_that_the_rollback_can_touch() {
    let project = Project::new();
    let many: String = (0..250).map(|n| format!("CREATE TABLE many_{n} (id int PRIMARY KEY, note text);\n")).collect();
    project.migration("001_many", &many, "");
    project.migration(
        "002_column",
        "ALTER TABLE many_1 ADD COLUMN b text;\nCREATE TABLE child (id int REFERENCES many_1);",
        "DROP TABLE child;\nALTER TABLE many_1 DROP COLUMN b;",
    );
    // A row of the table must be there for the rows of another one to go with it.
    project.migration(
        "003_cascade",
        "CREATE TABLE item (of int REFERENCES many_2 ON DELETE CASCADE);",
        "TRUNCATE many_2 CASCADE;\nALTER TABLE item ADD COLUMN late int;",
    );
    // These may touch any table.
    project.migration("004_call", "SELECT 1;", "DO $$ BEGIN EXECUTE 'DELETE FROM many_3'; END $$;");
    project.migration(
        "005_trigger",
        "CREATE FUNCTION sweep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM many_4; RETURN NULL; END $$;\n\
         CREATE TRIGGER sweep AFTER TRUNCATE ON many_5 EXECUTE FUNCTION sweep();",
        "TRUNCATE many_5;\nDROP TRIGGER sweep ON many_5;\nDROP FUNCTION sweep();",
    );
    check(
        &project,
        expect![[r#"
        mild
        4 of 4 rollbacks lose data
        rolling 002_column back loses 1 table with 3 rows: public.child
        rolling 002_column back loses 1 column with 3 rows: public.many_1.b
        rolling 003_cascade back loses 3 of 3 rows of public.item
        rolling 003_cascade back loses 3 of 3 rows of public.many_2
        rolling 004_call back loses 3 of 3 rows of public.many_3
        rolling 005_trigger back loses 3 of 3 rows of public.many_4
        rolling 005_trigger back loses 3 of 3 rows of public.many_5
        help: where that is meant, say so in the down block: `-- migrate:loses <schema>.<table>.<column>`
    "#]],
    );
}
