//! What the migrations before a statement say about columns and constraints: some hazards are none with the right past.

use std::collections::HashMap;

use super::object::{self, Object};
use crate::lexer::Kind;
use crate::words::Words;

/// Gathered from the up blocks, in their order.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// The type of a column of a table, as [`column_type`] writes it.
    types: HashMap<(String, String), String>,
    checks: Vec<Check>,
    /// Columns that were made NOT NULL, by table.
    not_null: Vec<(Object, String)>,
}

/// A CHECK constraint.
#[derive(Debug)]
struct Check {
    table: Object,
    name: String,
    valid: bool,
    /// The column of which it says that it is not NULL.
    not_null: Option<String>,
}

impl Known {
    /// Takes note of what a statement changes.
    pub(crate) fn take(&mut self, words: &Words<'_>) {
        if let Some((table, elements)) = object::create_table(words) {
            for element in &elements {
                self.element(&table, element);
            }
        } else if let Some((table, actions)) = object::alter_table(words) {
            for action in &actions {
                self.action(&table, action);
            }
        }
    }

    /// A column or constraint of `CREATE TABLE`, `ADD COLUMN` or `ADD`.
    fn element(&mut self, table: &Object, element: &Words<'_>) {
        if is_constraint(element) {
            if let Some(check) = element.find("check") {
                let not_null = not_null_column(element, check + 1);
                let name = if element.is(0, "constraint") { name(element, 1) } else { String::new() };
                let valid = !is_not_valid(element);
                self.checks.push(Check { table: table.clone(), name, valid, not_null });
            }
        } else {
            self.types.insert((table.name.clone(), name(element, 0)), column_type(element, 1));
        }
    }

    fn action(&mut self, table: &Object, action: &Words<'_>) {
        if let Some(element) = added(action) {
            return self.element(table, &element);
        }
        if action.start_with(&["validate", "constraint"]) {
            let name = name(action, 2);
            let same = |check: &&mut Check| check.name == name && check.table.is(table);
            self.checks.iter_mut().filter(same).for_each(|check| check.valid = true);
        } else if let Some((column, what)) = altered_column(action) {
            if action.is(what, "set") && action.is(what + 1, "not") {
                self.not_null.push((table.clone(), column));
            } else if let Some(new) = new_type(action, what) {
                self.types.insert((table.name.clone(), column), column_type(action, new));
            }
        }
    }

    /// True if a valid CHECK says that the column is not NULL.
    pub(crate) fn proves_not_null(&self, table: &Object, column: &str) -> bool {
        self.checks
            .iter()
            .any(|check| check.valid && check.table.is(table) && check.not_null.as_deref() == Some(column))
    }

    /// True if a valid CHECK says something about the rows of the table.
    pub(crate) fn has_valid_check(&self, table: &Object) -> bool {
        self.checks.iter().any(|check| check.valid && check.table.is(table))
    }

    /// True if the constraint says no more than the NOT NULL that the column has.
    pub(crate) fn is_spare(&self, table: &Object, constraint: &str) -> bool {
        self.checks.iter().any(|check| {
            check.name == constraint
                && check.table.is(table)
                && check
                    .not_null
                    .as_ref()
                    .is_some_and(|column| self.not_null.iter().any(|(other, name)| other.is(table) && name == column))
        })
    }

    /// True if a column of the type that it has can take the new one as it lies there.
    pub(crate) fn keeps_rows(&self, table: &Object, column: &str, new: &str) -> bool {
        let old = self.types.get(&(table.name.clone(), column.to_owned()));
        old.is_some_and(|old| keeps_rows(old, new))
    }
}

/// True for a table constraint, false for a column.
fn is_constraint(element: &Words<'_>) -> bool {
    element.is_any(0, &["constraint", "check", "unique", "primary", "foreign", "exclude", "like"])
}

/// True for `NOT VALID`.
pub(crate) fn is_not_valid(words: &Words<'_>) -> bool {
    words.find("valid").is_some_and(|valid| valid > 0 && words.is(valid - 1, "not"))
}

/// The column or constraint behind `ADD`, `ADD COLUMN`, `ADD COLUMN IF NOT EXISTS`.
pub(crate) fn added<'a>(action: &Words<'a>) -> Option<Words<'a>> {
    if !action.is(0, "add") {
        return None;
    }
    let start = action.skip(action.skip(1, &["column"]), &["if", "not", "exists"]);
    Some(Words::new(action.text, action.tokens.get(start..)?))
}

/// The column of `ALTER [COLUMN] name ...` and the index behind it.
pub(crate) fn altered_column(action: &Words<'_>) -> Option<(String, usize)> {
    if !action.is(0, "alter") || action.is(1, "constraint") {
        return None;
    }
    let at = action.skip(1, &["column"]);
    Some((name(action, at), at + 1))
}

/// Where the type begins in `TYPE x` or `SET DATA TYPE x`.
pub(crate) fn new_type(action: &Words<'_>, index: usize) -> Option<usize> {
    let at = action.skip(index, &["set", "data"]);
    action.is(at, "type").then_some(at + 1)
}

/// The unqualified name at an index.
pub(crate) fn name(words: &Words<'_>, index: usize) -> String {
    Object::read(words, index).map_or(String::new(), |(object, _)| object.name)
}

/// The column of `(x IS NOT NULL)`, which starts at an index.
fn not_null_column(words: &Words<'_>, index: usize) -> Option<String> {
    let opened = (index..words.tokens.len()).take_while(|&at| words.at(at) == "(").count();
    let column = index + opened;
    let is_check = ["is", "not", "null"].iter().enumerate().all(|(at, word)| words.is(column + 1 + at, word));
    (opened > 0 && is_check && words.at(column + 4) == ")").then(|| name(words, column))
}

/// The type of a column as it begins at an index: lower case, without blanks around parentheses, under its short name.
pub(crate) fn column_type(words: &Words<'_>, index: usize) -> String {
    const END: &[&str] = &[
        "not",
        "null",
        "default",
        "primary",
        "unique",
        "references",
        "check",
        "constraint",
        "collate",
        "generated",
        "storage",
        "compression",
        "using",
    ];
    let mut text = String::new();
    let mut depth = 0usize;
    for at in index..words.tokens.len() {
        match words.at(at) {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ if depth == 0 && words.is_any(at, END) => break,
            _ => {}
        }
        let word = words.tokens[at].kind == Kind::Word;
        if word && text.ends_with(|last: char| last.is_alphanumeric() || last == ')') {
            text.push(' ');
        }
        text.push_str(&words.at(at).to_lowercase());
    }
    text.replace("character varying", "varchar").replace("decimal", "numeric")
}

/// True where PostgreSQL changes the catalog alone.
fn keeps_rows(old: &str, new: &str) -> bool {
    let (old_base, old_numbers) = parts(old);
    let (new_base, new_numbers) = parts(new);
    match (old_base, new_base) {
        ("varchar" | "text", "text") => new_numbers.is_empty(),
        ("varchar" | "text", "varchar") if new_numbers.is_empty() => true,
        ("varchar", "varchar") => !old_numbers.is_empty() && old_numbers <= new_numbers,
        ("numeric", "numeric") if new_numbers.is_empty() => true,
        ("numeric", "numeric") => {
            let scale = |numbers: &[u32]| numbers.get(1).copied().unwrap_or(0);
            !old_numbers.is_empty() && old_numbers[0] <= new_numbers[0] && scale(&old_numbers) == scale(&new_numbers)
        }
        _ => old == new,
    }
}

/// `numeric(10,2)` as `numeric` and its numbers.
fn parts(text: &str) -> (&str, Vec<u32>) {
    match text.split_once('(') {
        Some((base, rest)) => {
            (base, rest.trim_end_matches(')').split(',').filter_map(|number| number.parse().ok()).collect())
        }
        None => (text, Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lexer::lex;
    use crate::statements::split;

    fn known(text: &str) -> Known {
        let mut known = Known::default();
        split(text, &lex(text).tokens).iter().for_each(|words| known.take(words));
        known
    }

    fn table(text: &str) -> Object {
        Object::read(&Words::new(text, &lex(text).tokens), 0).unwrap().0
    }

    #[test]
    fn a_valid_check_proves_that_a_column_is_not_null() {
        let added =
            "CREATE TABLE core.t (a text); ALTER TABLE core.t ADD CONSTRAINT c CHECK (a IS NOT NULL) NOT VALID;";
        assert!(!known(added).proves_not_null(&table("core.t"), "a"));
        let validated = format!("{added} ALTER TABLE core.t VALIDATE CONSTRAINT c;");
        assert!(known(&validated).proves_not_null(&table("core.t"), "a"));
        assert!(!known(&validated).proves_not_null(&table("core.t"), "b"));
        assert!(!known(&validated).is_spare(&table("t"), "c"));
        assert!(known(&format!("{validated} ALTER TABLE core.t ALTER a SET NOT NULL")).is_spare(&table("t"), "c"));
        assert!(known("ALTER TABLE t ADD CHECK (a > 1)").has_valid_check(&table("t")));
        assert!(!known("ALTER TABLE t ADD CHECK (a > 1) NOT VALID").has_valid_check(&table("t")));
    }

    #[test]
    fn knows_which_changes_of_type_leave_the_rows_alone() {
        let known = known(
            "CREATE TABLE t (a character varying(50) NOT NULL, b int, c decimal(10, 2));
             ALTER TABLE t ADD COLUMN d text, ALTER b TYPE varchar(20) USING b::text",
        );
        for (column, new, keeps) in [
            ("a", "text", true),
            ("a", "varchar(100)", true),
            ("a", "varchar(20)", false),
            ("b", "varchar(20)", true),
            ("b", "varchar(10)", false),
            ("c", "numeric(12,2)", true),
            ("c", "numeric(12,3)", false),
            ("c", "numeric", true),
            ("d", "varchar", true),
            ("d", "varchar(10)", false),
            ("d", "int", false),
            ("unknown", "text", false),
        ] {
            assert_eq!(known.keeps_rows(&table("t"), column, new), keeps, "{column} to {new}");
        }
    }
}
