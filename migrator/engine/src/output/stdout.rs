//! Writing to stdout: a failure is remembered and reported at the end, a reader that has gone is not a failure.

use std::io::{self, Write as _};
use std::sync::Mutex;

/// What could not be written to stdout.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Unwritten {
    /// What the system says.
    pub cause: String,
    /// The last of it.
    pub last: String,
}

static UNWRITTEN: Mutex<Option<Unwritten>> = Mutex::new(None);

/// What could not be written to stdout since it was last asked. A reader that has gone (`| head`) is not a failure.
pub fn unwritten() -> Option<Unwritten> {
    UNWRITTEN.lock().ok().and_then(|mut unwritten| unwritten.take())
}

/// Writes a line, or several.
pub(super) fn write(text: &str) {
    write_with_end(text, "\n");
}

/// Writes a part of a line.
pub(super) fn write_part(text: &str) {
    write_with_end(text, "");
}

fn write_with_end(text: &str, end: &str) {
    let mut stdout = io::stdout().lock();
    let Err(error) = write!(stdout, "{text}{end}").and_then(|()| stdout.flush()) else { return };
    if error.kind() == io::ErrorKind::BrokenPipe {
        return;
    }
    if let Ok(mut unwritten) = UNWRITTEN.lock() {
        let cause = unwritten.take().map_or(error.to_string(), |earlier| earlier.cause);
        *unwritten = Some(Unwritten { cause, last: text.to_owned() });
    }
}
