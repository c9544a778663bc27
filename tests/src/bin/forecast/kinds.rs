//! What is forecast and measured.

/// A kind of statement.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// What has to be there before, in the same transaction.
    pub(crate) before: &'static str,
    pub(crate) sql: &'static str,
    /// What takes it back, where it cannot be rolled back.
    pub(crate) after: &'static str,
    /// Whether it runs outside of a transaction.
    pub(crate) is_alone: bool,
    /// The kind of work that PostgreSQL's documentation says it is.
    pub(crate) work: &'static str,
}

/// The schema: one table that is large, one that it refers to, one view of both.
pub(crate) const BASE: &str = "CREATE TABLE customers (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE big (id bigint NOT NULL, customer_id int NOT NULL, amount int, state varchar(50) NOT NULL, note text, created_at timestamptz, tags int[]);
CREATE INDEX big_created_at ON big (created_at);
CREATE MATERIALIZED VIEW by_customer AS SELECT customer_id, count(*) AS orders, max(id) AS newest FROM big GROUP BY customer_id;";

/// Fills it, unlike the forecast does.
pub(crate) fn rows(rows: u64) -> String {
    let customers = (rows / 100).max(1);
    format!(
        "SELECT setseed(0.5);
         INSERT INTO customers SELECT n, 'customer ' || n FROM generate_series(1, {customers}) n;
         INSERT INTO big SELECT n, 1 + (random() * ({customers} - 1))::int, (random() * 1000000)::int,
           (ARRAY['open', 'paid', 'shipped', 'returned'])[1 + (random() * random() * 4)::int % 4],
           CASE WHEN random() < 0.75 THEN 'note ' || (random() * 1e9)::int END,
           '2024-01-01'::timestamptz + n * interval '3 s' + random() * interval '1 hour',
           CASE WHEN random() < 0.5 THEN ARRAY[(random() * 1000)::int, (random() * 1000)::int] END
           FROM generate_series(1, {rows}) n;
         REFRESH MATERIALIZED VIEW by_customer;
         VACUUM (ANALYZE);"
    )
}

const fn kind(name: &'static str, work: &'static str, sql: &'static str) -> Kind {
    Kind { name, before: "", sql, after: "", is_alone: false, work }
}

/// All of them; what leaves dead rows behind is last.
pub(crate) const KINDS: &[Kind] = &[
    kind("btree index", "build", "CREATE INDEX k ON big (customer_id)"),
    kind("unique index", "build", "CREATE UNIQUE INDEX k ON big (id)"),
    kind("hash index", "build", "CREATE INDEX k ON big USING hash (note)"),
    kind("GIN index", "build", "CREATE INDEX k ON big USING gin (tags)"),
    kind("BRIN index", "build", "CREATE INDEX k ON big USING brin (created_at)"),
    kind("index of an expression", "build", "CREATE INDEX k ON big (lower(note))"),
    kind("partial index, by NULL", "build", "CREATE INDEX k ON big (created_at) WHERE note IS NULL"),
    kind("partial index, by a value", "build", "CREATE INDEX k ON big (created_at) WHERE state = 'open'"),
    Kind {
        after: "DROP INDEX k;",
        is_alone: true,
        ..kind("index, CONCURRENTLY", "build", "CREATE INDEX CONCURRENTLY k ON big (customer_id)")
    },
    kind("PRIMARY KEY", "build", "ALTER TABLE big ADD PRIMARY KEY (id)"),
    kind("ADD COLUMN, constant default", "none", "ALTER TABLE big ADD COLUMN c int NOT NULL DEFAULT 7"),
    kind("ADD COLUMN, volatile default", "rewrite", "ALTER TABLE big ADD COLUMN c uuid DEFAULT gen_random_uuid()"),
    kind("int -> bigint", "rewrite", "ALTER TABLE big ALTER COLUMN amount TYPE bigint"),
    kind("int -> text", "rewrite", "ALTER TABLE big ALTER COLUMN amount TYPE text"),
    kind("varchar(50) -> varchar(100)", "none", "ALTER TABLE big ALTER COLUMN state TYPE varchar(100)"),
    kind("varchar -> text", "none", "ALTER TABLE big ALTER COLUMN state TYPE text"),
    kind("SET NOT NULL", "validate", "ALTER TABLE big ALTER COLUMN created_at SET NOT NULL"),
    kind("CHECK", "validate", "ALTER TABLE big ADD CONSTRAINT k CHECK (amount >= 0)"),
    Kind {
        before: "ALTER TABLE big ADD CONSTRAINT k FOREIGN KEY (customer_id) REFERENCES customers NOT VALID;",
        ..kind("VALIDATE a FOREIGN KEY", "validate", "ALTER TABLE big VALIDATE CONSTRAINT k")
    },
    kind("CLUSTER", "rewrite", "CLUSTER big USING big_created_at"),
    Kind { is_alone: true, ..kind("VACUUM FULL", "rewrite", "VACUUM FULL big") },
    kind("REFRESH MATERIALIZED VIEW", "rewrite", "REFRESH MATERIALIZED VIEW by_customer"),
    kind("SET UNLOGGED", "rewrite", "ALTER TABLE big SET UNLOGGED"),
    Kind { before: "ALTER TABLE big SET UNLOGGED;", ..kind("SET LOGGED", "rewrite", "ALTER TABLE big SET LOGGED") },
    kind("DROP COLUMN", "none", "ALTER TABLE big DROP COLUMN note"),
    kind("SET STATISTICS", "none", "ALTER TABLE big ALTER COLUMN state SET STATISTICS 500"),
    kind("DELETE half", "scan", "DELETE FROM big WHERE id % 2 = 0"),
    kind("UPDATE all", "scan", "UPDATE big SET amount = coalesce(amount, 0) + 1"),
];
