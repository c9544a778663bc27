//! Printing: results on stdout, everything else on stderr; colour and movement only on a terminal. With `--json` all of it is on stdout,
//! as `lines`.
//!
//! Whatever is printed may come from a server or a file: all of it goes through `printable`. A reader that has gone
//! never ends the work: a failure to write is ignored on stderr, and remembered on stdout and reported at the end.

mod lines;
mod screen;
mod stdout;

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use migrator_diagnostic::printable;
use serde_json::json;

use crate::error::{Error, Exit};
use crate::machine::event::Level;
use crate::machine::failure;
use crate::table::cut;
use crate::words::cell;
pub(crate) use lines::items;
pub use lines::{conclude, event, hand_over, is_json, keep_error, speak_json};
pub use screen::Color;
use screen::columns_of_stderr;
pub(crate) use screen::columns_of_stdout;
pub(crate) use screen::painted;
pub use stdout::{Unwritten, unwritten};

/// Writes one line of a result.
pub fn result(line: &str) {
    if !lines::sentence(line) {
        stdout::write(&printable::lines(line, "  "));
    }
}

/// Writes a result as JSON: an object, whose keys are beside those that every last line of `--json` has.
pub fn json(value: &serde_json::Value) {
    if !lines::keep(value) {
        stdout::write(&printable::json(&value.to_string()));
    }
}

/// Writes a result that is a file of JSON, with lines of its own.
pub(crate) fn json_file(text: &str) {
    // Line ends between two values are not in any text of it.
    let lines: Vec<_> = text.lines().map(printable::json).collect();
    stdout::write(&lines.join("\n"));
}

/// Writes a result of several lines. What comes from outside and may hold a line end is put in with [`cell`].
pub fn results(text: &str) {
    if !lines::sentence(text) {
        stdout::write(&printable::text(text));
    }
}

/// Writes a result whose parts are fit to be printed already, colours included: rendered errors, [`cell`]s.
pub fn rendered(text: &str) {
    if !lines::sentence(text) {
        stdout::write(text);
    }
}

/// Writes the text of a file as it is; a terminal gets what it would obey escaped.
pub fn file(text: &str) {
    if is_json() || io::stdout().is_terminal() { results(text) } else { stdout::write(text) }
}

/// Writes to stderr; false: no one can read it.
fn write_message(text: &str) -> bool {
    let mut stderr = io::stderr().lock();
    stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush()).is_ok()
}

/// One message on stderr, or an event; text in it cannot begin a line of its own.
fn message(name: &str, text: &str) {
    if is_json() {
        return event(name, json!({ "message": text }));
    }
    let text = match name {
        WARNING => format!("warning: {text}"),
        _ => text.to_owned(),
    };
    write_message(&format!("{}\n", printable::lines(&text, "  ")));
}

/// The events of messages that nothing else says.
const NOTE: &str = "note";
const DETAIL: &str = "detail";
const WARNING: &str = "warning";

/// The terminal of a command: what it shows while it works. It is an [`Observer`](crate::Observer) too.
pub struct Terminal {
    quiet: bool,
    verbose: bool,
    /// Prints warnings only.
    silent: bool,
    /// What it shows is a part of a larger work, which says itself how it ended.
    is_part: bool,
    color: Color,
    bar: Option<ProgressBar>,
    /// Whether the bar is on the screen.
    drawn: AtomicBool,
    /// What runs now; taken when its heading is printed above its first notice.
    running: Mutex<Option<String>>,
    /// What it waits for, and when that was last a line of its own.
    waits: Mutex<Option<(String, Instant)>>,
}

/// How often a line about a wait is repeated where it cannot be updated.
const REPEATED: Duration = Duration::from_secs(60);

/// What a line that moves leaves to the spinner and the time.
const BESIDE: usize = 14;

impl Terminal {
    /// Live on a terminal, plain lines elsewhere; `quiet`: errors and results only.
    pub fn new(quiet: bool, verbose: bool, color: Color) -> Terminal {
        let moves = std::env::var_os("TERM").is_some_and(|terminal| terminal != "dumb");
        let live = !quiet && moves && io::stderr().is_terminal();
        let bar = live.then(|| ProgressBar::new_spinner().with_style(style(MOVES)));
        Terminal { bar, verbose, color, ..Terminal::still(quiet) }
    }

    fn still(quiet: bool) -> Terminal {
        Terminal {
            quiet,
            verbose: false,
            silent: false,
            is_part: false,
            color: Color::Never,
            bar: None,
            drawn: AtomicBool::new(false),
            running: Mutex::new(None),
            waits: Mutex::new(None),
        }
    }

    /// Does not print what is applied either: the caller reports it.
    pub fn silent() -> Terminal {
        Terminal { silent: true, ..Terminal::still(true) }
    }

    /// The same for a part of a larger work, which says itself how it ended.
    #[must_use]
    pub fn for_a_part(self) -> Terminal {
        Terminal { is_part: true, ..self }
    }

    /// Prints an error with its notes and its ways out, with which a program ends that has this exit code.
    pub fn fail(&self, error: &Error, exit: u8) {
        self.waited();
        match self.is_part && is_json() {
            true => event("error", json!({ "error": failure::of(error) })),
            false => fail(error, self.color, exit),
        }
    }

    /// Ends the last line of a program that has done its work.
    pub fn conclude(&self, exit: u8) {
        if !self.is_part {
            conclude(None, exit);
        }
    }

    /// When to colour.
    pub(crate) fn color(&self) -> Color {
        self.color
    }

    /// Prints a line unless quiet.
    pub fn say(&self, line: &str) {
        if !self.quiet {
            self.above_the_bar(|| message(NOTE, line));
        }
    }

    /// Prints a line if verbose.
    pub fn detail(&self, line: &str) {
        if self.verbose {
            self.above_the_bar(|| message(DETAIL, line));
        }
    }

    /// Whether it tells a program of events of this kind.
    pub(crate) fn tells(&self, level: Level) -> bool {
        match level {
            Level::Result => true,
            Level::Usual => !self.quiet,
            Level::Detail => self.verbose,
        }
    }

    /// Whether it leaves what is applied to its caller.
    pub(crate) fn is_silent(&self) -> bool {
        self.silent
    }

    /// What runs now.
    pub(crate) fn running(&self) -> Option<String> {
        self.running.lock().ok().and_then(|running| running.clone())
    }

    /// Whether it prints details.
    pub(crate) fn is_verbose(&self) -> bool {
        self.verbose
    }

    /// Prints a warning, also when quiet.
    pub fn warn(&self, line: &str) {
        self.above_the_bar(|| message(WARNING, line));
    }

    /// A step begins: `label` is shown until [`Terminal::end`].
    pub fn begin(&self, label: &str, number: usize, of: usize) {
        if let Ok(mut running) = self.running.lock() {
            *running = Some(label.to_owned());
        }
        if let Some(bar) = &self.bar {
            self.drawn.store(true, Ordering::Relaxed);
            // A finished bar draws nothing until it is reset.
            bar.set_style(style(MOVES));
            bar.reset();
            show(bar, &format!("{number}/{of} {label}"));
            bar.enable_steady_tick(Duration::from_millis(100));
        }
    }

    /// How far the step is that has begun: `12 of 276`.
    pub fn reached(&self, number: usize, of: usize) {
        if let (Some(bar), Some(label)) = (&self.bar, self.running()) {
            show(bar, &format!("{label}: {number} of {of}"));
        }
    }

    /// Whether a line on stderr can be replaced by the next.
    pub(crate) fn is_live(&self) -> bool {
        self.bar.is_some()
    }

    /// Says how the step does that has begun: on a terminal in the line that moves, elsewhere in a line of its own if `is_worth_a_line`.
    pub(crate) fn update(&self, line: &str, is_worth_a_line: bool) {
        match &self.bar {
            Some(bar) if self.drawn.load(Ordering::Relaxed) => show(bar, line),
            _ if is_worth_a_line => self.say(line),
            _ => {}
        }
    }

    /// Says what it waits for before anything has begun, as long as it waits: one line on a terminal, until [`Terminal::waited`]; elsewhere
    /// a line whenever it changes, and once a minute.
    pub(crate) fn wait(&self, line: &str) {
        if let Some(bar) = &self.bar {
            if !self.drawn.swap(true, Ordering::Relaxed) {
                bar.set_style(style(STANDS));
                bar.set_message("");
                bar.reset();
            }
            show(bar, line);
            return;
        }
        if self.is_news(line) {
            self.say(line);
        }
    }

    /// Whether a wait was not said yet, or a minute ago.
    pub(crate) fn is_news(&self, line: &str) -> bool {
        let Ok(mut waits) = self.waits.lock() else { return false };
        let is_news = waits.as_ref().is_none_or(|(said, at)| said != line || at.elapsed() >= REPEATED);
        if is_news {
            *waits = Some((line.to_owned(), Instant::now()));
        }
        is_news
    }

    /// The wait is over.
    pub(crate) fn waited(&self) {
        if let Some(bar) = self.bar.as_ref().filter(|_| self.drawn.swap(false, Ordering::Relaxed)) {
            bar.disable_steady_tick();
            bar.finish_and_clear();
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
                message(NOTE, &format!("{label}:"));
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

/// A line about what runs, and one about what is waited for.
const MOVES: &str = "{spinner} {msg} ({elapsed})";
const STANDS: &str = "{msg}";

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

/// Shows a line that the next one replaces; a longer one would not be replaced as a whole.
fn show(bar: &ProgressBar, line: &str) {
    let columns = columns_of_stderr().unwrap_or(80).saturating_sub(BESIDE);
    bar.set_message(cut(&cell(line), columns));
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

/// Prints an error with its notes and its ways out, with which a program ends that has this exit code.
pub fn fail(error: &Error, color: Color, exit: u8) {
    if is_json() {
        return conclude(Some(failure::of(error)), exit);
    }
    write_message(&format!("{}\n", error.render_in(color.on_stderr(), columns_of_stderr())));
}

/// Prints the message of clap; false: it could not be written, although it has a reader.
pub fn usage(error: &clap::Error) -> bool {
    if is_json() {
        let text = error.render().to_string();
        match error.use_stderr() {
            true => conclude(Some(failure::of_usage(&text)), Exit::Usage as u8),
            false => {
                json(&json!({ "help": text.trim_end() }));
                conclude(None, Exit::Done as u8);
            }
        }
        return true;
    }
    let text = error.render();
    if error.use_stderr() {
        write_message(&painted(&text, Color::Auto.on_stderr()));
        return true;
    }
    let text = painted(&text, Color::Auto.on_stdout());
    let mut stdout = io::stdout();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            write_message(&format!("error: the result could not be written to stdout: {error}\n"));
            false
        }
        _ => true,
    }
}
