//! Where migrations come from that another tool has applied before: `imported.toml`.

use std::borrow::Cow;

use crate::coded::{coded, coded_enum};
use crate::{List, Text, builders};

/// A tool whose migrations can be imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Tool {
    /// dbmate.
    Dbmate,
    /// sqlx.
    Sqlx,
    /// refinery.
    Refinery,
    /// Flyway.
    Flyway,
    /// Liquibase.
    Liquibase,
    /// Diesel.
    Diesel,
    /// golang-migrate.
    GolangMigrate,
    /// goose.
    Goose,
    /// tern.
    Tern,
    /// graphile-migrate.
    GraphileMigrate,
    /// node-pg-migrate.
    NodePgMigrate,
    /// sql-migrate.
    SqlMigrate,
    /// Prisma.
    Prisma,
    /// Supabase.
    Supabase,
    /// Alembic.
    Alembic,
    /// Numbered files that no tool has applied, or one without a history.
    Plain,
}

coded_enum!(Tool {
    0 Dbmate,
    1 Sqlx,
    2 Refinery,
    3 Flyway,
    4 Liquibase,
    5 Diesel,
    6 GolangMigrate,
    7 Goose,
    8 Tern,
    9 GraphileMigrate,
    10 NodePgMigrate,
    11 SqlMigrate,
    12 Prisma,
    13 Supabase,
    14 Alembic,
    15 Plain,
});

impl Tool {
    /// Every tool.
    pub const ALL: [Tool; 16] = [
        Tool::Dbmate,
        Tool::Sqlx,
        Tool::Refinery,
        Tool::Flyway,
        Tool::Liquibase,
        Tool::Diesel,
        Tool::GolangMigrate,
        Tool::Goose,
        Tool::Tern,
        Tool::GraphileMigrate,
        Tool::NodePgMigrate,
        Tool::SqlMigrate,
        Tool::Prisma,
        Tool::Supabase,
        Tool::Alembic,
        Tool::Plain,
    ];

    /// Its name on a command line and in `imported.toml`: `golang-migrate`.
    pub const fn name(self) -> &'static str {
        match self {
            Tool::Dbmate => "dbmate",
            Tool::Sqlx => "sqlx",
            Tool::Refinery => "refinery",
            Tool::Flyway => "flyway",
            Tool::Liquibase => "liquibase",
            Tool::Diesel => "diesel",
            Tool::GolangMigrate => "golang-migrate",
            Tool::Goose => "goose",
            Tool::Tern => "tern",
            Tool::GraphileMigrate => "graphile-migrate",
            Tool::NodePgMigrate => "node-pg-migrate",
            Tool::SqlMigrate => "sql-migrate",
            Tool::Prisma => "prisma",
            Tool::Supabase => "supabase",
            Tool::Alembic => "alembic",
            Tool::Plain => "plain",
        }
    }

    /// Its name in a sentence: `Flyway`.
    pub const fn title(self) -> &'static str {
        match self {
            Tool::Flyway => "Flyway",
            Tool::Liquibase => "Liquibase",
            Tool::Prisma => "Prisma",
            Tool::Supabase => "Supabase",
            Tool::Alembic => "Alembic",
            Tool::Plain => "plain SQL files",
            tool => tool.name(),
        }
    }

    /// The tool of that [`name`](Tool::name).
    pub fn parse(name: &str) -> Option<Tool> {
        Tool::ALL.into_iter().find(|tool| tool.name() == name)
    }
}

/// The files of another tool that the migrations were made of.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Origin {
    /// The tool.
    pub tool: Tool,
    /// What each migration was made of, ascending by the number of its version.
    pub migrations: List<Imported>,
    /// What each repeatable was made of.
    pub repeatables: List<Imported>,
}

coded!(Origin { tool, migrations, repeatables });

impl Origin {
    /// Nothing of that tool yet.
    pub const fn new(tool: Tool) -> Origin {
        Origin { tool, migrations: Cow::Borrowed(&[]), repeatables: Cow::Borrowed(&[]) }
    }
}

builders!(Origin {
    with_migrations: migrations: List<Imported>,
    with_repeatables: repeatables: List<Imported>,
});

/// One file of ours, and the one that it was made of.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Imported {
    /// The version of the migration, or the name of the repeatable.
    pub ours: Text,
    /// What the tool's history calls it.
    pub source: Text,
    /// Its name or description in the tool's history; empty where that has none.
    pub name: Text,
    /// The source file, relative to the directory that was imported.
    pub file: Text,
    /// Its checksums as the tool stores them, any of which is right; empty where the tool has none.
    pub checksums: List<Text>,
}

coded!(Imported { ours, source, name, file, checksums });

impl Imported {
    /// A file without checksums.
    pub const fn new(ours: Text, source: Text, name: Text, file: Text) -> Imported {
        Imported { ours, source, name, file, checksums: Cow::Borrowed(&[]) }
    }
}

builders!(Imported {
    with_checksums: checksums: List<Text>,
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_that_of_one_tool() {
        for tool in Tool::ALL {
            assert_eq!(Tool::parse(tool.name()), Some(tool));
        }
        assert_eq!(Tool::parse("Flyway"), None);
    }
}
