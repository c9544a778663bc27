//! Text in columns, and text that fits a terminal: by what is shown, not by bytes or characters. Pure.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// The separator of two columns.
const GAP: usize = 2;

/// The narrowest that a column with names may become on a narrow terminal.
const NARROWEST: usize = 8;

/// A table that is laid out in portions: a column may become wider with each, never narrower.
#[derive(Debug, Default)]
pub(crate) struct Table {
    /// The columns that may be cut, those with names; numbers and moments stay whole.
    pub(crate) flexible: &'static [usize],
    /// The columns that end where those above them end.
    pub(crate) right: &'static [usize],
    /// How wide the columns are so far.
    pub(crate) widths: Vec<usize>,
}

impl Table {
    /// The lines of these rows; no line is wider than a terminal of that many columns.
    ///
    /// A row that has fewer cells than the first one says something in its last: that fills the columns after it.
    pub(crate) fn lines(&mut self, rows: &[Vec<String>], terminal: Option<usize>) -> Vec<String> {
        let count = rows.iter().map(Vec::len).max().unwrap_or(0).max(self.widths.len());
        self.widths.resize(count, 0);
        for row in rows {
            let own = if row.len() < count { row.len().saturating_sub(1) } else { count };
            for (width, cell) in self.widths.iter_mut().zip(&row[..own]) {
                *width = cell.width().max(*width);
            }
        }
        let mut widths = self.widths.clone();
        if let Some(terminal) = terminal {
            for &column in self.flexible {
                let all = widths.iter().sum::<usize>() + GAP * count.saturating_sub(1);
                let too_much = all.saturating_sub(terminal);
                widths[column] = widths[column].saturating_sub(too_much).max(widths[column].min(NARROWEST));
            }
        }
        rows.iter().map(|row| self.line(row, &widths, terminal)).collect()
    }

    fn line(&self, row: &[String], widths: &[usize], terminal: Option<usize>) -> String {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            if row.len() < widths.len() && column + 1 == row.len() {
                line.push_str(cell);
                break;
            }
            let cell = cut(cell, widths[column]);
            let pad = " ".repeat(widths[column].saturating_sub(cell.width()));
            let gap = if column + 1 < widths.len() { " ".repeat(GAP) } else { String::new() };
            match self.right.contains(&column) {
                true => line.push_str(&format!("{pad}{cell}{gap}")),
                false => line.push_str(&format!("{cell}{pad}{gap}")),
            }
        }
        fit(line.trim_end(), terminal)
    }
}

/// A line cut to a terminal of that many columns.
pub(crate) fn fit(line: &str, terminal: Option<usize>) -> String {
    terminal.map_or_else(|| line.to_owned(), |columns| cut(line, columns))
}

/// A text cut to that many columns.
pub(crate) fn cut(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mark = &"..."[..columns.min(3)];
    let (mut short, mut taken) = (String::new(), mark.len());
    for character in text.chars() {
        taken += character.width().unwrap_or(0);
        if taken > columns {
            break;
        }
        short.push(character);
    }
    short + mark
}

/// Words in lines of at most so many columns, each line after the first indented; a word that is longer stands alone.
pub(crate) fn wrap(text: &str, terminal: Option<usize>, indent: &str) -> String {
    let Some(columns) = terminal else { return text.to_owned() };
    let (mut wrapped, mut taken) = (String::new(), 0);
    for word in text.split(' ') {
        let width = word.width();
        if taken > 0 && taken + 1 + width > columns {
            wrapped.push('\n');
            wrapped.push_str(indent);
            taken = indent.width();
        } else if !wrapped.is_empty() {
            wrapped.push(' ');
            taken += 1;
        }
        wrapped.push_str(word);
        taken += width;
    }
    wrapped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: &[&[&str]]) -> Vec<Vec<String>> {
        rows.iter().map(|row| row.iter().map(|cell| (*cell).to_owned()).collect()).collect()
    }

    #[test]
    fn columns_align_by_what_is_shown() {
        let mut table = Table { right: &[2], ..Table::default() };
        let all = rows(&[&["A", "NAME", "N"], &["1", "表を作る", "5"], &["2", "שלום", "12"], &["3", "half done"]]);
        let lines = table.lines(&all, None);
        assert_eq!(lines, ["A  NAME       N", "1  表を作る   5", "2  שלום      12", "3  half done"]);
        assert!(lines[..3].iter().all(|line| line.width() == 15), "{lines:?}");
    }

    #[test]
    fn a_narrow_terminal_cuts_names_first_and_then_lines() {
        let mut table = Table { flexible: &[1], ..Table::default() };
        let all = rows(&[&["001", "create_everything_at_once", "applied"], &["002", "short", "pending"]]);
        assert_eq!(table.lines(&all, Some(30)), ["001  create_everyt...  applied", "002  short             pending"]);
        for columns in 0..60 {
            assert!(table.lines(&all, Some(columns)).iter().all(|line| line.width() <= columns), "{columns}");
        }
    }

    #[test]
    fn a_later_portion_keeps_the_columns() {
        let mut table = Table::default();
        table.lines(&rows(&[&["12345", "x"]]), None);
        assert_eq!(table.lines(&rows(&[&["1", "x"]]), None), ["1      x"]);
    }

    #[test]
    fn a_wide_character_is_not_halved() {
        assert_eq!([cut("表を作る", 6), cut("表を作る", 7), cut("abc", 2)], ["表...", "表を...", ".."]);
    }

    #[test]
    fn words_are_wrapped() {
        assert_eq!(wrap("one two three four", Some(9), "  "), "one two\n  three\n  four");
        assert_eq!(wrap("a-word-that-is-long b", Some(5), ""), "a-word-that-is-long\nb");
        assert_eq!(wrap("one two", None, ""), "one two");
    }
}
