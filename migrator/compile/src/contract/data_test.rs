//! M046: a file of `tests/` that could not test what its author meant.

use crate::code::Meaning;
use crate::nearest::nearest;
use crate::problem::Problem;
use crate::rule::Rule;
use crate::source::Source;

pub(crate) const RULE: Rule = Rule::reading(&Meaning::error("M046", "invalid test"));

/// The words after `test:` in the markers.
pub(crate) const MOMENTS: [&str; 3] = ["before", "after", "rolled-back"];

/// A comment, without its dashes, that was most likely meant as a marker: what is wrong with it, and the way out.
pub(crate) fn look_alike(body: &str) -> Option<(String, String)> {
    let rest = body.get(..4).filter(|word| word.eq_ignore_ascii_case("test")).map(|word| &body[word.len()..])?;
    let word = rest.trim_start_matches([' ', '\t', ':', '=', '-']);
    let separator = &rest[..rest.len() - word.len()];
    let word = word.split([' ', '\t', ';', ':']).next().unwrap_or_default();
    let meant = nearest(word, MOMENTS).filter(|_| !word.is_empty());
    // Only a marker is written without a space after the colon; prose may follow one.
    let is_meant = separator.contains(':') && (meant.is_some() || separator == ":" && !word.is_empty());
    let help = match meant {
        Some(meant) => format!("write `-- test:{meant}`, alone in its line"),
        None => "the markers are `-- test:before`, `-- test:after` and `-- test:rolled-back`".to_owned(),
    };
    is_meant.then(|| (format!("`-- {}` is not a marker", shown(body)), help))
}

/// A comment, without its dashes, that begins like an expectation and is none.
pub(crate) fn not_an_expectation(body: &str) -> (String, String) {
    let message = format!("`-- {}` is not an expectation", shown(body));
    let help = "write `-- expect` alone, with the rows in the lines after it, or `-- expect error <SQLSTATE>`";
    (message, help.to_owned())
}

fn shown(body: &str) -> String {
    body.chars().take(40).collect()
}

/// What is wrong with a file, and the way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mistake {
    /// A statement before the first marker.
    BeforeMarkers,
    /// A marker that is not alone at the start of its line.
    NotAlone(&'static str),
    /// A second marker of that moment.
    Twice(&'static str),
    /// Neither of the blocks that assert is there.
    AssertsNothing,
    /// A block without a statement.
    Empty(&'static str),
    /// An expectation without a statement before it.
    ExpectsOfNothing,
    /// A second expectation of one statement.
    ExpectsTwice,
    /// An expectation before the migration.
    ExpectsBefore,
    /// An expectation without the names of the columns.
    NoColumns,
    /// A row of so many cells under so many names.
    Cells(usize, usize),
    /// A quoted cell without its end.
    Unterminated,
    /// The migration of that label cannot be rolled back.
    NoDown(String),
}

impl Mistake {
    pub(crate) fn problem(&self, source: &Source, at: usize) -> Problem {
        let (message, help) = self.text();
        source.problem(RULE.code, at, message, help)
    }

    fn text(&self) -> (String, String) {
        let (message, help) = match self {
            Mistake::BeforeMarkers => {
                ("SQL before the first marker".to_owned(), "begin with `-- test:before` or `-- test:after`")
            }
            Mistake::NotAlone(moment) => (
                format!("the marker `-- test:{moment}` does not start its line"),
                "put it at the start of its own line",
            ),
            Mistake::Twice(moment) => {
                (format!("a second `-- test:{moment}`"), "join the blocks, or write a second file for this version")
            }
            Mistake::AssertsNothing => (
                "this test asserts nothing".to_owned(),
                "add `-- test:after`, and under it queries that return no row when all is well",
            ),
            Mistake::Empty(moment) => {
                (format!("there is no statement after `-- test:{moment}`"), "add one, or remove the marker")
            }
            Mistake::ExpectsOfNothing => {
                ("`-- expect` without a statement before it".to_owned(), "put it below the query that it belongs to")
            }
            Mistake::ExpectsTwice => (
                "a second `-- expect` for one statement".to_owned(),
                "write all rows in one table, without an empty line",
            ),
            Mistake::ExpectsBefore => {
                ("`-- expect` in `-- test:before`".to_owned(), "remove it: only what follows the migration is asserted")
            }
            Mistake::NoColumns => (
                "`-- expect` without the names of the columns".to_owned(),
                "write them in the next line, `-- name | name`, and the rows below; a query that must return no row needs no `-- expect`",
            ),
            Mistake::Cells(cells, names) => {
                let cells = format!("{cells} value{}", if *cells == 1 { "" } else { "s" });
                let names = format!("{names} column{}", if *names == 1 { "" } else { "s" });
                (
                    format!("{cells} under {names}"),
                    "put `|` between the values; quote a value that contains it: `'a|b'`",
                )
            }
            Mistake::Unterminated => {
                ("unterminated quote".to_owned(), "close it; a quote inside a quoted value is written twice")
            }
            Mistake::NoDown(label) => (
                format!("{label} has no down block, so it cannot be rolled back"),
                "remove `-- test:rolled-back`, or write the down block",
            ),
        };
        (message, help.to_owned())
    }
}
