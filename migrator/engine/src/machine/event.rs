//! Events as a program reads them.

use std::time::Duration;

use serde_json::{Value, json};

use crate::audit;
use crate::event::{Applied, Doing, Event, Waiting};
use crate::history::Direction;

/// Who wants to know of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// Everyone: what has been done, and warnings.
    Result,
    /// Everyone but those who asked for quiet.
    Usual,
    /// Those who asked for all of it.
    Detail,
}

/// The name of an event, what it is about, and for whom it is. `None`: the next event says as much.
pub(crate) fn of(event: &Event<'_>) -> Option<(&'static str, Value, Level)> {
    use Level::{Detail, Result, Usual};
    Some(match *event {
        Event::Connected { target, host, took, sslmode } => {
            let value = json!({ "target": target, "host": host, "took_ms": ms(took), "sslmode": sslmode });
            ("connected", value, Detail)
        }
        Event::HistoryRead { table, applied, events } => {
            ("history_read", json!({ "table": table, "applied": applied, "events": events }), Detail)
        }
        Event::WritesTo { host, database, user, version, environment } => {
            let value = json!({ "host": host, "database": database, "user": user, "postgresql": version, "environment": environment });
            ("writes_to", value, Usual)
        }
        Event::Warning(text) => ("warning", json!({ "message": text }), Result),
        Event::Ahead(versions) => ("ahead", json!({ "versions": versions }), Result),
        Event::Waiting(ref waiting) => ("waiting", of_waiting(waiting), Usual),
        Event::Locked { key, waited, pid } => {
            ("locked", json!({ "key": key, "waited_ms": ms(waited), "pid": pid }), Detail)
        }
        Event::Started { step, number, of } => ("started", json!({ "step": step, "number": number, "of": of }), Usual),
        Event::Sent { step, bytes } => ("sent", json!({ "step": step, "bytes": bytes }), Detail),
        Event::Statement { step, number } => ("statement", json!({ "step": step, "statement": number }), Detail),
        Event::Reached { step, number, of } => {
            ("reached", json!({ "step": step, "statement": number, "of": of }), Detail)
        }
        // ROLLBACK after an error that had ended the transaction already.
        Event::Notice(ref notice) if notice.code == "25P01" => return None,
        Event::Notice(ref notice) => {
            let value = json!({
                "severity": notice.severity, "sqlstate": notice.code, "message": notice.message,
                "detail": notice.detail, "hint": notice.hint,
            });
            ("notice", value, Usual)
        }
        Event::Progress { step, ref doing, .. } => of_progress(step, doing),
        Event::Healing { step, text } => ("healing", json!({ "step": step, "message": text }), Usual),
        Event::Retrying { step, reason, pause, sqlstate, blocker, attempt, waited, limit } => {
            let blocker = blocker.map(|blocker| blocker.json());
            let value = json!({ "step": step, "message": reason, "sqlstate": sqlstate, "holder": blocker, "pause_ms": ms(pause),
                "attempt": attempt, "waited_ms": ms(waited), "limit_ms": ms(limit) });
            ("retrying", value, Usual)
        }
        Event::Applied(applied) => (word(applied), of_applied(applied), Result),
        Event::Ended => return None,
        Event::ConnectionLost { reason } => ("connection_lost", json!({ "message": reason }), Result),
        Event::FoundDone { by_others, is_seed } => {
            ("found_done", json!({ "by_others": by_others, "seed": is_seed }), Result)
        }
        Event::RollsBackRecorded { step, at, is_newer, release } => {
            let at = format!("{}Z", at.replace(' ', "T"));
            let value = json!({ "step": step, "release": release, "recorded_at": at, "newer": is_newer });
            ("rolls_back_recorded", value, Usual)
        }
        Event::Checked { when, open } => {
            let level = if open.is_empty() { Usual } else { Result };
            ("checked", json!({ "when": when, "checks": audit::json(open) }), level)
        }
        Event::NoDrift => ("no_drift", json!({}), Usual),
        Event::DriftSkipped { reason } => ("drift_skipped", json!({ "message": reason }), Usual),
        Event::Drifted(differences) => {
            let differences: Vec<Value> = differences.iter().map(|difference| difference.json()).collect();
            ("drifted", json!({ "differences": differences }), Result)
        }
    })
}

fn of_waiting(waiting: &Waiting<'_>) -> Value {
    match *waiting {
        Waiting::Lock { holder, waited, limit } => {
            json!({ "for": "lock", "holder": holder.json(), "waited_ms": ms(waited), "limit_ms": ms(limit) })
        }
        Waiting::OldSession { holder } => json!({ "for": "old_session", "holder": holder.json() }),
        Waiting::Server { pause } => json!({ "for": "server", "pause_ms": ms(pause) }),
        Waiting::Connection { target, reason, help } => {
            json!({ "for": "connection", "target": target, "message": reason, "help": help })
        }
    }
}

fn of_progress(step: &str, doing: &Doing<'_>) -> (&'static str, Value, Level) {
    match *doing {
        Doing::Waits { holder } => ("blocked", json!({ "step": step, "holder": holder.json() }), Level::Usual),
        Doing::BuildsIndex { phase, done, total } => {
            let value = json!({ "step": step, "phase": phase, "blocks_done": done, "blocks_total": total });
            ("index_build", value, Level::Usual)
        }
    }
}

/// What was done with a step.
fn word(applied: &Applied) -> &'static str {
    match applied.direction {
        Some(Direction::Down) => "rolled_back",
        Some(Direction::Up) | None => "applied",
    }
}

/// A step that is done, as the events and the results have it.
pub(crate) fn of_applied(applied: &Applied) -> Value {
    json!({
        "step": applied.step,
        "kind": if applied.direction.is_some() { "migration" } else { "repeatable" },
        "version": applied.version,
        "direction": applied.direction.map(Direction::word),
        "took_ms": ms(applied.took),
    })
}

/// Whole milliseconds.
pub(crate) fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
