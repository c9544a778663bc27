//! Where and when something was measured: what every page of docs/evidence says of itself.

use std::path::Path;
use std::process::Command;

/// What a program prints in the root of the repository, in one line; empty where it is missing.
pub fn said(program: &str, arguments: &[&str]) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let output = Command::new(program).args(arguments).current_dir(root).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The processors, the memory and the system.
pub fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_once(':').map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
    };
    let memory = field(&read("/proc/meminfo"), "MemTotal");
    let kilobytes: u64 = memory.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or_default();
    let model = field(&read("/proc/cpuinfo"), "model name");
    let model = if model.is_empty() { std::env::consts::ARCH.to_owned() } else { model };
    let system = said("uname", &["-sr"]);
    format!("{cores} x {model}, {} GB, {system}", kilobytes.div_ceil(1 << 20))
}

/// The commit that is checked out, and whether tracked files differ from it.
pub fn commit() -> String {
    let is_clean = said("git", &["status", "--porcelain", "--untracked-files=no"]).is_empty();
    let commit = said("git", &["rev-parse", "--short=12", "HEAD"]);
    format!("{commit}{}", if is_clean { "" } else { ", with local changes" })
}

/// The time, to the minute.
pub fn now() -> String {
    said("date", &["-u", "+%Y-%m-%d %H:%M UTC"])
}

/// The circumstances in one sentence, for a page; `server`: its version as it says it.
pub fn circumstances(server: &str) -> String {
    format!("Commit {}, {}; PostgreSQL {server}; {}.", commit(), now(), machine())
}

/// The same, with the server whose programs are there.
pub fn circumstances_with(programs: &Path) -> String {
    let postgres = programs.join("postgres").display().to_string();
    circumstances(&said(&postgres, &["--version"]).replace("postgres (PostgreSQL) ", ""))
}
