//! The values of the rows of a table: those that pass its checks, and the keys of what they refer to.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::Client;

use super::shape::{self, Shape};
use super::state::{Column, State, Table};
use super::values::{ROWS, Wanted, candidates};
use super::words::{Words, mentioned};
use migrator_engine::client::{identifier, literal, rows};

/// So many values of a column are tried in checks.
const TRIED: usize = 60;

/// Expressions for a column, one for each row.
pub(super) type Values = BTreeMap<i32, Vec<String>>;

/// Chooses values, in an open transaction.
pub(super) struct Choice<'a> {
    pub(super) client: &'a Client,
    pub(super) state: &'a State,
    /// Whether values may be as large as their types take.
    pub(super) is_large: bool,
    /// What decides in the down block which rows it changes.
    pub(super) words: &'a Words,
}

impl Choice<'_> {
    /// The values of each column; `ordinal` is the table's own number.
    ///
    /// # Errors
    /// A lost connection.
    pub(super) async fn values(
        &self,
        table: &Table,
        shape: &Shape,
        ordinal: usize,
    ) -> Result<Values, tokio_postgres::Error> {
        let mut values = Values::new();
        let words = shape.columns.values().map(|wanted| self.words.of(&wanted.type_.name).len());
        let extra = words.max().unwrap_or(0);
        for (number, wanted) in &shape.columns {
            let Some(column) = table.columns.get(number) else { continue };
            let number_of_all = ordinal * 17 + usize::try_from(*number).unwrap_or(0);
            let mut fit = self.of_column((*number, number_of_all), column, wanted, shape).await?;
            let in_several = shape.checks.iter().any(|(columns, _)| columns.len() > 1 && columns.contains(number));
            fit.truncate(if in_several { TRIED } else { ROWS + extra });
            let expression = |value: &String| format!("{}::{}", literal(value), column.type_name);
            values.insert(*number, fit.iter().map(expression).collect());
        }
        self.together(table, shape, &mut values).await?;
        self.keys(shape, &mut values);
        values.retain(|_, values| !values.is_empty());
        Ok(values)
    }

    /// The values of a column that pass the checks of the column and of its domain.
    async fn of_column(
        &self,
        (number, number_of_all): (i32, usize),
        column: &Column,
        wanted: &shape::Wanted,
        shape: &Shape,
    ) -> Result<Vec<String>, tokio_postgres::Error> {
        let type_ = &wanted.type_;
        let asked = Wanted { type_, column: &column.name, number: number_of_all, is_large: self.is_large };
        let mut tried = candidates(asked);
        let near = shape.checks.iter().filter(|(columns, _)| columns.contains(&number)).map(|(_, check)| check);
        let said = near.chain(&wanted.domain_checks);
        let of_checks: Vec<String> = said.flat_map(|check| mentioned(check, &column.type_name, &type_.name)).collect();
        let at = tried.len().min(ROWS);
        tried.splice(at..at, of_checks);
        tried.splice(at..at, self.words.of(&type_.name).iter().cloned());
        let mut known = BTreeSet::new();
        tried.retain(|value| known.insert(value.clone()));
        tried.truncate(TRIED);
        let own = shape.checks.iter().filter(|(columns, _)| columns[..] == [number]);
        let own: Vec<&str> = own.map(|(_, check)| check.as_str()).collect();
        let of_domain: Vec<&str> = wanted.domain_checks.iter().map(String::as_str).collect();
        let fit = self.passing(&column.name, &column.type_name, &own, tried).await?;
        self.passing("value", &type_.declared, &of_domain, fit).await
    }

    /// The keys of the tables that a foreign key refers to, in place of values of its columns.
    fn keys(&self, shape: &Shape, values: &mut Values) {
        for reference in &shape.references {
            let Some(other) = self.state.tables.get(&reference.table) else { continue };
            for (number, theirs) in reference.columns.iter().zip(&reference.others) {
                let Some(theirs) = other.columns.get(theirs).filter(|_| values.contains_key(number)) else { continue };
                let key = |row: usize| {
                    format!(
                        "(SELECT k FROM (SELECT {} AS k, row_number() OVER (ORDER BY tableoid, ctid) - 1 AS n, count(*) OVER () AS c FROM {}) r WHERE n = {row} % c)",
                        identifier(&theirs.name),
                        other.sql()
                    )
                };
                values.insert(*number, (0..ROWS).map(key).collect());
            }
        }
    }

    /// The values that pass all checks of a column by itself; all of them, where the server cannot say.
    async fn passing(
        &self,
        name: &str,
        type_name: &str,
        checks: &[&str],
        values: Vec<String>,
    ) -> Result<Vec<String>, tokio_postgres::Error> {
        if checks.is_empty() {
            return Ok(values);
        }
        let list = values.iter().enumerate().map(|(at, value)| format!("({at}, {}::{type_name})", literal(value)));
        let list = list.collect::<Vec<_>>().join(", ");
        let statement = format!(
            "SELECT number FROM (VALUES {list}) tried (number, {}) WHERE ({}) ORDER BY number",
            identifier(name),
            checks.join(") AND (")
        );
        let Some(passed) = self.ask(&statement).await? else { return Ok(values) };
        let passed: Vec<String> =
            passed.iter().filter_map(|number| values.get(number.parse::<usize>().ok()?).cloned()).collect();
        Ok(if passed.is_empty() { values } else { passed })
    }

    /// Chooses the values of columns that checks look at together.
    async fn together(&self, table: &Table, shape: &Shape, values: &mut Values) -> Result<(), tokio_postgres::Error> {
        let is_joint =
            |(columns, _): &&(Vec<i32>, String)| columns.len() > 1 && columns.iter().all(|c| values.contains_key(c));
        let checks: Vec<&(Vec<i32>, String)> = shape.checks.iter().filter(is_joint).collect();
        let columns: BTreeSet<i32> = checks.iter().flat_map(|(columns, _)| columns.iter().copied()).collect();
        if columns.is_empty() {
            return Ok(());
        }
        // As many as make a few thousand rows at most.
        let most = match columns.len() {
            2 => 20,
            3 => 10,
            4 => 5,
            _ => 3,
        };
        let null = "NULL".to_owned();
        let list = |number: &i32| {
            let none = Some(&null).filter(|_| shape.columns[number].is_optional);
            let tried = values[number].iter().take(most).chain(none).enumerate();
            let tried: Vec<String> = tried.map(|(at, value)| format!("({at}, {value})")).collect();
            let name = identifier(&table.columns[number].name);
            format!("(VALUES {}) t{number} (n{number}, {name})", tried.join(", "))
        };
        let from: Vec<String> = columns.iter().map(list).collect();
        let numbers: Vec<String> = columns.iter().map(|number| format!("n{number}")).collect();
        let conditions: Vec<&str> = checks.iter().map(|(_, check)| check.as_str()).collect();
        let statement = format!(
            "SELECT concat_ws(' ', {}) FROM {} WHERE ({}) ORDER BY {} LIMIT {}",
            numbers.join(", "),
            from.join(", "),
            conditions.join(") AND ("),
            numbers.join(" + "),
            ROWS
        );
        let found = self.ask(&statement).await?.unwrap_or_default();
        let tuples: Vec<Vec<usize>> =
            found.iter().map(|row| row.split(' ').filter_map(|number| number.parse().ok()).collect()).collect();
        for (at, number) in columns.iter().enumerate() {
            let Some(all) = values.get(number).cloned() else { continue };
            let chosen = tuples.iter().filter_map(|tuple| {
                let index = *tuple.get(at)?;
                Some(all.get(index).filter(|_| index < most).cloned().unwrap_or_else(|| null.clone()))
            });
            let chosen: Vec<String> = chosen.collect();
            let chosen = if chosen.is_empty() { all.into_iter().take(ROWS).collect() } else { chosen };
            values.insert(*number, chosen);
        }
        Ok(())
    }

    /// The first column of a query of values, which may be one that the server refuses.
    async fn ask(&self, statement: &str) -> Result<Option<Vec<String>>, tokio_postgres::Error> {
        match self.client.simple_query(&format!("SAVEPOINT question; {statement}; RELEASE question")).await {
            Ok(messages) => Ok(Some(rows(messages).iter().filter_map(|row| row.get(0)).map(str::to_owned).collect())),
            Err(_) => {
                self.client.batch_execute("ROLLBACK TO question; RELEASE question").await?;
                Ok(None)
            }
        }
    }
}
