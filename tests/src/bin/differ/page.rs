//! docs/evidence/diff.md.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use migrator_xtask::author::diff::Reached;

use crate::peers::{End, Peer};
use crate::{History, Pair};

/// Counts of a history.
#[derive(Default)]
struct Counts {
    pairs: usize,
    up: usize,
    down: usize,
    reordered: usize,
    refused: usize,
    seconds: f64,
    losing: usize,
    wrong: usize,
}

impl Counts {
    fn of<'a>(pairs: impl Iterator<Item = &'a Pair>) -> Counts {
        let mut counts = Counts::default();
        for pair in pairs {
            counts.pairs += 1;
            counts.seconds += pair.took.as_secs_f64();
            counts.losing += usize::from(pair.losses > 0);
            counts.wrong += usize::from(pair.wrong);
            let Ok(proof) = &pair.proof else {
                counts.refused += 1;
                continue;
            };
            counts.up += usize::from(proof.up.is_same());
            counts.down += usize::from(proof.down.is_same());
            counts.reordered += usize::from(matches!(proof.down, Reached::Same(false)));
            counts.refused += usize::from(!(proof.up.is_same() && proof.down.is_same()));
        }
        counts
    }

    fn row(&self, name: &str, unchanged: usize) -> String {
        let share = |count: usize| format!("{count} ({:.1} %)", 100.0 * count as f64 / self.pairs.max(1) as f64);
        format!(
            "| {name} | {} | {unchanged} | {} | {} | {} | {} | {} | {} | {:.2} |\n",
            self.pairs,
            share(self.up),
            share(self.down),
            self.reordered,
            share(self.refused),
            self.wrong,
            self.losing,
            self.seconds / self.pairs.max(1) as f64
        )
    }
}

/// The page.
pub(crate) fn page(histories: &[History], peers: &[Peer]) -> String {
    let mut page = "# The differ on public histories\n\n`cargo run --package migrator-tests --bin differ` has written this page; do not edit it.\n\n\
        Each history is applied version by version. Of every two schemas that follow each other the differ writes the files anew, up and down, \
        in the form that holds up no one; the migrator applies them to a copy of the older schema, with the rows that the history's own migrations have left there, \
        and rolls them back. The facts decide. A pair is exact up where the result has the newer schema's facts, and exact down where the rollback \
        restores the older one's, but for the order of columns. What is not exact in both directions is refused: `new --from-schema` names the facts that remain, and writes only a \
        `.partial` file. A pair is silently wrong where the facts call it exact and pg_dump shows another schema, whatever the order of its lines.\n\n\
        | history | pairs | no change | exact up | exact down | of them with another order of columns | refused | silently wrong | name what they lose | s per pair |\n\
        |---|---|---|---|---|---|---|---|---|---|\n"
        .to_owned();
    for history in histories {
        page.push_str(&Counts::of(history.pairs.iter()).row(history.name, history.unchanged));
    }
    let all = Counts::of(histories.iter().flat_map(|history| &history.pairs));
    page.push_str(&all.row("all", histories.iter().map(|history| history.unchanged).sum()));
    page.push_str(&beside(histories, peers));
    page.push_str("\n## What is refused\n\n| history | migration | direction | why |\n|---|---|---|---|\n");
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for (history, pair) in histories.iter().flat_map(|history| history.pairs.iter().map(move |pair| (history, pair))) {
        for (direction, why) in reasons_of(pair) {
            *reasons.entry(direction).or_default() += 1;
            let _ = writeln!(page, "| {} | {} | {direction} | {} |", history.name, pair.name, why.replace('|', "\\|"));
        }
    }
    page
}

/// Why a pair is refused, a line for each direction.
fn reasons_of(pair: &Pair) -> Vec<(&'static str, String)> {
    let why = |reached: &Reached| match reached {
        Reached::Same(_) | Reached::Untried => None,
        Reached::Failed(error) => {
            Some(error.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned())
        }
        Reached::Other(differences) => {
            let names = differences.iter().take(3).map(|one| format!("{} {} {}", one.kind, one.object, one.part));
            Some(format!("remains: {}", names.collect::<Vec<_>>().join(", ")))
        }
    };
    match &pair.proof {
        Err(error) => vec![("both", error.lines().next().unwrap_or_default().to_owned())],
        Ok(proof) => [("up", why(&proof.up)), ("down", why(&proof.down))]
            .into_iter()
            .filter_map(|(at, why)| Some((at, why?)))
            .collect(),
    }
}

/// The other differs on the same pairs.
fn beside(histories: &[History], peers: &[Peer]) -> String {
    if peers.is_empty() {
        return String::new();
    }
    let mut text = "\n## Other differs\n\nOn the same pairs, in both directions, on copies of the same databases, judged by the same facts. *migra* compares two databases \
        (`--unsafe --with-privileges`), and psql runs what it prints; *pgmold* makes a database as pg_dump's definitions of the other one say \
        (`apply --allow-destructive`). *Silently wrong*: everything succeeded, and the schema is another one. *Failed*: the tool refuses or fails, or its statements do.\n\n\
        | differ | history | exact up | exact down | silently wrong, up | silently wrong, down | failed, up | failed, down | s per pair |\n|---|---|---|---|---|---|---|---|---|\n"
        .to_owned();
    for (place, peer) in peers.iter().enumerate() {
        let all = histories.iter().flat_map(|history| &history.pairs);
        for history in histories {
            text.push_str(&row(peer, history.name, history.pairs.iter(), place));
        }
        text.push_str(&row(peer, "all", all, place));
    }
    text
}

fn row<'a>(peer: &Peer, name: &str, pairs: impl Iterator<Item = &'a Pair>, place: usize) -> String {
    let outcomes: Vec<_> = pairs.filter_map(|pair| pair.peers.get(place)).collect();
    let share = |end: End, is_up: bool| {
        let count =
            outcomes.iter().filter(|outcome| if is_up { outcome.up == end } else { outcome.down == end }).count();
        format!("{count} ({:.1} %)", 100.0 * count as f64 / outcomes.len().max(1) as f64)
    };
    let seconds: f64 = outcomes.iter().map(|outcome| outcome.took.as_secs_f64()).sum();
    let mut row = format!("| {} | {name} ", peer.label());
    for end in [End::Exact, End::Wrong, End::Failed] {
        let _ = write!(row, "| {} | {} ", share(end, true), share(end, false));
    }
    let _ = writeln!(row, "| {:.2} |", seconds / outcomes.len().max(1) as f64);
    row
}
