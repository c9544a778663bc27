//! Rollbacks that change rows, or whose rows move.

use super::cases::{Case, T, case};

pub(super) const ROWS: &[Case] = &[
    case(
        "delete_some",
        T,
        "INSERT INTO @.t VALUES (1, 'draft');",
        "DELETE FROM @.t WHERE a = 'draft';",
        &["loses 1 of 1 row of @.t"],
    ),
    case("delete_by_word", T, "SELECT 1;", "DELETE FROM @.t WHERE a = 'draft';", &["loses 1 of 4 rows of @.t"]),
    case("delete_by_number", T, "SELECT 1;", "DELETE FROM @.t WHERE id = 7;", &["loses 1 of 4 rows of @.t"]),
    case("delete_all", T, "SELECT 1;", "DELETE FROM @.t;", &["loses 3 of 3 rows of @.t"]),
    case("truncate", T, "SELECT 1;", "TRUNCATE @.t;", &["loses 3 of 3 rows of @.t"]),
    case(
        "delete_with_what_refers_to_it",
        "CREATE TABLE @.a (id int PRIMARY KEY, a text);\nCREATE TABLE @.b (id int PRIMARY KEY, a_id int NOT NULL REFERENCES @.a ON DELETE CASCADE, b text);",
        "SELECT 1;",
        "DELETE FROM @.a;",
        &["loses 3 of 3 rows of @.a", "loses 3 of 3 rows of @.b"],
    ),
    case("update_to_null", T, "SELECT 1;", "UPDATE @.t SET a = NULL;", &["sets 3 of 3 values of @.t.a to NULL"]),
    case("update_all", T, "SELECT 1;", "UPDATE @.t SET a = 'x';", &["changes 3 of 4 values of @.t.a"]),
    case("update_to_the_same", T, "SELECT 1;", "UPDATE @.t SET a = a;", &[]),
    case(
        "split_columns",
        "CREATE TABLE @.t (id int PRIMARY KEY, name text);",
        "ALTER TABLE @.t ADD COLUMN first text, ADD COLUMN last text;\nALTER TABLE @.t DROP COLUMN name;",
        "ALTER TABLE @.t ADD COLUMN name text;\nUPDATE @.t SET name = first || ' ' || last;\nALTER TABLE @.t DROP COLUMN first, DROP COLUMN last;",
        &[],
    ),
    case(
        "split_columns_at_a_word",
        "CREATE TABLE @.t (id int PRIMARY KEY, name text);",
        "ALTER TABLE @.t ADD COLUMN first text, ADD COLUMN last text;\nALTER TABLE @.t DROP COLUMN name;",
        "ALTER TABLE @.t ADD COLUMN name text;\nUPDATE @.t SET name = first || 'x' || last;\nALTER TABLE @.t DROP COLUMN first, DROP COLUMN last;",
        &[],
    ),
    case(
        "split_columns_and_forget_one",
        "CREATE TABLE @.t (id int PRIMARY KEY, name text);",
        "ALTER TABLE @.t ADD COLUMN first text, ADD COLUMN last text;\nALTER TABLE @.t DROP COLUMN name;",
        "ALTER TABLE @.t ADD COLUMN name text;\nUPDATE @.t SET name = first;\nALTER TABLE @.t DROP COLUMN first, DROP COLUMN last;",
        &["loses 1 column with 3 rows: @.t.last"],
    ),
    case(
        "require_column",
        T,
        "UPDATE @.t SET a = '' WHERE a IS NULL;\nALTER TABLE @.t ALTER COLUMN a SET DEFAULT '', ALTER COLUMN a SET NOT NULL;",
        "ALTER TABLE @.t ALTER COLUMN a DROP NOT NULL, ALTER COLUMN a DROP DEFAULT;",
        &[],
    ),
    case(
        "optional_column",
        "CREATE TABLE @.t (id int PRIMARY KEY, a text NOT NULL);",
        "ALTER TABLE @.t ALTER COLUMN a DROP NOT NULL;",
        "UPDATE @.t SET a = '' WHERE a IS NULL;\nALTER TABLE @.t ALTER COLUMN a SET NOT NULL;",
        &[],
    ),
    case(
        "enum_value",
        "CREATE TYPE @.mood AS ENUM ('low', 'high');\nCREATE TABLE @.t (id int, mood @.mood);",
        "ALTER TYPE @.mood ADD VALUE 'urgent';",
        "ALTER TYPE @.mood RENAME TO old;\nCREATE TYPE @.mood AS ENUM ('low', 'high');\n\
         ALTER TABLE @.t ALTER COLUMN mood TYPE @.mood USING CASE mood::text WHEN 'urgent' THEN 'high' ELSE mood::text END::@.mood;\nDROP TYPE @.old;",
        &["loses the value @.mood.urgent, which 1 row had"],
    ),
    case(
        "enum_value_in_use",
        "CREATE TYPE @.mood AS ENUM ('low', 'high');\nCREATE TABLE @.t (id int, mood @.mood);",
        "ALTER TYPE @.mood ADD VALUE 'urgent';",
        "ALTER TYPE @.mood RENAME TO old;\nCREATE TYPE @.mood AS ENUM ('low', 'high');\n\
         ALTER TABLE @.t ALTER COLUMN mood TYPE @.mood USING mood::text::@.mood;\nDROP TYPE @.old;",
        &["fails with rows in place: its losses are unknown"],
    ),
    case(
        "enum_column",
        T,
        "CREATE TYPE @.mood AS ENUM ('low', 'high');\nALTER TABLE @.t ADD COLUMN mood @.mood DEFAULT 'low' NOT NULL;",
        "ALTER TABLE @.t DROP COLUMN mood;\nDROP TYPE @.mood;",
        &["loses 1 column with 3 rows: @.t.mood"],
    ),
    case(
        "enum_to_text",
        "CREATE TABLE @.t (id int, mood text CHECK (mood IN ('low', 'high')));",
        "CREATE TYPE @.mood AS ENUM ('low', 'high');\nALTER TABLE @.t DROP CONSTRAINT t_mood_check;\n\
         ALTER TABLE @.t ALTER COLUMN mood TYPE @.mood USING mood::@.mood;",
        "ALTER TABLE @.t ALTER COLUMN mood TYPE text;\nALTER TABLE @.t ADD CHECK (mood IN ('low', 'high'));\nDROP TYPE @.mood;",
        &[],
    ),
    case(
        "allowed_value",
        "CREATE TABLE @.t (id int, status text CONSTRAINT known CHECK (status IN ('open', 'done')));",
        "ALTER TABLE @.t DROP CONSTRAINT known;\nALTER TABLE @.t ADD CONSTRAINT known CHECK (status IN ('open', 'done', 'paid'));",
        "ALTER TABLE @.t DROP CONSTRAINT known;\nUPDATE @.t SET status = 'done' WHERE status = 'paid';\n\
         ALTER TABLE @.t ADD CONSTRAINT known CHECK (status IN ('open', 'done'));",
        &["changes 2 of 5 values of @.t.status"],
    ),
    case(
        "split_table",
        "CREATE TABLE @.users (id int PRIMARY KEY, bio text);",
        "CREATE TABLE @.profiles (user_id int PRIMARY KEY REFERENCES @.users, bio text);\nALTER TABLE @.users DROP COLUMN bio;",
        "ALTER TABLE @.users ADD COLUMN bio text;\nUPDATE @.users u SET bio = p.bio FROM @.profiles p WHERE p.user_id = u.id;\nDROP TABLE @.profiles;",
        &[],
    ),
    case(
        "split_table_and_forget_the_rows",
        "CREATE TABLE @.users (id int PRIMARY KEY, bio text);",
        "CREATE TABLE @.profiles (user_id int PRIMARY KEY REFERENCES @.users, bio text);\nALTER TABLE @.users DROP COLUMN bio;",
        "ALTER TABLE @.users ADD COLUMN bio text;\nDROP TABLE @.profiles;",
        &["loses 1 table with 3 rows: @.profiles"],
    ),
    case(
        "archive_moved_back",
        T,
        "CREATE TABLE @.archive (id int PRIMARY KEY, a text);",
        "INSERT INTO @.t SELECT * FROM @.archive;\nDROP TABLE @.archive;",
        &[],
    ),
    case(
        "rows_moved_to_another_table",
        "CREATE TABLE @.t (id int PRIMARY KEY, a text);\nCREATE TABLE @.u (id int PRIMARY KEY, a text);",
        "SELECT 1;",
        "INSERT INTO @.u SELECT * FROM @.t;\nDELETE FROM @.t;",
        &[],
    ),
];
