//! Public histories of migrations, which belong to others and lie beside the repository.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow};
use migrator_xtask::engine::Embedded;

use crate::task;

/// Where they are unless a program is told another place.
pub fn corpora() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpora")
}

/// A public history.
#[derive(Debug, Clone, Copy)]
pub struct History {
    /// As people call it.
    pub name: &'static str,
    /// Where it is below the corpora.
    below: &'static str,
    /// The tool that it is imported from; `None`: it is a db directory.
    pub tool: Option<&'static str>,
    /// What it takes for granted in a new database, as a statement.
    pub expects: &'static str,
}

const fn history(name: &'static str, below: &'static str, tool: Option<&'static str>) -> History {
    History { name, below, tool, expects: "" }
}

/// All of them.
pub const HISTORIES: &[History] = &[
    history("crates-io", "histories/crates-io/migrations", None),
    history("zksync-core", "histories/zksync-core/migrations", None),
    history("arroyo", "foreign/arroyo/crates/arroyo-api/migrations", Some("refinery")),
    History {
        expects: "CREATE EXTENSION pg_trgm",
        ..history("chirpstack", "foreign/chirpstack/chirpstack/migrations_postgres", Some("diesel"))
    },
    history("svix", "foreign/svix/server/svix-server/migrations", Some("sqlx")),
    history("zksync-prover", "foreign/zksync-prover/prover/crates/lib/prover_dal/migrations", Some("sqlx")),
    history("harbor", "foreign/harbor/make/migrations/postgresql", Some("golang-migrate")),
    history("ncps", "foreign/ncps/migrations/postgres", Some("goose")),
    history("clomonitor", "foreign/clomonitor/database/migrations/schema", Some("tern")),
    history("marquez", "foreign/marquez/api/src/main/resources/marquez/db/migration", Some("flyway")),
    History {
        expects: "CREATE TABLE schema_migrations (version varchar PRIMARY KEY)",
        ..history("cloak", "foreign/cloak/crates/db/migrations", Some("dbmate"))
    },
];

impl History {
    /// The directory of its files.
    pub fn source(&self, corpora: &Path) -> PathBuf {
        corpora.join(self.below)
    }

    /// Makes `db` anew, as a db directory of this history, and loads it.
    ///
    /// # Errors
    /// The history or the directory cannot be read or written, or no build takes it.
    pub fn load(&self, corpora: &Path, db: &Path) -> Result<&'static Embedded> {
        self.put(corpora, db)?;
        let (blob, _) = crate::load(db).map_err(|problems| anyhow!("the migrations have errors\n{problems}"))?;
        Ok(blob.set()?)
    }

    /// Makes `db` anew, as a db directory of this history.
    fn put(&self, corpora: &Path, db: &Path) -> Result<()> {
        let source = self.source(corpora);
        let source = source.canonicalize().with_context(|| format!("failed to read `{}`", source.display()))?;
        let _ = fs::remove_dir_all(db);
        fs::create_dir_all(db)?;
        // One of them drops a table that is called as our history is by default, and some down blocks can never have run.
        let history = "[history]\nschema = \"ops\"\n";
        let file = db.join("migrator.toml");
        let Some(tool) = self.tool else {
            std::os::unix::fs::symlink(source, db.join("migrations"))?;
            return fs::write(&file, format!("{history}[check]\nstart_after = \"999999\"\n"))
                .with_context(|| format!("failed to write `{}`", file.display()));
        };
        fs::create_dir(db.join("migrations"))?;
        let line = ["migrator", "import", tool].map(Into::into).into_iter();
        task::import(db, line.chain([source.into_os_string()]));
        let text = fs::read_to_string(&file).unwrap_or_default();
        let text = match text.contains("[history]\n") {
            true => text.replacen("[history]\n", history, 1),
            false => format!("{history}{text}"),
        };
        fs::write(&file, text).with_context(|| format!("failed to write `{}`", file.display()))
    }
}
