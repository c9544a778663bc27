//! What the task asks for; it passes that in the environment.

use crate::part::Part;

/// Which measurements, and how many of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    /// One round, and only the parts that take seconds.
    pub(crate) quick: bool,
    /// Install the peers that are missing.
    pub(crate) peers: bool,
    /// The names of parts; empty: all.
    pub(crate) only: Vec<String>,
}

impl Options {
    /// `None`: nothing is to be measured.
    pub(crate) fn from_environment() -> Option<Options> {
        let form = std::env::var("MIGRATOR_BENCH").ok()?;
        let only = std::env::var("MIGRATOR_BENCH_ONLY").unwrap_or_default();
        Some(Options {
            quick: form == "quick",
            peers: std::env::var_os("MIGRATOR_BENCH_PEERS").is_some_and(|value| value == "1"),
            only: only.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect(),
        })
    }

    /// Whether a part is to be run.
    pub(crate) fn includes(&self, part: &Part) -> bool {
        match self.only.is_empty() {
            true => part.is_quick || !self.quick,
            false => self.only.iter().any(|name| name == part.name),
        }
    }

    /// How many rounds to measure, beside the one that warms up.
    pub(crate) fn rounds(&self, full: usize) -> usize {
        if self.quick { 1 } else { full }
    }

    /// The command line that led here.
    pub(crate) fn line(&self) -> String {
        let mut line = "cargo xtask bench".to_owned();
        for (is_set, word) in [(self.quick, " --quick"), (self.peers, " --peers")] {
            line.push_str(if is_set { word } else { "" });
        }
        if !self.only.is_empty() {
            line.push_str(" --only ");
            line.push_str(&self.only.join(" "));
        }
        line
    }
}
