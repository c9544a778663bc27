//! Statements that leave the session as it is: what runs after them finds it as they have found it.
//!
//! A list of what is known to be so. A function may do anything to the session, so nothing that calls one is on it: no default
//! that is evaluated for rows that are there, no expression of an index, no `INSERT`, which runs triggers. What only stores
//! an expression evaluates none. Event triggers are the engine's business: no text says whether there are any.

use crate::alter_table::{AlterTable, AlterTableAction, ColumnChange, TableChange};
use crate::create::{CreateIndex, CreateTable};
use crate::element::{Clause, ConstraintKind, Element, ElementKind};
use crate::lexer::Kind;
use crate::object_kind::ObjectKind;
use crate::sql::Sql;
use crate::words::Words;

/// True for a statement that leaves the session as it is, as long as no event trigger is there.
pub(crate) fn is_neutral(sql: &Sql<'_>, words: &Words<'_>) -> bool {
    let known = match sql {
        Sql::Comment | Sql::AlterDefaultPrivileges => true,
        Sql::Select => is_constant(words, 1),
        Sql::Drop(dropped) => is_droppable(dropped.kind) && !dropped.concurrently,
        Sql::CreateTable(table) => is_definition(words) && is_stored(table, words),
        Sql::CreateIndex(index) => !index.concurrently && is_plain_index(index, words),
        Sql::CreateOnTable(_) | Sql::CreateDomain(_) => is_definition(words),
        Sql::Create(made) => is_definition(words) && is_creatable(made.kind, words),
        Sql::AlterTable(altered) => changes_the_catalog(altered),
        Sql::AlterDomain { constrains, .. } => !constrains,
        Sql::Alter { kind, .. } => is_alterable(*kind),
        Sql::Other => words.is_any(0, &["grant", "revoke"]),
        _ => false,
    };
    known && !is_temporary(words)
}

/// Something in it is an object of the session.
fn is_temporary(words: &Words<'_>) -> bool {
    let is_of_session = |at: usize| words.at(at).trim_matches('"').eq_ignore_ascii_case("pg_temp");
    (0..words.tokens.len()).any(is_of_session)
}

/// `CREATE` of something that stays: `TEMP` stands before the kind.
fn is_definition(words: &Words<'_>) -> bool {
    !(1..5).any(|at| words.is_any(at, &["temp", "temporary", "local", "global"]))
}

/// Literals and commas alone.
fn is_constant(words: &Words<'_>, from: usize) -> bool {
    let rest = words.tokens.get(from..).unwrap_or_default();
    rest.iter().enumerate().all(|(at, token)| match token.kind {
        Kind::Number | Kind::Text => true,
        Kind::Punctuation => words.at(from + at) == ",",
        Kind::Word => words.is_any(from + at, &["true", "false", "null"]),
        _ => false,
    })
}

fn is_droppable(kind: ObjectKind) -> bool {
    use ObjectKind as K;
    // The first two run in no transaction, the third talks to another server.
    !matches!(kind, K::Database | K::Tablespace | K::Subscription | K::System)
}

fn is_creatable(kind: ObjectKind, words: &Words<'_>) -> bool {
    use ObjectKind as K;
    match kind {
        K::Sequence | K::View | K::Type | K::Function => true,
        // One with objects in it is as many statements.
        K::Schema => !(1..words.tokens.len()).any(|at| words.is_any(at, &["create", "grant"])),
        K::Other => words.is_any(1, &["role", "publication", "collation"]),
        _ => false,
    }
}

fn is_alterable(kind: ObjectKind) -> bool {
    use ObjectKind as K;
    matches!(
        kind,
        K::Function
            | K::Index
            | K::MaterializedView
            | K::Policy
            | K::Schema
            | K::Sequence
            | K::Trigger
            | K::Type
            | K::View
    )
}

/// A new table is empty: what its columns and constraints say is kept, and evaluated for no row.
fn is_stored(table: &CreateTable<'_>, words: &Words<'_>) -> bool {
    // The server makes constants of the expressions of an index and of bounds as it keeps them, and `AS` runs a query.
    let is_kept = |element: &Element<'_>| match element.what {
        ElementKind::Column(_) => true,
        ElementKind::Constraint { kind, .. } => !matches!(kind, ConstraintKind::Exclude | ConstraintKind::Other),
        _ => false,
    };
    let is_by_columns = |at: usize| !nests(words, at, words.tokens.len());
    table.partition_of.is_none()
        && words.find("as").is_none()
        && table.elements.iter().all(is_kept)
        && words.find("partition").is_none_or(is_by_columns)
}

/// Columns without an expression, and a condition without a call.
fn is_plain_index(index: &CreateIndex<'_>, words: &Words<'_>) -> bool {
    let Some(rest) = index.rest else { return false };
    let from = words.tokens.iter().position(|token| token.start() == rest).unwrap_or(0);
    let condition = words.find("where").unwrap_or(words.tokens.len());
    !nests(words, from, condition) && !calls(words, condition)
}

/// Whether there is a parenthesis within another one.
fn nests(words: &Words<'_>, from: usize, to: usize) -> bool {
    let mut depth = 0_usize;
    (from..to).any(|at| {
        match words.at(at) {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > 1
    })
}

/// Whether something is called from a token on: a name and a parenthesis.
fn calls(words: &Words<'_>, from: usize) -> bool {
    let is_name = |at: usize| {
        let kind = words.tokens[at].kind;
        let is_key_word = words.is_any(at, &["where", "and", "or", "not", "in", "is", "between", "like"]);
        matches!(kind, Kind::Word | Kind::Quoted) && !is_key_word
    };
    (from..words.tokens.len()).any(|at| is_name(at) && words.at(at + 1) == "(")
}

fn changes_the_catalog(altered: &AlterTable<'_>) -> bool {
    !altered.actions.is_empty() && altered.actions.iter().all(is_harmless)
}

fn is_harmless(action: &AlterTableAction<'_>) -> bool {
    match &action.change {
        TableChange::Add(element) => is_harmless_addition(element),
        TableChange::AlterColumn { change: ColumnChange::Type { .. }, .. } => false,
        // `SET EXPRESSION` computes the column anew.
        TableChange::AlterColumn { .. } => !action.words.has("expression"),
        TableChange::DropColumn(_)
        | TableChange::DropConstraint(_)
        | TableChange::Rename(_)
        | TableChange::RenameColumn { .. }
        | TableChange::RenameConstraint { .. }
        | TableChange::SwitchTrigger
        | TableChange::StorageParameters
        | TableChange::MarkCluster => true,
        TableChange::DetachPartition { concurrently, .. } => !concurrently,
        TableChange::Other => {
            action.words.is_any(0, &["owner", "enable", "disable", "force", "no", "set", "replica", "inherit"])
        }
        _ => false,
    }
}

/// Rows that are there get the default of a new column, and are held against the constraint of a domain.
fn is_harmless_addition(element: &Element<'_>) -> bool {
    match element.what {
        ElementKind::Column(_) => {
            let is_computed = element.has(Clause::Check) || element.has(Clause::Generated);
            element.is_of_type(&BUILT_IN) && !is_computed && element.default().is_none_or(|value| is_literal(&value))
        }
        ElementKind::Constraint { kind: ConstraintKind::Check, .. } => element.is_not_valid(),
        ElementKind::Constraint { kind, .. } => {
            matches!(kind, ConstraintKind::ForeignKey | ConstraintKind::PrimaryKey | ConstraintKind::Unique)
        }
        _ => false,
    }
}

/// A literal first, with what a column has after its default: no call in any case.
fn is_literal(value: &Words<'_>) -> bool {
    let signed = usize::from(matches!(value.at(0), "-" | "+"));
    let is_value = value.tokens.get(signed).is_some_and(|token| matches!(token.kind, Kind::Number | Kind::Text));
    (is_value || value.is_any(0, &["true", "false", "null"])) && !(0..value.tokens.len()).any(|at| value.at(at) == "(")
}

/// The first word of types that are no domains.
const BUILT_IN: [&str; 37] = [
    "bigint",
    "bigserial",
    "bit",
    "bool",
    "boolean",
    "bytea",
    "char",
    "character",
    "cidr",
    "date",
    "decimal",
    "double",
    "float",
    "float4",
    "float8",
    "inet",
    "int",
    "int2",
    "int4",
    "int8",
    "integer",
    "interval",
    "json",
    "jsonb",
    "macaddr",
    "money",
    "numeric",
    "real",
    "smallint",
    "text",
    "time",
    "timestamp",
    "timestamptz",
    "timetz",
    "tsvector",
    "uuid",
    "varchar",
];

#[cfg(test)]
mod tests;
