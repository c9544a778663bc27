//! What goes into one file.

use std::collections::BTreeSet;

use migrator_sql::lex;

use super::step::Plan;
use crate::author::fix::edit::{Edit, part};
use crate::author::fix::remedy::{Back, Part, Stage};
use crate::author::fix::source::Source;

const CONTRADICTION: &str = "two of its hazards ask for different things";

/// The statements of one file.
#[derive(Debug, Clone)]
pub(super) struct Group {
    /// What it is called after the migration; empty for the first one.
    pub(super) does: String,
    /// Outside of a transaction.
    pub(super) alone: bool,
    /// Statements of the migration that stay together.
    pub(super) is_segment: bool,
    /// Which of them it comes from.
    pub(super) statements: BTreeSet<usize>,
    pub(super) up: Vec<String>,
    pub(super) down: Vec<Back>,
}

/// Whether a text ends its last statement.
pub(super) fn is_finished(text: &str) -> bool {
    lex(text).tokens.last().is_some_and(|token| token.text(text) == ";")
}

/// The files, in their order.
///
/// # Errors
/// Two remedies contradict each other.
pub(super) fn all(source: &Source<'_>, plan: &Plan) -> Result<Vec<Group>, String> {
    let mut groups = Vec::new();
    for number in 0..=plan.segments.last().copied().unwrap_or(0) {
        let inside: Vec<usize> = (0..plan.steps.len()).filter(|&at| plan.segments[at] == number).collect();
        groups.extend(segment(source, plan, &inside, number)?);
        groups.extend(further(source, plan, &inside)?);
    }
    Ok(groups)
}

/// The statements of a segment that stay; `None`: there are none.
fn segment(source: &Source<'_>, plan: &Plan, inside: &[usize], number: usize) -> Result<Option<Group>, String> {
    let stays = |at: &usize| plan.steps[*at].stays(&source.up.statements[*at]);
    let statements: BTreeSet<usize> = inside.iter().copied().filter(stays).collect();
    if statements.is_empty() {
        return Ok(None);
    }
    let mut up = Vec::new();
    for &at in &statements {
        let (step, statement) = (&plan.steps[at], &source.up.statements[at]);
        let mut edits = step.edits.clone();
        edits.extend(step.removals(source, statement)?);
        let after = step.after.iter().map(|after| format!(";\n\n{after}")).collect::<String>();
        edits.extend((!after.is_empty()).then(|| Edit::insert(statement.words.range().end, after)));
        up.push(source.moved(statement, &edits).ok_or(CONTRADICTION)?);
    }
    let presences = statements.iter().flat_map(|at| &plan.steps[*at].presences);
    let down = if number == 0 { Vec::new() } else { presences.map(|one| Back::Write(one.statement.clone())).collect() };
    let does = if number == 0 { String::new() } else { format!("part_{}", number + 1) };
    Ok(Some(Group { does, alone: false, is_segment: true, statements, up, down }))
}

/// What further files do about the statements of a segment.
fn further(source: &Source<'_>, plan: &Plan, inside: &[usize]) -> Result<Vec<Group>, String> {
    let mut parts: Vec<(usize, Part)> = Vec::new();
    for &at in inside {
        let (step, statement) = (&plan.steps[at], &source.up.statements[at]);
        let mut own = Vec::new();
        if let Some((does, back)) = &step.alone {
            let text = part(source.text, statement.words.range(), &step.edits).ok_or(CONTRADICTION)?;
            own.push(Part { stage: Stage::Alone, does: does.clone(), up: vec![text], down: back.clone() });
        }
        own.extend(step.parts.iter().cloned());
        // What leaves takes its comments along.
        let comments = source.comments_of(statement);
        if !step.stays(statement)
            && let Some(first) = own.first_mut().and_then(|part| part.up.first_mut())
        {
            first.insert_str(0, &comments);
        }
        parts.extend(own.into_iter().map(|part| (at, part)));
    }
    parts.sort_by_key(|(_, part)| part.stage);
    let mut groups: Vec<(Stage, Group)> = Vec::new();
    for (at, part) in parts {
        let stage = if part.stage == Stage::Require { Stage::Validate } else { part.stage };
        let shared = groups.iter_mut().rfind(|(other, _)| *other == stage && !stage.is_alone());
        match shared {
            Some((_, group)) => {
                group.statements.insert(at);
                group.up.extend(part.up);
                // What came last goes first.
                group.down.splice(0..0, part.down);
            }
            None => groups.push((
                stage,
                Group {
                    does: part.does,
                    alone: stage.is_alone(),
                    is_segment: false,
                    statements: BTreeSet::from([at]),
                    up: part.up,
                    down: part.down,
                },
            )),
        }
    }
    Ok(groups.into_iter().map(|(_, group)| group).collect())
}
