//! db/schema.sql as the beginning of a new database: what it claims to hold, and how it is loaded.

use std::path::Path;

use crate::developer::Context;
use migrator_engine::ConnectionTarget;
use migrator_engine::embedded::Embedded;
use migrator_engine::facts::{Difference, Facts, report};
use migrator_engine::{Error, ErrorKind};

/// The line above the versions, in dbmate's words.
const MARK: &str = "-- Dbmate schema migrations";

/// What writes the file.
const WRITTEN_BY: &str = "run `cargo xtask dump` to write it";

/// A schema that can be loaded: it fits the migrations of this binary.
#[derive(Debug)]
pub(super) struct Dump {
    /// Its path in messages: `db/schema.sql`.
    file: String,
    text: String,
    /// The bytes at which its statements start, for errors without a position; may be empty.
    starts: Vec<usize>,
    /// The newest version in it.
    newest: Option<i64>,
}

impl Dump {
    /// Reads the file and checks whether `up` can go on where it ends.
    ///
    /// # Errors
    /// It cannot be read, does not say what it holds, or holds other migrations than the first ones of this binary.
    pub(super) fn read(path: &Path, embedded: &Embedded) -> Result<Dump, Error> {
        let file = shown(path);
        let bytes = std::fs::read(path).map_err(|error| refused(&file, &error.to_string()).help(WRITTEN_BY))?;
        let text = String::from_utf8(bytes)
            .map_err(|error| refused(&file, &format!("it is not UTF-8: {}", error.utf8_error())).help(WRITTEN_BY))?;
        let newest = check(&file, &text, embedded)?;
        Ok(Dump { file, starts: migrator_build::statement_starts(&text), text, newest })
    }

    /// Loads it into the new database, all of it or nothing, and compares what has come out with the compiled facts where they are
    /// of the same version.
    ///
    /// # Errors
    /// The server refuses a statement.
    pub(super) async fn load(self, context: &Context, target: &ConnectionTarget) -> Result<String, Error> {
        let Dump { file, text, starts, newest } = self;
        // A session of its own: the file changes the settings.
        let connection = context.migrator.open(target).await?;
        if let Err(error) = connection.load(file.clone(), text, &starts).await {
            let way_out = way_out(&error);
            return Err(error.note(format!("database `{}` is new and empty", target.database())).help(way_out));
        }
        drop(connection);
        compare(context, &file, newest).await?;
        Ok(file)
    }
}

/// Says in what the new database differs from the compiled facts that claim to hold the same migrations.
async fn compare(context: &Context, file: &str, newest: Option<i64>) -> Result<(), Error> {
    let session = context.connect().await?;
    let major = session.server().version_number / 10_000;
    let Some(compiled) = context.migrator.embedded().facts.iter().find(|facts| facts.major == major) else {
        return Ok(());
    };
    if Facts::version(&compiled.text) != newest {
        return Ok(());
    }
    let mut differences = session.drift().await?.differences;
    // What ALTER DATABASE has set belongs to the database, and pg_dump leaves it there.
    let is_left_behind = |one: &Difference| one.kind == "setting" && one.found.is_none();
    let left: Vec<String> = differences.extract_if(.., |one| is_left_behind(one)).map(|one| one.part).collect();
    if !left.is_empty() {
        let left = left.join(", ");
        context.terminal.warn(&format!("a dump does not contain the settings of the database; not set here: {left}"));
    }
    if !differences.is_empty() {
        context.terminal.warn(&format!(
            "{file} produced a schema that differs from {}: it is stale, or was edited; run `cargo xtask dump` to rewrite both\n{}",
            compiled.file,
            report(&differences)
        ));
    }
    Ok(())
}

/// The name that people know it by: the last folder and the file.
fn shown(path: &Path) -> String {
    let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    let names = path.parent().and_then(name).into_iter().chain(name(path));
    names.collect::<Vec<_>>().join("/")
}

fn refused(file: &str, reason: &str) -> Error {
    Error::usage(format!("cannot reset from `{file}`: {reason}")).note("nothing was dropped")
}

/// The newest version in the file, whose versions must be the first ones of the binary: `up` continues after them.
fn check(file: &str, text: &str, embedded: &Embedded) -> Result<Option<i64>, Error> {
    let held = versions(text).ok_or_else(|| {
        refused(file, "it does not name the migrations that it contains").help("run `cargo xtask dump` to rewrite it")
    })?;
    let known = &*embedded.migrations;
    let unknown: Vec<&str> =
        held.iter().copied().filter(|version| !known.iter().any(|migration| migration.version == *version)).collect();
    if !unknown.is_empty() {
        return Err(refused(
            file,
            &format!("it contains {}, which the db directory does not have", unknown.join(", ")),
        )
        .help("restore the files of these migrations, or run `cargo xtask dump` to rewrite it"));
    }
    let newest =
        known.iter().filter(|migration| held.contains(&&*migration.version)).map(|migration| migration.number).max();
    let lacks = |number: i64, version: &str| Some(number) < newest && !held.contains(&version);
    if let Some(migration) = known.iter().find(|migration| lacks(migration.number, &migration.version)) {
        return Err(refused(file, &format!("it contains newer migrations, but not {}", migration.label()))
            .help("run `cargo xtask dump` to rewrite it"));
    }
    Ok(newest)
}

/// The versions at the end of the file; `None`: there is no such part.
fn versions<'t>(text: &'t str) -> Option<Vec<&'t str>> {
    let lines: Vec<&str> = text.lines().collect();
    let mark = lines.iter().rposition(|line| line.trim_end() == MARK)?;
    let version = |line: &&'t str| Some(line.trim_start().strip_prefix("('")?.split_once("')")?.0);
    Some(lines[mark..].iter().filter_map(version).collect())
}

fn way_out(error: &Error) -> &'static str {
    // PostgreSQL has one code for every kind of object that does not exist, and the words depend on its language.
    let is_undefined =
        |kind: &ErrorKind| matches!(kind, ErrorKind::MigrationFailed { sqlstate: Some(code), .. } if code == "42704");
    match is_undefined(error.kind()) {
        true => {
            "if it is a role: roles belong to the server and are not in a dump; `reset` without `--from-dump` creates those that the migrations create"
        }
        false => "run `cargo xtask dump` to rewrite the file, or `reset` without `--from-dump`",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const END: &str = "\n-- Dbmate schema migrations\n--\n\n";

    #[test]
    fn the_versions_stand_behind_the_last_mark() {
        let insert = "INSERT INTO public.schema_migrations (version) VALUES\n    ('001'),\n    ('002');\n";
        for (text, expected) in [
            (format!("x{END}{insert}"), Some(vec!["001", "002"])),
            (format!("x{END}    ('9');{END}{insert}").replace('\n', "\r\n"), Some(vec!["001", "002"])),
            (format!("x{END}"), Some(Vec::new())),
            (format!("INSERT INTO other VALUES\n    ('001');\n{END}"), Some(Vec::new())),
            (insert.to_owned(), None),
        ] {
            assert_eq!(versions(&text), expected, "{text}");
        }
    }

    #[test]
    fn a_file_is_called_by_its_folder_and_name() {
        assert_eq!(shown(Path::new("/home/me/shop/db/schema.sql")), "db/schema.sql");
        assert_eq!(shown(Path::new("schema.sql")), "schema.sql");
    }
}
