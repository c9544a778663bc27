//! What a review is made of.

use std::time::Duration;

use migrator_engine::facts::Difference;
use migrator_lint::Hazard;

use crate::prove::compat::Finding;
use crate::prove::forecast;
use crate::prove::trace::Waits;

/// How good something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    /// As promised.
    Good,
    /// Worth knowing.
    Note,
    /// A promise is broken.
    Bad,
    /// Nothing is known.
    None,
}

/// One answer of `verify`.
#[derive(Debug, Clone)]
pub(crate) struct Verdict {
    /// What was asked.
    pub(crate) name: &'static str,
    /// How good it is.
    pub(crate) mark: Mark,
    /// The word for it.
    pub(crate) word: &'static str,
    /// One line, then what belongs to it.
    pub(crate) lines: Vec<String>,
    /// How long it took.
    pub(crate) time: Duration,
}

/// What became of a rollback.
#[derive(Debug, Clone)]
pub(crate) struct RolledBack {
    /// How good it is.
    pub(crate) mark: Mark,
    /// In a few words.
    pub(crate) what: &'static str,
    /// The differences or the error.
    pub(crate) lines: Vec<String>,
}

/// Names and values: branch, commit, base, time.
pub(crate) type About = Vec<(&'static str, String)>;

/// All of it.
#[derive(Debug, Default)]
pub(crate) struct Review {
    /// Where and when it was made.
    pub(crate) about: About,
    /// The answers of `verify`.
    pub(crate) verdicts: Vec<Verdict>,
    /// The release that runs; `None`: none was judged.
    pub(crate) release: Option<Release>,
    /// The new migrations, in their order.
    pub(crate) steps: Vec<Step>,
    /// The repeatables whose text is another one than on the base branch, by name.
    pub(crate) repeatables: Vec<Repeatable>,
    /// How long a lock may be held, in seconds, before it is worth the first line.
    pub(crate) limit: f64,
}

/// What the new migrations do to the release that runs.
#[derive(Debug)]
pub(crate) struct Release {
    /// Its name: `v1.21`.
    pub(crate) name: String,
    /// It asks nothing, as far as that can be read.
    pub(crate) is_empty: bool,
    /// All of its queries that break, whatever breaks them.
    pub(crate) findings: Vec<Finding>,
}

/// A repeatable that is new, or not what it was.
#[derive(Debug, Clone)]
pub(crate) struct Repeatable {
    /// The name of its file, without `.sql`.
    pub(crate) name: String,
    /// Its path, as it is shown in messages.
    pub(crate) file: String,
    /// What it says now.
    pub(crate) sql: String,
    /// It was not there.
    pub(crate) is_new: bool,
}

/// One new migration.
#[derive(Debug)]
pub(crate) struct Step {
    /// `003_add_x`.
    pub(crate) label: String,
    /// Its path, as it is shown in messages.
    pub(crate) file: &'static str,
    /// How it is run: `outside a transaction`.
    pub(crate) how: String,
    /// Its text.
    pub(crate) sql: &'static str,
    /// What it lets others wait for; `None`: no one has looked.
    pub(crate) waits: Option<Vec<Wait>>,
    /// How long that takes with real data, where it was forecast.
    pub(crate) forecast: Option<forecast::Step>,
    /// What is dangerous in it.
    pub(crate) found: Vec<Found>,
    /// The hazards that it accepts: line, and what the comment says.
    pub(crate) accepted: Vec<(usize, String)>,
    /// The queries of the release that runs which it breaks.
    pub(crate) breaks: Vec<Finding>,
    /// What becomes of the data in a rollback; `None`: that was not asked.
    pub(crate) losses: Option<Losses>,
    /// What becomes of the schema.
    pub(crate) schema: Schema,
    /// What becomes of it in a rollback; `None`: no one has looked.
    pub(crate) rollback: Option<RolledBack>,
}

/// What becomes of the data in a rollback.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Losses {
    /// Some is lost.
    pub(crate) any: bool,
    /// What is lost, and what could not be found out, a sentence each.
    pub(crate) lines: Vec<String>,
}

/// A lock that others wait for.
#[derive(Debug, Clone)]
pub(crate) struct Wait {
    /// The statement's number, from 1.
    pub(crate) statement: usize,
    /// The line of the file on which it begins, from 1.
    pub(crate) line: usize,
    /// Who waits.
    pub(crate) waits: Waits,
    /// `AccessExclusiveLock on core.users: reads and writes wait`.
    pub(crate) words: String,
}

/// A hazard.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// What the linter says of it.
    pub(crate) hazard: Hazard,
    /// What the queries of the release that runs say of it.
    pub(crate) release: Option<String>,
}

/// What one migration makes of the schema.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Schema {
    /// No one has looked.
    #[default]
    Unknown,
    /// These facts are not what they were.
    Differs(Vec<Difference>),
}

/// A line of a difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SchemaLine {
    /// What is said of both.
    Both(String),
    /// How it was.
    Before(String),
    /// How it is.
    After(String),
}

impl SchemaLine {
    /// With its sign before it, as `diff` writes it.
    pub(crate) fn signed(&self) -> String {
        match self {
            SchemaLine::Both(text) => format!("  {text}"),
            SchemaLine::Before(text) => format!("- {text}"),
            SchemaLine::After(text) => format!("+ {text}"),
        }
    }
}

impl Step {
    /// How much a reviewer has to look at it: what is heavier is worth more room.
    pub(crate) fn weight(&self) -> usize {
        let is_bad = |way: &RolledBack| way.mark == Mark::Bad;
        let breaks = self.breaks.iter().filter(|finding| finding.allowed.is_none()).count();
        let waits = self.waits.iter().flatten().count();
        let losses = self.losses.as_ref().map_or(0, |losses| losses.lines.len());
        1_000 * usize::from(self.rollback.as_ref().is_some_and(is_bad))
            + 100 * breaks.min(9)
            + 10 * (self.found.len() + losses).min(9)
            + waits.min(9)
    }
}
