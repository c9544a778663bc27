//! `DROP ...`

use crate::create::table_after;
use crate::name::Name;
use crate::object_kind::ObjectKind;
use crate::words::Words;

/// `DROP ...`
#[derive(Debug, Clone)]
pub struct Drop<'a> {
    /// What is dropped.
    pub kind: ObjectKind,
    /// Their names.
    pub names: Vec<Name<'a>>,
    /// `CONCURRENTLY`
    pub concurrently: bool,
    /// The table of a trigger, a policy or a rule.
    pub on: Option<Name<'a>>,
}

impl<'a> Drop<'a> {
    /// `words` begin with `DROP`.
    pub(crate) fn of(words: &Words<'a>) -> Drop<'a> {
        let (kind, index) = ObjectKind::read(words);
        let start = words.skip(words.skip(index, &["concurrently"]), &["if", "exists"]);
        Drop {
            kind,
            names: if kind == ObjectKind::EventTrigger { Vec::new() } else { Name::list(words, start) },
            concurrently: words.is(index, "concurrently"),
            on: if kind.is_on_table() { table_after(words, "on") } else { None },
        }
    }
}
