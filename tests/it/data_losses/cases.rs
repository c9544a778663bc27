//! Rollbacks that change definitions, and what each loses. `@` is the schema of the case.

/// One rollback.
pub(super) struct Case {
    pub(super) name: &'static str,
    /// What is there before; its migration has no down block.
    pub(super) setup: &'static str,
    pub(super) up: &'static str,
    pub(super) down: &'static str,
    /// What is said of it.
    pub(super) expected: &'static [&'static str],
}

pub(super) const fn case(
    name: &'static str,
    setup: &'static str,
    up: &'static str,
    down: &'static str,
    expected: &'static [&'static str],
) -> Case {
    Case { name, setup, up, down, expected }
}

pub(super) const T: &str = "CREATE TABLE @.t (id int PRIMARY KEY, a text);";

pub(super) const FAILS: &str = "fails with some rows that the schema takes";

pub(super) const DEFINITIONS: &[Case] = &[
    case(
        "add_column",
        T,
        "ALTER TABLE @.t ADD COLUMN b text;",
        "ALTER TABLE @.t DROP COLUMN b;",
        &["loses 1 column with 3 rows: @.t.b"],
    ),
    case(
        "add_required_column",
        T,
        "ALTER TABLE @.t ADD COLUMN locale text DEFAULT 'en' NOT NULL;",
        "ALTER TABLE @.t DROP COLUMN locale;",
        &["loses 1 column with 3 rows: @.t.locale"],
    ),
    case(
        "add_two_columns",
        T,
        "ALTER TABLE @.t ADD COLUMN b int, ADD COLUMN c jsonb;",
        "ALTER TABLE @.t DROP COLUMN c, DROP COLUMN b;",
        &["loses 2 columns with 3 rows: @.t.b, @.t.c"],
    ),
    case(
        "create_table",
        "",
        "CREATE TABLE @.n (id int, a text);",
        "DROP TABLE @.n;",
        &["loses 1 table with 3 rows: @.n"],
    ),
    case(
        "create_tables_that_refer_to_each_other",
        "",
        "CREATE TABLE @.n (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a text NOT NULL);\n\
         CREATE TABLE @.o (n_id bigint NOT NULL REFERENCES @.n, a uuid);",
        "DROP TABLE @.o, @.n;",
        &["loses 2 tables with 6 rows: @.n, @.o"],
    ),
    case(
        "table_that_the_up_block_fills",
        "",
        "CREATE TABLE @.countries (code text PRIMARY KEY, name text);\nINSERT INTO @.countries VALUES ('de', 'Germany'), ('fr', 'France');",
        "DROP TABLE @.countries;",
        &["loses 1 table with 2 rows: @.countries"],
    ),
    case("table_lost_by_up", T, "DROP TABLE @.t;", "CREATE TABLE @.t (id int PRIMARY KEY, a text);", &[]),
    case("rename_column", T, "ALTER TABLE @.t RENAME COLUMN a TO b;", "ALTER TABLE @.t RENAME COLUMN b TO a;", &[]),
    case("rename_table", T, "ALTER TABLE @.t RENAME TO u;", "ALTER TABLE @.u RENAME TO t;", &[]),
    case(
        "set_schema",
        T,
        "CREATE SCHEMA @x;\nALTER TABLE @.t SET SCHEMA @x;",
        "ALTER TABLE @x.t SET SCHEMA @;\nDROP SCHEMA @x;",
        &[],
    ),
    case(
        "swap_tables",
        T,
        "CREATE TABLE @.n (id bigint PRIMARY KEY, a text);\nINSERT INTO @.n SELECT * FROM @.t;\nDROP TABLE @.t;\n\
         ALTER TABLE @.n RENAME TO t;\nALTER INDEX @.n_pkey RENAME TO t_pkey;",
        "CREATE TABLE @.n (id int PRIMARY KEY, a text);\nINSERT INTO @.n SELECT id % 2000000000, a FROM @.t;\nDROP TABLE @.t;\n\
         ALTER TABLE @.n RENAME TO t;\nALTER INDEX @.n_pkey RENAME TO t_pkey;",
        &[],
    ),
    case(
        "swap_tables_and_forget_the_rows",
        T,
        "CREATE TABLE @.n (id bigint, a text);\nINSERT INTO @.n SELECT * FROM @.t;\nDROP TABLE @.t;\nALTER TABLE @.n RENAME TO t;",
        "DROP TABLE @.t;\nCREATE TABLE @.t (id int PRIMARY KEY, a text);",
        &["loses 1 table with 3 rows: @.t"],
    ),
    case(
        "swap_tables_and_forget_a_column",
        "CREATE TABLE @.t (id int PRIMARY KEY, a text, b text);",
        "CREATE TABLE @.n (id int, a text, b text);\nDROP TABLE @.t;\nALTER TABLE @.n RENAME TO t;",
        "CREATE TABLE @.n (id int PRIMARY KEY, a text, b text);\nINSERT INTO @.n SELECT id, a FROM @.t;\nDROP TABLE @.t;\n\
         ALTER TABLE @.n RENAME TO t;\nALTER INDEX @.n_pkey RENAME TO t_pkey;",
        &["loses 1 column with 3 rows: @.t.b"],
    ),
    case(
        "bigint_to_int",
        "CREATE TABLE @.t (a int);",
        "ALTER TABLE @.t ALTER COLUMN a TYPE bigint;",
        "ALTER TABLE @.t ALTER COLUMN a TYPE int;",
        &[FAILS],
    ),
    case(
        "shorter_text",
        "CREATE TABLE @.t (a varchar(50));",
        "ALTER TABLE @.t ALTER COLUMN a TYPE varchar(200);",
        "ALTER TABLE @.t ALTER COLUMN a TYPE varchar(50) USING left(a, 50);",
        &["changes 1 of 3 values of @.t.a"],
    ),
    case(
        "too_long_text",
        "CREATE TABLE @.t (a varchar(20));",
        "ALTER TABLE @.t ALTER COLUMN a TYPE text;",
        "ALTER TABLE @.t ALTER COLUMN a TYPE varchar(20);",
        &[FAILS],
    ),
    case(
        "numeric_to_int",
        "CREATE TABLE @.t (a int);",
        "ALTER TABLE @.t ALTER COLUMN a TYPE numeric;",
        "ALTER TABLE @.t ALTER COLUMN a TYPE int;",
        &["changes 3 of 3 values of @.t.a"],
    ),
    case(
        "fewer_digits",
        "CREATE TABLE @.t (a numeric(10,2));",
        "ALTER TABLE @.t ALTER COLUMN a TYPE numeric(12,4);",
        "ALTER TABLE @.t ALTER COLUMN a TYPE numeric(10,2);",
        &["changes 3 of 3 values of @.t.a"],
    ),
    case(
        "more_digits",
        "CREATE TABLE @.t (a numeric(12,4));",
        "ALTER TABLE @.t ALTER COLUMN a TYPE numeric(10,2);",
        "ALTER TABLE @.t ALTER COLUMN a TYPE numeric(12,4);",
        &[],
    ),
    case(
        "time_zone",
        "CREATE TABLE @.t (a timestamp);",
        "ALTER TABLE @.t ALTER COLUMN a TYPE timestamptz USING a AT TIME ZONE 'UTC';",
        "ALTER TABLE @.t ALTER COLUMN a TYPE timestamp USING a AT TIME ZONE 'UTC';",
        &[],
    ),
    case(
        "timestamp_to_date",
        "CREATE TABLE @.t (a date);",
        "ALTER TABLE @.t ALTER COLUMN a TYPE timestamp;",
        "ALTER TABLE @.t ALTER COLUMN a TYPE date;",
        &["changes 3 of 3 values of @.t.a"],
    ),
    case(
        "json",
        "CREATE TABLE @.t (a json);",
        "ALTER TABLE @.t ALTER COLUMN a TYPE jsonb;",
        "ALTER TABLE @.t ALTER COLUMN a TYPE json;",
        &[],
    ),
    case(
        "text_to_int",
        "CREATE TABLE @.t (a int);",
        "ALTER TABLE @.t ALTER COLUMN a TYPE text;",
        "ALTER TABLE @.t ALTER COLUMN a TYPE int USING a::int;",
        &["fails with rows in place: its losses are unknown"],
    ),
    case(
        "text_to_boolean",
        "CREATE TABLE @.t (a boolean);",
        "ALTER TABLE @.t ALTER COLUMN a TYPE text USING CASE WHEN a THEN 'yes' ELSE 'no' END;",
        "ALTER TABLE @.t ALTER COLUMN a TYPE boolean USING a = 'yes';",
        &["changes 3 of 4 values of @.t.a"],
    ),
    case(
        "text_to_boolean_and_back",
        "CREATE TABLE @.t (a boolean);",
        "ALTER TABLE @.t ALTER COLUMN a TYPE text USING CASE WHEN a THEN 'yes' ELSE 'no' END;\n\
         ALTER TABLE @.t ADD CONSTRAINT known CHECK (a IN ('yes', 'no'));",
        "ALTER TABLE @.t DROP CONSTRAINT known;\nALTER TABLE @.t ALTER COLUMN a TYPE boolean USING a = 'yes';",
        &[],
    ),
    case("view", T, "CREATE VIEW @.v AS SELECT a FROM @.t;", "DROP VIEW @.v;", &[]),
    case("index", T, "CREATE INDEX t_a ON @.t (a);", "DROP INDEX @.t_a;", &[]),
    case(
        "constraint",
        T,
        "ALTER TABLE @.t ADD CONSTRAINT c CHECK (a <> '');",
        "ALTER TABLE @.t DROP CONSTRAINT c;",
        &[],
    ),
    case(
        "policy",
        T,
        "ALTER TABLE @.t ENABLE ROW LEVEL SECURITY;\nALTER TABLE @.t FORCE ROW LEVEL SECURITY;\nCREATE POLICY p ON @.t USING (a = 'x');",
        "DROP POLICY p ON @.t;\nALTER TABLE @.t NO FORCE ROW LEVEL SECURITY;\nALTER TABLE @.t DISABLE ROW LEVEL SECURITY;",
        &[],
    ),
    case(
        "sequence_restarted",
        "CREATE SEQUENCE @.s;",
        "SELECT 1;",
        "ALTER SEQUENCE @.s RESTART;",
        &["sets the sequence @.s back from 3 to its start"],
    ),
    case("sequence", "", "CREATE SEQUENCE @.s;", "DROP SEQUENCE @.s;", &["loses the position 3 of the sequence @.s"]),
    case(
        "partition_attached",
        "CREATE TABLE @.m (at int, a text) PARTITION BY RANGE (at);\nCREATE TABLE @.p (at int, a text);",
        "ALTER TABLE @.m ATTACH PARTITION @.p FOR VALUES FROM (0) TO (100);",
        "ALTER TABLE @.m DETACH PARTITION @.p;",
        &[],
    ),
    case(
        "partition_created",
        "CREATE TABLE @.m (at date, a text) PARTITION BY RANGE (at);\nCREATE TABLE @.p1 PARTITION OF @.m FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');",
        "CREATE TABLE @.p2 PARTITION OF @.m FOR VALUES FROM ('2027-02-01') TO ('2027-03-01');",
        "DROP TABLE @.p2;",
        &["loses 1 table with 3 rows: @.p2"],
    ),
    case(
        "partitioned_table",
        "",
        "CREATE TABLE @.m (id int, kind text) PARTITION BY LIST (kind);\nCREATE TABLE @.p1 PARTITION OF @.m FOR VALUES IN ('a');\n\
         CREATE TABLE @.p2 PARTITION OF @.m DEFAULT;",
        "DROP TABLE @.m;",
        &["loses 1 table with 6 rows: @.m"],
    ),
    case(
        "column_of_a_partitioned_table",
        "CREATE TABLE @.m (id int, a text) PARTITION BY HASH (id);\nCREATE TABLE @.p1 PARTITION OF @.m FOR VALUES WITH (MODULUS 2, REMAINDER 0);\n\
         CREATE TABLE @.p2 PARTITION OF @.m FOR VALUES WITH (MODULUS 2, REMAINDER 1);",
        "ALTER TABLE @.m ADD COLUMN note text;",
        "ALTER TABLE @.m DROP COLUMN note;",
        &["loses 1 column with 6 rows: @.m.note"],
    ),
    case(
        "generated_column",
        T,
        "ALTER TABLE @.t ADD COLUMN b text GENERATED ALWAYS AS (upper(a)) STORED;",
        "ALTER TABLE @.t DROP COLUMN b;",
        &[],
    ),
    case(
        "materialized_view",
        T,
        "CREATE MATERIALIZED VIEW @.v AS SELECT a FROM @.t;",
        "DROP MATERIALIZED VIEW @.v;",
        &[],
    ),
    case("unlogged", T, "ALTER TABLE @.t SET UNLOGGED;", "ALTER TABLE @.t SET LOGGED;", &[]),
    case("comment", T, "COMMENT ON TABLE @.t IS 'x';", "COMMENT ON TABLE @.t IS NULL;", &[]),
    case(
        "trigger",
        T,
        "CREATE FUNCTION @.f() RETURNS trigger LANGUAGE plpgsql AS $f$BEGIN RAISE EXCEPTION 'read only'; END$f$;\n\
         CREATE TRIGGER t BEFORE INSERT OR UPDATE ON @.t FOR EACH ROW EXECUTE FUNCTION @.f();",
        "DROP TRIGGER t ON @.t;\nDROP FUNCTION @.f();",
        &[],
    ),
    case(
        "identity",
        "CREATE TABLE @.t (id int PRIMARY KEY, a text);",
        "ALTER TABLE @.t ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY;",
        "ALTER TABLE @.t ALTER COLUMN id DROP IDENTITY;",
        &[],
    ),
    case(
        "default",
        T,
        "ALTER TABLE @.t ALTER COLUMN a SET DEFAULT 'x';",
        "ALTER TABLE @.t ALTER COLUMN a DROP DEFAULT;",
        &[],
    ),
    case(
        "column_of_a_domain",
        "CREATE DOMAIN @.code AS text CHECK (VALUE ~ '^[A-Z]{3}$');\nCREATE TABLE @.t (id int);",
        "ALTER TABLE @.t ADD COLUMN code @.code;",
        "ALTER TABLE @.t DROP COLUMN code;",
        &["loses 1 column with 3 rows: @.t.code"],
    ),
    case(
        "columns_checked_together",
        "CREATE TABLE @.t (id int);",
        "ALTER TABLE @.t ADD COLUMN begins date NOT NULL, ADD COLUMN ends date, ADD CONSTRAINT o CHECK (begins < ends), ADD CONSTRAINT p CHECK (begins > '2026-01-03'::date);",
        "ALTER TABLE @.t DROP COLUMN begins, DROP COLUMN ends;",
        &["loses 2 columns with 3 rows: @.t.begins, @.t.ends"],
    ),
    case(
        "schema",
        "",
        "CREATE SCHEMA @x;\nCREATE TABLE @x.a (id int);\nCREATE TABLE @x.b (id int);",
        "DROP SCHEMA @x CASCADE;",
        &["loses 2 tables with 6 rows: @x.a, @x.b"],
    ),
    case(
        "table_without_a_possible_row",
        "",
        "CREATE TABLE @.n (a text NOT NULL CHECK (a ~ '^Q{37}$'));",
        "DROP TABLE @.n;",
        &[
            "loses 1 table for which no row could be made: @.n",
            "no row could be made for @.n: new row for relation \"n\" violates check constraint \"n_a_check\" [23514]",
        ],
    ),
    case(
        "declared",
        T,
        "ALTER TABLE @.t ADD COLUMN b text, ADD COLUMN c text;",
        "-- migrate:loses @.t.b nothing reads it\nALTER TABLE @.t DROP COLUMN b, DROP COLUMN c;",
        &["loses 1 column with 3 rows: @.t.c", "loses 1 column with 3 rows: @.t.b, as declared"],
    ),
    case(
        "declared_and_kept",
        T,
        "CREATE INDEX t_b ON @.t (a);",
        "-- migrate:loses @.t.a\nDROP INDEX @.t_b;",
        &["line 5: the rollback does not lose `@.t.a`: remove `-- migrate:loses`"],
    ),
];
