//! The tools whose migrations can be imported: one row each.

use super::mark::{self, Mark};

/// One tool.
#[derive(Debug)]
pub(crate) struct Tool {
    /// As it is typed.
    pub(crate) name: &'static str,
    /// As its authors write it.
    pub(crate) title: &'static str,
    /// What it takes for a migration, for people.
    pub(crate) pattern: &'static str,
    /// Where up and down are.
    pub(crate) layout: Layout,
    /// How names give the order.
    pub(crate) order: Order,
    /// What is around a migration that says nothing else.
    pub(crate) around: Around,
    /// How the history names a migration.
    pub(crate) row: RowOf,
    /// The history's table; `None` for plain files.
    pub(crate) table: Option<Table>,
    /// The endings of migrations that are programs.
    pub(crate) programs: &'static [&'static str],
    /// What it replaces in the text before it runs it.
    pub(crate) replaced: Replaced,
    /// Whether it puts the session in order after each migration.
    pub(crate) resets: bool,
}

/// Where up and down are.
#[derive(Debug)]
pub(crate) enum Layout {
    /// Both in one file, divided by lines that `mark` knows.
    Marked { mark: fn(&str) -> Mark, names: &'static Names, without_mark: WithoutMark },
    /// In files of their own, or without a down.
    Files(&'static Names),
    /// A directory with these two files.
    Directories { up: &'static str, down: &'static str },
    /// Flyway's and refinery's `V1__name.sql`.
    Lettered(Letters),
    /// Liquibase's changesets, several in a file.
    Changesets,
    /// graphile-migrate's `committed/`.
    Committed,
    /// The output of `alembic upgrade --sql`.
    Offline,
}

/// How the files of a tool are named.
#[derive(Debug)]
pub(crate) struct Names {
    pub(crate) version: Version,
    /// The longest that fits counts.
    pub(crate) up: &'static [&'static str],
    pub(crate) down: &'static [&'static str],
}

/// The beginning of a file's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    /// Digits, and an underscore.
    Underscore,
    /// Digits, then anything.
    Digits,
    /// Digits, if there are any.
    Optional,
    /// Numbers with points between them, also after a `v`.
    Dotted,
}

/// What a file without a marker is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WithoutMark {
    Up,
    Mistake,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Letters {
    Flyway,
    Refinery,
}

/// How names give the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// By the version as a number.
    Number,
    /// By its parts, each as a number.
    Dotted,
    /// By the bytes of the name.
    Name,
    /// By the number, then those without one by name.
    NumberThenName,
    /// By the moment that 13 or 17 digits stand for.
    Moment,
    /// As the files say it themselves.
    Written,
}

/// What is around a migration that says nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Around {
    /// A transaction of the tool's own.
    Transaction,
    /// Nothing: the file is one message, which the server runs as one transaction.
    Message,
    /// Nothing: psql sends statement by statement.
    Statements,
}

/// How the history names a migration: what it keeps as its key, as its name, and of its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowOf {
    /// The version as it is written, and the name.
    Version,
    /// The version as a number, and the name.
    Number,
    /// The same, with spaces for underscores, and SHA-384.
    Sqlx,
    /// The version without `-`, and the name.
    Diesel,
    /// The file's name without its ending.
    Stem,
    /// The file's name, or the directory's.
    File,
}

/// The table of a tool's history.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    /// The columns that the tool gives it.
    pub(crate) columns: &'static str,
}

/// What a tool replaces in a text before it runs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Replaced {
    Nothing,
    /// `${name}`
    Braces,
    /// `{{ ... }}`
    Template,
    /// `:NAME`
    Colon,
}

const fn table(name: &'static str, columns: &'static str) -> Option<Table> {
    Some(Table { name, columns })
}

const ONE_FILE: Names = Names { version: Version::Underscore, up: &[".sql"], down: &[] };
const PAIRS: Names = Names { version: Version::Underscore, up: &[".up.sql"], down: &[".down.sql"] };
const DBMATE: Names = Names { version: Version::Digits, up: &[".sql"], down: &[] };
const SQLX: Names = Names { version: Version::Underscore, up: &[".up.sql", ".sql"], down: &[".down.sql"] };
const ANY: Names = Names { version: Version::Optional, up: &[".sql"], down: &[] };
const ANY_PAIRS: Names = Names { version: Version::Optional, up: &[".up.sql", ".sql"], down: &[".down.sql"] };
const PLAIN: Names = Names {
    version: Version::Dotted,
    up: &[".up.sql", ".do.sql", ".sql"],
    down: &[".down.sql", ".undo.sql", ".rollback.sql"],
};

const BASE: Tool = Tool {
    name: "",
    title: "",
    pattern: "",
    layout: Layout::Files(&ONE_FILE),
    order: Order::Number,
    around: Around::Transaction,
    row: RowOf::Number,
    table: None,
    programs: &[],
    replaced: Replaced::Nothing,
    resets: false,
};

/// All of them, in the order of the help.
pub(crate) const TOOLS: &[Tool] = &[
    Tool {
        name: "dbmate",
        title: "dbmate",
        pattern: "<digits>...sql with `-- migrate:up`",
        layout: Layout::Marked { mark: mark::dbmate, names: &DBMATE, without_mark: WithoutMark::Mistake },
        order: Order::Name,
        row: RowOf::Version,
        table: table("schema_migrations", "version varchar PRIMARY KEY"),
        ..BASE
    },
    Tool {
        name: "sqlx",
        title: "sqlx",
        pattern: "<version>_<name>.sql, or .up.sql and .down.sql",
        layout: Layout::Files(&SQLX),
        row: RowOf::Sqlx,
        table: table(
            "_sqlx_migrations",
            "version bigint PRIMARY KEY, description text NOT NULL, installed_on timestamptz NOT NULL DEFAULT now(), \
             success boolean NOT NULL, checksum bytea NOT NULL, execution_time bigint NOT NULL",
        ),
        ..BASE
    },
    Tool {
        name: "refinery",
        title: "refinery",
        pattern: "V<version>__<name>.sql",
        layout: Layout::Lettered(Letters::Refinery),
        table: table(
            "refinery_schema_history",
            "version int4 PRIMARY KEY, name varchar(255), applied_on varchar(255), checksum varchar(255)",
        ),
        programs: &["rs"],
        ..BASE
    },
    Tool {
        name: "flyway",
        title: "Flyway",
        pattern: "V<version>__<description>.sql",
        layout: Layout::Lettered(Letters::Flyway),
        order: Order::Dotted,
        table: table(
            "flyway_schema_history",
            "installed_rank integer PRIMARY KEY, version varchar(50), description varchar(200) NOT NULL, type varchar(20) \
             NOT NULL, script varchar(1000) NOT NULL, checksum integer, installed_by varchar(100) NOT NULL, installed_on \
             timestamp NOT NULL DEFAULT now(), execution_time integer NOT NULL, success boolean NOT NULL",
        ),
        programs: &["java", "kt", "class", "groovy", "scala", "py", "sh", "ps1"],
        replaced: Replaced::Braces,
        resets: true,
        ..BASE
    },
    Tool {
        name: "liquibase",
        title: "Liquibase",
        pattern: "*.sql that begin with `--liquibase formatted sql`",
        layout: Layout::Changesets,
        order: Order::Written,
        table: table(
            "databasechangelog",
            "id varchar(255) NOT NULL, author varchar(255) NOT NULL, filename varchar(255) NOT NULL, dateexecuted timestamp \
             NOT NULL, orderexecuted integer NOT NULL, exectype varchar(10) NOT NULL, md5sum varchar(35), description \
             varchar(255), comments varchar(255), tag varchar(255), liquibase varchar(20), contexts varchar(255), labels \
             varchar(255), deployment_id varchar(10)",
        ),
        replaced: Replaced::Braces,
        ..BASE
    },
    Tool {
        name: "diesel",
        title: "Diesel",
        pattern: "<version>_<name>/up.sql",
        layout: Layout::Directories { up: "up.sql", down: "down.sql" },
        order: Order::Name,
        row: RowOf::Diesel,
        table: table(
            "__diesel_schema_migrations",
            "version varchar(50) PRIMARY KEY, run_on timestamp NOT NULL DEFAULT now()",
        ),
        ..BASE
    },
    Tool {
        name: "golang-migrate",
        title: "golang-migrate",
        pattern: "<version>_<name>.up.sql",
        layout: Layout::Files(&PAIRS),
        around: Around::Message,
        table: table("schema_migrations", "version bigint PRIMARY KEY, dirty boolean NOT NULL"),
        ..BASE
    },
    Tool {
        name: "goose",
        title: "goose",
        pattern: "<version>_<name>.sql with `-- +goose Up`",
        layout: Layout::Marked { mark: mark::goose, names: &ONE_FILE, without_mark: WithoutMark::Mistake },
        table: table(
            "goose_db_version",
            "id integer PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY, version_id bigint NOT NULL, is_applied boolean NOT \
             NULL, tstamp timestamp NOT NULL DEFAULT now()",
        ),
        programs: &["go"],
        ..BASE
    },
    Tool {
        name: "tern",
        title: "tern",
        pattern: "<number>_<name>.sql",
        layout: Layout::Marked { mark: mark::tern, names: &ONE_FILE, without_mark: WithoutMark::Up },
        table: table("schema_version", "version int4 NOT NULL"),
        replaced: Replaced::Template,
        resets: true,
        ..BASE
    },
    Tool {
        name: "graphile-migrate",
        title: "Graphile Migrate",
        pattern: "committed/<number>.sql",
        layout: Layout::Committed,
        order: Order::Name,
        table: table("graphile_migrate.migrations", ""),
        replaced: Replaced::Colon,
        ..BASE
    },
    Tool {
        name: "node-pg-migrate",
        title: "node-pg-migrate",
        pattern: "<time>_<name>.sql with `-- Up Migration`",
        layout: Layout::Marked { mark: mark::node_pg_migrate, names: &ANY_PAIRS, without_mark: WithoutMark::Up },
        order: Order::Moment,
        row: RowOf::Stem,
        table: table("pgmigrations", "id serial PRIMARY KEY, name varchar(255) NOT NULL, run_on timestamp NOT NULL"),
        programs: &["js", "ts", "cjs", "mjs", "cts", "mts"],
        ..BASE
    },
    Tool {
        name: "sql-migrate",
        title: "sql-migrate",
        pattern: "*.sql with `-- +migrate Up`",
        layout: Layout::Marked { mark: mark::sql_migrate, names: &ANY, without_mark: WithoutMark::Mistake },
        order: Order::NumberThenName,
        row: RowOf::File,
        table: table("gorp_migrations", "id text PRIMARY KEY, applied_at timestamptz"),
        ..BASE
    },
    Tool {
        name: "prisma",
        title: "Prisma",
        pattern: "<name>/migration.sql",
        layout: Layout::Directories { up: "migration.sql", down: "down.sql" },
        order: Order::Name,
        around: Around::Message,
        row: RowOf::File,
        table: table(
            "_prisma_migrations",
            "id varchar(36) PRIMARY KEY, checksum varchar(64) NOT NULL, finished_at timestamptz, migration_name varchar(255) \
             NOT NULL, logs text, rolled_back_at timestamptz, started_at timestamptz NOT NULL DEFAULT now(), \
             applied_steps_count integer NOT NULL DEFAULT 0",
        ),
        ..BASE
    },
    Tool {
        name: "supabase",
        title: "Supabase",
        pattern: "<time>_<name>.sql",
        order: Order::Name,
        around: Around::Message,
        row: RowOf::Version,
        table: table("supabase_migrations.schema_migrations", ""),
        ..BASE
    },
    Tool {
        name: "alembic",
        title: "Alembic",
        pattern: "*.sql that `alembic upgrade head --sql` has written",
        layout: Layout::Offline,
        order: Order::Written,
        row: RowOf::Version,
        table: table("alembic_version", "version_num varchar(32) PRIMARY KEY"),
        programs: &["py"],
        ..BASE
    },
    Tool {
        name: "plain",
        title: "plain SQL",
        pattern: "<number>...sql",
        layout: Layout::Files(&PLAIN),
        order: Order::Dotted,
        around: Around::Statements,
        row: RowOf::Version,
        ..BASE
    },
];

/// The row of a name.
pub(crate) fn find(name: &str) -> Option<&'static Tool> {
    TOOLS.iter().find(|tool| tool.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_says_all_that_people_are_told() {
        for tool in TOOLS {
            assert!(!tool.title.is_empty() && !tool.pattern.is_empty(), "{tool:?}");
            assert_eq!(find(tool.name).map(|tool| tool.title), Some(tool.title));
            assert_eq!(tool.table.is_none(), tool.name == "plain");
        }
    }
}
