//! The review as a comment of a pull request: Markdown as GitHub and GitLab read it, and never more than they take.

mod escape;
mod fit;

use migrator_engine::words::{self, count};

use super::parts::{Found, Mark, Repeatable, Review, Schema, SchemaLine, Step, Verdict, Wait};
use crate::prove::compat::Finding;
use escape::{code, fence, long_lines, prose};
use fit::{Fitted, Section, fit};

/// No comment may have more characters; we count bytes, which are never fewer.
pub(crate) const LIMIT: usize = 65_536;

/// So many bytes are left to the program that posts it: a link to the page, and a mark by which it is found again.
const OTHERS: usize = 1_024;

/// So many entries of a list are shown, of so many bytes.
const SHOWN: usize = 25;
const LIST: usize = 8_000;

/// So many lines of a difference or of an answer are shown, of so many bytes.
const LINES: usize = 120;
const DIFFERENCE: usize = 12_000;

/// All failed answers together get so many bytes, each this part of what is left.
const ANSWERS: usize = 24_000;
const PART: usize = 2;

impl Review {
    /// The whole comment. Its first line is [`Review::headline`].
    pub(crate) fn markdown(&self) -> String {
        let head = self.head();
        let foot = self.foot();
        let sections: Vec<Section> = self
            .steps
            .iter()
            .map(|step| Section { forms: forms(step), weight: step.weight() })
            .chain(self.repeatables.iter().map(|script| Section { forms: of_repeatable(script), weight: 0 }))
            .collect();
        // The sentence about what was left out has room of its own.
        let room = LIMIT.saturating_sub(OTHERS + 600 + head.len() + foot.len());
        let fitted = fit(&sections, room);
        let mut text = head;
        fitted.texts.iter().flatten().for_each(|section| text.push_str(section));
        text.push_str(&left_out(&fitted, sections.len()));
        text.push_str(&foot);
        text
    }

    fn head(&self) -> String {
        let mut text = format!("{}\n\n", self.headline(code));
        let mut room = ANSWERS;
        for verdict in self.verdicts.iter().filter(|verdict| verdict.mark == Mark::Bad) {
            let answer = failed(verdict, room / PART);
            room = room.saturating_sub(answer.len());
            text.push_str(&answer);
        }
        let elsewhere: Vec<&Finding> = self.release.iter().flat_map(|release| &release.findings).collect();
        let elsewhere: Vec<&Finding> =
            elsewhere.into_iter().filter(|finding| !self.steps.iter().any(|step| breaks(step, finding))).collect();
        if !elsewhere.is_empty() {
            text.push_str("**Breaks of the running release by something else**\n\n");
            text.push_str(&list(elsewhere.iter().map(|finding| of_finding(finding))));
        }
        text
    }

    fn foot(&self) -> String {
        let verdict = |verdict: &Verdict| {
            let first = verdict.lines.first().map(String::as_str).unwrap_or_default();
            format!("{} **{}**: {}", word(verdict), verdict.name, prose(first))
        };
        let mut text = String::new();
        if !self.verdicts.is_empty() {
            text.push_str(&format!(
                "<details><summary>{}</summary>\n\n{}</details>\n\n",
                count(self.verdicts.len(), "check"),
                list(self.verdicts.iter().map(verdict))
            ));
        }
        let about = self.about.iter().map(|(name, value)| format!("{name}: {}", code(value)));
        let about = about.collect::<Vec<_>>().join(" · ");
        if !about.is_empty() {
            text.push_str(&format!("{about}\n"));
        }
        text
    }
}

/// Whether a query breaks by this migration.
fn breaks(step: &Step, finding: &Finding) -> bool {
    finding.migration.as_ref() == Some(&step.label)
}

fn word(verdict: &Verdict) -> &'static str {
    match verdict.mark {
        Mark::Good => "✅",
        Mark::Note => "⚠️",
        Mark::Bad => "❌",
        Mark::None => "➖",
    }
}

fn failed(verdict: &Verdict, room: usize) -> String {
    let Some((first, rest)) = verdict.lines.split_first() else {
        return format!("❌ **{}**\n\n", verdict.name);
    };
    let mut text = format!("❌ **{}**: {}\n\n", verdict.name, prose(first));
    let detail = cut(rest.iter().flat_map(|line| line.lines()).map(str::to_owned), room);
    if !detail.is_empty() {
        text.push_str(&format!("{}\n", fence("text", &detail)));
    }
    text
}

/// Lines with a limit to their number, their length and their bytes.
fn cut(lines: impl Iterator<Item = String>, room: usize) -> String {
    let lines: Vec<String> = lines.collect();
    let mut shown: Vec<String> = Vec::new();
    let mut bytes = 0;
    for line in lines.iter().take(LINES) {
        let line = match line.char_indices().nth(1_000) {
            Some((end, _)) => format!("{}…", &line[..end]),
            None => line.clone(),
        };
        bytes += line.len() + 1;
        if bytes > room {
            break;
        }
        shown.push(line);
    }
    if shown.len() < lines.len() {
        shown.push(format!("... and {}", count(lines.len() - shown.len(), "more line")));
    }
    shown.join("\n")
}

/// A list with a limit to its length, and an empty line after it.
fn list(entries: impl Iterator<Item = String>) -> String {
    let (mut text, mut left) = (String::new(), 0);
    for (index, entry) in entries.enumerate() {
        if left > 0 || index >= SHOWN || text.len() + entry.len() > LIST {
            left += 1;
        } else {
            text.push_str(&format!("- {entry}\n"));
        }
    }
    if left > 0 {
        text.push_str(&format!("- and {left} more\n"));
    }
    text.push('\n');
    text
}

/// A migration in three forms: a line, with all but the SQL, with the SQL.
fn forms(step: &Step) -> Vec<String> {
    let title = format!("### {}\n\n", code(&step.label));
    let short = format!("{title}{}\n\n", summary(step));
    let details = format!("{short}{}", details(step));
    let full = format!("{details}{}", folded(step.file, step.sql));
    vec![short, details, full]
}

fn summary(step: &Step) -> String {
    let mut parts = vec![step.how.clone()];
    parts.push(match step.waits.as_ref().map(Vec::len) {
        None => "locks not known".to_owned(),
        Some(0) => "no one waits".to_owned(),
        Some(1) => "1 lock makes others wait".to_owned(),
        Some(number) => format!("{number} locks make others wait"),
    });
    for (number, noun) in [(step.found.len(), "hazard"), (step.breaks.len(), "broken query")] {
        parts.extend((number > 0).then(|| count(number, noun)));
    }
    parts.extend(step.losses.as_ref().is_some_and(|losses| losses.any).then(|| "a rollback loses data".to_owned()));
    parts.push(step.rollback.as_ref().map_or("rollback not known".to_owned(), |way| format!("rollback: {}", way.what)));
    parts.join(" · ")
}

fn details(step: &Step) -> String {
    let mut text = String::new();
    let mut add = |title: &str, entries: Vec<String>| {
        if !entries.is_empty() {
            text.push_str(&format!("**{title}**\n\n{}", list(entries.into_iter())));
        }
    };
    let wait = |wait: &Wait| format!("statement {} (line {}): {}", wait.statement, wait.line, code(&wait.words));
    add("Locks", step.waits.iter().flatten().map(wait).collect());
    let forecast = step.forecast.iter().flat_map(|forecast| forecast.lines());
    add("With real data", forecast.map(|line| code(&line)).collect());
    add("Hazards", step.found.iter().map(hazard).collect());
    let accepted = |(line, said): &(usize, String)| format!("line {line}: {}", code(said));
    add("Accepted by a comment", step.accepted.iter().map(accepted).collect());
    add("Breaks the running release", step.breaks.iter().map(of_finding).collect());
    let losses = step.losses.iter().flat_map(|losses| &losses.lines);
    add("The data in a rollback", losses.map(|line| prose(line)).collect());
    if let Some(way) = step.rollback.as_ref().filter(|way| !way.lines.is_empty()) {
        text.push_str(&format!("**Rollback: {}**\n\n", way.what));
        text.push_str(&fence(
            "diff",
            &cut(way.lines.iter().flat_map(|line| line.lines()).map(str::to_owned), DIFFERENCE),
        ));
        text.push('\n');
    }
    let lines = step.schema.lines();
    if !lines.is_empty() {
        let shown = cut(lines.iter().map(SchemaLine::signed), DIFFERENCE);
        text.push_str(&format!("**Schema**\n\n{}\n", fence("diff", &shown)));
    } else if step.schema != Schema::Unknown {
        text.push_str("The schema stays as it is.\n\n");
    }
    text
}

fn hazard(found: &Found) -> String {
    let hazard = &found.hazard;
    let lock = if hazard.lock.is_empty() { String::new() } else { format!(" ({})", prose(&hazard.lock)) };
    let reason = if hazard.reason.is_empty() { String::new() } else { format!(": {}", prose(hazard.reason)) };
    let release = found.release.as_ref().map(|said| format!("; {}", prose(said))).unwrap_or_default();
    format!(
        "line {}, {}: {}{lock}{reason}{release}\n  Safe form: {}",
        hazard.line,
        code(hazard.rule),
        prose(&hazard.message),
        prose(&hazard.help)
    )
}

fn of_finding(finding: &Finding) -> String {
    let name = finding.name.iter().map(|name| code(name));
    let places = finding.places.iter().take(3).map(|place| code(place));
    let who = name.chain(places).collect::<Vec<_>>().join(" ");
    let codes = finding.codes.iter().map(|sqlstate| format!(" {}", code(sqlstate))).collect::<String>();
    let by = finding.migration.as_ref().map(|by| format!(" since {}", code(by))).unwrap_or_default();
    let allowed = finding.allowed.as_ref().map(|why| format!(" (allowed: {})", prose(why))).unwrap_or_default();
    format!("{who}{by}: {}{codes}{allowed}", prose(&finding.sentence))
}

/// The SQL under a heading that unfolds it.
fn folded(file: &str, sql: &str) -> String {
    let long = long_lines(sql);
    let numbers: Vec<String> = long.iter().map(ToString::to_string).collect();
    let warning = match long.is_empty() {
        true => String::new(),
        false => format!("Too long to be seen as a whole: line {}\n\n", words::list(&numbers)),
    };
    format!("<details><summary>SQL: {}</summary>\n\n{warning}{}\n</details>\n\n", code(file), fence("sql", sql))
}

/// A repeatable in the same three forms.
fn of_repeatable(script: &Repeatable) -> Vec<String> {
    let word = if script.is_new { "new" } else { "changed" };
    let short = format!("### {}\n\nrepeatable, {word}: it runs after the new migrations\n\n", code(&script.name));
    let full = format!("{short}{}", folded(&script.file, &script.sql));
    vec![short.clone(), short, full]
}

/// What the limit left no room for.
fn left_out(fitted: &Fitted, all: usize) -> String {
    let [details, sql] = [0, 1].map(|form| fitted.shortened.get(form).copied().unwrap_or_default());
    let mut parts = Vec::new();
    if fitted.left_out > 0 {
        parts.push(format!("{} of {all} files altogether", fitted.left_out));
    }
    if details > fitted.left_out {
        parts.push(format!("the details of {}", details - fitted.left_out));
    }
    if sql > details {
        parts.push(format!("the SQL of {}", sql - details));
    }
    match parts.is_empty() {
        true => String::new(),
        false => format!(
            "**Left out**, since a comment has at most 65,536 characters: {}. The page has all of it.\n\n",
            parts.join(", ")
        ),
    }
}

#[cfg(test)]
mod tests;
