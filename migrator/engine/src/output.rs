//! Printing: results on stdout, everything else on stderr; colour and movement only on a terminal.
//!
//! Whatever is printed may come from a server or a file: all of it goes through `printable`. A reader that has gone
//! never ends the work: a failure to write is ignored on stderr, and remembered on stdout and reported at the end.

use std::io::{self, IsTerminal as _, Write as _};
use std::os::fd::AsFd;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anstream::{AutoStream, ColorChoice};
use indicatif::{ProgressBar, ProgressStyle};
use migrator_diagnostic::printable;

use crate::error::Error;
use crate::words::cell;

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Color {
    /// On a terminal that supports it, unless `NO_COLOR` is set; `CLICOLOR_FORCE` colours everywhere.
    #[default]
    Auto,
    /// Everywhere.
    Always,
    /// Nowhere.
    Never,
}

impl Color {
    /// Whether stderr is coloured.
    pub fn on_stderr(self) -> bool {
        self.on(AutoStream::choice(&io::stderr()), io::stderr().is_terminal())
    }

    /// Whether stdout is coloured.
    pub fn on_stdout(self) -> bool {
        self.on(AutoStream::choice(&io::stdout()), io::stdout().is_terminal())
    }

    fn on(self, choice: ColorChoice, terminal: bool) -> bool {
        // `CLICOLOR_FORCE=0` forces nothing.
        let is_forced = || std::env::var_os("CLICOLOR_FORCE").is_some_and(|value| !value.is_empty() && value != "0");
        match self {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => choice != ColorChoice::Never && (terminal || is_forced()),
        }
    }
}

/// The columns of the terminal on stdout; `None`: it is not a terminal, or does not say.
pub(crate) fn columns_of_stdout() -> Option<usize> {
    columns_of(io::stdout())
}

fn columns_of_stderr() -> Option<usize> {
    columns_of(io::stderr())
}

fn columns_of(stream: impl AsFd) -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(stream).ok()?;
    // A terminal that does not know says 0.
    (size.ws_col > 0).then(|| size.ws_col.into())
}

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

/// Writes one line of a result.
pub fn result(line: &str) {
    write_result(&printable::lines(line, "  "));
}

/// Writes a result as JSON.
pub fn json(value: &serde_json::Value) {
    write_result(&printable::json(&value.to_string()));
}

/// Writes a result that is JSON already, with lines of its own.
pub(crate) fn json_text(text: &str) {
    // Line ends between two values are not in any text of it.
    let lines: Vec<_> = text.lines().map(printable::json).collect();
    write_result(&lines.join("\n"));
}

/// Writes a result of several lines. What comes from outside and may hold a line end is put in with [`cell`].
pub fn results(lines: &str) {
    write_result(&printable::text(lines));
}

/// Writes a result whose parts are fit to be printed already, colours included: rendered errors, [`cell`]s.
pub fn rendered(text: &str) {
    write_result(text);
}

/// Writes the text of a file as it is; a terminal gets what it would obey escaped.
pub fn file(text: &str) {
    if io::stdout().is_terminal() { results(text) } else { write_result(text) }
}

fn write_result(text: &str) {
    let mut stdout = io::stdout().lock();
    let Err(error) = writeln!(stdout, "{text}").and_then(|()| stdout.flush()) else { return };
    if error.kind() == io::ErrorKind::BrokenPipe {
        return;
    }
    if let Ok(mut unwritten) = UNWRITTEN.lock() {
        let cause = unwritten.take().map_or(error.to_string(), |earlier| earlier.cause);
        *unwritten = Some(Unwritten { cause, last: text.to_owned() });
    }
}

/// Writes to stderr; false: no one can read it.
fn write_message(text: &str) -> bool {
    let mut stderr = io::stderr().lock();
    stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush()).is_ok()
}

/// One message on stderr; text in it cannot begin a line of its own.
fn message(text: &str) {
    write_message(&format!("{}\n", printable::lines(text, "  ")));
}

/// The terminal of a command: what it shows while it works. It is an [`Observer`](crate::Observer) too.
pub struct Terminal {
    quiet: bool,
    verbose: bool,
    /// Prints warnings only.
    silent: bool,
    color: Color,
    bar: Option<ProgressBar>,
    /// Whether the bar is on the screen.
    drawn: AtomicBool,
    /// What runs now; taken when its heading is printed above its first notice.
    running: Mutex<Option<String>>,
}

impl Terminal {
    /// Live on a terminal, plain lines elsewhere; `quiet`: errors and results only.
    pub fn new(quiet: bool, verbose: bool, color: Color) -> Terminal {
        let moves = std::env::var_os("TERM").is_some_and(|terminal| terminal != "dumb");
        let live = !quiet && moves && io::stderr().is_terminal();
        let bar = live.then(|| {
            let style = ProgressStyle::with_template("{spinner} {msg} ({elapsed})");
            ProgressBar::new_spinner().with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
        });
        Terminal { bar, verbose, color, ..Terminal::still(quiet) }
    }

    fn still(quiet: bool) -> Terminal {
        Terminal {
            quiet,
            verbose: false,
            silent: false,
            color: Color::Never,
            bar: None,
            drawn: AtomicBool::new(false),
            running: Mutex::new(None),
        }
    }

    /// Does not print what is applied either: the caller reports it.
    pub fn silent() -> Terminal {
        Terminal { silent: true, ..Terminal::still(true) }
    }

    /// Prints an error with its notes and its ways out.
    pub fn fail(&self, error: &Error) {
        fail(error, self.color.on_stderr());
    }

    /// When to colour.
    pub(crate) fn color(&self) -> Color {
        self.color
    }

    /// Prints a line unless quiet.
    pub fn say(&self, line: &str) {
        if !self.quiet {
            self.above_the_bar(|| message(line));
        }
    }

    /// Prints a line if verbose.
    pub fn detail(&self, line: &str) {
        if self.verbose {
            self.above_the_bar(|| message(line));
        }
    }

    /// Whether it prints details.
    pub(crate) fn is_verbose(&self) -> bool {
        self.verbose
    }

    /// Prints a warning, also when quiet.
    pub fn warn(&self, line: &str) {
        self.above_the_bar(|| message(&format!("warning: {line}")));
    }

    /// A step begins: `label` is shown until [`Terminal::end`].
    pub fn begin(&self, label: &str, number: usize, of: usize) {
        if let Ok(mut running) = self.running.lock() {
            *running = Some(label.to_owned());
        }
        if let Some(bar) = &self.bar {
            self.drawn.store(true, Ordering::Relaxed);
            // A finished bar draws nothing until it is reset.
            bar.reset();
            bar.set_message(format!("{number}/{of} {}", cell(label)));
            bar.enable_steady_tick(Duration::from_millis(100));
        }
    }

    /// How far the step is that has begun: `12 of 276`.
    pub fn reached(&self, number: usize, of: usize) {
        let running = self.running.lock().ok().and_then(|running| running.clone());
        if let (Some(bar), Some(label)) = (&self.bar, running) {
            bar.set_message(format!("{}: {number} of {of}", cell(&label)));
        }
    }

    /// The step has ended, successfully or not.
    pub fn end(&self) {
        if let Ok(mut running) = self.running.lock() {
            *running = None;
        }
        if let Some(bar) = &self.bar {
            bar.disable_steady_tick();
            bar.finish_and_clear();
            self.drawn.store(false, Ordering::Relaxed);
        }
    }

    /// Prints a line of the result while the work continues.
    pub fn result(&self, line: &str) {
        if self.silent {
            return;
        }
        self.above_the_bar(|| result(line));
    }

    /// Names with texts, under the name of what runs.
    pub(crate) fn indented<'t>(&self, parts: impl Iterator<Item = (&'t str, &'t str)>) {
        if self.quiet {
            return;
        }
        let heading = self.running.lock().ok().and_then(|mut running| running.take());
        self.above_the_bar(|| {
            if let Some(label) = heading {
                message(&format!("{label}:"));
            }
            for (name, text) in parts {
                write_message(&format!("  {}: {}\n", cell(name), printable::lines(text, "    ")));
            }
        });
    }

    fn above_the_bar(&self, print: impl FnOnce()) {
        match &self.bar {
            // One that is not on the screen would be drawn after what is printed, and stay there.
            Some(bar) if self.drawn.load(Ordering::Relaxed) => bar.suspend(print),
            _ => print(),
        }
    }
}

/// Asks a yes-or-no question on the terminal; `None` if there is no terminal.
pub fn confirm(question: &str) -> Option<bool> {
    let terminal = io::stdin().is_terminal();
    if !terminal || !write_message(&format!("{} [y/N] ", printable::lines(question, "  "))) {
        return None;
    }
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).ok()?;
    Some(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Prints an error with its notes and its ways out.
pub fn fail(error: &Error, color: bool) {
    write_message(&format!("{}\n", error.render_in(color, columns_of_stderr())));
}

/// Prints the last word of a program that ends.
pub(crate) fn last_word(text: &str) {
    message(text);
}

/// Prints the message of clap; true: it was written, or its reader has gone.
pub(crate) fn usage(error: &clap::Error) -> bool {
    if error.use_stderr() {
        // Where an error cannot be written, another one cannot either.
        let _ = error.print();
        return true;
    }
    match error.print().and_then(|()| io::stdout().flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            last_word(&format!("error: the result could not be written to stdout: {error}"));
            false
        }
        _ => true,
    }
}
