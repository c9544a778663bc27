//! One file of `tests/`: rows before a migration, and what is asserted of them after it and after its rollback.

mod expected;
mod form;

use migrator_model::Options;
use migrator_sql::{Comment, Lexed, lex, split};

use crate::contract;
use crate::contract::data_test::{Mistake, RULE, look_alike};
use crate::file::{Block, File, Folder, Name};
use crate::problem::Problem;
use crate::procedures::Procedures;
use crate::script;
use crate::source::Source;
pub use form::{DataTest, Expected, Moment, TestBlock, TestStatement};

/// A marker: when, where, and where its block begins.
struct Marker {
    moment: Moment,
    at: usize,
    end: usize,
}

/// Reads and checks a test.
pub(crate) fn read(name: &Name, source: Source, problems: &mut Vec<Problem>) -> DataTest {
    let lexed = lex(&source.text);
    let mut found = Vec::new();
    let unchecked = script::read_comments(&source, &lexed, &mut found);
    let markers = markers(&source, &lexed, &mut found);
    let first = markers.first().map_or(source.text.len(), |marker| marker.at);
    if let Some(token) = lexed.tokens.iter().find(|token| token.start() < first) {
        found.push(Mistake::BeforeMarkers.problem(&source, token.start()));
    } else if !markers.iter().any(|marker| marker.moment != Moment::Before) {
        found.push(Mistake::AssertsNothing.problem(&source, 0));
    }
    let (mut blocks, mut checked) = (Vec::new(), Vec::new());
    for (index, marker) in markers.iter().enumerate() {
        let range = marker.end..markers.get(index + 1).map_or(source.text.len(), |next| next.at);
        let statements = split(&source.text, lexed.within(&range));
        if statements.is_empty() {
            found.push(Mistake::Empty(marker.moment.word()).problem(&source, marker.at));
        }
        let ranges = statements.iter().map(|words| TestStatement { range: words.range(), expected: None });
        let mut block = TestBlock { moment: marker.moment, statements: ranges.collect() };
        let comments: Vec<&Comment> =
            lexed.comments.iter().filter(|comment| range.contains(&comment.range.start)).collect();
        expected::read(&source, &comments, &mut block, &mut found);
        blocks.push(block);
        let (direction, options) = (None, Options::default());
        checked.push(Block { direction, marker: marker.at, range, options, unchecked, statements });
    }
    let procedures = Procedures::default();
    contract::check_file(&File::new(&source, &lexed, Folder::Tests, checked, &procedures), found, problems);
    let (file, text) = source.into_parts();
    DataTest { file, text, number: name.number, blocks }
}

/// A test of a rollback that cannot be: `label` is that of the migration, which has no down block.
pub(crate) fn without_down(test: &DataTest, label: String) -> Option<Problem> {
    test.block(Moment::RolledBack)?;
    let source = Source::new(test.file.clone(), test.text.clone());
    let lexed = lex(&source.text);
    let at =
        markers(&source, &lexed, &mut Vec::new()).into_iter().find(|marker| marker.moment == Moment::RolledBack)?;
    Some(Mistake::NoDown(label).problem(&source, at.at))
}

fn markers(source: &Source, lexed: &Lexed, problems: &mut Vec<Problem>) -> Vec<Marker> {
    let mut markers: Vec<Marker> = Vec::new();
    for comment in lexed.comments.iter().filter(|comment| !comment.block) {
        let at = comment.range.start;
        let body = source.text[comment.range.clone()][2..].trim();
        let Some(moment) = body.strip_prefix("test:").and_then(Moment::of) else {
            if let Some((message, help)) = look_alike(body) {
                problems.push(source.problem(RULE.code, at, message, help));
            }
            continue;
        };
        if source.line_start(at) != at {
            problems.push(Mistake::NotAlone(moment.word()).problem(source, at));
        }
        if markers.iter().any(|marker| marker.moment == moment) {
            problems.push(Mistake::Twice(moment.word()).problem(source, at));
        }
        markers.push(Marker { moment, at, end: comment.range.end });
    }
    markers
}

#[cfg(test)]
mod tests;
