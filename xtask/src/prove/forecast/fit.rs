//! How a time grows with the number of rows. Pure.

/// The form of the curve, which the kind of work decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Growth {
    /// Not at all.
    Constant,
    /// a + b n.
    Linear,
    /// a + b n log n: what sorts.
    Sorting,
}

/// What was measured at one size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    pub(super) rows: f64,
    pub(super) seconds: f64,
}

/// A curve through the points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Fit {
    growth: Growth,
    base: f64,
    slope: f64,
    /// How far a point is from the curve at most, as a part of the time measured there.
    pub(super) spread: f64,
    /// The most rows that were measured.
    pub(super) most_rows: f64,
}

impl Growth {
    fn of(self, rows: f64) -> f64 {
        match self {
            Growth::Constant => 0.0,
            Growth::Linear => rows,
            Growth::Sorting => rows * (rows + 2.0).log2(),
        }
    }
}

impl Fit {
    /// By least squares of the relative deviations, in which a point with more rows counts more. Neither part is negative: no statement
    /// takes less time for more rows.
    pub(super) fn new(growth: Growth, points: &[Point]) -> Fit {
        let mut sums = [0.0_f64; 5];
        for point in points {
            let weight = point.rows.max(1.0) / point.seconds.max(1e-4).powi(2);
            let x = growth.of(point.rows);
            for (sum, term) in sums.iter_mut().zip([1.0, x, x * x, point.seconds, x * point.seconds]) {
                *sum += weight * term;
            }
        }
        let [w, x, xx, y, xy] = sums;
        let determinant = w * xx - x * x;
        let (mut base, mut slope) = match determinant > w * xx * 1e-9 {
            true => ((xx * y - x * xy) / determinant, (w * xy - x * y) / determinant),
            // One size alone: everything grows with the rows.
            false => (0.0, if xx > 0.0 { xy / xx } else { 0.0 }),
        };
        if base < 0.0 {
            (base, slope) = (0.0, if xx > 0.0 { xy / xx } else { 0.0 });
        }
        let longest = points.iter().map(|point| point.seconds).fold(0.0, f64::max);
        if slope <= 0.0 || growth == Growth::Constant {
            (base, slope) = (longest, 0.0);
        }
        let most_rows = points.iter().map(|point| point.rows).fold(0.0, f64::max);
        let mut fit = Fit { growth, base, slope, spread: 0.0, most_rows };
        let off = |point: &Point| (fit.at(point.rows) - point.seconds).abs() / point.seconds.max(1e-3);
        fit.spread = points.iter().map(off).fold(0.0, f64::max);
        fit
    }

    /// The seconds for so many rows.
    pub(super) fn at(&self, rows: f64) -> f64 {
        self.base + self.slope * self.growth.of(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(of: impl Fn(f64) -> f64) -> Vec<Point> {
        [62_500.0, 250_000.0, 1e6].map(|rows| Point { rows, seconds: of(rows) }).to_vec()
    }

    #[test]
    fn a_curve_is_found_again_and_goes_on() {
        let linear = Fit::new(Growth::Linear, &points(|n| 0.01 + n * 1e-6));
        assert!((linear.at(1e7) - 10.01).abs() < 1e-6, "{linear:?}");
        let sorting = Fit::new(Growth::Sorting, &points(|n| n * (n + 2.0).log2() * 1e-8));
        assert!((sorting.at(1e7) - 1e7 * 1e7_f64.log2() * 1e-8).abs() < 1e-3, "{sorting:?}");
        assert!(linear.spread < 1e-6 && sorting.spread < 1e-6);
    }

    #[test]
    fn nothing_is_negative_and_nothing_grows_that_has_no_reason_to() {
        let steep = Fit::new(Growth::Linear, &points(|n| n * n * 1e-12));
        assert!(steep.at(0.0) >= 0.0 && steep.at(1e7) > steep.at(1e6), "{steep:?}");
        let falling = Fit::new(Growth::Linear, &points(|n| 1.0 - n * 1e-7));
        assert_eq!(falling.at(1e9), falling.at(1.0));
        let constant = Fit::new(Growth::Constant, &points(|n| n * 1e-6));
        assert_eq!(constant.at(1e9), 1.0);
        let one = Fit::new(Growth::Linear, &[Point { rows: 100.0, seconds: 0.5 }]);
        assert!((one.at(200.0) - 1.0).abs() < 1e-9, "{one:?}");
        assert!(Fit::new(Growth::Linear, &[]).at(1e15).abs() < 1e-9);
    }
}
