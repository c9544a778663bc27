//! The file as people see it: a line for each column and each index.

use std::io::{self, Write};

use serde::Serialize as _;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};

use super::form::Stats;

/// An object that is so deep is on one line, with all that is in it: what belongs to a table.
const LINES: usize = 4;

/// Pretty as far as [`LINES`] deep, with a space after a comma below that.
#[derive(Default)]
struct Layout {
    pretty: PrettyFormatter<'static>,
    depth: usize,
    /// How deep the object is that is being written on one line; 0: none is.
    line: usize,
}

impl Layout {
    fn is_line(&self) -> bool {
        self.line > 0
    }

    fn separator<W: Write + ?Sized>(writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }
}

impl Formatter for Layout {
    fn begin_array<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth += 1;
        if self.is_line() { writer.write_all(b"[") } else { self.pretty.begin_array(writer) }
    }

    fn end_array<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        let is_line = self.is_line();
        self.depth -= 1;
        if is_line { writer.write_all(b"]") } else { self.pretty.end_array(writer) }
    }

    fn begin_array_value<W: Write + ?Sized>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if self.is_line() { Layout::separator(writer, first) } else { self.pretty.begin_array_value(writer, first) }
    }

    fn end_array_value<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        if self.is_line() { Ok(()) } else { self.pretty.end_array_value(writer) }
    }

    fn begin_object<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth += 1;
        if self.depth >= LINES && !self.is_line() {
            self.line = self.depth;
        }
        if self.is_line() { writer.write_all(b"{") } else { self.pretty.begin_object(writer) }
    }

    fn end_object<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        let is_line = self.is_line();
        if self.line == self.depth {
            self.line = 0;
        }
        self.depth -= 1;
        if is_line { writer.write_all(b"}") } else { self.pretty.end_object(writer) }
    }

    fn begin_object_key<W: Write + ?Sized>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if self.is_line() { Layout::separator(writer, first) } else { self.pretty.begin_object_key(writer, first) }
    }

    fn begin_object_value<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }

    fn end_object_value<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        if self.is_line() { Ok(()) } else { self.pretty.end_object_value(writer) }
    }
}

impl Stats {
    /// The file, with a final line end; [`Stats::parse`] reads it.
    pub fn render(&self) -> String {
        let mut bytes = Vec::new();
        // Writing to memory does not fail, and no map in it has a key that is not a text.
        let _ = self.serialize(&mut Serializer::with_formatter(&mut bytes, Layout::default()));
        String::from_utf8_lossy(&bytes).into_owned() + "\n"
    }
}
