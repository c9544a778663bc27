//! Rows for every table, as far as some can be made that the schema takes.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::Client;

use super::choose::{Choice, Values};
use super::shape::{self, Reference, Shape};
use super::state::{Oid, State, Table};
use super::values::ROWS;
use super::words::Words;
use crate::prove::scratch::Database;
use migrator_engine::Error;
use migrator_engine::client::{failed, identifier, literal, said};

const DOING: &str = "filling a scratch database";

/// How rows are made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style<'a> {
    /// Whether values may be as large as their types take.
    pub(super) is_large: bool,
    /// The labels of enums before the migration.
    pub(super) labels: &'a BTreeMap<Oid, Vec<String>>,
    /// What decides in the down block which rows it changes.
    pub(super) words: &'a Words,
}

/// Fills the tables that are empty. Returns why it could not, by table.
///
/// # Errors
/// A lost connection.
pub(super) async fn fill(database: &Database, state: &State, style: Style<'_>) -> Result<BTreeMap<Oid, String>, Error> {
    let lost = |error| failed(DOING, error);
    database.locked.put_back(None).await.map_err(lost)?;
    let client = database.locked.client();
    let shapes = shape::read(client, style.labels).await?;
    client.batch_execute("BEGIN").await.map_err(lost)?;
    let mut filling = Filling { client, state, shapes, style, unfilled: BTreeMap::new() };
    for (oid, late) in filling.order() {
        filling.table(&oid, &late).await.map_err(lost)?;
    }
    filling.sequences().await.map_err(lost)?;
    let checked = client.batch_execute("SET CONSTRAINTS ALL IMMEDIATE; COMMIT").await;
    let unfilled = filling.unfilled;
    if let Err(error) = checked {
        client.batch_execute("ROLLBACK").await.map_err(lost)?;
        return Ok(state.tables.keys().map(|oid| (oid.clone(), said(&error))).collect());
    }
    Ok(unfilled)
}

struct Filling<'a> {
    client: &'a Client,
    state: &'a State,
    shapes: BTreeMap<Oid, Shape>,
    style: Style<'a>,
    unfilled: BTreeMap<Oid, String>,
}

impl Filling<'_> {
    /// The tables, each after those that it refers to; where that is impossible, with the columns that get their value late.
    fn order(&self) -> Vec<(Oid, BTreeSet<i32>)> {
        let mut left: BTreeSet<&Oid> =
            self.state.tables.iter().filter(|(_, table)| !table.is_partitioned).map(|(oid, _)| oid).collect();
        let mut order = Vec::new();
        while !left.is_empty() {
            let waits = |oid: &Oid| self.open(oid, &left).next().is_some();
            let next = left.iter().copied().find(|oid| !waits(oid)).or_else(|| left.iter().copied().next());
            let Some(next) = next else { break };
            let late = self.references(next).iter().filter(|reference| self.is_open(reference, next, &left, true));
            order.push((next.clone(), late.flat_map(|reference| reference.columns.clone()).collect()));
            left.remove(next);
        }
        order
    }

    fn references(&self, oid: &Oid) -> &[Reference] {
        self.shapes.get(oid).map_or(&[], |shape| &shape.references)
    }

    /// The foreign keys to tables that are not filled yet.
    fn open<'s>(&'s self, oid: &'s Oid, left: &'s BTreeSet<&Oid>) -> impl Iterator<Item = &'s Reference> {
        self.references(oid).iter().filter(move |reference| self.is_open(reference, oid, left, false))
    }

    fn is_open(&self, reference: &Reference, of: &Oid, left: &BTreeSet<&Oid>, with_itself: bool) -> bool {
        let is_itself = reference.table == *of;
        let is_left = |oid: &Oid| left.iter().any(|left| *left == oid);
        let mut parts = self.state.tables.iter().filter(|(_, table)| table.root == reference.table).map(|(oid, _)| oid);
        is_itself && with_itself || !is_itself && (is_left(&reference.table) || parts.any(is_left))
    }

    /// Fills one table, unless it has rows.
    async fn table(&mut self, oid: &Oid, late: &BTreeSet<i32>) -> Result<(), tokio_postgres::Error> {
        let (Some(table), shape) = (self.state.tables.get(oid), self.shapes.get(oid).cloned().unwrap_or_default())
        else {
            return Ok(());
        };
        if table.count > 0 {
            return Ok(());
        }
        let Style { is_large, words, .. } = self.style;
        let ordinal = self.state.tables.keys().position(|known| known == oid).unwrap_or(0);
        let choice = Choice { client: self.client, state: self.state, is_large, words };
        let values = choice.values(table, &shape, ordinal).await?;
        let all: BTreeSet<i32> = values.keys().copied().collect();
        let without_late: BTreeSet<i32> = all.iter().copied().filter(|number| !late.contains(number)).collect();
        let needed = all.iter().copied().filter(|number| !shape.columns[number].is_optional).collect();
        // A trigger may refuse what is right otherwise, and so may a check that looks at several columns.
        let ways: [(&BTreeSet<i32>, &str); 4] =
            [(&without_late, "origin"), (&without_late, "replica"), (&needed, "origin"), (&needed, "replica")];
        let mut reason = String::new();
        for (columns, role) in ways {
            match self.insert(table, columns, &values, role).await? {
                Ok(()) => {
                    reason.clear();
                    for number in without_late.difference(columns) {
                        self.set(table, *number, &values).await?;
                    }
                    break;
                }
                Err(refusal) if reason.is_empty() => reason = refusal,
                Err(_) => {}
            }
        }
        if !reason.is_empty() {
            self.unfilled.insert(oid.clone(), reason);
        }
        for reference in shape.references.iter().filter(|reference| reference.columns.iter().all(|c| late.contains(c)))
        {
            self.refer(table, reference).await?;
        }
        Ok(())
    }

    /// Inserts the rows; the refusal, if none of them can be.
    async fn insert(
        &self,
        table: &Table,
        columns: &BTreeSet<i32>,
        values: &Values,
        role: &str,
    ) -> Result<Result<(), String>, tokio_postgres::Error> {
        let names: Vec<String> = columns.iter().map(|number| identifier(&table.columns[number].name)).collect();
        let count = values.values().map(Vec::len).max().unwrap_or(ROWS).max(ROWS);
        let row = |row: usize| {
            let of_column = |number: &i32| values.get(number).and_then(|values| values.get(row % values.len().max(1)));
            columns
                .iter()
                .map(|number| of_column(number).map_or("DEFAULT", String::as_str))
                .collect::<Vec<_>>()
                .join(", ")
        };
        let statement = |values: &str| match names.is_empty() {
            true => format!("INSERT INTO {} DEFAULT VALUES", table.sql()),
            false => format!("INSERT INTO {} ({}) VALUES {values}", table.sql(), names.join(", ")),
        };
        let together: Vec<String> = (0..count).map(|at| format!("({})", row(at))).collect();
        let whole = match names.is_empty() {
            true => vec![statement(""); ROWS].join("; "),
            false => format!("{} ON CONFLICT DO NOTHING", statement(&together.join(", "))),
        };
        let mut outcome = self.attempt(&whole, role).await?;
        if outcome.is_err() && !names.is_empty() {
            for at in 0..count {
                let one = self.attempt(&statement(&format!("({})", row(at))), role).await?;
                outcome = outcome.or(one);
            }
        }
        Ok(outcome)
    }

    /// Gives a column of all rows a value, where that is possible, else of one.
    async fn set(&self, table: &Table, number: i32, values: &Values) -> Result<(), tokio_postgres::Error> {
        let Some(value) = values.get(&number).and_then(|values| values.first()) else { return Ok(()) };
        let name = table.sql();
        let update = format!("UPDATE {name} SET {} = {value}", identifier(&table.columns[&number].name));
        let one = format!("{update} WHERE ctid = (SELECT ctid FROM {name} ORDER BY ctid LIMIT 1)");
        for (statement, role) in [(&update, "origin"), (&update, "replica"), (&one, "origin"), (&one, "replica")] {
            if self.attempt(statement, role).await?.is_ok() {
                break;
            }
        }
        Ok(())
    }

    /// Tries a statement, which leaves nothing where it fails.
    async fn attempt(&self, statement: &str, role: &str) -> Result<Result<(), String>, tokio_postgres::Error> {
        let message = format!(
            "SAVEPOINT attempt; SET LOCAL session_replication_role = {role}; {statement}; SET LOCAL session_replication_role = origin; \
             RELEASE attempt"
        );
        // Rights that this user lacks are not needed for the usual way.
        let message =
            if role == "origin" { format!("SAVEPOINT attempt; {statement}; RELEASE attempt") } else { message };
        let Err(error) = self.client.batch_execute(&message).await else { return Ok(Ok(())) };
        self.client.batch_execute("ROLLBACK TO attempt; RELEASE attempt").await?;
        Ok(Err(said(&error)))
    }

    /// Has the rows of a table refer to one that is filled now; where a row may not, none does.
    async fn refer(&self, table: &Table, reference: &Reference) -> Result<(), tokio_postgres::Error> {
        let Some(other) = self.state.tables.get(&reference.table) else { return Ok(()) };
        let name = |table: &Table, number: &i32| table.columns.get(number).map(|column| identifier(&column.name));
        let columns: Vec<String> = reference.columns.iter().filter_map(|number| name(table, number)).collect();
        let others: Vec<String> = reference.others.iter().filter_map(|number| name(other, number)).collect();
        let set: Vec<String> = columns.iter().enumerate().map(|(at, column)| format!("{column} = r.k{at}")).collect();
        let select: Vec<String> = others.iter().enumerate().map(|(at, other)| format!("{other} AS k{at}")).collect();
        let update = format!(
            "UPDATE {} SET {} FROM (SELECT {} FROM {} ORDER BY tableoid, ctid LIMIT 1) r",
            table.sql(),
            set.join(", "),
            select.join(", "),
            other.sql()
        );
        self.attempt(&update, "origin").await.map(|_| ())
    }

    /// A sequence of its own has given numbers in use.
    async fn sequences(&self) -> Result<(), tokio_postgres::Error> {
        for sequence in
            self.state.sequences.values().filter(|sequence| !sequence.is_owned && sequence.position.is_none())
        {
            let name = literal(&format!("{}.{}", identifier(&sequence.schema), identifier(&sequence.name)));
            self.attempt(&format!("SELECT nextval({name}) FROM generate_series(1, {ROWS})"), "origin").await?.ok();
        }
        Ok(())
    }
}
