//! Whatever a migration leaves in the session, the next one does not find it: the reset between two of them is left out only where
//! nothing can be left.

use crate::support::Project;

/// What the ways below use; `leak` puts another schema in front, where unqualified tables would go.
const PREPARATION: &str = "
    CREATE SCHEMA wrong;
    CREATE FUNCTION leak() RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM set_config('search_path', 'wrong, public', false); RETURN 1; END $$;
    CREATE FUNCTION leak(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RETURN public.leak(); END $$;
    CREATE FUNCTION leaking() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM public.leak(); RETURN NULL; END $$;
    CREATE FUNCTION leaking_event() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM public.leak(); END $$;
    CREATE PROCEDURE leak_by_call() LANGUAGE plpgsql AS $$ BEGIN PERFORM public.leak(); END $$;
    CREATE DOMAIN leaky AS int CHECK (public.leak(VALUE) = 1);
    CREATE DOMAIN tame AS int;
    CREATE TABLE one (a int, t tame, o int);
    INSERT INTO one VALUES (1, 1, 1);
    ALTER TABLE one ADD CONSTRAINT later CHECK (public.leak(a) = 1) NOT VALID;
    CREATE TABLE watched (a int);
    CREATE TRIGGER rows AFTER INSERT OR UPDATE OR DELETE ON watched FOR EACH STATEMENT EXECUTE FUNCTION leaking();
    CREATE TRIGGER everything AFTER TRUNCATE ON watched FOR EACH STATEMENT EXECUTE FUNCTION leaking();
    CREATE TABLE filled (a int DEFAULT public.leak());
    CREATE TABLE ruled (a int);
    CREATE RULE leak AS ON INSERT TO ruled DO ALSO SELECT public.leak();
    CREATE TABLE parted (a int) PARTITION BY RANGE (a);
    CREATE TABLE part (a int);
    CREATE VIEW looked AS SELECT public.leak();
    CREATE MATERIALIZED VIEW kept AS SELECT public.leak(a) FROM one WITH NO DATA;";

/// Ways to leave something in the session. The last ones make every definition that follows leave something.
const WAYS: &[&str] = &[
    "SET search_path = wrong, public;",
    "SELECT set_config('search_path', 'wrong, public', false);",
    "SELECT leak();",
    "SELECT * FROM looked;",
    "VALUES (leak());",
    "TABLE looked;",
    "WITH x AS MATERIALIZED (SELECT leak()) SELECT * FROM x;",
    "SELECT leak() INTO made;",
    "CREATE TABLE copied AS SELECT leak();",
    "CREATE TABLE prepared AS VALUES (leak());",
    "CREATE MATERIALIZED VIEW made_now AS SELECT leak();",
    "REFRESH MATERIALIZED VIEW kept;",
    "DO $$ BEGIN PERFORM leak(); END $$;",
    "CALL leak_by_call();",
    "INSERT INTO watched VALUES (1);",
    "UPDATE watched SET a = 2;",
    "DELETE FROM watched;",
    "TRUNCATE watched;",
    "INSERT INTO filled DEFAULT VALUES;",
    "INSERT INTO ruled VALUES (1);",
    "COPY (SELECT leak()) TO '/dev/null';",
    "EXPLAIN ANALYZE SELECT leak();",
    "CREATE INDEX ON one (leak(a));",
    "CREATE INDEX ON one ((a + leak()));",
    "CREATE INDEX ON one (a) WHERE leak(a) = 1;",
    "ALTER TABLE one ADD b int DEFAULT leak();",
    "ALTER TABLE one ADD c int DEFAULT 1 CHECK (leak(c) = 1);",
    "ALTER TABLE one ADD d leaky DEFAULT 1;",
    "ALTER TABLE one ADD e int GENERATED ALWAYS AS (leak(a)) STORED;",
    "ALTER TABLE one ADD CHECK (leak(a) = 1);",
    "ALTER TABLE one VALIDATE CONSTRAINT later;",
    "ALTER TABLE one ALTER o TYPE bigint USING leak();",
    "ALTER TABLE one ALTER b TYPE leaky;",
    "ALTER DOMAIN tame ADD CHECK (leak(VALUE) = 1);",
    "ALTER TABLE one ADD EXCLUDE USING btree ((leak(a::int)) WITH =);",
    "CREATE TABLE p1 PARTITION OF parted FOR VALUES FROM (leak()) TO (5);",
    "ALTER TABLE parted ATTACH PARTITION part FOR VALUES FROM (leak() + 10) TO (15);",
    "PREPARE p AS SELECT leak(); EXECUTE p;",
    "DECLARE c CURSOR WITH HOLD FOR SELECT leak(); FETCH c;",
    "CREATE EVENT TRIGGER at_once ON ddl_command_end EXECUTE FUNCTION leaking_event();",
    "DROP EVENT TRIGGER at_once; DO $$ BEGIN CREATE EVENT TRIGGER hidden ON ddl_command_end EXECUTE FUNCTION leaking_event(); END $$;",
];

/// So many migrations follow each of them, which leave the session as it is: enough for the short form of messages.
const QUIET: usize = 6;

/// Applies all of them to a new database; what went to the wrong schema.
fn misplaced(variables: &[(&str, &str)]) -> Vec<String> {
    let project = Project::new();
    project.query(PREPARATION);
    let mut number = 0;
    let mut add = |name: String, up: &str| {
        number += 1;
        project.migration(&format!("{number:03}_{name}"), up, "");
    };
    // The session is known to be clean before each of them.
    (0..QUIET).for_each(|quiet| add(format!("before_{quiet}"), &format!("CREATE TABLE before_{quiet} ();")));
    for (way, leak) in WAYS.iter().enumerate() {
        add(format!("leak_{way}"), leak);
        (0..QUIET).for_each(|quiet| {
            add(format!("quiet_{way}_{quiet}"), &format!("CREATE TABLE quiet_{way}_{quiet} ();"));
        });
    }
    let output = project.run_with(&["up"], variables);
    assert!(output.starts_with("exit 0"), "{output}");
    assert_eq!(project.query("SELECT count(*) FROM schema_migrations"), format!("{number}\n"));
    assert_eq!(project.query("SELECT count(*) FROM pg_event_trigger WHERE evtname = 'hidden'"), "1\n");
    let misplaced = "SELECT c.relname FROM pg_class c WHERE relnamespace = 'wrong'::regnamespace AND relname LIKE 'quiet%' ORDER BY c.oid";
    project.query(misplaced).lines().map(str::to_owned).collect()
}

#[test]
fn no_way_of_leaving_something_in_the_session_reaches_the_next_migration() {
    assert_eq!(misplaced(&[]), Vec::<String>::new());
}

#[test]
fn a_reset_that_is_left_out_is_caught() {
    let misplaced = misplaced(&[("MIGRATOR_PLANTED_BUG", "reset-left-out")]);
    // But for the event triggers, which the fence sees, and what the first of them had left already.
    let caught = (0..WAYS.len() - 2).filter(|way| misplaced.contains(&format!("quiet_{way}_0"))).count();
    assert_eq!(caught, WAYS.len() - 2, "{misplaced:?}");
}
