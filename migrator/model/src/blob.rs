//! A whole db directory as it is embedded in a binary.

use std::sync::OnceLock;

use crate::coded::{Coded, Reader, Source, Writer, coded, sum};
use crate::{Corrupt, Set, Text};

/// The first bytes of every table.
const MAGIC: &[u8] = b"migrator";

/// The release that wrote or reads a blob: both ends are this crate.
const RELEASE: &str = env!("CARGO_PKG_VERSION");

/// A [`Set`] in a binary: a table of bytes and the texts of all files, verbatim.
///
/// Nothing points into memory, so starting the binary costs the same with one migration and with 10,000; the set is read when it is
/// first asked for.
#[derive(Debug)]
pub struct Blob {
    source: Source,
    set: OnceLock<Result<Set, Corrupt>>,
}

/// What can be said of a set without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// The set's [`digest`](Set::digest).
    pub digest: Text,
    /// The number of migrations.
    pub migrations: usize,
    /// The newest version, as it is written.
    pub newest: Option<Text>,
}

coded!(Summary { digest, migrations, newest });

impl Summary {
    /// The summary of a set.
    pub fn of(set: &Set) -> Summary {
        let newest = set.migrations.last().map(|migration| migration.version.clone());
        Summary { digest: set.digest.clone(), migrations: set.migrations.len(), newest }
    }
}

impl Blob {
    /// A blob of what [`Blob::write`] has written.
    pub const fn new(table: &'static [u8], texts: &'static str) -> Blob {
        Blob { source: Source { table, texts }, set: OnceLock::new() }
    }

    /// A set as a table and its texts.
    pub fn write(set: &Set) -> (Vec<u8>, String) {
        let mut out = Writer::default();
        Summary::of(set).write(&mut out);
        set.write(&mut out);
        let mut head = Writer { table: MAGIC.to_vec(), texts: String::new() };
        head.number(RELEASE.len() as u64);
        head.table.extend(RELEASE.as_bytes());
        head.number(out.table.len() as u64);
        head.number(out.texts.len() as u64);
        head.table.extend(sum(&out.table).to_le_bytes());
        head.table.append(&mut out.table);
        (head.table, out.texts)
    }

    /// The set, which borrows its texts; read once.
    ///
    /// # Errors
    /// Another release has written it, it is not whole, or it is not a blob.
    pub fn set(&'static self) -> Result<&'static Set, Corrupt> {
        self.set.get_or_init(|| self.read()).as_ref().map_err(Corrupt::clone)
    }

    /// What can be said without reading the set.
    ///
    /// # Errors
    /// As [`Blob::set`].
    pub fn summary(&'static self) -> Result<Summary, Corrupt> {
        Summary::read(&mut self.reader()?.0)
    }

    fn read(&'static self) -> Result<Set, Corrupt> {
        let (mut reader, sum) = self.reader()?;
        if sum != reader.sum().to_le_bytes() {
            return Err(Corrupt::new("bytes of their table have changed"));
        }
        Summary::read(&mut reader)?;
        let set = Set::read(&mut reader)?;
        if !reader.is_at_end() {
            return Err(Corrupt::new("something follows them"));
        }
        Ok(set)
    }

    /// A reader after the head, which says for whom the rest is, and how long; and the sum of that.
    fn reader(&'static self) -> Result<(Reader, &'static [u8]), Corrupt> {
        let mut reader = Reader::new(&self.source);
        if reader.bytes(MAGIC.len()).ok() != Some(MAGIC) {
            return Err(Corrupt::new("their table does not begin as one"));
        }
        let length = reader.count()?;
        let release = String::from_utf8_lossy(reader.bytes(length)?);
        if release != RELEASE {
            return Err(Corrupt::new(format!(
                "migrator-build {release} has written them, and this is migrator-engine {RELEASE}"
            )));
        }
        let (table, texts) = (usize::read(&mut reader)?, usize::read(&mut reader)?);
        let sum = reader.bytes(size_of::<u64>())?;
        for (what, length, expected) in [("table", reader.rest(), table), ("texts", self.source.texts.len(), texts)] {
            if length != expected {
                return Err(Corrupt::new(format!("{length} of {expected} bytes of their {what} are there")));
            }
        }
        Ok((reader, sum))
    }
}

#[cfg(test)]
mod tests;
