//! docs/evidence/diff.md.

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
    renamed: usize,
    wrong: usize,
    destructive: usize,
}

impl Counts {
    fn of<'a>(pairs: impl Iterator<Item = &'a Pair>) -> Counts {
        let mut counts = Counts::default();
        for pair in pairs {
            counts.pairs += 1;
            counts.seconds += pair.took.as_secs_f64();
            counts.losing += usize::from(pair.losses > 0);
            counts.renamed += usize::from(pair.renamed);
            counts.wrong += usize::from(pair.wrong);
            counts.destructive += usize::from(!pair.destroyed.is_empty());
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
            "| {name} | {} | {unchanged} | {} | {} | {} | {} | {} | {} | {} | {} | {:.2} |\n",
            self.pairs,
            share(self.up),
            share(self.down),
            self.reordered,
            share(self.refused),
            self.wrong,
            self.destructive,
            self.losing,
            self.renamed,
            self.seconds / self.pairs.max(1) as f64
        )
    }
}

/// The page, but for the other differs.
pub(crate) fn page(histories: &[History], circumstances: &str) -> String {
    let mut page = format!(
        "# The differ on public histories\n\n`cargo run --package migrator-tests --bin differ` has written this page; do not edit it.\n\n{circumstances}\n\n\
        Each history is applied version by version. Of every two schemas that follow each other the differ writes the files anew, up and down, \
        in the form that holds up no one; the migrator applies them to a copy of the older schema, with the rows that the history's own migrations have left there, \
        and rolls them back. The facts decide. A pair is exact up where the result has the newer schema's facts, and exact down where the rollback \
        restores the older one's, but for the order of columns. What is not exact in both directions is refused: `new --from-schema` names the facts that remain, and writes only a \
        `.partial` file. A pair is silently wrong where the facts call it exact and pg_dump shows another schema, whatever the order of its lines.\n\n\
        A pair is destructive without need where a table or a column that both schemas have by name, of whatever shape, and also if the server has no cast from the old type to the new one, is another one after going up, down and up again: \
        the server's numbers for it show that it was dropped and made anew. What is lost by need is named: a person has to say `--allow-drop`. In some of these pairs it may only have another name, \
        which `new` asks about; no one answers here.\n\n\
        | history | pairs | no change | exact up | exact down | of them with another order of columns | refused | silently wrong | destructive without need | name what they lose | of them perhaps renamed | s per pair |\n\
        |---|---|---|---|---|---|---|---|---|---|---|---|\n"
    );
    for history in histories {
        page.push_str(&Counts::of(history.pairs.iter()).row(history.of.name, history.unchanged));
    }
    let all = Counts::of(all(histories));
    page.push_str(&all.row("all", histories.iter().map(|history| history.unchanged).sum()));
    table(
        &mut page,
        "What is refused",
        "| history | migration | direction | why |\n|---|---|---|---|\n",
        histories,
        |pair| reasons_of(pair).into_iter().map(|(direction, why)| vec![direction.to_owned(), why]).collect(),
    );
    let head = "| history | migration | what |\n|---|---|---|\n";
    table(&mut page, "What is destructive without need", head, histories, |pair| match pair.destroyed.is_empty() {
        true => Vec::new(),
        false => vec![vec![pair.destroyed.join(", ")]],
    });
    page
}

/// Every pair.
fn all(histories: &[History]) -> impl Iterator<Item = &Pair> {
    histories.iter().flat_map(|history| &history.pairs)
}

/// A table of what is to be said of pairs; none where there is nothing to say.
fn table(page: &mut String, title: &str, head: &str, histories: &[History], said: impl Fn(&Pair) -> Vec<Vec<String>>) {
    let mut rows = String::new();
    for (history, pair) in histories.iter().flat_map(|history| history.pairs.iter().map(move |pair| (history, pair))) {
        for cells in said(pair) {
            let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
            let _ = writeln!(rows, "| {} | {} | {} |", history.of.name, pair.name, cells.join(" | "));
        }
    }
    if !rows.is_empty() {
        let _ = write!(page, "\n## {title}\n\n{head}{rows}");
    }
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

/// The title of what is measured by itself.
const BESIDE: &str = "\n## Other differs\n";

/// That part of a page; empty where there is none.
pub(crate) fn beside_of(page: &str) -> &str {
    page.find(BESIDE).and_then(|at| page.get(at..)).unwrap_or_default()
}

/// The page with that part in the place of its own.
pub(crate) fn with_beside(page: &str, beside: &str) -> String {
    let end = page.find(BESIDE).unwrap_or(page.len());
    format!("{}{beside}", page.get(..end).unwrap_or(page))
}

/// The other differs on the same pairs, after our own.
pub(crate) fn beside(histories: &[History], peers: &[Peer], circumstances: &str) -> String {
    let count = all(histories).count();
    let mut text = format!(
        "{BESIDE}\n`cargo run --package migrator-tests --bin differ -- --peers` has written this part. {circumstances}\n\nEvery fortieth step, {count} pairs that differ, the same for all of them, in both \
        directions, on copies of the same databases, with the same judge.\n\n\
        | differ | how | exact, up | exact, down | silently wrong, up | silently wrong, down | failed, up | failed, down | destructive without need, up | destructive without need, down | s per pair |\n\
        |---|---|---|---|---|---|---|---|---|---|---|\n{}",
        ours(all(histories), count)
    );
    for (place, peer) in peers.iter().enumerate() {
        text.push_str(&row(peer, all(histories), place));
    }
    text.push_str(
        "\n*Silently wrong*: everything succeeded, and the schema is another one; of ours, that pg_dump shows another one. *Failed*: it refuses or fails, or its statements do. \
        *Destructive without need*, of what has not failed: as above. Ours is counted for both directions at once there.\n",
    );
    text
}

fn share(count: usize, all: usize) -> String {
    format!("{count} ({:.1} %)", 100.0 * count as f64 / all.max(1) as f64)
}

fn ours<'a>(pairs: impl Iterator<Item = &'a Pair>, count: usize) -> String {
    let Counts { up, down, wrong, destructive, seconds, .. } = Counts::of(pairs);
    format!(
        "| migrator | `new --from-schema` | {} | {} | {wrong} | {wrong} | {} | {} | {destructive} | {destructive} | {:.2} |\n",
        share(up, count),
        share(down, count),
        count - up,
        count - down,
        seconds / count.max(1) as f64
    )
}

fn row<'a>(peer: &Peer, pairs: impl Iterator<Item = &'a Pair>, place: usize) -> String {
    let outcomes: Vec<_> = pairs.filter_map(|pair| pair.peers.get(place)).collect();
    let seconds: f64 = outcomes.iter().map(|outcome| outcome.took.as_secs_f64()).sum();
    let mut row = format!("| {} | {} ", peer.label(), peer.how);
    for end in [End::Exact, End::Wrong, End::Failed] {
        for way in 0..2 {
            let count = outcomes.iter().filter(|outcome| outcome.ends[way] == end).count();
            let _ = write!(row, "| {} ", share(count, outcomes.len()));
        }
    }
    for way in 0..2 {
        let _ = write!(row, "| {} ", outcomes.iter().filter(|outcome| outcome.destroys[way]).count());
    }
    let _ = writeln!(row, "| {:.2} |", seconds / outcomes.len().max(1) as f64);
    row
}
