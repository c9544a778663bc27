//! What a diff costs grows with the schema, not with its square: the comparisons of names are counted.

use migrator_engine::facts::{Fact, Facts};

use super::catalog::Catalog;
use super::entry::Entry;
use super::key::{COMPARED, Key};
use super::relation::Relation;
use super::{Draft, Way};

/// A schema of so many tables, each with a column, a primary key, an index and a foreign key to the table before it. `more`: every tenth
/// one has a further index.
fn schema(count: usize, more: bool) -> Catalog {
    let (mut made, mut columns, mut facts) = (Vec::new(), Vec::new(), Vec::new());
    let mut relations = Vec::new();
    let mut add = |kind: &str, key: Key, sql: String, needed: Vec<Key>, definition: &str| {
        let id = made.len() as u32 + 1;
        let Key { object, kind: of, part } = key.clone();
        facts.push(Fact { object, kind: of, part, definition: definition.to_owned() });
        let entry = Entry { id, class: 1, oid: id, kind: kind.to_owned(), statements: vec![sql], ..Entry::default() };
        made.push((entry, key, needed));
    };
    for number in 0..count {
        let table = format!("big.t_{number:05}");
        let whole = Key::new(&table, "table", "");
        let part = |kind: &str, name: &str| Key::new(&table, kind, &format!("t_{number:05}{name}"));
        add("TABLE", whole.clone(), format!("CREATE TABLE {table} (id bigint)"), Vec::new(), "LOGGED");
        let column = Key::new(&table, "column", "id");
        let key = format!("ALTER TABLE {table} ADD CONSTRAINT t_{number:05}_pkey PRIMARY KEY (id)");
        add("CONSTRAINT", part("constraint", "_pkey"), key, vec![column.clone()], "PRIMARY KEY (id)");
        let index = format!("CREATE INDEX t_{number:05}_idx ON {table} (id)");
        add("INDEX", part("index", "_idx"), index.clone(), vec![column.clone()], &index);
        if more && number % 10 == 0 {
            let index = index.replace("_idx ON", "_more ON");
            add("INDEX", part("index", "_more"), index.clone(), vec![column.clone()], &index);
        }
        if let Some(before) = number.checked_sub(1) {
            let other = format!("big.t_{before:05}");
            let needed = vec![
                column.clone(),
                Key::new(&other, "table", ""),
                Key::new(&other, "constraint", &format!("t_{before:05}_pkey")),
            ];
            let sql =
                format!("ALTER TABLE {table} ADD CONSTRAINT t_{number:05}_fkey FOREIGN KEY (id) REFERENCES {other}");
            add("FK CONSTRAINT", part("constraint", "_fkey"), sql, needed, "FOREIGN KEY");
        }
        columns.push(column);
        relations.push((table, Relation { letter: "r".to_owned(), ..Relation::default() }));
    }
    let facts: Facts = facts.into_iter().collect();
    let mut catalog = Catalog::made(facts, made, columns);
    catalog.relations.extend(relations);
    catalog
}

/// How many comparisons a draft takes.
fn work(from: &Catalog, to: &Catalog, statements: usize) -> u64 {
    COMPARED.set(0);
    // On this thread, where they are counted.
    let ways = (Way::between(from, to, false), Way::between(to, from, true));
    let draft = Draft::of(from, to, true, ways);
    let count: usize = draft.files.iter().map(|file| file.up.statements.len()).sum();
    assert_eq!(count, statements);
    COMPARED.get()
}

#[test]
fn four_times_the_tables_are_less_than_six_times_the_work() {
    let (few, many) = (200, 800);
    let check = |what: &str, draft: &dyn Fn(usize) -> u64| {
        let (small, large) = (draft(few), draft(many));
        assert!(large < 6 * small, "{what}: {small} comparisons for {few} tables, {large} for {many}");
    };
    let none = Catalog::default();
    check("from nothing", &|count| work(&none, &schema(count, false), 4 * count - 1));
    check("to nothing", &|count| work(&schema(count, false), &none, 2 * count - 1));
    check("indexes of tables that stay", &|count| work(&schema(count, false), &schema(count, true), count / 10));
}
