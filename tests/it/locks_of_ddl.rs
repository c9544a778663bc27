//! What `verify` traces: the locks that statements take on what was there before, as a table.

use expect_test::expect;

use crate::support::Project;

/// What each statement finds.
const BASE: &str = "CREATE TABLE a (id int PRIMARY KEY, n int, t text, v varchar(50), w timestamptz, CONSTRAINT n_there CHECK (n IS NOT NULL) NOT VALID);
CREATE TABLE b (id int PRIMARY KEY, a_id int);
CREATE TABLE p (id int) PARTITION BY RANGE (id);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9);
CREATE TABLE p2 (id int);
CREATE INDEX a_t ON a (t);
CREATE UNIQUE INDEX a_n ON a (n);
CREATE VIEW vw AS SELECT id FROM b;
CREATE MATERIALIZED VIEW mv AS SELECT id FROM b;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TYPE mood AS ENUM ('ok');
CREATE DOMAIN positive AS int;
CREATE TABLE d (x positive, m mood);";

/// Each in a migration of its own, in this order.
const STATEMENTS: [&str; 48] = [
    "ALTER TABLE a ADD COLUMN c1 int",
    "ALTER TABLE a ADD COLUMN c2 timestamptz DEFAULT now()",
    "ALTER TABLE a ADD COLUMN c3 uuid DEFAULT gen_random_uuid()",
    "ALTER TABLE a ADD COLUMN c4 int GENERATED ALWAYS AS (id * 2) STORED",
    "ALTER TABLE a ADD COLUMN c5 int GENERATED ALWAYS AS IDENTITY",
    "ALTER TABLE a ADD COLUMN c6 serial",
    "ALTER TABLE a DROP COLUMN c1",
    "ALTER TABLE a RENAME COLUMN c2 TO c7",
    "ALTER TABLE a ALTER COLUMN v TYPE varchar(100)",
    "ALTER TABLE a ALTER COLUMN v TYPE text",
    "ALTER TABLE b ALTER COLUMN a_id TYPE bigint",
    "ALTER TABLE a ALTER COLUMN t SET DEFAULT 'x'",
    "ALTER TABLE a ALTER COLUMN t SET NOT NULL",
    "ALTER TABLE a VALIDATE CONSTRAINT n_there",
    "ALTER TABLE a ALTER COLUMN n SET NOT NULL",
    "ALTER TABLE a ALTER COLUMN n DROP NOT NULL",
    "ALTER TABLE a ADD CONSTRAINT small CHECK (n < 100)",
    "ALTER TABLE a ADD CONSTRAINT later CHECK (n < 200) NOT VALID",
    "ALTER TABLE a DROP CONSTRAINT small",
    "ALTER TABLE a ADD CONSTRAINT one_n UNIQUE USING INDEX a_n",
    "ALTER TABLE a ADD CONSTRAINT one_t UNIQUE (t)",
    "ALTER TABLE a ADD CONSTRAINT apart EXCLUDE (n WITH =)",
    "ALTER TABLE b ADD CONSTRAINT to_a FOREIGN KEY (id) REFERENCES a",
    "ALTER TABLE b ADD CONSTRAINT to_a_too FOREIGN KEY (id) REFERENCES a NOT VALID",
    "ALTER TABLE b VALIDATE CONSTRAINT to_a_too",
    "ALTER TABLE b DROP CONSTRAINT to_a",
    "CREATE INDEX b_a ON b (a_id)",
    "DROP INDEX b_a",
    "REINDEX TABLE b",
    "CREATE TABLE e (a_id int REFERENCES a)",
    "CREATE TRIGGER touched BEFORE UPDATE ON a FOR EACH ROW EXECUTE FUNCTION touch()",
    "ALTER TABLE a DISABLE TRIGGER touched",
    "DROP TRIGGER touched ON a",
    "CREATE POLICY own ON a USING (true)",
    "ALTER TABLE a ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE p ATTACH PARTITION p2 FOR VALUES FROM (10) TO (19)",
    "ALTER TABLE p DETACH PARTITION p2",
    "CREATE TABLE p3 PARTITION OF p FOR VALUES FROM (20) TO (29)",
    "REFRESH MATERIALIZED VIEW mv",
    "TRUNCATE b",
    "CLUSTER a USING a_t",
    "ALTER TABLE p1 SET UNLOGGED",
    "ALTER TABLE a SET (fillfactor = 70)",
    "ALTER TABLE a ALTER COLUMN n SET STATISTICS 500",
    "ALTER TYPE mood ADD VALUE 'good'",
    "ALTER DOMAIN positive ADD CHECK (VALUE > 0)",
    "DO $$ BEGIN EXECUTE 'ALTER TABLE d ALTER COLUMN x TYPE bigint'; END $$",
    "DROP TABLE d",
];

#[test]
fn the_locks_of_ddl_are_what_the_server_takes() {
    let project = Project::new();
    let major = project.query("SELECT current_setting('server_version_num')::int / 10000");
    if major != "15\n" {
        eprintln!("not run, because the table is that of PostgreSQL 15 and this is {}: the locks of DDL", major.trim());
        return;
    }
    project.migration("001_base", BASE, "");
    for (index, statement) in STATEMENTS.iter().enumerate() {
        project.migration(&format!("{:03}_s", index + 2), &format!("{statement};"), "");
    }
    let output = project.run(&["verify", "--json"]);
    let json = output.lines().find(|line| line.starts_with('[')).unwrap_or_else(|| panic!("{output}"));
    let findings: serde_json::Value = serde_json::from_str(json).unwrap();
    let locks = findings.as_array().unwrap().iter().find(|finding| finding["name"] == "locks").unwrap();
    assert_eq!(locks["verdict"], "ok", "{findings}");
    let lines: Vec<&str> = locks["lines"].as_array().unwrap().iter().filter_map(|line| line.as_str()).collect();
    let table = STATEMENTS.iter().enumerate().map(|(index, statement)| {
        let label = format!("{:03}_s statement 1: ", index + 2);
        let of_statement = lines.iter().filter_map(|line| line.strip_prefix(&label));
        let locks = of_statement.map(|line| format!("    {}\n", line.rsplit_once(" (").unwrap().0));
        format!("{statement}\n{}", locks.collect::<String>())
    });
    expect![[r#"
        ALTER TABLE a ADD COLUMN c1 int
            AccessExclusiveLock on public.a: reads and writes wait
        ALTER TABLE a ADD COLUMN c2 timestamptz DEFAULT now()
            AccessExclusiveLock on public.a: reads and writes wait
        ALTER TABLE a ADD COLUMN c3 uuid DEFAULT gen_random_uuid()
            AccessExclusiveLock on public.a, rewritten, scanned: reads and writes wait
            AccessExclusiveLock on public.a_pkey, rewritten: reads and writes wait
            AccessExclusiveLock on public.a_t, rewritten: reads and writes wait
            AccessExclusiveLock on public.a_n, rewritten: reads and writes wait
        ALTER TABLE a ADD COLUMN c4 int GENERATED ALWAYS AS (id * 2) STORED
            AccessExclusiveLock on public.a, rewritten, scanned: reads and writes wait
            AccessExclusiveLock on public.a_pkey, rewritten: reads and writes wait
            AccessExclusiveLock on public.a_t, rewritten: reads and writes wait
            AccessExclusiveLock on public.a_n, rewritten: reads and writes wait
        ALTER TABLE a ADD COLUMN c5 int GENERATED ALWAYS AS IDENTITY
            AccessExclusiveLock on public.a, rewritten, scanned, validates NOT NULL of c5: reads and writes wait
            AccessExclusiveLock on public.a_pkey, rewritten: reads and writes wait
            AccessExclusiveLock on public.a_t, rewritten: reads and writes wait
            AccessExclusiveLock on public.a_n, rewritten: reads and writes wait
        ALTER TABLE a ADD COLUMN c6 serial
            AccessExclusiveLock on public.a, rewritten, scanned, validates NOT NULL of c6: reads and writes wait
            AccessExclusiveLock on public.a_pkey, rewritten: reads and writes wait
            AccessExclusiveLock on public.a_t, rewritten: reads and writes wait
            AccessExclusiveLock on public.a_n, rewritten: reads and writes wait
        ALTER TABLE a DROP COLUMN c1
            AccessExclusiveLock on public.a: reads and writes wait
        ALTER TABLE a RENAME COLUMN c2 TO c7
            AccessExclusiveLock on public.a: reads and writes wait
        ALTER TABLE a ALTER COLUMN v TYPE varchar(100)
            AccessExclusiveLock on public.a: reads and writes wait
        ALTER TABLE a ALTER COLUMN v TYPE text
            AccessExclusiveLock on public.a: reads and writes wait
        ALTER TABLE b ALTER COLUMN a_id TYPE bigint
            AccessExclusiveLock on public.b, rewritten, scanned: reads and writes wait
            AccessExclusiveLock on public.b_pkey, rewritten: reads and writes wait
        ALTER TABLE a ALTER COLUMN t SET DEFAULT 'x'
            AccessExclusiveLock on public.a: reads and writes wait
        ALTER TABLE a ALTER COLUMN t SET NOT NULL
            AccessExclusiveLock on public.a, scanned, validates NOT NULL of t: reads and writes wait
        ALTER TABLE a VALIDATE CONSTRAINT n_there
        ALTER TABLE a ALTER COLUMN n SET NOT NULL
            AccessExclusiveLock on public.a: reads and writes wait
        ALTER TABLE a ALTER COLUMN n DROP NOT NULL
            AccessExclusiveLock on public.a: reads and writes wait
        ALTER TABLE a ADD CONSTRAINT small CHECK (n < 100)
            AccessExclusiveLock on public.a, scanned, validates small: reads and writes wait
        ALTER TABLE a ADD CONSTRAINT later CHECK (n < 200) NOT VALID
            AccessExclusiveLock on public.a: reads and writes wait
        ALTER TABLE a DROP CONSTRAINT small
            AccessExclusiveLock on public.a: reads and writes wait
        ALTER TABLE a ADD CONSTRAINT one_n UNIQUE USING INDEX a_n
            AccessExclusiveLock on public.a: reads and writes wait
        ALTER TABLE a ADD CONSTRAINT one_t UNIQUE (t)
            AccessExclusiveLock on public.a, scanned: reads and writes wait
        ALTER TABLE a ADD CONSTRAINT apart EXCLUDE (n WITH =)
            AccessExclusiveLock on public.a, scanned: reads and writes wait
        ALTER TABLE b ADD CONSTRAINT to_a FOREIGN KEY (id) REFERENCES a
            ShareRowExclusiveLock on public.a: writes wait
            ShareRowExclusiveLock on public.b, scanned, validates to_a: writes wait
        ALTER TABLE b ADD CONSTRAINT to_a_too FOREIGN KEY (id) REFERENCES a NOT VALID
            ShareRowExclusiveLock on public.a: writes wait
            ShareRowExclusiveLock on public.b: writes wait
        ALTER TABLE b VALIDATE CONSTRAINT to_a_too
        ALTER TABLE b DROP CONSTRAINT to_a
            AccessExclusiveLock on public.a: reads and writes wait
            AccessExclusiveLock on public.b: reads and writes wait
        CREATE INDEX b_a ON b (a_id)
            ShareLock on public.b, scanned: writes wait
        DROP INDEX b_a
            AccessExclusiveLock on public.b: reads and writes wait
            AccessExclusiveLock on public.b_a, dropped: reads and writes wait
        REINDEX TABLE b
            ShareLock on public.b, scanned: writes wait
            AccessExclusiveLock on public.b_pkey, rewritten: reads and writes wait
        CREATE TABLE e (a_id int REFERENCES a)
            ShareRowExclusiveLock on public.a: writes wait
        CREATE TRIGGER touched BEFORE UPDATE ON a FOR EACH ROW EXECUTE FUNCTION touch()
            ShareRowExclusiveLock on public.a: writes wait
        ALTER TABLE a DISABLE TRIGGER touched
            ShareRowExclusiveLock on public.a: writes wait
        DROP TRIGGER touched ON a
            AccessExclusiveLock on public.a: reads and writes wait
        CREATE POLICY own ON a USING (true)
            AccessExclusiveLock on public.a: reads and writes wait
        ALTER TABLE a ENABLE ROW LEVEL SECURITY
            AccessExclusiveLock on public.a: reads and writes wait
        ALTER TABLE p ATTACH PARTITION p2 FOR VALUES FROM (10) TO (19)
            AccessExclusiveLock on public.p2, scanned: reads and writes wait
        ALTER TABLE p DETACH PARTITION p2
            AccessExclusiveLock on public.p: reads and writes wait
            AccessExclusiveLock on public.p2: reads and writes wait
        CREATE TABLE p3 PARTITION OF p FOR VALUES FROM (20) TO (29)
            AccessExclusiveLock on public.p: reads and writes wait
        REFRESH MATERIALIZED VIEW mv
            AccessExclusiveLock on public.mv, rewritten: reads and writes wait
        TRUNCATE b
            AccessExclusiveLock on public.b, rewritten: reads and writes wait
            AccessExclusiveLock on public.b_pkey, rewritten: reads and writes wait
        CLUSTER a USING a_t
            AccessExclusiveLock on public.a, rewritten, scanned: reads and writes wait
            AccessExclusiveLock on public.a_pkey, rewritten: reads and writes wait
            AccessExclusiveLock on public.a_t, rewritten: reads and writes wait
            AccessExclusiveLock on public.one_n, rewritten: reads and writes wait
            AccessExclusiveLock on public.one_t, rewritten: reads and writes wait
            AccessExclusiveLock on public.apart, rewritten: reads and writes wait
        ALTER TABLE p1 SET UNLOGGED
            AccessExclusiveLock on public.p1, rewritten, scanned: reads and writes wait
        ALTER TABLE a SET (fillfactor = 70)
        ALTER TABLE a ALTER COLUMN n SET STATISTICS 500
        ALTER TYPE mood ADD VALUE 'good'
        ALTER DOMAIN positive ADD CHECK (VALUE > 0)
            ShareLock on public.d, scanned: writes wait
        DO $$ BEGIN EXECUTE 'ALTER TABLE d ALTER COLUMN x TYPE bigint'; END $$
            AccessExclusiveLock on public.d, rewritten, scanned: reads and writes wait
        DROP TABLE d
            AccessExclusiveLock on public.d, dropped: reads and writes wait
    "#]]
    .assert_eq(&table.collect::<String>());
}
