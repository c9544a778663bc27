//! Where and when it was measured.

use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::workspace::repository;

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
    let dirty = if said("git", &["status", "--porcelain", "--untracked-files=no"]).is_empty() {
        ""
    } else {
        ", with local changes"
    };
    Stamp {
        commit: format!("{}{dirty}", said("git", &["rev-parse", "--short=12", "HEAD"])),
        date: said("date", &["-u", "+%Y-%m-%d %H:%M UTC"]),
        command,
        machine: machine(),
        load: read("/proc/loadavg").split(' ').next().and_then(|load| load.parse().ok()).unwrap_or_default(),
        versions: Vec::new(),
    }
}

fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let info = read("/proc/cpuinfo");
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_once(':').map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
    };
    let memory = read("/proc/meminfo");
    let kilobytes: u64 = field(&memory, "MemTotal").split(' ').next().and_then(|n| n.parse().ok()).unwrap_or_default();
    let model = field(&info, "model name");
    let model = if model.is_empty() { std::env::consts::ARCH.to_owned() } else { model };
    let system = said("uname", &["-sr"]);
    format!("{cores} x {model}, {} GB, {system}", kilobytes.div_ceil(1 << 20))
}

/// What a program prints, in one line; empty where it is missing.
pub(crate) fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(repository()).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}
