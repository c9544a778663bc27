//! Statistics of a database: how large its tables are and how busy, and nothing of what is in them. Pure: the types, and the file.
//!
//! `migrator stats` writes the file on production, [`Stats::open`] reads it elsewhere. It is JSON that people may read and edit; a
//! mistake in it is reported with its line.

mod form;
mod limits;
mod read;
mod write;

pub use form::{
    Activity, Column, FORMAT, Family, Index, MOST_TABLES, NoStatistics, Statements, Stats, Table, TableKind,
};
