//! The migrations: one line each in a table, and statement by statement.

use std::time::Duration;

use maud::{Markup, html};

use super::content::{Mark, Page, Part, Step, class};
use super::review;
use super::sql::highlighted;
use super::timeline::timeline;
use crate::prove::forecast;
use crate::prove::trace::{Effect, Statement, Waits};
use migrator_engine::words;

/// Of more migrations than these only the ones with a broken promise are shown unfolded.
const UNFOLDED: usize = 25;

impl Mark {
    /// A word in its colour.
    pub(super) fn badge(self, word: &str) -> Markup {
        let class = match self {
            Mark::Good => "good",
            Mark::Note => "note",
            Mark::Bad => "bad",
            Mark::None => "none",
        };
        html! { span class={ "badge " (class) } { (word) } }
    }
}

/// Who waits, in its colour.
pub(super) fn badge(waits: Waits) -> Markup {
    html! { span class={ "badge " (class(waits)) } { (waits.words()) } }
}

/// The steps of one part with their places.
fn of<'p, 'a>(page: &'p Page<'a>, part: Part) -> Vec<(usize, &'p Step<'a>)> {
    page.steps.iter().enumerate().filter(|(_, step)| step.part == part).collect()
}

/// The table of one part.
pub(super) fn table(page: &Page<'_>, part: Part) -> Markup {
    let steps = of(page, part);
    let has_rollbacks = steps.iter().any(|(_, step)| step.rollback.is_some());
    html! {
        div.scroll tabindex="0" {
            table.stacked {
                thead { tr {
                    th scope="col" { "Migration" } th scope="col" { "Who waits" } th scope="col" { "Work under locks" }
                    th.number scope="col" { "Statements" } th.number scope="col" { "Time" }
                    @if has_rollbacks { th scope="col" { "Rollback" } }
                } }
                tbody { @for (index, step) in &steps { tr data-step=(index) { (row(*index, step)) } } }
            }
        }
    }
}

fn row(index: usize, step: &Step<'_>) -> Markup {
    let effects = || step.statements().iter().flat_map(|statement| &statement.effects);
    let count = |of: &dyn Fn(&Effect) -> bool| effects().filter(|effect| of(effect)).count();
    let rewritten = count(&|effect| effect.rewritten);
    let scanned = count(&|effect| effect.scanned && effect.waits() > Waits::Nobody);
    html! {
        th scope="row" { a href={ "#step-" (index) } { (step.label) } }
        td data-label="Who waits" { (step.badge()) }
        td data-label="Work under locks" {
            @if rewritten > 0 { span.work { (rewritten) " rewritten" } }
            @if scanned > 0 { span.work { (scanned) " scanned" } }
        }
        td.number data-label="Statements" { (step.statements().len()) }
        td.number data-label="Time" { (words::precise(step.time())) }
        @if let Some(way) = &step.rollback { td data-label="Rollback" { (way.mark.badge(way.what)) } }
    }
}

/// The steps of one part, each with all that is known of it.
pub(super) fn details(page: &Page<'_>, part: Part) -> Markup {
    let steps = of(page, part);
    let few = steps.len() <= UNFOLDED;
    html! {
        @for (index, step) in &steps {
            details.step id={ "step-" (index) } open[step.needs_eyes(few)] data-waits=(class(step.waits())) {
                summary {
                    h3 { (step.label) }
                    (step.badge())
                    span.time { (step.how) }
                }
                p.file { code { (step.file) } }
                @if let Some(review) = step.review { (review::findings(review)) }
                @if let Some(way) = &step.rollback {
                    div.way-back {
                        "Rollback: " (way.mark.badge(way.what))
                        @if !way.lines.is_empty() { pre tabindex="0" { (way.lines.join("\n")) } }
                    }
                }
                @if let Some(trace) = step.trace { (timeline(trace, step.forecast, &page.sizes)) }
                @if let Some(forecast) = step.forecast { (self::forecast(forecast)) }
                ol.statements { @for statement in step.statements() { (self::statement(statement)) } }
                @if let Some(review) = step.review {
                    details.file-text {
                        summary { "The file" }
                        pre tabindex="0" { code { (highlighted(review.sql)) } }
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

    /// `few`: there is room for more than what is broken. What the base branch has was looked at before.
    fn needs_eyes(&self, few: bool) -> bool {
        let is_worth_it = self.review.is_some() || self.waits() > Waits::Nobody && self.part == Part::New;
        few && is_worth_it || self.rollback.as_ref().is_some_and(|way| way.mark == Mark::Bad)
    }
}

fn statement(statement: &Statement) -> Markup {
    let seen = statement.effects.iter().filter(|effect| effect.is_shown());
    html! {
        li value=(statement.number) {
            p.place { "line " (statement.line) span.time { (words::precise(statement.took)) }
                @if statement.polled { span.time { "cannot run in a transaction: its locks were polled from another session, which can miss short ones" } }
            }
            pre tabindex="0" { code { (highlighted(statement.sql)) } }
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
