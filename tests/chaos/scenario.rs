//! The migrations of the sweep, and by what one sees that each of their parts has been done.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// By what one sees that a part of a migration has been done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// A row in the ledger, written in the transaction of the part. The ledger has no unique key: what is done twice
    /// shows.
    Ledger(&'static str),
    /// The index is there, and valid.
    Index(&'static str),
    /// The index, which an earlier migration made, is gone.
    NoIndex(&'static str),
}

/// A recorded unit of a `transaction:false` block.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unit {
    /// The number of its first statement.
    pub(crate) statement: i32,
    pub(crate) effect: Effect,
    /// Whether its event is written in its own transaction (`BEGIN` ... `COMMIT`).
    pub(crate) is_transaction: bool,
}

/// A migration of the sweep.
#[derive(Debug)]
pub(crate) struct Migration {
    pub(crate) version: &'static str,
    pub(crate) name: &'static str,
    up: &'static str,
    /// Empty: transactional. Its ledger row is its version.
    pub(crate) units: &'static [Unit],
}

impl Migration {
    pub(crate) fn label(&self) -> String {
        format!("{}_{}", self.version, self.name)
    }
}

const fn transactional(version: &'static str, name: &'static str, up: &'static str) -> Migration {
    Migration { version, name, up, units: &[] }
}

const fn unit(statement: i32, effect: Effect) -> Unit {
    Unit { statement, effect, is_transaction: false }
}

/// Every way in which a step can be run: alone, in a pipeline, statement by statement, and each change between them.
pub(crate) const MIGRATIONS: &[Migration] = &[
    transactional(
        "001",
        "accounts",
        "CREATE TABLE accounts (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text NOT NULL);",
    ),
    transactional(
        "002",
        "orders",
        "CREATE TABLE orders (id bigint PRIMARY KEY, account bigint NOT NULL REFERENCES accounts DEFERRABLE INITIALLY DEFERRED);",
    ),
    transactional(
        "003",
        "rows",
        "INSERT INTO orders SELECT n, n FROM generate_series(1, 100) AS n;\nINSERT INTO accounts (email) SELECT 'a' || n FROM generate_series(1, 100) AS n;",
    ),
    Migration {
        version: "004",
        name: "index",
        up: "CREATE INDEX CONCURRENTLY orders_account ON orders (account);",
        units: &[unit(1, Effect::Index("orders_account"))],
    },
    transactional("005", "state", "ALTER TABLE orders ADD COLUMN state text NOT NULL DEFAULT 'new';"),
    Migration {
        version: "006",
        name: "mixed",
        up: "SET work_mem = '8MB';\n\
             INSERT INTO chaos.ledger VALUES ('006/2');\n\
             DROP INDEX CONCURRENTLY orders_account;\n\
             BEGIN;\n\
             UPDATE orders SET state = 'old' WHERE id < 50;\n\
             INSERT INTO chaos.ledger VALUES ('006/4');\n\
             COMMIT;\n\
             CREATE UNIQUE INDEX CONCURRENTLY accounts_email ON accounts (email);\n\
             INSERT INTO chaos.ledger VALUES ('006/9');",
        units: &[
            unit(2, Effect::Ledger("006/2")),
            unit(3, Effect::NoIndex("orders_account")),
            Unit { statement: 4, effect: Effect::Ledger("006/4"), is_transaction: true },
            unit(8, Effect::Index("accounts_email")),
            unit(9, Effect::Ledger("006/9")),
        ],
    },
    transactional(
        "007",
        "touch",
        "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n  NEW.state := coalesce(NEW.state, 'new');\n  RETURN NEW;\nEND\n$$;\n\
         CREATE TRIGGER touch BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION touch();",
    ),
    transactional(
        "008",
        "mood",
        "CREATE TYPE mood AS ENUM ('calm', 'storm');\nALTER TABLE accounts ADD COLUMN mood mood;",
    ),
    transactional("009", "backfill", "UPDATE accounts SET mood = 'calm';"),
    transactional("010", "policy", "ALTER TABLE orders ENABLE ROW LEVEL SECURITY;"),
];

/// Name and SQL of the repeatables; the ledger row of each is `R/<name>`.
pub(crate) const REPEATABLES: &[(&str, &str)] = &[
    ("010_summary", "CREATE OR REPLACE VIEW summary AS SELECT state, count(*) AS orders FROM orders GROUP BY state;"),
    ("020_policy", "DROP POLICY IF EXISTS own ON orders;\nCREATE POLICY own ON orders USING (account = 1);"),
];

/// What is there before the first migration. The xid of a row is that of the transaction that did the work.
pub(crate) const LEDGER: &str = "CREATE SCHEMA chaos; CREATE TABLE chaos.ledger (marker text NOT NULL, txid xid8 NOT NULL DEFAULT pg_current_xact_id())";

/// The db directory with these files.
pub(crate) struct Scenario {
    directory: TempDir,
}

impl Scenario {
    pub(crate) fn write() -> Scenario {
        let directory = TempDir::new().unwrap();
        for migration in MIGRATIONS {
            let Migration { version, up, units, .. } = migration;
            let (options, ledger) = if units.is_empty() {
                ("", format!("\nINSERT INTO chaos.ledger VALUES ('{version}');"))
            } else {
                (" transaction:false", String::new())
            };
            let text = format!("-- migrate:up{options}\n{up}{ledger}\n\n-- migrate:down\n");
            write(&directory.path().join(format!("migrations/{}.sql", migration.label())), &text);
        }
        for (name, sql) in REPEATABLES {
            let text = format!("{sql}\nINSERT INTO chaos.ledger VALUES ('R/{name}');\n");
            write(&directory.path().join(format!("repeatable/{name}.sql")), &text);
        }
        // What dbmate would make of these files is not the question here.
        write(&directory.path().join("migrator.toml"), "[check]\ndbmate = \"allow\"\n");
        Scenario { directory }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().to_owned()
    }
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}
