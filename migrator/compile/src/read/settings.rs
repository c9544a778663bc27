//! `migrator.toml`.

use toml::de::DeTable;

use migrator_model::keys::{ENVIRONMENTS, keys_of, sections};
use migrator_model::{Budget, Environment, Level, Settings, Text};

use crate::contract::{settings, unknown_seed};
use crate::duration;
use crate::problem::Problem;
use crate::read::keys::{Reader, Value};
use crate::source::Source;

/// The server truncates longer names; the name of the event log is seven bytes longer than the table's.
const LONGEST_NAME: usize = 63;
const LONGEST_TABLE: usize = LONGEST_NAME - "_events".len();

/// Reads the file; an invalid value leaves the default. `seeds` are the names of the existing seeds.
pub(crate) fn read(source: &Source, seeds: &[&str], problems: &mut Vec<Problem>) -> Settings {
    let mut read = Settings::new();
    let mut reader = Reader::new(source, settings::RULE.code, problems);
    let table = reader.parse();
    reader.table(table.get_ref(), &sections(), |reader, key, value| {
        let Some(section) = reader.section(key, value) else { return };
        match key {
            "history" => history(reader, section, &mut read),
            "session" => session(reader, section, &mut read),
            "check" => check(reader, section, &mut read),
            "drift" => drift(reader, section, &mut read),
            "release" => release(reader, section, &mut read),
            "budget" => budget(reader, section, &mut read.budget),
            _ => environments(reader, section, seeds, &mut read),
        }
    });
    read
}

fn history(reader: &mut Reader<'_>, section: &DeTable<'_>, settings: &mut Settings) {
    reader.table(section, &keys_of("history"), |reader, key, value| match key {
        "schema" => name(reader, key, value, LONGEST_NAME, &mut settings.history_schema),
        "table" => name(reader, key, value, LONGEST_TABLE, &mut settings.history_table),
        _ => reader.strings(key, value).into_iter().for_each(|list| settings.history_writers = list),
    });
}

fn session(reader: &mut Reader<'_>, section: &DeTable<'_>, settings: &mut Settings) {
    reader.table(section, &keys_of("session"), |reader, key, value| {
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

fn check(reader: &mut Reader<'_>, section: &DeTable<'_>, settings: &mut Settings) {
    reader.table(section, &keys_of("check"), |reader, key, value| match key {
        "required_headers" => reader.strings(key, value).into_iter().for_each(|list| settings.required_headers = list),
        "allow" => {
            reader.strings(key, value).into_iter().for_each(|list| settings.allow = list);
            check_rules(reader, value);
        }
        "start_after" => settings.start_after = version(reader, key, value),
        "dbmate" => {
            let levels = [("allow", Level::Allow), ("warn", Level::Warn), ("deny", Level::Deny)];
            choice(reader, key, value, &levels).into_iter().for_each(|level| settings.dbmate = level);
        }
        _ => {
            let choices = [("warn", false), ("refuse", true)];
            choice(reader, key, value, &choices).into_iter().for_each(|refuse| settings.refuse_ahead = refuse);
        }
    });
}

fn drift(reader: &mut Reader<'_>, section: &DeTable<'_>, settings: &mut Settings) {
    reader.table(section, &keys_of("drift"), |reader, key, value| match key {
        "owners" => reader.boolean(key, value).into_iter().for_each(|yes| settings.drift_owners = yes),
        _ => {
            settings.drift_ignore = reader.strings(key, value).unwrap_or_default();
            check_patterns(reader, value);
        }
    });
}

fn release(reader: &mut Reader<'_>, section: &DeTable<'_>, settings: &mut Settings) {
    reader.table(section, &keys_of("release"), |reader, key, value| match key {
        "queries" => reader.strings(key, value).into_iter().for_each(|list| settings.release_queries = list),
        "allow" => reader.strings(key, value).into_iter().for_each(|list| settings.release_allow = list),
        _ => {
            let target = if key == "role" { &mut settings.release_role } else { &mut settings.release_tag_pattern };
            let Some(text) = reader.string(key, value) else { return };
            match text.is_empty() || text.contains('\0') {
                true => reader.refuse(value.span(), settings::empty(key)),
                false => *target = Some(text.into()),
            }
        }
    });
}

fn budget(reader: &mut Reader<'_>, section: &DeTable<'_>, budget: &mut Budget) {
    reader.table(section, &keys_of("budget"), |reader, key, value| {
        let target = match key {
            "blocks_writes" => &mut budget.blocks_writes_ms,
            "blocks_reads" => &mut budget.blocks_reads_ms,
            _ => {
                budget.rewrites = reader.count(key, value);
                return;
            }
        };
        let Some(text) = reader.string(key, value) else { return };
        *target = duration::parse(&text);
        if target.is_none() {
            reader.refuse(value.span(), settings::not_a_time(key, &text));
        }
    });
}

fn check_patterns(reader: &mut Reader<'_>, list: &Value<'_>) {
    for item in list.get_ref().as_array().into_iter().flatten() {
        if let Some(mistake) = item.get_ref().as_str().and_then(settings::pattern) {
            reader.refuse(item.span(), mistake);
        }
    }
}

fn environments(reader: &mut Reader<'_>, section: &DeTable<'_>, seeds: &[&str], settings: &mut Settings) {
    let mut environments = Vec::new();
    for (name, value) in section {
        let mut environment = Environment::new(name.get_ref().to_string().into());
        let Some(table) = reader.section(&environment.name, value) else { continue };
        reader.table(table, &keys_of(ENVIRONMENTS), |reader, key, value| match key {
            "approval" => reader.boolean(key, value).into_iter().for_each(|yes| environment.approval = yes),
            "backup" => {
                let choices = [("required", true), ("optional", false)];
                choice(reader, key, value, &choices).into_iter().for_each(|required| environment.backup = required);
            }
            "down" => reader.boolean(key, value).into_iter().for_each(|yes| environment.down = yes),
            _ => {
                environment.seeds = reader.strings(key, value);
                if environment.seeds.is_some() {
                    check_seeds(reader, value, seeds);
                }
            }
        });
        environments.push(environment);
    }
    environments.sort_by(|a: &Environment, b| a.name.cmp(&b.name));
    settings.environments = environments.into();
}

fn choice<T: Copy>(reader: &mut Reader<'_>, key: &str, value: &Value<'_>, choices: &[(&str, T)]) -> Option<T> {
    let text = value.get_ref().as_str();
    let choice = choices.iter().find(|(name, _)| Some(*name) == text);
    if choice.is_none() {
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        let type_name = value.get_ref().type_str();
        let shown = text.map_or_else(|| format!("of type {type_name}"), |text| format!("`{text}`"));
        reader.refuse(value.span(), settings::not_a_choice(key, &shown, &names));
    }
    choice.map(|(_, value)| *value)
}

fn name(reader: &mut Reader<'_>, key: &str, value: &Value<'_>, longest: usize, target: &mut Text) {
    let Some(text) = reader.string(key, value) else { return };
    if text.is_empty() || text.len() > longest || text.contains(['.', '"', '\0']) {
        reader.refuse(value.span(), settings::not_a_name(key, &text, longest));
    } else {
        *target = text.into();
    }
}

fn version(reader: &mut Reader<'_>, key: &str, value: &Value<'_>) -> Option<i64> {
    let text = reader.string(key, value)?;
    if text.bytes().all(|byte| byte.is_ascii_digit())
        && let Ok(number) = text.parse()
    {
        return Some(number);
    }
    reader.refuse(value.span(), settings::not_a_version(&text));
    None
}

/// An unknown rule would switch nothing off.
fn check_rules(reader: &mut Reader<'_>, list: &Value<'_>) {
    for item in list.get_ref().as_array().into_iter().flatten() {
        let Some(rule) =
            item.get_ref().as_str().filter(|rule| !migrator_lint::is_rule(rule) && !migrator_lint::is_retired(rule))
        else {
            continue;
        };
        reader.refuse(item.span(), settings::no_such_rule(rule, migrator_lint::help_for_unknown(rule)));
    }
}

fn check_seeds(reader: &mut Reader<'_>, list: &Value<'_>, seeds: &[&str]) {
    for item in list.get_ref().as_array().into_iter().flatten() {
        let Some(seed) = item.get_ref().as_str() else { continue };
        let found = unknown_seed::check(reader.source(), item.span().start, seed, seeds);
        reader.add(found);
    }
}

#[cfg(test)]
mod tests;
