//! What becomes of each statement, put together from the remedies of its hazards.

use std::collections::BTreeSet;

use crate::author::fix::down::elements;
use crate::author::fix::edit::{Edit, without};
use crate::author::fix::remedy::{Back, Part, Presence, Remedy};
use crate::author::fix::source::{Source, Statement};

/// What becomes of one statement.
#[derive(Debug, Clone, Default)]
pub(super) struct Step {
    pub(super) edits: Vec<Edit>,
    pub(super) after: Vec<String>,
    pub(super) alone: Option<(String, Vec<Back>)>,
    /// The actions that are taken out.
    pub(super) gone: BTreeSet<usize>,
    pub(super) parts: Vec<Part>,
    pub(super) presences: Vec<Presence>,
    cut: bool,
    in_order: bool,
}

/// What becomes of all of them.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) steps: Vec<Step>,
    /// The segment of each: what stays together.
    pub(super) segments: Vec<usize>,
}

impl Step {
    fn add(&mut self, remedy: &Remedy) -> Result<(), String> {
        if remedy.alone.is_some() && self.alone.as_ref().is_some_and(|alone| Some(alone) != remedy.alone.as_ref()) {
            return Err("two of its hazards ask for different things".to_owned());
        }
        self.edits.extend(remedy.edits.iter().cloned());
        self.after.extend(remedy.after.iter().cloned());
        self.alone = self.alone.take().or_else(|| remedy.alone.clone());
        self.gone.extend(remedy.actions.iter().copied());
        for part in &remedy.parts {
            // Two rules may have the same to say.
            if !self.parts.contains(part) {
                self.parts.push(part.clone());
            }
        }
        self.presences.extend(remedy.presences.iter().cloned());
        self.cut |= remedy.cut;
        self.in_order |= remedy.in_order;
        Ok(())
    }

    /// Something of the statement is still executed where it stands.
    pub(super) fn stays(&self, statement: &Statement<'_>) -> bool {
        self.alone.is_none() && (self.gone.is_empty() || self.gone.len() < elements(statement).len())
    }

    /// What takes the actions out.
    ///
    /// # Errors
    /// A comment would go too.
    pub(super) fn removals(&self, source: &Source<'_>, statement: &Statement<'_>) -> Result<Vec<Edit>, String> {
        let edits = without(&elements(statement), |at| self.gone.contains(&at));
        match edits.iter().any(|edit| source.has_comment_in(&edit.range)) {
            true => Err("a comment stands in what would be moved".to_owned()),
            false => Ok(edits),
        }
    }
}

impl Plan {
    pub(super) fn of(source: &Source<'_>, remedies: &[(usize, Remedy)], in_order: bool) -> Result<Plan, String> {
        let mut steps = vec![Step::default(); source.up.statements.len()];
        for (at, remedy) in remedies {
            steps[*at].add(remedy)?;
        }
        let (mut segments, mut segment, mut has_any, mut after_cut) = (Vec::new(), 0, false, false);
        for (at, step) in steps.iter().enumerate() {
            let stays = step.stays(&source.up.statements[at]);
            if has_any && stays && (step.cut || after_cut) {
                segment += 1;
                after_cut = false;
            }
            segments.push(segment);
            has_any |= stays;
            let leaves = step.alone.is_some() || !step.parts.is_empty();
            after_cut |= step.cut || step.in_order || in_order && leaves;
        }
        Ok(Plan { steps, segments })
    }
}
