//! Locks over time: a row for each relation, a column for each statement.

use std::collections::BTreeMap;
use std::time::Duration;

use maud::{Markup, html};

use super::content::class;
use crate::prove::forecast;
use crate::prove::trace::{Effect, Statement, Trace, Waits};
use migrator_engine::words::precise;
use migrator_sql::LockMode;

/// So much of the width is shared evenly, so that a short statement has room for a word; the rest goes by time.
const EVEN: f64 = 0.75;

/// The least width of the relations' names and of a statement on average, in rem.
const NAME: f64 = 12.0;
const COLUMN: f64 = 7.0;

/// What one relation suffers during one statement.
struct Cell<'t> {
    mode: LockMode,
    /// What the statement itself did; `None`: the lock is still held.
    effect: Option<&'t Effect>,
}

/// One relation: a table with its indexes, or what is no table's.
struct Row<'t> {
    relation: &'t str,
    /// One for each statement.
    cells: Vec<Option<Cell<'t>>>,
    /// Its indexes, each with the strongest lock on it.
    indexes: BTreeMap<&'t str, LockMode>,
}

/// The relations of a trace in the order in which they are locked. An index is in the row of its table, where that is locked too.
fn rows(trace: &Trace) -> Vec<Row<'_>> {
    let mut order: Vec<&str> = Vec::new();
    let mut columns: Vec<BTreeMap<&str, Cell<'_>>> = Vec::new();
    let mut held: BTreeMap<&str, LockMode> = BTreeMap::new();
    let mut transaction = None;
    for statement in &trace.statements {
        if transaction.replace(statement.transaction) != Some(statement.transaction) {
            held.clear();
        }
        let mut column: BTreeMap<&str, Cell<'_>> =
            held.iter().map(|(relation, mode)| (*relation, Cell { mode: *mode, effect: None })).collect();
        for effect in statement.effects.iter().filter(|effect| effect.is_shown()) {
            let relation = effect.relation.as_str();
            if !order.contains(&relation) {
                order.push(relation);
            }
            held.insert(relation, effect.lock);
            column.insert(relation, Cell { mode: effect.lock, effect: Some(effect) });
        }
        columns.push(column);
    }
    let mut indexes: BTreeMap<&str, BTreeMap<&str, LockMode>> = BTreeMap::new();
    let mut rows = Vec::new();
    for &relation in &order {
        let cells: Vec<Option<Cell<'_>>> = columns.iter_mut().map(|column| column.remove(relation)).collect();
        match trace.tables.get(relation).filter(|table| order.contains(&table.as_str())) {
            Some(table) => {
                let mode = cells.iter().flatten().map(|cell| cell.mode).max();
                indexes.entry(table).or_default().extend(mode.map(|mode| (relation, mode)));
            }
            None => rows.push((relation, cells)),
        }
    }
    let with_indexes =
        |(relation, cells)| Row { relation, cells, indexes: indexes.remove(relation).unwrap_or_default() };
    rows.into_iter().map(with_indexes).collect()
}

/// How long a relation makes others wait.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Held<'t> {
    pub(super) relation: &'t str,
    /// The strongest lock on it.
    pub(super) mode: LockMode,
    pub(super) time: Duration,
    /// Its indexes that are locked as well.
    pub(super) indexes: BTreeMap<&'t str, LockMode>,
}

/// Every relation that makes others wait; that of a table, or of one of its indexes.
pub(super) fn held(trace: &Trace) -> Vec<Held<'_>> {
    let sum = |row: &Row<'_>| {
        let waiting = row.cells.iter().zip(&trace.statements).filter_map(|(cell, statement)| {
            cell.as_ref().filter(|cell| Waits::of(cell.mode) > Waits::Nobody).map(|cell| (cell.mode, statement.took))
        });
        let (modes, times): (Vec<LockMode>, Vec<Duration>) = waiting.unzip();
        let of_indexes = row.indexes.values().copied().filter(|mode| Waits::of(*mode) > Waits::Nobody);
        Some((modes.into_iter().chain(of_indexes).max()?, times.into_iter().sum::<Duration>()))
    };
    let of_rows = rows(trace).into_iter().filter_map(|row| Some((sum(&row)?, row)));
    of_rows.map(|((mode, time), Row { relation, indexes, .. })| Held { relation, mode, time, indexes }).collect()
}

/// The seconds of a statement: those of the forecast, where there is one.
fn seconds(statement: &Statement, forecast: Option<&forecast::Step>) -> f64 {
    let expected = forecast.and_then(|forecast| forecast.statement(statement.number)?.time.as_ref().ok());
    expected.map_or(statement.took.as_secs_f64(), |time| time.expected)
}

/// How long a statement takes, as it is shown.
fn shown(statement: &Statement, forecast: Option<&forecast::Step>) -> String {
    match forecast.and_then(|forecast| forecast.statement(statement.number)).map(|forecast| &forecast.time) {
        None => precise(statement.took),
        Some(Ok(time)) => time.words(),
        Some(Err(_)) => "unknown time".to_owned(),
    }
}

/// The table; nothing, where nothing is locked.
pub(super) fn timeline(trace: &Trace, forecast: Option<&forecast::Step>, sizes: &BTreeMap<String, String>) -> Markup {
    let rows = rows(trace);
    let statements = &trace.statements;
    let total: f64 = statements.iter().map(|statement| seconds(statement, forecast)).sum();
    let narrowest = NAME + COLUMN * statements.len() as f64;
    let name = (NAME / narrowest).min(0.3);
    let width = |statement: &Statement| {
        let by_time = if total > 0.0 { seconds(statement, forecast) / total } else { 0.0 };
        100.0 * (1.0 - name) * (EVEN / statements.len() as f64 + (1.0 - EVEN) * by_time)
    };
    let starts = |index: usize| index > 0 && statements[index].transaction != statements[index - 1].transaction;
    html! {
        @if rows.is_empty() {
            p.empty { "No existing relation is locked." }
        } @else {
            div.scroll tabindex="0" {
                table.timeline style=(format!("min-width: {narrowest}rem")) {
                    caption { "Locks from left to right, each held until its transaction ends" }
                    colgroup {
                        col style=(format!("width: {:.2}%", 100.0 * name));
                        @for statement in statements { col style=(format!("width: {:.2}%", width(statement))); }
                    }
                    thead { tr {
                        th scope="col" { "Relation" }
                        @for (index, statement) in statements.iter().enumerate() {
                            th class=(if starts(index) { "commit" } else { "" }) scope="col" { (statement.number) span.time { (shown(statement, forecast)) } }
                        }
                    } }
                    tbody {
                        @for Row { relation, cells, indexes } in &rows {
                            tr {
                                th scope="row" {
                                    code { (relation) }
                                    @if let Some(size) = sizes.get(*relation) { span.size { (size) } }
                                    (folded(indexes.iter().map(|(name, mode)| (*name, *mode))))
                                }
                                @for (index, cell) in cells.iter().enumerate() { (self::cell(cell.as_ref(), starts(index))) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Indexes with their strongest locks, under a line that unfolds them.
pub(super) fn folded<'n>(indexes: impl Iterator<Item = (&'n str, LockMode)>) -> Markup {
    let indexes: Vec<_> = indexes.collect();
    html! {
        @if !indexes.is_empty() {
            details.indexes {
                summary { (indexes.len()) @if indexes.len() == 1 { " index" } @else { " indexes" } }
                ul { @for (name, mode) in &indexes { li { code { (name) } ": " (mode.pg_locks_name()) } } }
            }
        }
    }
}

fn cell(cell: Option<&Cell<'_>>, starts: bool) -> Markup {
    let commit = if starts { "commit" } else { "" };
    let Some(Cell { mode, effect }) = cell else { return html! { td class=(commit) {} } };
    let taken = effect.is_some_and(|effect| effect.taken);
    let name = mode.pg_locks_name().trim_end_matches("Lock");
    // A narrow column breaks the word where it has its joint.
    let (first, second) = name.split_at(name.rfind("Exclusive").unwrap_or(name.len()));
    html! {
        td class={ "bar " (class(Waits::of(*mode))) " " (commit) } title={ (mode.pg_locks_name()) ": " (Waits::of(*mode).words()) } {
            @if taken { span.mode { (first) wbr; (second) } } @else { span.held { "held" } }
            @if let Some(effect) = effect {
                @if effect.rewritten { span.work { "rewritten" } }
                @if effect.scanned { span.work { "scanned" } }
                @if effect.dropped { span.work { "dropped" } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn effect(relation: &str, lock: LockMode, taken: bool) -> Effect {
        let relation = relation.to_owned();
        let mut effect = Effect::lock(relation, lock);
        effect.taken = taken;
        effect
    }

    fn trace(statements: Vec<(usize, u64, Vec<Effect>)>) -> Trace {
        let statement = |(index, (transaction, ms, effects)): (usize, (usize, u64, Vec<Effect>))| {
            let took = Duration::from_millis(ms);
            Statement {
                number: index + 1,
                line: 1,
                sql: "",
                took,
                transaction,
                polled: false,
                effects,
                certain: Vec::new(),
            }
        };
        let statements = statements.into_iter().enumerate().map(statement).collect();
        Trace {
            label: "x".to_owned(),
            file: "x",
            statements,
            new_relations: Default::default(),
            tables: Default::default(),
        }
    }

    #[test]
    fn a_lock_is_held_to_the_end_of_its_transaction_and_no_longer() {
        let trace = trace(vec![
            (1, 1, vec![]),
            (1, 2, vec![effect("a", LockMode::Share, true), effect("weak", LockMode::RowExclusive, true)]),
            (1, 4, vec![effect("b", LockMode::ShareUpdateExclusive, true)]),
            (1, 8, vec![effect("a", LockMode::AccessExclusive, true)]),
            (2, 16, vec![effect("b", LockMode::AccessExclusive, true)]),
        ]);
        let ms = Duration::from_millis;
        let strong = LockMode::AccessExclusive;
        let of = |relation, time| Held { relation, mode: strong, time: ms(time), indexes: BTreeMap::new() };
        assert_eq!(held(&trace), [of("a", 14), of("b", 16)]);
        let shown: Vec<String> = rows(&trace)
            .into_iter()
            .map(|Row { relation, cells, .. }| {
                let letter = |cell: Option<Cell<'_>>| match cell {
                    None => '.',
                    Some(Cell { effect: None, .. }) => '-',
                    Some(_) => 'x',
                };
                format!("{relation} {}", cells.into_iter().map(letter).collect::<String>())
            })
            .collect();
        assert_eq!(shown, ["a .x-x.", "b ..x-x"]);
    }

    #[test]
    fn an_index_is_in_the_row_of_its_table_and_one_whose_table_is_not_locked_has_its_own() {
        let strong = LockMode::AccessExclusive;
        let effects = vec![effect("a", LockMode::ShareUpdateExclusive, true), effect("a_pkey", strong, true)];
        let mut trace = trace(vec![(1, 3, effects), (2, 5, vec![effect("b_x", strong, true)])]);
        trace.tables =
            [("a_pkey", "a"), ("b_x", "b")].map(|(index, table)| (index.to_owned(), table.to_owned())).into();
        let shown: Vec<_> = rows(&trace).iter().map(|row| (row.relation, row.indexes.len())).collect();
        assert_eq!(shown, [("a", 1), ("b_x", 0)]);
        let held = held(&trace);
        assert_eq!((held[0].relation, held[0].mode, held[0].indexes["a_pkey"]), ("a", strong, strong));
    }
}
