//! The round trip of `verify` by counting what was written: it must come to what reading the schema comes to, and is never sure
//! where that is not.

use expect_test::expect;
use migrator_postgres::TemporaryServer;

use crate::support::{Project, query_at};

/// What is there before; `@` is another one for each migration.
const BASE: &str = "CREATE TABLE a@ (id int, n int); CREATE TABLE b@ (id int); CREATE INDEX same@ ON a@ (id); \
    COMMENT ON TABLE b@ IS 'old'; CREATE TABLE empty@ (id int); CREATE TABLE seen@ (id int); \
    CREATE VIEW sight@ AS SELECT id FROM seen@; \
    CREATE FUNCTION f@() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';";

/// Up block and down block: each down restores exactly what was there before its up, and that can be counted.
const CLEAN: &[(&str, &str)] = &[
    (
        "CREATE TABLE t@ (id bigint PRIMARY KEY, name text NOT NULL); CREATE INDEX t@_name ON t@ (name);",
        "DROP TABLE t@;",
    ),
    (
        "CREATE TABLE t@ (id serial PRIMARY KEY, i int GENERATED ALWAYS AS IDENTITY, at timestamptz DEFAULT now(), \
         n int CHECK (n > 3) UNIQUE, d date NOT NULL DEFAULT '2020-01-01'); COMMENT ON COLUMN t@.n IS 'x'; \
         GRANT SELECT ON t@ TO PUBLIC; CREATE TABLE u@ (t_id int REFERENCES t@); CREATE VIEW v@ AS SELECT id FROM t@; \
         CREATE INDEX ON t@ (n) WHERE n > 2; ALTER TABLE u@ ADD COLUMN more int DEFAULT 3; \
         ALTER TABLE u@ ADD CONSTRAINT few CHECK (more < 9) NOT VALID;",
        "DROP VIEW v@; DROP TABLE u@; DROP TABLE t@;",
    ),
    ("CREATE INDEX n@ ON a@ (n);", "DROP INDEX n@;"),
    ("ALTER TABLE a@ ADD CONSTRAINT n@ UNIQUE (n);", "ALTER TABLE a@ DROP CONSTRAINT n@;"),
    ("CREATE SCHEMA s@; CREATE TABLE s@.t (id int); CREATE TYPE s@.mood AS ENUM ('ok');", "DROP SCHEMA s@ CASCADE;"),
    ("CREATE FUNCTION g@(a int DEFAULT 3) RETURNS int LANGUAGE sql AS 'SELECT a';", "DROP FUNCTION g@;"),
    ("CREATE SEQUENCE s@; COMMENT ON SEQUENCE s@ IS 'x';", "DROP SEQUENCE s@;"),
    ("SELECT 1;", "SELECT 2;"),
];

/// Those of each of which something cannot be counted, or does not come back.
const NASTY: &[(&str, &str)] = &[
    // As many rows as it has made, but of others.
    ("CREATE INDEX too@ ON a@ (id);", "DROP INDEX same@;"),
    ("COMMENT ON TABLE a@ IS 'old';", "COMMENT ON TABLE b@ IS NULL;"),
    ("CREATE TABLE t@ (id int);", "DROP TABLE empty@;"),
    // Too few, or too many.
    ("CREATE INDEX ON a@ (id);", "SELECT 1;"),
    ("CREATE INDEX n@ ON a@ (n);", "DROP INDEX IF EXISTS m@;"),
    ("CREATE TABLE t@ (id int, n int);", "DROP TABLE t@, empty@;"),
    ("CREATE TABLE t@ (id int);", "DROP TABLE t@; DROP TABLE seen@ CASCADE;"),
    ("CREATE TABLE IF NOT EXISTS b@ (id int);", "DROP TABLE b@;"),
    ("DROP TABLE empty@; CREATE TABLE empty@ (id int, n int);", "DROP TABLE empty@;"),
    ("CREATE TABLE t@ (id int); CREATE OR REPLACE VIEW sight@ AS SELECT id FROM t@;", "DROP TABLE t@ CASCADE;"),
    // Rows that were there are changed.
    ("COMMENT ON TABLE a@ IS 'new';", "SELECT 1;"),
    ("CREATE TABLE t@ (id int); GRANT SELECT ON a@ TO PUBLIC;", "DROP TABLE t@;"),
    ("GRANT SELECT ON a@ TO PUBLIC;", "DROP TABLE IF EXISTS no_one;"),
    ("CREATE TABLE t@ (id int); ALTER TABLE a@ ALTER COLUMN n SET DEFAULT 3;", "DROP TABLE t@;"),
    ("CREATE TRIGGER x BEFORE INSERT ON a@ EXECUTE FUNCTION f@();", "DROP TRIGGER x ON a@;"),
    ("ALTER TABLE a@ ADD CONSTRAINT few CHECK (n < 9) NOT VALID;", "ALTER TABLE a@ DROP CONSTRAINT few;"),
    ("ALTER TABLE a@ ADD COLUMN m int;", "ALTER TABLE a@ DROP COLUMN m;"),
    ("ALTER TABLE a@ ADD COLUMN m int;", "ALTER TABLE a@ DROP COLUMN n;"),
    ("ALTER TABLE a@ ALTER COLUMN n SET DEFAULT 3;", "ALTER TABLE a@ ALTER COLUMN n DROP DEFAULT;"),
    ("ALTER TABLE a@ RENAME TO c@;", "ALTER TABLE c@ RENAME TO a@;"),
    // The constant holds the OID of its type.
    ("CREATE TYPE mood@ AS ENUM ('ok'); CREATE TABLE t@ (m mood@ DEFAULT 'ok');", "DROP TABLE t@; DROP TYPE mood@;"),
    ("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC;", "SELECT 1;"),
    ("CREATE TABLE t@ (id int);", "DROP TABLE no_one;"),
];

/// What the constants of a migration depend on: the time at which it ran.
const TIMELY: &[(&str, &str)] = &[("CREATE TABLE t@ (at timestamptz DEFAULT 'now');", "DROP TABLE t@;")];

/// What is said where counting has led to another schema than going up alone.
const CONTRADICTED: &str = "the schema that was counted is not the one that only going up leads to";

/// The answer of the round trip, without the time at which it ran, and how it was found. `reads`: with a call among the statements, of
/// which no one knows what it does.
fn answer(server: &TemporaryServer, pairs: &[(&str, &str)], reads: bool) -> (String, String) {
    let project = Project::new();
    let call = if reads { " SELECT pg_catalog.now();" } else { "" };
    for (at, (up, down)) in pairs.iter().enumerate() {
        let of_its_own = |text: &str| text.replace('@', &at.to_string());
        project.migration(&format!("{:03}_base", at * 2 + 1), &of_its_own(BASE), "").migration(
            &format!("{:03}_pair", at * 2 + 2),
            &of_its_own(&format!("{up}{call}")),
            &of_its_own(down),
        );
    }
    let output = project.run_with(&["verify", "--verbose"], &[("DATABASE_URL", &server.url("postgres"))]);
    let from = output.find(" round trip: ").unwrap_or_else(|| panic!("{output}"));
    let answer = output[from..].lines().enumerate().take_while(|(at, line)| *at == 0 || line.starts_with(' '));
    let without_time = |line: &str| match line.contains("DEFAULT '20") {
        true => line.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect::<String>(),
        false => line.to_owned(),
    };
    let text = answer.map(|(_, line)| without_time(line) + "\n").collect();
    if output.contains(CONTRADICTED) {
        return (text, CONTRADICTED.to_owned());
    }
    let found = output.lines().find_map(|line| line.strip_prefix("proved by counting what was written: "));
    (text, found.unwrap_or_else(|| panic!("{output}")).to_owned())
}

/// As they are, so that `counted` of them are counted, and so that all have to be read.
#[track_caller]
fn check(pairs: &[(&str, &str)], counted: usize) -> String {
    let server = TemporaryServer::start().unwrap();
    let (by_counting, how) = answer(&server, pairs, false);
    let (by_reading, how_by_reading) = answer(&server, pairs, true);
    assert_eq!(by_counting, by_reading);
    let of = pairs.len() * 2;
    assert_eq!((how, how_by_reading), (format!("{counted} of {of}"), format!("0 of {of}")));
    by_counting
}

#[test]
fn what_can_be_counted_is_exact_when_it_is_read_too() {
    let answer = check(CLEAN, CLEAN.len());
    assert!(answer.contains("8 of 8 rollbacks restore the schema exactly"), "{answer}");
}

#[test]
fn what_fools_a_count_is_read_and_reported_as_ever() {
    let answer = check(NASTY, 0);
    let broken: String =
        answer.lines().filter(|line| line.contains("_pair: ")).map(|line| line.trim().to_owned() + "\n").collect();
    expect![[r#"
        002_pair: the rollback does not restore the schema
        004_pair: the rollback does not restore the schema
        006_pair: the rollback does not restore the schema
        008_pair: the rollback does not restore the schema
        010_pair: the rollback does not restore the schema
        012_pair: the rollback does not restore the schema
        014_pair: the rollback does not restore the schema
        016_pair: the rollback does not restore the schema
        018_pair: the rollback does not restore the schema
        020_pair: the rollback does not restore the schema
        022_pair: the rollback does not restore the schema
        024_pair: the rollback does not restore the schema
        026_pair: the rollback does not restore the schema
        028_pair: the rollback does not restore the schema
        036_pair: the rollback does not restore the schema
        044_pair: the rollback does not restore the schema
        046_pair: the rollback fails
    "#]]
    .assert_eq(&broken);
}

#[test]
fn what_depends_on_the_time_is_not_the_same_twice() {
    let (by_reading, _) = answer(&TemporaryServer::start().unwrap(), TIMELY, true);
    let (answer, how) = answer(&TemporaryServer::start().unwrap(), TIMELY, false);
    assert_eq!(answer, by_reading);
    assert!(answer.contains("002_pair: the second up produces another schema"), "{answer}");
    assert_eq!(how, "0 of 2");
}

#[test]
fn nothing_is_counted_where_an_event_trigger_runs_or_the_server_does_not_count() {
    let server = TemporaryServer::start().unwrap();
    let project = Project::new();
    project
        .migration(
            "001_trigger",
            "CREATE FUNCTION e() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; \
             CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION e();",
            "",
        )
        .migration("002_table", "CREATE TABLE t (id int);", "DROP TABLE t;");
    let verify = || project.run_with(&["verify", "--verbose"], &[("DATABASE_URL", &server.url("postgres"))]);
    let none = "proved by counting what was written: 0 of 2";
    assert!(verify().contains(none));
    project.migration("001_trigger", "CREATE TABLE e (id int);", "");
    assert!(verify().contains("proved by counting what was written: 1 of 2"));
    query_at(&server.url("postgres"), "ALTER SYSTEM SET track_counts = off");
    query_at(&server.url("postgres"), "SELECT pg_reload_conf()");
    assert!(verify().contains(none));
}
