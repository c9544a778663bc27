//! What is migrated.

use crate::layout::Draft;
use crate::stats::grouped;

/// A list of migrations that every tool gets in its own form.
#[derive(Debug, Clone)]
pub(crate) struct Workload {
    /// The name of its folder and of the package that embeds it.
    pub(crate) name: String,
    /// What the page says of it.
    pub(crate) title: String,
    pub(crate) migrations: Vec<Draft>,
}

/// What the title of a workload ends with where only we and the floor take turns.
const ALONE: &str = ", only the floor and us";

impl Workload {
    /// The same, for a series of its own.
    pub(crate) fn alone(&self) -> Workload {
        Workload { title: format!("{}{ALONE}", self.title), ..self.clone() }
    }
}

/// A table and an index each: what the server does for it outweighs everything.
pub(crate) fn tables(count: usize) -> Workload {
    let migration = |n: usize| Draft {
        number: n,
        up: vec![
            format!("CREATE TABLE t{n} (id bigint PRIMARY KEY, name text NOT NULL)"),
            format!("CREATE INDEX t{n}_name ON t{n} (name)"),
        ],
        down: format!("DROP TABLE t{n}"),
        transaction: true,
    };
    let title = format!("{} x (table + index)", grouped(&count.to_string()));
    Workload { name: format!("tables-{count}"), title, migrations: (1..=count).map(migration).collect() }
}

/// As little as a migration can do: what the tool adds outweighs everything.
pub(crate) fn tiny(count: usize) -> Workload {
    let migration = |n: usize| Draft {
        number: n,
        up: vec![format!("SELECT {n}")],
        down: format!("SELECT -{n}"),
        transaction: true,
    };
    let title = format!("{} tiny", grouped(&count.to_string()));
    Workload { name: format!("tiny-{count}"), title, migrations: (1..=count).map(migration).collect() }
}

/// One file of plain statements that says `transaction:false`.
pub(crate) fn plain(statements: usize) -> Workload {
    let pair = |n: usize| {
        [
            format!("CREATE TABLE t{n} (id bigint PRIMARY KEY, name text NOT NULL)"),
            format!("CREATE INDEX t{n}_name ON t{n} (name)"),
        ]
    };
    let migration = Draft {
        number: 1,
        up: (1..=statements / 2).flat_map(pair).collect(),
        down: "SELECT 1".to_owned(),
        transaction: false,
    };
    let title = format!("one `transaction:false` file of {} statements", grouped(&statements.to_string()));
    Workload { name: format!("plain-{statements}"), title, migrations: vec![migration] }
}
