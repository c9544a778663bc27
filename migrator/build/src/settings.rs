//! `migrator.toml`.

use crate::set::{Level, Settings};

impl Default for Settings {
    /// What holds without a file.
    fn default() -> Settings {
        Settings {
            history_schema: "public".to_owned(),
            history_table: "schema_migrations".to_owned(),
            lock_timeout_ms: 500,
            retry_for_ms: 600_000,
            statement_timeout_ms: 0,
            required_headers: Vec::new(),
            start_after: None,
            allow: Vec::new(),
            dbmate: Level::Warn,
            refuse_ahead: false,
            environments: Vec::new(),
        }
    }
}
