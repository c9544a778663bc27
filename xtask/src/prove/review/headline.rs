//! The first line: what is new, who waits, whether the release that runs keeps working, and whether it can be rolled back.

use std::time::Duration;

use migrator_engine::words::{self, count, list};

use super::count::counts;
use super::parts::{Mark, Review, Step, Wait};
use crate::prove::trace::Waits;

impl Review {
    /// `2 new migrations: +3 columns, -1 index; nothing blocks others; release v1.21 keeps working; rollback exact`. `name` makes what
    /// comes from outside fit for where it is shown.
    pub(crate) fn headline(&self, name: impl Fn(&str) -> String) -> String {
        let mut parts = vec![self.migrations()];
        parts.extend(self.changed(&name));
        if !self.steps.is_empty() {
            parts.push(self.blocks(&name));
        }
        parts.extend(self.of_release(&name));
        parts.extend((!self.steps.is_empty()).then(|| self.rollbacks()));
        let failed: Vec<&str> = self.failed().collect();
        if !failed.is_empty() {
            parts.push(format!("failed: {}", failed.join(", ")));
        }
        parts.join("; ")
    }

    /// The questions whose answer is a broken promise.
    pub(crate) fn failed(&self) -> impl Iterator<Item = &'static str> {
        self.verdicts.iter().filter(|verdict| verdict.mark == Mark::Bad).map(|verdict| verdict.name)
    }

    fn migrations(&self) -> String {
        match self.steps.len() {
            0 => "no new migration".to_owned(),
            number => {
                let counts = counts(self.steps.iter().map(|step| &step.schema));
                let counts = counts.unwrap_or_else(|| "what becomes of the schema is not known".to_owned());
                format!("{}: {counts}", count(number, "new migration"))
            }
        }
    }

    fn changed(&self, name: impl Fn(&str) -> String) -> Option<String> {
        let names: Vec<String> = self.repeatables.iter().map(|script| name(&script.name)).collect();
        (!names.is_empty()).then(|| format!("{} changed: {}", count(names.len(), "repeatable"), list(&names)))
    }

    fn blocks(&self, name: impl Fn(&str) -> String) -> String {
        if self.steps.iter().any(|step| step.waits.is_none()) {
            return "who waits is not known".to_owned();
        }
        if self.steps.iter().all(|step| step.forecast.is_some()) {
            return self.blocks_for(name);
        }
        let waits: Vec<&Wait> = self.steps.iter().flat_map(|step| step.waits.iter().flatten()).collect();
        let statements = |least: Waits| {
            let waiting = self.steps.iter().flat_map(move |step| statements_of(step, least));
            waiting.count()
        };
        let (all, reads) = (statements(Waits::Writes), statements(Waits::ReadsAndWrites));
        let verb = if all == 1 { "makes" } else { "make" };
        match (waits.is_empty(), reads) {
            (true, _) => "nothing makes others wait".to_owned(),
            (_, 0) => format!("{} {verb} writes wait", count(all, "statement")),
            (_, reads) if reads == all => format!("{} {verb} reads and writes wait", count(all, "statement")),
            _ => format!("{} {verb} writes wait, {reads} of them reads too", count(all, "statement")),
        }
    }

    /// With statistics: whether anything waits for longer than the limit.
    fn blocks_for(&self, name: impl Fn(&str) -> String) -> String {
        let limit = words::duration(Duration::try_from_secs_f64(self.limit).unwrap_or(Duration::MAX));
        let waits = self.steps.iter().filter_map(|step| step.forecast.as_ref()).flat_map(|forecast| &forecast.waits);
        let long: Vec<String> = waits
            .filter(|wait| wait.waits > Waits::Nobody && (wait.unknown.is_some() || wait.time.upper > self.limit))
            .map(|wait| match wait.unknown {
                Some(_) => format!("{} for an unknown time", name(&wait.relation)),
                None => format!("{} for {}", name(&wait.relation), wait.time.words()),
            })
            .collect();
        match long.is_empty() {
            true => format!("nothing blocks over {limit}"),
            false => format!("may block over {limit}: {}", list(&long)),
        }
    }

    fn of_release(&self, name: impl Fn(&str) -> String) -> Option<String> {
        let release = self.release.as_ref()?;
        let shown = name(&release.name);
        let broken = release.findings.iter().filter(|finding| finding.allowed.is_none()).count();
        let allowed = release.findings.len() - broken;
        Some(match (broken, allowed) {
            _ if release.is_empty && release.findings.is_empty() => format!("no query of release {shown} is known"),
            (0, 0) => format!("release {shown} keeps working"),
            (0, allowed) => format!("release {shown} keeps working but for {}, as allowed", count(allowed, "query")),
            (broken, _) => format!("release {shown} breaks: {}", count(broken, "query")),
        })
    }

    fn rollbacks(&self) -> String {
        let of = |wanted: Mark| {
            let is = |step: &&Step| step.rollback.as_ref().is_some_and(|way| way.mark == wanted);
            self.steps.iter().filter(is).count()
        };
        let unknown = self.steps.iter().filter(|step| step.rollback.is_none()).count();
        let losing = self.steps.iter().filter(|step| step.losses.as_ref().is_some_and(|losses| losses.any)).count();
        let (bad, mild, without) = (of(Mark::Bad), of(Mark::Note), of(Mark::None));
        let mut parts = Vec::new();
        let mut add = |number: usize, what: &str| {
            if number > 0 {
                parts.push(format!("{what} in {number} of {}", self.steps.len()));
            }
        };
        add(bad, "broken");
        add(mild, "another order of columns");
        add(losing, "loses data");
        add(without, "none");
        add(unknown, "not known");
        match parts.is_empty() {
            true => "rollback exact".to_owned(),
            false => format!("rollback: {}", parts.join(", ")),
        }
    }
}

/// The numbers of the statements for which at least these wait.
fn statements_of(step: &Step, least: Waits) -> Vec<usize> {
    let waiting = step.waits.iter().flatten().filter(|wait| wait.waits >= least);
    let mut numbers: Vec<usize> = waiting.map(|wait| wait.statement).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prove::forecast::{self, Time};
    use crate::prove::review::parts::{Losses, RolledBack, Schema};
    use migrator_sql::LockMode;

    fn step(waits: &[(usize, Waits)], rollback: Mark) -> Step {
        let wait = |(statement, waits): &(usize, Waits)| Wait {
            statement: *statement,
            line: 1,
            waits: *waits,
            words: String::new(),
        };
        Step {
            label: "002_x".to_owned(),
            file: "db/migrations/002_x.sql",
            how: String::new(),
            sql: "",
            waits: Some(waits.iter().map(wait).collect()),
            forecast: None,
            found: Vec::new(),
            accepted: Vec::new(),
            breaks: Vec::new(),
            losses: Some(Losses::default()),
            schema: Schema::Differs(Vec::new()),
            rollback: Some(RolledBack { mark: rollback, what: "", lines: Vec::new() }),
        }
    }

    fn line(steps: Vec<Step>) -> String {
        Review { steps, limit: 0.5, ..Review::default() }.headline(|name| format!("<{name}>"))
    }

    const SAME: &str = "1 new migration: no change of the schema";

    #[test]
    fn statements_are_counted_and_not_their_locks() {
        let (writes, reads) = (Waits::Writes, Waits::ReadsAndWrites);
        for (waits, said) in [
            (&[][..], "nothing makes others wait"),
            (&[(1, writes), (1, writes)], "1 statement makes writes wait"),
            (&[(1, writes), (1, reads)], "1 statement makes reads and writes wait"),
            (&[(1, writes), (2, reads)], "2 statements make writes wait, 1 of them reads too"),
        ] {
            assert_eq!(line(vec![step(waits, Mark::Good)]), format!("{SAME}; {said}; rollback exact"));
        }
    }

    #[test]
    fn with_statistics_only_long_waits_are_told() {
        let forecast = |upper| {
            let wait = forecast::Wait {
                relation: "core.a".to_owned(),
                lock: LockMode::AccessExclusive,
                waits: Waits::ReadsAndWrites,
                from: 1,
                until: 1,
                time: Time { lower: upper, expected: upper, upper },
                unknown: None,
                calls_per_minute: None,
            };
            let mut step = step(&[(1, Waits::ReadsAndWrites)], Mark::Good);
            step.forecast = Some(forecast::Step { statements: Vec::new(), waits: vec![wait] });
            line(vec![step])
        };
        assert_eq!(forecast(0.4), format!("{SAME}; nothing blocks over 500 ms; rollback exact"));
        assert_eq!(forecast(40.0), format!("{SAME}; may block over 500 ms: <core.a> for about 40 s; rollback exact"));
    }

    #[test]
    fn a_rollback_is_exact_only_if_all_are() {
        let mut losing = step(&[], Mark::Good);
        losing.losses = Some(Losses { any: true, lines: vec!["x".to_owned()] });
        let said = line(vec![step(&[], Mark::Good), step(&[], Mark::Bad), step(&[], Mark::None), losing]);
        assert!(said.ends_with("; rollback: broken in 1 of 4, loses data in 1 of 4, none in 1 of 4"), "{said}");
    }
}
