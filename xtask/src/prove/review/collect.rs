//! Puts together what the questions of `verify` have found out about each new migration.

use std::collections::BTreeMap;

use migrator_engine::embedded::{Embedded, Migration, Script};
use migrator_engine::facts::Difference;
use migrator_lint::Hazard;
use migrator_sql::lex;

use super::parts::{About, Found, Losses, Release, Repeatable, Review, RolledBack, Schema, Step, Verdict, Wait};
use crate::prove::compat::{Finding, Outcome, Weighed};
use crate::prove::forecast;
use crate::prove::trace::{Effect, Statement, Trace, Waits, line};

/// How long a lock may be held where `[budget]` does not say, in seconds.
const LIMIT: f64 = 0.5;

/// What was found out, by the numbers of the migrations where it is about one.
pub(crate) struct Seen<'a> {
    /// All migrations.
    pub(crate) embedded: &'static Embedded,
    /// Where and when it was made.
    pub(crate) about: About,
    /// The answers.
    pub(crate) verdicts: Vec<Verdict>,
    /// Those that the base does not have.
    pub(crate) new: Vec<i64>,
    /// The repeatables of the base; `None`: no base branch is known.
    pub(crate) repeatables: Option<&'a [&'static Script]>,
    /// One for each migration, as far as they were looked at.
    pub(crate) ways: &'a [RolledBack],
    /// One for each migration, as far as they were looked at.
    pub(crate) traces: &'a [Trace],
    /// What rolling back loses.
    pub(crate) losses: &'a BTreeMap<i64, Losses>,
    /// What becomes of the facts.
    pub(crate) facts: &'a BTreeMap<i64, Vec<Difference>>,
    /// How long the new ones take with real data.
    pub(crate) forecasts: BTreeMap<i64, forecast::Step>,
    /// What was found out about the release that runs.
    pub(crate) outcome: Option<&'a Outcome>,
}

impl Seen<'_> {
    /// The review.
    pub(crate) fn review(mut self) -> Review {
        let is_new = |migration: &Migration| self.new.contains(&migration.number);
        let hazards = migrator_lint::search_in(self.embedded, is_new);
        let migrations = self.embedded.migrations.iter().enumerate();
        let new: Vec<(usize, &'static Migration)> = migrations.filter(|(_, migration)| is_new(migration)).collect();
        let steps = new.into_iter().map(|(index, migration)| self.step(index, migration, &hazards)).collect();
        let budget = &self.embedded.settings.budget;
        let limits = [budget.blocks_reads_ms, budget.blocks_writes_ms];
        let limit = limits.into_iter().flatten().min().map_or(LIMIT, |ms| ms as f64 / 1e3);
        Review {
            about: std::mem::take(&mut self.about),
            verdicts: std::mem::take(&mut self.verdicts),
            release: self.outcome.map(|outcome| Release {
                name: outcome.release.clone(),
                is_empty: outcome.is_empty,
                findings: outcome.findings.clone(),
            }),
            steps,
            repeatables: self.changed(),
            limit,
        }
    }

    fn step(&mut self, index: usize, migration: &'static Migration, hazards: &[Hazard]) -> Step {
        let label = migration.label();
        let by_it = |finding: &&Finding| finding.migration.as_ref() == Some(&label);
        let breaks = self.outcome.iter().flat_map(|outcome| &outcome.findings).filter(by_it).cloned().collect();
        Step {
            file: &migration.file,
            how: how(migration),
            sql: &migration.text,
            waits: self.traces.get(index).map(waits),
            forecast: self.forecasts.remove(&migration.number),
            found: self.found(migration, hazards),
            accepted: accepted(migration),
            breaks,
            losses: self.losses.get(&migration.number).cloned(),
            schema: self.facts.get(&migration.number).cloned().map_or(Schema::Unknown, Schema::Differs),
            rollback: self.ways.get(index).cloned(),
            label,
        }
    }

    fn found(&self, migration: &Migration, hazards: &[Hazard]) -> Vec<Found> {
        let weighed = |hazard: &Hazard| {
            let is_same = |weighed: &&Weighed| {
                let other = &weighed.hazard;
                (&other.file, other.line, other.column, other.rule)
                    == (&hazard.file, hazard.line, hazard.column, hazard.rule)
            };
            self.outcome?.hazards.iter().find(is_same).map(|weighed| weighed.sentence.clone())
        };
        let of_file = hazards.iter().filter(|hazard| *hazard.file == *migration.file);
        of_file.map(|hazard| Found { hazard: hazard.clone(), release: weighed(hazard) }).collect()
    }

    fn changed(&self) -> Vec<Repeatable> {
        let Some(before) = self.repeatables else { return Vec::new() };
        let of = |script: &Script| before.iter().find(|before| before.name == script.name);
        let changed = self
            .embedded
            .repeatables
            .iter()
            .filter(|script| of(script).is_none_or(|before| before.text != script.text));
        let repeatable = |script: &Script| Repeatable {
            name: script.name.to_string(),
            file: script.file.to_string(),
            sql: script.text.to_string(),
            is_new: of(script).is_none(),
        };
        changed.map(repeatable).collect()
    }
}

/// How a migration is run.
pub(crate) fn how(migration: &Migration) -> String {
    if migration.up.options.transaction { "in one transaction".to_owned() } else { "outside a transaction".to_owned() }
}

/// Who waits for what was there before this branch.
fn waits(trace: &Trace) -> Vec<Wait> {
    trace.statements.iter().flat_map(|statement| of_statement(statement, trace)).collect()
}

fn of_statement(statement: &Statement, trace: &Trace) -> Vec<Wait> {
    let is_there = |relation: &String| !trace.new_relations.contains(relation);
    let blocks = statement.effects.iter().filter(|effect| effect.counts() && effect.is_shown());
    let blocks = blocks.filter(|effect| effect.waits() > Waits::Nobody && is_there(&effect.relation));
    let (indexes, mut blocking): (Vec<_>, Vec<_>) = blocks.partition(|effect| effect.index);
    // Who waits for a table does not get as far as its indexes.
    let waits_for_its_table = |index: &&Effect| {
        let table = trace.tables.get(&index.relation);
        blocking.iter().any(|effect: &&Effect| Some(&effect.relation) == table && effect.waits() >= index.waits())
    };
    let alone: Vec<&Effect> = indexes.into_iter().filter(|index| !waits_for_its_table(index)).collect();
    blocking.extend(alone);
    let wait = |effect: &Effect| Wait {
        statement: statement.number,
        line: statement.line,
        waits: effect.waits(),
        words: effect.words(),
    };
    blocking.into_iter().map(wait).collect()
}

/// What the comments of a migration accept.
fn accepted(migration: &Migration) -> Vec<(usize, String)> {
    let text = &*migration.text;
    let comments = lex(text).comments;
    let accepted = comments.iter().filter_map(|comment| {
        let said = migrator_lint::allowed(&text[comment.range.clone()])?;
        Some((line(text, comment.range.start), said.to_owned()))
    });
    accepted.collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use migrator_sql::LockMode;

    use super::*;

    #[test]
    fn what_the_branch_has_made_itself_lets_no_one_wait_and_an_index_waits_with_its_table() {
        let effect = |relation: &str, lock, index| {
            let mut effect = Effect::lock(relation.to_owned(), lock);
            effect.index = index;
            effect
        };
        let tables = [("core.a_pkey".to_owned(), "core.a".to_owned())].into();
        let of = |effects: Vec<Effect>| {
            let statement = Statement {
                number: 2,
                line: 7,
                sql: "",
                took: Duration::ZERO,
                transaction: 1,
                polled: false,
                effects,
                certain: Vec::new(),
            };
            let (new_relations, tables) = (["core.new".to_owned()].into(), BTreeMap::clone(&tables));
            let trace = Trace { label: "2_x".to_owned(), file: "", statements: vec![statement], new_relations, tables };
            waits(&trace).into_iter().map(|wait| format!("{} {}", wait.line, wait.words)).collect::<Vec<_>>()
        };
        let strong = LockMode::AccessExclusive;
        assert_eq!(
            of(vec![
                effect("core.new", strong, false),
                effect("core.a", strong, false),
                effect("core.a_pkey", strong, true),
                effect("core.b", LockMode::ShareUpdateExclusive, false),
            ]),
            ["7 AccessExclusiveLock on core.a: reads and writes wait"]
        );
        assert_eq!(
            of(vec![effect("core.a", LockMode::Share, false), effect("core.a_pkey", strong, true)]),
            ["7 ShareLock on core.a: writes wait", "7 AccessExclusiveLock on core.a_pkey: reads and writes wait"]
        );
    }
}
