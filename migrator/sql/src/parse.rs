//! What the parser says of statements. The only module that touches `squawk-syntax`, which promises no stability.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

use squawk_syntax::SourceFile;

use crate::dialect::other_words;
use crate::lexer::Kind;
use crate::shapes::{shape, without_rows_of_known_shape};
use crate::wording::{describe, psql_variable};
use crate::words::Words;

/// After the first mistakes the parser finds many that are none.
pub const MOST_MISTAKES: usize = 3;

/// The parser is recursive, and so is letting go of its tree: for both limits below this is more than enough, even
/// unoptimised. Memory that is not touched costs nothing.
const STACK_BYTES: usize = 256 * 1024 * 1024;

/// Parentheses, `CASE`, bodies and prefixes around a token. The server takes a few thousand; the parser takes seconds for
/// them.
const DEEPEST: usize = 1000;

/// The same where there is no room for a deep stack.
const DEEPEST_ON_A_SMALL_STACK: usize = 150;

/// Tokens without a comma between them: `a + b + c ...` is a tree as deep as it is long.
const LONGEST_CHAIN: usize = 50_000;

/// Statements are parsed in groups of about this size: each call has its price, and a whole file needs much memory.
pub const GROUP_BYTES: usize = 16 * 1024;

/// A thread for less costs more than it saves.
const GROUPS_PER_THREAD: usize = 16;

/// A statement that is not SQL of PostgreSQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The byte of the text that the parser means.
    pub at: usize,
    /// What is wrong, in the words of people who write SQL.
    pub message: String,
    /// It is a variable of psql that the parser does not know.
    pub is_variable: bool,
}

thread_local! {
    static ON_A_DEEP_STACK: Cell<bool> = const { Cell::new(false) };
}

/// Does `work` on a stack that is deep enough for [`mistakes`].
pub fn with_deep_stack<T: Send>(work: impl Fn() -> T + Send + Sync) -> T {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("db directory".to_owned()).stack_size(STACK_BYTES);
        let deep = || {
            ON_A_DEEP_STACK.set(true);
            work()
        };
        match thread.spawn_scoped(scope, deep) {
            Ok(thread) => thread.join().unwrap_or_else(|panic| resume_unwind(panic)),
            // A system that has no room for the stack has some for ordinary statements.
            Err(_) => work(),
        }
    })
}

/// Parses the statements of a text; the first mistake in each, for the first three that have one.
pub fn mistakes(text: &str, statements: &[Words<'_>]) -> Vec<Mistake> {
    let groups = groups(statements);
    if in_parallel(&groups, |group| is_right(text, group)) {
        return Vec::new();
    }
    // Somewhere something is wrong: every statement is parsed now, since a shape says nothing about it any more.
    let mut found = Vec::new();
    let mut rest = statements;
    while !rest.is_empty() && found.len() < MOST_MISTAKES {
        let (group, behind) = rest.split_at(leading_group(rest));
        check_group(text, group, &mut found);
        rest = behind;
    }
    found.truncate(MOST_MISTAKES);
    found
}

/// How many statements at the start are parsed in one go.
fn leading_group(statements: &[Words<'_>]) -> usize {
    let end = statements.first().map_or(0, |words| words.start() + GROUP_BYTES);
    statements.iter().take_while(|words| words.range().end <= end).count().max(1)
}

/// The statements to parse, in groups that stand together in the text: of those that differ in their values alone the
/// first.
fn groups<'s, 'a>(statements: &'s [Words<'a>]) -> Vec<&'s [Words<'a>]> {
    let mut known = HashSet::new();
    let mut groups = Vec::new();
    let mut start = 0;
    for (index, words) in statements.iter().enumerate() {
        if shape(words).is_some_and(|shape| !known.insert(shape)) {
            groups.extend((start < index).then(|| &statements[start..index]));
            start = index + 1;
        } else if start < index && words.range().end > statements[start].start() + GROUP_BYTES {
            groups.push(&statements[start..index]);
            start = index;
        }
    }
    groups.extend((start < statements.len()).then(|| &statements[start..]));
    groups
}

/// True if `test` is true for every group. Many groups are shared among threads.
fn in_parallel<'a>(groups: &[&[Words<'a>]], test: impl Fn(&[Words<'a>]) -> bool + Sync) -> bool {
    let useful = groups.len() / GROUPS_PER_THREAD;
    if useful < 2 {
        return groups.iter().all(|group| test(group));
    }
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(useful);
    let next = AtomicUsize::new(0);
    let run = || {
        while let Some(group) = groups.get(next.fetch_add(1, Ordering::Relaxed)) {
            if !test(group) {
                // Ends the work of the others too.
                next.store(groups.len(), Ordering::Relaxed);
                return false;
            }
        }
        true
    };
    std::thread::scope(|scope| {
        let deep = || {
            ON_A_DEEP_STACK.set(true);
            run()
        };
        let spawn = |_| std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, deep);
        let spawned: Vec<_> = (1..threads).map_while(|number| spawn(number).ok()).collect();
        let own = run();
        spawned.into_iter().fold(own, |right, thread| right & thread.join().unwrap_or(false))
    })
}

fn is_right(text: &str, group: &[Words<'_>]) -> bool {
    if let [words] = group
        && words.range().len() > GROUP_BYTES
        && !is_too_deep(words)
        && let Some(shorter) = without_rows_of_known_shape(words)
    {
        return parse(&shorter).is_some_and(|errors| errors.is_empty());
    }
    let mut found = Vec::new();
    check_group(text, group, &mut found);
    found.is_empty()
}

fn check_group(text: &str, group: &[Words<'_>], found: &mut Vec<Mistake>) {
    if let Some(deep) = group.iter().find(|words| is_too_deep(words)) {
        let message = "the statement is nested too deeply for the parser".to_owned();
        found.push(Mistake { at: deep.start(), message, is_variable: false });
        return;
    }
    let (Some(first), Some(last)) = (group.first(), group.last()) else { return };
    let range = first.start()..last.range().end;
    let errors = match parse(&without_continued_escapes(&text[range.clone()], range.start, group)) {
        Some(errors) => errors,
        None => vec![(0, "the parser gave up".to_owned())],
    };
    let index_of =
        |offset: usize| group.partition_point(|words| words.start() <= range.start + offset).saturating_sub(1);
    let known = |index: &usize| is_known_to_the_server(&group[*index]);
    if group.len() > 1 && errors.iter().map(|(offset, _)| index_of(*offset)).any(|index| known(&index)) {
        // What is said about the statements after it may follow from it.
        group.iter().for_each(|words| check_group(text, std::slice::from_ref(words), found));
        return;
    }
    // The statement that has been reported last.
    let mut reported = None;
    for (offset, message) in errors {
        let at = range.start + offset;
        let index = index_of(offset);
        if reported == Some(index) || group.len() == 1 && known(&index) {
            continue;
        }
        reported = Some(index);
        let at = place(text, &group[index], at);
        let variable = text.get(at..).and_then(psql_variable);
        let message = match variable {
            Some(name) => format!("`{name}` is a psql variable, which the server does not know"),
            None => describe(&message, &group[index], at),
        };
        found.push(Mistake { at, message, is_variable: variable.is_some() });
    }
}

/// True for a statement that the parser refuses and the server takes.
fn is_known_to_the_server(words: &Words<'_>) -> bool {
    let is_right = |text: &String| parse(text).is_some_and(|errors| errors.is_empty());
    other_words(words).is_some_and(|texts| !texts.is_empty() && texts.iter().all(is_right))
}

/// The text with the later parts of continued escape strings blotted out, byte for byte: the parser takes them for
/// plain strings, which end at the wrong quote.
pub fn without_continued_escapes<'a>(text: &'a str, start: usize, group: &[Words<'_>]) -> Cow<'a, str> {
    let mut mended = Cow::Borrowed(text);
    let tokens = group.iter().flat_map(|words| words.tokens);
    for token in tokens.filter(|token| token.kind == Kind::Escape) {
        let range = token.start() - start..token.end() - start;
        // The first part begins with its prefix. One without an end is reported on its own.
        let part = &text[range.clone()];
        if part.len() > 1 && part.starts_with('\'') && part.ends_with('\'') {
            let inside = range.start + 1..range.end - 1;
            mended.to_mut().replace_range(inside.clone(), &"x".repeat(inside.len()));
        }
    }
    mended
}

/// The errors by offset; `None` if the parser panics.
fn parse(text: &str) -> Option<Vec<(usize, String)>> {
    let parse = || {
        let errors = SourceFile::parse(text).errors();
        errors.iter().map(|error| (usize::from(error.range().start()), error.message().to_owned())).collect()
    };
    // A defect of the parser is a false alarm like any other; nothing that it could leave broken is used again.
    catch_unwind(AssertUnwindSafe(parse)).ok()
}

/// The tree of a text whose statements are not nested too deeply, as the linter takes it.
pub fn tree(text: &str) -> squawk_syntax::Parse<SourceFile> {
    SourceFile::parse(text)
}

/// The parser often points at the white space before the token that it means.
fn place(text: &str, words: &Words<'_>, at: usize) -> usize {
    let next = words.tokens.partition_point(|token| token.start() < at);
    match words.tokens.get(next) {
        Some(token) if text.get(at..token.start()).is_some_and(|gap| gap.trim().is_empty()) => token.start(),
        _ => at.min(words.range().end.max(at)),
    }
}

/// True if parsing could exhaust the stack.
pub fn is_too_deep(words: &Words<'_>) -> bool {
    let deepest = if ON_A_DEEP_STACK.get() { DEEPEST } else { DEEPEST_ON_A_SMALL_STACK };
    let mut prefixes = 0;
    let mut unopened = 0;
    // One entry per level: the tokens since its last comma.
    let mut levels = vec![0];
    let is_atomic = |index: usize| words.is(index, "atomic") && index > 0 && words.is(index - 1, "begin");
    for (index, token) in words.tokens.iter().enumerate() {
        match (token.kind, words.at(index)) {
            (Kind::Punctuation, "(" | "[" | "{") => levels.push(0),
            (Kind::Punctuation, ")" | "]" | "}") => drop(levels.pop()),
            (Kind::Word, _) if words.is(index, "case") || is_atomic(index) => levels.push(0),
            (Kind::Word, _) if words.is(index, "end") => drop(levels.pop()),
            (Kind::Punctuation, "," | ";") => drop(levels.pop().map(|_| levels.push(0))),
            _ => {}
        }
        if levels.is_empty() {
            // More was closed than opened: a chain of its own.
            levels.push(unopened);
            unopened += 1;
        }
        let chain = levels.last_mut().map_or(0, |chain| {
            *chain += 1;
            *chain
        });
        let prefix = token.kind == Kind::Operator || words.is_any(index, &["not", "explain"]);
        prefixes = if prefix { prefixes + 1 } else { 0 };
        if levels.len() + prefixes > deepest || chain > LONGEST_CHAIN {
            return true;
        }
    }
    false
}
