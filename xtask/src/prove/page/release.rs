//! The queries of the running release that break, as a table.

use maud::{Markup, html};

use super::content::{Mark, Release};
use crate::prove::compat::Finding;

/// The section of the release; nothing where there is nothing to tell.
pub(super) fn section(release: &Release) -> Markup {
    if release.findings.is_empty() && release.hazards.is_empty() {
        return html! {};
    }
    html! {
        section aria-labelledby="release" {
            h2 id="release" { "The release that runs: " (release.name) }
            @if release.findings.is_empty() {
                p.empty { "None of its queries breaks." }
            } @else {
                div.scroll tabindex="0" {
                    table {
                        thead { tr {
                            th scope="col" { "Query" } th scope="col" { "SQLSTATE" } th scope="col" { "Since" } th scope="col" { "What" }
                        } }
                        tbody { @for finding in &release.findings { (row(finding)) } }
                    }
                }
            }
            @if !release.hazards.is_empty() {
                h3 { "What the new migrations take" }
                ul.effects { @for hazard in &release.hazards { li { (hazard) } } }
            }
        }
    }
}

fn row(finding: &Finding) -> Markup {
    html! {
        tr {
            th scope="row" {
                @if let Some(name) = &finding.name { (name) " " }
                @for place in &finding.places { code { (place) } " " }
                @if let Some(text) = &finding.text { details { summary { "SQL" } pre tabindex="0" { (text) } } }
            }
            td { @for code in &finding.codes { code { (code) } " " } }
            td { @if let Some(migration) = &finding.migration { (migration) } }
            td {
                (finding.sentence)
                @if let Some(reason) = &finding.allowed { " " (Mark::Note.badge("allowed")) " " (reason) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_told_with_its_place_its_code_and_its_migration() {
        let finding = Finding {
            name: Some("by_name".to_owned()),
            places: vec!["src/<b>.rs:7".to_owned()],
            text: Some("SELECT '<i>'".to_owned()),
            codes: vec!["42703".to_owned()],
            migration: Some("002_name".to_owned()),
            sentence: "column \"name\" does not exist".to_owned(),
            allowed: Some("<reason>".to_owned()),
        };
        let hazards = vec!["db/migrations/002_name.sql:2 renaming-column: breaks 1 query".to_owned()];
        let release = Release { name: "v<1>".to_owned(), findings: vec![finding], hazards };
        let shown = section(&release).into_string();
        for text in [
            "v&lt;1&gt;",
            "by_name",
            "src/&lt;b&gt;.rs:7",
            "42703",
            "002_name",
            "SELECT '&lt;i&gt;'",
            "&lt;reason&gt;",
            "breaks 1 query",
        ] {
            assert!(shown.contains(text), "{text} is not in {shown}");
        }
        let nothing = Release { name: String::new(), findings: Vec::new(), hazards: Vec::new() };
        assert_eq!(section(&nothing).into_string(), "");
    }
}
