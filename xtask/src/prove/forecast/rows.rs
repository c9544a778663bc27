//! Invented rows as SQL: an expression for each column, of the number of the row `g` from 1. Pure.
//!
//! The types, widths, null fractions and numbers of distinct values are those of the statistics; what is in the rows is not.

use std::collections::{BTreeMap, BTreeSet};

use crate::prove::data::takes::{Column, Takes};
use migrator_engine::client::{identifier, literal, unquoted};
use migrator_engine::stats;

/// The longest value, in bytes: larger ones are kept outside of the table.
const LONGEST: usize = 1_800;

/// What is asked of one table.
pub(super) struct Asked<'a> {
    pub(super) takes: &'a Takes,
    /// What is known of its columns.
    pub(super) statistics: &'a stats::Table,
    /// How many rows it gets.
    pub(super) rows: u64,
    /// How many the other tables get, by name.
    pub(super) others: &'a BTreeMap<String, u64>,
    /// Columns whose values are those that pass the checks, because invented ones don't.
    pub(super) careful: &'a BTreeSet<String>,
}

impl Asked<'_> {
    /// Columns and their expressions.
    pub(super) fn columns(&self) -> Vec<(String, String)> {
        let keys = self.keys();
        let expression = |(at, column): (usize, &Column)| {
            let value = self.value(at, column, &keys)?;
            Some((column.name.clone(), value))
        };
        self.takes.columns.iter().enumerate().filter_map(expression).collect()
    }

    /// `INSERT` of rows `from` to `to`.
    pub(super) fn insert(&self, table: &str, (from, to): (u64, u64)) -> String {
        let columns = self.columns();
        let names: Vec<String> = columns.iter().map(|(name, _)| identifier(name)).collect();
        let values: Vec<&str> = columns.iter().map(|(_, value)| value.as_str()).collect();
        match names.is_empty() {
            true => format!("INSERT INTO {table} SELECT FROM generate_series({from}::bigint, {to}::bigint) g"),
            false => format!(
                "INSERT INTO {table} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM generate_series({from}::bigint, {to}::bigint) g \
                 ON CONFLICT DO NOTHING",
                names.join(", "),
                values.join(", ")
            ),
        }
    }

    /// The columns that make a row unlike all others: the last one of each unique index that refers to nothing, so that few are.
    fn keys(&self) -> BTreeSet<&str> {
        let refers = |name: &String| self.reference(name).is_some();
        let last = |columns: &Vec<String>| -> Option<&str> {
            let own = self.takes.columns.iter().filter(|column| columns.contains(&column.name));
            let mut free = own.filter(|column| !refers(&column.name) && column.base != "bool");
            free.next_back().map(|column| column.name.as_str())
        };
        self.takes.unique.iter().filter_map(last).collect()
    }

    /// The table that a column refers to, and the column there.
    fn reference(&self, column: &str) -> Option<(&str, &str)> {
        self.takes.references.iter().find_map(|reference| {
            let at = reference.columns.iter().position(|own| own == column)?;
            Some((reference.table.as_str(), reference.others.get(at)?.as_str()))
        })
    }

    fn value(&self, at: usize, column: &Column, keys: &BTreeSet<&str>) -> Option<String> {
        let known = self.statistics.columns.iter().find(|known| is_name(&known.name, &column.name));
        let is_key = keys.contains(column.name.as_str());
        let drawn =
            |most: u64| format!("(1 + mod(hashint8(g * 31 + {at})::bigint & 2147483647, {most}))", most = most.max(1));
        if let Some((table, _)) = self.reference(&column.name) {
            let most = self.others.get(table).copied().unwrap_or(self.rows);
            let width = known.and_then(|known| known.width);
            let number = match self.is_all_references(&column.name) {
                // Pairs of keys: each pair once.
                Some(0) => format!("(1 + mod(g, {}))", most.max(1)),
                Some(_) => {
                    format!("(1 + mod(g / {} + g, {most}))", self.first_of_pair(&column.name), most = most.max(1))
                }
                None => drawn(most),
            };
            return Some(self.nullable(at, column, known, of_type(column, &number, width, true)?));
        }
        let distinct = match known.and_then(|known| known.distinct) {
            Some(part) if part < 0.0 => (-part * self.rows as f64) as u64,
            Some(number) => number as u64,
            None => self.rows,
        };
        let number = if is_key || column.base.is_empty() { "g".to_owned() } else { drawn(distinct.min(self.rows)) };
        let invented = of_type(column, &number, known.and_then(|known| known.width), is_key);
        let chosen = || match column.values.as_slice() {
            [] => None,
            [one] => Some(one.clone()),
            // A checked row is one that was chosen as a whole.
            all => Some(format!("(ARRAY[{}])[1 + mod(g, {})::int]", all.join(", "), all.len())),
        };
        let value = match self.careful.contains(&column.name) {
            true => chosen().or(invented),
            false => invented.or_else(chosen),
        };
        Some(self.nullable(at, column, known, value?))
    }

    /// Of a unique index in which every column refers to another table: which of its columns this is.
    fn is_all_references(&self, column: &str) -> Option<usize> {
        let is_pair = |columns: &&Vec<String>| columns.iter().all(|name| self.reference(name).is_some());
        let found =
            self.takes.unique.iter().filter(is_pair).find(|columns| columns.iter().any(|name| name == column))?;
        found.iter().position(|name| name == column)
    }

    fn first_of_pair(&self, column: &str) -> u64 {
        let pair = self.takes.unique.iter().find(|columns| columns.iter().any(|name| name == column));
        let table = pair.and_then(|columns| self.reference(columns.first()?)).map(|(table, _)| table);
        table.and_then(|table| self.others.get(table)).copied().unwrap_or(1).max(1)
    }

    fn nullable(&self, at: usize, column: &Column, known: Option<&stats::Column>, value: String) -> String {
        let nulls = known.and_then(|known| known.nulls).unwrap_or(0.0);
        if column.is_required || nulls <= 0.0005 || self.careful.contains(&column.name) {
            return value;
        }
        let thousandths = (nulls * 1000.0).round();
        format!("CASE WHEN mod(hashint8(g * 17 + {at})::bigint & 2147483647, 1000) >= {thousandths} THEN {value} END")
    }
}

/// Whether a name of the statistics, quoted where that is needed, is this one.
fn is_name(quoted: &str, name: &str) -> bool {
    unquoted(quoted) == name
}

/// The value with that number; with different numbers they differ, as far as the type has so many. `None`: the type is unknown.
fn of_type(column: &Column, number: &str, width: Option<i64>, is_key: bool) -> Option<String> {
    let sql = &column.sql_type;
    if column.base.is_empty() {
        return Some(format!("{number}::{sql}"));
    }
    if let Some(element) = &column.element {
        let inner = Column {
            base: element.clone(),
            element: None,
            sql_type: sql.trim_end_matches("[]").to_owned(),
            ..column.clone()
        };
        // An array begins with a header, and each value in it takes about as much as a short word.
        let length = ((width.unwrap_or(40) - 24) / 9).clamp(1, 20);
        let of = |at: i64| of_type(&inner, &format!("({number} + {at} * 7919)"), Some(8), false);
        let values = (0..length).map(of).collect::<Option<Vec<String>>>()?;
        return Some(format!("ARRAY[{}]::{sql}", values.join(", ")));
    }
    if !column.labels.is_empty() {
        let labels: Vec<String> = column.labels.iter().map(|label| literal(label)).collect();
        return Some(format!("((ARRAY[{}])[1 + mod({number}, {})::int])::{sql}", labels.join(", "), labels.len()));
    }
    Some(match column.base.as_str() {
        "int2" => format!("mod({number}, 32767)::{sql}"),
        "int4" => format!("mod({number}, 2147483647)::{sql}"),
        "int8" | "oid" => format!("{number}::{sql}"),
        "float4" | "float8" => format!("({number}::float8 * 1.25)::{sql}"),
        "numeric" => numeric(column, number),
        "bool" => format!("(mod({number}, 2) = 0)::{sql}"),
        "date" => format!("('2000-01-01'::date + mod({number}, 1000000)::int)::{sql}"),
        "timestamp" | "timestamptz" => {
            format!("('2020-01-01'::{} + {number} * interval '1 second')::{sql}", column.base)
        }
        "time" => format!("('00:00'::time + mod({number}, 86400) * interval '1 second')::{sql}"),
        "interval" => format!("({number} * interval '1 second')::{sql}"),
        "uuid" => format!("md5({number}::text)::uuid::{sql}"),
        "inet" => format!("('10.0.0.0'::inet + {number})::{sql}"),
        "text" | "varchar" | "bpchar" | "citext" | "name" => format!("{}::{sql}", text(column, number, width, is_key)),
        "bytea" => format!("decode({}, 'hex')::{sql}", hex(number, 2 * width.unwrap_or(16) as usize)),
        "json" | "jsonb" => {
            let width = (width.unwrap_or(40) - 16).max(8) as usize;
            format!("('{{\"key\": \"' || {} || '\"}}')::{sql}", hex(number, width))
        }
        "tsvector" => {
            let words = (width.unwrap_or(60) / 12).clamp(1, 40);
            let word = |at| format!("'w' || mod({number} * 31 + {at} * 7919, 50000)");
            format!("array_to_tsvector(ARRAY[{}])::{sql}", (0..words).map(word).collect::<Vec<_>>().join(", "))
        }
        _ => return None,
    })
}

fn numeric(column: &Column, number: &str) -> String {
    let inside = column.declared.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map(|(inside, _)| inside);
    let (digits, scale) = inside.unwrap_or("14,2").split_once(',').unwrap_or((inside.unwrap_or("14"), "0"));
    let (digits, scale) = (digits.trim().parse::<i32>().unwrap_or(14), scale.trim().parse::<i32>().unwrap_or(2));
    let (most, scale) = (digits.clamp(1, 18), scale.clamp(0, digits.clamp(1, 18)));
    let modulo = 10_i64.pow(most as u32);
    let divisor = 10_i64.pow(scale as u32);
    format!("(mod({number}, {modulo})::numeric / {divisor})::{}", column.sql_type)
}

/// As many characters of digits as that, from a number.
fn hex(number: &str, length: usize) -> String {
    let length = length.clamp(2, LONGEST) / 2 * 2;
    let times = length.div_ceil(32);
    match times {
        1 => format!("left(md5(({number})::text), {length})"),
        _ => format!("left(repeat(md5(({number})::text), {times}), {length})"),
    }
}

fn text(column: &Column, number: &str, width: Option<i64>, is_key: bool) -> String {
    let inside = column.declared.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map(|(inside, _)| inside);
    let limit: usize = inside.and_then(|limit| limit.parse().ok()).unwrap_or(LONGEST);
    let limit = if column.base == "name" { 63 } else { limit };
    // One byte says how long it is.
    let length = width.map_or(16, |width| (width - 1).clamp(1, LONGEST as i64) as usize).min(limit).max(1);
    if length < 12 {
        let digits = format!("to_hex(({number})::bigint)");
        return if is_key {
            format!("lpad({digits}, {}, '0')", length.max(8).min(limit))
        } else {
            format!("lpad({digits}, {length}, 'a')")
        };
    }
    let times = length.div_ceil(32);
    format!("left(repeat(md5(({number})::text), {times}), {length})")
}

#[cfg(test)]
mod tests;
