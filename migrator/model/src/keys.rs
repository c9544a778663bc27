//! The keys of `migrator.toml`: what the reader knows, what `migrator config` shows, what an editor completes.

use crate::{Level, Settings};

/// What a key takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Takes {
    /// A text.
    Text,
    /// A time with its unit: `"500ms"`.
    Duration,
    /// A version of a migration, in quotes: `"012"`.
    Version,
    /// `true` or `false`.
    Flag,
    /// A whole number that is not negative.
    Count,
    /// A list of texts.
    Texts,
    /// One of these.
    Choice(&'static [&'static str]),
}

/// One key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Key {
    /// The table that it is in: `history`; [`ENVIRONMENTS`] has one table for each environment below it.
    pub section: &'static str,
    /// Its name.
    pub name: &'static str,
    /// What it takes.
    pub takes: Takes,
    /// What it decides, in one sentence.
    pub about: &'static str,
}

/// The section with a table for each environment.
pub const ENVIRONMENTS: &str = "environments";

const fn key(section: &'static str, name: &'static str, takes: Takes, about: &'static str) -> Key {
    Key { section, name, takes, about }
}

/// All keys, section by section.
pub const KEYS: &[Key] = &[
    key("history", "schema", Takes::Text, "The schema of the history tables."),
    key("history", "table", Takes::Text, "The name of the state table; the event log is beside it."),
    key("history", "writers", Takes::Texts, "Roles that may write to the history besides its owner."),
    key("session", "lock_timeout", Takes::Duration, "How long a statement waits for a lock before it steps back."),
    key("session", "retry_for", Takes::Duration, "How long a migration that could not get its locks is tried again."),
    key("session", "statement_timeout", Takes::Duration, "How long a statement may run; \"0\" is without limit."),
    key("check", "required_headers", Takes::Texts, "Comment headers that every migration must have."),
    key("check", "start_after", Takes::Version, "Hazards are looked for only in migrations above this version."),
    key("check", "allow", Takes::Texts, "Hazards that are not looked for, by name."),
    key(
        "check",
        "dbmate",
        Takes::Choice(&["allow", "warn", "deny"]),
        "What to do with a file that dbmate reads otherwise.",
    ),
    key(
        "check",
        "ahead",
        Takes::Choice(&["warn", "refuse"]),
        "What to do where a newer release has migrated the database.",
    ),
    key("drift", "owners", Takes::Flag, "Whether owners belong to the schema that `migrator drift` compares."),
    key("drift", "ignore", Takes::Texts, "What `migrator drift` does not compare: a kind of object and a name."),
    key("release", "tag_pattern", Takes::Text, "The tags that are releases."),
    key("release", "queries", Takes::Texts, "The files of queries, as patterns."),
    key("release", "allow", Takes::Texts, "Queries of the running release that may break."),
    key("release", "role", Takes::Text, "The role that the application connects as."),
    key("budget", "blocks_writes", Takes::Duration, "How long a migration may make writes to an existing table wait."),
    key("budget", "blocks_reads", Takes::Duration, "How long a migration may make reads of an existing table wait."),
    key("budget", "rewrites", Takes::Count, "How many existing tables a release may write anew."),
    key(ENVIRONMENTS, "approval", Takes::Flag, "Whether `up` needs a named approver and the digest of the plan."),
    key(
        ENVIRONMENTS,
        "backup",
        Takes::Choice(&["optional", "required"]),
        "Whether what destroys data needs the reference of a backup.",
    ),
    key(ENVIRONMENTS, "down", Takes::Flag, "Whether anything may be rolled back."),
    key(ENVIRONMENTS, "seeds", Takes::Texts, "The seeds that may run."),
];

/// The names of the sections, in order.
pub fn sections() -> Vec<&'static str> {
    let mut names: Vec<&str> = KEYS.iter().map(|key| key.section).collect();
    names.dedup();
    names
}

/// The names of a section's keys, in order.
pub fn keys_of(section: &str) -> Vec<&'static str> {
    KEYS.iter().filter(|key| key.section == section).map(|key| key.name).collect()
}

impl Settings {
    /// The value of a key outside [`ENVIRONMENTS`] as the file would have it; `None`: nothing is set, or there is no such key.
    pub fn value(&self, section: &str, name: &str) -> Option<String> {
        let texts = |list: &[crate::Text]| {
            Some(format!("[{}]", list.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", ")))
        };
        let flag = |yes: bool| Some(yes.to_string());
        match (section, name) {
            ("history", "schema") => Some(quoted(&self.history_schema)),
            ("history", "table") => Some(quoted(&self.history_table)),
            ("history", "writers") => texts(&self.history_writers),
            ("session", "lock_timeout") => Some(time(self.lock_timeout_ms)),
            ("session", "retry_for") => Some(time(self.retry_for_ms)),
            ("session", "statement_timeout") => Some(time(self.statement_timeout_ms)),
            ("check", "required_headers") => texts(&self.required_headers),
            ("check", "start_after") => self.start_after.map(|version| quoted(&version.to_string())),
            ("check", "allow") => texts(&self.allow),
            ("check", "dbmate") => Some(quoted(match self.dbmate {
                Level::Allow => "allow",
                Level::Warn => "warn",
                Level::Deny => "deny",
            })),
            ("check", "ahead") => Some(quoted(if self.refuse_ahead { "refuse" } else { "warn" })),
            ("drift", "owners") => flag(self.drift_owners),
            ("drift", "ignore") => texts(&self.drift_ignore),
            ("release", "tag_pattern") => self.release_tag_pattern.as_deref().map(quoted),
            ("release", "queries") => texts(&self.release_queries),
            ("release", "allow") => texts(&self.release_allow),
            ("release", "role") => self.release_role.as_deref().map(quoted),
            ("budget", "blocks_writes") => self.budget.blocks_writes_ms.map(time),
            ("budget", "blocks_reads") => self.budget.blocks_reads_ms.map(time),
            ("budget", "rewrites") => self.budget.rewrites.map(|count| count.to_string()),
            _ => None,
        }
    }
}

impl crate::Environment {
    /// The value of a key of [`ENVIRONMENTS`] as the file would have it; `None`: nothing is set, or there is no such key.
    pub fn value(&self, name: &str) -> Option<String> {
        match name {
            "approval" => Some(self.approval.to_string()),
            "backup" => Some(quoted(if self.backup { "required" } else { "optional" })),
            "down" => Some(self.down.to_string()),
            "seeds" => {
                let seeds = self.seeds.as_ref()?;
                Some(format!("[{}]", seeds.iter().map(|seed| quoted(seed)).collect::<Vec<_>>().join(", ")))
            }
            _ => None,
        }
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A time in the largest unit that divides it.
fn time(ms: u64) -> String {
    quoted(&match ms {
        0 => "0".to_owned(),
        ms if ms % 3_600_000 == 0 => format!("{}h", ms / 3_600_000),
        ms if ms % 60_000 == 0 => format!("{}min", ms / 60_000),
        ms if ms % 1_000 == 0 => format!("{}s", ms / 1_000),
        ms => format!("{ms}ms"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_written_as_the_file_has_it() {
        let settings = Settings::new();
        let value = |section, name| settings.value(section, name);
        assert_eq!(value("session", "retry_for").as_deref(), Some("\"10min\""));
        assert_eq!(value("session", "lock_timeout").as_deref(), Some("\"500ms\""));
        assert_eq!(value("history", "writers").as_deref(), Some("[]"));
        assert_eq!(value("budget", "rewrites"), None);
        assert_eq!(quoted("a\"b\\c"), "\"a\\\"b\\\\c\"");
    }

    #[test]
    fn every_key_that_can_be_set_has_a_value() {
        let text = || Some("x".into());
        let full =
            Settings { start_after: Some(1), release_tag_pattern: text(), release_role: text(), ..Settings::new() }
                .with_budget(crate::Budget { blocks_writes_ms: Some(1), blocks_reads_ms: Some(1), rewrites: Some(1) });
        let environment = crate::Environment::new("x".into()).with_seeds(Some(Vec::new().into()));
        for key in KEYS {
            let value = match key.section {
                ENVIRONMENTS => environment.value(key.name),
                section => full.value(section, key.name),
            };
            assert!(value.is_some(), "{key:?}");
        }
    }
}
