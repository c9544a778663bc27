//! Durations in the form that PostgreSQL accepts: `500ms`, `5s`, `10min`, `1h`, `0`.

use std::time::Duration;

use migrator_diagnostic::duration;

/// The server keeps timeouts in a 32-bit number of milliseconds.
const MAX: Duration = Duration::from_millis(i32::MAX as u64);

/// The help of every message about an invalid duration.
pub(crate) const FORM: &str = "write a whole number and `ms`, `s`, `min` or `h`, such as `500ms`, or `0` for no limit";

/// Milliseconds of a duration; `None` if the form is wrong, or if it exceeds the server's limit (24 days).
pub(crate) fn parse(text: &str) -> Option<u64> {
    let duration = duration::parse(text).filter(|&duration| duration <= MAX)?;
    u64::try_from(duration.as_millis()).ok()
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
