//! `-- migrate:allow <rule> <reason>`: a person has thought about it.

use migrator_diagnostic::Source;
use migrator_sql::{Comment, Words};

use crate::hazard::Hazard;
use crate::marker;
use crate::names;

/// One such comment with a rule that exists and a reason.
pub(crate) struct Allow {
    at: usize,
    rule: String,
    /// The index of the statement below it; `None`: there is none.
    statement: Option<usize>,
    used: bool,
}

/// Reads the comments of a migration; `statements` are those of the up block. What is wrong with one is a hazard itself.
pub(crate) fn read(
    source: &Source,
    comments: &[Comment],
    statements: &[Words<'_>],
    hazards: &mut Vec<Hazard>,
) -> Vec<Allow> {
    let mut allows = Vec::new();
    for comment in comments.iter().filter(|comment| !comment.block) {
        let Some(rest) = marker::allowed(&source.text[comment.range.clone()]) else { continue };
        let at = comment.range.start;
        match rule(rest) {
            Ok(rule) => {
                let statement = below(source, at, statements);
                // What it silences is found elsewhere.
                let used = rule == names::BREAKS_RELEASE && statement.is_some();
                allows.push(Allow { at, rule, statement, used });
            }
            Err((message, help)) => hazards.push(Hazard::of_allow(source, at, message, help)),
        }
    }
    allows
}

/// The rule of `<rule> <reason>`, or what is wrong with it and the way out.
fn rule(rest: &str) -> Result<String, (String, String)> {
    let (name, reason) = rest.split_once([' ', '\t']).unwrap_or((rest, ""));
    if name.is_empty() {
        let help = "say which rule, and why: `-- migrate:allow <rule> <reason>`".to_owned();
        return Err(("`-- migrate:allow` without a rule".to_owned(), help));
    }
    if names::is_retired(name) {
        return Err((format!("the rule `{name}` no longer exists"), "remove the comment".to_owned()));
    }
    if !names::is_rule(name) && name != names::BREAKS_RELEASE {
        return Err((format!("unknown rule `{name}`"), names::help_for_unknown(name)));
    }
    if reason.trim().is_empty() {
        let help = format!("say after it why it is safe here: `-- migrate:allow {name} <reason>`");
        return Err((format!("`-- migrate:allow {name}` without a reason"), help));
    }
    Ok(name.to_owned())
}

/// The statement below a comment that is on a line of its own, with nothing but comments in between.
fn below(source: &Source, at: usize, statements: &[Words<'_>]) -> Option<usize> {
    if !source.text[source.line_start(at)..at].trim().is_empty() {
        return None;
    }
    let index = statements.partition_point(|words| words.start() < at);
    let inside = index > 0 && statements[index - 1].range().contains(&at);
    (index < statements.len() && !inside).then_some(index)
}

/// True if one of them silences a rule for a statement.
pub(crate) fn silences(allows: &mut [Allow], rule: &str, statement: usize) -> bool {
    let mut silenced = false;
    for allow in allows.iter_mut().filter(|allow| allow.rule == rule && allow.statement == Some(statement)) {
        allow.used = true;
        silenced = true;
    }
    silenced
}

/// What is left over: it hides nothing today, and would hide something tomorrow.
pub(crate) fn unused(source: &Source, allows: &[Allow], hazards: &mut Vec<Hazard>) {
    for allow in allows.iter().filter(|allow| !allow.used) {
        let help = match allow.statement {
            Some(_) => "remove it, or move it to the line above its statement",
            None => "put it on its own line, above its statement in the up block",
        };
        let message = format!("`-- migrate:allow {}` silences nothing", allow.rule);
        hazards.push(Hazard::of_allow(source, allow.at, message, help.to_owned()));
    }
}
