//! Every command that speaks to a server, one after the other.

use crate::support::{Project, fingerprint, major, query_on};

/// Something of everything: tables, a concurrent index, a repeatable, a seed, a check.
fn shop() -> Project {
    let project = Project::new();
    project
        .migration(
            "001_orders",
            "CREATE TABLE orders (\n    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,\n    state text NOT NULL CHECK (state IN ('new', 'paid')),\n    total numeric(12, 2) NOT NULL DEFAULT 0\n);",
            "DROP TABLE orders;",
        )
        .file(
            "migrations/002_orders_state.sql",
            "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY orders_state ON orders (state);\n\n\
             -- migrate:down transaction:false\nDROP INDEX CONCURRENTLY orders_state;\n",
        )
        .migration("003_note", "ALTER TABLE orders ADD COLUMN note text;", "ALTER TABLE orders DROP COLUMN note;")
        .file("repeatable/paid.sql", "CREATE OR REPLACE VIEW paid AS SELECT id, total FROM orders WHERE state = 'paid';\n")
        .file(
            "seeds/development.sql",
            "INSERT INTO orders (state) SELECT 'new' WHERE NOT EXISTS (SELECT FROM orders);\n",
        )
        .file("checks/totals.sql", "SELECT id, total FROM orders WHERE total < 0;\n");
    project
}

#[track_caller]
fn good(project: &Project, arguments: &[&str], part: &str) {
    let output = project.run(arguments);
    assert!(output.starts_with("exit 0\n") && output.contains(part), "{arguments:?}: {output}");
}

#[test]
fn up_down_seed_status_and_audit_do_what_they_say() {
    let project = shop();
    let answer = project.run(&["status", "--check"]);
    assert!(answer.starts_with("exit 1\n") && answer.contains("4 pending"), "{answer}");
    good(&project, &["up"], "applied 3 migrations");
    good(&project, &["status", "--check"], "up to date");
    good(&project, &["seed", "development"], "development");
    assert_eq!(project.query("SELECT count(*) FROM orders"), "1\n");
    good(&project, &["audit"], "no violations");
    project.query("UPDATE orders SET total = -1");
    let answer = project.run(&["audit"]);
    assert!(answer.starts_with("exit 1\n") && answer.contains("violated  totals: 1 row"), "{answer}");
    let before = fingerprint(&project);
    good(&project, &["up"], "nothing to apply");
    good(&project, &["plan"], "");
    assert_eq!(fingerprint(&project), before);
    good(&project, &["down", "--to", "1", "--yes"], "rolled back 002_orders_state");
    assert_eq!(project.query("SELECT to_regclass('orders'), to_regclass('orders_state')"), "orders|null\n");
    good(&project, &["up"], "applied 2 migrations");
}

#[test]
fn stamp_and_resolve_write_what_is_so() {
    let project = shop();
    project.query("CREATE TABLE orders (id bigint PRIMARY KEY, state text NOT NULL, total numeric(12, 2) NOT NULL)");
    good(&project, &["stamp", "--to", "1"], "001_orders");
    good(&project, &["up"], "applied 2 migrations");
    let broken = "-- migrate:up transaction:false\nVACUUM orders;\nVACUUM missing;\n-- migrate:down\n";
    project.file("migrations/004_vacuum.sql", broken);
    let answer = project.run(&["up"]);
    assert!(answer.starts_with("exit 3\n") && answer.contains("42P01"), "{answer}");
    good(&project, &["resolve", "4", "--statement", "2", "--applied"], "");
    good(&project, &["up"], "");
    good(&project, &["status", "--check"], "up to date");
}

#[test]
fn adopt_takes_over_what_another_tool_has_applied() {
    let project = shop();
    project.query(
        "CREATE TABLE orders (id bigint PRIMARY KEY, state text NOT NULL, total numeric(12, 2) NOT NULL); \
         CREATE TABLE _sqlx_migrations (version bigint PRIMARY KEY, description text NOT NULL, installed_on timestamptz NOT NULL DEFAULT now(), \
         success boolean NOT NULL, checksum bytea NOT NULL, execution_time bigint NOT NULL); \
         INSERT INTO _sqlx_migrations VALUES (1, 'orders', now(), true, '\\x00', 1)",
    );
    good(&project, &["adopt", "sqlx", "--dry-run"], "would adopt");
    good(&project, &["adopt", "sqlx"], "1 without running: 001_orders");
    good(&project, &["up"], "applied 2 migrations");
    good(&project, &["adopt", "sqlx"], "nothing to adopt");
    good(&project, &["status", "--check"], "up to date");
}

#[test]
fn drift_is_found_with_facts_that_were_made_on_the_same_release() {
    let project = shop();
    project.run(&["up"]);
    let file = format!("schema.facts.{}", major());
    let answer = project.run(&["drift"]);
    let help = format!("`migrator drift --facts > db/{file}`");
    assert!(answer.starts_with("exit 2\n") && answer.contains(&help), "{answer}");
    let facts = project.command(&["drift", "--facts"]).output().unwrap();
    assert!(facts.status.success(), "{}", String::from_utf8_lossy(&facts.stderr));
    project.file(&file, &String::from_utf8(facts.stdout).unwrap());
    assert_eq!(project.run(&["drift"]), "exit 0\n--- stdout\nno drift\n");
    project.query("ALTER TABLE orders ALTER COLUMN note SET DEFAULT 'by hand'; DROP INDEX orders_state");
    let answer = project.run(&["drift"]);
    let all = ["exit 1\n", "column note", "'by hand'", "index orders_state"];
    assert!(all.iter().all(|part| answer.contains(part)), "{answer}");
    let answer = project.run(&["up", "--check-drift"]);
    assert!(answer.contains("has drifted"), "{answer}");
}

#[test]
fn verify_proves_it() {
    let project = shop();
    let answer = project.run(&["verify"]);
    let all = [
        "exit 0\n",
        "ok      up from zero: 3 migrations",
        "ok      two at once",
        "everything else passed; not checked: release, schema",
    ];
    assert!(all.iter().all(|part| answer.contains(part)), "{answer}");
    project.migration("004_gone", "ALTER TABLE orders ADD COLUMN gone int;", "SELECT 1;");
    let answer = project.run(&["verify"]);
    assert!(answer.starts_with("exit 1\n") && answer.contains("004_gone"), "{answer}");
}

#[test]
fn a_role_that_owns_only_its_database_can_do_everything() {
    let (project, role) = (shop(), "majors_owner");
    query_on("postgres", &format!("CREATE ROLE {role} LOGIN"));
    query_on("postgres", &format!("ALTER DATABASE {} OWNER TO {role}", project.database()));
    project.query(&format!("ALTER SCHEMA public OWNER TO {role}"));
    for (arguments, part) in [
        (&["up"][..], "applied 3 migrations"),
        (&["seed", "development"], "development"),
        (&["status", "--check"], "up to date"),
        (&["audit"], "no violations"),
        (&["down", "--yes"], "rolled back 003_note"),
    ] {
        let answer = project.run_as(role, arguments);
        assert!(answer.starts_with("exit 0\n") && answer.contains(part), "{arguments:?}: {answer}");
    }
}
