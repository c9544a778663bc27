//! docs/evidence/forecast.md. Pure, but for what it says of the machine.

use std::fmt::Write as _;

use serde_json::Value;

use crate::kinds::Kind;

/// What is shorter than that is the same, in seconds.
const NOTHING: f64 = 0.05;

/// What came of one kind.
pub(crate) struct Answer {
    pub(crate) kind: &'static Kind,
    /// As `plan --locks --stats --json` has it.
    pub(crate) forecast: Value,
    /// In seconds.
    pub(crate) measured: f64,
    /// How many processes wanted the processor.
    pub(crate) load: f64,
}

/// The page.
pub(crate) struct Page {
    rows: u64,
    server: String,
    circumstances: String,
    megabytes: i64,
    pub(crate) answers: Vec<Answer>,
}

impl Answer {
    fn seconds(&self, key: &str) -> Option<f64> {
        self.forecast["time"][key].as_f64()
    }

    fn work(&self) -> &str {
        self.forecast["work"].as_str().unwrap_or_default()
    }

    fn work_is_right(&self) -> bool {
        self.work() == self.kind.work
    }

    /// Measured over forecast.
    fn factor(&self) -> Option<f64> {
        Some(self.measured.max(NOTHING) / self.seconds("expected_seconds")?.max(NOTHING))
    }

    fn is_within_two(&self) -> bool {
        self.factor().is_some_and(|factor| (0.5..=2.0).contains(&factor))
    }

    fn is_in_interval(&self) -> bool {
        let bounds = self.seconds("lower_seconds").zip(self.seconds("upper_seconds"));
        bounds.is_some_and(|(lower, upper)| {
            (lower..=upper.max(NOTHING)).contains(&self.measured) || self.measured < NOTHING && lower < NOTHING
        })
    }

    /// A row of the table.
    pub(crate) fn line(&self) -> String {
        let shown = |key| self.seconds(key).map_or("?".to_owned(), seconds);
        let yes = |is| if is { "yes" } else { "**no**" };
        format!(
            "| {} | {} | {} | {} to {} | {} | {} | {} | {} | {} | {:.1} |",
            self.kind.name,
            self.work(),
            yes(self.work_is_right()),
            shown("lower_seconds"),
            shown("upper_seconds"),
            shown("expected_seconds"),
            seconds(self.measured),
            self.factor().map_or("?".to_owned(), |factor| format!("{factor:.2}")),
            yes(self.is_within_two()),
            yes(self.is_in_interval()),
            self.load,
        )
    }
}

fn seconds(seconds: f64) -> String {
    if seconds < NOTHING { "0".to_owned() } else { format!("{seconds:.1}") }
}

impl Page {
    pub(crate) fn new(rows: u64, stats: &Value) -> Page {
        let big = stats["tables"].as_array().into_iter().flatten().find(|table| table["name"] == "public.big");
        let bytes = big.and_then(|big| big["bytes"].as_i64()).unwrap_or_default();
        let server = stats["server"].as_str().unwrap_or_default().to_owned();
        let circumstances = migrator_tests::machine::circumstances(&server);
        Page { rows, server, circumstances, megabytes: bytes >> 20, answers: Vec::new() }
    }

    pub(crate) fn text(&self) -> String {
        let count = |of: &dyn Fn(&Answer) -> bool| self.answers.iter().filter(|answer| of(answer)).count();
        let all = self.answers.len();
        let load = self.answers.iter().map(|answer| answer.load).fold(0.0, f64::max);
        let mut text = format!(
            "# Forecasts, and what they were worth\n\n\
             `cargo run --package migrator-tests --bin forecast` has written this page; do not edit it. {}\n\n\
             A table of {} rows ({} MB, an index, a table that it refers to, a materialized view of it) on PostgreSQL {} with `fsync` on. \
             `plan --locks --stats` forecast each kind of statement from copies of at most 1,000,000 invented rows on a throwaway server; \
             then it was run on the table, and taken back. Forecast and measurement had the same machine, so that the calibration is about 1. \
             The time is that of the statement, without the commit. What takes less than 50 ms counts as 0, and as the same.\n\n\
             - The kind of work is right: {} of {all}.\n\
             - Measured within a factor of 2 of the middle: {} of {all}.\n\
             - Measured in the interval: {} of {all}.\n\n",
            self.circumstances,
            grouped(self.rows),
            self.megabytes,
            self.server,
            count(&Answer::work_is_right),
            count(&Answer::is_within_two),
            count(&Answer::is_in_interval),
        );
        if load > 2.5 {
            let _ = write!(
                text,
                "The machine has 2 processors and was busy with other work meanwhile: up to {load:.1} processes wanted them. Forecast and \
                 measurement are minutes apart, so that part of a difference is that work.\n\n"
            );
        }
        text.push_str(
            "Times in seconds; factor: measured / middle; load: processes that wanted the processor, the higher of before and after.\n\n\
             | statement | work | right | forecast | middle | measured | factor | within 2 | in the interval | load |\n\
             |---|---|---|---|---|---|---|---|---|---|\n",
        );
        for answer in &self.answers {
            let _ = writeln!(text, "{}", answer.line());
        }
        let missed: Vec<&Answer> = self.answers.iter().filter(|a| !a.is_within_two() || !a.is_in_interval()).collect();
        if !missed.is_empty() {
            text.push_str("\n## The misses\n\n");
        }
        for answer in missed {
            let why = answer.forecast["unknown"].as_str().map(str::to_owned);
            let direction = match answer.factor() {
                Some(factor) if factor > 1.0 => format!("it took {factor:.1} times as long as the middle"),
                Some(factor) => format!("the middle is {:.1} times as long as it took", 1.0 / factor.max(0.01)),
                None => "no time was forecast".to_owned(),
            };
            let _ = writeln!(text, "- {}: `{}`: {}", answer.kind.name, answer.kind.sql, why.unwrap_or(direction));
        }
        text
    }
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().filter_map(|group| str::from_utf8(group).ok()).collect();
    groups.join(",")
}
