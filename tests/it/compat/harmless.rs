//! Migrations that a linter warns of, or a reviewer, and that break no query.

use super::Case;

const fn case(before: &'static str, query: &'static str, migration: &'static str) -> Case {
    Case { before, query, migration, said: "" }
}

pub(super) const CASES: &[Case] = &[
    case("CREATE TABLE dropped (id int, x text);", "SELECT id FROM dropped", "ALTER TABLE dropped DROP COLUMN x;"),
    case("CREATE TABLE renamed (id int, x text);", "SELECT id FROM renamed", "ALTER TABLE renamed RENAME x TO y;"),
    case(
        "CREATE TABLE old_name (id int, x text);",
        "INSERT INTO old_name VALUES ($1, $2) RETURNING id",
        "ALTER TABLE old_name RENAME TO new_name; CREATE VIEW old_name AS SELECT * FROM new_name; GRANT SELECT, INSERT ON old_name TO compat_app;",
    ),
    case("CREATE TABLE unused (id int);", "SELECT 1", "DROP TABLE unused;"),
    case(
        "CREATE TABLE longer (x varchar(20));",
        "SELECT x FROM longer WHERE x = $1",
        "ALTER TABLE longer ALTER x TYPE text;",
    ),
    case("CREATE TABLE priced (x numeric(10,2));", "SELECT x FROM priced", "ALTER TABLE priced ALTER x TYPE numeric;"),
    case("CREATE TABLE grown (id int);", "SELECT * FROM grown", "ALTER TABLE grown ADD COLUMN x text;"),
    case(
        "CREATE TABLE defaulted (id int);",
        "INSERT INTO defaulted (id) VALUES ($1)",
        "ALTER TABLE defaulted ADD COLUMN x int NOT NULL DEFAULT 0;",
    ),
    case(
        "CREATE TABLE given (id int, x text);",
        "INSERT INTO given (id, x) VALUES ($1, $2)",
        "ALTER TABLE given ALTER x SET NOT NULL;",
    ),
    case(
        "CREATE TABLE filled (id int, x text); CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.x := 1; RETURN NEW; END'; \
         CREATE TRIGGER fill BEFORE INSERT ON filled FOR EACH ROW EXECUTE FUNCTION fill();",
        "INSERT INTO filled (id) VALUES ($1)",
        "ALTER TABLE filled ALTER x SET NOT NULL;",
    ),
    case(
        "CREATE TABLE indexed (id int); CREATE INDEX indexed_id ON indexed (id);",
        "SELECT id FROM indexed WHERE id = $1",
        "DROP INDEX indexed_id;",
    ),
    case(
        "CREATE TABLE twice (id int UNIQUE, x int UNIQUE);",
        "INSERT INTO twice VALUES ($1, $2) ON CONFLICT (id) DO NOTHING",
        "ALTER TABLE twice DROP CONSTRAINT twice_x_key;",
    ),
    case(
        "CREATE TABLE named (id int CONSTRAINT one UNIQUE);",
        "INSERT INTO named VALUES ($1) ON CONFLICT (id) DO NOTHING",
        "ALTER TABLE named RENAME CONSTRAINT one TO other;",
    ),
    case("CREATE FUNCTION uncalled() RETURNS int LANGUAGE sql AS 'SELECT 1';", "SELECT 2", "DROP FUNCTION uncalled();"),
    case(
        "CREATE FUNCTION called(int) RETURNS int LANGUAGE sql AS 'SELECT 1';",
        "SELECT called($1)",
        "DROP FUNCTION called(int); CREATE FUNCTION called(int, int DEFAULT 0) RETURNS int LANGUAGE sql AS 'SELECT 1';",
    ),
    case(
        "CREATE TYPE state AS ENUM ('new'); CREATE TABLE stated (s state);",
        "SELECT s FROM stated WHERE s = $1",
        "ALTER TYPE state RENAME VALUE 'new' TO 'fresh';",
    ),
    case(
        "CREATE VIEW seen AS SELECT 1 AS id;",
        "SELECT * FROM seen",
        "CREATE OR REPLACE VIEW seen AS SELECT 1 AS id, 2 AS more;",
    ),
    case("CREATE VIEW unseen AS SELECT 1 AS id;", "SELECT 3", "DROP VIEW unseen;"),
    case("CREATE TABLE unread (id int);", "INSERT INTO unread VALUES ($1)", "REVOKE DELETE ON unread FROM compat_app;"),
    case(
        "CREATE TABLE checked (id int);",
        "INSERT INTO checked VALUES ($1)",
        "ALTER TABLE checked ADD CHECK (id > 0);",
    ),
    case(
        "CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (id int);",
        "INSERT INTO child VALUES ($1)",
        "ALTER TABLE child ADD FOREIGN KEY (id) REFERENCES parent;",
    ),
    case(
        "CREATE TABLE watched (id int); CREATE FUNCTION watch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; \
         CREATE TRIGGER watch AFTER INSERT ON watched FOR EACH ROW EXECUTE FUNCTION watch();",
        "INSERT INTO watched VALUES ($1)",
        "DROP TRIGGER watch ON watched; DROP FUNCTION watch();",
    ),
    case(
        "CREATE TABLE laxer (id int, x int NOT NULL);",
        "SELECT id FROM laxer WHERE x = $1",
        "ALTER TABLE laxer ALTER x DROP NOT NULL;",
    ),
    case(
        "CREATE TABLE near (id int); CREATE TABLE joined (id int, x int NOT NULL);",
        "SELECT j.x FROM near LEFT JOIN joined j ON j.id = near.id",
        "ALTER TABLE joined ALTER x DROP NOT NULL;",
    ),
    case("CREATE TABLE shorter (x text);", "SELECT x FROM shorter", "ALTER TABLE shorter ALTER x TYPE varchar(20);"),
    case(
        "CREATE TABLE no_default (id int, x int DEFAULT 1);",
        "INSERT INTO no_default (id) VALUES ($1)",
        "ALTER TABLE no_default ALTER x DROP DEFAULT;",
    ),
    case(
        "CREATE TABLE own_value (id int, x int NOT NULL DEFAULT 1);",
        "INSERT INTO own_value (id, x) SELECT id, id FROM own_value",
        "ALTER TABLE own_value ALTER x DROP DEFAULT;",
    ),
    case("CREATE TABLE moved (id int);", "SELECT id FROM moved", "ALTER TABLE moved SET SCHEMA extra;"),
    case(
        "CREATE TABLE computed (id int);",
        "INSERT INTO computed (id) VALUES ($1)",
        "ALTER TABLE computed ADD COLUMN x int NOT NULL GENERATED ALWAYS AS (1) STORED;",
    ),
    case(
        "CREATE TABLE identified (x int);",
        "INSERT INTO identified (x) VALUES ($1), ($2)",
        "ALTER TABLE identified ADD COLUMN id int GENERATED ALWAYS AS IDENTITY;",
    ),
    case(
        "CREATE TABLE replaced (id int NOT NULL, x text);",
        "SELECT id, x FROM replaced WHERE id = $1",
        "DROP TABLE replaced; CREATE TABLE replaced (id int NOT NULL, x text) PARTITION BY LIST (id); GRANT SELECT ON replaced TO compat_app;",
    ),
    case(
        "CREATE TABLE counted (id int, x int); CREATE FUNCTION sum_of() RETURNS bigint LANGUAGE sql AS 'SELECT sum(id) FROM counted';",
        "SELECT sum_of()",
        "ALTER TABLE counted DROP COLUMN x;",
    ),
    case(
        "CREATE TABLE strict_already (id int, x int NOT NULL);",
        "INSERT INTO strict_already (id) VALUES ($1)",
        "ALTER TABLE strict_already ADD COLUMN y int;",
    ),
    case(
        "CREATE TABLE secured (id int);",
        "SELECT id FROM secured",
        "ALTER TABLE secured ENABLE ROW LEVEL SECURITY; CREATE POLICY all_of_it ON secured USING (true);",
    ),
    case(
        "CREATE TABLE never (id int, x int NOT NULL);",
        "SELECT x FROM never WHERE x = $1",
        "ALTER TABLE never ALTER x DROP NOT NULL;",
    ),
    case(
        "CREATE TABLE certain (id int, x int NOT NULL);",
        "SELECT c.x FROM certain c JOIN certain d ON d.id = c.id WHERE c.x IS NOT NULL ORDER BY c.id",
        "ALTER TABLE certain ALTER x DROP NOT NULL;",
    ),
    case(
        "CREATE TABLE written (id int, x int NOT NULL);",
        "INSERT INTO written (id, x) VALUES ($1, $2) RETURNING x",
        "ALTER TABLE written ALTER x DROP NOT NULL;",
    ),
];
