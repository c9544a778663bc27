//! What `verify` traces: the locks that statements take on what was there before, as a table.

use expect_test::expect_file;

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
    let findings = crate::support::schema::result(&output)["findings"].clone();
    let locks = findings.as_array().unwrap().iter().find(|finding| finding["name"] == "locks").unwrap();
    assert_eq!(locks["verdict"], "ok", "{findings}");
    let lines: Vec<&str> = locks["lines"].as_array().unwrap().iter().filter_map(|line| line.as_str()).collect();
    let table = STATEMENTS.iter().enumerate().map(|(index, statement)| {
        let label = format!("{:03}_s statement 1: ", index + 2);
        let of_statement = lines.iter().filter_map(|line| line.strip_prefix(&label));
        let locks = of_statement.map(|line| format!("    {}\n", line.rsplit_once(" (").unwrap().0));
        format!("{statement}\n{}", locks.collect::<String>())
    });
    expect_file!["locks_of_ddl.txt"].assert_eq(&table.collect::<String>());
}
