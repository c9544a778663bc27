//! From a db directory to a checked set, or to all of its problems.

use std::path::Path;

use migrator_model::{Level, LockTraces, Migration, SchemaFacts, Set, Settings};
use migrator_sql::parse;

use crate::contract::{self, lock_traces, schema_facts, test_version};
use crate::data_test::DataTest;
use crate::file::{Folder, Name};
use crate::problem::{self, Problem, Problems, Severity};
use crate::procedures::Procedures;
use crate::read::{folder, origin, settings, squashed as list};
use crate::source::Source;
use crate::{checksum, data_test, migration, script, squashed};

/// A directory without errors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// Everything in it that is embedded.
    pub set: Set,
    /// `tests/`, ascending by version and name: what `cargo xtask verify` runs, and no migrator has inside.
    pub tests: Vec<DataTest>,
    /// Its warnings, sorted by file, line and column.
    pub warnings: Vec<Problem>,
}

/// Reads and checks a db directory. Neither writes nor prints anything.
///
/// # Errors
///
/// All problems with the directory, warnings included, if at least one is an error.
pub fn load(dir: &Path) -> Result<Loaded, Problems> {
    finish(parse::with_deep_stack(|| {
        let mut problems = Vec::new();
        let folder = folder::read(dir, &mut problems);
        (check(folder, &mut problems), problems)
    }))
}

/// Reads and checks one file as if it were alone in a db directory, with this path:
/// `migrations/001_init.sql`, `seeds/development.sql`, `migrator.toml`.
///
/// # Errors
///
/// All problems with the file, warnings included, if at least one is an error.
pub fn load_file(path: &str, bytes: &[u8]) -> Result<Loaded, Problems> {
    finish(parse::with_deep_stack(|| {
        let mut problems = Vec::new();
        let folder = folder::single(path, bytes.to_vec(), &mut problems);
        (check(folder, &mut problems), problems)
    }))
}

/// The byte offsets at which the statements of a text start.
pub fn statement_starts(text: &str) -> Vec<usize> {
    let tokens = migrator_sql::lex(text).tokens;
    let statements = migrator_sql::split(text, &tokens);
    statements.iter().filter_map(|statement| Some(statement.tokens.first()?.start())).collect()
}

fn finish(((set, tests), mut problems): ((Set, Vec<DataTest>), Vec<Problem>)) -> Result<Loaded, Problems> {
    apply_level(set.settings.dbmate, &mut problems);
    problem::sort(&mut problems);
    if problems.iter().any(|problem| problem.severity == Severity::Error) {
        return Err(Problems(problems));
    }
    Ok(Loaded { set, tests, warnings: problems })
}

fn check(folder: folder::Folder, problems: &mut Vec<Problem>) -> (Set, Vec<DataTest>) {
    let digest = digest(&folder);
    let seeds: Vec<&str> = folder.seeds.iter().map(|(name, _)| name.as_str()).collect();
    let settings = match &folder.settings {
        Some(source) => settings::read(source, &seeds, problems),
        None => Settings::default(),
    };
    let names: Vec<_> = folder.migrations.iter().map(|(name, source)| (name, source.file.as_str())).collect();
    contract::check_names(&names, problems);
    let squashed_lines = folder.squashed_list.as_ref().map(list::read_only).unwrap_or_default();
    let versions = folder.migrations.iter().map(|(name, _)| name.version.as_str());
    let versions = versions.chain(squashed_lines.iter().map(|line| line.version));
    let known = origin::Known {
        versions: versions.collect(),
        repeatables: folder.repeatables.iter().map(|(name, _)| name.as_str()).collect(),
    };
    let origin = folder.imported.as_ref().and_then(|source| origin::read(source, &known, problems));
    let procedures =
        folder.migrations.iter().map(|(_, source)| source).chain(folder.repeatables.iter().map(|(_, s)| s));
    let procedures = Procedures::of(procedures);
    let scripts = |scripts: Vec<(String, Source)>, folder, problems: &mut Vec<Problem>| {
        scripts.into_iter().map(|(name, source)| script::read(name, source, folder, problems)).collect()
    };
    let last = squashed_lines.last().map(|line| line.number);
    let versions: Vec<String> = folder.migrations.iter().map(|(name, _)| name.version.clone()).collect();
    let migrations: Vec<Migration> = folder
        .migrations
        .into_iter()
        .filter_map(|(name, source)| migration::read(name, source, &settings, &procedures, last, problems))
        .collect();
    let list = folder.squashed_list.as_ref();
    let squashed = squashed::read(&folder.label, list, folder.squashed, &migrations, &procedures, problems);
    let tests = tests(folder.tests, &versions, &migrations, problems);
    problems.extend(folder.facts.iter().filter_map(|(major, source)| schema_facts::check(*major, source)));
    let facts = folder.facts.into_iter().map(|(major, source)| {
        let (file, text) = source.into_parts();
        SchemaFacts::new(major, file.into(), text.into())
    });
    problems.extend(folder.locks.iter().filter_map(|(major, source)| lock_traces::check(*major, source)));
    let locks = folder.locks.into_iter().map(|(major, source)| {
        let (file, text) = source.into_parts();
        LockTraces::new(major, file.into(), text.into())
    });
    let set = Set::new(digest.into())
        .with_migrations(migrations.into())
        .with_repeatables(scripts(folder.repeatables, Folder::Repeatable, problems))
        .with_seeds(scripts(folder.seeds, Folder::Seeds, problems))
        .with_checks(scripts(folder.checks, Folder::Checks, problems))
        .with_facts(facts.collect())
        .with_locks(locks.collect())
        .with_settings(settings)
        .with_origin(origin)
        .with_squashed(squashed.into());
    (set, tests)
}

/// Reads and checks the tests, which must be of a migration that is there.
fn tests(
    files: Vec<(Name, Source)>,
    versions: &[String],
    migrations: &[Migration],
    problems: &mut Vec<Problem>,
) -> Vec<DataTest> {
    let versions: Vec<&str> = versions.iter().map(String::as_str).collect();
    let mut tests = Vec::new();
    for (name, source) in files {
        problems.extend(test_version::check(&source.file, &name, &versions));
        let test = data_test::read(&name, source, problems);
        let migration = migrations.iter().find(|migration| migration.number == test.number);
        if let Some(migration) = migration.filter(|migration| migration.down.is_none()) {
            problems.extend(data_test::without_down(&test, migration.label()));
        }
        tests.push(test);
    }
    tests
}

/// The settings decide the severity of what dbmate reads differently.
fn apply_level(level: Level, problems: &mut Vec<Problem>) {
    match level {
        Level::Allow => problems.retain(|problem| !problem.code.is_dbmate()),
        Level::Warn => {}
        Level::Deny => {
            for problem in problems.iter_mut().filter(|problem| problem.code.is_dbmate()) {
                problem.severity = Severity::Error;
            }
        }
    }
}

/// The checksum of the paths inside the directory and of the normalised texts: the place of the directory does not matter.
fn digest(folder: &folder::Folder) -> String {
    let scripts = folder.repeatables.iter().chain(&folder.seeds).chain(&folder.checks).map(|(_, source)| source);
    let squashed = folder.squashed.iter().map(|(_, source)| source).chain(&folder.squashed_list);
    let migrations = folder.migrations.iter().map(|(_, source)| source);
    let sources = migrations.chain(scripts).chain(&folder.settings).chain(squashed);
    checksum::texts(sources.map(|source| (&source.file[folder.label.len()..], source.text.as_str())))
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::testing::{PLAIN, check_directory as check, directory};

    #[test]
    fn orders_by_number_and_leaves_other_files_alone() {
        check(
            &[
                ("db/migrations/100_c.sql", PLAIN),
                ("db/migrations/020_b.sql", PLAIN),
                ("db/migrations/003_a.sql", PLAIN),
                ("db/migrations/README.md", "x"),
                ("db/migrations/.gitkeep", ""),
                ("db/migrations/old/x.txt", "x"),
                ("db/schema.sql", "\\restrict"),
                ("db/schema.facts.15", "# schema facts of PostgreSQL 15 at 100\nt\ttable\tLOGGED\n"),
                ("db/locks.15", "# locks of PostgreSQL 15, format 1\n"),
                ("db/locks.md", "of the doors"),
                ("db/docs/x.txt", ""),
                ("db/templates/x.sql", "{{name}}"),
            ],
            expect![[r#"["003", "020", "100"]"#]],
        );
    }

    #[test]
    fn reports_all_problems_by_file_and_line() {
        check(
            &[
                ("db/migrations/002_b.sql", "-- migrate:up\nSELEC 1;\nBEGIN;\n-- migrate: down\n"),
                ("db/migrations/001_a.sql", "-- migrate:up transaction:off\nSET search_path = a;\n-- migrate:down\n"),
                ("db/checks/c.sql", "DROP TABLE t;"),
                ("db/migrator.toml", "[x]"),
                ("db/repeatable/r.sql", "-- migrate:up"),
            ],
            expect![[r#"
                []
                Error db/checks/c.sql:1:1: a check must be a `SELECT`, not `DROP TABLE` [M034]; help: select the rows that are wrong: each row is a violation
                Error db/migrations/001_a.sql:1:15: invalid option `transaction:off` [M015]; help: write `transaction:false`
                Warning db/migrations/001_a.sql:2:1: this changes `search_path` for this file only [M035]; help: write the schema before each name: dbmate would look for its own table in the new path
                Error db/migrations/002_b.sql:2:1: no statement begins with `SELEC 1` [M020]; help: fix it; if the parser is wrong, add `-- migrate:unchecked <reason>` to the block
                Error db/migrations/002_b.sql:3:1: `BEGIN` inside a transaction that the migrator controls [M030]; help: remove it: the block runs as one transaction; to control transactions yourself, write `-- migrate:up transaction:false`
                Error db/migrations/002_b.sql:4:1: `-- migrate: down` is not a marker [M012]; help: write `-- migrate:down` in exactly this form; only options may follow, after a space
                Error db/migrator.toml:1:2: unknown key `x` [M041]; help: the keys are `history`, `session`, `check`, `drift`, `release`, `budget`, `environments`
                Error db/repeatable/r.sql:1:1: marker outside `migrations/` [M016]; help: remove it, or move the file to `migrations/` and give it a version"#]],
        );
    }

    #[test]
    fn the_settings_decide_about_dbmate() {
        let files = |level| [("db/migrations/001_a.sql", "-- migrate:up\nSELECT 1;"), ("db/migrator.toml", level)];
        check(&files("[check]\ndbmate = \"allow\""), expect![[r#"["001"]"#]]);
        check(
            &files("[check]\ndbmate = \"warn\""),
            expect![[r#"
            ["001"]
            Warning db/migrations/001_a.sql: missing `-- migrate:down`: dbmate rejects the file [M052]; help: add `-- migrate:down`; an empty down block says that the migration cannot be rolled back"#]],
        );
        check(
            &files("[check]\ndbmate = \"deny\""),
            expect![[r#"
            []
            Error db/migrations/001_a.sql: missing `-- migrate:down`: dbmate rejects the file [M052]; help: add `-- migrate:down`; an empty down block says that the migration cannot be rolled back"#]],
        );
    }

    #[test]
    fn one_file_is_read_as_in_a_directory() {
        let said = |path: &str, text: &str| match load_file(path, text.as_bytes()) {
            Ok(loaded) => format!("{} {:?}", loaded.set.migrations.len() + loaded.set.seeds.len(), loaded.warnings),
            Err(problems) => problems.to_string(),
        };
        assert_eq!(said("migrations/001_a.sql", PLAIN), "1 []");
        assert_eq!(said("seeds/test.sql", "SELECT 1;"), "1 []");
        assert_eq!(said("migrator.toml", "[check]\ndbmate = \"deny\""), "0 []");
        expect![[r#"
                db/migrations/1.sql: `1.sql` is not named `<version>_<name>.sql` [M003]; help: add a name: `1_<name>.sql`"#]]
        .assert_eq(&said("migrations/1.sql", PLAIN));
        expect!["db/checks/a.sql:1:1: a check must be a `SELECT`, not `DROP TABLE` [M034]; help: select the rows that are wrong: each row is a violation"].assert_eq(&said("checks/a.sql", "DROP TABLE t"));
        expect!["db/migrations/001_a.sql: the file starts with a byte order mark [M007]; help: save it as UTF-8 without a byte order mark"].assert_eq(&said("migrations/001_a.sql", "\u{feff}"));
        expect!["db/notes.txt: `db/notes.txt` is never read [M004]; help: move it to `migrations`, `repeatable`, `seeds`, `checks` or `tests`"].assert_eq(&said("notes.txt", ""));
    }

    #[test]
    fn a_statement_starts_at_its_first_word() {
        assert_eq!(statement_starts("-- a;\n\nSELECT ';';\n /* b */ ; SELECT $$;$$"), [7, 30]);
    }

    #[test]
    fn line_ends_and_places_do_not_matter_to_the_digest() {
        let set = |sql: &str, place: &str| {
            let root = directory(&[("db/migrations/001_a.sql", sql), ("db/seeds/test.sql", "SELECT 2;")]);
            load(&root.path().join(place)).unwrap().set
        };
        let plain = set(PLAIN, "db");
        assert!(plain.facts.is_empty());
        assert_eq!(plain, set(&PLAIN.replace('\n', "\r\n"), "db/../db"));
        assert_ne!(plain.digest, set("-- migrate:up\nSELECT 2;\n-- migrate:down\n", "db").digest);
    }
}
