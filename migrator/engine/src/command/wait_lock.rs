//! The option of every command that takes the lock.

use std::time::Duration;

use clap::Args;

/// How long to wait for another migrator.
#[derive(Debug, Clone, Args)]
pub(crate) struct Wait {
    /// How long to wait for the migration lock.
    #[arg(long, env = "MIGRATOR_WAIT_LOCK", default_value = "15min", value_parser = duration, value_name = "DURATION")]
    pub wait_lock: Duration,
}

/// `500ms`, `30s`, `15min`, `1h`; a plain number is seconds.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 =
        digits.parse().map_err(|_| "expected a duration like `500ms`, `30s`, `15min` or `1h`".to_owned())?;
    match &text[digits.len()..] {
        "ms" => Ok(Duration::from_millis(number)),
        "" | "s" => Ok(Duration::from_secs(number)),
        "min" => Ok(Duration::from_secs(number.saturating_mul(60))),
        "h" => Ok(Duration::from_secs(number.saturating_mul(3600))),
        unit => Err(format!("`{unit}` is no unit: use ms, s, min or h")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("2min"), Ok(Duration::from_secs(120)));
        assert_eq!(duration("3"), Ok(Duration::from_secs(3)));
        assert!(duration("3 days").is_err() && duration("").is_err() && duration("1x").is_err());
    }
}
