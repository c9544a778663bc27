//! A whole db directory, and its files.

use std::borrow::Cow;

use crate::coded::coded;
use crate::{Block, List, Origin, Settings, Squashed, Statement, Statements, Text, builders};

/// A whole db directory, read and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Set {
    /// `migrations/`, ascending by the number of the version.
    pub migrations: List<Migration>,
    /// `repeatable/`, ascending by file name.
    pub repeatables: List<Script>,
    /// `seeds/`, ascending by file name.
    pub seeds: List<Script>,
    /// `checks/`, ascending by file name.
    pub checks: List<Script>,
    /// `schema.facts.<major>`, ascending by the major release.
    pub facts: List<SchemaFacts>,
    /// `locks.<major>`, ascending by the major release.
    pub locks: List<LockTraces>,
    /// `migrator.toml`, or its defaults.
    pub settings: Settings,
    /// `imported.toml`: what another tool's history calls these files.
    pub origin: Option<Origin>,
    /// `squashed.txt` and `squashed/`, in the order of the list: what a baseline among the migrations stands for.
    pub squashed: List<Squashed>,
    /// SHA-256 in hexadecimal over every file of SQL and the settings: equal digests mean equal binaries as far as SQL goes. The facts
    /// and the locks follow from it, and the origin changes no schema.
    pub digest: Text,
}

coded!(Set { migrations, repeatables, seeds, checks, facts, locks, settings, origin, squashed, digest });

impl Set {
    /// A directory without a file.
    pub const fn new(digest: Text) -> Set {
        Set {
            migrations: Cow::Borrowed(&[]),
            repeatables: Cow::Borrowed(&[]),
            seeds: Cow::Borrowed(&[]),
            checks: Cow::Borrowed(&[]),
            facts: Cow::Borrowed(&[]),
            locks: Cow::Borrowed(&[]),
            settings: Settings::new(),
            origin: None,
            squashed: Cow::Borrowed(&[]),
            digest,
        }
    }

    /// The files without markers: those of `repeatable/`, `seeds/` and `checks/`.
    pub fn scripts(&self) -> impl Iterator<Item = &Script> {
        self.repeatables.iter().chain(self.seeds.iter()).chain(self.checks.iter())
    }
}

builders!(Set {
    with_migrations: migrations: List<Migration>,
    with_repeatables: repeatables: List<Script>,
    with_seeds: seeds: List<Script>,
    with_checks: checks: List<Script>,
    with_facts: facts: List<SchemaFacts>,
    with_locks: locks: List<LockTraces>,
    with_settings: settings: Settings,
    with_origin: origin: Option<Origin>,
    with_squashed: squashed: List<Squashed>,
});

/// One file of `migrations/`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Migration {
    /// The leading digits of the file name as they are written: `001`.
    pub version: Text,
    /// The same as a number: versions are ordered and compared by it.
    pub number: i64,
    /// The file name between the version's underscore and `.sql`.
    pub name: Text,
    /// The path shown in messages: `db/migrations/001_init.sql`.
    pub file: Text,
    /// The whole file, line ends normalised to LF.
    pub text: Text,
    /// SHA-256 in hexadecimal over the tokens of the up block.
    pub checksum: Text,
    /// What `up` runs.
    pub up: Block,
    /// What `down` runs; `None` without a down marker or without a statement after it.
    pub down: Option<Block>,
}

coded!(Migration { version, number, name, file, text, checksum, up, down });

impl Migration {
    /// A migration without a down block.
    pub const fn new(
        version: Text,
        number: i64,
        name: Text,
        file: Text,
        text: Text,
        checksum: Text,
        up: Block,
    ) -> Migration {
        Migration { version, number, name, file, text, checksum, up, down: None }
    }

    /// `003_add_x`: the file name without its ending.
    pub fn label(&self) -> String {
        format!("{}_{}", self.version, self.name)
    }

    /// Whether its file is there. Of a squashed migration only version, name and checksum may be known.
    pub fn has_text(&self) -> bool {
        !self.text.is_empty()
    }

    /// The block of one direction.
    pub fn block(&self, direction: Direction) -> Option<&Block> {
        match direction {
            Direction::Up => Some(&self.up),
            Direction::Down => self.down.as_ref(),
        }
    }

    /// Its one or two blocks.
    pub fn blocks(&self) -> impl Iterator<Item = &Block> {
        std::iter::once(&self.up).chain(&self.down)
    }
}

builders!(Migration {
    with_down: down: Option<Block>,
});

/// Which way a migration goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Apply.
    Up,
    /// Roll back.
    Down,
}

impl Direction {
    /// The word in commands, events and messages.
    pub const fn word(self) -> &'static str {
        match self {
            Direction::Up => "up",
            Direction::Down => "down",
        }
    }

    /// The comment that begins its block.
    pub const fn marker(self) -> &'static str {
        match self {
            Direction::Up => "-- migrate:up",
            Direction::Down => "-- migrate:down",
        }
    }
}

/// One file of `repeatable/`, `seeds/` or `checks/`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Script {
    /// The file name without `.sql`.
    pub name: Text,
    /// The path shown in messages: `db/seeds/test.sql`.
    pub file: Text,
    /// The whole file, line ends normalised to LF.
    pub text: Text,
    /// SHA-256 in hexadecimal over its tokens.
    pub checksum: Text,
    /// Its statements in order.
    pub statements: Statements,
    /// Those that destroy data, as in [`Block::destroys`].
    pub destroys: List<Text>,
}

coded!(Script { name, file, text, checksum, statements, destroys });

impl Script {
    /// A script.
    pub const fn new(name: Text, file: Text, text: Text, checksum: Text, statements: List<Statement>) -> Script {
        let destroys = Cow::Borrowed([].as_slice());
        Script { name, file, text, checksum, statements: Statements::new(statements), destroys }
    }
}

builders!(Script {
    with_destroys: destroys: List<Text>,
});

/// What the schema is on one major release of PostgreSQL: `schema.facts.15`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SchemaFacts {
    /// The major release.
    pub major: i32,
    /// The path shown in messages: `db/schema.facts.15`.
    pub file: Text,
    /// A line that says where it comes from, then one fact a line.
    pub text: Text,
}

coded!(SchemaFacts { major, file, text });

impl SchemaFacts {
    /// The facts of one release.
    pub const fn new(major: i32, file: Text, text: Text) -> SchemaFacts {
        SchemaFacts { major, file, text }
    }
}

/// What each migration did to what was there before it, on one major release of PostgreSQL: `locks.15`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LockTraces {
    /// The major release.
    pub major: i32,
    /// The path shown in messages: `db/locks.15`.
    pub file: Text,
    /// A line that says where it comes from, then one for each migration and one for each effect of a statement.
    pub text: Text,
}

coded!(LockTraces { major, file, text });

impl LockTraces {
    /// The locks of one release.
    pub const fn new(major: i32, file: Text, text: Text) -> LockTraces {
        LockTraces { major, file, text }
    }
}

/// Which binary this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Release {
    /// The version of the package that holds the migrations.
    pub version: &'static str,
    /// The commit it was built from; `dev` outside of `cargo xtask dist`.
    pub commit: &'static str,
}

impl Release {
    /// A binary of this version, built from this commit.
    pub const fn new(version: &'static str, commit: &'static str) -> Release {
        Release { version, commit }
    }
}
