//! The report as one self-contained HTML page: verdicts, what is new, a timeline of the locks for each migration, the SQL.
//!
//! Pure. Everything that comes from a file or a server is escaped by the templates; the page loads nothing, and its own policy
//! forbids it to.

mod content;
mod relations;
mod release;
mod review;
mod sql;
mod steps;
mod timeline;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use migrator_diagnostic::printable;

pub(crate) use crate::prove::review::how;
use content::{Mark, Verdict};
pub(crate) use content::{Page, Part, Release, Step, sizes};
use migrator_engine::words;

const STYLE: &str = include_str!("page/style.css");
const SCRIPT: &str = include_str!("page/script.js");
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:";

/// What is to be said of everything that is seen on a database without data.
pub(crate) const WITHOUT_DATA: &str = "with real data, the same locks are held longer";

impl Page<'_> {
    /// The whole file.
    pub(crate) fn render(&self) -> String {
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta http-equiv="Content-Security-Policy" content=(POLICY);
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    link rel="icon" href="data:,";
                    title { (self.title) }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    header {
                        h1 { (self.title) }
                        @if let Some(headline) = &self.headline { p.headline { (headline) } }
                        dl { @for (name, value) in &self.about { div { dt { (name) } dd { (value) } } } }
                    }
                    main { (self.main()) }
                    script { (PreEscaped(SCRIPT)) }
                }
            }
        };
        // What HTML lets through can still reverse what is read.
        printable::text(&page.into_string()).into_owned()
    }

    fn main(&self) -> Markup {
        html! {
            (self.banner())
            @if self.steps.is_empty() {
                p.empty { @if self.verdicts.is_empty() { "There is nothing to apply." } @else { "There are no migrations." } }
            } @else {
                p.filter hidden {
                    label { "Find " input type="search" id="find" placeholder="a migration, a table, SQL"; }
                    label { input type="checkbox" id="waiting"; " only where others wait" }
                    output id="shown" {}
                }
                (self.whats_new())
                (relations::section(self))
            }
            @if let Some(release) = &self.release { (release::section(release)) }
            @if !self.verdicts.is_empty() { (self.verdicts()) }
            (self.history())
        }
    }

    /// What is broken, before everything else.
    fn banner(&self) -> Markup {
        let failed: Vec<&Verdict> = self.verdicts.iter().filter(|verdict| verdict.mark == Mark::Bad).collect();
        html! {
            @if !failed.is_empty() {
                section.banner role="alert" {
                    @for verdict in failed {
                        div {
                            (verdict.mark.badge(verdict.word)) " " strong { (verdict.name) }
                            (text(&verdict.lines, true))
                        }
                    }
                }
            }
        }
    }

    fn whats_new(&self) -> Markup {
        let is_empty = !self.steps.iter().any(|step| step.part == Part::New);
        html! {
            section aria-labelledby="new" {
                h2 id="new" { @if self.verdicts.is_empty() { "Plan" } @else { "New in this branch" } }
                @if is_empty {
                    p.empty { "No migration is new." }
                } @else {
                    (steps::table(self, Part::New))
                    (steps::details(self, Part::New))
                }
                (review::repeatables(self.repeatables))
            }
        }
    }

    fn history(&self) -> Markup {
        let count = self.steps.iter().filter(|step| step.part == Part::History).count();
        html! {
            @if count > 0 {
                section aria-labelledby="history" {
                    details.history {
                        summary { h2 id="history" { "History: " (words::count(count, "migration")) } }
                        (steps::table(self, Part::History))
                        (steps::details(self, Part::History))
                    }
                }
            }
        }
    }

    fn verdicts(&self) -> Markup {
        html! {
            section aria-labelledby="verdicts" {
                h2 id="verdicts" { "Verdicts" }
                ul.verdicts {
                    @for verdict in &self.verdicts {
                        li {
                            (verdict.mark.badge(verdict.word))
                            div {
                                strong { (verdict.name) }
                                span.time { (words::duration(verdict.time)) }
                                (text(&verdict.lines, false))
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The first line as a sentence, the others as they are.
fn text(lines: &[String], open: bool) -> Markup {
    html! {
        @if let Some((first, rest)) = lines.split_first() {
            p { (first) }
            @if !rest.is_empty() {
                details open[open] { summary { (words::count(rest.len(), "more line")) } pre tabindex="0" { (rest.join("\n")) } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::prove::review::RolledBack;
    use crate::prove::trace::{Effect, Statement, Trace};
    use migrator_sql::LockMode;

    fn trace(sql: &'static str) -> Trace {
        let effect = |relation: &str, lock| {
            let mut effect = Effect::lock(relation.to_owned(), lock);
            (effect.scanned, effect.validated) = (true, vec!["<b>".to_owned()]);
            effect
        };
        let effects = vec![effect("\"<i>\"", LockMode::AccessExclusive), effect("quiet", LockMode::RowExclusive)];
        let took = Duration::from_micros(400);
        let statement =
            Statement { number: 1, line: 2, sql, took, transaction: 1, polled: false, effects, certain: Vec::new() };
        Trace {
            label: "002_a&b".to_owned(),
            file: "db/migrations/002_a&b.sql",
            statements: vec![statement],
            new_relations: Default::default(),
            tables: Default::default(),
        }
    }

    fn empty(title: &str) -> Page<'_> {
        Page {
            title,
            headline: None,
            about: Vec::new(),
            verdicts: Vec::new(),
            release: None,
            steps: Vec::new(),
            repeatables: &[],
            sizes: Default::default(),
        }
    }

    #[test]
    fn what_files_and_servers_say_is_text_and_never_markup() {
        let trace = trace("SELECT '</code><script>alert(1)</script>' /* & */");
        let lines = vec!["<first>".to_owned(), "<second>".to_owned()];
        let verdict =
            Verdict { name: "round trip", mark: Mark::Bad, word: "FAILED", lines: lines.clone(), time: Duration::ZERO };
        let steps = vec![Step {
            label: trace.label.clone(),
            file: trace.file,
            how: "<how>".to_owned(),
            part: Part::New,
            review: None,
            trace: Some(&trace),
            forecast: None,
            rollback: Some(RolledBack { mark: Mark::Bad, what: "<first>", lines }),
        }];
        let about = vec![("database", "<db>".to_owned())];
        let page = Page { about, verdicts: vec![verdict], steps, ..empty("<title>") }.render();
        for text in [
            "<script>alert",
            "<first>",
            "<second>",
            "<how>",
            "<db>",
            "<title><",
            "\"<i>\"",
            "validates <b>",
            "002_a&b<",
        ] {
            assert!(!page.contains(text), "{text} in {page}");
        }
        for text in ["&lt;/code&gt;&lt;script&gt;alert(1)&lt;/script&gt;", "&lt;second&gt;", "002_a&amp;b", "0.4 ms"] {
            assert!(page.contains(text), "{text} not in {page}");
        }
    }

    #[test]
    fn the_page_names_no_other_place() {
        let page = empty("t").render();
        for text in ["http://", "https://", "src=", "@import", "url("] {
            assert!(!page.contains(text), "{text} in {page}");
        }
        assert!(page.contains("There is nothing to apply."));
    }
}
