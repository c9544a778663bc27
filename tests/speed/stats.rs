//! What is said of a series of figures.

/// The median; the mean of the two in the middle where there is none. `None`: no figures.
pub(crate) fn median(samples: &[f64]) -> Option<f64> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        length if length % 2 == 1 => Some(sorted[middle]),
        _ => Some(f64::midpoint(sorted[middle - 1], sorted[middle])),
    }
}

/// The smallest and the largest.
pub(crate) fn spread(samples: &[f64]) -> Option<(f64, f64)> {
    let smallest = samples.iter().copied().min_by(f64::total_cmp)?;
    Some((smallest, samples.iter().copied().max_by(f64::total_cmp)?))
}

/// Of pairs, how often the one is the other: the median, and the bounds between which that of all such pairs is with 95 %.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Ratio {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

/// The ratios of what was measured in the same rounds. By ranks: nothing is assumed about how they are spread.
pub(crate) fn ratio(ones: &[f64], others: &[f64]) -> Option<Ratio> {
    let mut ratios: Vec<f64> = ones.iter().zip(others).map(|(one, other)| one / other).collect();
    ratios.sort_by(f64::total_cmp);
    let count = ratios.len();
    let rank = ((count as f64 - 1.96 * (count as f64).sqrt()) / 2.0).max(0.0) as usize;
    Some(Ratio { median: median(&ratios)?, least: *ratios.get(rank)?, most: *ratios.get(count - 1 - rank)? })
}

/// Digits in groups of three.
pub(crate) fn grouped(digits: &str) -> String {
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        let left = digits.len() - index;
        if index > 0 && left.is_multiple_of(3) && !grouped.ends_with('-') {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A figure in three significant digits, whole numbers as they are.
pub(crate) fn short(figure: f64) -> String {
    let text = match figure.abs() {
        _ if figure.fract() == 0.0 => format!("{figure:.0}"),
        value if value >= 99.95 => format!("{figure:.0}"),
        value if value >= 9.995 => format!("{figure:.1}"),
        value if value >= 0.9995 => format!("{figure:.2}"),
        _ => format!("{figure:.3}"),
    };
    let (whole, rest) = text.split_once('.').map_or((&*text, ""), |(whole, rest)| (whole, rest));
    let grouped = grouped(whole);
    if rest.is_empty() { grouped } else { format!("{grouped}.{rest}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0]), Some(3.0));
        assert_eq!(median(&[9.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 9.0]), Some(3.0));
        assert_eq!(spread(&[4.0, 1.0, 9.0]), Some((1.0, 9.0)));
    }

    #[test]
    fn a_ratio_has_bounds_by_rank() {
        assert_eq!(ratio(&[], &[]), None);
        assert_eq!(ratio(&[3.0], &[2.0]), Some(Ratio { median: 1.5, least: 1.5, most: 1.5 }));
        let ones: Vec<f64> = (1..=15).rev().map(f64::from).collect();
        assert_eq!(ratio(&ones, &[1.0; 15]), Some(Ratio { median: 8.0, least: 4.0, most: 12.0 }));
    }

    #[test]
    fn figures_have_three_digits() {
        let shown = [0.0, 0.0123, 0.35, 0.9999, 1.234, 12.34, 123.4, 1_234.5, 1_234_567.0].map(short);
        assert_eq!(shown, ["0", "0.012", "0.350", "1.00", "1.23", "12.3", "123", "1,234", "1,234,567"]);
    }
}
