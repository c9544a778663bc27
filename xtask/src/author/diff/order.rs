//! The order of the work: dependents are dropped first and made last, what is taken down comes back.

use std::collections::{BTreeMap, BTreeSet};

use super::catalog::Catalog;
use super::entry::Entry;
use super::join::joins;
use super::key::{Key, ROUTINES, TABLES, last};
use super::rules::corrected;
use super::spell;
use super::work::{Act, Statement, Work};

/// The statements, in an order that the server takes.
pub(crate) fn order(mut work: Work<'_>) -> Vec<Statement> {
    close(&mut work);
    let late = late(&work);
    let mut all: Vec<Statement> = Vec::new();
    let with = |act: Act| move |(key, sql): &(Key, String)| Statement { key: key.clone(), act, sql: sql.clone() };
    all.extend(work.prepare.iter().map(with(Act::Prepare)));
    let drops = drops(&work);
    all.extend(drops.iter().filter(|drop| !late.contains(&drop.key)).cloned());
    all.extend(work.room.iter().map(with(Act::Drop)));
    all.extend(Makes::new(&work).all());
    all.extend(joins(&work));
    all.extend(drops.into_iter().filter(|drop| late.contains(&drop.key)));
    all.extend(work.late.iter().map(with(Act::Drop)));
    all.extend(work.finish.iter().filter(|(key, _)| !is_said(&work, key)).map(with(Act::Finish)));
    all
}

/// Whether the statements that make an object say it already, or there is nothing left to say it of.
fn is_said(work: &Work<'_>, key: &Key) -> bool {
    let relation = work.to.relation_key(&key.object).filter(|relation| relation != key);
    let is_made = work.made.contains(key);
    is_made && key.kind != "column"
        || relation.is_some_and(|relation| work.made.contains(&relation))
        || work.gone.contains(key) && !is_made
}

/// Takes down what depends on what goes. A column that stays keeps what it needs until it has changed.
fn close(work: &mut Work<'_>) {
    let mut queue: Vec<Key> = work.gone.iter().cloned().collect();
    while let Some(key) = queue.pop() {
        for (dependent, kind) in work.from.dependents(&key) {
            // What a partition has for its parent's sake stays with it when it leaves.
            if "PS".contains(*kind) && leaves(work, &dependent.object) {
                continue;
            }
            let is_gone = work.gone.contains(dependent);
            let is_part = dependent.kind == "column" && dependent.object == key.object && key.part.is_empty();
            let of_column =
                dependent.kind == "column" && (key.kind == "column" || ROUTINES.contains(&key.kind.as_str()));
            // What is elsewhere loses nothing here.
            let is_elsewhere = dependent.kind == "foreign-table" && key.kind == "foreign-server";
            let is_taken = is_part
                || is_elsewhere
                || !dependent.is(&["column", "schema"]) && !dependent.is(TABLES)
                || of_column && is_generated(work, dependent);
            if is_gone || !is_taken || work.altered.contains_key(dependent) && dependent.kind == "column" {
                continue;
            }
            // A row type goes with its table, a sequence of an identity with its column.
            work.take_down(dependent);
            if is_part && !work.made.contains(&key) {
                work.made.remove(dependent);
            }
            queue.push(dependent.clone());
        }
    }
    // What a new relation brings along beside its facts.
    let relations: BTreeSet<String> =
        work.made.iter().filter(|key| key.part.is_empty()).map(|key| key.object.clone()).collect();
    let parts: Vec<Key> =
        work.to.known().filter(|key| !key.part.is_empty() && relations.contains(&key.object)).cloned().collect();
    work.made.extend(parts);
}

/// Whether it is a partition that is detached before anything is dropped.
fn leaves(work: &Work<'_>, table: &str) -> bool {
    work.prepare.iter().any(|(key, _)| key.object == table && key.is(TABLES))
}

fn is_generated(work: &Work<'_>, key: &Key) -> bool {
    work.from.column(&key.object, &key.part).is_some_and(super::column::Column::is_generated)
}

/// What goes and something needs that stays: it can only go once that has changed. What it needs itself goes after it.
fn late(work: &Work<'_>) -> BTreeSet<Key> {
    let stays = |key: &Key| {
        let mut dependents = work.from.dependents(key).iter();
        dependents.any(|(dependent, _)| !work.gone.contains(dependent) && !leaves(work, &dependent.object))
    };
    let mut late: BTreeSet<Key> = work.gone.iter().filter(|key| stays(key)).cloned().collect();
    let mut queue: Vec<Key> = late.iter().cloned().collect();
    while let Some(key) = queue.pop() {
        for (needed, _) in work.from.needs(&key) {
            if work.gone.contains(needed) && late.insert(needed.clone()) {
                queue.push(needed.clone());
            }
        }
    }
    late
}

/// The drops, dependents first. What goes with another one has no statement.
fn drops(work: &Work<'_>) -> Vec<Statement> {
    fn visit<'k>(work: &'k Work<'_>, key: &'k Key, seen: &mut BTreeSet<&'k Key>, out: &mut Vec<&'k Key>) {
        if !seen.insert(key) {
            return;
        }
        for (dependent, _) in work.from.dependents(key) {
            let Some(dependent) = work.gone.get(dependent) else { continue };
            visit(work, dependent, seen, out);
            // What goes along with its table is gone when that is.
            let table = work.from.relation_key(&dependent.object).filter(|_| dependent.kind != "constraint");
            if let Some(table) = table.and_then(|table| work.gone.get(&table)).filter(|table| *table != key) {
                visit(work, table, seen, out);
            }
        }
        out.push(key);
    }
    let mut keys: Vec<&Key> = work.gone.iter().collect();
    keys.sort_by_cached_key(|key| std::cmp::Reverse((work.from.place(key), attribute(work.from, key))));
    let (mut seen, mut sorted) = (BTreeSet::new(), Vec::new());
    keys.into_iter().for_each(|key| visit(work, key, &mut seen, &mut sorted));
    let goes_along = |key: &Key| {
        let with = |(needed, kind): &(Key, char)| "aiPS".contains(*kind) && work.gone.contains(needed);
        // A foreign key holds the other table, too.
        let holds =
            |(needed, kind): &(Key, char)| *kind == 'n' && needed.object != key.object && work.gone.contains(needed);
        let needs = work.from.needs(key);
        needs.iter().any(with) && !(key.kind == "constraint" && needs.iter().any(holds))
    };
    let drop = |key: &&Key| {
        let sql = spell::drop(work.from, key).filter(|_| !goes_along(key))?;
        Some(Statement { key: (*key).clone(), act: Act::Drop, sql })
    };
    sorted.iter().filter_map(drop).collect()
}

/// The place of a column in its table.
fn attribute(of: &Catalog, key: &Key) -> usize {
    let columns = of.columns.get(&key.object).filter(|_| key.kind == "column");
    columns.and_then(|columns| columns.iter().position(|column| column.name == key.part)).map_or(0, |place| place + 1)
}

/// What joins its parent does so when everything is there.
fn is_said_beside(entry: &Entry) -> bool {
    entry.class == 0 && !entry.kind.ends_with(" ATTACH")
}

/// What is made or changed, needs first.
struct Makes<'a> {
    work: &'a Work<'a>,
    /// Entries that say something about an object, with the objects that they need.
    beside: BTreeMap<usize, BTreeSet<&'a Key>>,
    /// Those that need an object, by the object.
    waiting: BTreeMap<&'a Key, Vec<usize>>,
    said: BTreeSet<usize>,
    seen: BTreeSet<&'a Key>,
    done: BTreeSet<&'a Key>,
    out: Vec<Statement>,
}

impl<'a> Makes<'a> {
    fn new(work: &'a Work<'a>) -> Makes<'a> {
        let to = work.to;
        let by_id: BTreeMap<u32, &Key> = to
            .entries
            .iter()
            .zip(&to.keys)
            .filter_map(|(entry, key)| Some((entry.id, key.as_ref().filter(|_| entry.class != 0)?)))
            .collect();
        let beside =
            to.entries.iter().enumerate().filter(|(_, entry)| is_said_beside(entry)).filter_map(|(place, entry)| {
                let needs = entry.needs.iter().filter_map(|id| by_id.get(id).copied());
                let made: BTreeSet<&Key> = needs.filter(|key| work.made.contains(*key)).collect();
                (!made.is_empty()).then_some((place, made))
            });
        let beside: BTreeMap<usize, BTreeSet<&Key>> = beside.collect();
        let mut waiting: BTreeMap<&Key, Vec<usize>> = BTreeMap::new();
        for (place, needs) in &beside {
            needs.iter().for_each(|key| waiting.entry(key).or_default().push(*place));
        }
        Makes {
            work,
            beside,
            waiting,
            said: BTreeSet::new(),
            seen: BTreeSet::new(),
            done: BTreeSet::new(),
            out: Vec::new(),
        }
    }

    fn all(mut self) -> Vec<Statement> {
        let work = self.work;
        let mut keys: Vec<&Key> = work.made.iter().chain(work.altered.keys()).collect();
        // The server looks into the body of a function in SQL when it is made: what that names should be there.
        let looked_into = |key: &Key| {
            ROUTINES.contains(&key.kind.as_str())
                && work
                    .to
                    .own_entries(key)
                    .any(|entry| entry.statements.iter().any(|text| text.contains("LANGUAGE sql")))
        };
        keys.sort_by_cached_key(|key| (looked_into(key), work.to.place(key), attribute(work.to, key)));
        keys.into_iter().for_each(|key| self.visit(key));
        let rest: Vec<usize> = self.beside.keys().copied().filter(|place| !self.said.contains(place)).collect();
        rest.into_iter().for_each(|place| self.say(place));
        self.out
    }

    fn visit(&mut self, key: &'a Key) {
        if !self.seen.insert(key) {
            return;
        }
        let work = self.work;
        let default = Key::new(&key.object, "default", &key.part);
        let more = if key.kind == "column" { work.to.needs(&default) } else { &BTreeSet::new() };
        for (needed, _) in work.to.needs(key).iter().chain(more) {
            // A column of a new table comes with the table.
            let table = work.to.relation_key(&needed.object).filter(|table| table != needed && needed.kind == "column");
            for needed in [Some(needed.clone()), table].into_iter().flatten() {
                let known = work.made.get(&needed).or_else(|| work.altered.get_key_value(&needed).map(|(key, _)| key));
                if let Some(needed) = known {
                    self.visit(needed);
                }
            }
        }
        self.emit(key);
        self.done.insert(key);
        let is_ready = |place: &usize| {
            !self.said.contains(place)
                && self.beside.get(place).is_some_and(|needs| needs.iter().all(|need| self.done.contains(*need)))
                && work.to.entries.get(*place).is_some_and(|entry| entry.kind != "SEQUENCE OWNED BY")
        };
        let ready: Vec<usize> = self.waiting.get(key).into_iter().flatten().copied().filter(is_ready).collect();
        ready.into_iter().for_each(|place| self.say(place));
    }

    fn say(&mut self, place: usize) {
        self.said.insert(place);
        let (Some(entry), Some(Some(key))) = (self.work.to.entries.get(place), self.work.to.keys.get(place)) else {
            return;
        };
        let statement = |sql: &String| Statement { key: key.clone(), act: Act::Make, sql: sql.clone() };
        self.out.extend(entry.statements.iter().map(statement));
    }

    fn emit(&mut self, key: &Key) {
        let work = self.work;
        if work.made.contains(key) && !self.comes_along(key) {
            let statement = |sql| Statement { key: key.clone(), act: Act::Make, sql };
            self.out.extend(spell::make(work.to, key, work.is_rollback).into_iter().map(statement));
        }
        if work.made.contains(key) {
            let statement = |sql| Statement { key: key.clone(), act: Act::Make, sql };
            self.out.extend(corrected(work, key).into_iter().map(statement));
        } else {
            let altered = work.altered.get(key).into_iter().flatten();
            self.out.extend(altered.map(|sql| Statement { key: key.clone(), act: Act::Alter, sql: sql.clone() }));
        }
    }

    /// It is in the statement that makes its relation or its column.
    fn comes_along(&self, key: &Key) -> bool {
        let work = self.work;
        let is_made = |kind: &str, part: &str| work.made.contains(&Key::new(&key.object, kind, part));
        let of_relation = work.to.relation_key(&key.object).filter(|relation| relation != key);
        let table_is_made = of_relation.is_some_and(|relation| work.made.contains(&relation)) || is_made("domain", "");
        let of_column = || {
            let columns = work.to.columns.get(&key.object).into_iter().flatten();
            let mut made = columns.filter(|column| is_made("column", &column.name));
            made.any(|column| work.to.requires(&key.object, &column.name) == Some(key))
        };
        match key.kind.as_str() {
            "column" => table_is_made,
            "constraint" if work.to.note(key).starts_with("NOT NULL ") && of_column() => true,
            // In the statement of the dump, or in one of its own.
            "constraint" | "default" if table_is_made => work.to.own_entries(key).next().is_none(),
            "default" => is_made("column", &key.part),
            "sequence" => work.to.relations.get(&key.object).is_some_and(|sequence| {
                let column = last(&sequence.owned_by).map(|(table, column)| Key::new(table, "column", column));
                let is_new = |column: &Key| {
                    let table = work.to.relation_key(&column.object);
                    !table.is_some_and(|table| work.made.contains(&table))
                };
                sequence.is_identity && column.is_some_and(|column| is_new(&column))
            }),
            _ => false,
        }
    }
}
