//! What the migrations before a statement say about columns and constraints: some hazards are none with the right past.

use std::collections::HashMap;

use migrator_sql::{
    ColumnChange, ConstraintKind, Create, CreateIndex, CreateTable, Element, ElementKind, Name, Object, ObjectKind,
    Sql, TableChange, Words,
};

use crate::steady;
use crate::types::{Domains, column_type};

/// Gathered from the up blocks, in their order.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// By name: what a history of 10,000 tables says of one is found without going through the others.
    tables: HashMap<String, Tables>,
    domains: Domains,
    /// Indexes and their tables, by the index's name.
    indexes: HashMap<String, Vec<(Object, Object)>>,
    /// Functions that were created, and whether they give the same for every row.
    functions: HashMap<String, bool>,
}

/// The tables of one name: a schema may be written or left out.
#[derive(Debug, Default)]
struct Tables {
    /// The type of a column, as [`column_type`] writes it.
    types: HashMap<String, String>,
    checks: Vec<Check>,
    /// Columns that were made NOT NULL.
    not_null: Vec<(Object, String)>,
    /// Those with partitions, and whether one of these is the default.
    partitioned: Vec<(Object, bool)>,
    /// Those that were created and have no partitions.
    plain: Vec<Object>,
    /// The names of indexes that they have or had.
    indexes: Vec<String>,
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
    pub(crate) fn take(&mut self, sql: &Sql<'_>) {
        match sql {
            Sql::CreateTable(created) => self.create_table(created),
            Sql::AlterTable(altered) => {
                let table = altered.table.object();
                altered.actions.iter().for_each(|action| self.action(&table, &action.change));
            }
            Sql::CreateDomain(_) | Sql::AlterDomain { .. } => self.domains.take(sql),
            Sql::CreateIndex(CreateIndex { name: Some(name), table: Some(table), .. }) => {
                self.index(name.object(), table.object());
            }
            Sql::Create(Create { kind: ObjectKind::Function, name: Some(name), steady, .. }) => {
                self.functions.insert(name.object().name, *steady);
            }
            Sql::Drop(dropped) => match dropped.kind {
                ObjectKind::Table | ObjectKind::ForeignTable => {
                    dropped.names.iter().for_each(|table| self.forget(&table.object()));
                }
                _ => self.domains.take(sql),
            },
            _ => {}
        }
    }

    /// What is known of tables of that name.
    fn tables(&self, table: &Object) -> Option<&Tables> {
        self.tables.get(&table.name)
    }

    /// The same, to be added to.
    fn of(&mut self, table: &Object) -> &mut Tables {
        self.tables.entry(table.name.clone()).or_default()
    }

    fn index(&mut self, index: Object, table: Object) {
        self.of(&table).indexes.push(index.name.clone());
        self.indexes.entry(index.name.clone()).or_default().push((index, table));
    }

    fn create_table(&mut self, created: &CreateTable<'_>) {
        let table = created.name.object();
        if !created.if_not_exists {
            self.forget(&table);
        }
        created.elements.iter().for_each(|element| self.element(&table, element));
        if let Some(parent) = created.partition_of.map(|parent| parent.object()) {
            self.copy_types(&parent, &table);
            self.gets_partition(&parent, created.default_partition);
        }
        if created.partitioned {
            self.of(&table).partitioned.push((table.clone(), false));
        } else {
            self.of(&table).plain.push(table.clone());
        }
        if let Some(parent) = created.inherits {
            self.copy_types(&parent.object(), &table);
        }
    }

    fn gets_partition(&mut self, parent: &Object, default: bool) {
        let same = |(other, _): &&mut (Object, bool)| other.is(parent);
        let partitioned = &mut self.of(parent).partitioned;
        match partitioned.iter_mut().find(same) {
            Some((_, has_default)) => *has_default |= default,
            None => partitioned.push((parent.clone(), default)),
        }
    }

    fn copy_types(&mut self, from: &Object, to: &Object) {
        let types = self.tables(from).map(|tables| tables.types.clone()).unwrap_or_default();
        self.of(to).types.extend(types);
    }

    fn forget(&mut self, table: &Object) {
        let Some(tables) = self.tables.get_mut(&table.name) else { return };
        tables.types.clear();
        tables.checks.retain(|check| !check.table.is(table));
        tables.not_null.retain(|(other, _)| !other.is(table));
        tables.partitioned.retain(|(other, _)| !other.is(table));
        tables.plain.retain(|other| !other.is(table));
        for index in &tables.indexes {
            if let Some(indexes) = self.indexes.get_mut(index) {
                indexes.retain(|(_, other)| !other.is(table));
            }
        }
    }

    /// A column or constraint of `CREATE TABLE`, `ADD COLUMN` or `ADD`.
    fn element(&mut self, table: &Object, element: &Element<'_>) {
        match element.what {
            ElementKind::Like(other) => self.copy_types(&other.object(), table),
            ElementKind::Constraint { name, kind } => {
                let name = name.map(|name| name.object());
                if kind == ConstraintKind::Check {
                    self.of(table).checks.push(Check {
                        table: table.clone(),
                        name: name.as_ref().map_or(String::new(), |name| name.name.clone()),
                        valid: !element.is_not_valid(),
                        not_null: element.not_null_column().map(|column| column.object().name),
                    });
                }
                if let Some(name) = name.filter(|_| matches!(kind, ConstraintKind::Unique | ConstraintKind::PrimaryKey))
                {
                    self.index(name, table.clone());
                }
            }
            ElementKind::Column(column) => {
                if let Some(of_type) = element.column_type() {
                    self.of(table).types.insert(column.object().name, column_type(&of_type));
                }
            }
            _ => {}
        }
    }

    fn action(&mut self, table: &Object, change: &TableChange<'_>) {
        match change {
            TableChange::Add(element) => self.element(table, element),
            TableChange::ValidateConstraint(name) => {
                let name = name.object().name;
                let same = |check: &&mut Check| check.name == name && check.table.is(table);
                self.of(table).checks.iter_mut().filter(same).for_each(|check| check.valid = true);
            }
            TableChange::Rename(to) => self.rename_table(table, &to.object().name),
            TableChange::RenameColumn { from, to } => self.rename_column(table, from.object().name, to.object().name),
            TableChange::RenameConstraint { from, to } => {
                let (old, new) = (from.object().name, to.object().name);
                let same = |check: &&mut Check| check.name == old && check.table.is(table);
                self.of(table).checks.iter_mut().filter(same).for_each(|check| check.name.clone_from(&new));
            }
            TableChange::DropColumn(column) => {
                self.of(table).types.remove(&column.object().name);
            }
            TableChange::AttachPartition { default, .. } => self.gets_partition(table, *default),
            TableChange::AlterColumn { column, change } => self.column(table, column.object().name, change),
            _ => {}
        }
    }

    fn column(&mut self, table: &Object, column: String, change: &ColumnChange<'_>) {
        match change {
            ColumnChange::SetNotNull => self.of(table).not_null.push((table.clone(), column)),
            ColumnChange::DropNotNull => {
                self.of(table).not_null.retain(|(other, name)| !other.is(table) || *name != column);
            }
            ColumnChange::Type { new, .. } => {
                self.of(table).types.insert(column, column_type(new));
            }
            _ => {}
        }
    }

    fn rename_column(&mut self, table: &Object, old: String, new: String) {
        let tables = self.of(table);
        if let Some(of_type) = tables.types.remove(&old) {
            tables.types.insert(new.clone(), of_type);
        }
        let of_table = tables.not_null.iter_mut().filter(|(other, name)| other.is(table) && *name == old);
        of_table.for_each(|(_, name)| name.clone_from(&new));
        let of_table = tables.checks.iter_mut().filter(|check| check.table.is(table));
        for column in of_table.filter_map(|check| check.not_null.as_mut()).filter(|column| **column == old) {
            column.clone_from(&new);
        }
    }

    fn rename_table(&mut self, table: &Object, new: &str) {
        let renamed = table.renamed(new);
        if new == table.name {
            return;
        }
        let Some(mut old) = self.tables.remove(&table.name) else { return };
        let moved = self.tables.entry(new.to_owned()).or_default();
        moved.types.extend(old.types.drain());
        for mut check in old.checks.extract_if(.., |check| check.table.is(table)) {
            check.table.clone_from(&renamed);
            moved.checks.push(check);
        }
        let not_null = old.not_null.extract_if(.., |(other, _)| other.is(table));
        moved.not_null.extend(not_null.map(|(_, column)| (renamed.clone(), column)));
        let partitioned = old.partitioned.extract_if(.., |(other, _)| other.is(table));
        moved.partitioned.extend(partitioned.map(|(_, default)| (renamed.clone(), default)));
        moved.plain.extend(old.plain.extract_if(.., |other| other.is(table)).map(|_| renamed.clone()));
        for index in &old.indexes {
            let indexes = self.indexes.get_mut(index).into_iter().flatten();
            indexes.filter(|(_, other)| other.is(table)).for_each(|(_, other)| other.clone_from(&renamed));
        }
        moved.indexes.extend(old.indexes.iter().cloned());
        // Those of other schemas.
        self.tables.insert(table.name.clone(), old);
    }

    /// True for a table that was created with partitions, or has got one.
    pub(crate) fn is_partitioned(&self, table: &Object) -> bool {
        self.tables(table).is_some_and(|tables| tables.partitioned.iter().any(|(other, _)| other.is(table)))
    }

    /// True for a table that was created, and not with partitions.
    pub(crate) fn is_plain(&self, table: &Object) -> bool {
        let is_there = |tables: &Tables| tables.plain.iter().any(|other| other.is(table));
        self.tables(table).is_some_and(is_there) && !self.is_partitioned(table)
    }

    /// True if one of the partitions of the table is the default.
    pub(crate) fn has_default_partition(&self, table: &Object) -> bool {
        let has = |tables: &Tables| tables.partitioned.iter().any(|(other, default)| *default && other.is(table));
        self.tables(table).is_some_and(has)
    }

    /// The table of an index.
    pub(crate) fn table_of_index(&self, index: &Object) -> Option<&Object> {
        self.indexes.get(&index.name)?.iter().rev().find(|(other, _)| other.is(index)).map(|(_, table)| table)
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
        self.checks(table).any(|check| check.valid && check.not_null.as_deref() == Some(column))
    }

    /// True if a valid CHECK says something about the rows of the table.
    pub(crate) fn has_valid_check(&self, table: &Object) -> bool {
        self.checks(table).any(|check| check.valid)
    }

    /// True if the constraint says no more than the NOT NULL that the column has.
    pub(crate) fn is_spare(&self, table: &Object, constraint: &str) -> bool {
        let Some(tables) = self.tables(table) else { return false };
        let is_not_null =
            |column: &String| tables.not_null.iter().any(|(other, name)| other.is(table) && name == column);
        let mut checks = self.checks(table).filter(|check| check.name == constraint);
        checks.any(|check| check.not_null.as_ref().is_some_and(is_not_null))
    }

    fn checks(&self, table: &Object) -> impl Iterator<Item = &Check> {
        let checks = self.tables(table).into_iter().flat_map(|tables| &tables.checks);
        checks.filter(move |check| check.table.is(table))
    }

    /// True if PostgreSQL changes the type of a column in the catalog alone: the values are those of the new type as they lie
    /// there.
    pub(crate) fn keeps_rows(&self, table: &Object, change: &TableChange<'_>) -> bool {
        let TableChange::AlterColumn { column, change: ColumnChange::Type { new, using } } = change else {
            return false;
        };
        let column = column.object().name;
        let plain = new.find("collate").is_none() && using.is_none_or(|value| casts_alone(&value, &column, new));
        plain && self.takes_type(table, column, &column_type(new))
    }

    /// True if a column of the type that it has can take the new one as it lies there.
    fn takes_type(&self, table: &Object, column: String, new: &str) -> bool {
        let old = self.tables(table).and_then(|tables| tables.types.get(&column));
        old.is_some_and(|old| self.domains.keeps_rows(old, new))
    }

    /// True if the default of a column is the same for every row, so that it is computed once.
    pub(crate) fn has_steady_default(&self, column: &Element<'_>) -> bool {
        let Some(default) = column.default() else { return false };
        let mut at = 0;
        while at < default.tokens.len() {
            let Some((function, end)) = Name::read(&default, at) else {
                at += 1;
                continue;
            };
            // `::app.kind (...)` is a type.
            let is_type = at > 0 && default.at(at - 1) == ":";
            if default.at(end) == "(" && !is_type && !self.is_steady(&function.object()) {
                return false;
            }
            at = end;
        }
        true
    }
}

/// True if `USING` takes over the column's own value, or casts it to the very type.
fn casts_alone(value: &Words<'_>, column: &str, new: &Words<'_>) -> bool {
    let Some((name, end)) = Name::read(value, 0) else { return false };
    let rest = |from: usize| Words::new(value.text, value.tokens.get(from..).unwrap_or_default());
    // The lexer makes two tokens of `::`.
    let is_cast = value.at(end) == ":" && value.at(end + 1) == ":" && column_type(&rest(end + 2)) == column_type(new);
    name.object().name == column && (end == value.tokens.len() || is_cast)
}

#[cfg(test)]
mod tests {
    use super::*;
    use migrator_sql::{lex, split};

    fn known(text: &str) -> Known {
        let mut known = Known::default();
        split(text, &lex(text).tokens).iter().for_each(|words| known.take(&Sql::of(words)));
        known
    }

    fn table(text: &str) -> Object {
        Name::read(&Words::new(text, &lex(text).tokens), 0).unwrap().0.object()
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
            assert_eq!(known.takes_type(&table("t"), column.to_owned(), new), keeps, "{column} to {new}");
        }
    }
}
