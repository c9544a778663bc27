//! The terminal as an observer: what a person sees while an operation works.

use std::time::Duration;

use crate::audit;
use crate::event::{Applied, Event, Notice, Observer, Waiting};
use crate::facts::report;
use crate::history::Direction;
use crate::machine;
use crate::output::{self, Terminal, is_json};
use crate::words::{duration, list};

impl Observer for Terminal {
    fn event(&self, event: &Event<'_>) {
        if is_json() {
            return self.line(event);
        }
        match *event {
            Event::Connected { target, host, took, sslmode } => {
                self.detail(&format!("connected to {target} at {host} in {}, sslmode {sslmode}", duration(took)));
            }
            Event::HistoryRead { table, applied, events } => {
                self.detail(&format!("the history in {table}: {applied} applied, {events} events"));
            }
            Event::WritesTo { host, database, user, version, environment } => {
                let environment = environment.map(|name| format!(" · environment {name}")).unwrap_or_default();
                self.say(&format!("{host} · database {database} · user {user} · PostgreSQL {version}{environment}"));
            }
            Event::Warning(text) => self.warn(text),
            Event::Ahead(versions) => self.warn(&format!(
                "a newer release has migrated this database: it has {}, which this binary does not know; repeatables are skipped",
                list(versions)
            )),
            Event::Waiting(waiting) => self.waiting(waiting),
            Event::Locked { key, waited, pid } => {
                self.waited();
                self.detail(&format!("took the lock {key} after {} as pid {pid}", duration(waited)));
            }
            Event::Started { step, number, of } => self.begin(step, number, of),
            Event::Ended => self.end(),
            Event::Sent { step, bytes } => self.detail(&format!("{step}: {bytes} bytes sent")),
            Event::Statement { step, number } => self.detail(&format!("{step}: statement {number} sent")),
            Event::Notice(notice) => self.notice(&notice),
            Event::Reached { number, of, .. } => self.reached(number, of),
            Event::Progress { step, text, .. } => self.update(&format!("{step}: {text}"), true),
            Event::Healing { step, text } => self.say(&format!("{step}: {text}")),
            Event::Retrying { step, reason, pause, attempt, waited, limit, .. } => {
                let line = if self.is_live() {
                    format!("{step}: attempt {attempt}, {} of {}: {reason}", coarse(waited), coarse(limit))
                } else {
                    format!("{step}: {reason}; retrying in {}", duration(pause))
                };
                // The first ones show what is wrong; an hour of them would bury it.
                self.update(&line, attempt <= OFTEN || attempt % OFTEN == 0);
            }
            Event::Applied(applied) => self.result(&sentence(applied)),
            Event::ConnectionLost { reason } => {
                self.warn(&format!("the connection was lost: {reason}; checking what was committed"));
            }
            Event::FoundDone { by_others, is_seed } => self.warn(&match (by_others, is_seed) {
                ([], true) => "it had been committed before the connection was lost".to_owned(),
                ([], false) => "everything had been committed before the connection was lost".to_owned(),
                (others, _) => format!("the rest was done by another migrator meanwhile: {}", list(others)),
            }),
            Event::RollsBackRecorded { step, at, release, is_newer } => {
                let by = release.map(|release| format!(" by release {release}")).unwrap_or_default();
                let why = if is_newer { "is newer than this binary" } else { "was edited since it was applied" };
                let at = at.get(..16).unwrap_or(at);
                self.say(&format!("{step} {why}: rolling it back with the down block recorded at {at} UTC{by}"));
            }
            Event::Checked { when, open: [] } => self.say(&format!("the data checks {when} found nothing")),
            Event::Checked { when, open } => self.warn(&format!("the data checks {when}:\n{}", audit::text(open, false))),
            Event::NoDrift => self.say("no drift"),
            Event::DriftSkipped { reason } => self.say(&format!("drift check skipped: {reason}")),
            Event::Drifted(differences) => {
                self.warn(&format!("the schema differs from the compiled one:\n{}", report(differences)));
            }
        }
    }
}

/// From so many tries on, only every so many is a line of its own.
const OFTEN: u32 = 5;

impl Terminal {
    /// The event for a program that reads stdout.
    fn line(&self, event: &Event<'_>) {
        match event {
            Event::Started { step, number, of } => self.begin(step, *number, *of),
            Event::Ended => self.end(),
            _ => {}
        }
        if let Event::Waiting(Waiting::Lock { holder, .. }) = event
            && !self.is_news(&holder.to_string())
        {
            return;
        }
        let Some((name, mut about, level)) = machine::event::of(event) else { return };
        if let Event::Notice(_) = event {
            about["step"] = self.running().into();
        }
        // What a silent one does is reported by its caller.
        let is_told = !self.is_silent() || !matches!(event, Event::Applied(_));
        if is_told && self.tells(level) {
            output::event(name, about);
        }
    }

    fn waiting(&self, waiting: Waiting<'_>) {
        match waiting {
            Waiting::Lock { holder, waited, limit } if self.is_live() => self.wait(&format!(
                "waiting for the migration lock, {} of {}: held by {holder}",
                coarse(waited),
                coarse(limit)
            )),
            Waiting::Lock { holder, .. } => self.wait(&format!("waiting for the migration lock: held by {holder}")),
            Waiting::OldSession { holder } => self.wait(&format!("waiting for the old session to end: {holder}")),
            Waiting::Server { pause } => {
                self.say(&format!("the server is not back yet; retrying in {}", duration(pause)));
            }
            Waiting::Connection { target, reason, help } => {
                self.say(&format!("waiting for {target}: {reason}"));
                for help in help {
                    self.say(&format!("help: {help}"));
                }
            }
        }
    }

    /// A notice or a warning of the server, under the name of what runs.
    fn notice(&self, notice: &Notice<'_>) {
        // ROLLBACK after an error that had ended the transaction already: not worth reading.
        if notice.code == "25P01" {
            return;
        }
        let parts = [(notice.severity, Some(notice.message)), ("DETAIL", notice.detail), ("HINT", notice.hint)];
        self.indented(parts.into_iter().filter_map(|(name, text)| Some((name, text?))));
    }
}

/// `7 s`, `10 min`, `2 min 5 s`: what changes every second is not said in milliseconds.
fn coarse(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 60, seconds % 60) {
        (0, seconds) => format!("{seconds} s"),
        (minutes, 0) => format!("{minutes} min"),
        (minutes, seconds) => format!("{minutes} min {seconds} s"),
    }
}

/// `applied 003_add_x (12 ms)`.
fn sentence(applied: &Applied) -> String {
    let (label, time) = (&applied.step, duration(applied.took));
    match applied.direction {
        Some(Direction::Up) => format!("applied {label} ({time})"),
        Some(Direction::Down) => format!("rolled back {label} ({time})"),
        None => format!("applied repeatable {label} ({time})"),
    }
}
