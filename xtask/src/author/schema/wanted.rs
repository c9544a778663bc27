//! The schema that is wanted: files of SQL, or a database.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use migrator_engine::embedded::Embedded;
use migrator_engine::{ConnectionTarget, Error};
use migrator_postgres::{Cluster, Status};
use migrator_sql::{Words, lex, split};

use crate::developer::Context;
use crate::environment::Environment;
use crate::output::Usage;
use crate::prove::dump::SCHEMA;
use crate::workspace::{Workspace, shown};

/// Where it comes from.
pub(super) enum Wanted {
    /// To be run on an empty database.
    Text(Text),
    /// To be read.
    Database(Box<ConnectionTarget>),
}

/// SQL that makes a schema and no data.
pub(super) struct Text {
    files: Vec<(String, String)>,
}

impl Wanted {
    /// A file, or the files of a directory in the order of their names; without a path db/schema.sql.
    ///
    /// # Errors
    /// It cannot be read, or holds statements about data.
    pub(super) fn files(workspace: &Workspace, path: Option<&Path>, embedded: &Embedded) -> Result<Wanted> {
        let path = path
            .filter(|path| !path.as_os_str().is_empty())
            .map_or_else(|| workspace.db().join(SCHEMA), Path::to_owned);
        let mut paths = vec![path.clone()];
        if path.is_dir() {
            paths = entries(&path).with_context(|| format!("failed to read `{}`", shown(&path).display()))?;
            if paths.is_empty() {
                bail!(Usage(format!("there is no file `*.sql` in `{}`", shown(&path).display())));
            }
        }
        let settings = &embedded.settings;
        let history = [settings.history_schema.as_ref(), settings.history_table.as_ref()];
        let mut files = Vec::new();
        for path in paths {
            let name = shown(&path).display().to_string();
            let bytes = migrator_build::read_file(&path).with_context(|| format!("failed to read `{name}`"))?;
            let text = String::from_utf8(bytes).with_context(|| format!("`{name}` is not UTF-8"))?;
            let text = without_noise(&text);
            refuse_data(&name, &text, history)?;
            files.push((name, text));
        }
        Ok(Wanted::Text(Text { files }))
    }

    /// The database of a URL; an empty one means the developer's own.
    ///
    /// # Errors
    /// A URL that cannot be read; no server of the workspace that runs.
    pub(super) fn database(workspace: &Workspace, url: &str) -> Result<Wanted> {
        let environment = Environment::read(&workspace.root, None)?;
        let given = Some(url.to_owned()).filter(|url| !url.is_empty()).or_else(|| environment.get("DATABASE_URL"));
        let url = match given {
            Some(url) => url,
            None => match Cluster::of_workspace(&workspace.root)?.status()? {
                Status::Running(running) => running.url(running.database()),
                _ => bail!(
                    "this workspace's PostgreSQL does not run\nhelp: `cargo xtask db start` starts it, or name a URL"
                ),
            },
        };
        Ok(Wanted::Database(Box::new(ConnectionTarget::read(Some(&url), |name| environment.get(name))?)))
    }
}

fn entries(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "sql") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// Without what only psql takes, and what only a newer release does, above the first object and below the last one.
fn without_noise(text: &str) -> String {
    let noise = ["\\restrict ", "\\unrestrict ", "SET transaction_timeout "];
    text.split_inclusive('\n').filter(|line| !noise.iter().any(|start| line.starts_with(start))).collect()
}

/// A schema has no rows, but those that say which versions it holds.
fn refuse_data(file: &str, text: &str, [schema, table]: [&str; 2]) -> Result<()> {
    let lexed = lex(text);
    if let Some((at, what)) = lexed.unterminated {
        bail!("`{file}` cannot be read: {what} that begins in line {} does not end", line(text, at));
    }
    for words in split(text, &lexed.tokens) {
        let is_data = words.is_any(0, &["insert", "update", "delete", "copy", "truncate", "merge", "call"])
            || words.is_any(0, &["with", "values", "table"])
            || words.is(0, "select") && !words.start_with(&["select", "pg_catalog"]);
        if is_data && !is_version(&words, schema, table) {
            bail!(
                "`{file}` holds a statement about data in line {}: `{}`; a schema has none\n\
                 help: take it out of the file; what new databases need to hold goes to db/seeds",
                line(text, words.start()),
                words.shown(4)
            );
        }
    }
    Ok(())
}

fn is_version(words: &Words<'_>, schema: &str, table: &str) -> bool {
    let plain = |text: &str| text.trim_matches('"').to_owned();
    words.start_with(&["insert", "into"])
        && plain(words.at(2)) == schema
        && words.at(3) == "."
        && plain(words.at(4)) == table
}

fn line(text: &str, at: usize) -> usize {
    text.get(..at).map_or(1, |before| before.matches('\n').count() + 1)
}

impl Text {
    /// Runs it on an empty database, each file in a transaction.
    ///
    /// # Errors
    /// What the server refuses, with its place.
    pub(super) async fn load(self, context: &Context) -> Result<(), Error> {
        for (name, text) in self.files {
            // A session of its own: a file changes the settings.
            let connection = context.migrator.open(&context.target).await?;
            let starts = migrator_build::statement_starts(&text);
            connection.load(name, text, &starts).await.map_err(|error| {
                error.help("the SQL has to make the schema on an empty database; of roles, those that the migrations make are there")
            })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_about_data_are_refused_by_name() {
        let check = |text: &str| {
            refuse_data("db/schema.sql", text, ["public", "schema_migrations"]).map_err(|error| error.to_string())
        };
        assert_eq!(
            check(
                "SELECT pg_catalog.set_config('search_path', '', false);\nINSERT INTO public.schema_migrations (version) VALUES ('1');"
            ),
            Ok(())
        );
        let error = check("CREATE TABLE t (a int);\n\nINSERT INTO t VALUES (1);").unwrap_err();
        assert!(error.contains("in line 3: `INSERT INTO t VALUES`"), "{error}");
        for text in [
            "COPY t FROM stdin;\n1\n\\.\n",
            "SELECT 1",
            "WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x",
            "TRUNCATE t",
        ] {
            assert!(check(text).is_err(), "{text}");
        }
        assert!(check("CREATE TABLE t (a text DEFAULT 'x);").unwrap_err().contains("begins in line 1"));
    }
}
