//! The tables that make others wait, each with its indexes.

use std::collections::BTreeMap;
use std::time::Duration;

use maud::{Markup, html};

use super::content::{Page, Part};
use super::steps::badge;
use super::timeline::{folded, held};
use crate::prove::trace::Waits;
use migrator_engine::words;
use migrator_sql::LockMode;

/// What one table suffers in all of the steps.
#[derive(Default)]
struct Suffered {
    strongest: Option<LockMode>,
    time: Duration,
    /// The places of the steps.
    by: Vec<usize>,
    indexes: BTreeMap<String, LockMode>,
}

/// A table of every relation for which what is new makes others wait, the longest wait first.
pub(super) fn section(page: &Page<'_>) -> Markup {
    let mut tables: BTreeMap<String, Suffered> = BTreeMap::new();
    for (index, step) in page.steps.iter().enumerate().filter(|(_, step)| step.part == Part::New) {
        for held in step.trace.map(held).unwrap_or_default() {
            let table = tables.entry(held.relation.to_owned()).or_default();
            table.strongest = table.strongest.max(Some(held.mode));
            table.time += held.time;
            table.by.push(index);
            for (name, mode) in held.indexes {
                let known = table.indexes.entry(name.to_owned()).or_insert(mode);
                *known = mode.max(*known);
            }
        }
    }
    let mut tables: Vec<_> = tables.into_iter().collect();
    let waits = |suffered: &Suffered| suffered.strongest.map_or(Waits::Nobody, Waits::of);
    tables.sort_by_key(|(_, suffered)| std::cmp::Reverse((waits(suffered), suffered.time)));
    html! {
        section aria-labelledby="relations" {
            h2 id="relations" { "Locks on existing relations" }
            @if page.steps.iter().all(|step| step.trace.is_none()) {
                p.empty { "No statement was traced." }
            } @else if tables.is_empty() {
                p.empty { "No statement makes others wait for an existing relation." }
            } @else {
                div.scroll tabindex="0" {
                    table.stacked {
                        thead { tr {
                            th scope="col" { "Relation" } th scope="col" { "Strongest lock" } th scope="col" { "Who waits" }
                            th.number scope="col" { "Held" } th scope="col" { "By" }
                        } }
                        tbody { @for (relation, suffered) in &tables { (row(page, relation, suffered)) } }
                    }
                }
            }
        }
    }
}

fn row(page: &Page<'_>, relation: &str, suffered: &Suffered) -> Markup {
    let Suffered { strongest, time, by, indexes } = suffered;
    html! {
        tr {
            th scope="row" {
                code { (relation) }
                @if let Some(size) = page.sizes.get(relation) { span.size { (size) } }
                (folded(indexes.iter().map(|(name, mode)| (name.as_str(), *mode))))
            }
            td data-label="Strongest lock" { @if let Some(mode) = strongest { (mode.pg_locks_name()) } }
            td data-label="Who waits" { @if let Some(mode) = strongest { (badge(Waits::of(*mode))) } }
            td.number data-label="Held" { (words::precise(*time)) }
            td.by data-label="By" { @for step in by { a.step href={ "#step-" (step) } { (page.steps[*step].label) } " " } }
        }
    }
}
