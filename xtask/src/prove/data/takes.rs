//! What rows the tables of a database take, for those who write many: types, values that pass the checks, keys.

use std::collections::{BTreeMap, BTreeSet};

use super::choose::Choice;
use super::shape::{self, Shape};
use super::state::{self, Oid, text};
use super::words::Words;
use crate::prove::scratch::Database;
use migrator_engine::Error;
use migrator_engine::client::{failed, query};

const DOING: &str = "reading what rows tables take";

/// What rows one table takes.
#[derive(Debug, Clone, Default)]
pub(in crate::prove) struct Takes {
    /// Its columns in their order, without those that the server computes.
    pub(in crate::prove) columns: Vec<Column>,
    /// Its foreign keys.
    pub(in crate::prove) references: Vec<Reference>,
    /// The columns of each unique index, also of those of an expression.
    pub(in crate::prove) unique: Vec<Vec<String>>,
    /// The columns of each check and the check as an expression.
    pub(in crate::prove) checks: Vec<(Vec<String>, String)>,
}

/// A column.
#[derive(Debug, Clone, Default)]
pub(in crate::prove) struct Column {
    /// As it is, not quoted.
    pub(in crate::prove) name: String,
    /// Its type in SQL: `character varying(20)`.
    pub(in crate::prove) sql_type: String,
    /// The plain name of its base type: `varchar`; empty: the server numbers the rows with it.
    pub(in crate::prove) base: String,
    /// The base type with its modifier: `numeric(10,2)`.
    pub(in crate::prove) declared: String,
    /// The plain name of the type that it is an array of.
    pub(in crate::prove) element: Option<String>,
    /// The labels of an enum.
    pub(in crate::prove) labels: Vec<String>,
    /// Whether its domain has checks.
    pub(in crate::prove) is_of_checked_domain: bool,
    /// Whether NULL is refused.
    pub(in crate::prove) is_required: bool,
    /// Expressions of values that pass the checks, which belong together row by row.
    pub(in crate::prove) values: Vec<String>,
}

/// A foreign key, by names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::prove) struct Reference {
    pub(in crate::prove) columns: Vec<String>,
    /// Qualified, and quoted where that is needed.
    pub(in crate::prove) table: String,
    pub(in crate::prove) others: Vec<String>,
}

/// Reads it of these tables and of those that they refer to, by their qualified names, quoted where that is needed.
///
/// # Errors
/// A lost connection, the server's refusal.
pub(in crate::prove) async fn read(
    database: &Database,
    tables: &BTreeSet<String>,
) -> Result<BTreeMap<String, Takes>, Error> {
    let lost = |error| failed(DOING, error);
    database.locked.put_back(None).await.map_err(lost)?;
    let client = database.locked.client();
    let names = names(database).await?;
    let shapes = shape::read(client, &BTreeMap::new()).await?;
    let mut wanted: BTreeSet<&Oid> =
        names.iter().filter(|(_, name)| tables.contains(*name)).map(|(oid, _)| oid).collect();
    let referred: Vec<&Oid> = wanted
        .iter()
        .filter_map(|oid| shapes.get(*oid))
        .flat_map(|shape| shape.references.iter().map(|reference| &reference.table))
        .collect();
    wanted.extend(referred);
    let others: BTreeSet<Oid> = names.keys().filter(|oid| !wanted.contains(oid)).cloned().collect();
    let state = state::read(database, &others).await?;
    let mut takes = demands(database, &names, &wanted).await?;
    client.batch_execute("BEGIN").await.map_err(lost)?;
    let words = Words::default();
    let choice = Choice { client, state: &state, is_large: false, words: &words };
    for (ordinal, (oid, table)) in state.tables.iter().filter(|(_, table)| !table.is_partitioned).enumerate() {
        let Some(takes) = names.get(oid).and_then(|name| takes.get_mut(name)) else { continue };
        let shape = shapes.get(oid).cloned().unwrap_or_default();
        let values = choice.values(table, &shape, ordinal).await.map_err(lost)?;
        let name_of = |number: &i32| table.columns.get(number).map(|column| column.name.clone());
        for column in &mut takes.columns {
            let Some((number, _)) = table.columns.iter().find(|(_, known)| known.name == column.name) else { continue };
            column.add(&shape, *number);
            column.values = values.get(number).cloned().unwrap_or_default();
        }
        takes.checks = shape
            .checks
            .iter()
            .map(|(columns, check)| (columns.iter().filter_map(name_of).collect(), check.clone()))
            .collect();
        for reference in &shape.references {
            let (Some(other), Some(table)) = (names.get(&reference.table), state.tables.get(&reference.table)) else {
                continue;
            };
            let theirs = |number: &i32| table.columns.get(number).map(|column| column.name.clone());
            takes.references.push(Reference {
                columns: reference.columns.iter().filter_map(name_of).collect(),
                table: other.clone(),
                others: reference.others.iter().filter_map(theirs).collect(),
            });
        }
    }
    client.batch_execute("ROLLBACK").await.map_err(lost)?;
    Ok(takes)
}

impl Takes {
    /// What rows the table takes now that will also be taken by what it becomes.
    #[must_use]
    pub(in crate::prove) fn and(mut self, later: &Takes) -> Takes {
        for column in &mut self.columns {
            let Some(later) = later.columns.iter().find(|later| later.name == column.name) else { continue };
            let is_required = column.is_required || later.is_required;
            if later.sql_type == column.sql_type {
                *column = later.clone();
            }
            column.is_required = is_required;
        }
        let is_here =
            |columns: &Vec<String>| columns.iter().all(|name| self.columns.iter().any(|own| own.name == *name));
        self.references.extend(later.references.iter().filter(|reference| is_here(&reference.columns)).cloned());
        self.unique.extend(later.unique.iter().filter(|columns| is_here(columns)).cloned());
        self.checks.extend(later.checks.iter().filter(|(columns, _)| is_here(columns)).cloned());
        self
    }
}

impl Column {
    fn add(&mut self, shape: &Shape, number: i32) {
        let Some(wanted) = shape.columns.get(&number) else { return };
        let type_ = &wanted.type_;
        self.base.clone_from(&type_.name);
        self.declared.clone_from(&type_.declared);
        self.element = type_.element.as_ref().map(|element| element.name.clone());
        self.labels.clone_from(&type_.labels);
        self.is_of_checked_domain = type_.is_checked || !wanted.domain_checks.is_empty();
    }
}

/// The names of all tables by their numbers.
async fn names(database: &Database) -> Result<BTreeMap<Oid, String>, Error> {
    let statement = "SELECT c.oid, quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name FROM pg_class c \
         JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p')";
    let rows = query(database.locked.client(), DOING, statement).await?;
    Ok(rows.iter().map(|row| (text(row, "oid"), text(row, "name"))).collect())
}

/// Columns, and which of them are unique.
async fn demands(
    database: &Database,
    names: &BTreeMap<Oid, String>,
    wanted: &BTreeSet<&Oid>,
) -> Result<BTreeMap<String, Takes>, Error> {
    let client = database.locked.client();
    if wanted.is_empty() {
        return Ok(BTreeMap::new());
    }
    let oids = wanted.iter().map(|oid| oid.as_str()).collect::<Vec<_>>().join(", ");
    let mut takes: BTreeMap<String, Takes> = BTreeMap::new();
    let columns = format!(
        "SELECT a.attrelid AS oid, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull OR t.typnotnull AS required \
         FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid WHERE a.attrelid IN ({oids}) AND a.attnum > 0 AND NOT a.attisdropped \
         AND a.attgenerated = '' ORDER BY a.attrelid, a.attnum"
    );
    for row in query(client, DOING, &columns).await? {
        let Some(name) = names.get(&text(&row, "oid")) else { continue };
        takes.entry(name.clone()).or_default().columns.push(Column {
            name: text(&row, "name"),
            sql_type: text(&row, "type"),
            is_required: row.get("required") == Some("t"),
            ..Column::default()
        });
    }
    let unique = format!(
        "SELECT i.indrelid AS oid, string_agg(DISTINCT a.attname, E'\\x01') AS columns FROM pg_index i \
         JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = i.indrelid AND d.refobjsubid > 0 \
         AND (d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid \
           OR d.classid = 'pg_constraint'::regclass AND d.objid IN (SELECT oid FROM pg_constraint WHERE conindid = i.indexrelid AND conrelid = i.indrelid)) \
         JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = d.refobjsubid \
         WHERE i.indisunique AND i.indrelid IN ({oids}) GROUP BY i.indexrelid, i.indrelid"
    );
    for row in query(client, DOING, &unique).await? {
        let Some(takes) = names.get(&text(&row, "oid")).and_then(|name| takes.get_mut(name)) else { continue };
        takes.unique.push(text(&row, "columns").split('\u{1}').map(str::to_owned).collect());
    }
    Ok(takes)
}
