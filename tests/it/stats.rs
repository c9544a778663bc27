//! `migrator stats`: how large the tables are and how busy, and nothing of what is in them.

use std::fs;

use expect_test::expect;
use migrator_engine::stats::{NoStatistics, Stats, Table, TableKind};
use migrator_postgres::TemporaryServer;

use crate::support::{Other, Project, not_tested, query_at};

/// In a row, in a statement and in a list of most common values.
const SECRET: &str = "hunter2";

/// Tables of every kind, and a history that does not matter.
fn shop() -> Project {
    let project = Project::new();
    project.query(&format!(
        "CREATE SCHEMA core; CREATE TABLE core.orders (id bigint PRIMARY KEY, state text, note text); \
         CREATE INDEX orders_state ON core.orders (lower(state), id) INCLUDE (note) WHERE state <> 'x'; \
         INSERT INTO core.orders SELECT n, '{SECRET}', CASE WHEN n % 4 = 0 THEN repeat('x', 100) END FROM generate_series(1, 2000) n; \
         CREATE TABLE core.events (at date NOT NULL) PARTITION BY RANGE (at); \
         CREATE TABLE core.events_2026 PARTITION OF core.events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01'); \
         CREATE TABLE core.\"odd \"\"name\" (id int); CREATE MATERIALIZED VIEW core.summary AS SELECT count(*) FROM core.orders; \
         CREATE TEMPORARY TABLE gone (id int); ANALYZE core.orders"
    ));
    project
}

/// What it writes to stdout.
fn read(output: &str) -> Stats {
    let (_, text) = output.split_once("--- stdout\n").unwrap_or_else(|| panic!("{output}"));
    let text = text.split("--- stderr\n").next().unwrap();
    Stats::parse("stdout", text).unwrap_or_else(|error| panic!("{}\n{output}", error.render(false)))
}

fn table<'s>(stats: &'s Stats, name: &str) -> &'s Table {
    stats.table(name).unwrap_or_else(|| panic!("no {name} among {:#?}", stats.tables))
}

#[test]
fn tables_of_every_kind_are_measured_and_no_value_is_in_the_file() {
    let project = shop();
    let output = project.run(&["stats"]);
    assert!(output.starts_with("exit 0\n") && !output.contains(SECRET), "{output}");
    let stats = read(&output);
    let orders = table(&stats, "core.orders");
    assert_eq!((orders.kind, orders.rows), (TableKind::Table, 2000));
    assert_eq!(orders.bytes, Some(orders.pages * 8192));
    assert_eq!(
        (orders.columns[0].width, orders.columns[0].distinct, orders.columns[2].nulls),
        (Some(8), Some(-1.0), Some(0.75))
    );
    assert_eq!(orders.width, orders.columns.iter().map(|column| column.width).sum());
    assert_eq!((orders.no_statistics, orders.toast_bytes), (None, Some(0)));
    assert!(orders.activity.sequential_scans > 0, "{orders:?}");
    let index = &orders.indexes[1];
    assert_eq!((&*index.name, &*index.method, index.unique, index.partial), ("orders_state", "btree", false, true));
    assert_eq!(index.columns, ["(expression)", "id"]);
    let partition = table(&stats, "core.events_2026");
    assert_eq!((partition.kind, partition.partition_of.as_deref()), (TableKind::Partition, Some("core.events")));
    assert_eq!((partition.rows, partition.no_statistics), (-1, Some(NoStatistics::Missing)));
    assert_eq!(table(&stats, "core.events").kind, TableKind::Partitioned);
    assert_eq!(table(&stats, "core.summary").kind, TableKind::MaterializedView);
    assert_eq!(table(&stats, "core.\"odd \"\"name\"").width, None);
    assert_eq!(stats.tables.len(), 5, "{output}");
}

#[test]
fn a_file_is_written_as_a_whole_and_beside_nothing_else() {
    let project = shop();
    let path = project.db().join("stats.json");
    let run = |path: &std::path::Path| project.run(&["stats", "--out", &path.display().to_string()]);
    let output = run(&path).replace(&project.db().display().to_string(), "DIRECTORY");
    expect![[r#"
        exit 0
        --- stderr
        left out: statements: the extension `pg_stat_statements` is not in this database
        wrote DIRECTORY/stats.json: 5 tables
    "#]]
    .assert_eq(&output);
    let stats = Stats::open(&path).unwrap_or_else(|error| panic!("{}", error.render(false)));
    assert_eq!(stats.tables.len(), 5);
    assert_eq!(fs::read_dir(project.db()).unwrap().count(), 2, "nothing is left beside it");
    expect![[r#"
        exit 9
        --- stderr
        error: cannot write the statistics `/nowhere/stats.json`: No such file or directory (os error 2)
          = help: check that the directory exists and that you can write to it
    "#]]
    .assert_eq(&run(std::path::Path::new("/nowhere/stats.json")));
    expect![[r#"
        error: cannot read the statistics `/nowhere/stats.json`: No such file or directory (os error 2)
          = help: `migrator stats --out FILE` writes them, on the database that they are about"#]]
    .assert_eq(&Stats::open(std::path::Path::new("/nowhere/stats.json")).unwrap_err().render(false));
}

#[test]
fn a_role_that_may_only_connect_is_told_what_it_may_not_read() {
    let project = shop();
    project.query(
        "DO $$ BEGIN CREATE ROLE stats_reader LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN END $$; \
         CREATE TABLE core.open (id int); INSERT INTO core.open VALUES (1); ANALYZE core.open; GRANT SELECT ON core.open TO stats_reader; \
         CREATE TABLE public.schema_migrations (version varchar PRIMARY KEY)",
    );
    let output = project.run_as("stats_reader", &["stats"]);
    let stats = read(&output);
    let (orders, open) = (table(&stats, "core.orders"), table(&stats, "core.open"));
    assert_eq!((orders.rows, orders.width, orders.no_statistics), (2000, None, Some(NoStatistics::Denied)));
    assert!(orders.bytes.is_some_and(|bytes| bytes > 0));
    assert_eq!((open.width, open.no_statistics), (Some(4), None));
    expect![[r#"
        [
            "transactions of other roles: `stats_reader` may not see them; `GRANT pg_read_all_stats TO stats_reader` lets it",
            "statements: the extension `pg_stat_statements` is not in this database",
            "the statistics of the columns of 6 tables, marked by `no_statistics`: `stats_reader` may not read them",
        ]"#]].assert_eq(&format!("{:#?}", stats.left_out));
}

#[test]
fn a_table_that_another_session_has_locked_is_not_waited_for() {
    let project = shop();
    let other = Other::new(&project);
    other.run("BEGIN; LOCK TABLE core.orders");
    let stats = read(&project.run(&["stats"]));
    let orders = table(&stats, "core.orders");
    assert_eq!((orders.rows, orders.bytes), (2000, None));
    assert!(orders.pages > 0 && stats.longest_transaction_seconds >= 0.0, "{orders:?}");
    assert!(stats.left_out.iter().any(|line| line.starts_with("the sizes of 1 table,")), "{:?}", stats.left_out);
}

#[test]
fn statements_are_counted_by_their_first_word_without_their_texts() {
    let server = TemporaryServer::builder().setting("shared_preload_libraries", "pg_stat_statements").start();
    let Ok(server) = server else { return not_tested("pg_stat_statements is not installed") };
    let url = server.url("postgres");
    query_at(&url, "CREATE SCHEMA ext; CREATE EXTENSION pg_stat_statements SCHEMA ext; CREATE TABLE t (secret text)");
    for _ in 0..3 {
        query_at(&url, &format!("  (SELECT '{SECRET}')"));
    }
    query_at(&url, &format!("INSERT INTO t VALUES ('{SECRET}')"));
    query_at(&url, &format!("COMMENT ON TABLE t IS '{SECRET}'"));
    query_at(&url, "CREATE ROLE nobody_special LOGIN; GRANT USAGE ON SCHEMA ext TO nobody_special");
    let project = Project::without_database();
    let output = project.run_with(&["stats"], &[("DATABASE_URL", &url)]);
    assert!(!output.contains(SECRET), "{output}");
    let calls = |output: &str, name: &str| {
        let statements = read(output).statements.unwrap_or_else(|| panic!("{output}"));
        statements.families.iter().find(|family| family.family == name).map_or(0, |family| family.calls)
    };
    assert!(calls(&output, "select") >= 3 && calls(&output, "insert") == 1 && calls(&output, "other") >= 1, "{output}");
    let as_other = url.replace("postgres@", "nobody_special@");
    let output = project.run_with(&["stats"], &[("DATABASE_URL", &as_other)]);
    assert!(calls(&output, "unreadable") >= 4, "{output}");

    let without = TemporaryServer::start().unwrap();
    let url = without.url("postgres");
    query_at(&url, "CREATE EXTENSION pg_stat_statements");
    let stats = read(&project.run_with(&["stats"], &[("DATABASE_URL", &url)]));
    assert_eq!(stats.statements, None);
    expect![[r#"
        [
            "statements: pg_stat_statements must be loaded via shared_preload_libraries [55000]",
        ]"#]]
    // Later servers quote the setting.
    .assert_eq(&format!("{:#?}", stats.left_out).replace("\\\"", ""));
}
