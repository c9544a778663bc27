//! What a stream of the terminal can show: colours, and how many columns.

use std::io::{self, IsTerminal as _};
use std::os::fd::AsFd;

use anstream::{AutoStream, ColorChoice};
use clap::builder::StyledStr;

use super::lines::is_json;

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
        if is_json() {
            return false;
        }
        // `CLICOLOR_FORCE=0` forces nothing.
        let is_forced = || std::env::var_os("CLICOLOR_FORCE").is_some_and(|value| !value.is_empty() && value != "0");
        // A pipeline that sets `CI` has colours in its pages, but not on a terminal that says that it has none.
        let is_dumb = || std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        match self {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => choice != ColorChoice::Never && (is_forced() || (terminal && !is_dumb())),
        }
    }
}

/// What clap has written, with its colours or without.
pub(crate) fn painted(text: &StyledStr, colored: bool) -> String {
    if colored { text.ansi().to_string() } else { text.to_string() }
}

/// The columns of the terminal on stdout; `None`: it is not a terminal, or does not say.
pub(crate) fn columns_of_stdout() -> Option<usize> {
    columns_of(io::stdout())
}

/// The same of stderr.
pub(super) fn columns_of_stderr() -> Option<usize> {
    columns_of(io::stderr())
}

fn columns_of(stream: impl AsFd) -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(stream).ok()?;
    // A terminal that does not know says 0.
    (size.ws_col > 0).then(|| size.ws_col.into())
}
