//! Histories in another schema than the settings say, or of another tool.
//!
//! A new history beside one of them would run everything a second time.

use crate::adopt::{Recognised, name_patterns, recognise};
use crate::embedded::Tool;
use crate::error::Error;
use crate::history::History;
use crate::sql::{Tables, literal};

/// An expression for the tables of other histories in this database, one per line, each with a tab and the names of its columns after
/// it; NULL without any. Nothing of them is
/// read: another user may have made them. It runs under [`crate::sql::OURS`].
pub(super) fn question(tables: &Tables) -> String {
    let (mut plain, mut qualified) = (vec![literal(&tables.table)], Vec::new());
    for table in name_patterns() {
        if table.contains('.') { qualified.push(literal(table)) } else { plain.push(literal(table)) }
    }
    format!(
        "SELECT string_agg(n.nspname || '.' || c.relname || chr(9) || coalesce((SELECT string_agg(attname, ' ' ORDER BY attnum) FROM pg_attribute \
         WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped), ''), chr(10) ORDER BY c.relname = {table} DESC, n.nspname, c.relname) \
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_(temp|toast)' AND n.nspname NOT IN ('pg_catalog', 'information_schema') \
         AND (lower(c.relname) IN ({plain}) OR lower(n.nspname || '.' || c.relname) IN ({qualified})) \
         AND (c.relname <> {table} OR EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = 'version' AND NOT attisdropped))",
        table = literal(&tables.table),
        plain = plain.join(", "),
        qualified = qualified.join(", "),
    )
}

/// A table that may hold another history.
struct Found<'a> {
    /// With its schema.
    name: &'a str,
    schema: &'a str,
    table: &'a str,
    columns: Vec<&'a str>,
    tool: Recognised,
}

impl<'a> Found<'a> {
    /// The first of those that [`question`] has found.
    fn first(history: &'a History) -> Option<Found<'a>> {
        let line = history.elsewhere.as_deref()?.lines().next()?;
        let (name, columns) = line.split_once('\t').unwrap_or((line, ""));
        let (schema, table) = name.split_once('.').unwrap_or(("", name));
        let columns: Vec<&str> = columns.split(' ').collect();
        let tool = recognise(schema, table, &columns);
        Some(Found { name, schema, table, columns, tool })
    }
}

/// Refuses to begin a history where another one exists.
///
/// # Errors
/// Exit code 4, with the table, the tool that it may belong to, and the setting or command that helps.
pub(crate) fn refuse(history: &History, tables: &Tables) -> Result<(), Error> {
    let Some(Found { name: found, schema, table, columns, tool }) = Found::first(history) else { return Ok(()) };
    let message = format!("there is no history in `{}`, but there is a table `{found}`", tables.state);
    let is_unclear = matches!(tool, Recognised::Tool(Tool::Dbmate) | Recognised::Unknown);
    if table == tables.table && is_unclear {
        let error = Error::diverged(message)
            .note("if it is the history of these migrations, everything would run a second time")
            .help(format!("if it is, set `schema = \"{schema}\"` under [history] in db/migrator.toml, and build"));
        let is_of_dbmate = tool == Recognised::Tool(Tool::Dbmate) && !columns.contains(&"checksum");
        let error = match is_of_dbmate {
            true => error.help("to copy what it says and leave it to dbmate alone, run `migrator adopt dbmate`"),
            false => error,
        };
        return Err(error.help("if it belongs to something else, run `up --new-history` once"));
    }
    let (title, command) = recording(tool);
    Err(Error::diverged(format!("{message}, the history of {title}"))
        .note("if that tool has already applied these migrations, everything would run a second time")
        .help(format!("record what has been applied already with `{command}`, then run `up`"))
        .help("if that history belongs to something else, run `up --new-history` once"))
}

/// Whose history a table is, and the command that records what it says.
fn recording(tool: Recognised) -> (&'static str, String) {
    match tool {
        Recognised::Tool(tool) => (tool.title(), format!("migrator adopt {}", tool.name())),
        Recognised::Other(title) => (title, STAMP.to_owned()),
        Recognised::Unknown => ("another tool", STAMP.to_owned()),
    }
}

/// The command that records what another tool has applied, where there is its history and none of ours: `up` would refuse.
pub(crate) fn command(history: &History) -> Option<String> {
    Some(recording(Found::first(history)?.tool).1)
}

/// What records by hand what has been applied.
const STAMP: &str = "migrator stamp --to VERSION";

/// Sentences for a table of our name with another tool's columns.
pub(super) fn foreign(tables: &Tables, columns: &[&str], is_of_rails: bool) -> Option<Error> {
    let (owner, tool) = if is_of_rails {
        ("Rails", None)
    } else if columns.contains(&"dirty") {
        ("golang-migrate", Some(Tool::GolangMigrate))
    } else if columns.contains(&"inserted_at") {
        ("Ecto", None)
    } else if columns.contains(&"statements") {
        ("Supabase", Some(Tool::Supabase))
    } else if !columns.contains(&"version") {
        ("another tool: it has no column `version`", None)
    } else {
        return None;
    };
    let error = Error::diverged(format!("the table `{}` belongs to {owner}", tables.state));
    Some(match tool {
        Some(tool) => error.help(format!(
            "set `table = \"migrator_migrations\"` under [history] in db/migrator.toml, build, and run `migrator adopt {}`",
            tool.name()
        )),
        None => error.help(
            "set another `table` or `schema` under [history] in db/migrator.toml, and record with `migrator stamp` what has been applied",
        ),
    })
}
