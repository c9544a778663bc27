//! `[budget]`: how long a release may make the application wait, and how many tables it may write anew. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::Duration;

use crate::prove::trace::{Effect, Held, Statement, Trace, Waits};
use migrator_engine::model::Budget;
use migrator_engine::words;

/// How long a statement takes where it will run, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bounds {
    /// At least.
    pub(crate) lower: f64,
    /// At most.
    pub(crate) upper: f64,
}

/// A migration or a repeatable that production does not have yet.
#[derive(Debug, Clone)]
pub(crate) struct Judged<'t> {
    /// What it does.
    pub(crate) trace: &'t Trace,
    /// How long each of its statements takes, in their order; `None`, or too few: unknown.
    pub(crate) times: Vec<Option<Bounds>>,
}

impl<'t> Judged<'t> {
    /// One of which no time is known.
    pub(crate) fn untimed(trace: &'t Trace) -> Judged<'t> {
        Judged { trace, times: Vec::new() }
    }
}

/// What a release comes to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Judgement {
    /// Where it is beyond the budget, a sentence each; empty: it is within, as far as is known.
    pub(crate) beyond: Vec<String>,
    /// Whether there are limits that cannot be judged without times.
    pub(crate) needs_times: bool,
}

/// What has to be said where times are not known.
pub(crate) const NEEDS_TIMES: &str =
    "how long a lock is held depends on the data: the times of [budget] are judged only with `--stats`";

/// Judges the steps of a release. A wait that may be longer than the limit is beyond it; one of unknown length only where none is
/// allowed, or where the statements that are known take longer already.
pub(crate) fn judge(budget: &Budget, steps: &[Judged<'_>]) -> Judgement {
    let mut judgement = Judgement::default();
    for step in steps {
        for wait in waits(step) {
            for (kind, limit, length) in [
                ("reads of", budget.blocks_reads_ms, wait.reads),
                ("writes to", budget.blocks_writes_ms, Some(wait.writes)),
            ] {
                let (Some(limit), Some(length)) = (limit, length) else { continue };
                judgement.add(&step.trace.label, &wait, (kind, Duration::from_millis(limit), length));
            }
        }
    }
    judgement.rewrites(budget, steps);
    judgement
}

impl Judgement {
    fn add(&mut self, label: &str, wait: &Wait<'_>, (kind, limit, length): (&str, Duration, Length)) {
        let seconds = limit.as_secs_f64();
        let allowed = match limit.is_zero() {
            true => "none".to_owned(),
            false => words::duration(limit),
        };
        let is_beyond = limit.is_zero() || length.lower > seconds || length.upper.is_some_and(|upper| upper > seconds);
        if is_beyond {
            let long = length.words();
            self.beyond.push(format!(
                "{label} makes {kind} {} wait from statement {} on{long}; the budget allows {allowed}",
                wait.relation, wait.from
            ));
        }
        self.needs_times |= !is_beyond && length.upper.is_none();
    }

    /// Each table counts once.
    fn rewrites(&mut self, budget: &Budget, steps: &[Judged<'_>]) {
        let Some(allowed) = budget.rewrites else { return };
        let mut tables: BTreeMap<&str, String> = BTreeMap::new();
        for trace in steps.iter().map(|step| step.trace) {
            // TRUNCATE begins a new file, and writes nothing into it.
            for statement in trace.statements.iter().filter(|statement| !statement.truncates()) {
                let rewritten = statement.effects.iter().filter(|effect| effect.rewritten && !effect.index);
                for effect in rewritten.filter(|effect| !trace.new_relations.contains(&effect.relation)) {
                    let place = || format!("{} by statement {} of {}", effect.relation, statement.number, trace.label);
                    tables.entry(&effect.relation).or_insert_with(place);
                }
            }
        }
        if tables.len() as u64 > allowed {
            let places: Vec<String> = tables.into_values().collect();
            let count = match places.len() {
                1 => "1 table is".to_owned(),
                count => format!("{count} tables are"),
            };
            self.beyond.push(format!("{count} rewritten: {}; the budget allows {allowed}", places.join(", ")));
        }
    }
}

/// How long something waits, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Length {
    /// What is known of it.
    lower: f64,
    /// `None`: unknown.
    upper: Option<f64>,
}

impl Length {
    const ZERO: Length = Length { lower: 0.0, upper: Some(0.0) };

    fn plus(self, time: Option<Bounds>) -> Length {
        let lower = self.lower + time.map_or(0.0, |time| time.lower);
        let upper = self.upper.zip(time).map(|(upper, time)| upper + time.upper);
        Length { lower, upper }
    }

    /// ` for 0.7 s to 1.2 s`.
    fn words(self) -> String {
        // No time that is written by hand is too long to be shown.
        let shown = |seconds: f64| words::duration(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX));
        match self.upper {
            Some(upper) => format!(" for {} to {}", shown(self.lower), shown(upper)),
            None if self.lower > 0.0 => format!(" for at least {}", shown(self.lower)),
            None => String::new(),
        }
    }
}

/// The application waits for one relation: from the statement that locks it to the end of its transaction.
#[derive(Debug)]
struct Wait<'t> {
    relation: &'t str,
    /// The number of the statement with which it begins.
    from: usize,
    writes: Length,
    /// `None`: reads do not wait.
    reads: Option<Length>,
}

/// The waits of one step, in the order in which they begin.
fn waits<'t>(step: &Judged<'t>) -> Vec<Wait<'t>> {
    let trace: &'t Trace = step.trace;
    let length = |during: Range<usize>| {
        during.map(|index| step.times.get(index).copied().flatten()).fold(Length::ZERO, Length::plus)
    };
    let wait = |held: Held<'t>| Wait {
        relation: held.relation,
        from: trace.statements[held.during.start].number,
        reads: held.blocks_reads_from.map(|from| length(from..held.during.end)),
        writes: length(held.during),
    };
    trace.held(|statement| counted(statement, &trace.new_relations)).into_iter().map(wait).collect()
}

/// The locks of a statement for which others wait, on what production has.
fn counted<'t>(statement: &'t Statement, new: &BTreeSet<String>) -> Vec<&'t Effect> {
    let blocking = statement.effects.iter().filter(|effect| effect.waits() > Waits::Nobody);
    let (indexes, mut tables): (Vec<_>, Vec<_>) =
        blocking.filter(|effect| !new.contains(&effect.relation)).partition(|effect| effect.index);
    // Who waits for a table does not get as far as its indexes.
    let strongest = tables.iter().map(|effect| effect.waits()).max();
    tables.extend(indexes.into_iter().filter(|index| strongest.is_none_or(|strongest| strongest < index.waits())));
    tables
}

#[cfg(test)]
mod tests;
