//! What many files have in common is one error.

use expect_test::expect;

use super::refused::check;

#[test]
fn what_every_file_has_is_said_once() {
    let grant = "GRANT SELECT ON ${schema}.a TO ${role};\n";
    check(
        "flyway",
        &[("V1__a.sql", grant), ("V2__b.sql", &grant.repeat(3)), ("V3__c.sql", grant)],
        expect![[r#"
        exit 1
        --- stderr
        error: V1__a.sql:1: Flyway replaces `${schema}` before it runs the file (and 4 times more, also in 2 other files): say what it stands for with `--value schema=...`; Flyway replaces `${role}` before it runs the file (and 4 times more, also in 2 other files): say what it stands for with `--value role=...`
        error: nothing was imported: 1 error
        help: change these files, or leave them out with `--skip FILE`
    "#]],
    );
    // The build would take it for a variable of psql.
    let owner = "--! Previous: -\n--! Hash: sha1:aa\n\nGRANT a TO :DATABASE_VISITOR;\nALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO :DATABASE_VISITOR;\n";
    check(
        "graphile-migrate",
        &[("committed/000001.sql", owner), ("committed/000002.sql", owner)],
        expect![[r#"
        exit 1
        --- stderr
        error: committed/000001.sql:4: Graphile Migrate replaces `:DATABASE_VISITOR` before it runs the file (and 3 times more, also in another file): say what it stands for with `--value DATABASE_VISITOR=...`
        error: nothing was imported: 1 error
        help: change these files, or leave them out with `--skip FILE`
    "#]],
    );
    check(
        "sql-migrate",
        &[("1_a.up.sql", "SELECT 1;\n"), ("1_a.down.sql", "SELECT 2;\n"), ("2_b.up.sql", "SELECT 3;\n")],
        expect![[r#"
            exit 1
            --- stderr
            error: none of the 3 files has a line of sql-migrate that marks where it begins: name the tool that they are of
            error: nothing was imported: 1 error
            help: change these files, or leave them out with `--skip FILE`
        "#]],
    );
    check(
        "plain",
        &[("01_a.sql", "SELECT 1;\n"), ("01_b.sql", "SELECT 2;\n")],
        expect![[r#"
        exit 1
        --- stderr
        error: 01_b.sql: the same version to plain SQL as `01_a.sql`: `01`: rename one, so that their numbers say which runs first
        error: nothing was imported: 1 error
        help: change these files, or leave them out with `--skip FILE`
    "#]],
    );
}
