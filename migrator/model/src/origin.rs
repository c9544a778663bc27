//! Where migrations come from that another tool has applied before: `imported.toml`.

use std::borrow::Cow;

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

impl Imported {
    /// A file without checksums.
    pub const fn new(ours: Text, source: Text, name: Text, file: Text) -> Imported {
        Imported { ours, source, name, file, checksums: Cow::Borrowed(&[]) }
    }

    /// Files by their texts, `ours`, `source`, `name` and `file`, and by where their checksums are in a table of all checksums: a
    /// row of the table in generated code.
    ///
    /// As that many calls, 10,000 files would cost the compiler several times as much as when one loop puts them together.
    pub const fn row<const N: usize, const M: usize>(
        texts: [[&'static str; 4]; N],
        checksums: &'static [[Text; M]],
        places: [[usize; 2]; N],
    ) -> [Imported; N] {
        const EMPTY: Text = Cow::Borrowed("");
        let mut row = [const { Imported::new(EMPTY, EMPTY, EMPTY, EMPTY) }; N];
        let mut i = 0;
        while i < N {
            let file = &mut row[i];
            let mut field = 0;
            while field < 4 {
                let target = match field {
                    0 => &mut file.ours,
                    1 => &mut file.source,
                    2 => &mut file.name,
                    _ => &mut file.file,
                };
                // A `Cow` as a whole cannot be assigned in a `const fn`, which cannot drop the old one.
                if let Cow::Borrowed(text) = target {
                    *text = texts[i][field];
                }
                field += 1;
            }
            if let Cow::Borrowed(list) = &mut file.checksums {
                *list = checksums.as_flattened().split_at(places[i][1]).0.split_at(places[i][0]).1;
            }
            i += 1;
        }
        row
    }

    /// Texts of a table in generated code.
    pub const fn texts<const N: usize>(texts: [&'static str; N]) -> [Text; N] {
        let mut row = [const { Cow::Borrowed("") }; N];
        let mut i = 0;
        while i < N {
            if let Cow::Borrowed(text) = &mut row[i] {
                *text = texts[i];
            }
            i += 1;
        }
        row
    }

    /// The first files of a table, in generated code: its last row is padded.
    pub const fn part<const N: usize>(table: &'static [[Imported; N]], count: usize) -> List<Imported> {
        Cow::Borrowed(table.as_flattened().split_at(count).0)
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

    #[test]
    fn a_row_has_the_texts_and_the_checksums() {
        static SUMS: [[Text; 2]; 2] = [Imported::texts(["a", "b"]), Imported::texts(["c", ""])];
        static ROWS: [[Imported; 3]; 1] = [Imported::row(
            [["001", "1", "x", "V1__x.sql"], ["002", "2", "y", "V2__y.sql"], ["", "", "", ""]],
            &SUMS,
            [[0, 1], [1, 3], [0, 0]],
        )];
        let [first, second] = &*Imported::part(&ROWS, 2) else { panic!("two files") };
        assert_eq!(
            first,
            &Imported::new("001".into(), "1".into(), "x".into(), "V1__x.sql".into())
                .with_checksums(vec!["a".into()].into())
        );
        assert_eq!(*second.checksums, ["b", "c"]);
    }
}
