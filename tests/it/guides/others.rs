//! The guides for tools of other languages, and for none.

use super::guide::{
    CHECK, CHECKED, DOWN, EDITED, Guide, NEW, NO_DOWN, ONE, OWN_TABLE, REDO, RESET, STAMP, STATUS, TRANSACTION, TWO,
    UP, WHOLE_HISTORY,
};

pub(super) const GUIDES: &[Guide] = &[
    Guide {
        tool: "flyway",
        directory: "src/main/resources/db/migration",
        commands: &[
            ("flyway migrate", UP),
            ("flyway info", STATUS),
            ("flyway validate", "cargo xtask check, then cargo xtask status --check"),
            ("flyway undo", DOWN),
            ("flyway baseline", STAMP),
            ("flyway clean", RESET),
        ],
        changes: &[
            "`V` files go to `migrations/` and `R` files to `repeatable/`; a `U` file becomes the down block of its version.",
            "`executeInTransaction=false` becomes `transaction:false`.",
            "Callbacks and migrations in Java are not converted: `import` names each with its file and line. A placeholder needs its `--value`.",
            EDITED,
        ],
        back: OWN_TABLE,
        files: &[("V1__one.sql", ONE), ("V2__two.sql", TWO)],
        history: "CREATE TABLE flyway_schema_history (installed_rank int PRIMARY KEY, version varchar(50), description varchar(200) NOT NULL,
                type varchar(20) NOT NULL, script varchar(1000) NOT NULL, checksum int, installed_by varchar(100) NOT NULL,
                installed_on timestamp NOT NULL DEFAULT now(), execution_time int NOT NULL, success boolean NOT NULL);
            INSERT INTO flyway_schema_history VALUES
                (1, '1', 'one', 'SQL', 'V1__one.sql', {checksum 1}, 'app', now(), 1, true),
                (2, '2', 'two', 'SQL', 'V2__two.sql', {checksum 2}, 'app', now(), 1, true);",
    },
    Guide {
        tool: "liquibase",
        directory: "changelog",
        commands: &[
            ("liquibase update", UP),
            ("liquibase status", STATUS),
            ("liquibase rollback-count 1", DOWN),
            ("liquibase validate", CHECK),
            ("liquibase changelog-sync", "cargo xtask migrate stamp --all"),
            ("liquibase diff", "cargo xtask migrate drift"),
        ],
        changes: &[
            "Each changeset becomes a file of its own, with its `--rollback` lines as the down block.",
            "`runInTransaction:false` becomes `transaction:false`.",
            "Contexts, labels, preconditions and changelogs in XML, YAML or JSON are not converted: `import` names each.",
            "Liquibase's checksums are not compared: they depend on its release.",
        ],
        back: OWN_TABLE,
        files: &[(
            "changelog.sql",
            "--liquibase formatted sql\n\n--changeset ann:one\nCREATE TABLE one (id bigint);\n--rollback DROP TABLE one;\n\n\
             --changeset ann:two\nCREATE TABLE two (id bigint);\n--rollback DROP TABLE two;\n",
        )],
        history: "CREATE TABLE databasechangelog (id varchar(255) NOT NULL, author varchar(255) NOT NULL, filename varchar(255) NOT NULL,
                dateexecuted timestamp NOT NULL, orderexecuted int NOT NULL, exectype varchar(10) NOT NULL, md5sum varchar(35));
            INSERT INTO databasechangelog VALUES
                ('one', 'ann', 'changelog/changelog.sql', now(), 1, 'EXECUTED', '9:d41d8cd98f00b204e9800998ecf8427e'),
                ('two', 'ann', 'changelog/changelog.sql', now(), 2, 'EXECUTED', '9:d41d8cd98f00b204e9800998ecf8427e');",
    },
    Guide {
        tool: "prisma",
        directory: "prisma/migrations",
        commands: &[
            ("prisma migrate dev --name NAME", "cargo xtask new NAME, then cargo xtask up"),
            ("prisma migrate deploy", "migrator up"),
            ("prisma migrate status", STATUS),
            ("prisma migrate reset", RESET),
            ("prisma migrate resolve --applied NAME", STAMP),
        ],
        changes: &[
            "`migration.sql` of a directory becomes one file.",
            "Migrations are written in SQL. If a client is generated from the database, keep `prisma db pull`.",
            NO_DOWN,
            EDITED,
        ],
        back: OWN_TABLE,
        files: &[
            ("20240101000000_one/migration.sql", ONE),
            ("20240102000000_two/migration.sql", TWO),
            ("migration_lock.toml", "provider = \"postgresql\"\n"),
        ],
        history: "CREATE TABLE _prisma_migrations (id varchar(36) PRIMARY KEY, checksum varchar(64) NOT NULL, finished_at timestamptz,
                migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz, started_at timestamptz NOT NULL DEFAULT now(),
                applied_steps_count int NOT NULL DEFAULT 0);
            INSERT INTO _prisma_migrations (id, checksum, finished_at, migration_name, applied_steps_count) VALUES
                ('1', encode(sha256(convert_to(E'CREATE TABLE one (id bigint);\\n', 'UTF8')), 'hex'), now(), '20240101000000_one', 1),
                ('2', encode(sha256(convert_to(E'CREATE TABLE two (id bigint);\\n', 'UTF8')), 'hex'), now(), '20240102000000_two', 1);",
    },
    Guide {
        tool: "node-pg-migrate",
        directory: "migrations",
        commands: &[
            ("node-pg-migrate create NAME", NEW),
            ("node-pg-migrate up", UP),
            ("node-pg-migrate down", DOWN),
            ("node-pg-migrate redo", REDO),
            ("node-pg-migrate up --fake", "cargo xtask migrate stamp --all"),
        ],
        changes: &[
            "`-- Up Migration` and `-- Down Migration` become `-- migrate:up` and `-- migrate:down`.",
            "Migrations in JavaScript or TypeScript are not converted: `import` names each.",
            TRANSACTION,
            CHECKED,
        ],
        back: OWN_TABLE,
        files: &[
            ("1700000000000_one.sql", "-- Up Migration\nCREATE TABLE one (id bigint);\n\n-- Down Migration\nDROP TABLE one;\n"),
            ("1700000001000_two.sql", "-- Up Migration\nCREATE TABLE two (id bigint);\n\n-- Down Migration\nDROP TABLE two;\n"),
        ],
        history: "CREATE TABLE pgmigrations (id serial PRIMARY KEY, name varchar(255) NOT NULL, run_on timestamp NOT NULL);
            INSERT INTO pgmigrations (name, run_on) VALUES ('1700000000000_one', now()), ('1700000001000_two', now());",
    },
    Guide {
        tool: "graphile-migrate",
        directory: "migrations",
        commands: &[
            ("graphile-migrate watch", "cargo xtask up, then cargo xtask migrate redo after each edit"),
            ("graphile-migrate commit", NEW),
            ("graphile-migrate migrate", UP),
            ("graphile-migrate status", STATUS),
            ("graphile-migrate reset", RESET),
        ],
        changes: &[
            "Each file in `committed/` becomes a migration. `current.sql` is left alone.",
            "`--! no-transaction` becomes `transaction:false`.",
            NO_DOWN,
            EDITED,
        ],
        back: OWN_TABLE,
        files: &[
            (
                "committed/000001-one.sql",
                "--! Previous: -\n--! Hash: sha1:{hash 1}\n\nCREATE TABLE one (id bigint);\n",
            ),
            (
                "committed/000002-two.sql",
                "--! Previous: sha1:{hash 1}\n--! Hash: sha1:{hash 2}\n\nCREATE TABLE two (id bigint);\n",
            ),
        ],
        history: "CREATE SCHEMA graphile_migrate;
            CREATE TABLE graphile_migrate.migrations (hash text PRIMARY KEY, previous_hash text, filename text NOT NULL, date timestamptz NOT NULL DEFAULT now());
            INSERT INTO graphile_migrate.migrations (hash, previous_hash, filename) VALUES
                ('{checksum 1}', NULL, '000001-one.sql'), ('{checksum 2}', '{checksum 1}', '000002-two.sql');",
    },
    Guide {
        tool: "supabase",
        directory: "supabase/migrations",
        commands: &[
            ("supabase migration new NAME", NEW),
            ("supabase migration up", UP),
            ("supabase db push", "migrator up"),
            ("supabase migration list", STATUS),
            ("supabase db reset", RESET),
            ("supabase migration repair --status applied V", STAMP),
            ("supabase db diff", "cargo xtask migrate drift"),
        ],
        changes: &[NO_DOWN, "`seed.sql` is not converted: move it to `db/seeds/development.sql`.", TRANSACTION, CHECKED],
        back: OWN_TABLE,
        files: &[("20240101000000_one.sql", ONE), ("20240102000000_two.sql", TWO)],
        history: "CREATE SCHEMA supabase_migrations;
            CREATE TABLE supabase_migrations.schema_migrations (version text PRIMARY KEY, statements text[], name text);
            INSERT INTO supabase_migrations.schema_migrations VALUES ('20240101000000', NULL, 'one'), ('20240102000000', NULL, 'two');",
    },
    Guide {
        tool: "alembic",
        directory: "offline",
        commands: &[
            ("alembic revision -m NAME", NEW),
            ("alembic upgrade head", UP),
            ("alembic downgrade -1", DOWN),
            ("alembic current", STATUS),
            ("alembic stamp V", STAMP),
            ("alembic check", "cargo xtask migrate drift"),
        ],
        changes: &[
            "Let Alembic write its SQL first: `alembic upgrade base:head --sql > offline/upgrade.sql`. Each revision becomes a file.",
            "Migrations are written in SQL. What a revision does in Python with the rows that it reads cannot be converted.",
            WHOLE_HISTORY,
            NO_DOWN,
        ],
        back: OWN_TABLE,
        files: &[(
            "upgrade.sql",
            "BEGIN;\n\nCREATE TABLE alembic_version (\n    version_num VARCHAR(32) NOT NULL, \n    CONSTRAINT alembic_version_pkc PRIMARY KEY \
             (version_num)\n);\n\n-- Running upgrade  -> 1a2b3c4d5e6f\n\nCREATE TABLE one (id bigint);\n\nINSERT INTO alembic_version (version_num) \
             VALUES ('1a2b3c4d5e6f') RETURNING alembic_version.version_num;\n\n-- Running upgrade 1a2b3c4d5e6f -> 2b3c4d5e6f70\n\nCREATE TABLE two \
             (id bigint);\n\nUPDATE alembic_version SET version_num='2b3c4d5e6f70' WHERE alembic_version.version_num = '1a2b3c4d5e6f';\n\nCOMMIT;\n",
        )],
        history: "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY); INSERT INTO alembic_version VALUES ('2b3c4d5e6f70');",
    },
    Guide {
        tool: "plain",
        directory: "sql",
        commands: &[("psql -f NNN_name.sql", UP), ("a list of what has been run", STATUS), ("notes on how to undo it", DOWN)],
        changes: &[
            NO_DOWN,
            TRANSACTION,
            "There is no history to adopt: `stamp` records what a database has already.",
            CHECKED,
        ],
        back: "Run the files with psql again: their SQL is in the up blocks, unchanged.",
        files: &[("001_one.sql", ONE), ("002_two.sql", TWO)],
        history: "",
    },
];
