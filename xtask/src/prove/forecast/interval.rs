//! From a time on a small copy to an interval on the target. Pure.
//!
//! What a copy on a throwaway server cannot show widens the interval, by factors that are written here and in db/README.md:
//!
//! | what | lower | expected | upper |
//! |---|---|---|---|
//! | points off the curve | by the largest deviation, at least 5 % | | the same |
//! | each tenfold of the rows beyond the largest copy | / 1.15 | | * 1.25 |
//! | an index that is sorted beyond the largest copy: memory runs out | | * 1.1 | * 1.3 |
//! | another machine, calibrated | * 0.8 | * ratio | * 1.25 |
//! | another machine, not calibrated | * 0.5 | | * 2 |
//! | reading from the disk | none | 400 MB/s beyond the cache | 150 MB/s, all of it |
//! | writing data and WAL, flushed | none | 500 MB/s | 150 MB/s |

use super::fit::{Fit, Growth};
use super::outcome::{Time, Work};

const MB: f64 = 1_048_576.0;

/// What is known of the target.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Target {
    /// How much slower it is than the scratch server; `None`: no one has measured.
    pub(super) ratio: Option<f64>,
    /// How many bytes it may keep in memory.
    pub(super) cache: f64,
}

/// What a statement reads and writes there, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Volume {
    /// Of the tables, without their indexes.
    pub(super) tables: f64,
    /// Of their indexes.
    pub(super) indexes: f64,
    /// Whether rows are inserted, updated or deleted.
    pub(super) changes: bool,
}

impl Volume {
    fn read(self, work: Work) -> f64 {
        if work == Work::Nothing { 0.0 } else { self.tables }
    }

    /// Each byte goes into the WAL and into the file.
    fn written(self, work: Work) -> f64 {
        match work {
            Work::Rewrite => 2.0 * (self.tables + self.indexes),
            // An index of one or two columns.
            Work::Build => 2.0 * 0.4 * self.tables,
            Work::Scan if self.changes => 2.0 * self.tables,
            Work::Nothing | Work::Scan | Work::Validate => 0.0,
        }
    }
}

/// The interval for that many rows.
pub(super) fn interval(fit: &Fit, (work, growth): (Work, Growth), rows: f64, volume: Volume, target: Target) -> Time {
    let measured = fit.at(rows);
    let decades = if fit.most_rows > 0.0 { (rows / fit.most_rows).log10().max(0.0) } else { 0.0 };
    let spread = fit.spread.max(0.05);
    let spills = growth == Growth::Sorting && decades > 0.1;
    let (more, most) = if spills { (1.1, 1.3) } else { (1.0, 1.0) };
    let ratio = target.ratio.unwrap_or(1.0);
    let (slower, faster) = if target.ratio.is_some() { (1.25, 0.8) } else { (2.0, 0.5) };
    let (read, written) = (volume.read(work), volume.written(work));
    let cold = if read > target.cache { read } else { 0.0 };
    let expected = measured * ratio * more + cold / (400.0 * MB) + written / (500.0 * MB);
    let lower = measured * ratio * faster * (1.0 - spread.min(0.5)) / 1.15_f64.powf(decades);
    let upper =
        measured * ratio * slower * most * (1.0 + spread) * 1.25_f64.powf(decades) + (read + written) / (150.0 * MB);
    // What lasts milliseconds here may wait for a disk there.
    Time { lower: lower.min(expected), expected, upper: upper.max(expected).max(0.01) }
}

#[cfg(test)]
mod tests {
    use super::super::fit::Point;
    use super::*;

    fn fit(growth: Growth) -> Fit {
        Fit::new(growth, &[62_500.0, 250_000.0, 1e6].map(|rows| Point { rows, seconds: rows * 1e-6 }))
    }

    #[test]
    fn an_interval_holds_its_middle_and_is_wider_the_less_is_known() {
        let volume = Volume { tables: 900.0 * MB, indexes: 200.0 * MB, changes: false };
        let (linear, near) = (fit(Growth::Linear), Target { ratio: Some(1.0), cache: 4096.0 * MB });
        let of = |work, rows, target| interval(&linear, (work, Growth::Linear), rows, volume, target);
        let scan = of(Work::Scan, 1e7, near);
        assert!(scan.lower < 10.0 && 10.0 <= scan.expected && scan.expected < scan.upper, "{scan:?}");
        let rewrite = of(Work::Rewrite, 1e7, near);
        assert!(rewrite.expected > scan.expected && rewrite.upper > scan.upper, "{rewrite:?}");
        let cold = of(Work::Scan, 1e7, Target { cache: 128.0 * MB, ..near });
        assert!(cold.expected > scan.expected + 2.0, "{cold:?}");
        let far = of(Work::Scan, 1e7, Target { ratio: None, ..near });
        assert!(far.lower < scan.lower && far.upper > scan.upper, "{far:?}");
        let absurd = of(Work::Scan, 1e15, near);
        assert!(absurd.upper.is_finite() && absurd.upper / absurd.lower > 10.0, "{absurd:?}");
        assert!(of(Work::Scan, 1e7, Target { ratio: Some(2.0), ..near }).expected > 19.9);
    }
}
