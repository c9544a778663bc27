//! The rules that the linter lacks.

use super::block::{Block, Finding};
use super::known;
use super::lock::{self, Mode};
use super::object::{self, Object, alter_table, create_table, targets};
use migrator_sql::{Kind, Words, flag, lex, split};

/// What is wrong with one statement of a block; what stands before it is known.
pub(crate) fn check(block: &Block<'_>, index: usize) -> Vec<Finding> {
    let mut found = Vec::new();
    let words = &block.statements[index];
    let mut report = |rule, at: usize, subject: &Object| found.push(Finding::new(index, rule, at, subject.to_string()));
    if let Some((table, actions)) = alter_table(words) {
        for action in &actions {
            if let Some((rule, subject)) = altered(block, index, &table, action) {
                report(rule, action.start(), &subject);
            }
        }
    } else if let Some((table, elements)) = create_table(words) {
        let mut keys = elements.iter().filter(|element| references_live(block, &table, element));
        if let Some(key) = keys.next() {
            report("foreign-key-in-create-table", key.start(), &table);
        }
        if let Some(parent) = partition_of(words).filter(|parent| block.is_live(parent)) {
            report("creating-partition-of", words.start(), &parent);
        }
        if let Some(column) = elements.iter().find(|element| is_json(element)) {
            report("prefer-jsonb", column.start(), &table);
        }
    } else if let Some((rule, subject)) = whole(block, index) {
        report(rule, words.start(), &subject);
    }
    if let Some(locked) = locked_before(block, index) {
        report("data-while-locked", words.start(), &locked);
    }
    if changes_schema_inside(words) {
        found.push(Finding::new(index, "ddl-in-do", words.start(), String::new()));
    }
    found
}

/// One action of `ALTER TABLE`.
fn altered(block: &Block<'_>, index: usize, table: &Object, action: &Words<'_>) -> Option<(&'static str, Object)> {
    let added = known::added(action);
    if added.is_some_and(|column| is_json(&column)) {
        return Some(("prefer-jsonb", table.clone()));
    }
    if !block.is_live(table) {
        let key = added.is_some_and(|element| references_live(block, table, &element));
        return key.then(|| ("foreign-key-in-create-table", table.clone()));
    }
    let rule = if action.start_with(&["validate", "constraint"]) {
        let name = known::name(action, 2);
        block.earlier(index).any(|other| adds_constraint(other, table, &name)).then_some("validate-in-same-transaction")
    } else if added.is_some_and(|element| element.find("exclude").is_some()) {
        Some("adding-exclusion-constraint")
    } else if added.is_some_and(|column| is_serial(&column)) {
        Some("adding-field-with-default")
    } else if let Some((column, what)) = known::altered_column(action) {
        let required = action.is(what, "set") && action.is(what + 1, "not") && action.is(what + 2, "null");
        (required && !block.known.proves_not_null(table, &column)).then_some("adding-not-nullable-field")
    } else if action.start_with(&["attach", "partition"]) {
        let (partition, _) = Object::read(action, 2)?;
        let unchecked = block.is_live(&partition) && !block.known.has_valid_check(&partition);
        return unchecked.then_some(("attaching-partition", partition));
    } else {
        let rewrites = action.is(0, "set") && action.is_any(1, &["logged", "unlogged", "tablespace", "access"]);
        rewrites.then_some("rewriting-table")
    };
    rule.map(|rule| (rule, table.clone()))
}

/// Statements that are a hazard as such, on what is in use.
fn whole(block: &Block<'_>, index: usize) -> Option<(&'static str, Object)> {
    let words = &block.statements[index];
    if let Some((rule, at)) = changes_all_rows(words) {
        let table = Object::read(words, words.skip(at, &["only"]))?.0;
        return block.is_live(&table).then_some((rule, table));
    }
    let subject = targets(words).into_iter().find(|object| block.is_live(object))?;
    let rule = if words.is(0, "truncate") {
        "truncate-table"
    } else if words.start_with(&["refresh", "materialized"]) {
        let empty = words.find("no").is_some_and(|no| words.is(no + 1, "data"));
        if words.is(3, "concurrently") || empty {
            return None;
        }
        "refreshing-materialized-view"
    } else if words.is(0, "cluster") || is_full_vacuum(words) {
        "rewriting-table"
    } else if is_trigger(words) && has_other_work(block, index, &subject) {
        "creating-trigger"
    } else {
        return None;
    };
    Some((rule, subject))
}

/// `UPDATE` and `DELETE` of every row, also behind `WITH`: the rule, and the index of the table.
fn changes_all_rows(words: &Words<'_>) -> Option<(&'static str, usize)> {
    let main = if words.is(0, "with") {
        let verb = |&at: &usize| words.at(at - 1) == ")" && words.is_any(at, &["update", "delete"]);
        (1..words.tokens.len()).find(verb)?
    } else {
        0
    };
    if words.find("where").is_some() {
        return None;
    }
    if words.is(main, "update") {
        Some(("update-without-where", main + 1))
    } else {
        (words.is(main, "delete") && words.is(main + 1, "from")).then_some(("delete-without-where", main + 2))
    }
}

pub(super) fn is_full_vacuum(words: &Words<'_>) -> bool {
    words.is(0, "vacuum") && (words.is(1, "full") || flag(words, 1, "full") == Some(true))
}

pub(super) fn is_trigger(words: &Words<'_>) -> bool {
    object::is_kind(words, "create", "trigger") && !words.is(1, "event")
}

/// True if the transaction holds a lock on another table already, or works on rows.
fn has_other_work(block: &Block<'_>, index: usize, table: &Object) -> bool {
    let locks = |other: &Words<'_>| {
        locks_live(block, other).is_some_and(|locked| !locked.is(table)) || works_on_rows(block, other)
    };
    block.earlier(index).any(locks) || block.later(index).any(|other| works_on_rows(block, other))
}

/// A table in use that the statement locks against its writers at least.
fn locks_live(block: &Block<'_>, words: &Words<'_>) -> Option<Object> {
    let stops = lock::of(words).is_some_and(Mode::stops_writers) && !words.is(0, "refresh") && !words.is(0, "alter");
    if stops || locks_exclusively(words) {
        return targets(words).into_iter().find(|table| block.is_live(table));
    }
    None
}

/// True for what takes the strongest lock there is on a table, and keeps it to the end of the transaction.
fn locks_exclusively(words: &Words<'_>) -> bool {
    let of_table = alter_table(words).is_some()
        || ["table", "index", "trigger", "policy"].iter().any(|kind| object::is_kind(words, "drop", kind))
        || words.is_any(0, &["truncate", "lock"]);
    of_table && lock::of(words) == Some(Mode::AccessExclusive)
}

/// True for what takes as long as the table is large.
fn works_on_rows(block: &Block<'_>, words: &Words<'_>) -> bool {
    if let Some((table, actions)) = alter_table(words) {
        return block.is_live(&table) && actions.iter().any(|action| action.is(0, "validate"));
    }
    words.is_any(0, &["update", "delete", "merge", "copy"])
        || words.is(0, "insert") && words.find("select").is_some() && words.find("from").is_some()
        || words.is(0, "with") && changes_rows_behind_with(words)
}

fn changes_rows_behind_with(words: &Words<'_>) -> bool {
    (1..words.tokens.len())
        .any(|at| ["(", ")"].contains(&words.at(at - 1)) && words.is_any(at, &["update", "delete", "insert", "merge"]))
}

/// The table that a statement before has locked, if this one works on rows meanwhile.
fn locked_before(block: &Block<'_>, index: usize) -> Option<Object> {
    let words = &block.statements[index];
    if !works_on_rows(block, words) {
        return None;
    }
    let validates_own = alter_table(words).is_some_and(|(table, actions)| {
        let names = actions.iter().map(|action| known::name(action, 2));
        names.into_iter().any(|name| block.earlier(index).any(|other| adds_constraint(other, &table, &name)))
    });
    if validates_own {
        // Reported as what it is.
        return None;
    }
    // The first of the strongest.
    let stronger = |one: (Object, Mode), other: (Object, Mode)| if other.1 > one.1 { other } else { one };
    locks_before(block, index).reduce(stronger).map(|(table, _)| table)
}

/// The tables in use that statements before keep from being read or, by `LOCK`, from being written.
pub(super) fn locks_before(block: &Block<'_>, index: usize) -> impl Iterator<Item = (Object, Mode)> {
    let locks = |other: &&Words<'_>| {
        locks_exclusively(other) || other.is(0, "lock") && lock::of(other).is_some_and(Mode::stops_writers)
    };
    block.earlier(index).filter(locks).filter_map(|other| {
        let table = targets(other).into_iter().find(|table| block.is_live(table))?;
        Some((table, lock::of(other)?))
    })
}

pub(super) fn adds_constraint(words: &Words<'_>, table: &Object, name: &str) -> bool {
    alter_table(words).is_some_and(|(other, actions)| {
        let adds = |action: &Words<'_>| action.start_with(&["add", "constraint"]) && known::name(action, 2) == name;
        other.is(table) && actions.iter().any(adds)
    })
}

/// True if a column or constraint of `table` refers to another table, which is in use.
fn references_live(block: &Block<'_>, table: &Object, element: &Words<'_>) -> bool {
    let referenced = element.find("references").and_then(|at| Object::read(element, at + 1));
    referenced.is_some_and(|(other, _)| !other.is(table) && block.is_live(&other))
}

fn partition_of(words: &Words<'_>) -> Option<Object> {
    let at = words.find("partition")?;
    if !words.is(at + 1, "of") {
        return None;
    }
    Object::read(words, at + 2).map(|(parent, _)| parent)
}

fn is_json(column: &Words<'_>) -> bool {
    !column.is_any(0, &["constraint", "check", "unique", "primary", "foreign", "exclude", "like"])
        && column.is(1, "json")
}

pub(super) fn is_serial(column: &Words<'_>) -> bool {
    column.is_any(1, &["serial", "serial4", "bigserial", "serial8", "smallserial", "serial2"])
}

/// True for a `DO` whose body changes tables or indexes, as it stands there or in the text of an `EXECUTE`.
fn changes_schema_inside(words: &Words<'_>) -> bool {
    let bodies = words.tokens.iter().filter(|token| matches!(token.kind, Kind::Dollar | Kind::Text));
    words.is(0, "do") && bodies.map(|token| token.text(words.text)).any(|literal| holds_definition(literal, 0))
}

fn holds_definition(literal: &str, depth: usize) -> bool {
    let body = match literal.strip_prefix('$') {
        Some(rest) => {
            let tag = rest.find('$').map_or(0, |at| at + 2);
            literal.get(tag..literal.len() - tag).unwrap_or_default()
        }
        None => literal.trim_matches('\''),
    };
    let lexed = lex(body);
    split(body, &lexed.tokens).iter().any(|words| {
        let inside = |at: usize| {
            let token = words.tokens[at];
            let text = matches!(token.kind, Kind::Text | Kind::Dollar | Kind::Escape);
            is_definition(words, at) || depth < 2 && text && holds_definition(token.text(body), depth + 1)
        };
        (0..words.tokens.len()).any(inside)
    })
}

fn is_definition(words: &Words<'_>, at: usize) -> bool {
    let objects = &["table", "index", "materialized", "column"];
    words.is_any(at, &["alter", "drop"]) && words.is_any(at + 1, objects)
        || words.is(at, "create") && (words.is(at + 1, "index") || words.is(at + 1, "unique"))
        || words.is(at, "truncate")
}
