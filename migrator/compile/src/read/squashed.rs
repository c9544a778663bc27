//! `squashed.txt`: a line for each migration that a baseline stands for.

use crate::contract::{file_name, squashed};
use crate::file::Name;
use crate::problem::Problem;
use crate::source::Source;

/// One line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    pub(crate) version: &'a str,
    pub(crate) number: i64,
    pub(crate) name: &'a str,
    pub(crate) checksum: &'a str,
    pub(crate) is_baseline: bool,
}

impl Line<'_> {
    /// Whether this is the line of a file.
    pub(crate) fn is(&self, name: &Name) -> bool {
        self.version == name.version && self.name == name.name
    }

    fn parse(line: &str) -> Option<Line<'_>> {
        let mut words = line.split(' ');
        let (version, name, checksum) = (words.next()?, words.next()?, words.next()?);
        let is_baseline = match words.next() {
            None => false,
            Some("baseline") => true,
            Some(_) => return None,
        };
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let fits = version.bytes().all(|byte| byte.is_ascii_digit())
            && file_name::is_plain(name)
            && checksum.len() == 64
            && checksum.bytes().all(is_hex)
            && words.next().is_none();
        let number = version.parse().ok().filter(|_| fits)?;
        Some(Line { version, number, name, checksum, is_baseline })
    }
}

/// The lines, where no one asks what is wrong with them.
pub(crate) fn read_only(source: &Source) -> Vec<Line<'_>> {
    read(source, &mut Vec::new())
}

/// Reads the lines; a comment is a line that begins with `#`.
pub(crate) fn read<'a>(source: &'a Source, problems: &mut Vec<Problem>) -> Vec<Line<'a>> {
    let mut lines: Vec<Line<'a>> = Vec::new();
    let mut offset = 0;
    for text in source.text.split_inclusive('\n') {
        let at = offset;
        offset += text.len();
        let text = text.trim_end_matches('\n');
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let Some(line) = Line::parse(text) else {
            problems.push(squashed::no_line(source, at));
            continue;
        };
        let follows = match (lines.last(), line.is_baseline) {
            (None, is_baseline) => !is_baseline,
            (Some(last), true) => !last.is_baseline && last.version == line.version && last.name != line.name,
            (Some(last), false) => last.number < line.number,
        };
        if !follows {
            problems.push(squashed::out_of_order(source, at));
        }
        lines.push(line);
    }
    lines
}
