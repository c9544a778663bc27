//! What the migrations before a statement say about columns and constraints: some hazards are none with the right past.

use std::collections::HashMap;

use super::object::{self, Object};
use super::steady;
use super::types::{Domains, column_type};
use migrator_sql::Words;

/// Gathered from the up blocks, in their order.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// The type of a column of a table, as [`column_type`] writes it.
    types: HashMap<(String, String), String>,
    domains: Domains,
    checks: Vec<Check>,
    /// Columns that were made NOT NULL, by table.
    not_null: Vec<(Object, String)>,
    /// Tables with partitions, and whether one of these is the default.
    partitioned: Vec<(Object, bool)>,
    /// Tables that were created and have no partitions.
    plain: Vec<Object>,
    /// The table of an index.
    indexes: Vec<(Object, Object)>,
    /// Functions that were created, and whether they give the same for every row.
    functions: HashMap<String, bool>,
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
        let kind = object::kind_index(words);
        if let Some((table, elements)) = object::create_table(words) {
            self.create_table(words, &table, &elements);
        } else if let Some((table, actions)) = object::alter_table(words) {
            for action in &actions {
                self.action(&table, action);
            }
        } else if words.is(kind, "domain") {
            self.domains.take(words);
        } else if words.is(0, "create") && words.is(kind, "index") {
            let made = object::made(words).zip(object::targets(words).pop());
            self.indexes.extend(made);
        } else if words.is(0, "create") && words.is(kind, "function") {
            let name = object::made(words).map(|function| function.name);
            self.functions.extend(name.map(|name| (name, words.find("immutable").or(words.find("stable")).is_some())));
        } else if words.is(0, "drop") && words.is(kind, "table") {
            object::targets(words).iter().for_each(|table| self.forget(table));
        }
    }

    fn create_table(&mut self, words: &Words<'_>, table: &Object, elements: &[Words<'_>]) {
        if words.find("if").is_none() {
            self.forget(table);
        }
        for element in elements {
            self.element(table, element);
        }
        let parent = words.find("partition").filter(|at| words.is(at + 1, "of"));
        if let Some((parent, end)) = parent.and_then(|at| Object::read(words, at + 2)) {
            self.copy_types(&parent, table);
            self.gets_partition(&parent, words.is(end, "default") || words.find("default").is_some());
        }
        if words.find("partition").is_some_and(|at| words.is(at + 1, "by"))
            || (1..words.tokens.len()).any(|at| words.is(at, "partition") && words.is(at + 1, "by"))
        {
            self.partitioned.push((table.clone(), false));
        } else {
            self.plain.push(table.clone());
        }
        if let Some(parent) = words.find("inherits").and_then(|at| Object::read(words, at + 2)) {
            self.copy_types(&parent.0, table);
        }
    }

    fn gets_partition(&mut self, parent: &Object, default: bool) {
        let same = |(other, _): &&mut (Object, bool)| other.is(parent);
        match self.partitioned.iter_mut().find(same) {
            Some((_, has_default)) => *has_default |= default,
            None => self.partitioned.push((parent.clone(), default)),
        }
    }

    fn copy_types(&mut self, from: &Object, to: &Object) {
        let columns = self.types.iter().filter(|((table, _), _)| *table == from.name);
        let copies: Vec<_> =
            columns.map(|((_, column), of_type)| ((to.name.clone(), column.clone()), of_type.clone())).collect();
        self.types.extend(copies);
    }

    fn forget(&mut self, table: &Object) {
        self.types.retain(|(other, _), _| *other != table.name);
        self.checks.retain(|check| !check.table.is(table));
        self.not_null.retain(|(other, _)| !other.is(table));
        self.partitioned.retain(|(other, _)| !other.is(table));
        self.plain.retain(|other| !other.is(table));
        self.indexes.retain(|(_, other)| !other.is(table));
    }

    /// A column or constraint of `CREATE TABLE`, `ADD COLUMN` or `ADD`.
    fn element(&mut self, table: &Object, element: &Words<'_>) {
        if element.is(0, "like") {
            if let Some((other, _)) = Object::read(element, 1) {
                self.copy_types(&other, table);
            }
        } else if is_constraint(element) {
            let name = if element.is(0, "constraint") { name(element, 1) } else { String::new() };
            if let Some(check) = element.find("check") {
                let not_null = not_null_column(element, check + 1);
                let valid = !is_not_valid(element);
                self.checks.push(Check { table: table.clone(), name: name.clone(), valid, not_null });
            }
            if !name.is_empty() && (element.find("unique").is_some() || element.find("primary").is_some()) {
                self.indexes.push((Object::named(name), table.clone()));
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
        } else if action.is(0, "rename") {
            self.rename(table, action);
        } else if action.is(0, "drop") && !action.is(1, "constraint") {
            let column = action.skip(action.skip(1, &["column"]), &["if", "exists"]);
            self.types.remove(&(table.name.clone(), name(action, column)));
        } else if action.start_with(&["attach", "partition"]) {
            self.gets_partition(table, action.is(action.tokens.len() - 1, "default"));
        } else if let Some((column, what)) = altered_column(action) {
            if action.is(what, "set") && action.is(what + 1, "not") {
                self.not_null.push((table.clone(), column));
            } else if action.is(what, "drop") && action.is(what + 1, "not") {
                self.not_null.retain(|(other, name)| !other.is(table) || *name != column);
            } else if let Some(new) = new_type(action, what) {
                self.types.insert((table.name.clone(), column), column_type(action, new));
            }
        }
    }

    /// `RENAME TO`, `RENAME [COLUMN] a TO b`, `RENAME CONSTRAINT a TO b`.
    fn rename(&mut self, table: &Object, action: &Words<'_>) {
        let Some(to) = (1..action.tokens.len()).rev().find(|&at| action.is(at, "to")) else { return };
        let new = name(action, to + 1);
        if to == 1 {
            self.rename_table(table, &new);
        } else if action.is(1, "constraint") {
            let old = name(action, 2);
            let same = |check: &&mut Check| check.name == old && check.table.is(table);
            self.checks.iter_mut().filter(same).for_each(|check| check.name.clone_from(&new));
        } else {
            let old = name(action, action.skip(1, &["column"]));
            if let Some(of_type) = self.types.remove(&(table.name.clone(), old.clone())) {
                self.types.insert((table.name.clone(), new.clone()), of_type);
            }
            let of_table = self.not_null.iter_mut().filter(|(other, name)| other.is(table) && *name == old);
            of_table.for_each(|(_, name)| name.clone_from(&new));
            let of_table = self.checks.iter_mut().filter(|check| check.table.is(table));
            for column in of_table.filter_map(|check| check.not_null.as_mut()).filter(|column| **column == old) {
                column.clone_from(&new);
            }
        }
    }

    fn rename_table(&mut self, table: &Object, new: &str) {
        let renamed = table.renamed(new);
        let moved = self.types.extract_if(|(other, _), _| *other == table.name);
        let moved: Vec<_> = moved.map(|((_, column), of_type)| ((new.to_owned(), column), of_type)).collect();
        self.types.extend(moved);
        let checks = self.checks.iter_mut().map(|check| &mut check.table);
        let not_null = self.not_null.iter_mut().map(|(table, _)| table);
        let partitioned = self.partitioned.iter_mut().map(|(table, _)| table);
        let indexes = self.indexes.iter_mut().map(|(_, table)| table);
        let all = checks.chain(not_null).chain(partitioned).chain(indexes).chain(&mut self.plain);
        all.filter(|other| other.is(table)).for_each(|other| other.clone_from(&renamed));
    }

    /// True for a table that was created with partitions, or has got one.
    pub(crate) fn is_partitioned(&self, table: &Object) -> bool {
        self.partitioned.iter().any(|(other, _)| other.is(table))
    }

    /// True for a table that was created, and not with partitions.
    pub(crate) fn is_plain(&self, table: &Object) -> bool {
        self.plain.iter().any(|other| other.is(table)) && !self.is_partitioned(table)
    }

    /// True if one of the partitions of the table is the default.
    pub(crate) fn has_default_partition(&self, table: &Object) -> bool {
        self.partitioned.iter().any(|(other, default)| *default && other.is(table))
    }

    /// The table of an index.
    pub(crate) fn table_of_index(&self, index: &Object) -> Option<&Object> {
        self.indexes.iter().rev().find(|(other, _)| other.is(index)).map(|(_, table)| table)
    }

    /// True if the function gives the same for every row of a statement: PostgreSQL's own, or one that was created as
    /// such.
    pub(crate) fn is_steady(&self, function: &Object) -> bool {
        match self.functions.get(&function.name) {
            Some(steady) => *steady,
            None => steady::is_steady(function),
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
        old.is_some_and(|old| self.domains.keeps_rows(old, new))
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

/// True if the column's own value is taken over: without `USING`, or with a cast to the very type.
pub(crate) fn casts_alone(action: &Words<'_>, column: &str) -> bool {
    let Some(using) = action.find("using") else { return true };
    let new = altered_column(action).and_then(|(_, what)| new_type(action, what));
    let value = Words::new(action.text, &action.tokens[using + 1..]);
    // The lexer makes two tokens of `::`.
    let same_type = new.is_some_and(|new| column_type(action, new) == column_type(&value, 3));
    name(&value, 0) == column && (value.tokens.len() == 1 || value.at(1) == ":" && value.at(2) == ":" && same_type)
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

#[cfg(test)]
mod tests {
    use super::*;
    use migrator_sql::{lex, split};

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
