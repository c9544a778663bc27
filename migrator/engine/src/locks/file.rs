//! `db/locks.<major>`: what each migration did to what was there before it, on one major release of PostgreSQL.
//!
//! A line for each migration with a checksum, and below it one for each effect of a statement. There is no time in it: the same
//! migrations give the same file.

use std::collections::BTreeMap;

use migrator_model::{LockMode, Migration};
use sha2::{Digest as _, Sha256};

use super::effect::Effect;

/// The beginning of the first line; the build checks it.
const HEADER: &str = "# locks of PostgreSQL ";

/// Rises when the lines change form.
const FORMAT: u32 = 1;

/// The effects of the migrations of a db directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LockFile(Vec<TracedMigration>);

/// The effects of one migration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TracedMigration {
    /// As it is written in the file's name.
    pub version: String,
    /// That of [`checksums`] when it was traced.
    pub checksum: String,
    /// Its statements in order; one without an effect may be missing.
    pub statements: Vec<TracedStatement>,
}

/// The effects of one statement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TracedStatement {
    /// From 1, in its up block.
    pub number: usize,
    /// The line of the file on which it begins, from 1.
    pub line: usize,
    /// What it did to whom, a table before its indexes.
    pub effects: Vec<Effect>,
}

impl LockFile {
    /// The effects of these migrations.
    pub fn new(migrations: Vec<TracedMigration>) -> LockFile {
        LockFile(migrations)
    }

    /// Reads what [`LockFile::render`] has written; the build refuses every file of another form. A line of a newer form is left out.
    pub fn parse(text: &str) -> LockFile {
        let mut migrations: Vec<TracedMigration> = Vec::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let fields: Vec<&str> = line.split('\t').collect();
            if let [version, checksum] = fields[..] {
                let (version, checksum) = (version.to_owned(), checksum.to_owned());
                migrations.push(TracedMigration { version, checksum, statements: Vec::new() });
                continue;
            }
            let Some(migration) = migrations.last_mut().filter(|migration| migration.version == fields[0]) else {
                continue;
            };
            let Some((number, line, effect)) = effect(&fields) else { continue };
            match migration.statements.last_mut().filter(|statement| statement.number == number) {
                Some(statement) => statement.effects.push(effect),
                None => migration.statements.push(TracedStatement { number, line, effects: vec![effect] }),
            }
        }
        LockFile(migrations)
    }

    /// The file for a major release.
    pub fn render(&self, major: &str) -> String {
        let mut text =
            format!("{HEADER}{major}, format {FORMAT}; written by `cargo xtask dump`, shown by `migrator plan`\n");
        for TracedMigration { version, checksum, statements } in &self.0 {
            text.push_str(&format!("{version}\t{checksum}\n"));
            for TracedStatement { number, line, effects } in statements {
                for effect in effects {
                    text.push_str(&format!("{version}\t{number}\t{line}\t{}\n", fields(effect)));
                }
            }
        }
        text
    }

    /// The migrations by version.
    pub fn by_version(&self) -> BTreeMap<&str, &TracedMigration> {
        self.0.iter().map(|migration| (&*migration.version, migration)).collect()
    }

    /// The migrations in the order of the file.
    pub fn migrations(&self) -> &[TracedMigration] {
        &self.0
    }
}

/// For each of these migrations a checksum of all up to it: what it locks depends on what those before it have made.
pub fn checksums(migrations: &[Migration]) -> impl Iterator<Item = String> {
    let mut all = Sha256::new();
    migrations.iter().map(move |migration| {
        all.update(format!("{} {}\n", migration.version, migration.checksum));
        hex::encode(all.clone().finalize())
    })
}

/// What a lock does beside being there, by its word.
fn flags(effect: &Effect) -> [(&'static str, bool); 4] {
    [("index", effect.index), ("rewritten", effect.rewritten), ("scanned", effect.scanned), ("dropped", effect.dropped)]
}

/// Lock, how it came, what it does beside, the relation, what is validated.
fn fields(effect: &Effect) -> String {
    let words: Vec<&str> = flags(effect).into_iter().filter(|(_, is)| *is).map(|(word, _)| word).collect();
    let words = if words.is_empty() { "-".to_owned() } else { words.join(",") };
    let taken = if effect.taken { "taken" } else { "held" };
    let mut line = format!("{}\t{taken}\t{words}\t{}", effect.lock.pg_locks_name(), escape(&effect.relation));
    // In which order the catalogs name them is chance.
    let mut validated = effect.validated.clone();
    validated.sort();
    validated.iter().for_each(|name| line.push_str(&format!("\t{}", escape(name))));
    line
}

/// The number of a statement, its line, and one effect.
fn effect(fields: &[&str]) -> Option<(usize, usize, Effect)> {
    let [_, number, line, mode, taken, flags, relation, validated @ ..] = fields else { return None };
    let has = |word: &str| flags.split(',').any(|flag| flag == word);
    let effect = Effect {
        index: has("index"),
        taken: *taken == "taken",
        rewritten: has("rewritten"),
        scanned: has("scanned"),
        dropped: has("dropped"),
        validated: validated.iter().map(|name| unescape(name)).collect(),
        ..Effect::lock(unescape(relation), LockMode::from_pg_locks(mode)?)
    };
    Some((number.parse().ok()?, line.parse().ok()?, effect))
}

/// A name can hold a tab and a line end.
fn escape(name: &str) -> String {
    name.replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n").replace('\r', "\\r")
}

fn unescape(name: &str) -> String {
    let mut characters = name.chars();
    let mut text = String::with_capacity(name.len());
    while let Some(character) = characters.next() {
        text.push(match character {
            '\\' => match characters.next() {
                Some('t') => '\t',
                Some('n') => '\n',
                Some('r') => '\r',
                Some(other) => other,
                None => break,
            },
            other => other,
        });
    }
    text
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use migrator_model::{Block, Options};

    use super::*;

    fn file() -> LockFile {
        let effect = |relation: &str, lock| Effect::lock(relation.to_owned(), lock);
        let held = Effect {
            taken: false,
            scanned: true,
            validated: vec!["small".to_owned(), "NOT NULL of a\tb".to_owned()],
            ..effect("core.users", LockMode::AccessExclusive)
        };
        let index = Effect { index: true, rewritten: true, dropped: true, ..effect("core.\"a\nb\"", LockMode::Share) };
        let statement = |number, effects| TracedStatement { number, line: number + 1, effects };
        let traced = |version: &str, statements| TracedMigration {
            version: version.to_owned(),
            checksum: "c".repeat(64),
            statements,
        };
        LockFile::new(vec![
            traced("001", Vec::new()),
            traced(
                "002",
                vec![
                    statement(1, vec![effect("core.users", LockMode::AccessExclusive), index]),
                    statement(3, vec![held]),
                ],
            ),
        ])
    }

    #[test]
    fn a_line_for_each_effect() {
        expect![[r#"
            # locks of PostgreSQL 15, format 1; written by `cargo xtask dump`, shown by `migrator plan`
            001	C
            002	C
            002	1	2	AccessExclusiveLock	taken	-	core.users
            002	1	2	ShareLock	taken	index,rewritten,dropped	core."a\nb"
            002	3	4	AccessExclusiveLock	held	scanned	core.users	NOT NULL of a\tb	small
        "#]]
        .assert_eq(&file().render("15").replace(&"c".repeat(64), "C"));
    }

    #[test]
    fn a_changed_migration_is_in_the_checksums_of_all_after_it() {
        let migration = |version: &str, checksum: &str| {
            let up = Block::new(0..0, Options::new(), Vec::new().into());
            let (version, checksum) = (version.to_owned().into(), checksum.to_owned().into());
            Migration::new(version, 1, "m".into(), "m.sql".into(), "".into(), checksum, up)
        };
        let of = |second: &str| {
            checksums(&[migration("1", "a"), migration("2", second), migration("3", "c")]).collect::<Vec<_>>()
        };
        let (one, other) = (of("b"), of("x"));
        assert_eq!((one.len(), &one[0]), (3, &other[0]));
        assert!(one[1] != other[1] && one[2] != other[2]);
    }

    #[test]
    fn what_is_written_is_read_again() {
        let mut expected = file();
        expected.0[1].statements[1].effects[0].validated.sort();
        assert_eq!(LockFile::parse(&file().render("15")), expected);
        assert_eq!(LockFile::parse("").migrations(), []);
        // Lines without their migration, and of a form that is not known.
        assert_eq!(LockFile::parse("001\t1\t2\tShareLock\ttaken\t-\ta\n").migrations(), []);
        let newer = LockFile::parse("001\tc\n001\t1\t2\tOtherLock\ttaken\t-\ta\n");
        assert_eq!(newer.migrations()[0].statements, []);
    }
}
