//! A `transaction:false` block that was interrupted goes on in the session that its statements have left, or not at all.

use expect_test::expect;

use crate::support::Project;

/// A block that stops at its second recorded statement until `open_gate` is called; `first` runs before it.
fn gated(first: &str) -> Project {
    let project = Project::new();
    project.query(
        "CREATE SCHEMA app; CREATE TABLE public.numbers (n int); INSERT INTO public.numbers VALUES (0); CREATE TABLE public.gate (n int); \
         CREATE FUNCTION public.go_to(path text) RETURNS text LANGUAGE sql AS $$ SELECT set_config('search_path', path, false) $$; \
         CREATE FUNCTION public.remember(name text) RETURNS text LANGUAGE sql AS $$ SELECT set_config(name, 'german', false) $$",
    );
    project.file(
        "migrations/001_x.sql",
        &format!("-- migrate:up transaction:false\n{first}\nINSERT INTO public.gate SELECT 1 / n FROM public.numbers;\nCREATE TABLE made (id int);\n-- migrate:down\nSELECT 1;\n"),
    );
    let failed = project.run(&["up"]);
    assert!(failed.starts_with("exit 3\n") && failed.contains("division by zero"), "{failed}");
    project.query("UPDATE public.numbers SET n = 1");
    project
}

#[test]
fn a_path_that_cannot_be_replayed_is_not_guessed() {
    let project = gated("SELECT public.go_to('app');");
    let output = project.run(&["up"]);
    expect![[r#"
        exit 7
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
        error: migration 001_x cannot continue: its session differs from the one that was interrupted
          = note: it was `search_path: app`, it is `search_path: "$user", public`
          = note: applied before it in this run: none. Not run: none.
          = help: finish the block by hand and run `migrator resolve 001 --statement 2 --applied`, or continue in the current session with `--retry`
    "#]]
    .assert_eq(&output);
    assert_eq!(project.query("SELECT count(*) FROM pg_class WHERE relname = 'made'"), "0\n");
    assert!(project.run(&["resolve", "1", "--statement", "2", "--retry"]).starts_with("exit 0\n"));
    assert!(project.run(&["up"]).starts_with("exit 0\n"));
    assert_eq!(project.query("SELECT to_regclass('public.made') IS NOT NULL"), "t\n");
}

#[test]
fn other_state_that_a_function_leaves_is_compared_too() {
    for first in [
        "SELECT public.remember('DateStyle');",
        "SELECT public.remember('application_name');",
        "BEGIN;\nSELECT public.go_to('app');\nCOMMIT;",
    ] {
        let project = gated(first);
        let output = project.run(&["up"]);
        assert!(output.starts_with("exit 7\n"), "{first}: {output}");
    }
}

#[test]
fn what_is_set_is_replayed_and_the_block_goes_on() {
    for first in [
        "SET search_path = app;\nCREATE TABLE first (id int);\nSET work_mem = '5MB';",
        "CREATE TABLE first (id int);\nSET search_path = app;",
        "SET search_path = app;\nBEGIN;\nSET LOCAL work_mem = '9MB';\nSET LOCAL search_path = public;\nCREATE TABLE first (id int);\nCOMMIT;",
    ] {
        let project = gated(first);
        let output = project.run(&["up"]);
        assert!(output.starts_with("exit 0\n"), "{first}: {output}");
        assert_eq!(project.query("SELECT to_regclass('app.made') IS NOT NULL"), "t\n");
    }
}

#[test]
fn statements_that_fit_into_transactions_are_done_once_each() {
    let project = Project::new();
    project.query("CREATE TABLE ledger (n int)");
    let lines = |last: &str| {
        (1..=600)
            .map(|n| {
                if n == 400 {
                    format!("INSERT INTO ledger VALUES ({last});\n")
                } else {
                    format!("INSERT INTO ledger VALUES ({n});\n")
                }
            })
            .collect::<String>()
    };
    let file = |last: &str| format!("-- migrate:up transaction:false\n{}-- migrate:down\nSELECT 1;\n", lines(last));
    project.file("migrations/001_many.sql", &file("400 / 0"));
    let output = project.run(&["up"]);
    assert!(output.starts_with("exit 3\n") && output.contains("failed at statement 400 of 600"), "{output}");
    assert_eq!(project.query("SELECT count(*), max(n) FROM ledger"), "399|399\n");
    project.file("migrations/001_many.sql", &file("400"));
    assert!(project.run(&["up"]).starts_with("exit 0\n"));
    assert_eq!(project.query("SELECT count(*), count(DISTINCT n), sum(n) FROM ledger"), "600|600|180300\n");
    // One event a statement, and one for the migration.
    assert_eq!(project.query("SELECT count(*) FROM schema_migration_events WHERE outcome = 'done'"), "601\n");
}

#[test]
fn a_statement_of_which_only_the_server_knows_that_it_runs_alone_is_run_alone() {
    let project = Project::new();
    project.file(
        "migrations/001_x.sql",
        "-- migrate:up transaction:false\nCREATE TABLE a (id int);\nCREATE DATABASE alone_001;\nCREATE TABLE b (id int);\n-- migrate:down transaction:false\nDROP DATABASE alone_001;\nDROP TABLE a, b;\n",
    );
    for command in [&["up"][..], &["down", "--yes"]] {
        let output = project.run(command);
        assert!(output.starts_with("exit 0\n"), "{output}");
    }
}
