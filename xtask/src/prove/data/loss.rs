//! What is gone after a rollback: the data before it and after it, compared. Pure.
//!
//! Objects are the same by their numbers, so that a renamed one is not lost. A value that is gone from its column is kept where it is new
//! elsewhere, alone or as a part of a text: a rollback may move it back.

use std::collections::{BTreeMap, BTreeSet};

use super::state::{Oid, State, Table};

/// A text that is at least so long is found in another one.
const RECOGNISED: usize = 3;

/// Something that a rollback loses.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::prove) struct Loss {
    /// What became of it.
    pub(in crate::prove) what: What,
    /// Schema and table, schema, table and column, or schema, type and value.
    pub(in crate::prove) object: Vec<String>,
    /// How many rows have lost something; `None`: no row could be made for the table.
    pub(in crate::prove) rows: Option<usize>,
}

/// What became of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::prove) enum What {
    /// The table is gone.
    Table,
    /// The column is gone.
    Column,
    /// Of so many rows, some are gone.
    Rows(usize),
    /// Of so many values, some are others.
    Values(usize),
    /// Of so many values, some are NULL.
    Nulls(usize),
    /// The value of an enum is gone.
    Label,
    /// A sequence is gone that had given numbers up to this one.
    Sequence(i64),
    /// A sequence was set from one position to another.
    Position(i64, Option<i64>),
}

/// Other forms of the values of columns whose type was changed, by table and number: in the type that they had before, and after the
/// migration has gone up again.
pub(super) type Forms = BTreeMap<(Oid, i32), Vec<Vec<String>>>;

/// How often each value is there.
type Counted<'a> = BTreeMap<&'a str, usize>;

fn counted<'a>(values: impl IntoIterator<Item = &'a str>) -> Counted<'a> {
    let mut counts = Counted::new();
    values.into_iter().for_each(|value| *counts.entry(value).or_default() += 1);
    counts
}

/// The values of one that the other does not have as often.
fn minus<'a>(one: &Counted<'a>, other: &Counted<'_>) -> Counted<'a> {
    let left = one.iter().map(|(value, count)| (*value, count.saturating_sub(other.get(value).copied().unwrap_or(0))));
    left.filter(|(_, count)| *count > 0).collect()
}

fn total(counts: &Counted<'_>) -> usize {
    counts.values().sum()
}

/// All losses, in order; `unfilled` are tables for which no row could be made.
pub(super) fn compare(before: &State, after: &State, forms: &Forms, unfilled: &BTreeSet<Oid>) -> Vec<Loss> {
    let comparison = Comparison { before, after, forms, fresh: fresh(before, after) };
    let mut losses = Losses::default();
    for (oid, table) in before.tables.iter().filter(|(_, table)| !table.is_partitioned) {
        comparison.table(oid, table, unfilled.contains(oid), &mut losses);
    }
    let mut losses = losses.list(before);
    losses.extend(sequences(before, after));
    losses.sort();
    losses
}

/// The values of each column that were not in it before.
fn fresh<'a>(before: &State, after: &'a State) -> Vec<Counted<'a>> {
    let mut fresh = Vec::new();
    for (oid, table) in &after.tables {
        for number in table.columns.keys() {
            let now = counted(table.values(*number));
            let then = before.tables.get(oid).map(|table| table.values(*number)).unwrap_or_default();
            let new = minus(&now, &counted(then));
            if !new.is_empty() {
                fresh.push(new);
            }
        }
    }
    fresh
}

/// Losses by object: a partition's are those of its table.
#[derive(Default)]
struct Losses {
    /// Partitions that are gone, with their rows.
    gone: BTreeMap<Oid, Option<usize>>,
    /// By what became of it, the topmost table, and the column.
    others: BTreeMap<(Kind, Oid, String), (usize, usize)>,
    /// By type and value.
    labels: BTreeMap<(String, String, String), usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Column,
    /// A column of a table without a row.
    UnfilledColumn,
    Rows,
    Values,
    Nulls,
}

impl Losses {
    fn add(&mut self, kind: Kind, table: &Table, column: &str, lost: usize, of: usize) {
        let known = self.others.entry((kind, table.root.clone(), column.to_owned())).or_default();
        *known = (known.0 + lost, known.1 + of);
    }

    fn list(self, before: &State) -> Vec<Loss> {
        let name = |oid: &Oid| {
            before.tables.get(oid).map(|table| vec![table.schema.clone(), table.name.clone()]).unwrap_or_default()
        };
        let mut losses = Vec::new();
        let mut tables: BTreeMap<Oid, Option<usize>> = BTreeMap::new();
        for (oid, rows) in &self.gone {
            // With all of its partitions, the table is gone; with some of them, these are.
            let root = before.tables.get(oid).map_or(oid, |table| &table.root);
            let mut parts = before
                .tables
                .iter()
                .filter(|(_, table)| table.root == *root && !table.is_partitioned)
                .map(|(oid, _)| oid);
            let whole = if parts.all(|part| self.gone.contains_key(part)) { root } else { oid };
            let known = tables.entry(whole.clone()).or_default();
            *known = match (*known, rows) {
                (None, rows) => *rows,
                (Some(known), rows) => Some(known + rows.unwrap_or(0)),
            };
        }
        losses.extend(tables.into_iter().map(|(oid, rows)| Loss { what: What::Table, object: name(&oid), rows }));
        for ((kind, root, column), (lost, of)) in self.others {
            let what = match kind {
                Kind::Column | Kind::UnfilledColumn => What::Column,
                Kind::Rows => What::Rows(of),
                Kind::Values => What::Values(of),
                Kind::Nulls => What::Nulls(of),
            };
            let mut object = name(&root);
            if kind != Kind::Rows {
                object.push(column);
            }
            losses.push(Loss { what, object, rows: (kind != Kind::UnfilledColumn).then_some(lost) });
        }
        losses.extend(self.labels.into_iter().map(|((schema, name, label), rows)| Loss {
            what: What::Label,
            object: vec![schema, name, label],
            rows: Some(rows),
        }));
        losses
    }
}

struct Comparison<'a> {
    before: &'a State,
    after: &'a State,
    forms: &'a Forms,
    fresh: Vec<Counted<'a>>,
}

impl Comparison<'_> {
    fn table(&self, oid: &Oid, table: &Table, is_unfilled: bool, losses: &mut Losses) {
        let now = self.after.tables.get(oid);
        if table.count == 0 {
            // By the catalog alone, and only where it might have held something.
            match now {
                _ if !is_unfilled => {}
                None => {
                    losses.gone.insert(oid.clone(), None);
                }
                Some(now) => {
                    let gone = table
                        .columns
                        .iter()
                        .filter(|(number, column)| !column.is_generated && !now.columns.contains_key(number));
                    gone.for_each(|(_, column)| losses.add(Kind::UnfilledColumn, table, &column.name, 0, 0));
                }
            }
            return;
        }
        match now {
            _ if !table.is_read() || now.is_some_and(|now| !now.is_read()) => {
                self.counted_only(oid, table, now, losses)
            }
            None => self.gone(oid, table, losses),
            Some(now) => self.kept(oid, table, now, losses),
        }
    }

    /// The columns that say what is in a row; where there are none, all of them.
    fn data(table: &Table) -> Vec<i32> {
        let columns = || table.columns.iter().filter(|(_, column)| !column.is_generated);
        let data: Vec<i32> = columns().filter(|(_, column)| !column.is_key).map(|(number, _)| *number).collect();
        if data.is_empty() { columns().map(|(number, _)| *number).collect() } else { data }
    }

    /// The values that are nowhere any more.
    fn nowhere<'v>(&self, missing: &Counted<'v>) -> Counted<'v> {
        let is_kept = self.fresh.iter().any(|fresh| {
            let left = minus(missing, fresh);
            let is_part = |value: &&str| fresh.keys().any(|other| other.len() > value.len() && other.contains(*value));
            let is_recognised = |value: &&str| value.chars().count() >= RECOGNISED;
            left.is_empty() || left.keys().any(is_recognised) && left.keys().all(is_part)
        });
        if is_kept { Counted::new() } else { missing.clone() }
    }

    /// With more rows than are read: by their number.
    fn counted_only(&self, oid: &Oid, table: &Table, now: Option<&Table>, losses: &mut Losses) {
        let Some(now) = now else {
            let is_successor =
                |(oid, other): (&Oid, &Table)| !self.before.tables.contains_key(oid) && other.count == table.count;
            if !self.after.tables.iter().any(is_successor) {
                losses.gone.insert(oid.clone(), Some(table.count));
            }
            return;
        };
        for (number, column) in table.columns.iter().filter(|(_, column)| !column.is_generated) {
            if !now.columns.contains_key(number) {
                losses.add(Kind::Column, table, &column.name, table.count, table.count);
            }
        }
        if now.count < table.count {
            losses.add(Kind::Rows, table, "", table.count - now.count, table.count);
        }
    }

    fn gone(&self, oid: &Oid, table: &Table, losses: &mut Losses) {
        let lost = |number: &i32| {
            let values = counted(table.values(*number));
            let lost = total(&self.nowhere(&values));
            (lost > 0).then(|| (table.columns[number].name.as_str(), lost))
        };
        let data = Self::data(table);
        let held = data.iter().filter(|number| !table.values(**number).is_empty()).count();
        let lost: Vec<(&str, usize)> = data.iter().filter_map(lost).collect();
        if lost.len() == held {
            losses.gone.insert(oid.clone(), Some(table.count));
        } else {
            lost.iter().for_each(|(column, rows)| losses.add(Kind::Column, table, column, *rows, table.count));
        }
    }

    fn kept(&self, oid: &Oid, table: &Table, now: &Table, losses: &mut Losses) {
        let fewer = table.count.saturating_sub(now.count);
        let mut rows_lost = 0;
        let data = Self::data(table);
        for (number, column) in table.columns.iter().filter(|(_, column)| !column.is_generated) {
            let values = counted(table.values(*number));
            let Some(current) = now.columns.get(number) else {
                let lost = total(&self.nowhere(&values));
                if lost > 0 {
                    losses.add(Kind::Column, table, &column.name, lost, table.count);
                }
                continue;
            };
            let mut missing = minus(&values, &counted(now.values(*number)));
            if current.type_name != column.type_name {
                for form in self.forms.get(&(oid.clone(), *number)).into_iter().flatten() {
                    let other = minus(&values, &counted(form.iter().map(String::as_str)));
                    missing = if total(&other) < total(&missing) { other } else { missing };
                }
            }
            let missing = self.nowhere(&missing);
            if data.contains(number) {
                rows_lost = rows_lost.max(total(&missing).min(fewer));
            }
            self.changed(table, (column.types[0].as_str(), &column.name), &missing, (now, *number, fewer), losses);
        }
        if table.columns.is_empty() {
            rows_lost = fewer;
        }
        if rows_lost > 0 {
            losses.add(Kind::Rows, table, "", rows_lost, table.count);
        }
    }

    /// The values of a column that are others now, or none.
    fn changed(
        &self,
        table: &Table,
        (type_oid, column): (&str, &str),
        missing: &Counted<'_>,
        (now, number, fewer): (&Table, i32, usize),
        losses: &mut Losses,
    ) {
        let mut changed = total(missing).saturating_sub(fewer);
        if changed == 0 {
            return;
        }
        let all: usize = total(&counted(table.values(
            table.columns.iter().find(|(_, known)| known.name == column).map_or(number, |(number, _)| *number),
        )));
        for (label, count) in self.removed(type_oid).into_iter().flat_map(|(schema, name, removed)| {
            missing
                .iter()
                .filter(move |(value, _)| removed.contains(**value))
                .map(move |(value, count)| ((schema.clone(), name.clone(), (*value).to_owned()), *count))
        }) {
            let count = count.min(changed);
            if count > 0 {
                *losses.labels.entry(label).or_default() += count;
                changed -= count;
            }
        }
        let nulls = |table: &Table, number: i32| table.rows.len() - table.values(number).len();
        let new_nulls = nulls(now, number).saturating_sub(nulls(table, number)).min(changed);
        if new_nulls > 0 {
            losses.add(Kind::Nulls, table, column, new_nulls, all);
        }
        if changed > new_nulls {
            losses.add(Kind::Values, table, column, changed - new_nulls, all);
        }
    }

    /// The values that an enum had before and has no more, where it is there under its name.
    fn removed(&self, type_oid: &str) -> Option<(String, String, BTreeSet<String>)> {
        let before = self.before.enums.get(type_oid)?;
        let is_same = |(oid, now): &(&Oid, &super::state::Enum)| {
            *oid == type_oid || (&now.schema, &now.name) == (&before.schema, &before.name)
        };
        let by_name = self
            .after
            .enums
            .iter()
            .filter(|(_, now)| (&now.schema, &now.name) == (&before.schema, &before.name))
            .map(|(_, now)| now)
            .next();
        let now = by_name.or_else(|| self.after.enums.iter().find(is_same).map(|(_, now)| now))?;
        let removed = before.labels.iter().filter(|label| !now.labels.contains(label)).cloned().collect();
        Some((before.schema.clone(), before.name.clone(), removed))
    }
}

/// Sequences that are gone or set back. One that belongs to a column goes with it.
fn sequences(before: &State, after: &State) -> Vec<Loss> {
    let mut losses = Vec::new();
    for (oid, sequence) in &before.sequences {
        let Some(position) = sequence.position else { continue };
        let same_name =
            |other: &&super::state::Sequence| (&other.schema, &other.name) == (&sequence.schema, &sequence.name);
        let now = after.sequences.get(oid).or_else(|| after.sequences.values().find(same_name));
        let what = match now {
            None if sequence.is_owned => continue,
            None => What::Sequence(position),
            Some(now) if now.position == Some(position) => continue,
            Some(now) if now.position.is_some_and(|now| now > position) => continue,
            Some(now) => What::Position(position, now.position),
        };
        losses.push(Loss { what, object: vec![sequence.schema.clone(), sequence.name.clone()], rows: Some(0) });
    }
    losses
}
