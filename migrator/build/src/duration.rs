//! Durations as PostgreSQL writes them: `500ms`, `5s`, `10min`, `1h`, `0`.

/// The server keeps timeouts in a 32-bit number of milliseconds.
const MAX_MS: u64 = i32::MAX as u64;

/// What every message about a wrong duration says.
pub(crate) const FORM: &str = "write a whole number and `ms`, `s`, `min` or `h`, such as `500ms`, or `0` for no limit";

/// Milliseconds of a duration; `None` if it is not written in that form or is more than the server takes (24 days).
pub(crate) fn parse(text: &str) -> Option<u64> {
    if text == "0" {
        return Some(0);
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
    number.checked_mul(factor).filter(|&ms| ms <= MAX_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_units_of_the_server() {
        let table = [("0", 0), ("500ms", 500), ("5s", 5_000), ("10min", 600_000), ("1h", 3_600_000), ("0s", 0)];
        for (text, ms) in table {
            assert_eq!(parse(text), Some(ms), "{text}");
        }
    }

    #[test]
    fn refuses_everything_else() {
        for text in ["", "5", "s", "5 s", "5S", "5m", "-5s", "+5s", "1.5s", "5d", "600h", "99999999999999999999s", "٣s"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
