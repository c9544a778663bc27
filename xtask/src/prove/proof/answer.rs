//! What a question comes to.

use std::time::Duration;

use crate::prove::review::{self, Mark};
use migrator_engine::Error;

/// What one question came to.
pub(super) struct Finding {
    pub(super) name: &'static str,
    pub(super) verdict: Verdict,
    /// One line, then what belongs to it.
    pub(super) lines: Vec<String>,
    pub(super) time: Duration,
}

/// How it came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// As promised.
    Ok,
    /// Something to know, nothing to mend at once.
    Mild,
    /// A promise is broken.
    Failed,
    /// It makes no sense to ask.
    Skipped,
}

impl Finding {
    pub(super) fn on_page(&self) -> review::Verdict {
        let (name, word, mark) = (self.name, self.verdict.word(), self.verdict.mark());
        review::Verdict { name, mark, word, lines: self.lines.clone(), time: self.time }
    }
}

impl Verdict {
    pub(super) fn mark(self) -> Mark {
        match self {
            Verdict::Ok => Mark::Good,
            Verdict::Mild => Mark::Note,
            Verdict::Failed => Mark::Bad,
            Verdict::Skipped => Mark::None,
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Verdict::Ok => "ok",
            Verdict::Mild => "mild",
            Verdict::Failed => "FAILED",
            Verdict::Skipped => "skipped",
        }
    }
}

/// What became of one migration's rollback.
pub(super) struct RolledBack {
    pub(super) verdict: Verdict,
    pub(super) what: &'static str,
    /// The differences or the error.
    pub(super) lines: Vec<String>,
}

impl RolledBack {
    pub(super) fn on_page(&self) -> review::RolledBack {
        review::RolledBack { mark: self.verdict.mark(), what: self.what, lines: self.lines.clone() }
    }
}

/// The answer to one question: a verdict and what is to be said.
pub type Answer = (Verdict, Vec<String>);

pub(super) fn error_lines(error: &Error) -> Vec<String> {
    error.render(false).lines().map(str::to_owned).collect()
}
