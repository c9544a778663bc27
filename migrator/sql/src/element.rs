//! The columns and constraints of a table, as `CREATE TABLE` and `ALTER TABLE ... ADD` have them.

use crate::name::Name;
use crate::words::Words;

/// A column, a constraint, or `LIKE another`.
#[derive(Debug, Clone, Copy)]
pub struct Element<'a> {
    /// Its tokens.
    pub words: Words<'a>,
    /// What it is.
    pub what: ElementKind<'a>,
}

/// What an element of a table is.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum ElementKind<'a> {
    /// A column, with the constraints that follow its type.
    Column(Name<'a>),
    /// A constraint of the table.
    Constraint {
        /// The name that follows `CONSTRAINT`.
        name: Option<Name<'a>>,
        /// What it demands.
        kind: ConstraintKind,
    },
    /// `LIKE another_table`.
    Like(Name<'a>),
    /// What is neither.
    Other,
}

/// What a constraint of a table demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConstraintKind {
    /// `CHECK (...)`
    Check,
    /// `UNIQUE (...)`
    Unique,
    /// `PRIMARY KEY (...)`
    PrimaryKey,
    /// `FOREIGN KEY (...) REFERENCES ...`
    ForeignKey,
    /// `EXCLUDE (...)`
    Exclude,
    /// Another one.
    Other,
}

/// What can follow the type of a column, or be a constraint of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clause {
    /// `CHECK`
    Check,
    /// `UNIQUE`
    Unique,
    /// `PRIMARY KEY`
    PrimaryKey,
    /// `REFERENCES`
    References,
    /// `EXCLUDE`
    Exclude,
    /// `DEFAULT`
    Default,
    /// `GENERATED`
    Generated,
    /// `GENERATED ... AS IDENTITY`
    Identity,
    /// `GENERATED ALWAYS AS (...) STORED`
    Stored,
    /// `GENERATED ALWAYS AS (...) VIRTUAL`
    Virtual,
}

impl Clause {
    fn word(self) -> &'static str {
        match self {
            Clause::Check => "check",
            Clause::Unique => "unique",
            Clause::PrimaryKey => "primary",
            Clause::References => "references",
            Clause::Exclude => "exclude",
            Clause::Default => "default",
            Clause::Generated => "generated",
            Clause::Identity => "identity",
            Clause::Stored => "stored",
            Clause::Virtual => "virtual",
        }
    }
}

impl<'a> Element<'a> {
    pub(crate) fn of(words: Words<'a>) -> Element<'a> {
        let name = if words.is(0, "constraint") { Name::read(&words, 1) } else { None };
        let at = name.map_or(0, |(_, end)| end);
        let constraint = |kind| ElementKind::Constraint { name: name.map(|(name, _)| name), kind };
        let kinds = [
            ("check", ConstraintKind::Check),
            ("unique", ConstraintKind::Unique),
            ("primary", ConstraintKind::PrimaryKey),
            ("foreign", ConstraintKind::ForeignKey),
            ("exclude", ConstraintKind::Exclude),
        ];
        let what = if let Some((_, kind)) = kinds.iter().find(|(word, _)| words.is(at, word)) {
            constraint(*kind)
        } else if words.is(0, "constraint") {
            constraint(ConstraintKind::Other)
        } else if words.is(0, "like") {
            Name::read(&words, 1).map_or(ElementKind::Other, |(name, _)| ElementKind::Like(name))
        } else {
            Name::read(&words, 0).map_or(ElementKind::Other, |(name, _)| ElementKind::Column(name))
        };
        Element { words, what }
    }

    /// The column's name; `None` for everything else.
    pub fn column(&self) -> Option<Name<'a>> {
        match self.what {
            ElementKind::Column(name) => Some(name),
            _ => None,
        }
    }

    /// The name of a constraint of the table, where it has one.
    pub fn constraint_name(&self) -> Option<Name<'a>> {
        match self.what {
            ElementKind::Constraint { name, .. } => name,
            _ => None,
        }
    }

    /// What a constraint of the table demands; `None` for a column.
    pub fn constraint(&self) -> Option<ConstraintKind> {
        match self.what {
            ElementKind::Constraint { kind, .. } => Some(kind),
            _ => None,
        }
    }

    /// The tokens from the column's type on.
    pub fn column_type(&self) -> Option<Words<'a>> {
        self.column()?;
        Some(Words::new(self.words.text, self.words.tokens.get(1..)?))
    }

    /// True for a column that is written with one of these types, in any case.
    pub fn is_of_type(&self, types: &[&str]) -> bool {
        self.column().is_some() && self.words.is_any(1, types)
    }

    /// True for a column whose type is `serial`, of whatever size.
    pub fn is_serial(&self) -> bool {
        self.is_of_type(&["serial", "serial4", "bigserial", "serial8", "smallserial", "serial2"])
    }

    /// Where a clause begins, outside parentheses.
    pub fn find(&self, clause: Clause) -> Option<usize> {
        self.words.find(clause.word())
    }

    /// True if a clause is outside parentheses.
    pub fn has(&self, clause: Clause) -> bool {
        self.find(clause).is_some()
    }

    /// The table that a foreign key refers to.
    pub fn references(&self) -> Option<Name<'a>> {
        Name::read(&self.words, self.find(Clause::References)? + 1).map(|(name, _)| name)
    }

    /// True for `NOT VALID`.
    pub fn is_not_valid(&self) -> bool {
        is_not_valid(&self.words)
    }

    /// The one column of `PRIMARY KEY (a)`.
    pub fn only_key_column(&self) -> Option<Name<'a>> {
        let key = self.find(Clause::PrimaryKey)? + 1;
        let (name, end) = Name::read(&self.words, key + 2)?;
        (self.words.is(key, "key") && self.words.at(key + 1) == "(" && self.words.at(end) == ")").then_some(name)
    }

    /// The column of `CHECK (a IS NOT NULL)`.
    pub fn not_null_column(&self) -> Option<Name<'a>> {
        let check = self.find(Clause::Check)? + 1;
        let opened = (check..self.words.tokens.len()).take_while(|&at| self.words.at(at) == "(").count();
        let (name, end) = Name::read(&self.words, check + opened)?;
        let is_check = ["is", "not", "null"].iter().enumerate().all(|(at, word)| self.words.is(end + at, word));
        (opened > 0 && is_check && self.words.at(end + 3) == ")").then_some(name)
    }

    /// The tokens of `DEFAULT ...`, to the constraint that follows it.
    pub fn default(&self) -> Option<Words<'a>> {
        let start = self.find(Clause::Default).filter(|_| !self.has(Clause::Generated))?;
        let ends = [self.find(Clause::References), self.find(Clause::Check), self.words.find("constraint")];
        let end = ends.into_iter().flatten().min().unwrap_or(self.words.tokens.len());
        Some(Words::new(self.words.text, self.words.tokens.get(start + 1..end)?))
    }
}

/// True for `NOT VALID` at the end of a constraint.
pub(crate) fn is_not_valid(words: &Words<'_>) -> bool {
    words.find("valid").is_some_and(|valid| valid > 0 && words.is(valid - 1, "not"))
}
