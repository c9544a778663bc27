//! What production has before the next release: the migrations and the repeatables of the base branch.

use migrator_engine::client::statements;
use migrator_engine::embedded::{Embedded, Script};
use migrator_engine::plan;

/// Where the next release starts.
#[derive(Debug)]
pub enum Before {
    /// At the base branch.
    Branch(Branch),
    /// At all but the newest migration, since no branch is known; why, where there is more to say.
    Unknown(Option<String>),
}

/// The base branch, as far as the db directory goes.
#[derive(Debug)]
pub struct Branch {
    /// Its name in messages, such as `origin/main`.
    pub name: String,
    /// The versions of its migrations, as they are written.
    pub versions: Vec<String>,
    /// Its repeatables.
    pub repeatables: Vec<Repeatable>,
    /// Its seeds.
    pub seeds: Vec<Repeatable>,
}

/// A repeatable or a seed of the base branch.
#[derive(Debug)]
pub struct Repeatable {
    /// The file name without `.sql`.
    pub name: String,
    /// Its SQL.
    pub text: String,
}

/// The state before the next release.
#[derive(Debug)]
pub(super) struct Base {
    /// The base branch; `None`: it is all but the newest migration.
    pub(super) branch: Option<String>,
    /// Why it is not a branch's.
    pub(super) reason: Option<String>,
    /// Its versions that the migrations of this binary begin with, as numbers.
    pub(super) versions: Vec<i64>,
    /// The migrations of this binary as a database of the base branch meets them.
    pub(super) road: &'static Embedded,
    /// Those that this binary does not hold.
    pub(super) unknown: Vec<String>,
    /// As they were there; where no branch is known, as they are now.
    pub(super) repeatables: Vec<&'static Script>,
    /// The seeds as they were there; none, where no branch is known.
    pub(super) seeds: Vec<&'static Script>,
}

impl Base {
    /// What is there before the next release.
    pub(super) fn new(before: Before, embedded: &'static Embedded) -> Base {
        match before {
            Before::Unknown(reason) => Base::without_newest(embedded, reason),
            Before::Branch(branch) => Base::of(branch, embedded),
        }
    }

    fn without_newest(embedded: &'static Embedded, reason: Option<String>) -> Base {
        let before = embedded.migrations.split_last().map_or(&[][..], |(_, before)| before);
        Base {
            branch: None,
            reason,
            versions: before.iter().map(|migration| migration.number).collect(),
            road: embedded,
            unknown: Vec::new(),
            repeatables: embedded.repeatables.iter().collect(),
            seeds: Vec::new(),
        }
    }

    fn of(branch: Branch, embedded: &'static Embedded) -> Base {
        let number = |version: &String| version.parse().ok();
        let road = plan::through(embedded, branch.versions.iter().filter_map(number));
        let is_held = |number: i64| road.migrations.iter().any(|migration| migration.number == number);
        let (held, unknown): (Vec<String>, Vec<String>) =
            branch.versions.into_iter().partition(|version| number(version).is_some_and(is_held));
        Base {
            branch: Some(branch.name),
            reason: None,
            versions: held.iter().filter_map(number).collect(),
            road,
            unknown,
            repeatables: branch
                .repeatables
                .into_iter()
                .map(|script| there(script, &embedded.repeatables, "repeatable"))
                .collect(),
            seeds: branch.seeds.into_iter().map(|script| there(script, &embedded.seeds, "seeds")).collect(),
        }
    }
}

/// A file as it was; the one of this binary, where it is still the same.
fn there(before: Repeatable, now: &'static [Script], folder: &str) -> &'static Script {
    let same = |script: &&Script| script.name == before.name && script.text == before.text;
    if let Some(script) = now.iter().find(same) {
        return script;
    }
    let statements = statements(&migrator_build::statement_starts(&before.text), before.text.len());
    // They live until the process ends, as compiled ones do.
    let file = format!("db/{folder}/{}.sql", before.name);
    // No text that is compiled in has this checksum: it is another.
    let checksum = "".into();
    Box::leak(Box::new(Script::new(before.name.into(), file.into(), before.text.into(), checksum, statements.into())))
}
