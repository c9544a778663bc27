//! What one migration does to the session is invisible to the next.

use expect_test::expect;

use crate::support::Project;

#[test]
fn nothing_of_the_session_survives_a_migration() {
    let project = Project::new();
    project.query("CREATE ROLE session_other; GRANT ALL ON SCHEMA public TO session_other; CREATE SCHEMA elsewhere");
    project.migration(
        "001_mess",
        "SET search_path = elsewhere;\nSET ROLE session_other;\nSET work_mem = '7MB';\nSET standard_conforming_strings = off;\nCREATE TEMP TABLE left_over (id int);\nLISTEN channel;\nPREPARE statement AS SELECT 1;",
        "",
    );
    project.migration(
        "002_look",
        "CREATE TABLE seen AS SELECT current_schema() AS path, current_user = session_user AS own, current_setting('work_mem') <> '7MB' AS memory,\n  to_regclass('left_over') IS NULL AS temp, (SELECT count(*) FROM pg_listening_channels()) AS channels, (SELECT count(*) FROM pg_prepared_statements) AS prepared,\n  'a\\' AS text;",
        "",
    );
    expect![[r#"
        exit 0
        --- stdout
        applied 001_mess (N ms)
        applied 002_look (N ms)
        applied 2 migrations in N ms; the database is at 002
        --- stderr
        warning: db/migrations/001_mess.sql:2:1: this changes `search_path` for this file only [M035]; help: write the schema before each name: dbmate would look for its own table in the new path
        warning: db/migrations/001_mess.sql:3:1: after this `SET ROLE`, dbmate records the migration as that role [M055]; help: end the block with `RESET ROLE` or `RESET SESSION AUTHORIZATION`
        SERVER · database DB · user postgres · PostgreSQL X
    "#]].assert_eq(&project.run(&["up"]));
    assert_eq!(project.query("SELECT * FROM seen"), "public|t|t|t|0|0|a\\\n");
    assert_eq!(project.query("SELECT applied_by FROM schema_migrations WHERE version = '001'"), "postgres\n");
}

#[test]
fn defaults_of_the_role_do_not_matter() {
    let project = Project::new();
    project.migration("001_table", "CREATE TABLE public.a (id int);", "DROP TABLE public.a;").migration(
        "002_slow",
        "SELECT pg_sleep(0.05);",
        "",
    );
    project.file(
        "migrations/003_index.sql",
        "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY a_id ON public.a (id);\n-- migrate:down\nDROP INDEX public.a_id;\n",
    );
    // On a busy machine even a server that has its next message loses a millisecond between two of them: the limit for an idle
    // transaction, which ends the session, is not as short as those that only end a statement.
    project.query(&format!(
        "CREATE ROLE odd LOGIN SUPERUSER; ALTER ROLE odd IN DATABASE {} SET statement_timeout = '1ms'; ALTER ROLE odd SET default_transaction_read_only = on; \
         ALTER ROLE odd SET default_transaction_isolation = 'serializable'; ALTER ROLE odd SET standard_conforming_strings = off; \
         ALTER ROLE odd SET search_path = ''; ALTER ROLE odd SET synchronous_commit = off; ALTER ROLE odd SET lock_timeout = '1ms'; \
         ALTER ROLE odd SET idle_in_transaction_session_timeout = '100ms'",
        project.database()
    ));
    expect![[r#"
        exit 0
        --- stdout
        applied 001_table (N ms)
        applied 002_slow (N ms)
        applied 003_index (N ms)
        applied 3 migrations in N ms; the database is at 003
        --- stderr
        SERVER · database DB · user odd · PostgreSQL X
    "#]]
    .assert_eq(&project.run_as("odd", &["up"]));
}

#[test]
fn options_of_a_marker_hold_for_its_block_alone() {
    let project = Project::new();
    let look = "current_setting('lock_timeout') || ' ' || current_setting('statement_timeout')";
    project.file("migrations/001_a.sql", &format!("-- migrate:up lock_timeout:5s statement_timeout:10min\nCREATE TABLE seen AS SELECT {look} AS settings;\n-- migrate:down\nDROP TABLE seen;\n"));
    project.migration("002_b", &format!("INSERT INTO seen SELECT {look};"), "");
    project.run(&["up"]);
    assert_eq!(project.query("SELECT settings FROM seen"), "5s 10min\n500ms 0\n");
}

#[test]
fn options_hold_in_both_directions_and_outside_a_transaction() {
    let project = Project::new();
    let look = "SELECT current_setting('lock_timeout') || ' ' || current_setting('statement_timeout')";
    project.query("CREATE TABLE seen (place text, settings text)");
    let see = |place: &str| format!("INSERT INTO seen SELECT '{place}', ({look});");
    project.file("migrator.toml", "[session]\nlock_timeout = \"3s\"\nstatement_timeout = \"4min\"\n");
    project.file(
        "migrations/001_outside.sql",
        &format!(
            "-- migrate:up transaction:false lock_timeout:7s\tstatement_timeout:8min\n{}\nBEGIN;\n{}\nCOMMIT;\n\
             -- migrate:down statement_timeout:9min\n{}\n",
            see("1 up"),
            see("2 up, between BEGIN and COMMIT"),
            see("5 down")
        ),
    );
    project.file(
        "migrations/002_inside.sql",
        &format!(
            "-- migrate:up\n{}\n-- migrate:down transaction:false lock_timeout:0\n{}\n",
            see("3 up without options"),
            see("4 down, outside of a transaction")
        ),
    );
    let up = project.run(&["up"]);
    assert!(up.starts_with("exit 0"), "{up}");
    let down = project.run(&["down", "--to", "0", "--yes"]);
    assert!(down.starts_with("exit 0"), "{down}");
    expect![[r#"
        1 up|7s 8min
        2 up, between BEGIN and COMMIT|7s 8min
        3 up without options|3s 4min
        4 down, outside of a transaction|0 4min
        5 down|3s 9min
    "#]]
    .assert_eq(&project.query("SELECT * FROM seen ORDER BY place"));
}

#[test]
fn a_limit_that_the_connection_states_itself_wins() {
    let project = Project::new();
    project.migration(
        "001_look",
        "CREATE TABLE seen AS SELECT current_setting('lock_timeout') AS lock, current_setting('statement_timeout') AS statement, \
         current_setting('idle_in_transaction_session_timeout') AS idle;",
        "DROP TABLE seen;",
    );
    project.file("migrations/002_own.sql", "-- migrate:up lock_timeout:3s\nUPDATE seen SET lock = current_setting('lock_timeout') || ' and ' || lock;\n-- migrate:down\n");
    let url = format!("{}?lock_timeout=7s&idle_in_transaction_session_timeout=5min", project.url());
    let url = if project.url().contains('?') { url.replacen('?', "&", 2).replacen('&', "?", 1) } else { url };
    let output = project.run_with(&["up"], &[("DATABASE_URL", &url), ("PGOPTIONS", "-c statement_timeout=9min")]);
    assert!(output.starts_with("exit 0\n"), "{output}");
    // What a migration says itself is closer to it than the connection.
    assert_eq!(project.query("SELECT * FROM seen"), "3s and 7s|9min|5min\n");
}

#[test]
fn every_limit_of_the_role_that_the_server_has_is_put_aside() {
    let project = Project::new();
    project.query(&format!(
        "DO $$ DECLARE limits text; name text; BEGIN CREATE ROLE limited LOGIN SUPERUSER; \
         FOR name IN SELECT s.name FROM pg_settings s WHERE context = 'user' AND s.name ~ '_timeout$' AND min_val = '0' AND s.name <> 'tcp_user_timeout' \
         LOOP EXECUTE format('ALTER ROLE limited IN DATABASE {} SET %I = %L', name, '300ms'); END LOOP; END $$",
        project.database()
    ));
    project.migration("001_slow", "CREATE TABLE public.a (id int); SELECT pg_sleep(0.7);", "DROP TABLE public.a;");
    project.file(
        "migrations/002_steps.sql",
        "-- migrate:up transaction:false\nSELECT pg_sleep(0.7);\nCREATE INDEX CONCURRENTLY a_id ON public.a (id);\nDO $$ BEGIN PERFORM pg_sleep(0.7); END $$;\n-- migrate:down\nDROP INDEX public.a_id;\n",
    );
    for command in [&["up"][..], &["down", "--to", "0", "--yes"]] {
        let output = project.run_as("limited", command);
        assert!(output.starts_with("exit 0\n"), "{output}");
    }
}
