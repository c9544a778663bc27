//! What the files look like: everything that is not a hazard stays byte for byte, and each file has its own rollback.

use expect_test::{Expect, expect};
use migrator_xtask::author::fix::Room;

use super::{facts, facts_of, fix, written};
use crate::support::Project;

const BASE: &str = "-- migrate:up
CREATE SCHEMA core;
CREATE TABLE core.users (id bigint PRIMARY KEY, name text, email text);
CREATE TABLE core.orders (id bigint PRIMARY KEY, user_id bigint, total numeric, note text);
CREATE TABLE core.logs (at timestamptz NOT NULL, line text);
CREATE INDEX orders_note_idx ON core.orders (note);

-- migrate:down
DROP SCHEMA core CASCADE;
";

/// Rewrites a migration behind two tables: its rollback, and that of each file, leads back.
#[track_caller]
fn check(text: &str, expected: Expect) {
    let project = Project::new();
    project.file("migrations/001_base.sql", BASE).file("migrations/002_x.sql", text);
    let original = facts(&project.db());
    let rewritten = fix(&mut Room::new().unwrap(), &project.db());
    let left: String = rewritten.left.iter().map(|(hazard, why)| format!("left {}: {why}\n", hazard.rule)).collect();
    expected.assert_eq(&format!("{}{left}", written(&project.db(), 1)));
    if rewritten.files.is_empty() {
        return;
    }
    assert_eq!(facts(&project.db()), original);
    goes_down_and_up_step_by_step(&project);
}

/// After each rollback of one migration the schema is the one that was there before it.
fn goes_down_and_up_step_by_step(project: &Project) {
    let versions: Vec<String> = {
        let set = migrator_build::load(&project.db()).unwrap().set;
        set.migrations.iter().map(|migration| migration.version.to_string()).collect()
    };
    let facts = || facts_of(project);
    for (at, version) in versions.iter().enumerate() {
        let before = if at == 0 { String::new() } else { facts() };
        let up = project.run(&["up", "--to", version]);
        assert!(up.starts_with("exit 0"), "{up}");
        if at > 0 {
            let there = facts();
            let down = project.run(&["down", "--yes"]);
            assert!(down.starts_with("exit 0"), "{version}: {down}");
            // What is validated, or filled, stays so without anyone noticing.
            assert_eq!(facts().replace(" not valid", ""), before.replace(" not valid", ""), "{version}");
            let up = project.run(&["up", "--to", version]);
            assert!(up.starts_with("exit 0"), "{version}: {up}");
            assert_eq!(facts(), there, "{version}");
        }
    }
}

#[test]
fn an_index_alone_stays_in_its_file() {
    check(
        "-- Purpose: find orders\n\n-- migrate:up lock_timeout:5s\n-- Often asked for.\nCREATE INDEX orders_total_idx ON core.orders (total);\n\n\
         -- migrate:down\nDROP INDEX core.orders_total_idx; -- gone\n",
        expect![[r#"
            ## 002_x.sql
            -- Purpose: find orders

            -- migrate:up lock_timeout:5s transaction:false
            -- Often asked for.
            CREATE INDEX CONCURRENTLY orders_total_idx ON core.orders (total);

            -- migrate:down transaction:false
            DROP INDEX CONCURRENTLY core.orders_total_idx; -- gone
        "#]],
    );
}

#[test]
fn an_index_beside_other_statements_gets_a_file() {
    check(
        "-- Purpose: find orders\n\n-- migrate:up\n-- A column.\nALTER TABLE core.orders ADD COLUMN state text;\n\n\
         -- Its index.\ncreate unique index orders_state_idx on core.orders (state) where state <> 'x;y';\n\n\
         DROP INDEX core.orders_note_idx;\n\nCOMMENT ON COLUMN core.orders.state IS $$a; b$$;\n\n\
         -- migrate:down\nCREATE INDEX orders_note_idx ON core.orders (note);\nDROP INDEX core.orders_state_idx;\nALTER TABLE core.orders DROP COLUMN state;\n",
        expect![[r#"
            ## 002_x.sql
            -- Purpose: find orders

            -- migrate:up
            -- A column.
            ALTER TABLE core.orders ADD COLUMN state text;

            COMMENT ON COLUMN core.orders.state IS $$a; b$$;

            -- migrate:down
            ALTER TABLE core.orders DROP COLUMN state;
            ## 003_x_index_orders_state_idx.sql
            -- Purpose: find orders

            -- migrate:up transaction:false
            -- Its index.
            create unique index concurrently orders_state_idx on core.orders (state) where state <> 'x;y';

            -- migrate:down transaction:false
            DROP INDEX CONCURRENTLY core.orders_state_idx;
            ## 004_x_drop_orders_note_idx.sql
            -- Purpose: find orders

            -- migrate:up transaction:false
            DROP INDEX CONCURRENTLY core.orders_note_idx;

            -- migrate:down transaction:false
            CREATE INDEX CONCURRENTLY orders_note_idx ON core.orders (note);
        "#]],
    );
}

#[test]
fn constraints_are_validated_in_a_further_file() {
    check(
        "-- migrate:up\nALTER TABLE core.orders\n    ADD CONSTRAINT orders_user_id_fkey FOREIGN KEY (user_id) REFERENCES core.users (id),\n    \
         ADD CHECK (total >= 0), -- never less\n    ALTER COLUMN note SET NOT NULL;\n\
         ALTER TABLE core.users ALTER name SET NOT NULL;\n\n\
         -- migrate:down\nALTER TABLE core.users ALTER name DROP NOT NULL;\nALTER TABLE core.orders ALTER note DROP NOT NULL, DROP CONSTRAINT orders_total_check, DROP CONSTRAINT orders_user_id_fkey;\n",
        expect![[r#"
            ## 002_x.sql
            -- migrate:up
            ALTER TABLE core.orders
                ADD CONSTRAINT orders_user_id_fkey FOREIGN KEY (user_id) REFERENCES core.users (id) NOT VALID,
                ADD CONSTRAINT orders_total_check CHECK (total >= 0) NOT VALID, -- never less
                ADD CONSTRAINT orders_note_is_present CHECK (note IS NOT NULL) NOT VALID;
            ALTER TABLE core.users ADD CONSTRAINT users_name_is_present CHECK (name IS NOT NULL) NOT VALID;

            -- migrate:down
            ALTER TABLE core.users DROP CONSTRAINT users_name_is_present;
            ALTER TABLE core.orders DROP CONSTRAINT orders_note_is_present, DROP CONSTRAINT orders_total_check, DROP CONSTRAINT orders_user_id_fkey;
            ## 003_x_validate.sql
            -- migrate:up
            ALTER TABLE core.orders VALIDATE CONSTRAINT orders_user_id_fkey;

            ALTER TABLE core.orders VALIDATE CONSTRAINT orders_total_check;

            ALTER TABLE core.orders VALIDATE CONSTRAINT orders_note_is_present;

            ALTER TABLE core.users VALIDATE CONSTRAINT users_name_is_present;

            ALTER TABLE core.orders ALTER COLUMN note SET NOT NULL;

            ALTER TABLE core.orders DROP CONSTRAINT orders_note_is_present;

            ALTER TABLE core.users ALTER COLUMN name SET NOT NULL;

            ALTER TABLE core.users DROP CONSTRAINT users_name_is_present;

            -- migrate:down
            ALTER TABLE core.users ADD CONSTRAINT users_name_is_present CHECK (name IS NOT NULL) NOT VALID;

            ALTER TABLE core.users ALTER COLUMN name DROP NOT NULL;

            ALTER TABLE core.orders ADD CONSTRAINT orders_note_is_present CHECK (note IS NOT NULL) NOT VALID;

            ALTER TABLE core.orders ALTER COLUMN note DROP NOT NULL;

            ALTER TABLE core.orders DROP CONSTRAINT orders_total_check;

            ALTER TABLE core.orders ADD CONSTRAINT orders_total_check CHECK (total >= 0) NOT VALID;

            ALTER TABLE core.orders DROP CONSTRAINT orders_user_id_fkey;

            ALTER TABLE core.orders ADD CONSTRAINT orders_user_id_fkey FOREIGN KEY (user_id) REFERENCES core.users (id) NOT VALID;
        "#]],
    );
}

#[test]
fn a_unique_constraint_takes_over_an_index() {
    check(
        "-- migrate:up\nALTER TABLE core.users ADD COLUMN phone text, ADD CONSTRAINT users_email_key UNIQUE (email) DEFERRABLE INITIALLY DEFERRED;\n\n\
         -- migrate:down\nALTER TABLE core.users DROP CONSTRAINT users_email_key, DROP COLUMN phone;\n",
        expect![[r#"
            ## 002_x.sql
            -- migrate:up
            ALTER TABLE core.users ADD COLUMN phone text;

            -- migrate:down
            ALTER TABLE core.users DROP COLUMN phone;
            ## 003_x_index_users_email_key.sql
            -- migrate:up transaction:false
            CREATE UNIQUE INDEX CONCURRENTLY users_email_key ON core.users (email);

            ALTER TABLE core.users ADD CONSTRAINT users_email_key UNIQUE USING INDEX users_email_key DEFERRABLE INITIALLY DEFERRED;

            -- migrate:down
            ALTER TABLE core.users DROP CONSTRAINT users_email_key;
        "#]],
    );
}

#[test]
fn a_primary_key_is_proved_to_be_not_null_first() {
    check(
        "-- migrate:up\nALTER TABLE core.logs ADD PRIMARY KEY (at, line);\n\n-- migrate:down\nALTER TABLE core.logs DROP CONSTRAINT logs_pkey;\n",
        expect![[r#"
            ## 002_x.sql
            -- migrate:up
            ALTER TABLE core.logs ADD PRIMARY KEY (at, line);

            -- migrate:down
            ALTER TABLE core.logs DROP CONSTRAINT logs_pkey;
            left adding-serial-primary-key-field: it would still be a hazard, or another one: a constraint of `core.logs` is dropped [ban-drop-constraint]
        "#]],
    );
}

#[test]
fn a_computed_value_is_filled_in_batches() {
    check(
        "-- migrate:up\nALTER TABLE core.users ADD COLUMN token uuid DEFAULT gen_random_uuid() NOT NULL, ADD COLUMN note text;\n\n\
         -- migrate:down\nALTER TABLE core.users DROP COLUMN token, DROP COLUMN note;\n",
        expect![[r#"
            ## 002_x.sql
            -- migrate:up
            ALTER TABLE core.users ADD COLUMN token uuid, ADD COLUMN note text;

            ALTER TABLE core.users ALTER COLUMN token SET DEFAULT gen_random_uuid();

            -- migrate:down
            ALTER TABLE core.users DROP COLUMN token, DROP COLUMN note;
            ## 003_x_fill_token.sql
            -- migrate:up transaction:false
            DO $backfill$
            DECLARE
                done_to core.users.id%TYPE;
                batch_end core.users.id%TYPE;
            BEGIN
                SELECT id INTO done_to FROM core.users WHERE token IS NULL ORDER BY id LIMIT 1;
                UPDATE core.users SET token = DEFAULT WHERE token IS NULL AND id = done_to;
                LOOP
                    SELECT id INTO batch_end
                    FROM (
                        SELECT id FROM core.users WHERE token IS NULL AND id > done_to ORDER BY id LIMIT 5000
                    ) AS batch
                    ORDER BY id DESC
                    LIMIT 1;
                    EXIT WHEN batch_end IS NULL;
                    UPDATE core.users
                    SET token = DEFAULT
                    WHERE token IS NULL AND id > done_to AND id <= batch_end;
                    COMMIT;
                    done_to := batch_end;
                END LOOP;
            END
            $backfill$;

            -- migrate:down
            SELECT 1;
            ## 004_x_check.sql
            -- migrate:up
            ALTER TABLE core.users ADD CONSTRAINT users_token_is_present CHECK (token IS NOT NULL) NOT VALID;

            -- migrate:down
            ALTER TABLE core.users DROP CONSTRAINT users_token_is_present;
            ## 005_x_validate.sql
            -- migrate:up
            ALTER TABLE core.users VALIDATE CONSTRAINT users_token_is_present;

            ALTER TABLE core.users ALTER COLUMN token SET NOT NULL;

            ALTER TABLE core.users DROP CONSTRAINT users_token_is_present;

            -- migrate:down
            ALTER TABLE core.users ADD CONSTRAINT users_token_is_present CHECK (token IS NOT NULL) NOT VALID;

            ALTER TABLE core.users ALTER COLUMN token DROP NOT NULL;
        "#]],
    );
}

#[test]
fn work_on_rows_is_divided_from_the_lock() {
    check(
        "-- migrate:up\nALTER TABLE core.users ADD COLUMN full_name text;\n\n-- As it was.\nUPDATE core.users SET full_name = name WHERE name <> '';\n\n\
         ALTER TABLE core.users DROP CONSTRAINT IF EXISTS nothing;\n\nALTER TABLE core.users ALTER COLUMN full_name SET NOT NULL;\n\n\
         -- migrate:down\nALTER TABLE core.users DROP COLUMN full_name;\n",
        expect![[r#"
            ## 002_x.sql
            -- migrate:up
            ALTER TABLE core.users ADD COLUMN full_name text;

            -- migrate:down
            ALTER TABLE core.users DROP COLUMN full_name;
            ## 003_x_part_2.sql
            -- migrate:up
            -- As it was.
            UPDATE core.users SET full_name = name WHERE name <> '';

            -- migrate:down
            SELECT 1;
            ## 004_x_part_3.sql
            -- migrate:up
            ALTER TABLE core.users DROP CONSTRAINT IF EXISTS nothing;

            ALTER TABLE core.users ADD CONSTRAINT users_full_name_is_present CHECK (full_name IS NOT NULL) NOT VALID;

            -- migrate:down
            ALTER TABLE core.users DROP CONSTRAINT users_full_name_is_present;
            ## 005_x_validate.sql
            -- migrate:up
            ALTER TABLE core.users VALIDATE CONSTRAINT users_full_name_is_present;

            ALTER TABLE core.users ALTER COLUMN full_name SET NOT NULL;

            ALTER TABLE core.users DROP CONSTRAINT users_full_name_is_present;

            -- migrate:down
            ALTER TABLE core.users ADD CONSTRAINT users_full_name_is_present CHECK (full_name IS NOT NULL) NOT VALID;

            ALTER TABLE core.users ALTER COLUMN full_name DROP NOT NULL;
            left ban-drop-constraint: only you know what clients expect of it
        "#]],
    );
}

#[test]
fn keys_of_new_tables_are_added_where_nothing_else_is_done() {
    check(
        "-- migrate:up\nCREATE TABLE core.items (\n    id bigint PRIMARY KEY,\n    order_id bigint NOT NULL REFERENCES core.orders (id) ON DELETE SET NULL DEFERRABLE,\n    \
         user_id bigint CONSTRAINT of_user REFERENCES core.users NOT NULL,\n    CONSTRAINT twice FOREIGN KEY (user_id) REFERENCES core.users (id)\n);\n\n\
         CREATE INDEX ON core.items (order_id);\n\n-- migrate:down\nDROP TABLE core.items;\n",
        expect![[r#"
            ## 002_x.sql
            -- migrate:up
            CREATE TABLE core.items (
                id bigint PRIMARY KEY,
                order_id bigint NOT NULL REFERENCES core.orders (id) ON DELETE SET NULL DEFERRABLE,
                user_id bigint CONSTRAINT of_user REFERENCES core.users NOT NULL,
                CONSTRAINT twice FOREIGN KEY (user_id) REFERENCES core.users (id)
            );

            CREATE INDEX ON core.items (order_id);

            -- migrate:down
            DROP TABLE core.items;
            left foreign-key-in-create-table: the locks would be the same
        "#]],
    );
}
