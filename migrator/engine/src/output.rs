//! Printing: results on stdout, everything else on stderr; colour and movement only on a terminal.
#![expect(clippy::print_stderr, reason = "this module is where the command line prints")]

use std::io::{IsTerminal as _, Write as _};
use std::sync::Mutex;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tokio_postgres::error::DbError;

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless `NO_COLOR` is set; `CLICOLOR_FORCE` colours everywhere.
    #[default]
    Auto,
    /// Everywhere.
    Always,
    /// Nowhere.
    Never,
}

impl Color {
    /// Whether stderr is coloured.
    pub(crate) fn on_stderr(self) -> bool {
        self.on(std::io::stderr().is_terminal())
    }

    /// Whether stdout is coloured.
    pub(crate) fn on_stdout(self) -> bool {
        self.on(std::io::stdout().is_terminal())
    }

    fn on(self, terminal: bool) -> bool {
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty() && value != "0");
        match self {
            Color::Always => true,
            Color::Never => false,
            Color::Auto if set("NO_COLOR") => false,
            Color::Auto => set("CLICOLOR_FORCE") || terminal,
        }
    }
}

/// Writes a result. A reader that has gone (`| head`) ends the output, not the work.
pub(crate) fn result(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// What a command shows while it works.
pub(crate) struct Progress {
    quiet: bool,
    verbose: bool,
    /// Nothing at all is printed but warnings.
    silent: bool,
    bar: Option<ProgressBar>,
    /// What runs now; taken when its heading is printed above its first notice.
    running: Mutex<Option<String>>,
}

impl Progress {
    /// Live on a terminal, plain lines elsewhere; `quiet`: errors and results only.
    pub(crate) fn new(quiet: bool, verbose: bool) -> Progress {
        let live = !quiet && std::io::stderr().is_terminal();
        let bar = live.then(|| {
            let style = ProgressStyle::with_template("{spinner} {msg} ({elapsed})");
            ProgressBar::new_spinner().with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
        });
        Progress { quiet, verbose, silent: false, bar, running: Mutex::new(None) }
    }

    /// Keeps to itself also what is applied: somebody else reports.
    #[cfg(feature = "dev")]
    pub(crate) fn silent() -> Progress {
        Progress { quiet: true, verbose: false, silent: true, bar: None, running: Mutex::new(None) }
    }

    /// A line for the person who watches.
    pub(crate) fn say(&self, line: &str) {
        if !self.quiet {
            self.above_the_bar(|| eprintln!("{line}"));
        }
    }

    /// A line for the person who wants to know more.
    pub(crate) fn detail(&self, line: &str) {
        if self.verbose {
            self.above_the_bar(|| eprintln!("{line}"));
        }
    }

    /// Whether somebody wants to know more.
    pub(crate) fn is_verbose(&self) -> bool {
        self.verbose
    }

    /// Something that must be seen, also when quiet.
    pub(crate) fn warn(&self, line: &str) {
        self.above_the_bar(|| eprintln!("warning: {line}"));
    }

    /// A step begins: `label` is shown until [`Progress::end`].
    pub(crate) fn begin(&self, label: &str, number: usize, of: usize) {
        if let Ok(mut running) = self.running.lock() {
            *running = Some(label.to_owned());
        }
        if let Some(bar) = &self.bar {
            // Also out of the state of being finished, in which nothing is drawn.
            bar.reset();
            bar.set_message(format!("{number}/{of} {label}"));
            bar.enable_steady_tick(Duration::from_millis(100));
        }
    }

    /// How far the step is that has begun: `12 of 276`.
    #[cfg(feature = "dev")]
    pub(crate) fn reached(&self, number: usize, of: usize) {
        let running = self.running.lock().ok().and_then(|running| running.clone());
        if let (Some(bar), Some(label)) = (&self.bar, running) {
            bar.set_message(format!("{label}: {number} of {of}"));
        }
    }

    /// The step is over, well or not.
    pub(crate) fn end(&self) {
        if let Ok(mut running) = self.running.lock() {
            *running = None;
        }
        if let Some(bar) = &self.bar {
            bar.disable_steady_tick();
            bar.finish_and_clear();
        }
    }

    /// A line of the result, in the midst of the work.
    pub(crate) fn result(&self, line: &str) {
        if self.silent {
            return;
        }
        self.above_the_bar(|| result(line));
    }

    /// A notice or a warning of the server, under the name of what runs.
    pub(crate) fn notice(&self, notice: &DbError) {
        // ROLLBACK after an error that had ended the transaction already: nothing that anybody has to know.
        if self.quiet || notice.code().code() == "25P01" {
            return;
        }
        let heading = self.running.lock().ok().and_then(|mut running| running.take());
        self.above_the_bar(|| {
            if let Some(label) = heading {
                eprintln!("{label}:");
            }
            eprintln!("  {}: {}", notice.severity(), notice.message());
            for (name, text) in [("DETAIL", notice.detail()), ("HINT", notice.hint())] {
                if let Some(text) = text {
                    eprintln!("  {name}: {text}");
                }
            }
        });
    }

    fn above_the_bar(&self, print: impl FnOnce()) {
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }
}

/// Asks a yes-or-no question on the terminal; `None`, if there is nobody to ask.
pub(crate) fn confirm(question: &str) -> Option<bool> {
    if !std::io::stdin().is_terminal() {
        return None;
    }
    eprint!("{question} [y/N] ");
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).ok()?;
    Some(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Prints an error or another last word.
pub(crate) fn last_word(text: &str) {
    eprintln!("{text}");
}

/// `412 ms`, `3.2 s`, `2 min 5 s`.
pub(crate) fn duration(duration: Duration) -> String {
    match duration.as_millis() {
        ms @ ..1_000 => format!("{ms} ms"),
        ms @ ..60_000 => format!("{:.1} s", ms as f64 / 1_000.0),
        ms => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1_000),
    }
}

/// `0.4 ms`: on an empty table most things take less than a millisecond.
#[cfg(feature = "dev")]
pub(crate) fn precise(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1e3;
    if ms < 10.0 { format!("{ms:.1} ms") } else { duration(time) }
}
