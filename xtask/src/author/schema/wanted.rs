//! The schema that is wanted: files of SQL, or a database.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use migrator_engine::embedded::Embedded;
use migrator_engine::{ConnectionTarget, Error};
use migrator_postgres::{Cluster, Status};

use super::mark::marks;
use super::rename::Rename;
use super::text::{is_divisible, refuse_data, without_noise};
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
    /// What its comments say.
    pub(super) renames: Vec<Rename>,
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
        let (mut files, mut renames) = (Vec::new(), Vec::new());
        for path in paths {
            let name = shown(&path).display().to_string();
            let bytes = migrator_build::read_file(&path).with_context(|| format!("failed to read `{name}`"))?;
            let text = String::from_utf8(bytes).with_context(|| format!("`{name}` is not UTF-8"))?;
            let text = without_noise(&text);
            refuse_data(&name, &text, history)?;
            renames.extend(marks(&name, &text));
            files.push((name, text));
        }
        Ok(Wanted::Text(Text { files, renames }))
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

/// So many statements of a file are run in a transaction: the server looks through all locks of a transaction when it ends a statement
/// that needs more than 15, as a table with foreign keys does.
const PART: usize = 100;

impl Text {
    /// Runs it on an empty database, each file in a transaction, a large one in several.
    ///
    /// # Errors
    /// What the server refuses, with its place.
    pub(super) async fn load(self, context: &Context) -> Result<(), Error> {
        for (name, text) in self.files {
            // A session of its own: a file changes the settings.
            let connection = context.migrator.open(&context.target).await?;
            let starts = migrator_build::statement_starts(&text);
            let size = if is_divisible(&text) { PART } else { starts.len() };
            connection.load_in_parts(name, text, &starts, size).await.map_err(|error| {
                error.help("the SQL must create the schema on an empty database; only roles that the migrations create exist there")
            })?;
        }
        Ok(())
    }
}
