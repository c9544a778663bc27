//! The forecast, from what was seen on the copies. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::fit::{Fit, Point};
use super::interval::{Target, Volume, interval};
use super::outcome::{Statement, Step, Time, Wait, Work};
use super::work::{Kind, is_worked_on, kind};
use crate::prove::trace::{self, Held, Trace, Waits};
use migrator_engine::stats::{Stats, Table, TableKind};

/// One copy.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// How many rows its tables had.
    pub(super) rows: BTreeMap<String, u64>,
    /// Why a table had none.
    pub(super) refused: BTreeMap<String, String>,
    /// What its steps did, as far as they came.
    pub(super) traces: Vec<Trace>,
    /// Why they came no further.
    pub(super) failed: Option<String>,
}

/// All that is known.
pub(super) struct Known<'a> {
    pub(super) stats: &'a Stats,
    /// What the plan did on an empty copy: one for each step.
    pub(super) traces: &'a [Trace],
    /// The relations that have rows, as opposed to indexes.
    pub(super) tables: &'a BTreeSet<String>,
    /// The copies, the smallest first.
    pub(super) seen: &'a [Seen],
    pub(super) target: Target,
}

impl Known<'_> {
    /// One step for each trace.
    pub(super) fn steps(&self) -> Vec<Step> {
        (0..self.traces.len()).map(|index| self.step(index)).collect()
    }

    fn step(&self, index: usize) -> Step {
        let trace = &self.traces[index];
        let statements: Vec<Statement> = (0..trace.statements.len()).map(|at| self.statement(index, at)).collect();
        let waits = waits(trace, &statements, self.tables, self.stats);
        Step { statements, waits }
    }

    /// The statement of the largest copy, where it got so far, else that of the empty one.
    fn best(&self, index: usize, at: usize) -> &trace::Statement {
        let largest = self.seen.iter().rev().find_map(|seen| seen.traces.get(index)?.statements.get(at));
        largest.unwrap_or(&self.traces[index].statements[at])
    }

    fn statement(&self, index: usize, at: usize) -> Statement {
        let best = self.best(index, at);
        let kind = kind(best, self.tables);
        Statement { number: best.number, work: kind.work, time: self.time(index, at, best, kind) }
    }

    fn time(&self, index: usize, at: usize, best: &trace::Statement, kind: Kind) -> Result<Time, String> {
        let drivers = self.drivers(index, at, best, kind);
        if kind.work != Work::Nothing {
            for table in &drivers {
                self.is_known(table)?;
            }
        }
        let took = |seen: &Seen| {
            let rows = drivers.iter().filter_map(|table| seen.rows.get(*table)).sum::<u64>() as f64;
            let seconds = seen.traces.get(index)?.statements.get(at)?.took.as_secs_f64();
            Some(Point { rows, seconds })
        };
        let mut points: Vec<Point> = self.seen.iter().filter_map(took).collect();
        if points.is_empty() {
            if let Some(reason) = self.seen.iter().find_map(|seen| seen.failed.as_ref()) {
                return Err(reason.clone());
            }
            // Nothing had to be filled: what the empty copy took is all there is.
            points.push(Point { rows: 0.0, seconds: best.took.as_secs_f64() });
        }
        let there = |table: &&str| self.stats.table(table).map_or(0.0, |table| table.rows.max(0) as f64);
        let rows: f64 = drivers.iter().map(there).sum();
        let volume = drivers.iter().filter_map(|table| self.stats.table(table));
        let volume = volume.fold(Volume { changes: kind.changes, ..Volume::default() }, |sum, table| Volume {
            tables: sum.tables + bytes(table),
            indexes: sum.indexes + table.indexes.iter().filter_map(|index| index.bytes).sum::<i64>() as f64,
            ..sum
        });
        let fit = Fit::new(kind.growth, &points);
        Ok(interval(&fit, (kind.work, kind.growth), rows, volume, self.target))
    }

    /// The tables whose rows the time grows with: those that the statement works on, else those that its step has touched so far.
    fn drivers<'k>(&'k self, index: usize, at: usize, best: &'k trace::Statement, kind: Kind) -> Vec<&'k str> {
        let is_leaf = |name: &str| self.stats.table(name).is_none_or(|table| table.kind != TableKind::Partitioned);
        let of = |statement: &'k trace::Statement, all: bool| {
            let effects = statement.effects.iter().filter(move |effect| all || is_worked_on(effect));
            effects.map(|effect| effect.relation.as_str()).filter(|name| self.tables.contains(*name) && is_leaf(name))
        };
        let own: BTreeSet<&str> = of(best, false).collect();
        if !own.is_empty() || kind.work == Work::Nothing {
            return own.into_iter().collect();
        }
        let before = self.traces[index].statements[..=at].iter().flat_map(|statement| of(statement, true));
        let before: BTreeSet<&str> =
            before.filter(|name| self.seen.iter().any(|seen| seen.rows.contains_key(*name))).collect();
        before.into_iter().collect()
    }

    fn is_known(&self, table: &str) -> Result<(), String> {
        let Some(statistics) = self.stats.table(table) else {
            return Err(format!("{table} is not in the statistics"));
        };
        if statistics.rows < 0 {
            return Err(format!("{table} was never analyzed: `ANALYZE {table}`, then write the statistics again"));
        }
        match self.seen.iter().find_map(|seen| seen.refused.get(table)) {
            Some(reason) => Err(format!("no rows could be made up for {table}: {reason}")),
            None => Ok(()),
        }
    }
}

/// What is known of its size, else what its columns come to.
fn bytes(table: &Table) -> f64 {
    let computed = || table.rows.max(0) as f64 * (table.width.unwrap_or(60) + 28) as f64;
    table.bytes.map_or_else(computed, |bytes| bytes as f64)
}

/// Who waits for what and how long. Who waits for a table does not get as far as its indexes.
fn waits(trace: &Trace, statements: &[Statement], tables: &BTreeSet<String>, stats: &Stats) -> Vec<Wait> {
    let wait = |held: Held<'_>| {
        let meanwhile = &statements[held.during.clone()];
        Wait {
            relation: held.relation.to_owned(),
            lock: held.lock,
            waits: held.waits,
            from: trace.statements[held.during.start].number,
            until: trace.statements[held.during.end - 1].number,
            time: meanwhile
                .iter()
                .filter_map(|known| known.time.as_ref().ok())
                .fold(Time::ZERO, |sum, time| sum.plus(*time)),
            unknown: meanwhile.iter().find_map(|known| known.time.as_ref().err().cloned()),
            calls_per_minute: calls(held.relation, held.waits, stats),
        }
    };
    let is_table = |effect: &&trace::Effect| tables.contains(&effect.relation);
    trace.held(|statement| statement.effects.iter().filter(is_table).collect()).into_iter().map(wait).collect()
}

/// How many a minute wait. An update and a delete find their rows by a scan: they are counted there.
fn calls(relation: &str, waits: Waits, stats: &Stats) -> Option<f64> {
    let minutes = stats.counted_minutes.filter(|minutes| *minutes > 0.0)?;
    let activity = &stats.table(relation)?.activity;
    let sum = |counts: &[i64]| counts.iter().map(|&count| count as f64).sum::<f64>() / minutes;
    Some(match waits {
        Waits::ReadsAndWrites => sum(&[activity.sequential_scans, activity.index_scans, activity.inserted]),
        Waits::Writes | Waits::Nobody => sum(&[activity.inserted, activity.updated, activity.deleted]),
    })
}

#[cfg(test)]
mod tests;
