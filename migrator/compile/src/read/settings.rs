//! `migrator.toml`.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use migrator_model::{Environment, Level, List, Settings, Text};

use crate::contract::settings::{self, Mistake};
use crate::contract::unknown_seed;
use crate::duration;
use crate::problem::Problem;
use crate::source::Source;

/// The server truncates longer names; the name of the event log is seven bytes longer than the table's.
const LONGEST_NAME: usize = 63;
const LONGEST_TABLE: usize = LONGEST_NAME - "_events".len();

/// Reads the file; an invalid value leaves the default. `seeds` are the names of the existing seeds.
pub(crate) fn read(source: &Source, seeds: &[&str], problems: &mut Vec<Problem>) -> Settings {
    let mut read = Settings::new();
    let (table, errors) = DeTable::parse_recoverable(&source.text);
    let mut reader = Reader { source, seeds, problems };
    for error in errors {
        reader.refuse(error.span().unwrap_or_default(), settings::not_toml(error.message()));
    }
    reader.table(table.get_ref(), &["history", "session", "check", "drift", "environments"], |reader, key, value| {
        let Some(section) = reader.section(key, value) else { return };
        match key {
            "history" => reader.history(section, &mut read),
            "session" => reader.session(section, &mut read),
            "check" => reader.check(section, &mut read),
            "drift" => reader.drift(section, &mut read),
            _ => reader.environments(section, &mut read),
        }
    });
    read
}

/// A value with its place.
type Value<'a> = Spanned<DeValue<'a>>;

struct Reader<'a> {
    source: &'a Source,
    seeds: &'a [&'a str],
    problems: &'a mut Vec<Problem>,
}

impl Reader<'_> {
    fn history(&mut self, section: &DeTable<'_>, settings: &mut Settings) {
        self.table(section, &["schema", "table", "writers"], |reader, key, value| match key {
            "schema" => reader.name(key, value, LONGEST_NAME, &mut settings.history_schema),
            "table" => reader.name(key, value, LONGEST_TABLE, &mut settings.history_table),
            _ => reader.strings(key, value).into_iter().for_each(|list| settings.history_writers = list),
        });
    }

    fn session(&mut self, section: &DeTable<'_>, settings: &mut Settings) {
        self.table(section, &["lock_timeout", "retry_for", "statement_timeout"], |reader, key, value| {
            let target = match key {
                "lock_timeout" => &mut settings.lock_timeout_ms,
                "retry_for" => &mut settings.retry_for_ms,
                _ => &mut settings.statement_timeout_ms,
            };
            let Some(text) = reader.string(key, value) else { return };
            match duration::parse(&text) {
                Some(ms) => *target = ms,
                None => reader.refuse(value.span(), settings::not_a_duration(key, &text)),
            }
        });
    }

    fn check(&mut self, section: &DeTable<'_>, settings: &mut Settings) {
        let keys = ["required_headers", "start_after", "allow", "dbmate", "ahead"];
        self.table(section, &keys, |reader, key, value| match key {
            "required_headers" => {
                reader.strings(key, value).into_iter().for_each(|list| settings.required_headers = list)
            }
            "allow" => {
                reader.strings(key, value).into_iter().for_each(|list| settings.allow = list);
                reader.check_rules(value);
            }
            "start_after" => settings.start_after = reader.version(key, value),
            "dbmate" => {
                let levels = [("allow", Level::Allow), ("warn", Level::Warn), ("deny", Level::Deny)];
                reader.choice(key, value, &levels).into_iter().for_each(|level| settings.dbmate = level);
            }
            _ => {
                let choices = [("warn", false), ("refuse", true)];
                reader.choice(key, value, &choices).into_iter().for_each(|refuse| settings.refuse_ahead = refuse);
            }
        });
    }

    fn drift(&mut self, section: &DeTable<'_>, settings: &mut Settings) {
        self.table(section, &["owners", "ignore"], |reader, key, value| match key {
            "owners" => reader.boolean(key, value).into_iter().for_each(|yes| settings.drift_owners = yes),
            _ => {
                settings.drift_ignore = reader.strings(key, value).unwrap_or_default();
                reader.check_patterns(value);
            }
        });
    }

    fn check_patterns(&mut self, list: &Value<'_>) {
        for item in list.get_ref().as_array().into_iter().flatten() {
            if let Some(mistake) = item.get_ref().as_str().and_then(settings::pattern) {
                self.refuse(item.span(), mistake);
            }
        }
    }

    fn environments(&mut self, section: &DeTable<'_>, settings: &mut Settings) {
        let mut environments = Vec::new();
        for (name, value) in section {
            let mut environment = Environment::new(name.get_ref().to_string().into());
            let Some(table) = self.section(&environment.name, value) else { continue };
            self.table(table, &["approval", "down", "seeds"], |reader, key, value| match key {
                "approval" => reader.boolean(key, value).into_iter().for_each(|yes| environment.approval = yes),
                "down" => reader.boolean(key, value).into_iter().for_each(|yes| environment.down = yes),
                _ => {
                    environment.seeds = reader.strings(key, value);
                    if environment.seeds.is_some() {
                        reader.check_seeds(value);
                    }
                }
            });
            environments.push(environment);
        }
        environments.sort_by(|a: &Environment, b| a.name.cmp(&b.name));
        settings.environments = environments.into();
    }

    /// Passes every known key to `read` and reports the others.
    fn table(&mut self, table: &DeTable<'_>, known: &[&str], mut read: impl FnMut(&mut Self, &str, &Value<'_>)) {
        for (key, value) in table {
            let name: &str = key.get_ref();
            if known.contains(&name) {
                read(self, name, value);
                continue;
            }
            self.refuse(key.span(), settings::unknown_key(name, known));
        }
    }

    fn refuse(&mut self, span: Range<usize>, mistake: Mistake) {
        self.problems.push(mistake.problem(self.source, &span));
    }

    fn refuse_type(&mut self, key: &str, value: &Value<'_>, wanted: &str, example: &str) {
        self.refuse(value.span(), settings::other_type(key, value.get_ref().type_str(), wanted, example));
    }

    fn section<'v>(&mut self, key: &str, value: &'v Value<'v>) -> Option<&'v DeTable<'v>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.refuse_type(key, value, "a table", &format!("[{key}]"));
        }
        table
    }

    fn string(&mut self, key: &str, value: &Value<'_>) -> Option<String> {
        let text = value.get_ref().as_str().map(str::to_owned);
        if text.is_none() {
            self.refuse_type(key, value, "a string", &format!("{key} = \"...\""));
        }
        text
    }

    fn boolean(&mut self, key: &str, value: &Value<'_>) -> Option<bool> {
        let yes = value.get_ref().as_bool();
        if yes.is_none() {
            self.refuse_type(key, value, "true or false", &format!("{key} = true"));
        }
        yes
    }

    fn strings(&mut self, key: &str, value: &Value<'_>) -> Option<List<Text>> {
        let list = value.get_ref().as_array().and_then(|array| {
            array
                .iter()
                .map(|item| item.get_ref().as_str().map(|text| text.to_owned().into()))
                .collect::<Option<List<Text>>>()
        });
        if list.is_none() {
            self.refuse_type(key, value, "a list of strings", &format!("{key} = [\"...\"]"));
        }
        list
    }

    fn choice<T: Copy>(&mut self, key: &str, value: &Value<'_>, choices: &[(&str, T)]) -> Option<T> {
        let text = value.get_ref().as_str();
        let choice = choices.iter().find(|(name, _)| Some(*name) == text);
        if choice.is_none() {
            let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
            let type_name = value.get_ref().type_str();
            let shown = text.map_or_else(|| format!("of type {type_name}"), |text| format!("`{text}`"));
            self.refuse(value.span(), settings::not_a_choice(key, &shown, &names));
        }
        choice.map(|(_, value)| *value)
    }

    fn name(&mut self, key: &str, value: &Value<'_>, longest: usize, target: &mut Text) {
        let Some(text) = self.string(key, value) else { return };
        if text.is_empty() || text.len() > longest || text.contains(['.', '"', '\0']) {
            self.refuse(value.span(), settings::not_a_name(key, &text, longest));
        } else {
            *target = text.into();
        }
    }

    fn version(&mut self, key: &str, value: &Value<'_>) -> Option<i64> {
        let text = self.string(key, value)?;
        if text.bytes().all(|byte| byte.is_ascii_digit())
            && let Ok(number) = text.parse()
        {
            return Some(number);
        }
        self.refuse(value.span(), settings::not_a_version(&text));
        None
    }

    /// An unknown rule would switch nothing off.
    fn check_rules(&mut self, list: &Value<'_>) {
        for item in list.get_ref().as_array().into_iter().flatten() {
            let Some(rule) = item
                .get_ref()
                .as_str()
                .filter(|rule| !migrator_lint::is_rule(rule) && !migrator_lint::is_retired(rule))
            else {
                continue;
            };
            self.refuse(item.span(), settings::no_such_rule(rule, migrator_lint::help_for_unknown(rule)));
        }
    }

    fn check_seeds(&mut self, list: &Value<'_>) {
        for item in list.get_ref().as_array().into_iter().flatten() {
            let Some(seed) = item.get_ref().as_str() else { continue };
            self.problems.extend(unknown_seed::check(self.source, item.span().start, seed, self.seeds));
        }
    }
}

#[cfg(test)]
mod tests;
