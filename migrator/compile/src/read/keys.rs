//! A TOML file, key by key: what is unknown or of another type is reported with its place.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use migrator_model::{List, Text};

use crate::code::Code;
use crate::contract::keys::{self, Mistake};
use crate::problem::Problem;
use crate::source::Source;

/// A value with its place.
pub(crate) type Value<'a> = Spanned<DeValue<'a>>;

/// Reads one file.
pub(crate) struct Reader<'a> {
    source: &'a Source,
    code: Code,
    problems: &'a mut Vec<Problem>,
}

impl<'a> Reader<'a> {
    /// Reads that file; every mistake in it has that code.
    pub(crate) fn new(source: &'a Source, code: Code, problems: &'a mut Vec<Problem>) -> Reader<'a> {
        Reader { source, code, problems }
    }

    /// The file.
    pub(crate) fn source(&self) -> &'a Source {
        self.source
    }

    /// Adds what was found.
    pub(crate) fn add(&mut self, found: impl IntoIterator<Item = Problem>) {
        self.problems.extend(found);
    }

    /// What can be read of the file.
    pub(crate) fn parse(&mut self) -> Spanned<DeTable<'a>> {
        let (table, errors) = DeTable::parse_recoverable(&self.source.text);
        for error in errors {
            self.refuse(error.span().unwrap_or_default(), keys::not_toml(error.message()));
        }
        table
    }

    /// Passes every known key to `read` and reports the others.
    pub(crate) fn table(
        &mut self,
        table: &DeTable<'_>,
        known: &[&str],
        mut read: impl FnMut(&mut Self, &str, &Value<'_>),
    ) {
        for (key, value) in table {
            let name: &str = key.get_ref();
            if known.contains(&name) {
                read(self, name, value);
                continue;
            }
            self.refuse(key.span(), keys::unknown_key(name, known));
        }
    }

    pub(crate) fn refuse(&mut self, span: Range<usize>, mistake: Mistake) {
        self.problems.push(mistake.problem(self.code, self.source, &span));
    }

    pub(crate) fn refuse_type(&mut self, key: &str, value: &Value<'_>, wanted: &str, example: &str) {
        self.refuse(value.span(), keys::other_type(key, value.get_ref().type_str(), wanted, example));
    }

    pub(crate) fn section<'v>(&mut self, key: &str, value: &'v Value<'v>) -> Option<&'v DeTable<'v>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.refuse_type(key, value, "a table", &format!("[{key}]"));
        }
        table
    }

    pub(crate) fn string(&mut self, key: &str, value: &Value<'_>) -> Option<String> {
        let text = value.get_ref().as_str().map(str::to_owned);
        if text.is_none() {
            self.refuse_type(key, value, "a string", &format!("{key} = \"...\""));
        }
        text
    }

    pub(crate) fn boolean(&mut self, key: &str, value: &Value<'_>) -> Option<bool> {
        let yes = value.get_ref().as_bool();
        if yes.is_none() {
            self.refuse_type(key, value, "true or false", &format!("{key} = true"));
        }
        yes
    }

    pub(crate) fn count(&mut self, key: &str, value: &Value<'_>) -> Option<u64> {
        let digits = value.get_ref().as_integer().filter(|number| number.radix() == 10);
        let count = digits.and_then(|number| number.as_str().parse().ok());
        if count.is_none() {
            self.refuse_type(key, value, "a whole number that is not negative", &format!("{key} = 0"));
        }
        count
    }

    pub(crate) fn strings(&mut self, key: &str, value: &Value<'_>) -> Option<List<Text>> {
        let list = value.get_ref().as_array().and_then(|array| {
            array
                .iter()
                .map(|item| item.get_ref().as_str().map(|text| text.to_owned().into()))
                .collect::<Option<List<Text>>>()
        });
        if list.is_none() {
            self.refuse_type(key, value, "a list of strings", &format!("{key} = [\"...\"]"));
        }
        list
    }
}
