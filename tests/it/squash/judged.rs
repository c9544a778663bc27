//! What the other tasks say of a squash.

use expect_test::expect;

use super::shop::Shop;

#[test]
fn check_and_verify_know_the_roads() {
    let shop = Shop::of_thirty("squash-check");
    assert!(shop.run("dump").starts_with("exit 0"));
    shop.commit();
    shop.git("checkout --quiet -b squash");
    let said = shop.run("squash --to 020 --drop-data");
    assert!(said.starts_with("exit 0") && said.contains("db/schema.sql"), "{said}");
    let check = shop.run("check");
    assert!(!check.contains("append-only") && !check.contains("db/migrations/020_baseline.sql"), "{check}");
    let verify = shop.run("verify");
    assert!(verify.contains("next release: nothing new on `main`"), "{verify}");
    assert!(!verify.contains("FAILED"), "{verify}");
    shop.0.write("db/migrations/019_late.sql", "-- migrate:up\nSELECT 1;\n\n-- migrate:down\n");
    let check = shop.run("check");
    assert!(check.contains("error[M048]: version 019 is below 020, that of the baseline"), "{check}");
    std::fs::remove_file(shop.0.path("db/migrations/019_late.sql")).unwrap();
    shop.commit();
    shop.git("branch --force main");
    let list = std::fs::read_to_string(shop.0.path("db/squashed.txt")).unwrap();
    shop.0
        .write("db/squashed.txt", list.lines().filter(|line| !line.starts_with("007 ")).collect::<Vec<_>>().join("\n"));
    std::fs::remove_file(shop.0.path("db/squashed/007_function.sql")).unwrap();
    let check = shop.run("check");
    assert!(check.contains("`007_function` is squashed in `main`, and its line was changed or removed"), "{check}");
}

#[test]
fn roles_owners_and_settings_are_in_the_baseline() {
    let migration = |up: &str| format!("-- migrate:up\n{up}\n\n-- migrate:down\n");
    let shop = Shop::new(
        "squash-roles",
        &[
            (
                "migrations/001_roles.sql".into(),
                migration(
                    "CREATE ROLE squash_owner;\nCREATE ROLE squash_app LOGIN CONNECTION LIMIT 5;\nGRANT squash_owner TO squash_app;\n\
                     ALTER ROLE squash_app SET search_path = app, public;\nCOMMENT ON ROLE squash_app IS 'it''s the application';",
                ),
            ),
            (
                "migrations/002_app.sql".into(),
                migration(
                    "CREATE SCHEMA app AUTHORIZATION squash_owner;\nCREATE TABLE app.t (id int, \"Odd \"\"name\" text);\n\
                     ALTER TABLE app.t OWNER TO squash_owner;\nGRANT SELECT (id) ON app.t TO squash_app;\n\
                     ALTER TABLE app.t ENABLE ROW LEVEL SECURITY;\nCREATE POLICY p ON app.t TO squash_app USING (id > 0);\n\
                     ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO squash_app;",
                ),
            ),
            ("migrations/003_more.sql".into(), migration("ALTER TABLE app.t ADD COLUMN more text;")),
        ],
    );
    shop.squash("--to 002");
    what_the_baseline_says(&std::fs::read_to_string(shop.0.path("db/migrations/002_baseline.sql")).unwrap());
    let new = shop.project();
    let up = new.run(&["up"]);
    assert!(up.starts_with("exit 0"), "{up}");
    assert_eq!(new.query("SELECT tableowner FROM pg_tables WHERE schemaname = 'app'"), "squash_owner\n");
    new.query("DROP OWNED BY squash_owner, squash_app; DROP ROLE squash_app, squash_owner");
}

fn what_the_baseline_says(text: &str) {
    expect![[r#"
        -- Purpose: the schema that migrations 001 to 002 make
        -- migrate:up
        DO $roles$
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'squash_app') THEN
                CREATE ROLE squash_app;
                ALTER ROLE squash_app WITH NOSUPERUSER INHERIT NOCREATEROLE NOCREATEDB LOGIN NOREPLICATION NOBYPASSRLS CONNECTION LIMIT 5 VALID UNTIL 'infinity';
            END IF;
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN
                RAISE NOTICE 'a role was created meanwhile';
        END;
        $roles$;

        DO $roles$
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'squash_owner') THEN
                CREATE ROLE squash_owner;
                ALTER ROLE squash_owner WITH NOSUPERUSER INHERIT NOCREATEROLE NOCREATEDB NOLOGIN NOREPLICATION NOBYPASSRLS CONNECTION LIMIT -1 VALID UNTIL 'infinity';
            END IF;
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN
                RAISE NOTICE 'a role was created meanwhile';
        END;
        $roles$;

        GRANT squash_owner TO squash_app;

        CREATE SCHEMA app;

        ALTER SCHEMA app OWNER TO squash_owner;

        CREATE TABLE app.t (
            id integer,
            "Odd ""name" text
        );

        ALTER TABLE app.t OWNER TO squash_owner;

        CREATE POLICY p ON app.t TO squash_app USING ((id > 0));

        ALTER TABLE app.t ENABLE ROW LEVEL SECURITY;

        GRANT SELECT(id) ON TABLE app.t TO squash_app;

        ALTER DEFAULT PRIVILEGES FOR ROLE postgres IN SCHEMA app GRANT SELECT ON TABLES TO squash_app;

        DO $roles$
        DECLARE
            before text := pg_catalog.current_setting('search_path', true);
        BEGIN
            PERFORM pg_catalog.set_config('search_path', 'app, public', true);
            ALTER ROLE squash_app SET search_path FROM CURRENT;
            PERFORM pg_catalog.set_config('search_path', before, true);
        END;
        $roles$;

        COMMENT ON ROLE squash_app IS 'it''s the application';

        -- migrate:down
        -- no rollback: a database that is older goes back by the migrations in db/squashed
    "#]]// pg_dump up to 16 writes two spaces there.
    .assert_eq(&text.replace("TABLES  TO", "TABLES TO"));
}
