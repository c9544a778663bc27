//! Migrations that break one query each.

use super::Case;

const fn case(before: &'static str, query: &'static str, migration: &'static str, said: &'static str) -> Case {
    Case { before, query, migration, said }
}

pub(super) const CASES: &[Case] = &[
    case(
        "CREATE TABLE dropped (id int, x text);",
        "SELECT x FROM dropped",
        "ALTER TABLE dropped DROP COLUMN x;",
        "[42703]",
    ),
    case(
        "CREATE TABLE renamed (id int, x text);",
        "UPDATE renamed SET x = $1",
        "ALTER TABLE renamed RENAME x TO y;",
        "[42703]",
    ),
    case(
        "CREATE TABLE gone (id int);",
        "DELETE FROM gone",
        "DROP TABLE gone;",
        "relation \"gone\" does not exist [42P01]",
    ),
    case("CREATE TABLE old_name (id int);", "TABLE old_name", "ALTER TABLE old_name RENAME TO new_name;", "[42P01]"),
    case(
        "CREATE TABLE widened (id int);",
        "SELECT id FROM widened",
        "ALTER TABLE widened ALTER id TYPE bigint;",
        "result column `id` is `int8`, not `int4`",
    ),
    case(
        "CREATE TABLE keyed (id int);",
        "DELETE FROM keyed WHERE id = $1",
        "ALTER TABLE keyed ALTER id TYPE bigint;",
        "parameter $1 is `int8`, not `int4`",
    ),
    case(
        "CREATE TABLE grown (id int, gone text); ALTER TABLE grown DROP gone;",
        "INSERT INTO grown (id) VALUES ($1)",
        "ALTER TABLE grown ADD COLUMN y int NOT NULL;",
        "gives no value for `y` of `public.grown`",
    ),
    case(
        "CREATE TABLE stricter (id int, x text); CREATE TABLE source (id int);",
        "INSERT INTO stricter (id) SELECT id FROM source ORDER BY id LIMIT 3",
        "ALTER TABLE stricter ALTER x SET NOT NULL;",
        "gives no value for `x` of `public.stricter`",
    ),
    case(
        "CREATE TABLE no_default (id int, x text NOT NULL DEFAULT '');",
        "INSERT INTO no_default (id) VALUES ($1), ($2) RETURNING id",
        "ALTER TABLE no_default ALTER x DROP DEFAULT;",
        "[23502]",
    ),
    case(
        "CREATE TABLE upserted (id int, x text); CREATE UNIQUE INDEX upserted_id ON upserted (id);",
        "INSERT INTO upserted VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET x = excluded.x",
        "DROP INDEX upserted_id;",
        "[42P10]",
    ),
    case(
        "CREATE TABLE constrained (id int CONSTRAINT one_id UNIQUE);",
        "INSERT INTO constrained VALUES ($1) ON CONFLICT ON CONSTRAINT one_id DO NOTHING",
        "ALTER TABLE constrained RENAME CONSTRAINT one_id TO other_id;",
        "constraint \"one_id\"",
    ),
    case(
        "CREATE FUNCTION called(int) RETURNS int LANGUAGE sql AS 'SELECT 1';",
        "SELECT called($1)",
        "DROP FUNCTION called(int); CREATE FUNCTION called(int, int) RETURNS int LANGUAGE sql AS 'SELECT 1';",
        "[42883]",
    ),
    case(
        "CREATE FUNCTION gives() RETURNS int LANGUAGE sql AS 'SELECT 1';",
        "SELECT gives() AS result",
        "DROP FUNCTION gives(); CREATE FUNCTION gives() RETURNS text LANGUAGE sql AS $$SELECT 'x'$$;",
        "result column `result` is `text`, not `int4`",
    ),
    case(
        "CREATE TYPE state AS ENUM ('new', 'old'); CREATE TABLE stated (s state);",
        "SELECT 1 FROM stated WHERE s = 'old'",
        "CREATE TYPE state_2 AS ENUM ('new'); ALTER TABLE stated ALTER s TYPE state_2 USING s::text::state_2; DROP TYPE state; ALTER TYPE state_2 RENAME TO state;",
        "[22P02]",
    ),
    case(
        "CREATE TABLE viewed (id int, x text); CREATE VIEW view_of AS SELECT id, x FROM viewed;",
        "SELECT x FROM view_of",
        "DROP VIEW view_of; CREATE VIEW view_of AS SELECT id FROM viewed; GRANT SELECT ON view_of TO compat_app;",
        "column \"x\" does not exist",
    ),
    case(
        "CREATE SCHEMA aside; CREATE TABLE aside.apart (id int); GRANT USAGE ON SCHEMA aside TO compat_app; GRANT SELECT ON aside.apart TO compat_app;",
        "SELECT id FROM aside.apart",
        "REVOKE USAGE ON SCHEMA aside FROM compat_app;",
        "permission denied for schema aside [42501]",
    ),
    case(
        "CREATE TABLE revoked (id int);",
        "SELECT id FROM revoked",
        "REVOKE SELECT ON revoked FROM compat_app;",
        "[42501]",
    ),
    case(
        "CREATE TABLE one_column (id int, x text);",
        "UPDATE one_column SET x = $1 WHERE id = $2",
        "REVOKE UPDATE ON one_column FROM compat_app; GRANT UPDATE (id) ON one_column TO compat_app;",
        "permission denied for table one_column [42501]",
    ),
    case(
        "CREATE FUNCTION private() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 1; END';",
        "SELECT private()",
        "REVOKE EXECUTE ON FUNCTION private() FROM PUBLIC;",
        "permission denied for function private [42501]",
    ),
    case(
        "CREATE SCHEMA elsewhere; GRANT USAGE ON SCHEMA elsewhere TO compat_app; CREATE TABLE moved (id int);",
        "SELECT id FROM moved",
        "ALTER TABLE moved SET SCHEMA elsewhere;",
        "[42P01]",
    ),
    case(
        "CREATE TABLE laxer (id int NOT NULL);",
        "SELECT id FROM laxer",
        "ALTER TABLE laxer ALTER id DROP NOT NULL;",
        "result column `id` may be null now",
    ),
    case(
        "CREATE TYPE level AS ENUM ('low'); CREATE TABLE levelled (l text);",
        "SELECT l FROM levelled",
        "ALTER TABLE levelled ALTER l TYPE level USING l::level;",
        "result column `l` is `level`, not `text`",
    ),
    case(
        "CREATE TABLE timed (at timestamp);",
        "SELECT at FROM timed",
        "ALTER TABLE timed ALTER at TYPE timestamptz;",
        "`timestamptz`, not `timestamp`",
    ),
    case(
        "CREATE TABLE noted (j json);",
        "SELECT j FROM noted",
        "ALTER TABLE noted ALTER j TYPE jsonb;",
        "`jsonb`, not `json`",
    ),
    case(
        "CREATE TABLE counted (id int, x int); CREATE FUNCTION sum_of() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT sum(x) FROM counted';",
        "SELECT x FROM counted",
        "ALTER TABLE counted RENAME x TO y;",
        "[42703]",
    ),
    case(
        "CREATE TABLE ordered (id int, x text); CREATE VIEW stars AS SELECT id, x FROM ordered;",
        "SELECT * FROM stars",
        "DROP VIEW stars; CREATE VIEW stars AS SELECT id, 1 AS n, x FROM ordered; GRANT SELECT ON stars TO compat_app;",
        "result column `x` is number 3, not 2",
    ),
    case(
        "CREATE TABLE returned (id int, x text);",
        "INSERT INTO returned (id) VALUES ($1) RETURNING *",
        "ALTER TABLE returned DROP COLUMN x;",
        "result column `x` is gone",
    ),
    case("CREATE SEQUENCE numbers;", "SELECT nextval('numbers')", "DROP SEQUENCE numbers;", "[42P01]"),
    case(
        "CREATE DOMAIN email AS text;",
        "SELECT $1::email",
        "DROP DOMAIN email;",
        "type \"email\" does not exist [42704]",
    ),
    case(
        "CREATE TABLE grouped (id int PRIMARY KEY, x text);",
        "SELECT id, x FROM grouped GROUP BY id",
        "ALTER TABLE grouped DROP CONSTRAINT grouped_pkey;",
        "[42803]",
    ),
    case(
        "CREATE TABLE numbered (id int NOT NULL);",
        "INSERT INTO numbered (id) VALUES ($1)",
        "ALTER TABLE numbered ALTER id ADD GENERATED ALWAYS AS IDENTITY;",
        "[428C9]",
    ),
    case(
        "CREATE TABLE below (id int, x int); CREATE VIEW above AS SELECT id FROM below;",
        "INSERT INTO above (id) VALUES ($1)",
        "ALTER TABLE below ALTER x SET NOT NULL;",
        "gives no value for `x` of `public.below`",
    ),
    case(
        "CREATE TABLE plain (id int); CREATE VIEW writable AS SELECT id FROM plain;",
        "INSERT INTO writable VALUES ($1)",
        "DROP VIEW writable; CREATE VIEW writable AS SELECT DISTINCT id FROM plain; GRANT SELECT, INSERT ON writable TO compat_app;",
        "[55000]",
    ),
    case(
        "CREATE FUNCTION ambiguous(int) RETURNS int LANGUAGE sql AS 'SELECT 1';",
        "SELECT ambiguous('1')",
        "CREATE FUNCTION ambiguous(date) RETURNS int LANGUAGE sql AS 'SELECT 1';",
        "[42725]",
    ),
    case(
        "CREATE TABLE whole (id int);",
        "SELECT whole FROM whole",
        "ALTER TABLE whole ADD COLUMN x int;",
        "result column `whole` is `whole`",
    ),
    case(
        "CREATE DOMAIN code AS text; CREATE TABLE coded (id int, c code);",
        "WITH new AS (INSERT INTO coded (id) VALUES ($1) RETURNING id) SELECT id FROM new",
        "ALTER DOMAIN code SET NOT NULL;",
        "gives no value for `c` of `public.coded`",
    ),
    case(
        "CREATE TABLE parts (id int, x text) PARTITION BY LIST (id); CREATE TABLE part PARTITION OF parts DEFAULT;",
        "INSERT INTO parts (id) VALUES ($1) ON CONFLICT DO NOTHING",
        "ALTER TABLE parts ALTER x SET NOT NULL;",
        "gives no value for `x` of `public.parts`",
    ),
    case(
        "CREATE TABLE extra.far (id int);",
        "SELECT id FROM far",
        "ALTER ROLE compat_app SET search_path = public;",
        "relation \"far\" does not exist [42P01]",
    ),
    case(
        "CREATE TABLE merged (id int UNIQUE, x int NOT NULL);",
        "INSERT INTO merged (id, x) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET id = excluded.id RETURNING x",
        "ALTER TABLE merged ALTER x DROP NOT NULL;",
        "result column `x` may be null now",
    ),
    case(
        "CREATE TABLE limited (id int, x int NOT NULL);",
        "SELECT x FROM limited WHERE id IS NOT NULL LIMIT 1",
        "ALTER TABLE limited ALTER x DROP NOT NULL;",
        "result column `x` may be null now",
    ),
];
