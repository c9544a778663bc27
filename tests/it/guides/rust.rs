//! The guides for tools of Rust, and for dbmate.

use super::guide::{
    CHECK, CHECKED, DOWN, EDITED, Guide, NEW, NO_DOWN, NO_ONE, NO_TWO, NOTHING_IN_THE_BACKEND, ONE, OWN_TABLE, PAIRS,
    REDO, RESET, STATUS, TRANSACTION, TWO, UP,
};

pub(super) const GUIDES: &[Guide] = &[
    Guide {
        tool: "dbmate",
        directory: "migrations",
        commands: &[
            ("dbmate new NAME", NEW),
            ("dbmate up", "cargo xtask migrate create, then cargo xtask up"),
            ("dbmate migrate", UP),
            ("dbmate rollback", DOWN),
            ("dbmate status", STATUS),
            ("dbmate dump", "cargo xtask dump"),
            ("dbmate wait", "cargo xtask migrate wait"),
            ("dbmate drop", "cargo xtask migrate drop"),
        ],
        changes: &[
            "The files and the history table keep dbmate's format; `adopt` adds a log of events beside the table.",
            TRANSACTION,
            "If two runs start at once, one works and the other waits.",
            CHECKED,
        ],
        back: "Run `dbmate up`: it reads the same files and the same table. It ignores `repeatable/`, `seeds/` and `checks/`.",
        files: &[
            ("20240101000000_one.sql", "-- migrate:up\nCREATE TABLE one (id bigint);\n\n-- migrate:down\nDROP TABLE one;\n"),
            ("20240102000000_two.sql", "-- migrate:up\nCREATE TABLE two (id bigint);\n\n-- migrate:down\nDROP TABLE two;\n"),
        ],
        history: "CREATE TABLE schema_migrations (version varchar(128) PRIMARY KEY);
            INSERT INTO schema_migrations VALUES ('20240101000000'), ('20240102000000');",
    },
    Guide {
        tool: "sqlx",
        directory: "migrations",
        commands: &[
            ("sqlx migrate add -r NAME", NEW),
            ("sqlx migrate run", UP),
            ("sqlx migrate revert", DOWN),
            ("sqlx migrate info", STATUS),
            ("sqlx database create", "cargo xtask migrate create"),
            ("sqlx database reset", RESET),
            ("sqlx::migrate!() in the backend", NOTHING_IN_THE_BACKEND),
        ],
        changes: &[
            PAIRS,
            "`-- no-transaction` becomes `transaction:false`.",
            EDITED,
            CHECKED,
            "Remove `sqlx::migrate!` from the backend: no backend contains a migration, and `cargo xtask check` proves it.",
        ],
        back: OWN_TABLE,
        files: &[
            ("20240101000000_one.up.sql", ONE),
            ("20240101000000_one.down.sql", NO_ONE),
            ("20240102000000_two.up.sql", TWO),
            ("20240102000000_two.down.sql", NO_TWO),
        ],
        history: "CREATE TABLE _sqlx_migrations (version bigint PRIMARY KEY, description text NOT NULL,
                installed_on timestamptz NOT NULL DEFAULT now(), success boolean NOT NULL, checksum bytea NOT NULL, execution_time bigint NOT NULL);
            INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES
                (20240101000000, 'one', true, sha384(convert_to(E'CREATE TABLE one (id bigint);\\n', 'UTF8')), 1),
                (20240102000000, 'two', true, sha384(convert_to(E'CREATE TABLE two (id bigint);\\n', 'UTF8')), 1);",
    },
    Guide {
        tool: "diesel",
        directory: "migrations",
        commands: &[
            ("diesel migration generate NAME", NEW),
            ("diesel migration run", UP),
            ("diesel migration revert", DOWN),
            ("diesel migration redo", REDO),
            ("diesel migration list", STATUS),
            ("diesel database setup", "cargo xtask migrate create, then cargo xtask up"),
            ("diesel database reset", RESET),
            ("embed_migrations!() in the backend", NOTHING_IN_THE_BACKEND),
        ],
        changes: &[
            "`up.sql` and `down.sql` of a directory become one file, with `-- migrate:up` and `-- migrate:down`.",
            "`run_in_transaction = false` in metadata.toml becomes `transaction:false`.",
            "For schema.rs, keep `diesel print-schema`: run it after `cargo xtask up`.",
            EDITED,
        ],
        back: OWN_TABLE,
        files: &[
            ("2024-01-01-000000_one/up.sql", ONE),
            ("2024-01-01-000000_one/down.sql", NO_ONE),
            ("2024-01-02-000000_two/up.sql", TWO),
            ("2024-01-02-000000_two/down.sql", NO_TWO),
        ],
        history: "CREATE TABLE __diesel_schema_migrations (version varchar(50) PRIMARY KEY, run_on timestamp NOT NULL DEFAULT now());
            INSERT INTO __diesel_schema_migrations (version) VALUES ('20240101000000'), ('20240102000000');",
    },
    Guide {
        tool: "refinery",
        directory: "migrations",
        commands: &[
            ("refinery migrate", UP),
            ("refinery migrate -f", "cargo xtask migrate stamp --all"),
            ("a check before the deployment", CHECK),
            ("embed_migrations!() in the backend", NOTHING_IN_THE_BACKEND),
        ],
        changes: &[
            NO_DOWN,
            "A statement that cannot run in a transaction goes into a `transaction:false` block.",
            EDITED,
            CHECKED,
        ],
        back: OWN_TABLE,
        files: &[("V1__one.sql", ONE), ("V2__two.sql", TWO)],
        history: "CREATE TABLE refinery_schema_history (version int4 PRIMARY KEY, name varchar(255), applied_on varchar(255), checksum varchar(255));
            INSERT INTO refinery_schema_history VALUES
                (1, 'one', '2024-01-01T00:00:00Z', '{checksum 1}'), (2, 'two', '2024-01-02T00:00:00Z', '{checksum 2}');",
    },
];
