//! docs/evidence/speed.md, from the figures.

mod losses;

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::acceptance::{self, Parts};
use crate::chart;
use crate::figures::Figures;
use crate::stats::{median, short, spread};
use crate::workspace::repository;

/// Writes the page and the chart beside it.
pub(crate) fn write(parts: &[Figures]) -> Result<PathBuf> {
    let folder = repository().join("docs/evidence");
    fs::create_dir_all(&folder)?;
    let path = folder.join("speed.md");
    fs::write(folder.join("speed.svg"), chart::svg(&Parts(parts))).context("speed.svg")?;
    fs::write(&path, text(parts)).with_context(|| path.display().to_string())?;
    Ok(path)
}

/// What each part asks, in the order of the page.
const QUESTIONS: [(&str, &str, &str); 10] = [
    (
        "many",
        "Many migrations from zero",
        "Every run in a new database; what takes longer than 20 s is measured once; the ratios to the floor are of more rounds, in which only the two take turns; `client CPU` is the tool's, `server CPU` that of all the server's processes.",
    ),
    (
        "noop",
        "Nothing to do",
        "The same program once more, with everything applied. The history has been vacuumed, as autovacuum does.",
    ),
    (
        "counts",
        "Round trips, connections, bytes, flushes",
        "Counted in a proxy on a socket, without a password and TLS. A round trip: the client sends something that is answered when all that it had sent before was answered. By TCP, most tools ask for TLS first: one more for each connection. `flushes`: how often the server made its log durable.",
    ),
    (
        "delay",
        "A server that is far away",
        "A proxy holds back what goes to the server, so that each round trip takes so much longer; the beginning of a TCP connection, one more round trip on a real line, is not held back. With TLS, round trips are how often the client sent something after the server had. No round warms up; what takes a peer long was run once.",
    ),
    (
        "plain",
        "One long file without a transaction",
        "2,300 x (table + index) in one file that says `transaction:false`. psql, sqlx and diesel record none of its statements, dbmate sends it as one message, which the server runs as one transaction.",
    ),
    (
        "histories",
        "Real histories from zero",
        "Migrations of public projects, the same files for both tools, imported by `cargo xtask import` where they were another tool's. The two are compared round by round: the median of the ratios, and in what range that of all such rounds is with 95 % certainty.",
    ),
    (
        "fence",
        "A server on which others hold locks",
        "10,000 tiny migrations, while another session holds 2,000 locks, and while none does.",
    ),
    (
        "library",
        "The libraries, without a database",
        "Medians of criterion over 100, 1,000 and 10,000 migrations (`cargo bench -p migrator-tests --bench library`).",
    ),
    (
        "builds",
        "Where a developer waits for a build",
        "Cold: a clone of the commit with an empty target directory. A changed file: a comment more at its end.",
    ),
    (
        "objects",
        "Proofs over 1,000 and 10,000 objects",
        "Migrations of a table with an index each, with programs that are not optimised: what counts is the growth.",
    ),
];

/// The page.
pub(crate) fn text(parts: &[Figures]) -> String {
    let mut page = "# Speed\n\n`cargo xtask bench` has written this page; do not edit it. *us* is the release migrator with the migrations \
                    embedded. *floor* is a bare pipelined client (`tests/src/bin/floor.rs`) that only runs the SQL, checks that the one before is recorded, and writes one history row \
                    for each migration, all but the last commit asynchronous: in the extended protocol with one Sync at its end, and as simple \
                    queries. It takes no lock, resets nothing, verifies nothing. *psql* runs one file with all statements, and keeps no history.\n\n\
                    Tools take turns, in an order that rotates, after a round that warms up. Figures are medians, smallest and largest in \
                    parentheses. The server is durable (`fsync` and `synchronous_commit` on), without autovacuum, on the same machine.\n\n\
                    ![Seconds for the same migrations](speed.svg)\n"
        .to_owned();
    circumstances(&mut page, parts);
    busy(&mut page, parts);
    let pace = short(Parts(parts).pace());
    let _ = write!(
        page,
        "\n## What was promised\n\nThe promises were made on a machine on which the floor took .35 s for 10,000 tiny migrations. \
         Here it takes at least {pace} times as long: what the processor does alone may take so much longer, or has to be so much quicker.\n\n\
         | | wanted | measured | |\n|---|---|---|---|\n"
    );
    for line in acceptance::lines(&Parts(parts)) {
        let (figure, met) = match &line.outcome {
            Some((figure, is_met)) => (figure.as_str(), if *is_met { "met" } else { "**not met**" }),
            None => ("not measured here", ""),
        };
        let _ = writeln!(page, "| {} | {} | {figure} | {met} |", line.what, line.wanted);
    }
    losses::write(&mut page, parts);
    for (name, title, question) in QUESTIONS {
        if let Some(part) = parts.iter().find(|part| part.part == name) {
            let _ = write!(page, "\n## {title}\n\n{question}\n");
            tables(&mut page, part);
            absent(&mut page, part);
        }
    }
    page
}

fn circumstances(page: &mut String, parts: &[Figures]) {
    let mut said: Vec<&str> = Vec::new();
    for part in parts {
        for line in std::iter::once(&part.stamp.machine).chain(&part.stamp.versions) {
            if !line.is_empty() && !said.contains(&line.as_str()) {
                said.push(line);
            }
        }
    }
    let _ = write!(page, "\n## Machine and versions\n\n");
    for line in said {
        let _ = writeln!(page, "- {line}");
    }
    page.push_str("\n| part | commit | date | load before | command |\n|---|---|---|---|---|\n");
    for part in parts {
        let stamp = &part.stamp;
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} | `{}` |",
            part.part,
            stamp.commit,
            stamp.date,
            short(stamp.load),
            stamp.command
        );
    }
}

/// A machine that others use gives counts that hold, and times that do not.
const BUSY: f64 = 1.0;

fn busy(page: &mut String, parts: &[Figures]) {
    let busy: Vec<&str> = parts.iter().filter(|part| part.stamp.load > BUSY).map(|part| part.part.as_str()).collect();
    if !busy.is_empty() {
        let _ = write!(
            page,
            "\n**The machine was busy** when these parts began: {}. Their counts hold; their times and whether a promise on a time \
             was met have to be measured again on a quiet one.\n",
            busy.join(", ")
        );
    }
}

/// For each metric the cases, by tool.
fn tables(page: &mut String, part: &Figures) {
    let mut metrics: Vec<&str> = Vec::new();
    for figure in &part.figures {
        if !metrics.contains(&figure.metric.as_str()) {
            metrics.push(&figure.metric);
        }
    }
    for metric in metrics {
        let has = |case: &str, tool: &str| part.series(case, tool, metric).is_some();
        let tools: Vec<&str> =
            part.tools().into_iter().filter(|tool| part.cases().iter().any(|case| has(case, tool))).collect();
        let _ = write!(page, "\n| {metric} | {} |\n|---|{}\n", tools.join(" | "), "---|".repeat(tools.len()));
        for case in part.cases().into_iter().filter(|case| tools.iter().any(|tool| has(case, tool))) {
            let cells = tools.iter().map(|tool| part.series(case, tool, metric).map_or_else(String::new, cell));
            let _ = writeln!(page, "| {case} | {} |", cells.collect::<Vec<_>>().join(" | "));
        }
    }
}

/// Median and spread.
fn cell(samples: &[f64]) -> String {
    let (Some(middle), Some((smallest, largest))) = (median(samples), spread(samples)) else { return String::new() };
    match samples.len() {
        1 => short(middle),
        _ if short(smallest) == short(largest) => short(middle),
        _ => format!("{} ({} to {})", short(middle), short(smallest), short(largest)),
    }
}

fn absent(page: &mut String, part: &Figures) {
    let mut groups: Vec<(&str, &str, Vec<&str>)> = Vec::new();
    for absent in &part.absent {
        match groups.iter_mut().find(|group| group.0 == absent.tool && group.1 == absent.reason) {
            Some(group) => group.2.push(&absent.case),
            None => groups.push((&absent.tool, &absent.reason, vec![&absent.case])),
        }
    }
    if !groups.is_empty() {
        page.push_str("\nNot measured:\n\n");
    }
    for (tool, reason, cases) in groups {
        let _ = writeln!(page, "- {tool} ({}): {}", cases.join("; "), reason.replace(['\n', '|'], " "));
    }
}

#[cfg(test)]
mod tests;
