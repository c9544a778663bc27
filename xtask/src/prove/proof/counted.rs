//! The round trip of one migration whose changes are counted instead of read: what it costs does not grow with the schema.

use std::collections::HashMap;

use super::place::Place;
use super::tally;
use migrator_engine::Error;
use migrator_engine::embedded::{Block, Migration, StatementKind};

/// After so many migrations of one shape that had to be read after all the next one is read at once: to read it after all takes
/// another database.
const MISSES: usize = 2;

/// How it went.
pub(super) enum Trip {
    /// The down has restored the schema, and the second up has led to the same one.
    Exact,
    /// One of these is not certain: the schema has to be read, in a database that has not been through this.
    Unknown,
    /// It did not go up at all.
    Stopped(Error),
}

/// Which migrations are worth counting.
#[derive(Default)]
pub(super) struct Experience(HashMap<String, usize>);

impl Experience {
    /// Whether this one may be counted, and those like it could be.
    pub(super) fn speaks_for(&self, migration: &Migration) -> bool {
        let Some(down) = &migration.down else { return false };
        is_neutral(&migration.up)
            && is_neutral(down)
            && statements(down, migration).all(takes_away)
            && self.0.get(&shape(migration)).is_none_or(|&misses| misses < MISSES)
    }

    /// This one had to be read after all.
    pub(super) fn miss(&mut self, migration: &Migration) {
        *self.0.entry(shape(migration)).or_default() += 1;
    }
}

/// Up, down and up again.
///
/// # Errors
/// A lost connection.
pub(super) async fn round_trip(place: &mut Place) -> Result<Trip, Error> {
    let Some(before) = place.start_counting().await? else {
        return Ok(match place.up().await {
            Ok(()) => Trip::Unknown,
            Err(error) => Trip::Stopped(error),
        });
    };
    if let Err(error) = place.up().await {
        return Ok(Trip::Stopped(error));
    }
    let Some(after) = place.tally(&before).await? else { return Ok(Trip::Unknown) };
    if !tally::only_adds(place.catalogs(), &before, &after) || place.down().await.is_err() {
        return Ok(Trip::Unknown);
    }
    let Some(back) = place.tally(&before).await? else { return Ok(Trip::Unknown) };
    let Some(updated) = tally::takes_it_back(place.catalogs(), (&before, &after, &back)) else {
        return Ok(Trip::Unknown);
    };
    if !place.none_is_of(&updated, (&before, &back)).await? || place.up().await.is_err() {
        return Ok(Trip::Unknown);
    }
    let Some(again) = place.tally(&before).await? else { return Ok(Trip::Unknown) };
    if !tally::is_the_same_again(place.catalogs(), (&before, &after), (&back, &again)) {
        return Ok(Trip::Unknown);
    }
    place.go_on_from(again);
    Ok(Trip::Exact)
}

/// No statement runs anyone's code, and all of them are one transaction.
fn is_neutral(block: &Block) -> bool {
    block.options.transaction && block.statements.iter().all(|statement| statement.kind == StatementKind::Neutral)
}

fn statements<'a>(block: &'a Block, migration: &'a Migration) -> impl Iterator<Item = &'a str> {
    block.statements.iter().map(|statement| &migration.text[statement.range.clone()])
}

/// What begins otherwise changes a row that was there, which no count tells from another.
fn takes_away(statement: &str) -> bool {
    let words = words(statement);
    matches!(words.first().map(String::as_str), Some("drop" | "select"))
        || words.iter().any(|word| word == "constraint")
}

/// What kind of statements it has.
fn shape(migration: &Migration) -> String {
    let blocks = std::iter::once(&migration.up).chain(&migration.down);
    let kind = |statement: &str| {
        let words = words(statement);
        // `ALTER TABLE name ADD COLUMN`.
        let of_kind = words.iter().enumerate().filter(|(at, _)| *at < 2 || *at > 2 && words[0] == "alter");
        of_kind.map(|(_, word)| format!("{word} ")).collect::<String>()
    };
    blocks.flat_map(|block| statements(block, migration).map(kind)).collect()
}

/// The first words, in lower case.
fn words(statement: &str) -> Vec<String> {
    statement.split_whitespace().take(5).map(str::to_lowercase).collect()
}
