//! Durations as people write them: `500ms`, `5s`, `10min`, `1h`. PostgreSQL uses the same form for its timeouts.

use std::time::Duration;

/// The form of a duration, for a message about an invalid one.
pub const FORM: &str = "a whole number and `ms`, `s`, `min` or `h`, such as `500ms`";

/// Parses a duration; `0` needs no unit. `None` if the form is wrong, or if the milliseconds do not fit a `u64`.
#[must_use]
pub fn parse(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let number: u64 = text[..text.len() - unit.len()].parse().ok()?;
    let factor = match unit {
        "ms" => 1,
        "s" => 1_000,
        "min" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    number.checked_mul(factor).map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_whole_numbers_with_a_unit() {
        for (text, ms) in [("0", 0), ("500ms", 500), ("5s", 5_000), ("10min", 600_000), ("1h", 3_600_000), ("0s", 0)] {
            assert_eq!(parse(text), Some(Duration::from_millis(ms)), "{text}");
        }
    }

    #[test]
    fn refuses_everything_else() {
        for text in ["", "5", "s", "5 s", "5S", "5m", "-5s", "+5s", "1.5s", "5d", "99999999999999999999s", "٣s"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
