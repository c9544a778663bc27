//! What was found out about a new migration: hazards, breaks, losses of data, the difference of the schema.

use maud::{Markup, html};

use super::sql::highlighted;
use crate::prove::compat::Finding;
use crate::prove::review::{Found, Repeatable, Schema, SchemaLine, Step};

/// Everything but its locks.
pub(super) fn findings(step: &Step) -> Markup {
    html! {
        @if !step.found.is_empty() {
            h4 { "Hazards" }
            ul.effects { @for found in &step.found { (hazard(found)) } }
        }
        @if !step.accepted.is_empty() {
            h4 { "Accepted by a comment" }
            ul.effects { @for (line, said) in &step.accepted { li { "line " (line) ": " code { (said) } } } }
        }
        @if !step.breaks.is_empty() {
            h4 { "Breaks the running release" }
            ul.effects { @for finding in &step.breaks { (broken(finding)) } }
        }
        @if let Some(losses) = step.losses.as_ref().filter(|losses| !losses.lines.is_empty()) {
            h4 { "The data in a rollback" }
            ul.effects { @for line in &losses.lines { li.writes { (line) } } }
        }
        (schema(&step.schema))
    }
}

fn hazard(found: &Found) -> Markup {
    let hazard = &found.hazard;
    html! {
        li.everyone {
            "line " (hazard.line) ", " code { (hazard.rule) } ": " (hazard.message)
            @if !hazard.lock.is_empty() { " (" (hazard.lock) ")" }
            @if !hazard.reason.is_empty() { br; (hazard.reason) }
            @if let Some(said) = &found.release { br; (said) }
            br; strong { "Safe form: " } (hazard.help)
        }
    }
}

fn broken(finding: &Finding) -> Markup {
    let class = if finding.allowed.is_some() { "no-one" } else { "everyone" };
    html! {
        li class=(class) {
            @if let Some(name) = &finding.name { code { (name) } " " }
            @for place in &finding.places { code { (place) } " " }
            (finding.sentence)
            @for sqlstate in &finding.codes { " " code { (sqlstate) } }
            @if let Some(reason) = &finding.allowed { " (allowed: " (reason) ")" }
        }
    }
}

fn schema(schema: &Schema) -> Markup {
    let Schema::Differs(_) = schema else { return html! {} };
    let lines = schema.lines();
    html! {
        h4 { "Schema" }
        @if lines.is_empty() {
            p.empty { "It stays as it is." }
        } @else {
            pre.difference tabindex="0" {
                @for line in &lines {
                    @match line {
                        SchemaLine::Both(_) => { span { (line.signed()) } },
                        SchemaLine::Before(_) => { del { (line.signed()) } },
                        SchemaLine::After(_) => { ins { (line.signed()) } },
                    }
                    "\n"
                }
            }
        }
    }
}

/// The repeatables that are not what they were.
pub(super) fn repeatables(scripts: &[Repeatable]) -> Markup {
    html! {
        @for script in scripts {
            details.script {
                summary {
                    h3 { (script.name) }
                    span.time { @if script.is_new { "repeatable, new" } @else { "repeatable, changed" } }
                }
                p.file { code { (script.file) } }
                pre tabindex="0" { code { (highlighted(&script.sql)) } }
            }
        }
    }
}
