//! The option of every command that takes the lock.

use std::time::Duration;

use clap::Args;
use migrator_diagnostic::duration;

/// How long to wait for another migrator.
#[derive(Debug, Clone, Args)]
pub(crate) struct Wait {
    /// How long to wait for the migration lock.
    #[arg(long, env = "MIGRATOR_WAIT_LOCK", default_value = "15min", value_parser = parse, value_name = "DURATION")]
    pub wait_lock: Duration,
}

/// `500ms`, `30s`, `15min`, `1h`; a plain number is seconds.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().map(Duration::from_secs);
    seconds.or_else(|| duration::parse(text)).ok_or_else(|| format!("expected {}", duration::FORM))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        assert_eq!(parse("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse("2min"), Ok(Duration::from_secs(120)));
        assert_eq!(parse("3"), Ok(Duration::from_secs(3)));
        assert!(parse("3 days").is_err() && parse("").is_err() && parse("1x").is_err());
    }
}
