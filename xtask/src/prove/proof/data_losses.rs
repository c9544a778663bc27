//! The rollbacks with rows in place: what they lose.

use std::collections::BTreeMap;

use migrator_build::DataTest;

use super::answer::{Answer, Verdict, error_lines};
use super::before::Base;
use super::new::{Extent, new};
use crate::prove::data::ladder::Ladder;
use crate::prove::data::loss::{Loss, What};
use crate::prove::data::rollback::{self, RolledBack};
use crate::prove::review::Losses;
use crate::prove::scratch::Scratch;
use migrator_engine::Error;
use migrator_engine::embedded::Migration;
use migrator_engine::words::count;
use migrator_engine::words::list;

/// The rollbacks of the new migrations, or of all; `losses` gets what is said of each, by their numbers.
pub(super) async fn ask(
    scratch: &Scratch<'_>,
    base: &Base,
    tests: &[DataTest],
    extent: Extent,
    losses: &mut BTreeMap<i64, Losses>,
) -> Result<Answer, Error> {
    let chosen = new(scratch.context.migrator.embedded(), base, extent);
    let mut ladder = Ladder::new(scratch);
    let (mut verdict, mut lines, mut losing, mut looked_at) = (Verdict::Ok, Vec::new(), 0, 0);
    let mut is_undeclared = false;
    for (done, (index, migration)) in chosen.iter().enumerate() {
        if scratch.context.migrator.stop().is_requested() {
            break;
        }
        let Some(rolled_back) = rollback::run(&mut ladder, tests, (*index, migration)).await? else { continue };
        looked_at += 1;
        losing += usize::from(!rolled_back.losses.is_empty());
        is_undeclared |= rolled_back.losses.iter().any(|(_, is_declared)| !is_declared);
        let (worse, more) = judged(migration, &rolled_back);
        losses.insert(migration.number, Losses { any: !rolled_back.losses.is_empty(), lines: more.clone() });
        if verdict != Verdict::Failed && worse != Verdict::Ok {
            verdict = worse;
        }
        lines.extend(more);
        scratch.context.terminal.reached(done + 1, chosen.len());
    }
    let head = match (chosen.len(), looked_at, losing) {
        (0, ..) if scratch.context.migrator.embedded().migrations.is_empty() => "there are no migrations".to_owned(),
        (0, ..) => "nothing new; `--data all` looks at every rollback".to_owned(),
        (_, 0, _) => "no new migration has a down block".to_owned(),
        (_, all, 0) => format!("{} lose{} nothing", count(all, "rollback"), if all == 1 { "s" } else { "" }),
        (_, all, some) => format!("{some} of {} lose{} data", count(all, "rollback"), if some == 1 { "s" } else { "" }),
    };
    if is_undeclared {
        lines.push(
            "help: where that is meant, say so in the down block: `-- migrate:loses <schema>.<table>.<column>`"
                .to_owned(),
        );
    }
    Ok((verdict, std::iter::once(head).chain(lines).collect()))
}

/// The verdict on one rollback, and its lines.
fn judged(migration: &Migration, rolled_back: &RolledBack) -> (Verdict, Vec<String>) {
    let label = migration.label();
    let (mut verdict, mut lines) = (Verdict::Ok, Vec::new());
    if let Some((error, is_known)) = &rolled_back.failed {
        verdict = Verdict::Mild;
        let rest = if *is_known {
            "fails with some rows that the schema takes"
        } else {
            "fails with rows in place: its losses are unknown"
        };
        lines.push(format!("rolling {label} back {rest}"));
        lines.extend(error_lines(error).into_iter().take_while(|line| !line.contains("= help")));
    }
    for is_declared in [false, true] {
        let losses: Vec<&Loss> =
            rolled_back.losses.iter().filter(|(_, is)| *is == is_declared).map(|(loss, _)| loss).collect();
        let suffix = if is_declared { ", as declared" } else { "" };
        lines.extend(sentences(&losses).iter().map(|sentence| format!("rolling {label} back {sentence}{suffix}")));
        if !is_declared && !losses.is_empty() {
            verdict = Verdict::Mild;
        }
    }
    for (table, reason) in &rolled_back.unfilled {
        lines.push(format!("{label}: no row could be made for {table}: {reason}"));
    }
    for declared in &rolled_back.kept {
        verdict = Verdict::Failed;
        let name = shown(&declared.object);
        lines.push(format!(
            "{}:{}: the rollback does not lose `{name}`: remove `-- migrate:loses`",
            migration.file, declared.line
        ));
    }
    (verdict, lines)
}

/// A name as it is written in SQL, where that needs no quotes.
fn shown(object: &[String]) -> String {
    let is_plain = |part: &str| {
        part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
            && !part.starts_with(|c: char| c.is_ascii_digit())
    };
    let part = |part: &String| if is_plain(part) { part.clone() } else { format!("\"{}\"", part.replace('"', "\"\"")) };
    object.iter().map(part).collect::<Vec<_>>().join(".")
}

/// What is lost in a sentence each, tables and columns together.
fn sentences(losses: &[&Loss]) -> Vec<String> {
    let mut sentences = Vec::new();
    for (what, noun) in [(What::Table, "table"), (What::Column, "column")] {
        for is_known in [true, false] {
            let of: Vec<&&Loss> =
                losses.iter().filter(|loss| loss.what == what && loss.rows.is_some() == is_known).collect();
            if of.is_empty() {
                continue;
            }
            // Several columns of a table are in the same rows.
            let mut rows: BTreeMap<&[String], usize> = BTreeMap::new();
            for loss in &of {
                let known = rows.entry(&loss.object[..2.min(loss.object.len())]).or_default();
                *known = (*known).max(loss.rows.unwrap_or(0));
            }
            let names: Vec<String> = of.iter().map(|loss| shown(&loss.object)).collect();
            let with = if is_known {
                format!("with {}", count(rows.values().sum(), "row"))
            } else {
                "for which no row could be made".to_owned()
            };
            sentences.push(format!("loses {} {with}: {}", count(of.len(), noun), list(&names)));
        }
    }
    for loss in losses {
        let (name, rows) = (shown(&loss.object), loss.rows.unwrap_or(0));
        sentences.push(match loss.what {
            What::Table | What::Column => continue,
            What::Rows(of) => format!("loses {rows} of {} of {name}", count(of, "row")),
            What::Values(of) => format!("changes {rows} of {} of {name}", count(of, "value")),
            What::Nulls(of) => format!("sets {rows} of {} of {name} to NULL", count(of, "value")),
            What::Label => format!("loses the value {name}, which {} had", count(rows, "row")),
            What::Sequence(position) => format!("loses the position {position} of the sequence {name}"),
            What::Position(from, Some(to)) => format!("sets the sequence {name} back from {from} to {to}"),
            What::Position(from, None) => format!("sets the sequence {name} back from {from} to its start"),
        });
    }
    sentences
}
