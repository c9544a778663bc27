//! The down blocks: what the migration's own has for each file is taken there.

use std::collections::{BTreeMap, BTreeSet};

use migrator_sql::{ColumnChange, ElementKind, Sql, TableChange};

use super::group::Group;
use super::step::Plan;
use crate::author::fix::down::{Found, elements, find};
use crate::author::fix::edit::{Edit, without};
use crate::author::fix::remedy::{Back, Presence};
use crate::author::fix::source::{Side, Source};

/// A down block without a statement would say that there is no rollback.
pub(super) const NOTHING: &str = "SELECT 1";

/// The down block of the migration, as the files take from it.
pub(super) struct Downs<'s, 't> {
    source: &'s Source<'t>,
    /// Edits of what is not taken away.
    edits: Vec<Edit>,
    /// Statements for the first file's block.
    added: Vec<String>,
    /// The elements of each statement that are taken away.
    gone: BTreeMap<usize, BTreeSet<usize>>,
    /// The whole statements that go with a segment, by its first statement.
    moved: BTreeMap<usize, Vec<usize>>,
}

impl<'s, 't> Downs<'s, 't> {
    /// `groups`: all of them, the first one included.
    pub(super) fn of(source: &'s Source<'t>, plan: &Plan, groups: &[Group]) -> Downs<'s, 't> {
        let mut downs =
            Downs { source, edits: Vec::new(), added: Vec::new(), gone: BTreeMap::new(), moved: BTreeMap::new() };
        let Some(side) = &source.down else { return downs };
        let further = groups.iter().skip(1);
        let firsts = further.filter(|group| group.is_segment).filter_map(|group| group.statements.first().copied());
        for first in firsts {
            downs.moved.insert(first, Vec::new());
        }
        downs.assign(side, plan);
        let main = groups.first().filter(|group| group.is_segment);
        for at in main.iter().flat_map(|group| &group.statements) {
            plan.steps[*at].presences.iter().for_each(|presence| downs.presence(side, presence));
        }
        downs
    }

    /// Finds the segment of each statement.
    fn assign(&mut self, side: &Side<'_>, plan: &Plan) {
        let up = &self.source.up.statements;
        let keys: Vec<BTreeSet<String>> = up.iter().map(|statement| made(&statement.sql)).collect();
        for (at, statement) in side.statements.iter().enumerate() {
            let mut segments = BTreeSet::new();
            for (key, is_last) in undone(&statement.sql) {
                let of_key = (0..up.len()).filter(|&at| keys[at].contains(&key)).map(|at| plan.segments[at]);
                segments.extend(if is_last { of_key.max() } else { of_key.min() });
            }
            let Some(&segment) = segments.first().filter(|_| segments.len() == 1) else { continue };
            let is_inside = |first: &&usize| plan.segments[**first] == segment;
            let Some(first) = self.moved.keys().find(is_inside).copied().filter(|_| segment > 0) else { continue };
            self.moved.entry(first).or_default().push(at);
            self.gone.insert(at, (0..elements(statement).len()).collect());
        }
    }

    /// The column was nullable before, and after the first file it is: only the CHECK goes.
    fn presence(&mut self, side: &Side<'_>, presence: &Presence) {
        for (at, statement) in side.statements.iter().enumerate() {
            let Sql::AlterTable(altered) = &statement.sql else { continue };
            if !altered.table.object().is(&presence.table) || self.gone.contains_key(&at) {
                continue;
            }
            for action in &altered.actions {
                match action.change {
                    TableChange::AlterColumn { column, change: ColumnChange::DropNotNull }
                        if column.object().name == presence.column =>
                    {
                        self.edits.push(Edit::replace(action.words.range(), presence.drop.clone()));
                        return;
                    }
                    TableChange::DropColumn(column) if column.object().name == presence.column => return,
                    _ => {}
                }
            }
        }
        let drops_table = |sql: &Sql<'_>| matches!(sql, Sql::Drop(dropped) if dropped.names.iter().any(|name| name.object().is(&presence.table)));
        if !side.statements.iter().any(|statement| drops_table(&statement.sql)) {
            self.added.push(presence.statement.clone());
        }
    }

    fn find(&self, side: &Side<'_>, back: &Back) -> Option<Found> {
        let Back::Take(undo, _) = back else { return None };
        let is_there =
            |found: &Found| self.gone.get(&found.statement).is_none_or(|gone| !gone.contains(&found.element));
        find(self.source, side, undo).filter(is_there)
    }

    /// The statements of a further file's block, taken out of the migration's own.
    pub(super) fn of_group(&mut self, group: &Group) -> Vec<String> {
        let source = self.source;
        let Some(side) = &source.down else { return Vec::new() };
        let mut statements = Vec::new();
        let moved = group.statements.first().filter(|_| group.is_segment).and_then(|first| self.moved.get(first));
        for &at in moved.into_iter().flatten() {
            statements.extend(source.moved(&side.statements[at], &self.edits));
        }
        for back in &group.down {
            match (self.find(side, back), back) {
                (Some(found), _) => {
                    self.gone.entry(found.statement).or_default().insert(found.element);
                    statements.push(found.text);
                }
                (None, Back::Write(text) | Back::Take(_, Some(text))) => statements.push(text.clone()),
                (None, Back::Take(_, None)) => {}
            }
        }
        statements
    }

    /// The edits of the migration's own block, once all others have taken theirs.
    pub(super) fn of_main(mut self, main: &Group) -> Vec<Edit> {
        let source = self.source;
        let Some(side) = &source.down else { return Vec::new() };
        let mut edits = Vec::new();
        let mut alone = false;
        if !main.is_segment {
            let found: Vec<Found> = main.down.iter().filter_map(|back| self.find(side, back)).collect();
            let is_found = |at: &usize| found.iter().any(|found| found.statement == *at);
            let is_all =
                |at: usize| self.gone.get(&at).is_some_and(|gone| gone.len() == elements(&side.statements[at]).len());
            let left: Vec<usize> = (0..side.statements.len()).filter(|&at| !is_all(at)).collect();
            let is_only = |found: &Found| {
                let gone = self.gone.get(&found.statement).map_or(0, BTreeSet::len);
                gone + 1 == elements(&side.statements[found.statement]).len()
            };
            // Beside other statements it stays in their transaction.
            if left.iter().all(is_found) && found.iter().all(is_only) {
                self.edits.extend(found.iter().flat_map(|found| found.edits.clone()));
                alone = found.iter().any(|found| found.alone);
            }
            let written = main.down.iter().filter_map(|back| match back {
                Back::Write(text) => Some(text.clone()),
                Back::Take(_, otherwise) => otherwise.clone().filter(|_| left.is_empty()),
            });
            self.added.extend(written);
        }
        let mut all_gone = true;
        for (at, statement) in side.statements.iter().enumerate() {
            let ranges = elements(statement);
            match self.gone.get(&at) {
                Some(gone) if gone.len() == ranges.len() => edits.push(Edit::remove(statement.removal.clone())),
                gone => {
                    all_gone = false;
                    edits.extend(gone.map(|gone| without(&ranges, |at| gone.contains(&at))).unwrap_or_default());
                }
            }
        }
        let removed = |edit: &Edit| edits.iter().any(|other| contains(other, edit));
        let kept: Vec<Edit> = self.edits.iter().filter(|edit| !removed(edit)).cloned().collect();
        edits.extend(kept);
        if all_gone && self.added.is_empty() && !side.statements.is_empty() {
            self.added.push(NOTHING.to_owned());
        }
        let added: String = self.added.iter().map(|statement| format!("{statement};\n")).collect();
        let gap = if all_gone || added.is_empty() { "" } else { "\n" };
        edits.extend((!added.is_empty()).then(|| Edit::insert(side.range.start, format!("{added}{gap}"))));
        alone |= self.added.iter().any(|statement| statement.contains(" CONCURRENTLY "));
        edits.extend((alone && side.transaction).then(|| Edit::insert(side.marker.end, " transaction:false")));
        edits
    }
}

fn contains(outer: &Edit, inner: &Edit) -> bool {
    outer.range.start <= inner.range.start && inner.range.end <= outer.range.end && outer.range != inner.range
}

/// What a statement makes or changes: names without schemas, those of columns and constraints after their table's.
fn made(sql: &Sql<'_>) -> BTreeSet<String> {
    let mut keys: BTreeSet<String> = sql.made().map(|object| object.name).into_iter().collect();
    match sql {
        Sql::Drop(dropped) => keys.extend(dropped.names.iter().map(|name| name.object().name)),
        Sql::AlterTable(altered) => {
            let table = altered.table.object().name;
            let of_actions = altered.actions.iter().filter_map(|action| {
                let part = match &action.change {
                    TableChange::Add(element) => match element.what {
                        ElementKind::Column(name) | ElementKind::Constraint { name: Some(name), .. } => name,
                        _ => return None,
                    },
                    TableChange::AlterColumn { column, .. } => *column,
                    TableChange::RenameColumn { from, to } | TableChange::RenameConstraint { from, to } => {
                        return Some([from, to].map(|name| format!("{table}.{}", name.object().name)).to_vec());
                    }
                    TableChange::Rename(to) => return Some(vec![table.clone(), to.object().name]),
                    TableChange::DropColumn(name) | TableChange::DropConstraint(name) => *name,
                    _ => return None,
                };
                Some(vec![format!("{table}.{}", part.object().name)])
            });
            keys.extend(of_actions.flatten());
        }
        _ => {}
    }
    keys
}

/// The same of a statement of the down block, and whether it is about what was done last.
fn undone(sql: &Sql<'_>) -> Vec<(String, bool)> {
    let is_last = |sql: &Sql<'_>| match sql {
        Sql::AlterTable(altered) => {
            !altered.actions.iter().any(|action| matches!(action.change, TableChange::DropColumn(_)))
        }
        _ => false,
    };
    let last = is_last(sql);
    made(sql).into_iter().map(|key| (key, last)).collect()
}
