//! Changes of what PostgreSQL has had since release 18: virtual columns, NOT NULL with a name, keys without overlaps, constraints that are
//! not enforced.

use expect_test::expect;

use super::kinds::refused;
use crate::support::{Project, major, not_tested};

const BASE: &str = "
CREATE SCHEMA e;
CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE TABLE e.t (
    id int CONSTRAINT t_pkey PRIMARY KEY,
    a int,
    b int CONSTRAINT b_must NOT NULL,
    c int,
    CONSTRAINT small CHECK (a < 9) NOT ENFORCED,
    CONSTRAINT large CHECK (b > 0)
);
CREATE TABLE e.child () INHERITS (e.t);
ALTER TABLE e.t ADD CONSTRAINT c_must NOT NULL c NOT VALID;
CREATE TABLE e.v (
    id int PRIMARY KEY,
    a int,
    b int,
    twice int GENERATED ALWAYS AS (a * 2) VIRTUAL,
    kept int GENERATED ALWAYS AS (a * 2) STORED
);
CREATE TABLE e.other (
    id int PRIMARY KEY,
    t int CONSTRAINT other_t REFERENCES e.t,
    u int CONSTRAINT other_u REFERENCES e.t NOT ENFORCED
);
CREATE TABLE e.span (id int, at daterange, note text, CONSTRAINT span_pkey PRIMARY KEY (id, at WITHOUT OVERLAPS));
CREATE TABLE e.within (id int, at daterange, note text,
    CONSTRAINT within_once UNIQUE (id, at WITHOUT OVERLAPS),
    CONSTRAINT within_span FOREIGN KEY (id, PERIOD at) REFERENCES e.span (id, PERIOD at));
CREATE TABLE e.free (id int, at daterange);
CREATE TABLE e.parted (id int NOT NULL, a int, d int GENERATED ALWAYS AS (id + 1) VIRTUAL) PARTITION BY RANGE (id);
CREATE TABLE e.parted_1 PARTITION OF e.parted FOR VALUES FROM (0) TO (10);
CREATE TABLE e.told (id int PRIMARY KEY, kept int GENERATED ALWAYS AS (id * 2) STORED);
CREATE PUBLICATION e_news FOR TABLE e.told WITH (publish_generated_columns = stored);
";

const CHANGES: &[&str] = &[
    "ALTER TABLE e.v ADD COLUMN more int GENERATED ALWAYS AS (b + 1) VIRTUAL",
    "ALTER TABLE e.v DROP COLUMN twice",
    "ALTER TABLE e.v ALTER twice SET EXPRESSION AS (a * 3)",
    "ALTER TABLE e.v ALTER kept SET EXPRESSION AS (a * 3)",
    "ALTER TABLE e.v DROP COLUMN twice; ALTER TABLE e.v ADD COLUMN twice int GENERATED ALWAYS AS (a * 2) STORED",
    "ALTER TABLE e.v DROP COLUMN twice; ALTER TABLE e.v ADD COLUMN twice int",
    "ALTER TABLE e.v ALTER twice TYPE bigint",
    "ALTER TABLE e.v ALTER twice SET NOT NULL",
    "ALTER TABLE e.parted ALTER d SET EXPRESSION AS (id + 2)",
    "ALTER TABLE e.t ADD CONSTRAINT a_must NOT NULL a",
    "ALTER TABLE e.t ADD CONSTRAINT a_must NOT NULL a NOT VALID",
    "ALTER TABLE e.t VALIDATE CONSTRAINT c_must",
    "ALTER TABLE e.t DROP CONSTRAINT b_must",
    "ALTER TABLE e.t DROP CONSTRAINT c_must",
    "ALTER TABLE e.t RENAME CONSTRAINT b_must TO b_has_to",
    "ALTER TABLE e.t DROP CONSTRAINT b_must; ALTER TABLE e.t ADD CONSTRAINT b_must NOT NULL b NO INHERIT",
    "ALTER TABLE e.child ADD CONSTRAINT a_must NOT NULL a",
    "ALTER TABLE e.parted ADD CONSTRAINT a_must NOT NULL a",
    "COMMENT ON CONSTRAINT b_must ON e.t IS 'it must'",
    "ALTER TABLE e.t ADD COLUMN d text CONSTRAINT d_must NOT NULL DEFAULT 'x'",
    "ALTER TABLE e.free ADD CONSTRAINT free_pkey PRIMARY KEY (id, at WITHOUT OVERLAPS)",
    "ALTER TABLE e.free ADD CONSTRAINT free_once UNIQUE (id, at WITHOUT OVERLAPS)",
    "ALTER TABLE e.free ADD CONSTRAINT free_span FOREIGN KEY (id, PERIOD at) REFERENCES e.span (id, PERIOD at)",
    "ALTER TABLE e.within DROP CONSTRAINT within_span",
    "ALTER TABLE e.within DROP CONSTRAINT within_once",
    "ALTER TABLE e.within DROP CONSTRAINT within_span; ALTER TABLE e.span DROP CONSTRAINT span_pkey",
    "ALTER TABLE e.within DROP CONSTRAINT within_once; ALTER TABLE e.within ADD CONSTRAINT within_once UNIQUE (id, at)",
    "CREATE TABLE e.new (id int, at daterange, PRIMARY KEY (id, at WITHOUT OVERLAPS), FOREIGN KEY (id, PERIOD at) REFERENCES e.span (id, PERIOD at))",
    "DROP TABLE e.within",
    "ALTER TABLE e.t DROP CONSTRAINT small",
    "ALTER TABLE e.t DROP CONSTRAINT small; ALTER TABLE e.t ADD CONSTRAINT small CHECK (a < 9)",
    "ALTER TABLE e.t DROP CONSTRAINT large; ALTER TABLE e.t ADD CONSTRAINT large CHECK (b > 0) NOT ENFORCED",
    "ALTER TABLE e.t ADD CONSTRAINT odd CHECK (a <> 3) NOT ENFORCED",
    "ALTER TABLE e.other ALTER CONSTRAINT other_t NOT ENFORCED",
    "ALTER TABLE e.other ALTER CONSTRAINT other_u ENFORCED",
    "ALTER TABLE e.other DROP CONSTRAINT other_u",
    "ALTER TABLE e.free ADD CONSTRAINT free_t FOREIGN KEY (id) REFERENCES e.t NOT ENFORCED",
    "ALTER PUBLICATION e_news SET (publish_generated_columns = none)",
    "DROP PUBLICATION e_news",
];

#[test]
fn what_is_new_in_18_is_written_or_refused_by_name() {
    if major() < 18 {
        return not_tested("what is new in PostgreSQL 18: the server is older");
    }
    let project = Project::new();
    project.migration("001_a", "CREATE TABLE public.a (id int);", "DROP TABLE public.a;").run(&["up"]);
    project.query(BASE);
    let embedded = migrator_tests::load(&project.db()).unwrap().0.set().unwrap();
    let refused = refused(embedded, project.database(), CHANGES);
    expect![[""]].assert_eq(&refused.join("\n"));
}
