//! Databases that others share: a history that was planted, opened to others, hidden, or is somewhere else.

use expect_test::expect;

use crate::support::{Other, Project};

/// A project of two migrations in whose database `mallory` may create whatever she likes.
fn shared() -> Project {
    let project = Project::new();
    project.tables(2);
    project.query(
        "DO $$ BEGIN CREATE ROLE mallory LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN END $$; \
         GRANT CREATE, USAGE ON SCHEMA public TO mallory; CREATE TABLE public.loot (who text); GRANT ALL ON public.loot TO public",
    );
    project
}

/// Has `up` refuse this history in silence towards the planted code: nothing is applied, nothing of hers has run.
fn refuses(project: &Project, found: &str) {
    for command in [&["status"][..], &["up"], &["seed"], &["down", "--yes"], &["stamp", "--all"]] {
        project.file("seeds/development.sql", "SELECT 1;\n");
        let output = project.run(command);
        assert!(output.starts_with("exit 8\n"), "{command:?}: {output}");
        assert!(output.contains(found) && output.contains("= help: "), "{command:?}: {output}");
    }
    assert_eq!(project.query("SELECT count(*) FROM public.loot"), "0\n");
    assert_eq!(project.query("SELECT to_regclass('public.t1') IS NULL"), "t\n");
}

#[test]
fn a_history_that_another_user_has_made_is_not_believed() {
    let project = shared();
    project.query("SET ROLE mallory; CREATE TABLE public.schema_migrations (version varchar PRIMARY KEY); INSERT INTO public.schema_migrations VALUES ('001')");
    refuses(&project, "it belongs to `mallory`");
    expect![[r#"
        exit 8
        --- stderr
        error: cannot trust the history in `"public"."schema_migrations"`: it belongs to `mallory`, which is neither this user, nor a role that it is a member of, nor the database's owner
          = help: if `mallory` keeps this history, make the migrator's user a member of `mallory`, or run `ALTER TABLE "public"."schema_migrations" OWNER TO ...`; otherwise find out who created it and why; drop it, or set another `table` or `schema` under [history] in db/migrator.toml
    "#]]
    .assert_eq(&project.run(&["up"]));
}

#[test]
fn a_view_in_place_of_the_history_is_not_read() {
    let project = shared();
    project.query(
        "SET ROLE mallory; CREATE FUNCTION public.trap() RETURNS text LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.loot VALUES (current_user); RETURN '001'; END $$; \
         CREATE VIEW public.schema_migrations AS SELECT public.trap()::varchar AS version",
    );
    refuses(&project, "it is a view, owned by `mallory`");
}

#[test]
fn a_trigger_on_the_history_is_refused_before_it_could_run() {
    let project = shared();
    project.query("CREATE TABLE public.schema_migrations (version varchar PRIMARY KEY); GRANT TRIGGER ON public.schema_migrations TO mallory");
    project.query(
        "SET ROLE mallory; CREATE FUNCTION public.trap() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.loot VALUES (current_user); RETURN NULL; END $$; \
         CREATE TRIGGER trap BEFORE INSERT OR DELETE ON public.schema_migrations FOR EACH ROW EXECUTE FUNCTION public.trap()",
    );
    refuses(&project, "it has triggers (trap)");
}

#[test]
fn rules_kin_and_other_kinds_of_table_are_refused() {
    for (plant, found) in [
        (
            "CREATE TABLE public.schema_migrations (version varchar PRIMARY KEY); CREATE RULE swallow AS ON INSERT TO public.schema_migrations DO INSTEAD NOTHING",
            "it has rules (swallow)",
        ),
        (
            "CREATE TABLE public.schema_migrations (version varchar PRIMARY KEY); CREATE TABLE public.child () INHERITS (public.schema_migrations)",
            "it shares its rows with public.child",
        ),
        ("CREATE UNLOGGED TABLE public.schema_migrations (version varchar PRIMARY KEY)", "an unlogged table"),
        (
            "CREATE TABLE public.schema_migrations (version varchar PRIMARY KEY) PARTITION BY LIST (version)",
            "a partitioned table",
        ),
        ("CREATE SEQUENCE public.schema_migrations", "it is not an ordinary table"),
        (
            "CREATE MATERIALIZED VIEW public.schema_migrations AS SELECT '001'::varchar AS version",
            "it is not an ordinary table",
        ),
    ] {
        let project = shared();
        project.query(plant);
        refuses(&project, found);
    }
}

#[test]
fn an_event_log_that_another_user_has_made_is_not_believed() {
    let project = shared();
    project.query("CREATE TABLE public.schema_migrations (version varchar PRIMARY KEY); SET ROLE mallory; CREATE VIEW public.schema_migration_events AS SELECT 1 AS id");
    refuses(&project, "it is a view, owned by `mallory`");
    // Alone, before the first run.
    let project = shared();
    project.query("SET ROLE mallory; CREATE TABLE public.schema_migration_events (id bigint)");
    let output = project.run(&["up"]);
    assert!(output.starts_with("exit 8\n") && output.contains("it belongs to `mallory`"), "{output}");
}

#[test]
fn a_superuser_believes_no_more_than_others() {
    // He is a member of no role by being one: the shared server's user is a superuser.
    let project = shared();
    project.query("SET ROLE mallory; CREATE TABLE public.schema_migrations (version varchar PRIMARY KEY)");
    assert!(project.run(&["status"]).starts_with("exit 8\n"));
    // The database's owner is believed.
    project.query(&format!("ALTER DATABASE {} OWNER TO mallory", project.database()));
    assert!(project.run(&["status"]).starts_with("exit 0\n"));
}

#[test]
fn what_is_created_is_its_owners_alone_whatever_the_default_privileges_are() {
    let project = shared();
    project.query(
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO mallory, PUBLIC; \
         ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON SEQUENCES TO mallory; \
         ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO mallory",
    );
    assert!(project.run(&["up"]).starts_with("exit 0\n"));
    let open = "SELECT c.relname, p.grantee FROM pg_class c, aclexplode(c.relacl) p WHERE c.relname LIKE 'schema_migration%' AND p.grantee <> c.relowner";
    assert_eq!(project.query(open), "");
    // In a schema of its own the schema too.
    let project = shared();
    project.query("ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO mallory; ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO mallory");
    project.file("migrator.toml", "[history]\nschema = \"ops\"\n");
    assert!(project.run(&["up"]).starts_with("exit 0\n"));
    assert_eq!(project.query(open), "");
    assert_eq!(project.query("SELECT has_schema_privilege('mallory', 'ops', 'USAGE')"), "f\n");
}

#[test]
fn what_an_event_trigger_does_to_the_new_tables_is_seen() {
    for (done, found) in [
        ("ALTER TABLE public.schema_migration_events OWNER TO mallory", "it belongs to `mallory`"),
        ("CREATE RULE swallow AS ON INSERT TO public.schema_migrations DO INSTEAD NOTHING", "it has rules (swallow)"),
        (
            "CREATE TRIGGER t BEFORE INSERT ON public.schema_migrations FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
            "it has triggers (t)",
        ),
        ("ALTER TABLE public.schema_migrations INHERIT public.parent", "it shares its rows with public.parent"),
        ("ALTER TABLE public.child INHERIT public.schema_migrations", "it shares its rows with public.child"),
        // What changes nothing about who is believed does not keep the migrations from running.
        ("ALTER TABLE public.schema_migrations ENABLE ROW LEVEL SECURITY", ""),
        ("GRANT ALL ON public.schema_migrations TO mallory", ""),
    ] {
        let project = shared();
        project.query(
            "CREATE TABLE public.parent (); CREATE TABLE public.child (version varchar NOT NULL, name text, checksum text, applied_at timestamptz, \
             applied_by text, execution_ms bigint, release text)",
        );
        project.query(&format!(
            "CREATE FUNCTION public.watch() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN \
             IF to_regclass('public.schema_migration_events') IS NOT NULL AND to_regclass('public.t1') IS NULL THEN {done}; END IF; END $$; \
             CREATE EVENT TRIGGER watch ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION public.watch()"
        ));
        let output = project.run(&["up"]);
        match found {
            "" => assert!(output.starts_with("exit 0\n"), "{done}: {output}"),
            _ => {
                assert!(output.starts_with("exit 8\n") && output.contains(found), "{done}: {output}");
                assert_eq!(project.query("SELECT to_regclass('public.t1') IS NULL"), "t\n");
            }
        }
    }
}

#[test]
fn status_names_who_else_can_write_the_history() {
    let project = shared();
    project.run(&["up"]);
    project.query("GRANT DELETE ON public.schema_migrations TO mallory; GRANT UPDATE (detail) ON public.schema_migration_events TO PUBLIC");
    let warned = |output: &str| {
        output
            .lines()
            .filter(|line| line.contains("can write to the history"))
            .map(|line| line.split(':').nth(1).unwrap().trim().to_owned())
            .collect::<Vec<_>>()
    };
    let both = [
        "`mallory` can write to the history in `\"public\".\"schema_migrations\"`",
        "`PUBLIC` can write to the history in `\"public\".\"schema_migration_events\"`",
    ];
    assert_eq!(warned(&project.run(&["status"])), both);
    project.migration("003_x", "SELECT 1;", "SELECT 1;");
    assert_eq!(warned(&project.run(&["up"])), both);
    project.file("migrator.toml", "[history]\nwriters = [\"mallory\", \"PUBLIC\"]\n");
    assert_eq!(warned(&project.run(&["status"])), Vec::<String>::new());
}

#[test]
fn a_policy_that_hides_rows_is_an_error_and_not_an_empty_history() {
    let project = Project::new();
    project.tables(1).run(&["up"]);
    project.query(
        "CREATE ROLE hidden LOGIN; GRANT ALL ON SCHEMA public TO hidden; GRANT ALL ON ALL TABLES IN SCHEMA public TO hidden; \
         ALTER TABLE schema_migrations ENABLE ROW LEVEL SECURITY",
    );
    let output = project.run_as("hidden", &["up"]);
    assert!(output.starts_with("exit 8\n") && output.contains("row-level security hides rows"), "{output}");
    // The owner is not subject to it, until it is forced upon him.
    assert!(project.run(&["up"]).starts_with("exit 0\n"));
    project.query("CREATE ROLE app_owner LOGIN; GRANT ALL ON SCHEMA public TO app_owner; ALTER TABLE schema_migrations OWNER TO app_owner; ALTER TABLE schema_migration_events OWNER TO app_owner; ALTER TABLE schema_migration_events FORCE ROW LEVEL SECURITY; ALTER TABLE schema_migration_events ENABLE ROW LEVEL SECURITY");
    let output = project.run_as("app_owner", &["status"]);
    assert!(output.starts_with("exit 8\n") && output.contains("row-level security hides rows"), "{output}");
}

#[test]
fn a_history_in_another_schema_is_found_before_everything_runs_a_second_time() {
    let project = Project::new();
    project.tables(1);
    project.query("CREATE SCHEMA app; CREATE TABLE app.schema_migrations (version varchar PRIMARY KEY); INSERT INTO app.schema_migrations VALUES ('001')");
    expect![[r#"
        exit 4
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
        error: there is no history in `"public"."schema_migrations"`, but there is a table `app.schema_migrations`
          = note: if it is the history of these migrations, everything would run a second time
          = help: if it is, set `schema = "app"` under [history] in db/migrator.toml, and build
          = help: to copy what it says and leave it to dbmate alone, run `migrator adopt dbmate`
          = help: if it belongs to something else, run `up --new-history` once
    "#]]
    .assert_eq(&project.run(&["up"]));
    for command in [&["seed"][..], &["environment", "set", "test"]] {
        project.file("seeds/development.sql", "SELECT 1;\n");
        assert!(project.run(command).starts_with("exit 4\n"));
    }
    assert!(project.run(&["status"]).contains("warning: there is no history"));
    assert_eq!(project.query("SELECT to_regclass('t1') IS NULL AND to_regclass('schema_migrations') IS NULL"), "t\n");
    assert!(project.run(&["up", "--new-history"]).starts_with("exit 0\n"));
    assert!(project.run(&["up"]).starts_with("exit 0\n"));
}

#[test]
fn the_history_of_another_tool_is_named() {
    for (table, tool) in [
        ("_sqlx_migrations", "sqlx"),
        ("flyway_schema_history", "Flyway"),
        ("\"DATABASECHANGELOG\"", "Liquibase"),
        ("__diesel_schema_migrations", "diesel"),
    ] {
        let project = Project::new();
        project.tables(1).query(&format!("CREATE SCHEMA ops; CREATE TABLE ops.{table} (version bigint)"));
        let output = project.run(&["up"]);
        assert!(output.starts_with("exit 4\n") && output.contains(&format!("the history of {tool}\n")), "{output}");
        // To record what has been applied is the way out.
        assert!(project.run(&["stamp", "--all"]).starts_with("exit 0\n"));
        assert!(project.run(&["up"]).starts_with("exit 0\n"));
    }
}

#[test]
fn an_existing_schema_needs_no_right_to_create_one() {
    let project = Project::new();
    project.migration("001_t", "CREATE TABLE own.t (id int);", "DROP TABLE own.t;");
    project.file("migrator.toml", "[history]\nschema = \"own\"\n");
    project.query(
        "CREATE ROLE tenant LOGIN; CREATE SCHEMA own AUTHORIZATION tenant; REVOKE ALL ON SCHEMA public FROM PUBLIC",
    );
    for command in [&["up"][..], &["down", "--yes"], &["up"]] {
        let output = project.run_as("tenant", command);
        assert!(output.starts_with("exit 0\n"), "{output}");
    }
}

#[test]
fn who_keeps_the_history_for_himself_is_waited_for_and_named() {
    let project = Project::new();
    project.tables(1).run(&["up"]);
    project.migration("002_x", "SELECT 1;", "SELECT 1;");
    let other = Other::new(&project);
    other.run("BEGIN; LOCK TABLE schema_migrations IN ACCESS EXCLUSIVE MODE");
    let begun = std::time::Instant::now();
    let output = project.run(&["up", "--wait-lock", "1s"]);
    assert!(output.starts_with("exit 5\n"), "{output}");
    assert!(output.contains("locked by pid PID (postgres, shop)"), "{output}");
    // Generous: what is held is that it ends at all.
    assert!(begun.elapsed() < std::time::Duration::from_secs(25));
}

#[test]
fn a_sequence_that_is_behind_its_log_goes_on_after_it() {
    let project = Project::new();
    project.tables(1).run(&["up"]);
    // What logical replication leaves on the other side: the rows, and a sequence that has never been used.
    project.query("ALTER SEQUENCE schema_migration_events_id_seq RESTART");
    project.tables(3);
    let output = project.run(&["up"]);
    assert!(output.starts_with("exit 0\n"), "{output}");
    project.query("ALTER SEQUENCE schema_migration_events_id_seq RESTART");
    assert!(project.run(&["down", "--yes"]).starts_with("exit 0\n"));
}
