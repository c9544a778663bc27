//! Reads a file of statistics, which may have been edited by hand.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use serde::Deserialize;

use super::form::{FORMAT, Stats};
use crate::error::{Error, ErrorKind};
use crate::excerpt::Excerpt;

/// More than a file of [`super::form::MOST_TABLES`] tables has.
const MOST_BYTES: u64 = 512 << 20;

/// What every form of the file begins with.
#[derive(Deserialize)]
struct Head {
    format: i64,
}

impl Stats {
    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read, or as of [`Stats::parse`].
    pub fn open(path: &Path) -> Result<Stats, Error> {
        let failed = |error: std::io::Error| {
            let what = format!("cannot read the statistics `{}`", path.display());
            Error::from(ErrorKind::Io { what, reason: error.to_string() })
                .help("`migrator stats --out FILE` writes them, on the database that they are about")
                .caused_by(error)
        };
        let mut bytes = Vec::new();
        File::open(path).and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes)).map_err(failed)?;
        if bytes.len() as u64 > MOST_BYTES {
            return Err(Error::usage(format!(
                "the statistics `{}` are larger than {} MB",
                path.display(),
                MOST_BYTES >> 20
            ))
            .help("leave out tables that no migration touches"));
        }
        let text = String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            Error::usage(format!("the statistics `{}` are not UTF-8 at byte {at}", path.display())).caused_by(error)
        })?;
        Stats::parse(&path.display().to_string(), &text)
    }

    /// Reads what [`Stats::render`] has written; `file` is for messages.
    ///
    /// # Errors
    /// Not JSON, an unknown or a missing key, a number that makes no sense, a table twice, the form of a newer release: with its line.
    pub fn parse(file: &str, text: &str) -> Result<Stats, Error> {
        if let Ok(Head { format }) = serde_json::from_str(text)
            && format > FORMAT
        {
            return Err(Error::usage(format!(
                "the statistics `{file}` have the form {format}, and this release reads {FORMAT}"
            ))
            .help("write them with `migrator stats` of this release, or use the release that has written them"));
        }
        let stats: Stats = serde_json::from_str(text).map_err(|error| {
            let said = error.to_string();
            let (line, column) = (error.line(), error.column());
            let reason = said.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&said);
            invalid(file, text, byte(text, line, column), reason).caused_by(error)
        })?;
        let mut names = BTreeSet::new();
        match stats.tables.iter().find(|table| !names.insert(&table.name)) {
            None => Ok(stats),
            Some(twice) => {
                let name = serde_json::Value::from(&*twice.name).to_string();
                let at = text.rfind(&name).unwrap_or(0);
                Err(invalid(file, text, at, &format!("the table `{}` is listed twice", twice.name)))
            }
        }
    }
}

/// The byte of a line and a column in bytes, both from 1.
fn byte(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let length = text[start..].find('\n').unwrap_or(text.len() - start);
    start + column.saturating_sub(1).min(length)
}

/// A longer line is not shown: it may be the whole file.
const LONGEST_LINE: usize = 400;

fn invalid(file: &str, text: &str, at: usize, reason: &str) -> Error {
    let excerpt = Excerpt::new(file, text, at, reason);
    let error = match excerpt.line().len() <= LONGEST_LINE {
        true => Error::usage(format!("cannot read the statistics `{file}`")).at(Some(excerpt)),
        false => Error::usage(format!("cannot read the statistics `{file}`: {reason}"))
            .note(format!("it is at {}", excerpt.position())),
    };
    error.help("correct it, or write the file again with `migrator stats --out FILE`")
}

#[cfg(test)]
mod tests;
