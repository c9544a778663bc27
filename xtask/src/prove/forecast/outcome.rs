//! What a forecast says. Pure.

use serde_json::{Value, json};

use crate::prove::trace::Waits;
use migrator_engine::words;
use migrator_sql::LockMode;

/// The kind of work that a statement does on rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Work {
    /// None: only definitions change, whatever rows there are.
    Nothing,
    /// Reads a table from its first row to its last, or changes rows of it.
    Scan,
    /// Reads a table to prove something of its rows.
    Validate,
    /// Builds an index.
    Build,
    /// Writes a table anew, and its indexes with it.
    Rewrite,
}

impl Work {
    /// For people and for programs.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Work::Nothing => "none",
            Work::Scan => "scan",
            Work::Validate => "validate",
            Work::Build => "build",
            Work::Rewrite => "rewrite",
        }
    }
}

/// An interval, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Time {
    /// At least.
    pub(crate) lower: f64,
    /// Most likely.
    pub(crate) expected: f64,
    /// At most.
    pub(crate) upper: f64,
}

impl Time {
    /// No time at all.
    pub(crate) const ZERO: Time = Time { lower: 0.0, expected: 0.0, upper: 0.0 };

    /// One after the other.
    #[must_use]
    pub(crate) fn plus(self, other: Time) -> Time {
        Time {
            lower: self.lower + other.lower,
            expected: self.expected + other.expected,
            upper: self.upper + other.upper,
        }
    }

    /// `35 s to 60 s`; `under 50 ms`, where it is short.
    pub(crate) fn words(self) -> String {
        let (lower, upper) = (span(self.lower), span(self.upper));
        match self.upper {
            upper if upper < 0.05 => "under 50 ms".to_owned(),
            _ if lower == upper => format!("about {upper}"),
            _ => format!("{lower} to {upper}"),
        }
    }

    fn json(self) -> Value {
        let round = |seconds: f64| (seconds * 1e3).round() / 1e3;
        json!({ "lower_seconds": round(self.lower), "expected_seconds": round(self.expected), "upper_seconds": round(self.upper) })
    }
}

/// A number of seconds: `40 ms`, `3.2 s`, `35 s`, `12 min`, `3 h`, `5 days`.
pub(crate) fn span(seconds: f64) -> String {
    let (number, unit) = match seconds {
        s if s < 0.9995 => return format!("{:.0} ms", s * 1e3),
        s if s < 9.95 => return format!("{s:.1} s"),
        s if s < 119.5 => (s, "s"),
        s if s < 7_170.0 => (s / 60.0, "min"),
        s if s < 172_000.0 => (s / 3_600.0, "h"),
        s if s < 63_000_000.0 => (s / 86_400.0, "days"),
        s => (s / 31_557_600.0, "years"),
    };
    format!("{} {unit}", grouped(number))
}

/// A whole number as people read it: `12,400`.
fn grouped(number: f64) -> String {
    words::thousands(number.max(0.0).round_ties_even() as i64)
}

/// One statement.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Statement {
    /// From 1, as in the trace.
    pub(crate) number: usize,
    /// What it does.
    pub(crate) work: Work,
    /// How long it takes, or why that is unknown.
    pub(crate) time: Result<Time, String>,
}

/// A lock that makes the application wait: from the statement that takes it to the end of its transaction.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Wait {
    /// Qualified and quoted.
    pub(crate) relation: String,
    /// The strongest that is held.
    pub(crate) lock: LockMode,
    /// Who waits.
    pub(crate) waits: Waits,
    /// The number of the statement that takes it.
    pub(crate) from: usize,
    /// The number of the last statement of its transaction.
    pub(crate) until: usize,
    /// How long it is held, as far as that is known.
    pub(crate) time: Time,
    /// Why its end is unknown, if so.
    pub(crate) unknown: Option<String>,
    /// How many scans and changed rows a minute wait; `None`: the statistics do not say.
    pub(crate) calls_per_minute: Option<f64>,
}

impl Wait {
    /// `statement 2: AccessExclusiveLock on core.orders for 35 s to 60 s; 12,400 calls a minute wait`.
    pub(crate) fn words(&self) -> String {
        let length = match &self.unknown {
            None => format!("for {}", self.time.words()),
            Some(reason) if self.time.lower < 0.05 => format!("for an unknown time ({reason})"),
            Some(reason) => format!("for at least {} ({reason})", span(self.time.lower)),
        };
        let calls = match (self.calls_per_minute, self.waits) {
            (Some(calls), Waits::ReadsAndWrites) => format!("{} calls a minute wait", grouped(calls)),
            (Some(calls), _) => format!("{} writes a minute wait", grouped(calls)),
            (None, _) => self.waits.words().to_owned(),
        };
        format!("statement {}: {} on {} {length}; {calls}", self.from, self.lock.pg_locks_name(), self.relation)
    }

    fn json(&self) -> Value {
        json!({
            "relation": self.relation,
            "lock": self.lock.pg_locks_name(),
            "waits": self.waits.name(),
            "from_statement": self.from,
            "until_statement": self.until,
            "held": self.time.json(),
            "unknown": self.unknown,
            "calls_per_minute": self.calls_per_minute.map(f64::round),
        })
    }
}

/// One migration or repeatable.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Step {
    /// Its statements, as in its trace.
    pub(crate) statements: Vec<Statement>,
    /// Who waits, in the order in which the locks are taken.
    pub(crate) waits: Vec<Wait>,
}

impl Step {
    /// The statement of that number.
    pub(crate) fn statement(&self, number: usize) -> Option<&Statement> {
        self.statements.iter().find(|statement| statement.number == number)
    }

    /// Who waits and how long, and what takes long while no one waits, by the statements.
    pub(crate) fn lines(&self) -> Vec<String> {
        let waits = self.waits.iter().map(|wait| (wait.from, wait.words()));
        let is_under_lock = |number: usize| self.waits.iter().any(|wait| (wait.from..=wait.until).contains(&number));
        let quiet = self.statements.iter().filter(|statement| !is_under_lock(statement.number));
        let quiet = quiet.filter_map(|Statement { number, work, time }| {
            let work_of = work.word();
            let words = match time {
                Ok(time) if *work != Work::Nothing || time.upper >= 1.0 => {
                    format!("statement {number}: {work_of}, {}; no one waits", time.words())
                }
                Ok(_) => return None,
                Err(reason) => format!("statement {number}: {work_of}, unknown time ({reason})"),
            };
            Some((*number, words))
        });
        let mut lines: Vec<(usize, String)> = waits.chain(quiet).collect();
        lines.sort_by_key(|(number, _)| *number);
        lines.into_iter().map(|(_, words)| words).collect()
    }

    /// As JSON.
    pub(crate) fn json(&self) -> Value {
        let statement = |statement: &Statement| {
            json!({
                "statement": statement.number,
                "work": statement.work.word(),
                "time": statement.time.as_ref().ok().map(|time| time.json()),
                "unknown": statement.time.as_ref().err(),
            })
        };
        let waits: Vec<Value> = self.waits.iter().map(Wait::json).collect();
        json!({ "statements": self.statements.iter().map(statement).collect::<Vec<_>>(), "waits": waits })
    }
}

/// The whole plan.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Forecast {
    /// One for each step of the plan, in its order.
    pub(crate) steps: Vec<Step>,
    /// What it rests on, in sentences.
    pub(crate) notes: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_said_in_the_unit_that_people_would_choose() {
        for (seconds, words) in [
            (0.04, "40 ms"),
            (0.9999, "1.0 s"),
            (3.21, "3.2 s"),
            (35.4, "35 s"),
            (300.0, "5 min"),
            (10_000.0, "3 h"),
            (3e5, "3 days"),
            (1e13, "316,881 years"),
        ] {
            assert_eq!(span(seconds), words, "{seconds}");
        }
        assert_eq!(Time { lower: 35.0, expected: 40.0, upper: 60.2 }.words(), "35 s to 60 s");
        assert_eq!(Time::ZERO.words(), "under 50 ms");
    }

    #[test]
    fn a_wait_says_who_and_how_long_or_why_that_is_unknown() {
        let mut wait = Wait {
            relation: "core.orders".to_owned(),
            lock: LockMode::AccessExclusive,
            waits: Waits::ReadsAndWrites,
            from: 2,
            until: 2,
            time: Time { lower: 35.0, expected: 40.0, upper: 60.0 },
            unknown: None,
            calls_per_minute: Some(12_400.2),
        };
        assert_eq!(
            wait.words(),
            "statement 2: AccessExclusiveLock on core.orders for 35 s to 60 s; 12,400 calls a minute wait"
        );
        (wait.unknown, wait.calls_per_minute) = (Some("core.x is not in the statistics".to_owned()), None);
        assert_eq!(
            wait.words(),
            "statement 2: AccessExclusiveLock on core.orders for at least 35 s (core.x is not in the statistics); reads and writes wait"
        );
    }
}
