//! `CREATE TABLE`, `CREATE INDEX` and the other statements that make an object.

use crate::element::Element;
use crate::flags::flag;
use crate::name::Name;
use crate::object_kind::ObjectKind;
use crate::words::Words;

/// `CREATE TABLE ...`
#[derive(Debug, Clone)]
pub struct CreateTable<'a> {
    /// The new table.
    pub name: Name<'a>,
    /// `IF NOT EXISTS`
    pub if_not_exists: bool,
    /// The columns and constraints in its parentheses.
    pub elements: Vec<Element<'a>>,
    /// The parent of `PARTITION OF`.
    pub partition_of: Option<Name<'a>>,
    /// It is the default partition.
    pub default_partition: bool,
    /// `PARTITION BY`
    pub partitioned: bool,
    /// The first parent of `INHERITS`.
    pub inherits: Option<Name<'a>>,
}

impl<'a> CreateTable<'a> {
    /// `index` is that of the token after `TABLE`.
    pub(crate) fn of(words: &Words<'a>, index: usize) -> Option<CreateTable<'a>> {
        let at = words.skip(index, &["if", "not", "exists"]);
        let (name, end) = Name::read(words, at)?;
        let inside = match words.at(end) {
            "(" => Words::new(words.text, &words.tokens[end + 1..words.behind_parentheses(end).max(end + 2) - 1]),
            _ => Words::new(words.text, &[]),
        };
        let elements = inside.elements(0).into_iter().filter(|element| !element.tokens.is_empty());
        let partition = words.find("partition").filter(|at| words.is(at + 1, "of"));
        let is_by = |&at: &usize| words.is(at, "partition") && words.is(at + 1, "by");
        Some(CreateTable {
            name,
            if_not_exists: at > index,
            elements: elements.map(Element::of).collect(),
            partition_of: partition.and_then(|at| Name::read(words, at + 2)).map(|(parent, _)| parent),
            default_partition: partition.is_some() && words.find("default").is_some(),
            partitioned: (1..words.tokens.len()).any(|at| is_by(&at)),
            inherits: words.find("inherits").and_then(|at| Name::read(words, at + 2)).map(|(parent, _)| parent),
        })
    }

    /// The column or constraint in which a byte of the text is.
    pub fn element_at(&self, at: usize) -> Option<&Element<'a>> {
        self.elements.iter().find(|element| element.words.range().contains(&at))
    }
}

/// `CREATE INDEX ...`
#[derive(Debug, Clone, Copy)]
pub struct CreateIndex<'a> {
    /// `UNIQUE`
    pub unique: bool,
    /// `CONCURRENTLY`
    pub concurrently: bool,
    /// Its name, where it has one.
    pub name: Option<Name<'a>>,
    /// `ON ONLY`
    pub only: bool,
    /// The table.
    pub table: Option<Name<'a>>,
    /// The byte of the text at which the part after the table's name starts.
    pub rest: Option<usize>,
}

impl<'a> CreateIndex<'a> {
    /// `index` is that of the token after `INDEX`.
    pub(crate) fn of(words: &Words<'a>, index: usize) -> CreateIndex<'a> {
        let at = words.skip(words.skip(index, &["concurrently"]), &["if", "not", "exists"]);
        let name = if words.is(at, "on") { None } else { Name::read(words, at) };
        let on = match name {
            Some((_, end)) => Some(end).filter(|&end| words.is(end, "on")),
            None => words.find("on"),
        };
        let table_at = on.map(|on| words.skip(on + 1, &["only"]));
        let table = table_at.and_then(|at| Name::read(words, at));
        CreateIndex {
            unique: words.is(index - 2, "unique"),
            concurrently: words.is(index, "concurrently"),
            name: name.map(|(name, _)| name),
            only: on.is_some_and(|on| words.is(on + 1, "only")),
            table: table.map(|(table, _)| table),
            rest: table.and_then(|(_, end)| Some(words.tokens.get(end)?.start())),
        }
    }
}

/// `CREATE TRIGGER`, `CREATE POLICY`, `CREATE RULE`
#[derive(Debug, Clone, Copy)]
pub struct CreateOnTable<'a> {
    /// Which of them.
    pub kind: ObjectKind,
    /// `OR REPLACE`
    pub or_replace: bool,
    /// Its name.
    pub name: Option<Name<'a>>,
    /// The table.
    pub table: Option<Name<'a>>,
}

impl<'a> CreateOnTable<'a> {
    pub(crate) fn of(words: &Words<'a>, kind: ObjectKind, index: usize) -> CreateOnTable<'a> {
        let before = if kind == ObjectKind::Rule { "to" } else { "on" };
        CreateOnTable {
            kind,
            or_replace: is_or_replace(words),
            name: Name::read(words, index).map(|(name, _)| name),
            table: table_after(words, before),
        }
    }
}

/// `CREATE DOMAIN ...`
#[derive(Debug, Clone, Copy)]
pub struct CreateDomain<'a> {
    /// The new type.
    pub name: Name<'a>,
    /// The tokens from the type that it is made of on.
    pub base: Words<'a>,
    /// It has a constraint.
    pub constrained: bool,
}

impl<'a> CreateDomain<'a> {
    pub(crate) fn of(words: &Words<'a>, index: usize) -> Option<CreateDomain<'a>> {
        let (name, end) = Name::read(words, index)?;
        Some(CreateDomain {
            name,
            base: Words::new(words.text, words.tokens.get(words.skip(end, &["as"])..)?),
            constrained: words.find("check").is_some() || words.find("not").is_some(),
        })
    }
}

/// Any other `CREATE ...`
#[derive(Debug, Clone, Copy)]
pub struct Create<'a> {
    /// What is made.
    pub kind: ObjectKind,
    /// `OR REPLACE`
    pub or_replace: bool,
    /// Its name, where it has one.
    pub name: Option<Name<'a>>,
    /// A function that gives the same for every row of a statement: `IMMUTABLE` or `STABLE`.
    pub steady: bool,
    /// A subscription that makes its slot on the other server.
    pub with_slot: bool,
}

impl<'a> Create<'a> {
    pub(crate) fn of(words: &Words<'a>, kind: ObjectKind, index: usize) -> Create<'a> {
        let with = words.find("with").filter(|_| kind == ObjectKind::Subscription);
        let is_off = |option| with.is_some_and(|with| flag(words, with + 1, option) == Some(false));
        Create {
            kind,
            or_replace: is_or_replace(words),
            name: Name::read(words, words.skip(index, &["if", "not", "exists"])).map(|(name, _)| name),
            steady: kind == ObjectKind::Function && words.find("immutable").or(words.find("stable")).is_some(),
            with_slot: kind == ObjectKind::Subscription && !is_off("connect") && !is_off("create_slot"),
        }
    }
}

fn is_or_replace(words: &Words<'_>) -> bool {
    words.is(1, "or")
}

/// The table that follows the first such word outside parentheses.
pub(crate) fn table_after<'a>(words: &Words<'a>, word: &str) -> Option<Name<'a>> {
    let at = words.skip(words.find(word)? + 1, &["only"]);
    Name::read(words, at).map(|(table, _)| table)
}
