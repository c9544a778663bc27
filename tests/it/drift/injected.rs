//! Somebody changes the schema by hand: every such change is found.

use std::collections::BTreeSet;
use std::sync::Mutex;

use crate::support::{Project, query_on, server};

use super::{everything, facts, kinds};

/// What `verify` says of a way back that ends in another schema.
const BROKEN: &str = ": the rollback does not restore the schema";

/// What is done by hand, and the difference that must be among those that are found: word, kind, object and part.
pub(crate) const DRIFTS: &[(&str, &str)] = &[
    ("CREATE SCHEMA extra", "added schema extra"),
    ("DROP EXTENSION pg_trgm", "removed extension pg_trgm"),
    ("CREATE TABLE app.extra (a int)", "added table app.extra"),
    ("DROP TABLE app.cache", "removed table app.cache"),
    ("ALTER TABLE app.cache SET LOGGED", "changed table app.cache"),
    ("ALTER TABLE app.orders SET (fillfactor = 70)", "changed table app.orders"),
    ("ALTER TABLE app.orders SET (toast.autovacuum_enabled = off)", "changed table app.orders"),
    ("ALTER TABLE app.orders REPLICA IDENTITY FULL", "changed table app.orders"),
    ("ALTER TABLE app.people DISABLE ROW LEVEL SECURITY", "changed table app.people"),
    ("ALTER TABLE app.people FORCE ROW LEVEL SECURITY", "changed table app.people"),
    ("ALTER TABLE app.measured DETACH PARTITION app.measured_2025", "changed table app.measured_2025"),
    ("CREATE TABLE app.measured_rest PARTITION OF app.measured DEFAULT", "added table app.measured_rest"),
    ("ALTER TABLE app.child NO INHERIT app.parent", "changed table app.child"),
    ("ALTER TABLE app.orders RENAME TO purchases", "added table app.purchases"),
    ("ALTER TABLE app.orders ADD COLUMN extra int", "added column app.orders.extra"),
    ("ALTER TABLE app.orders DROP COLUMN note", "removed column app.orders.note"),
    ("ALTER TABLE app.orders ALTER day TYPE timestamp", "changed column app.orders.day"),
    ("ALTER TABLE app.orders ALTER amount DROP NOT NULL", "changed column app.orders.amount"),
    ("ALTER TABLE app.people ALTER mood SET DEFAULT 'sad'", "changed column app.people.mood"),
    ("ALTER TABLE app.people ALTER id SET GENERATED ALWAYS", "changed column app.people.id"),
    ("ALTER TABLE app.people ALTER loud DROP EXPRESSION", "changed column app.people.loud"),
    ("ALTER TABLE app.orders ALTER note SET STORAGE MAIN", "changed column app.orders.note"),
    ("ALTER TABLE app.orders ALTER note SET STATISTICS 7", "changed column app.orders.note"),
    ("ALTER TABLE app.orders ALTER day SET (n_distinct = 5)", "changed column app.orders.day"),
    ("ALTER TABLE app.orders ALTER note TYPE text COLLATE app.plain", "changed column app.orders.note"),
    ("ALTER TYPE app.address ADD ATTRIBUTE city text", "added column app.address.city"),
    ("ALTER TABLE app.orders DROP CONSTRAINT positive", "removed constraint app.orders.positive"),
    (
        "ALTER TABLE app.orders DROP CONSTRAINT orders_person_fkey, ADD CONSTRAINT orders_person_fkey FOREIGN KEY (person) REFERENCES app.people NOT VALID",
        "changed constraint app.orders.orders_person_fkey",
    ),
    (
        "ALTER TABLE app.orders ALTER CONSTRAINT orders_person_fkey DEFERRABLE",
        "changed constraint app.orders.orders_person_fkey",
    ),
    ("ALTER DOMAIN app.email DROP CONSTRAINT has_at", "removed constraint app.email.has_at"),
    ("CREATE INDEX extra ON app.orders (day)", "added index app.orders.extra"),
    ("ALTER TABLE app.orders CLUSTER ON orders_pkey", "changed index app.orders.orders_pkey"),
    (
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'app.orders_note'::regclass",
        "changed index app.orders.orders_note",
    ),
    ("DROP INDEX app.measured_value", "removed index app.measured_2025.measured_2025_value_idx"),
    ("DROP TRIGGER touch ON app.orders", "removed trigger app.orders.touch"),
    ("ALTER TABLE app.orders DISABLE TRIGGER touch", "changed trigger app.orders.touch"),
    ("ALTER TABLE app.cache DISABLE RULE quiet", "changed rule app.cache.quiet"),
    ("ALTER POLICY own ON app.people USING (true)", "changed policy app.people.own"),
    ("ALTER POLICY own ON app.people TO PUBLIC", "changed policy app.people.own"),
    ("ALTER STATISTICS app.orders_statistics SET STATISTICS 3", "changed statistics app.orders.app.orders_statistics"),
    (
        "CREATE OR REPLACE VIEW app.happy WITH (security_barrier) AS SELECT id, name FROM app.people",
        "changed view app.happy",
    ),
    ("ALTER VIEW app.happy RESET (security_barrier)", "changed view app.happy"),
    ("DROP MATERIALIZED VIEW app.sums", "removed materialized-view app.sums"),
    ("ALTER SEQUENCE app.tickets INCREMENT 6", "changed sequence app.tickets"),
    ("ALTER SEQUENCE app.orders_id_seq OWNED BY NONE", "changed sequence app.orders_id_seq"),
    ("ALTER TYPE app.mood ADD VALUE 'angry' BEFORE 'ok'", "changed type app.mood"),
    ("ALTER TYPE app.mood RENAME VALUE 'ok' TO 'fine'", "changed type app.mood"),
    ("DROP TYPE app.span", "removed type app.span"),
    ("ALTER DOMAIN app.email DROP NOT NULL", "changed domain app.email"),
    ("ALTER DOMAIN app.email SET DEFAULT 'a@b'", "changed domain app.email"),
    (
        "CREATE OR REPLACE FUNCTION app.add(a int, b int DEFAULT 1) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT a + b '",
        "changed function app.add(a integer, b integer)",
    ),
    ("ALTER FUNCTION app.add STABLE SECURITY DEFINER", "changed function app.add(a integer, b integer)"),
    ("ALTER FUNCTION app.touch() SET search_path = app", "changed function app.touch()"),
    ("DROP PROCEDURE app.tidy", "removed procedure app.tidy()"),
    (
        "CREATE OR REPLACE AGGREGATE app.total(int) (SFUNC = int4mul, STYPE = int, INITCOND = '0')",
        "changed aggregate app.total(integer)",
    ),
    ("ALTER OPERATOR app.=== (text, text) SET (RESTRICT = eqsel)", "changed operator app.===(text,text)"),
    ("DROP OPERATOR CLASS app.whole USING btree", "removed operator-class app.whole USING btree"),
    (
        "ALTER OPERATOR FAMILY app.whole USING btree ADD OPERATOR 1 < (int, bigint)",
        "changed operator-family app.whole USING btree",
    ),
    ("DROP CAST (int AS app.mood)", "removed cast integer AS app.mood"),
    ("DROP CONVERSION app.latin", "removed conversion app.latin"),
    ("CREATE COLLATION app.other (provider = libc, locale = 'POSIX')", "added collation app.other"),
    (
        "ALTER TEXT SEARCH CONFIGURATION app.search ALTER MAPPING FOR word WITH app.words",
        "changed text-search-configuration app.search",
    ),
    ("ALTER TEXT SEARCH DICTIONARY app.words (Accept = false)", "changed text-search-dictionary app.words"),
    ("DROP TEXT SEARCH PARSER app.parser", "removed text-search-parser app.parser"),
    ("DROP TEXT SEARCH TEMPLATE app.template", "removed text-search-template app.template"),
    ("ALTER FOREIGN DATA WRAPPER elsewhere OPTIONS (ADD debug 'true')", "changed foreign-data-wrapper elsewhere"),
    ("ALTER SERVER far OPTIONS (SET host 'near.example.org')", "changed foreign-server far"),
    ("DROP USER MAPPING FOR drift_reader SERVER far", "removed user-mapping far.drift_reader"),
    ("ALTER FOREIGN TABLE app.remote OPTIONS (SET table_name 'here')", "changed foreign-table app.remote"),
    ("DROP ACCESS METHOD piles", "removed access-method piles"),
    ("DROP LANGUAGE plagain", "removed language plagain"),
    (
        "CREATE TRANSFORM FOR int LANGUAGE sql (FROM SQL WITH FUNCTION prsd_lextype(internal), TO SQL WITH FUNCTION int4recv(internal))",
        "added transform integer FOR sql",
    ),
    ("ALTER EVENT TRIGGER watcher DISABLE", "changed event-trigger watcher"),
    ("ALTER PUBLICATION news ADD TABLE app.people", "added publication news.app.people"),
    ("ALTER PUBLICATION news SET (publish = 'insert')", "changed publication news"),
    (
        "CREATE SUBSCRIPTION paper CONNECTION 'dbname=nowhere' PUBLICATION news WITH (connect = false, slot_name = NONE)",
        "added subscription paper",
    ),
    ("GRANT DELETE ON app.orders TO drift_reader", "changed privileges app.orders"),
    ("REVOKE ALL ON app.orders FROM drift_reader", "removed privileges app.orders"),
    ("REVOKE ALL ON app.cache FROM postgres", "added privileges app.cache"),
    ("GRANT UPDATE (name) ON app.people TO drift_reader", "changed privileges app.people.name"),
    ("GRANT EXECUTE ON FUNCTION app.add(int, int) TO PUBLIC", "removed privileges app.add(a integer, b integer)"),
    ("GRANT CREATE ON SCHEMA app TO drift_reader", "changed privileges app"),
    ("GRANT USAGE ON SCHEMA app TO drift_reader WITH GRANT OPTION", "changed privileges app"),
    ("REVOKE USAGE ON TYPE app.mood FROM PUBLIC", "added privileges app.mood"),
    (
        "ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT EXECUTE ON FUNCTIONS TO drift_reader",
        "added default-privileges app.OWNER FUNCTIONS",
    ),
    ("COMMENT ON COLUMN app.people.name IS 'another'", "changed comment app.people.name"),
    ("COMMENT ON FUNCTION app.touch() IS 'a trigger'", "added comment app.touch().function app.touch()"),
    ("COMMENT ON TRIGGER touch ON app.orders IS 'before'", "added comment app.orders.trigger touch on app.orders"),
    ("ALTER DATABASE CURRENT_ONE SET statement_timeout = '1s'", "added setting database.statement_timeout"),
    (
        "ALTER ROLE drift_reader IN DATABASE CURRENT_ONE SET work_mem = '1MB'",
        "added setting database.FOR ROLE drift_reader work_mem",
    ),
    ("ALTER TABLE app.orders OWNER TO drift_reader", "changed owner app.orders"),
    ("ALTER FUNCTION app.touch() OWNER TO drift_reader", "changed owner app.touch()"),
    ("ALTER SCHEMA app OWNER TO drift_reader", "changed owner app"),
];

/// The differences as `word kind object.part`.
fn found(project: &Project, database: &str) -> Vec<String> {
    let url = server().url(database);
    let output = project.command(&["drift", "--json"]).env("DATABASE_URL", url).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    let answer: serde_json::Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {stderr}"));
    let differences = answer["differences"].as_array().unwrap();
    assert_eq!(output.status.code(), Some(i32::from(!differences.is_empty())), "{answer}");
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let line = |one: &serde_json::Value| {
        let dot = if text(&one["part"]).is_empty() { "" } else { "." };
        format!(
            "{} {} {}{dot}{}",
            text(&one["difference"]),
            text(&one["kind"]),
            text(&one["object"]),
            text(&one["part"])
        )
    };
    differences.iter().map(line).collect()
}

/// `None`: the change was found, and nothing was found before it.
fn missed(project: &Project, number: usize, change: &str, expected: &str) -> Option<String> {
    let database = format!("{}_drift_{number}", project.database());
    query_on("postgres", &format!("CREATE DATABASE {database} TEMPLATE {}", project.database()));
    let before = found(project, &database);
    query_on(&database, &change.replace("CURRENT_ONE", &database));
    let after = found(project, &database);
    if change.contains("SUBSCRIPTION") {
        query_on(&database, "DROP SUBSCRIPTION paper");
    }
    query_on("postgres", &format!("DROP DATABASE {database} WITH (FORCE)"));
    let good = before.is_empty() && after.iter().any(|line| line == expected);
    (!good).then(|| format!("{change}\n  expected: {expected}\n  before: {before:?}\n  after: {after:?}"))
}

#[test]
fn every_change_made_by_hand_is_found() {
    let project = everything();
    project.file("migrator.toml", "[drift]\nowners = true\n");
    super::write_facts(&project);
    let next = Mutex::new(DRIFTS.iter().enumerate());
    let misses = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                loop {
                    let Some((number, (change, expected))) = next.lock().unwrap().next() else { break };
                    let miss = missed(&project, number, change, expected);
                    misses.lock().unwrap().extend(miss);
                }
            });
        }
    });
    let misses = misses.into_inner().unwrap();
    assert!(misses.is_empty(), "{} of {} changes:\n{}", misses.len(), DRIFTS.len(), misses.join("\n"));
}

/// None of them is mistaken for a way back that restores everything, neither by its facts nor by the rows of the catalogs.
#[test]
fn a_way_back_that_makes_any_of_these_changes_is_broken() {
    super::create_reader();
    let project = Project::new();
    project.migration("001_everything", include_str!("everything.sql"), "");
    for (number, (change, _)) in DRIFTS.iter().enumerate() {
        let here = "'CURRENT_ONE', quote_ident(current_database())";
        let down = match change.contains("CURRENT_ONE") {
            true => format!("DO $do$ BEGIN EXECUTE replace($change${change}$change$, {here}); END $do$;"),
            false => format!("{change};"),
        };
        project.migration(&format!("{:03}_change", number + 2), "SELECT 1;", &down);
    }
    let output = project.run(&["verify"]);
    let broken: BTreeSet<&str> = output.lines().filter_map(|line| line.trim().strip_suffix(BROKEN)).collect();
    let all = (0..DRIFTS.len()).map(|number| format!("{:03}_change", number + 2));
    let exact: Vec<String> = all.filter(|label| !broken.contains(label.as_str())).collect();
    assert!(exact.is_empty(), "{exact:?} in\n{output}");
}

#[test]
fn every_kind_of_fact_has_a_change_that_is_looked_for() {
    // A label needs a module in the server that provides it.
    let known: BTreeSet<&str> =
        migrator_build::FACT_KINDS.iter().copied().filter(|kind| *kind != "security-label").collect();
    let changed: BTreeSet<&str> = DRIFTS.iter().filter_map(|(_, expected)| expected.split(' ').nth(1)).collect();
    assert_eq!(known, changed);
    let project = everything();
    assert!(kinds(&facts(&project)).is_subset(&known), "{:?}", kinds(&facts(&project)));
}
