//! What a user sees while an archive is fetched.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::pinned::Archive;

/// A line of ours on stderr, past what a test harness captures: it may be minutes until that is shown.
pub(crate) fn say(line: &str) {
    // There is no one to tell that no one reads this.
    let _ = writeln!(io::stderr(), "{line}");
}

/// A bar on a terminal, for as long as this lives; the clients do not say how far they are.
pub(crate) struct Progress {
    done: Arc<AtomicBool>,
    drawing: Option<JoinHandle<()>>,
}

impl Progress {
    /// Shows how much of the archive is in the directory `room`.
    pub(crate) fn begin(archive: &Archive, room: &Path) -> Progress {
        let bar = ProgressBar::new(archive.length);
        if let Ok(style) = ProgressStyle::with_template("  {bar:40} {bytes} of {total_bytes}") {
            bar.set_style(style);
        }
        let done = Arc::new(AtomicBool::new(false));
        let (is_done, room) = (Arc::clone(&done), room.to_owned());
        let drawing = thread::spawn(move || {
            while !is_done.load(Ordering::Relaxed) {
                bar.set_position(length_of(&room, 3));
                thread::park_timeout(Duration::from_millis(100));
            }
            bar.finish_and_clear();
        });
        Progress { done, drawing: Some(drawing) }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        if let Some(drawing) = self.drawing.take() {
            drawing.thread().unpark();
            // It draws and nothing else.
            let _ = drawing.join();
        }
    }
}

/// The length of the largest file in a directory and in those below it: a client keeps a download in one of its own at first.
fn length_of(directory: &Path, depth: u32) -> u64 {
    let files: Vec<PathBuf> =
        fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    let lengths = files.iter().map(|path| match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() && depth > 0 => length_of(path, depth - 1),
        Ok(found) => found.len(),
        Err(_) => 0,
    });
    lengths.max().unwrap_or_default()
}
