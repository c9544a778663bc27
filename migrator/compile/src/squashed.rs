//! `squashed.txt`, and the files of `squashed/` that it names.

use std::collections::BTreeMap;

use migrator_model::{Block, Migration, Options, Squashed};

use crate::contract::squashed::{self, Last};
use crate::file::Name;
use crate::migration;
use crate::problem::Problem;
use crate::procedures::Procedures;
use crate::read::squashed::{self as list, Line};
use crate::source::Source;

/// Reads the list and checks it against the files beside it and the names of the migrations. `label` is that of the db directory.
pub(crate) fn read(
    label: &str,
    source: Option<&Source>,
    files: Vec<(Name, Source)>,
    migrations: &[Migration],
    procedures: &Procedures,
    problems: &mut Vec<Problem>,
) -> Vec<Squashed> {
    let Some(source) = source else {
        problems.extend(files.first().map(|(_, first)| squashed::without_list(label, &first.file)));
        return Vec::new();
    };
    let before = problems.len();
    let lines = list::read(source, problems);
    if problems.len() == before {
        let last = lines.last().map(|line| Last { version: line.version, number: line.number, name: line.name });
        squashed::check(source, last, migrations, problems);
    }
    let mut texts: BTreeMap<(String, String), (Name, Source)> = BTreeMap::new();
    for (name, file) in files {
        match lines.iter().any(|line| line.is(&name)) {
            true => drop(texts.insert((name.version.clone(), name.name.clone()), (name, file))),
            false => problems.push(squashed::not_listed(label, &file.file)),
        }
    }
    let mut squashed = Vec::new();
    for line in lines {
        let text = texts.remove(&(line.version.to_owned(), line.name.to_owned()));
        let read = text.and_then(|(name, file)| {
            let path = file.file.clone();
            let read = migration::read_trusted(name, file, procedures);
            let is_it = read.as_ref().is_some_and(|migration| migration.checksum == line.checksum);
            problems.extend((!is_it).then(|| squashed::changed(&path)));
            read
        });
        let migration = read.unwrap_or_else(|| known(label, &line));
        squashed.push(Squashed::new(migration).with_baseline(line.is_baseline));
    }
    squashed
}

/// A migration of which nothing but its line is left.
fn known(label: &str, line: &Line<'_>) -> Migration {
    let file = format!("{label}/squashed/{}_{}.sql", line.version, line.name);
    let nothing = Block::new(0..0, Options::new(), Vec::new().into());
    let [version, name, checksum] = [line.version, line.name, line.checksum].map(|text| text.to_owned().into());
    Migration::new(version, line.number, name, file.into(), "".into(), checksum, nothing)
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use crate::load;
    use crate::testing::{PLAIN, check_directory, directory};

    /// A list of these lines, in which `c4928b2d` stands for the checksum of [`PLAIN`].
    fn list(lines: &str) -> String {
        let root = directory(&[("db/migrations/001_a.sql", PLAIN)]);
        let checksum = load(&root.path().join("db")).unwrap().set.migrations[0].checksum.to_string();
        lines.replace("c4928b2d", &checksum)
    }

    const BASELINE: (&str, &str) = ("db/migrations/002_baseline.sql", "-- migrate:up\nSELECT 2;\n-- migrate:down\n");

    #[test]
    fn a_list_and_its_files_are_read() {
        let text = list("# why\n001 a c4928b2d\n002 b c4928b2d\n");
        let files =
            [BASELINE, ("db/squashed.txt", &text), ("db/squashed/001_a.sql", PLAIN), ("db/squashed/README.md", "")];
        let set = load(&directory(&files).path().join("db")).unwrap().set;
        let shown: Vec<_> = set.squashed.iter().map(|of| (of.migration.label(), of.has_text())).collect();
        assert_eq!(shown, [("001_a".to_owned(), true), ("002_b".to_owned(), false)]);
        assert_eq!(set.baseline().unwrap().label(), "002_baseline");
        let plain = load(&directory(&[BASELINE]).path().join("db")).unwrap().set;
        assert_ne!(set.digest, plain.digest);
    }

    #[test]
    fn what_is_wrong_with_the_list_is_named() {
        check_directory(
            &[BASELINE, ("db/squashed.txt", &list("001 a\n002 b c4928b2d base\n02 ! c4928b2d\n"))],
            expect![[r#"
                []
                Error db/squashed.txt:1:1: this line is not a version, a name and a checksum, with `baseline` behind those of a baseline [M048]; help: restore the file with git: only `cargo xtask squash` writes it
                Error db/squashed.txt:2:1: this line is not a version, a name and a checksum, with `baseline` behind those of a baseline [M048]; help: restore the file with git: only `cargo xtask squash` writes it
                Error db/squashed.txt:3:1: this line is not a version, a name and a checksum, with `baseline` behind those of a baseline [M048]; help: restore the file with git: only `cargo xtask squash` writes it"#]],
        );
        check_directory(
            &[
                BASELINE,
                ("db/squashed.txt", &list("002 b c4928b2d\n001 a c4928b2d\n002 c c4928b2d baseline\n002 d c4928b2d\n")),
            ],
            expect![[r#"
                []
                Error db/squashed.txt:2:1: this line is out of order: versions ascend, and a baseline follows the migration that has its version [M048]; help: restore the file with git: only `cargo xtask squash` writes it
                Error db/squashed.txt:3:1: this line is out of order: versions ascend, and a baseline follows the migration that has its version [M048]; help: restore the file with git: only `cargo xtask squash` writes it
                Error db/squashed.txt:4:1: this line is out of order: versions ascend, and a baseline follows the migration that has its version [M048]; help: restore the file with git: only `cargo xtask squash` writes it"#]],
        );
        check_directory(
            &[BASELINE, ("db/squashed.txt", "# nothing\n")],
            expect![[r#"
            []
            Error db/squashed.txt: the list is empty [M048]; help: restore the file with git: only `cargo xtask squash` writes it"#]],
        );
    }

    #[test]
    fn the_list_fits_the_files_and_the_migrations() {
        let text = list("001 a c4928b2d\n002 b c4928b2d\n");
        check_directory(
            &[("db/migrations/003_x.sql", PLAIN), ("db/squashed.txt", &text)],
            expect![[r#"
            []
            Error db/squashed.txt: no migration has the version `002`, the last of the list [M048]; help: restore the baseline with git: it stands for the squashed migrations in new databases"#]],
        );
        check_directory(
            &[("db/migrations/002_b.sql", PLAIN), ("db/squashed.txt", &text)],
            expect![[r#"
            []
            Error db/migrations/002_b.sql: `002_b` is squashed, and not the baseline [M048]; help: give it a version above 002, unless it is in db/squashed.txt already: then delete this file"#]],
        );
        check_directory(
            &[BASELINE, ("db/migrations/001_a.sql", PLAIN), ("db/squashed.txt", &text)],
            expect![[r#"
            []
            Error db/migrations/001_a.sql: version 001 is below 002, that of the baseline [M048]; help: give it a version above 002, unless it is in db/squashed.txt already: then delete this file"#]],
        );
        check_directory(
            &[BASELINE, ("db/squashed.txt", &text), ("db/squashed/001_z.sql", PLAIN), ("db/squashed/1_a.sql", PLAIN)],
            expect![[r#"
                []
                Error db/squashed/001_z.sql: `db/squashed/001_z.sql` is not in db/squashed.txt [M048]; help: move it to db/migrations and give it a new version, or delete it
                Error db/squashed/1_a.sql: `db/squashed/1_a.sql` is not in db/squashed.txt [M048]; help: move it to db/migrations and give it a new version, or delete it"#]],
        );
        check_directory(
            &[BASELINE, ("db/squashed.txt", &text), ("db/squashed/001_a.sql", "-- migrate:up\nSELECT 3;\n")],
            expect![[r#"
                []
                Error db/squashed/001_a.sql: its up block is not the one that was squashed: the checksum differs from the list [M048]; help: restore it with git: databases have run it, and others will"#]],
        );
        check_directory(
            &[BASELINE, ("db/squashed/001_a.sql", PLAIN)],
            expect![[r#"
            []
            Error db/squashed/001_a.sql: `db/squashed/001_a.sql` is squashed, and there is no db/squashed.txt [M048]; help: restore the list with git: only `cargo xtask squash` writes it"#]],
        );
    }
}
