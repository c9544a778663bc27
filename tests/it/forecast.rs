//! `plan --locks --stats`: how long each pending statement holds its locks on tables of the size that the statistics say.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::{Project, server};

/// Applied before anything is planned.
const BASE: &str = "CREATE TABLE a (id int PRIMARY KEY, n int, t varchar(50));
CREATE INDEX a_n ON a (n);
CREATE TABLE b (id int, a_id int);";

impl Project {
    /// A project with rows whose first migration is applied.
    fn with_rows() -> Project {
        let project = Project::new();
        project.migration("001_base", BASE, "");
        project.run(&["up"]);
        project.query("INSERT INTO a SELECT n, n, 'x' FROM generate_series(1, 3000) n; INSERT INTO b SELECT n, n FROM generate_series(1, 100) n; ANALYZE a; ANALYZE b");
        project
    }

    /// Writes the statistics of the database, changed by hand.
    fn stats(&self, edit: impl FnOnce(&mut Value)) -> PathBuf {
        let output = self.run(&["stats"]);
        let (_, text) = output.split_once("--- stdout\n").unwrap();
        let mut stats: Value = serde_json::from_str(text.split("--- stderr\n").next().unwrap()).unwrap();
        // What was shown is cleaned of what differs from run to run.
        stats["server"] = self.query("SHOW server_version").trim().into();
        stats["database"] = self.query("SELECT current_database()").trim().into();
        edit(&mut stats);
        let path = self.db().join("stats.json");
        std::fs::write(&path, stats.to_string()).unwrap();
        path
    }

    /// The plan with its forecast, as JSON, and what was said beside it.
    fn forecast(&self, edit: impl FnOnce(&mut Value)) -> Value {
        let stats = self.stats(edit);
        let (stats, scratch) = (stats.display().to_string(), server().url("postgres"));
        let output = self.run(&["plan", "--locks", "--json", "--scratch-url", &scratch, "--stats", &stats]);
        assert!(output.starts_with("exit 0\n"), "{output}");
        crate::support::schema::result(&output)
    }
}

/// The table of that name.
fn table<'v>(stats: &'v mut Value, name: &str) -> &'v mut Value {
    let tables = stats["tables"].as_array_mut().unwrap();
    tables.iter_mut().find(|table| table["name"] == name).unwrap()
}

fn work(step: &Value) -> Vec<&str> {
    step["forecast"]["statements"].as_array().unwrap().iter().map(|s| s["work"].as_str().unwrap()).collect()
}

#[test]
fn each_statement_has_its_work_and_each_lock_its_time() {
    let project = Project::with_rows();
    project
        .migration(
            "002_many",
            "ALTER TABLE a ADD COLUMN c int;\nALTER TABLE a ALTER COLUMN n TYPE bigint;\nCREATE INDEX a_t ON a (t);\n\
             ALTER TABLE a ADD CONSTRAINT small CHECK (n < 9000);\nUPDATE a SET c = 1;\nALTER TABLE a ALTER COLUMN t TYPE text;",
            "",
        )
        .migration("003_other", "CREATE TABLE fresh AS SELECT * FROM b;", "");
    let plan = project.forecast(|_| {});
    assert_eq!(work(&plan["steps"][0]), ["none", "rewrite", "build", "validate", "scan", "none"], "{plan:#}");
    let waits = plan["steps"][0]["forecast"]["waits"].as_array().unwrap();
    assert_eq!(waits.len(), 1, "{plan:#}");
    let wait = &waits[0];
    assert_eq!((&wait["relation"], &wait["lock"]), (&json!("public.a"), &json!("AccessExclusiveLock")));
    assert_eq!((&wait["from_statement"], &wait["until_statement"]), (&json!(1), &json!(6)));
    assert_eq!(wait["unknown"], Value::Null);
    let of = |value: &Value, key: &str| value[key].as_f64().unwrap();
    let held = &wait["held"];
    assert!(of(held, "lower_seconds") <= of(held, "expected_seconds"), "{plan:#}");
    let sum: f64 = plan["steps"][0]["forecast"]["statements"]
        .as_array()
        .unwrap()
        .iter()
        .map(|statement| of(&statement["time"], "upper_seconds"))
        .sum();
    assert!((of(held, "upper_seconds") - sum).abs() < 0.01, "{plan:#}");
    assert_eq!(work(&plan["steps"][1]), ["scan"], "{plan:#}");
    let notes = plan["notes"].to_string();
    assert!(notes.contains("calibrated: the target is") && notes.contains("public.a (3,000)"), "{notes}");
    assert_eq!(project.query("SELECT count(*) FROM a WHERE t = 'x'"), "3000\n");
}

#[test]
fn statistics_that_were_edited_by_hand_are_counted_on_and_fill_no_disk() {
    let project = Project::with_rows();
    project.migration(
        "002_many",
        "ALTER TABLE a ALTER COLUMN n TYPE bigint;\nALTER TABLE b ALTER COLUMN id SET NOT NULL;",
        "",
    );
    let plan = project.forecast(|stats| {
        stats["database"] = "elsewhere".into();
        table(stats, "public.a")["rows"] = 1_000_000_000_000_000_i64.into();
        let other = table(stats, "public.b").clone();
        let tables = stats["tables"].as_array_mut().unwrap();
        tables.retain(|table| table["name"] != "public.b");
        for number in 0..5_000 {
            let mut copy = other.clone();
            (copy["name"], copy["rows"]) = (format!("public.other_{number}").into(), 1_000_000_000_000_i64.into());
            tables.push(copy);
        }
    });
    let statements = &plan["steps"][0]["forecast"]["statements"];
    assert!(statements[0]["time"]["upper_seconds"].as_f64().unwrap() > 1e6, "{plan:#}");
    assert_eq!(statements[1]["unknown"], "public.b is not in the statistics", "{plan:#}");
    let waits = &plan["steps"][0]["forecast"]["waits"];
    assert_eq!(waits[0]["unknown"], "public.b is not in the statistics", "{plan:#}");
    assert!(waits[0]["held"]["lower_seconds"].as_f64().unwrap() > 1e5, "{plan:#}");
    let notes = plan["notes"].to_string();
    assert!(notes.contains("not calibrated (the statistics are of `elsewhere`"), "{notes}");
    assert!(notes.contains("made up: public.a (1,000,000)\""), "{notes}");
}

#[test]
fn invented_rows_keep_what_the_tables_demand_and_what_the_plan_adds() {
    let project = Project::new();
    project.migration(
        "001_base",
        "CREATE TYPE mood AS ENUM ('low', 'high');
CREATE DOMAIN short AS text CHECK (length(value) < 5);
CREATE TABLE parents (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, code text NOT NULL UNIQUE, token uuid NOT NULL);
CREATE TABLE pairs (parent_id bigint NOT NULL REFERENCES parents, mood mood NOT NULL, at date NOT NULL, short short, tags text[], doc jsonb,
  price numeric(6,2) NOT NULL CHECK (price > 0), other_id bigint NOT NULL, double numeric GENERATED ALWAYS AS (price * 2) STORED,
  starts timestamptz, ends timestamptz, CHECK (starts < ends), PRIMARY KEY (parent_id, at));
CREATE TABLE parts (id int NOT NULL, at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE parts_2026 PARTITION OF parts FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');",
        "",
    );
    project.run(&["up"]);
    project.query(
        "INSERT INTO parents (code, token) SELECT 'c' || n, md5(n::text)::uuid FROM generate_series(1, 500) n;
         INSERT INTO pairs (parent_id, mood, at, short, tags, doc, price, other_id, starts, ends)
         SELECT n, 'low', '2026-01-01', 'abc', '{x,y}', '{}', 1, n, now(), now() + '1 day' FROM generate_series(1, 500) n;
         INSERT INTO parts SELECT n, '2026-01-01'::date + n % 300 FROM generate_series(1, 500) n; ANALYZE",
    );
    project.migration(
        "002_adds",
        "ALTER TABLE pairs ADD CONSTRAINT other FOREIGN KEY (other_id) REFERENCES parents NOT VALID;
ALTER TABLE pairs VALIDATE CONSTRAINT other;
ALTER TABLE pairs ADD CONSTRAINT price CHECK (price BETWEEN 1 AND 9000);
ALTER TABLE pairs ALTER COLUMN starts SET NOT NULL;
ALTER TABLE parents ADD UNIQUE (token);
ALTER TABLE parents ALTER COLUMN code TYPE varchar(200);
ALTER TABLE parts ALTER COLUMN id TYPE bigint;",
        "",
    );
    let plan = project.forecast(|_| {});
    for statement in plan["steps"][0]["forecast"]["statements"].as_array().unwrap() {
        assert_eq!(statement["unknown"], Value::Null, "{plan:#}");
    }
    assert_eq!(
        work(&plan["steps"][0])[1..],
        ["validate", "validate", "validate", "build", "rewrite", "rewrite"],
        "{plan:#}"
    );
    assert!(plan["notes"].to_string().contains("public.parts_2026 (500)"), "{plan:#}");
}

#[test]
fn a_forecast_is_printed_under_its_statements_and_on_the_page() {
    let project = Project::with_rows();
    project.migration("002_type", "ALTER TABLE a ALTER COLUMN n TYPE bigint;", "");
    let stats = project.stats(|stats| {
        stats["counted_minutes"] = 10.into();
        let activity = &mut table(stats, "public.a")["activity"];
        (activity["sequential_scans"], activity["index_scans"], activity["inserted"]) =
            (0.into(), 123_000.into(), 1_000.into());
    });
    let (page, stats) = (project.db().join("page.html"), stats.display().to_string());
    let (html, scratch) = (page.display().to_string(), server().url("postgres"));
    let output = project.run(&["plan", "--locks", "--scratch-url", &scratch, "--stats", &stats, "--html", &html]);
    assert!(output.contains("    forecast: statement 1: AccessExclusiveLock on public.a for "), "{output}");
    assert!(output.contains("; 12,400 calls a minute wait\n"), "{output}");
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("Forecast with real data") && page.contains("12,400 calls a minute wait"), "{page}");
    let without = project.run(&["plan", "--stats", &stats]);
    assert!(without.starts_with("exit 2\n"), "{without}");
    std::fs::write(&stats, "{}").unwrap();
    let broken = project.run(&["plan", "--locks", "--scratch-url", &scratch, "--stats", &stats]);
    assert!(broken.starts_with("exit 2\n") && broken.contains("cannot read the statistics"), "{broken}");
}

#[test]
fn verify_tells_how_long_the_new_migrations_hold_their_locks() {
    let project = Project::with_rows();
    project
        .migration("002_wide", "ALTER TABLE a ALTER COLUMN n TYPE bigint;", "ALTER TABLE a ALTER COLUMN n TYPE int;")
        .file("migrator.toml", "[budget]\nblocks_reads = \"200ms\"\n");
    let stats = project.stats(|stats| {
        let table = table(stats, "public.a");
        (table["rows"], table["pages"], table["bytes"]) = (80_000_000.into(), 500_000.into(), 4_096_000_000_u64.into());
    });
    let (comment, page) = (project.db().join("comment.md"), project.db().join("page.html"));
    let output = project.run(&[
        "verify",
        "--stats",
        stats.to_str().unwrap(),
        "--markdown",
        comment.to_str().unwrap(),
        "--html",
        page.to_str().unwrap(),
    ]);
    assert!(output.contains("ok      forecast: 1 new migration, with real data"), "{output}");
    assert!(output.contains("FAILED  budget: 1 new migration, beyond [budget]"), "{output}");
    let comment = std::fs::read_to_string(comment).unwrap();
    assert!(
        comment.starts_with("1 new migration: ~1 column; may block over 200 ms: <code>public.a</code> for "),
        "{comment}"
    );
    assert!(
        comment.contains("**With real data**\n\n- <code>statement 1&#58; AccessExclusiveLock on public.a for "),
        "{comment}"
    );
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("<span class=\"size\">3.8 GB, 80,000,000 rows</span>"), "{page}");
}
