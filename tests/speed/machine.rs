//! Where and when it was measured.

use migrator_tests::machine;
pub(crate) use migrator_tests::machine::said;
use serde::{Deserialize, Serialize};

/// What a page says of the circumstances.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Stamp {
    pub(crate) commit: String,
    pub(crate) date: String,
    pub(crate) command: String,
    pub(crate) machine: String,
    /// How many processes wanted to run in the last minute, before the part began.
    pub(crate) load: f64,
    /// What was compared, one a line.
    pub(crate) versions: Vec<String>,
}

/// The circumstances now.
pub(crate) fn stamp(command: String) -> Stamp {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    Stamp {
        commit: machine::commit(),
        date: machine::now(),
        command,
        machine: machine::machine(),
        load: load.split(' ').next().and_then(|load| load.parse().ok()).unwrap_or_default(),
        versions: Vec::new(),
    }
}
