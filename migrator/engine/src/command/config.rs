//! `config`: the settings in force and where each comes from; connects to nothing.

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches};
use serde_json::{Value, json};

use super::context::{Context, Program};
use crate::conninfo::{Environment, sources};
use crate::embedded::Settings;
use crate::error::{Error, Exit};
use crate::model::keys::{ENVIRONMENTS, KEYS, keys_of};
use crate::output::{self, columns_of_stdout, is_json, results};
use crate::table::Table;
use crate::words::cell;

/// The arguments of `config`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "No password and no URL is shown. What db/migrator.toml sets to the default is called the default.\n\n\
                  Example: migrator config --json"
)]
pub(crate) struct Args {}

/// One setting.
struct Setting {
    name: String,
    /// `None`: nothing is set, which is the default.
    value: Option<String>,
    source: String,
}

const DEFAULT: &str = "default";

/// Collects and prints.
///
/// # Errors
/// None: a connection that cannot be understood is shown as such.
pub(crate) fn run(program: &Program, context: &Context) -> Result<Exit, Error> {
    let matches = (program.grammar)().try_get_matches_from(&program.line).ok();
    let url_source = match matches.as_ref().and_then(|matches| matches.value_source("database_url")) {
        Some(ValueSource::CommandLine) => "--database-url",
        _ => "DATABASE_URL",
    };
    let sections = [
        ("connection", connection(context, url_source)),
        ("options", options(&(program.grammar)(), matches.as_ref())),
        ("settings", settings(&context.migrator.embedded.settings)),
    ];
    if is_json() {
        output::json(&sections.iter().map(|(name, all)| ((*name).to_owned(), value(all))).collect::<Value>());
        return Ok(Exit::Done);
    }
    let mut rows = vec![["NAME", "VALUE", "FROM"].map(str::to_owned).to_vec()];
    for setting in sections.iter().flat_map(|(_, all)| all) {
        let shown = setting.value.as_deref().unwrap_or("-");
        rows.push([&*setting.name, shown, &setting.source].map(cell).to_vec());
    }
    let mut table = Table { flexible: &[1, 2, 0], ..Table::default() };
    results(&table.lines(&rows, columns_of_stdout()).join("\n"));
    Ok(Exit::Done)
}

fn value(settings: &[Setting]) -> Value {
    settings.iter().map(|of| json!({ "name": of.name, "value": of.value, "from": of.source })).collect()
}

/// Where it would connect, and which source has said what.
fn connection(context: &Context, url_source: &str) -> Vec<Setting> {
    let environment = Environment::of_process();
    let url = context.database_url.as_deref();
    let target = match context.target() {
        Ok(target) => target.to_string(),
        Err(error) => format!("invalid: {error}"),
    };
    let source = if url.is_some() { url_source } else { "libpq's variables" };
    let mut all = vec![Setting { name: "connection".to_owned(), value: Some(target), source: source.to_owned() }];
    all.extend(sources(url, url_source, &environment).into_iter().map(|(name, value, source)| Setting {
        name: format!("connection.{name}"),
        value: Some(value),
        source,
    }));
    all
}

/// The options that can also be set by a variable.
fn options(command: &clap::Command, matches: Option<&ArgMatches>) -> Vec<Setting> {
    let mut all: Vec<Setting> = Vec::new();
    let global = command.get_arguments().map(|argument| (argument, matches));
    let below = command.get_subcommands().flat_map(clap::Command::get_arguments).map(|argument| (argument, None));
    for (argument, matches) in global.chain(below) {
        // A URL is a part of the connection.
        let Some(variable) = argument.get_env().and_then(|name| name.to_str()) else { continue };
        if argument.is_hide_env_values_set() || all.iter().any(|known| known.source_of(variable)) {
            continue;
        }
        all.push(option(argument, variable, matches));
    }
    let environment = std::env::var("MIGRATOR_ENV").ok();
    let source = if environment.is_some() { "MIGRATOR_ENV" } else { DEFAULT };
    all.push(Setting { name: "MIGRATOR_ENV".to_owned(), value: environment, source: source.to_owned() });
    all
}

impl Setting {
    fn source_of(&self, variable: &str) -> bool {
        self.name.ends_with(&format!(" ({variable})"))
    }
}

fn option(argument: &Arg, variable: &str, matches: Option<&ArgMatches>) -> Setting {
    let long = format!("--{}", argument.get_long().unwrap_or_default());
    let name = format!("{long} ({variable})");
    let id = argument.get_id().as_str();
    if matches.is_some_and(|matches| matches.value_source(id) == Some(ValueSource::CommandLine)) {
        return Setting { name, value: Some("true".to_owned()), source: long };
    }
    match std::env::var(variable).ok() {
        Some(value) => Setting { name, value: Some(value), source: variable.to_owned() },
        None => {
            let value = argument.get_default_values().first().map(|value| value.to_string_lossy().into_owned());
            Setting { name, value, source: DEFAULT.to_owned() }
        }
    }
}

/// What db/migrator.toml says, as it is compiled in.
fn settings(settings: &Settings) -> Vec<Setting> {
    let defaults = Settings::new();
    let source = |is_default| if is_default { DEFAULT } else { "db/migrator.toml" }.to_owned();
    let plain = KEYS.iter().filter(|key| key.section != ENVIRONMENTS).map(|key| {
        let (value, default) = (settings.value(key.section, key.name), defaults.value(key.section, key.name));
        Setting { name: format!("{}.{}", key.section, key.name), source: source(value == default), value }
    });
    let of_environments = settings.environments.iter().flat_map(|environment| {
        let default = crate::model::Environment::new("".into());
        keys_of(ENVIRONMENTS).into_iter().map(move |name| {
            let (value, default) = (environment.value(name), default.value(name));
            let full = format!("{ENVIRONMENTS}.{}.{name}", environment.name);
            Setting { name: full, source: source(value == default), value }
        })
    });
    plain.chain(of_environments).collect()
}
