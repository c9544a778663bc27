//! The report as one self-contained HTML page: verdicts, plan, a timeline of the locks for each migration, the SQL.
//!
//! Pure. Everything that comes from a file or a server is escaped by the templates; the page loads nothing, and its own policy
//! forbids it to.

mod content;
mod release;
mod timeline;

use std::collections::BTreeMap;
use std::time::Duration;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use migrator_diagnostic::printable;

use crate::prove::forecast;
use crate::prove::trace::{Effect, Statement, Waits};
use content::class;
pub(crate) use content::{Mark, Page, Release, RolledBack, Step, Verdict};
use migrator_engine::embedded::Migration;
use migrator_engine::words;
use migrator_sql::LockMode;

/// Of more migrations than these only the ones with a broken promise are shown unfolded.
const UNFOLDED: usize = 25;

const STYLE: &str = include_str!("page/style.css");
const SCRIPT: &str = include_str!("page/script.js");
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:";

/// What is to be said of everything that is seen on a database without data.
pub(crate) const WITHOUT_DATA: &str = "with real data, the same locks are held longer";

impl Mark {
    fn badge(self, word: &str) -> Markup {
        let class = match self {
            Mark::Good => "good",
            Mark::Note => "note",
            Mark::Bad => "bad",
            Mark::None => "none",
        };
        html! { span class={ "badge " (class) } { (word) } }
    }
}

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
                        dl { @for (name, value) in &self.about { div { dt { (name) } dd { (value) } } } }
                    }
                    main {
                        @if !self.verdicts.is_empty() { (self.verdicts()) }
                        @if let Some(release) = &self.release { (release::section(release)) }
                        @if self.steps.is_empty() {
                            p.empty { @if self.verdicts.is_empty() { "There is nothing to apply." } @else { "There are no migrations." } }
                        } @else {
                            (self.plan())
                            (self.relations())
                            (self.details())
                        }
                    }
                    script { (PreEscaped(SCRIPT)) }
                }
            }
        };
        // What HTML lets through can still reverse what is read.
        printable::text(&page.into_string()).into_owned()
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
                                (text(&verdict.lines))
                            }
                        }
                    }
                }
            }
        }
    }

    fn plan(&self) -> Markup {
        html! {
            section aria-labelledby="plan" {
                h2 id="plan" { @if self.verdicts.is_empty() { "Plan" } @else { "Migrations" } }
                p.filter hidden {
                    label { "Find " input type="search" id="find" placeholder="a migration, a table, SQL"; }
                    label { input type="checkbox" id="waiting"; " only where others wait" }
                    output id="shown" {}
                }
                div.scroll tabindex="0" {
                    table.plan {
                        thead { tr {
                            th scope="col" { "Migration" } th scope="col" { "Who waits" } th scope="col" { "Work under locks" }
                            th.number scope="col" { "Statements" } th.number scope="col" { "Time" }
                            @if self.steps.iter().any(|step| step.rollback.is_some()) { th scope="col" { "Rollback" } }
                        } }
                        tbody {
                            @for (index, step) in self.steps.iter().enumerate() {
                                tr data-step=(index) { (self.row(index, step)) }
                            }
                        }
                    }
                }
            }
        }
    }

    fn row(&self, index: usize, step: &Step<'_>) -> Markup {
        let effects = || step.statements().iter().flat_map(|statement| &statement.effects);
        let count = |of: &dyn Fn(&Effect) -> bool| effects().filter(|effect| of(effect)).count();
        let rewritten = count(&|effect| effect.rewritten);
        let scanned = count(&|effect| effect.scanned && effect.waits() > Waits::Nobody);
        html! {
            th scope="row" { a href={ "#step-" (index) } { (step.label) } }
            td { (step.badge()) }
            td {
                @if rewritten > 0 { span.work { (rewritten) " rewritten" } }
                @if scanned > 0 { span.work { (scanned) " scanned" } }
            }
            td.number { (step.statements().len()) }
            td.number { (words::precise(step.time())) }
            @if let Some(way) = &step.rollback { td { (way.mark.badge(way.what)) } }
        }
    }

    /// Every relation that makes others wait, the longest wait first.
    fn relations(&self) -> Markup {
        let mut held: BTreeMap<&str, (LockMode, Duration, Vec<usize>)> = BTreeMap::new();
        for (index, step) in self.steps.iter().enumerate() {
            for (relation, mode, time) in step.trace.map(timeline::held).unwrap_or_default() {
                let (strongest, sum, by) = held.entry(relation).or_insert((mode, Duration::ZERO, Vec::new()));
                *strongest = mode.max(*strongest);
                *sum += time;
                by.push(index);
            }
        }
        let mut held: Vec<_> = held.into_iter().collect();
        held.sort_by_key(|(_, (mode, time, _))| std::cmp::Reverse((Waits::of(*mode), *time)));
        html! {
            section aria-labelledby="relations" {
                h2 id="relations" { "Locks on existing relations" }
                @if self.steps.iter().all(|step| step.trace.is_none()) {
                    p.empty { "No statement was traced." }
                } @else if held.is_empty() {
                    p.empty { "No statement makes others wait for an existing relation." }
                } @else {
                    div.scroll tabindex="0" {
                        table {
                            thead { tr {
                                th scope="col" { "Relation" } th scope="col" { "Strongest lock" } th scope="col" { "Who waits" }
                                th.number scope="col" { "Held" } th scope="col" { "By" }
                            } }
                            tbody {
                                @for (relation, (mode, time, steps)) in &held {
                                    tr {
                                        th scope="row" { code { (relation) } }
                                        td { (mode.pg_locks_name()) }
                                        td { (badge(Waits::of(*mode))) }
                                        td.number { (words::precise(*time)) }
                                        td.by { @for step in steps { a.step href={ "#step-" (step) } { (self.steps[*step].label) } " " } }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    fn details(&self) -> Markup {
        let few = self.steps.len() <= UNFOLDED;
        html! {
            section aria-labelledby="details" {
                h2 id="details" { "Statement by statement" }
                @for (index, step) in self.steps.iter().enumerate() {
                    details.step id={ "step-" (index) } open[step.needs_eyes(few)] data-waits=(class(step.waits())) {
                        summary {
                            h3 { (step.label) }
                            (step.badge())
                            span.time { (step.how) }
                        }
                        p.file { code { (step.file) } }
                        @if let Some(way) = &step.rollback {
                            div.way-back {
                                "Rollback: " (way.mark.badge(way.what))
                                @if !way.lines.is_empty() { pre tabindex="0" { (way.lines.join("\n")) } }
                            }
                        }
                        @if let Some(trace) = step.trace { (timeline::timeline(trace, step.forecast)) }
                        @if let Some(forecast) = step.forecast { (self::forecast(forecast)) }
                        ol.statements { @for statement in step.statements() { (self::statement(statement)) } }
                    }
                }
            }
        }
    }
}

impl Step<'_> {
    fn statements(&self) -> &[Statement] {
        self.trace.map_or(&[], |trace| &trace.statements)
    }

    fn badge(&self) -> Markup {
        match self.trace {
            Some(_) => badge(self.waits()),
            None => html! { span.badge { "not traced" } },
        }
    }

    fn waits(&self) -> Waits {
        self.statements().iter().map(Statement::waits).max().unwrap_or(Waits::Nobody)
    }

    fn time(&self) -> Duration {
        self.statements().iter().map(|statement| statement.took).sum()
    }

    /// `few`: there is room for more than what is broken.
    fn needs_eyes(&self, few: bool) -> bool {
        few && self.waits() > Waits::Nobody || self.rollback.as_ref().is_some_and(|way| way.mark == Mark::Bad)
    }
}

/// How a migration is run.
pub(crate) fn how(migration: &Migration) -> String {
    if migration.up.options.transaction { "in one transaction".to_owned() } else { "outside a transaction".to_owned() }
}

fn statement(statement: &Statement) -> Markup {
    let seen = statement.effects.iter().filter(|effect| effect.is_shown());
    html! {
        li value=(statement.number) {
            p.place { "line " (statement.line) span.time { (words::precise(statement.took)) }
                @if statement.polled { span.time { "cannot run in a transaction: its locks were polled from another session, which can miss short ones" } }
            }
            pre tabindex="0" { code { (statement.sql) } }
            ul.effects { @for effect in seen { li class=(class(effect.waits())) { (effect.words()) } } }
        }
    }
}

/// Who waits and how long, with real data.
fn forecast(forecast: &forecast::Step) -> Markup {
    let lines = forecast.lines();
    html! {
        @if !lines.is_empty() {
            div.forecast { "Forecast with real data" ul.effects { @for line in &lines { li { (line) } } } }
        }
    }
}

/// The first line as a sentence, the others as they are.
fn text(lines: &[String]) -> Markup {
    html! {
        @if let Some((first, rest)) = lines.split_first() {
            p { (first) }
            @if !rest.is_empty() {
                details { summary { (rest.len()) " more lines" } pre tabindex="0" { (rest.join("\n")) } }
            }
        }
    }
}

fn badge(waits: Waits) -> Markup {
    html! { span class={ "badge " (class(waits)) } { (waits.words()) } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prove::trace::Trace;

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
            trace: Some(&trace),
            forecast: None,
            rollback: Some(RolledBack { mark: Mark::Bad, what: "<first>", lines }),
        }];
        let about = vec![("database", "<db>".to_owned())];
        let page = Page { title: "<title>", about, verdicts: vec![verdict], release: None, steps }.render();
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
        let page = Page { title: "t", about: vec![], verdicts: vec![], release: None, steps: vec![] }.render();
        for text in ["http://", "https://", "src=", "@import", "url("] {
            assert!(!page.contains(text), "{text} in {page}");
        }
        assert!(page.contains("There is nothing to apply."));
    }
}
