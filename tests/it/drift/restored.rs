//! A copy by pg_dump and psql has the schema of its original, whichever of the two the facts were read from.

use expect_test::expect;

use crate::support::{Project, query_on, restore, server};

use super::{create_reader, everything, facts, major, write_facts};

/// What the server writes otherwise after it has read it back, on this release.
fn expressions() -> String {
    let since = |release: i32, text: &'static str| if major().parse::<i32>().unwrap() >= release { text } else { "" };
    let later = [since(14, include_str!("expressions_14.sql")), since(15, include_str!("expressions_15.sql"))];
    include_str!("expressions.sql").to_owned() + &later.concat()
}

/// A database with one object of every kind, and with such expressions in every kind that holds any.
fn with_expressions() -> Project {
    let project = everything();
    project.query(&expressions());
    write_facts(&project);
    project
}

fn drift_on(project: &Project, database: &str, arguments: &[&str]) -> String {
    project.run_with(arguments, &[("DATABASE_URL", &server().url(database))])
}

#[test]
fn p2_a_restored_copy_has_no_drift() {
    let project = with_expressions();
    let copy = restore(&project, &[], "postgres");
    let copy_of_copy = restore(&copy, &[], "postgres");
    // The texts do change: otherwise nothing is proved here.
    let texts = |project: &Project| {
        project.query("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'known' ORDER BY 1")
    };
    assert_ne!(texts(&project), texts(&copy));
    for database in [copy.database(), copy_of_copy.database()] {
        assert_eq!(drift_on(&project, database, &["drift"]), "exit 0\n--- stdout\nno drift\n");
        let output = drift_on(&project, database, &["up", "--check-drift"]);
        assert!(output.starts_with("exit 0\n") && output.contains("\nno drift\n"), "{output}");
    }
    // The other way round: the facts were read from the copy.
    let original = facts(&project);
    for facts_of in [&copy, &copy_of_copy] {
        assert_eq!(facts(facts_of), original);
    }
}

/// Whoever restores it need not be, or know, the original's owner.
#[test]
fn p2_a_copy_that_belongs_to_another_role_has_no_drift() {
    let project = with_expressions();
    query_on(
        "postgres",
        "DO $$ BEGIN CREATE ROLE drift_restorer LOGIN SUPERUSER; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$",
    );
    let copy = restore(&project, &["--schema-only", "--no-owner"], "drift_restorer");
    let owners = "SELECT DISTINCT relowner::regrole FROM pg_class WHERE relnamespace IN ('app'::regnamespace, 'said'::regnamespace)";
    assert_eq!(copy.query(owners), "drift_restorer\n");
    assert_eq!(drift_on(&project, copy.database(), &["drift"]), "exit 0\n--- stdout\nno drift\n");
}

/// One value, one operator, one pair of parentheses that matters: in the copy as in the original.
const CHANGES: &[(&str, &str)] = &[
    (
        "ALTER TABLE said.things DROP CONSTRAINT known, ADD CONSTRAINT known CHECK (status IN ('a', 'c'))",
        "constraint known",
    ),
    (
        "ALTER TABLE said.things DROP CONSTRAINT known, ADD CONSTRAINT known CHECK (status IN ('a', 'b', 'c'))",
        "constraint known",
    ),
    (
        "ALTER TABLE said.things DROP CONSTRAINT known, ADD CONSTRAINT known CHECK (status NOT IN ('a', 'b'))",
        "constraint known",
    ),
    (
        "ALTER TABLE said.things DROP CONSTRAINT known, ADD CONSTRAINT known CHECK (status::char(1) IN ('a', 'b'))",
        "constraint known",
    ),
    (
        "ALTER TABLE said.things DROP CONSTRAINT ranges, ADD CONSTRAINT ranges CHECK (i BETWEEN 1 AND 9 AND i <> 5 AND (i < 8 AND (i > 2 OR i <> 6)))",
        "constraint ranges",
    ),
    (
        "ALTER TABLE said.things DROP CONSTRAINT ranges, ADD CONSTRAINT ranges CHECK (i BETWEEN 1 AND 9 AND i <> 5 AND (i < 8 AND i <> 6))",
        "constraint ranges",
    ),
    (
        "ALTER TABLE said.things DROP CONSTRAINT prices, ADD CONSTRAINT prices CHECK (price = ANY (ARRAY[1, 2]::numeric(3,1)[]) AND said.sum(1, i, 2.5) > 0)",
        "constraint prices",
    ),
    (
        "ALTER DOMAIN said.status DROP CONSTRAINT known; ALTER DOMAIN said.status ADD CONSTRAINT known CHECK (VALUE IN ('a', 'b'))",
        "constraint known",
    ),
    (
        "DROP INDEX said.open; CREATE INDEX open ON said.things (i) WHERE status IN ('a', 'b') AND (i BETWEEN 1 AND 9 OR j > 2)",
        "index open",
    ),
    (
        "ALTER POLICY own ON said.things USING (status IN ('a', 'b') AND (i = 1 OR j = 2) AND status = CURRENT_USER)",
        "policy own",
    ),
    (
        "ALTER TABLE said.things ALTER is_known SET DEFAULT (1 BETWEEN 0 AND 2 AND 'a'::varchar IN ('a', 'c'))",
        "column is_known",
    ),
    ("ALTER TABLE said.things ALTER kinds SET DEFAULT ARRAY['a', 'b']::text[]", "column kinds"),
    (
        "CREATE OR REPLACE VIEW said.joined AS SELECT a, b FROM said.left_side LEFT JOIN said.right_side ON false",
        "view",
    ),
    ("ALTER TABLE said.visit DROP CONSTRAINT visited", "constraint visited"),
    ("ALTER TABLE said.child NO INHERIT said.parent", "table"),
    ("DROP TABLE said.grandchild; ALTER TABLE said.child ALTER own TYPE text", "column own"),
];

#[test]
fn p2_a_change_is_found_in_the_copy_as_in_the_original() {
    let project = with_expressions();
    let copy = restore(&project, &[], "postgres");
    for (change, expected) in CHANGES {
        for (number, database) in [project.database(), copy.database()].into_iter().enumerate() {
            let changed = format!("{}_changed_{number}", project.database());
            query_on("postgres", &format!("CREATE DATABASE {changed} TEMPLATE {database}"));
            query_on(&changed, change);
            let output = drift_on(&project, &changed, &["drift"]);
            query_on("postgres", &format!("DROP DATABASE {changed} WITH (FORCE)"));
            assert!(output.starts_with("exit 1\n"), "{change}\n{output}");
            assert!(output.contains(&format!(" {expected}\n")), "{change}\n{output}");
        }
    }
}

/// A file that an older release has written is read; where it seems to differ, that it is old is said.
#[test]
fn facts_of_an_older_form_are_named_as_such() {
    let project = everything();
    project.query(&expressions());
    let file = format!("schema.facts.{}", major());
    let old = facts(&project).replace(", format 2;", ";");
    project.file(&file, &old);
    assert_eq!(project.run(&["drift"]), "exit 0\n--- stdout\nno drift\n");
    project.file(&file, &old.replace("said.left_side\tcolumn a\t#1", "said.left_side\tcolumn a\t#2"));
    expect![[r#"
        exit 1
        --- stdout
        said.left_side
          changed  column a
                   - #2 integer
                   + #1 integer
        1 object differs: 0 added, 0 removed, 1 changed
        --- stderr
        warning: another release of the migrator wrote db/schema.facts.MAJOR and may describe the same schema differently: run `cargo xtask dump` to write it again
    "#]]
    .assert_eq(&project.run(&["drift"]).replace(&major(), "MAJOR"));
    let refused = project.run(&["up", "--check-drift"]);
    assert!(refused.starts_with("exit 8\n") && refused.contains("another release of the migrator wrote"), "{refused}");
}

/// The facts of the whole, restored by `reset --from-dump`.
#[test]
fn p2_a_reset_from_a_dump_says_nothing_of_drift() {
    create_reader();
    let project = Project::new();
    let sql = include_str!("everything.sql").to_owned() + &expressions();
    project.migration("001_all", &sql, "");
    let up = project.run(&["up"]);
    assert!(up.starts_with("exit 0\n"), "{up}");
    write_facts(&project);
    let versions = "\n--\n-- Dbmate schema migrations\n--\n\nINSERT INTO public.schema_migrations (version) VALUES\n    ('001');\n";
    // As `cargo xtask dump` writes it: without what speaks to psql.
    let dump = crate::support::dump(&project, &["--schema-only", "--no-owner"]);
    let dump: String = dump.lines().filter(|line| !line.starts_with('\\')).map(|line| format!("{line}\n")).collect();
    project.file("schema.sql", &(dump + versions));
    let arguments = ["reset", "--from-dump", "--yes", "--database", project.database()];
    expect![[r#"
        exit 0
        --- stdout
        dropped and created database `DB`
        loaded db/schema.sql
        nothing to apply
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
    "#]]
    .assert_eq(&project.run(&arguments));
    assert_eq!(project.run(&["drift"]), "exit 0\n--- stdout\nno drift\n");
}
