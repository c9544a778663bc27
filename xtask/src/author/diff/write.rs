//! The files of a way and the way back, in the style of the house: what has to run alone is a file of its own.

use std::collections::BTreeSet;

use migrator_engine::client::{identifier, unquoted};

use super::catalog::Catalog;
use super::key::Key;
use super::work::{Act, Statement};

/// A block of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Block {
    /// What is said above the statements.
    pub(crate) comments: Vec<String>,
    pub(crate) statements: Vec<String>,
    /// Outside a transaction.
    pub(crate) alone: bool,
}

/// A file, up and down.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct File {
    /// What it does beside the others; empty for the one that does the most.
    pub(crate) does: String,
    pub(crate) up: Block,
    pub(crate) down: Block,
}

/// Both ways, to be divided into files.
pub(crate) struct Ways<'a> {
    pub(crate) from: &'a Catalog,
    pub(crate) to: &'a Catalog,
    pub(crate) up: Vec<Statement>,
    pub(crate) down: Vec<Statement>,
}

impl Ways<'_> {
    /// Everything in one file.
    pub(crate) fn one(self) -> Vec<File> {
        vec![self.main()]
    }

    /// Indexes CONCURRENTLY, constraints first NOT VALID and then validated: each in a file of its own where it needs that.
    pub(crate) fn online(mut self) -> Vec<File> {
        let mut before = Vec::new();
        let mut after = Vec::new();
        for key in self.alone(Act::Drop, &self.up, &self.down) {
            let (Some(up), Some(down)) = (take(&mut self.up, &key, Act::Drop), take(&mut self.down, &key, Act::Make))
            else {
                continue;
            };
            before.push(alone(&key, &up, &down, "drop"));
        }
        for key in self.alone(Act::Make, &self.up, &self.down) {
            let Some(up) = take(&mut self.up, &key, Act::Make) else { continue };
            // Where a column goes its index goes along; here it goes before.
            let schema = self.to.note(&key);
            let down = take(&mut self.down, &key, Act::Drop).unwrap_or(format!("DROP INDEX {schema}.{}", key.part));
            after.push(alone(&key, &up, &down, "index"));
        }
        let validated = self.validated();
        let main = self.main();
        let is_empty = main.up.statements.is_empty() && main.down.statements.is_empty();
        let main = (!is_empty).then_some(main);
        before.into_iter().chain(main).chain(validated).chain(after).collect()
    }

    fn main(self) -> File {
        let block = |statements: Vec<Statement>| Block {
            statements: statements.into_iter().map(|statement| statement.sql).collect(),
            ..Block::default()
        };
        File { does: String::new(), up: block(self.up), down: block(self.down) }
    }

    /// The table is there before and after, and is an ordinary one.
    fn stays(&self, table: &str) -> bool {
        let is_plain = |of: &Catalog| of.relations.get(table).is_some_and(|relation| relation.letter == "r");
        let whole = Key::new(table, "table", "");
        let is_made = |statements: &[Statement]| {
            statements.iter().any(|statement| statement.key == whole && statement.act == Act::Make)
        };
        is_plain(self.from) && is_plain(self.to) && !is_made(&self.up) && !is_made(&self.down)
    }

    /// The indexes that nothing else needs, which are dropped (or made) in one direction and made (or dropped) in the other.
    fn alone(&self, act: Act, way: &[Statement], back: &[Statement]) -> Vec<Key> {
        let of = if act == Act::Drop { self.from } else { self.to };
        let of_key = |statements: &[Statement], key: &Key, act: Act| {
            statements.iter().filter(|statement| statement.key == *key && statement.act == act).count()
        };
        let fits = |statement: &&Statement| {
            let key = &statement.key;
            let is_index = key.kind == "index" && statement.act == act;
            let back = act != Act::Drop || of_key(back, key, Act::Make) == 1;
            is_index
                && back
                && of_key(way, key, act) == 1
                && self.stays(&key.object)
                && of.dependents(key).is_empty()
                && !statement.sql.contains(" ON ONLY ")
        };
        way.iter().filter(fits).map(|statement| statement.key.clone()).collect()
    }

    /// Takes what reads a whole table out of the way, and puts it into a file that holds no lock which anyone waits for.
    fn validated(&mut self) -> Option<File> {
        let mut file = File { does: "validate".to_owned(), ..File::default() };
        let stays: BTreeSet<String> =
            self.up.iter().map(|statement| statement.key.object.clone()).filter(|table| self.stays(table)).collect();
        // The server holds on to the columns of a primary key.
        let with_key: BTreeSet<String> = self
            .up
            .iter()
            .filter(|statement| statement.act == Act::Make && statement.sql.contains(" PRIMARY KEY "))
            .map(|statement| statement.key.object.clone())
            .collect();
        for statement in &mut self.up {
            let Key { object: table, kind, part } = &statement.key;
            if !stays.contains(table) {
                continue;
            }
            let is_read = [" FOREIGN KEY ", " CHECK "].iter().any(|word| statement.sql.contains(word))
                && !statement.sql.ends_with(" NOT VALID");
            if kind == "constraint"
                && statement.act == Act::Make
                && is_read
                && statement.sql.contains(" ADD CONSTRAINT ")
            {
                statement.sql.push_str(" NOT VALID");
                file.up.statements.push(format!("ALTER TABLE {table} VALIDATE CONSTRAINT {part}"));
                // There is no statement that takes a validation back.
                file.down
                    .statements
                    .extend([format!("ALTER TABLE {table} DROP CONSTRAINT {part}"), statement.sql.clone()]);
            }
            let set = format!("ALTER TABLE {table} ALTER COLUMN {part} SET NOT NULL");
            if kind == "column" && statement.sql == set && !with_key.contains(table) {
                let name = presence(table, part);
                let check = format!("ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({part} IS NOT NULL) NOT VALID");
                let drop = format!("ALTER TABLE {table} DROP CONSTRAINT {name}");
                statement.sql.clone_from(&check);
                file.up.statements.extend([
                    format!("ALTER TABLE {table} VALIDATE CONSTRAINT {name}"),
                    set,
                    drop.clone(),
                ]);
                let unset = format!("ALTER TABLE {table} ALTER COLUMN {part} DROP NOT NULL");
                file.down.statements.extend([check, unset.clone()]);
                match self.down.iter_mut().find(|statement| statement.sql == unset) {
                    Some(statement) => statement.sql = drop,
                    None => self.down.insert(0, Statement { key: statement.key.clone(), act: Act::Drop, sql: drop }),
                }
            }
        }
        (!file.up.statements.is_empty()).then_some(file)
    }
}

/// The name of the check that a column has a value in every row.
pub(crate) fn presence(table: &str, column: &str) -> String {
    let table = unquoted(table.rsplit_once('.').map_or(table, |(_, name)| name));
    let mut name = format!("{table}_{}_is_present", unquoted(column));
    while name.len() > 63 {
        name.remove(0);
    }
    let is_plain = |c: char| c.is_ascii_lowercase() || c == '_';
    match name.starts_with(is_plain) && name.chars().all(|c| is_plain(c) || c.is_ascii_digit()) {
        true => name,
        false => identifier(&name),
    }
}

/// Takes the statement of that key out.
fn take(statements: &mut Vec<Statement>, key: &Key, act: Act) -> Option<String> {
    let place = statements.iter().position(|statement| statement.key == *key && statement.act == act)?;
    Some(statements.remove(place).sql)
}

fn alone(key: &Key, up: &str, down: &str, does: &str) -> File {
    let block = |sql: &str| Block {
        comments: Vec::new(),
        statements: vec![sql.replacen(" INDEX ", " INDEX CONCURRENTLY ", 1)],
        alone: true,
    };
    let name: String = key.part.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    File { does: format!("{does}_{}", name.to_lowercase()), up: block(up), down: block(down) }
}

impl File {
    /// The file. `unchecked`: our parser does not know all of it.
    pub(crate) fn text(&self, purpose: &str, unchecked: bool) -> String {
        let block = |name: &str, block: &Block| {
            let option = if block.alone { " transaction:false" } else { "" };
            let mut text = format!("-- migrate:{name}{option}\n");
            if unchecked {
                text.push_str("-- migrate:unchecked the server has written it\n");
            }
            block.comments.iter().for_each(|comment| text.push_str(&format!("-- {comment}\n")));
            let statements: Vec<String> = block.statements.iter().map(|statement| format!("{statement};\n")).collect();
            text.push_str(&match statements.is_empty() {
                true => "DO $nothing$\nBEGIN\n    RAISE NOTICE 'nothing to do';\nEND;\n$nothing$;\n".to_owned(),
                false => statements.join("\n"),
            });
            text
        };
        let more = if self.does.is_empty() { String::new() } else { format!(" ({})", self.does.replacen('_', " ", 1)) };
        format!("-- Purpose: {purpose}{more}\n\n{}\n{}", block("up", &self.up), block("down", &self.down))
    }
}
