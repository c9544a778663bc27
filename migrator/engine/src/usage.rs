//! Errors about an invalid command line: printable, without a password, and with the command that was meant.

mod elsewhere;
mod printed;
mod unknown;

use std::ffi::{OsStr, OsString};

use clap::builder::{Resettable, StyledStr};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{ArgMatches, Command, CommandFactory as _, FromArgMatches as _, Parser};

use crate::cli::Cli;
use crate::command::print_help;
use crate::error::{Error, Exit};
use crate::operation::PlanOptions;
use crate::output;
use elsewhere::ELSEWHERE;
pub use printed::make_printable;
pub use unknown::{Elsewhere, Unknown};

/// Reads a command line, that of the migrator or of a program beside it.
///
/// # Errors
/// The exit code, once what is to be said is printed.
pub fn parse<P: Parser>(arguments: impl IntoIterator<Item = OsString>) -> Result<P, Exit> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let mut command = P::command();
    if asks_for_json(&arguments) {
        output::speak_json(named(&command, &arguments).as_deref());
    }
    let matches = command.try_get_matches_from_mut(&arguments);
    let empty = match &matches {
        Ok(matches) => empty_variable(&command, matches),
        Err(error) => variable_of(&command, error).filter(|name| is_empty(name)),
    };
    if let Some(variable) = empty {
        let variable = variable.to_string_lossy();
        let error = Error::usage(format!("the environment variable `{variable}` is empty"))
            .help("set it to a value, or unset it");
        output::fail(&error, output::Color::default(), Exit::Usage as u8);
        return Err(Exit::Usage);
    }
    matches.and_then(|matches| P::from_arg_matches(&matches)).map_err(|mut error| {
        if let Some(variable) = variable_of(&command, &error) {
            tip(&mut error, format!("the value comes from the environment variable `{}`", variable.to_string_lossy()));
        }
        // clap shows an option from the environment in the usage as if it were required.
        let again = without_environment(P::command()).try_get_matches_from(&arguments).err();
        report(again.filter(|again| again.kind() == error.kind()).unwrap_or(error), &command, &arguments)
    })
}

/// Whether a command line, also an invalid one, asks for JSON.
pub fn asks_for_json(arguments: &[OsString]) -> bool {
    let options = arguments.iter().take_while(|word| *word != "--");
    options.filter_map(|word| word.to_str()).any(|word| word == "--json" || word.starts_with("--json="))
}

/// The command that a command line names, also an invalid one.
pub fn named(command: &Command, arguments: &[OsString]) -> Option<String> {
    let words = arguments.iter().skip(1).filter_map(|word| word.to_str());
    words.filter_map(|word| command.find_subcommand(word)).map(|command| command.get_name().to_owned()).next()
}

/// The migrator's command line, as clap has it.
pub fn grammar() -> Command {
    Cli::command()
}

/// True if the migrator has a command of this name.
pub fn is_command(name: &str) -> bool {
    Cli::command().find_subcommand(name).is_some()
}

/// Answers a command line, without the program's name, that needs no migrator: it asks for help, or it is invalid whatever the
/// environment holds. `None`: it needs one.
pub fn answer(arguments: impl IntoIterator<Item = OsString>) -> Option<Exit> {
    let line: Vec<OsString> = std::iter::once(OsString::from("migrator")).chain(arguments).collect();
    let matches = match without_environment(Cli::command()).try_get_matches_from(&line) {
        // The migrator knows its own release.
        Err(error) if error.kind() == ErrorKind::DisplayVersion => return None,
        Err(error) => {
            // The help names the variables.
            let with_variables = Cli::command().try_get_matches_from(&line).err();
            let error = with_variables.filter(|other| other.kind() == error.kind()).unwrap_or(error);
            return Some(report(error, &Cli::command(), &line));
        }
        Ok(matches) => matches,
    };
    let (_, help) = matches.subcommand().filter(|(name, _)| *name == "help")?;
    let topic: Vec<String> = help.get_many("topic").into_iter().flatten().cloned().collect();
    let color = matches.get_one("color").copied().unwrap_or_default();
    Some(print_help(Cli::command(), &topic, color).unwrap_or_else(|error| {
        output::fail(&error, color, error.exit() as u8);
        error.exit()
    }))
}

/// What a command line asks for, for programs that start the migrator.
#[non_exhaustive]
pub struct Request {
    /// It connects to a database.
    pub connects: bool,
    /// The URL that it gives itself. It may hold a password.
    pub database_url: Option<String>,
    /// What it plans to apply, if anything.
    pub plans: Option<PlanOptions>,
    /// It also applies that.
    pub applies: bool,
}

impl Request {
    /// Reads a command line without the program's name. `None`: it asks for help, or it is invalid, and the migrator says so.
    pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Option<Request> {
        let arguments = std::iter::once(OsString::from("migrator")).chain(arguments);
        let matches = without_environment(Cli::command()).try_get_matches_from(arguments).ok()?;
        if matches.subcommand_name() == Some("help") {
            return None;
        }
        let Cli { global, command } = Cli::from_arg_matches(&matches).ok()?;
        let (connects, plans, applies) = (command.connects(), command.plans(), command.applies());
        Some(Request { connects, database_url: global.database_url, plans, applies })
    }
}

/// The same command line with nothing read from the environment.
fn without_environment(command: Command) -> Command {
    command.mut_args(|argument| argument.env(Resettable::Reset)).mut_subcommands(without_environment)
}

/// Whether a variable is set and holds nothing.
fn is_empty(variable: &OsStr) -> bool {
    std::env::var_os(variable).is_some_and(|value| value.is_empty())
}

/// An empty variable that an option of the command would be read from: that is a mistake in the environment,
/// not a setting.
fn empty_variable(command: &Command, matches: &ArgMatches) -> Option<OsString> {
    // The commands that need a URL report a missing one.
    let url = OsStr::new("DATABASE_URL");
    let is_given = |id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
    let mut open = command.get_arguments().filter(|argument| !is_given(argument.get_id().as_str()));
    let found = open.find_map(|argument| argument.get_env().filter(|name| *name != url && is_empty(name)));
    let of_subcommand = || {
        let (name, matches) = matches.subcommand()?;
        empty_variable(command.find_subcommand(name)?, matches)
    };
    let environment = || Some(OsString::from("MIGRATOR_ENV")).filter(|name| is_empty(name));
    found.map(OsStr::to_owned).or_else(of_subcommand).or_else(environment)
}

/// The variable that holds the value that clap refuses: that of the option that it names.
fn variable_of(command: &Command, error: &clap::Error) -> Option<OsString> {
    let Some(ContextValue::String(argument)) = error.get(ContextKind::InvalidArg) else { return None };
    let long = argument.strip_prefix("--")?.split([' ', '=']).next()?;
    let mut arguments = command.get_arguments().chain(command.get_subcommands().flat_map(Command::get_arguments));
    let variable = arguments.find(|argument| argument.get_long() == Some(long))?.get_env()?;
    let given = std::env::args_os().any(|given| given.to_string_lossy().starts_with(&format!("--{long}")));
    (!given && std::env::var_os(variable).is_some()).then(|| variable.to_owned())
}

/// Adds a line below the error.
fn tip(error: &mut clap::Error, text: String) {
    error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![StyledStr::from(text)]));
}

/// Prints help, version or the error about a line, and returns the exit code.
fn report(mut error: clap::Error, command: &Command, line: &[OsString]) -> Exit {
    if let Some(unknown) = Unknown::read(&error, command, line) {
        let error = Error::usage(unknown.message()).help(unknown.help(command.get_name(), ELSEWHERE));
        output::fail(&error, output::Color::default(), Exit::Usage as u8);
        return Exit::Usage;
    }
    make_printable(&mut error);
    match (output::usage(&error), error.use_stderr()) {
        (_, true) => Exit::Usage,
        (true, false) => Exit::Done,
        (false, false) => Exit::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(arguments: &[&str]) -> String {
        let line: Vec<OsString> =
            std::iter::once("migrator").chain(arguments.iter().copied()).map(Into::into).collect();
        let mut error = Cli::command().try_get_matches_from(&line).unwrap_err();
        if let Some(unknown) = Unknown::read(&error, &Cli::command(), &line) {
            return format!("error: {}\nhelp: {}", unknown.message(), unknown.help("migrator", ELSEWHERE));
        }
        make_printable(&mut error);
        error.render().to_string()
    }

    #[test]
    fn an_unknown_command_leads_to_the_one_that_does_it() {
        for (names, help) in ELSEWHERE {
            for name in *names {
                assert!(!is_command(name), "`{name}` is a command");
                let help = help.replace("COMMAND", name);
                assert_eq!(said(&[name]), format!("error: unrecognized command `{name}`\nhelp: {help}"));
                let upper = name.to_uppercase();
                assert_eq!(said(&[&upper]), format!("error: unrecognized command `{upper}`\nhelp: {help}"));
            }
            let ours = help.split('`').skip(1).step_by(2).filter_map(|command| command.strip_prefix("migrator "));
            ours.for_each(|line| assert!(is_command(line.split(' ').next().unwrap()), "{help}"));
        }
        let names: Vec<&str> = ELSEWHERE.iter().flat_map(|(names, _)| *names).copied().collect();
        assert!(names.iter().enumerate().all(|(at, name)| !names[..at].contains(name)), "{names:?}");
    }

    #[test]
    fn what_is_spelled_alike_is_asked_for_and_all_commands_are_where_nothing_is() {
        let statu = "error: unrecognized command `statu`\nhelp: did you mean `migrator stats` or `migrator status`?";
        assert_eq!(said(&["statu"]), statu);
        assert_eq!(said(&["--quiet", "statu"]), statu);
        let all = "error: unrecognized command `xyzzy`\nhelp: `migrator --help` lists the commands";
        assert_eq!(said(&["xyzzy"]), all);
    }

    #[test]
    fn what_a_command_line_asks_for_is_read_without_the_environment() {
        let read = |line: &str| Request::read(line.split(' ').map(OsString::from));
        let up = read("--color never up --to 3 --database-url postgresql://x").unwrap();
        assert_eq!((up.connects, up.database_url.as_deref()), (true, Some("postgresql://x")));
        assert_eq!((up.plans.unwrap().to, up.applies), (Some(3), true));
        for (line, connects, plans) in [
            ("status", true, false),
            ("up --dry-run", true, true),
            ("list", false, false),
            ("version --json", false, false),
        ] {
            let request = read(line).unwrap();
            assert_eq!(
                (request.connects, request.plans.is_some(), request.applies),
                (connects, plans, false),
                "{line}"
            );
        }
        for line in ["up --help", "help up", "--version", "upp", "up --nonesuch"] {
            assert!(read(line).is_none(), "{line}");
        }
    }

    #[test]
    fn a_url_in_the_wrong_place_is_not_repeated() {
        let url = "postgresql://deploy:canary-7f3a9@db/crm";
        let pair = format!("--databse-url={url}");
        let keywords = "host=db password=canary-7f3a9";
        let wrong: [&[&str]; 7] = [
            &[url],
            &["up", url],
            &["show", url],
            &["up", "--to", url],
            &["up", &pair],
            &["--color", url, "up"],
            &["up", keywords],
        ];
        for arguments in wrong {
            let said = said(arguments);
            assert!(said.starts_with("error: ") && !said.contains("canary"), "{said}");
        }
    }

    #[test]
    fn what_a_terminal_would_obey_is_escaped() {
        for arguments in [&["up\u{1b}[2J"][..], &["up", "--to", "1\u{1b}[2J\nerror: forged"], &["up", "\u{9b}x"]] {
            let said = said(arguments);
            assert!(
                !said.contains(|c: char| c.is_control() && c != '\n') && !said.contains("\nerror: forged"),
                "{said:?}"
            );
        }
    }
}
