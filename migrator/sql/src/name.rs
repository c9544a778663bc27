//! Names of objects.

use std::fmt;

use crate::lexer::Kind;
use crate::words::Words;

/// The server cuts longer names.
const LONGEST: usize = 63;

/// A possibly qualified name as a statement has it.
#[derive(Debug, Clone, Copy)]
pub struct Name<'a>(Words<'a>);

impl<'a> Name<'a> {
    /// The name that starts at a token, and the index after it. `None` where no name is.
    pub fn read(words: &Words<'a>, index: usize) -> Option<(Name<'a>, usize)> {
        words.tokens.get(index)?;
        let end = words.behind_name(index);
        let last = words.tokens.get(end - 1)?;
        matches!(last.kind, Kind::Word | Kind::Quoted)
            .then(|| (Name(Words::new(words.text, &words.tokens[index..end])), end))
    }

    /// The names between commas, from an index on, each with or without `ONLY`.
    pub(crate) fn list(words: &Words<'a>, index: usize) -> Vec<Name<'a>> {
        let name = |element: &Words<'a>| Name::read(element, element.skip(0, &["only"])).map(|(name, _)| name);
        words.elements(index).iter().filter_map(name).collect()
    }

    /// As it is written, without white space and comments: `core."Users"`.
    pub fn as_written(&self) -> String {
        self.0.joined(0..self.0.tokens.len())
    }

    /// The object that is meant.
    pub fn object(&self) -> Object {
        let last = self.0.tokens.len() - 1;
        let schema = if last >= 2 { self.part(last - 2) } else { None };
        Object { schema, name: self.part(last).unwrap_or_default() }
    }

    /// The byte at which it starts.
    pub fn start(&self) -> usize {
        self.0.start()
    }

    /// As the catalog has an unqualified name: unquoted, folded, cut. `None` for a name with Unicode escapes.
    pub fn in_catalog(&self) -> Option<String> {
        let text = self.0.at(0);
        let mut name = match self.0.tokens[0].kind {
            Kind::Word => text.to_ascii_lowercase(),
            _ => text.strip_prefix('"')?.strip_suffix('"')?.replace("\"\"", "\""),
        };
        while name.len() > LONGEST {
            name.pop();
        }
        Some(name)
    }

    fn part(&self, index: usize) -> Option<String> {
        let text = self.0.at(index);
        match self.0.tokens.get(index)?.kind {
            Kind::Word => Some(text.to_lowercase()),
            Kind::Quoted => Some(text.trim_matches('"').replace("\"\"", "\"")),
            _ => None,
        }
    }
}

/// An object by its name, folded as the server folds it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Object {
    schema: Option<String>,
    /// The name without its schema.
    pub name: String,
}

impl Object {
    /// A name without a schema.
    pub fn named(name: String) -> Object {
        Object { schema: None, name }
    }

    /// The same name in a schema.
    #[must_use]
    pub fn in_schema(&self, schema: &str) -> Object {
        Object { schema: Some(schema.to_owned()), name: self.name.clone() }
    }

    /// The same with another name, in the same schema.
    pub fn renamed(&self, name: &str) -> Object {
        Object { schema: self.schema.clone(), name: name.to_owned() }
    }

    /// True if it can be one of PostgreSQL's own, as far as the name says.
    pub fn may_be_builtin(&self) -> bool {
        self.schema.as_deref().is_none_or(|schema| schema == "pg_catalog")
    }

    /// True if both can mean the same object: a name without a schema may be in any.
    pub fn is(&self, other: &Object) -> bool {
        self.name == other.name && (self.schema.is_none() || other.schema.is_none() || self.schema == other.schema)
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.schema {
            Some(schema) => write!(f, "{schema}.{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lexer::lex;

    fn object(text: &str) -> Object {
        Name::read(&Words::new(text, &lex(text).tokens), 0).unwrap().0.object()
    }

    #[test]
    fn a_name_without_a_schema_may_be_in_any() {
        assert!(object("core.T").is(&object("t")));
        assert!(!object("core.t").is(&object("app.t")));
        assert!(!object("\"T\"").is(&object("t")));
        assert_eq!(object("db . \"A\"\"b\" /* c */ . T").to_string(), "A\"b.t");
    }

    #[test]
    fn what_is_not_a_name_is_none() {
        for text in ["", "(a)", "'a'", "a.", "a.*"] {
            assert!(Name::read(&Words::new(text, &lex(text).tokens), 0).is_none(), "{text}");
        }
    }
}
