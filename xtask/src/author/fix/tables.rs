//! What the database has before the migration, as far as a form asks for it.

use std::collections::BTreeMap;

use migrator_sql::Object;

/// A table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Table {
    /// The names of its columns.
    pub(super) columns: Vec<String>,
    /// The columns of its primary key, in their order; none: it has no key with an order.
    pub(super) key: Vec<String>,
    /// The columns that are NOT NULL.
    pub(super) required: Vec<String>,
    /// It has partitions.
    pub(super) partitioned: bool,
}

/// All tables, by schema and name.
#[derive(Debug, Clone, Default)]
pub(super) struct Tables(pub(super) BTreeMap<(String, String), Table>);

impl Tables {
    /// The only table that can be meant.
    pub(super) fn get(&self, object: &Object) -> Option<&Table> {
        let is_meant = |(schema, name): &(String, String)| {
            *name == object.name && object.is(&Object::named(name.clone()).in_schema(schema))
        };
        let mut meant = self.0.iter().filter(|(key, _)| is_meant(key));
        let (_, table) = meant.next()?;
        meant.next().is_none().then_some(table)
    }
}

/// One row for each table: schema, name, whether it has partitions, and the columns: all, those of the key, the required ones.
/// Names in the lists are separated by a character that ends no name.
pub(super) const QUESTION: &str = "SELECT n.nspname, c.relname, c.relkind = 'p', \
    (SELECT string_agg(a.attname, E'\\x01') FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), \
    (SELECT string_agg(a.attname, E'\\x01' ORDER BY k.place) FROM pg_catalog.pg_index i \
        JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid JOIN pg_catalog.pg_am m ON m.oid = x.relam AND m.amname = 'btree' \
        CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY k (number, place) \
        JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number \
        WHERE i.indrelid = c.oid AND i.indisprimary AND k.place <= i.indnkeyatts), \
    (SELECT string_agg(a.attname, E'\\x01') FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND a.attnotnull AND NOT a.attisdropped) \
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema')";

/// The names in a column of the answer.
pub(super) fn names(listed: Option<&str>) -> Vec<String> {
    listed.unwrap_or_default().split('\u{1}').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_without_a_schema_means_the_only_table_that_is_called_so() {
        let key = |schema: &str, name: &str| (schema.to_owned(), name.to_owned());
        let partitioned = Table { partitioned: true, ..Table::default() };
        let tables = [
            (key("a", "t"), Table::default()),
            (key("b", "t"), partitioned.clone()),
            (key("b", "u"), partitioned.clone()),
        ];
        let tables = Tables(tables.into());
        let named = |name: &str| Object::named(name.to_owned());
        assert_eq!(tables.get(&named("t")), None);
        assert_eq!(tables.get(&named("t").in_schema("b")), Some(&partitioned));
        assert_eq!(tables.get(&named("u")), Some(&partitioned));
        assert_eq!(tables.get(&named("u").in_schema("a")), None);
    }
}
