//! Numbers of a file of statistics that make no sense are refused where they are written, by the key's name.

use serde::de::{Deserialize, Deserializer, Error};
use serde_json::{Number, Value};

/// 1 EiB: more than PostgreSQL can store.
const MOST_BYTES: i64 = 1 << 60;

/// More rows than a table can have.
const MOST_ROWS: i64 = 10_000_000_000_000_000;

/// More than any counter of a server reaches.
const MOST_COUNTED: i64 = i64::MAX;

/// A thousand years.
const MOST_MINUTES: f64 = 525_960_000.0;

fn refused<T, E: Error>(key: &str, value: &Value, wanted: &str) -> Result<T, E> {
    // A text may be as long as the file.
    let shown: String = value.to_string().chars().take(40).collect();
    Err(E::custom(format!("`{key}` is {shown}, not {wanted}")))
}

/// A whole number from `low` to `high`.
fn whole<'de, D: Deserializer<'de>>(from: D, key: &str, low: i64, high: i64) -> Result<i64, D::Error> {
    let value = Value::deserialize(from)?;
    match value.as_i64().filter(|number| (low..=high).contains(number)) {
        Some(number) => Ok(number),
        None if high == i64::MAX => refused(key, &value, &format!("a whole number of at least {low}")),
        None => refused(key, &value, &format!("a whole number from {low} to {high}")),
    }
}

/// A number from `low` to `high`.
fn number(key: &str, value: &Value, low: f64, high: f64) -> Result<f64, serde_json::Error> {
    match value.as_f64().filter(|number| (low..=high).contains(number)) {
        Some(number) => Ok(number),
        None => refused(key, value, &format!("a number from {low} to {high}")),
    }
}

/// Functions for `deserialize_with`, by the keys that they read.
macro_rules! limits {
    (whole { $($whole:ident: $low:expr, $high:expr;)* } optional { $($key:ident: $from:expr, $to:expr;)* } part { $($part:ident: $least:expr, $most:expr;)* }) => {
        $(pub(super) fn $whole<'de, D: Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
            whole(from, stringify!($whole), $low, $high)
        })*
        $(pub(super) fn $key<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
            let value = Option::<Number>::deserialize(from).map_err(|_| D::Error::custom(format!(
                "`{}` is neither a number nor null", stringify!($key)
            )))?;
            value.map(|value| whole(Value::Number(value), stringify!($key), $from, $to).map_err(D::Error::custom)).transpose()
        })*
        $(pub(super) fn $part<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
            let value = Value::deserialize(from)?;
            if value.is_null() {
                return Ok(None);
            }
            number(stringify!($part), &value, $least, $most).map(Some).map_err(D::Error::custom)
        })*
    };
}

limits! {
    whole {
        format: 1, i64::MAX;
        major: 9, 999;
        calls: 0, MOST_COUNTED;
        rows: -1, MOST_ROWS;
        pages: 0, i64::from(u32::MAX);
        sequential_scans: 0, MOST_COUNTED;
        index_scans: 0, MOST_COUNTED;
        inserted: 0, MOST_COUNTED;
        updated: 0, MOST_COUNTED;
        deleted: 0, MOST_COUNTED;
    }
    optional {
        bytes: 0, MOST_BYTES;
        toast_bytes: 0, MOST_BYTES;
        width: 0, 1 << 30;
    }
    part {
        counted_minutes: 0.0, MOST_MINUTES;
        minutes: 0.0, MOST_MINUTES;
        nulls: 0.0, 1.0;
        distinct: -1.0, MOST_ROWS as f64;
    }
}

pub(super) fn longest_transaction_seconds<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    let value = Value::deserialize(from)?;
    number("longest_transaction_seconds", &value, 0.0, MOST_MINUTES * 60.0).map_err(D::Error::custom)
}
