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

/// Which way a migration goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    Up,
    Down,
}

impl Way {
    pub(crate) const BOTH: [Way; 2] = [Way::Up, Way::Down];

    /// The action of its events, and the command.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Way::Up => "up",
            Way::Down => "down",
        }
    }

    pub(crate) fn other(self) -> Way {
        match self {
            Way::Up => Way::Down,
            Way::Down => Way::Up,
        }
    }
}

/// A recorded unit of a `transaction:false` block.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unit {
    /// The number of its first statement.
    pub(crate) statement: i32,
    pub(crate) effect: Effect,
    /// Whether its event is written in its own transaction: it can run in one, or is one (`BEGIN` ... `COMMIT`).
    pub(crate) is_transaction: bool,
}

/// A migration of the sweep.
#[derive(Debug)]
pub(crate) struct Migration {
    pub(crate) version: &'static str,
    pub(crate) name: &'static str,
    up: &'static str,
    down: &'static str,
    /// Those of each way, up first. Empty: transactional; its ledger row is its marker.
    units: [&'static [Unit]; 2],
}

impl Migration {
    pub(crate) fn label(&self) -> String {
        format!("{}_{}", self.version, self.name)
    }

    /// What is in the ledger when it has gone that way in one transaction.
    pub(crate) fn marker(&self, way: Way) -> String {
        match way {
            Way::Up => self.version.to_owned(),
            Way::Down => format!("D/{}", self.version),
        }
    }

    /// The recorded units of that way; none: it is one transaction.
    pub(crate) fn units(&self, way: Way) -> &'static [Unit] {
        self.units[way as usize]
    }
}

const fn transactional(version: &'static str, name: &'static str, up: &'static str, down: &'static str) -> Migration {
    Migration { version, name, up, down, units: [&[], &[]] }
}

/// A statement that cannot run in a transaction, or that may commit by itself.
const fn alone(statement: i32, effect: Effect) -> Unit {
    Unit { statement, effect, is_transaction: false }
}

/// What is one transaction with its event.
const fn recorded(statement: i32, marker: &'static str) -> Unit {
    Unit { statement, effect: Effect::Ledger(marker), is_transaction: true }
}

/// Every way in which a step can be run: alone, in a pipeline, statement by statement, and each change between them.
pub(crate) const MIGRATIONS: &[Migration] = &[
    transactional(
        "001",
        "accounts",
        "CREATE TABLE accounts (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text NOT NULL);",
        "DROP TABLE accounts;",
    ),
    transactional(
        "002",
        "orders",
        "CREATE TABLE orders (id bigint PRIMARY KEY, account bigint NOT NULL REFERENCES accounts DEFERRABLE INITIALLY DEFERRED);",
        "DROP TABLE orders;",
    ),
    transactional(
        "003",
        "rows",
        // With their numbers: a sequence does not go back with a transaction that is terminated.
        "INSERT INTO orders SELECT n, n FROM generate_series(1, 100) AS n;\nINSERT INTO accounts OVERRIDING SYSTEM VALUE SELECT n, 'a' || n FROM generate_series(1, 100) AS n;",
        "TRUNCATE orders, accounts;",
    ),
    Migration {
        version: "004",
        name: "index",
        up: "CREATE INDEX CONCURRENTLY orders_account ON orders (account);",
        down: "DROP INDEX CONCURRENTLY orders_account;",
        units: [&[alone(1, Effect::Index("orders_account"))], &[alone(1, Effect::NoIndex("orders_account"))]],
    },
    transactional(
        "005",
        "state",
        "ALTER TABLE orders ADD COLUMN state text NOT NULL DEFAULT 'new';",
        "DROP VIEW IF EXISTS summary;\nALTER TABLE orders DROP COLUMN state;",
    ),
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
             INSERT INTO chaos.ledger VALUES ('006/9');\n\
             DO $$BEGIN INSERT INTO chaos.ledger VALUES ('006/10'); END$$;\n\
             INSERT INTO chaos.ledger VALUES ('006/11');\n\
             INSERT INTO chaos.ledger VALUES ('006/12');",
        down: "SET work_mem = '8MB';\n\
               INSERT INTO chaos.ledger VALUES ('D/006/2');\n\
               INSERT INTO chaos.ledger VALUES ('D/006/3');\n\
               DROP INDEX CONCURRENTLY accounts_email;\n\
               BEGIN;\n\
               UPDATE orders SET state = 'new';\n\
               INSERT INTO chaos.ledger VALUES ('D/006/5');\n\
               COMMIT;\n\
               DO $$BEGIN INSERT INTO chaos.ledger VALUES ('D/006/9'); END$$;\n\
               CREATE INDEX CONCURRENTLY orders_account ON orders (account);",
        units: [
            &[
                recorded(2, "006/2"),
                alone(3, Effect::NoIndex("orders_account")),
                recorded(4, "006/4"),
                alone(8, Effect::Index("accounts_email")),
                recorded(9, "006/9"),
                alone(10, Effect::Ledger("006/10")),
                recorded(11, "006/11"),
                recorded(12, "006/12"),
            ],
            &[
                recorded(2, "D/006/2"),
                recorded(3, "D/006/3"),
                alone(4, Effect::NoIndex("accounts_email")),
                recorded(5, "D/006/5"),
                alone(9, Effect::Ledger("D/006/9")),
                alone(10, Effect::Index("orders_account")),
            ],
        ],
    },
    transactional(
        "007",
        "touch",
        "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n  NEW.state := coalesce(NEW.state, 'new');\n  RETURN NEW;\nEND\n$$;\n\
         CREATE TRIGGER touch BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION touch();",
        "DROP TRIGGER touch ON orders;\nDROP FUNCTION touch();",
    ),
    transactional(
        "008",
        "mood",
        "CREATE TYPE mood AS ENUM ('calm', 'storm');\nALTER TABLE accounts ADD COLUMN mood mood;",
        "ALTER TABLE accounts DROP COLUMN mood;\nDROP TYPE mood;",
    ),
    transactional("009", "backfill", "UPDATE accounts SET mood = 'calm';", "UPDATE accounts SET mood = NULL;"),
    transactional(
        "010",
        "policy",
        "ALTER TABLE orders ENABLE ROW LEVEL SECURITY;",
        "ALTER TABLE orders DISABLE ROW LEVEL SECURITY;",
    ),
];

/// How many of the migrations an older release has; every way in which a step can be run is among the others.
pub(crate) const OF_OLDER: usize = 5;

/// Name and SQL of the repeatables; the ledger row of each is `R/<name>`.
pub(crate) const REPEATABLES: &[(&str, &str)] = &[
    ("010_summary", "CREATE OR REPLACE VIEW summary AS SELECT state, count(*) AS orders FROM orders GROUP BY state;"),
    ("020_policy", "DROP POLICY IF EXISTS own ON orders;\nCREATE POLICY own ON orders USING (account = 1);"),
];

/// The seed; its ledger row is `S/<name>`.
pub(crate) const SEED: &str = "test";

/// What is there before the first migration. The xid of a row is that of the transaction that did the work.
pub(crate) const LEDGER: &str = "CREATE SCHEMA chaos; CREATE TABLE chaos.ledger (marker text NOT NULL, txid xid8 NOT NULL DEFAULT pg_current_xact_id())";

/// The db directory with these files, and that of the older release.
pub(crate) struct Scenario {
    directory: TempDir,
}

impl Scenario {
    pub(crate) fn write() -> Scenario {
        let scenario = Scenario { directory: TempDir::new().unwrap() };
        release(&scenario.path(), MIGRATIONS);
        release(&scenario.older(), &MIGRATIONS[..OF_OLDER]);
        scenario
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().join("db")
    }

    pub(crate) fn older(&self) -> PathBuf {
        self.directory.path().join("older")
    }
}

/// Writes the db directory of a release that has these migrations.
fn release(directory: &Path, migrations: &[Migration]) {
    for migration in migrations {
        let block = |way: Way| {
            let sql = if way == Way::Up { migration.up } else { migration.down };
            if migration.units(way).is_empty() {
                format!("-- migrate:{}\n{sql}\n{}\n", way.word(), mark(&migration.marker(way)))
            } else {
                format!("-- migrate:{} transaction:false\n{sql}\n", way.word())
            }
        };
        let text = format!("{}\n{}", block(Way::Up), block(Way::Down));
        write(&directory.join(format!("migrations/{}.sql", migration.label())), &text);
    }
    for (name, sql) in REPEATABLES {
        let text = format!("{sql}\n{}\n", mark(&format!("R/{name}")));
        write(&directory.join(format!("repeatable/{name}.sql")), &text);
    }
    let seed = format!(
        "INSERT INTO orders (id, account) SELECT 1000 + count(*), 1 FROM orders;\n{}\n",
        mark(&format!("S/{SEED}"))
    );
    write(&directory.join(format!("seeds/{SEED}.sql")), &seed);
    // What dbmate would make of these files is not the question here.
    write(&directory.join("migrator.toml"), "[check]\ndbmate = \"allow\"\n");
}

fn mark(marker: &str) -> String {
    format!("INSERT INTO chaos.ledger VALUES ('{marker}');")
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}
