//! Errors about an invalid command line: printable, without a password, and with the command that was meant.

use std::ffi::{OsStr, OsString};

use clap::builder::{Resettable, StyledStr};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{ArgMatches, Command, CommandFactory as _, FromArgMatches as _, Parser};
use migrator_diagnostic::printable;

use crate::cli::Cli;
use crate::command::print_help;
use crate::error::{Error, Exit};
use crate::operation::PlanOptions;
use crate::output;

/// What other tools call our commands, and what to write instead.
const ELSEWHERE: &[(&[&str], &str)] = &[
    (&["rollback", "revert", "undo", "downgrade"], "run `migrator down` to roll back"),
    (
        &["migrate", "apply", "run", "upgrade", "latest", "deploy", "forward"],
        "run `migrator up` to apply what is pending",
    ),
    (&["info", "state", "current"], "run `migrator status`"),
    (&["log", "events"], "run `migrator history`"),
    (&["settings", "configuration"], "run `migrator config`"),
    (&["completion"], "run `migrator completions SHELL`"),
    (
        &["check", "validate"],
        "run `migrator status --check`; the files are checked by the build and by `cargo xtask check`",
    ),
    (&["diff"], "run `migrator drift` to compare the live schema with the compiled one"),
    (&["baseline", "fake", "mark"], "run `migrator stamp` to record migrations as applied without running them"),
    (
        &["repair", "fix", "force"],
        "run `migrator status` to see what is wrong; `migrator resolve` settles a statement in doubt",
    ),
    (&["new", "add", "generate", "make", "init"], "run `cargo xtask new NAME` to write a new migration"),
    (&["dump", "load"], "run `cargo xtask dump` to write db/schema.sql"),
    (&["fresh", "refresh", "setup"], "run `cargo xtask reset` to start with an empty database, in development"),
    (&["create", "drop", "reset"], "run `cargo xtask migrate COMMAND`, which only developers have"),
    (&["verify"], "run `cargo xtask verify`, which only developers have"),
    (&["env"], "run `migrator environment`"),
    (&["ls"], "run `migrator list`"),
    (&["sql"], "run `migrator plan --sql`, or `migrator show VERSION`"),
    (&["ping", "ready"], "run `migrator wait`"),
];

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
        report(again.filter(|again| again.kind() == error.kind()).unwrap_or(error))
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
            return Some(report(with_variables.filter(|other| other.kind() == error.kind()).unwrap_or(error)));
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

/// Prints help, version or the error, and returns the exit code.
fn report(mut error: clap::Error) -> Exit {
    suggest(&mut error);
    make_printable(&mut error);
    match (output::usage(&error), error.use_stderr()) {
        (_, true) => Exit::Usage,
        (true, false) => Exit::Done,
        (false, false) => Exit::Other,
    }
}

/// Names the command that was meant, instead of one that is only spelled alike.
fn suggest(error: &mut clap::Error) {
    if error.kind() != ErrorKind::InvalidSubcommand {
        return;
    }
    let Some(ContextValue::String(given)) = error.get(ContextKind::InvalidSubcommand) else { return };
    let given = given.to_lowercase();
    let known =
        ELSEWHERE.iter().find(|(names, _)| names.contains(&&*given)).map(|(_, tip)| (*tip).replace("COMMAND", &given));
    if let Some(tip) = known {
        error.remove(ContextKind::SuggestedSubcommand);
        self::tip(error, tip);
    } else if let Some(ContextValue::Strings(suggested)) = error.remove(ContextKind::SuggestedSubcommand) {
        let alike = |name: &String| strsim::damerau_levenshtein(name, &given) <= given.chars().count().div_ceil(3);
        let alike: Vec<String> = suggested.into_iter().filter(alike).collect();
        if !alike.is_empty() {
            error.insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(alike));
        }
    }
}

/// Makes what clap says of a command line fit to be printed: nothing in it commands a terminal, and a word that may be a URL or hold a
/// password is not repeated.
pub fn make_printable(error: &mut clap::Error) {
    let changed: Vec<(ContextKind, ContextValue)> = error
        .context()
        .filter_map(|(kind, value)| match value {
            ContextValue::String(text) => Some((kind, ContextValue::String(shown(text)))),
            ContextValue::Strings(texts) => {
                Some((kind, ContextValue::Strings(texts.iter().map(|text| shown(text)).collect())))
            }
            _ => None,
        })
        .collect();
    for (kind, value) in changed {
        error.insert(kind, value);
    }
}

/// A word that may be a URL or hold a password is not repeated.
fn shown(word: &str) -> String {
    let lower = word.to_lowercase();
    // Options are named with their placeholders, `--database-url <URL>`: only given values can contain these.
    if lower.contains("://") || lower.contains("password") || lower.contains('@') {
        return "...".to_owned();
    }
    printable::line(word).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(arguments: &[&str]) -> String {
        let arguments = std::iter::once("migrator").chain(arguments.iter().copied());
        let mut error = Cli::command().try_get_matches_from(arguments).unwrap_err();
        suggest(&mut error);
        make_printable(&mut error);
        error.render().to_string()
    }

    #[test]
    fn an_unknown_command_leads_to_the_one_that_does_it() {
        for (names, _) in ELSEWHERE {
            for name in *names {
                if Cli::command().find_subcommand(name).is_none() {
                    assert!(said(&[name]).contains("tip: "), "{name}");
                    assert!(!said(&[name]).contains("similar"), "{name}");
                }
            }
        }
        assert!(said(&["stauts"]).contains("'status'"));
        assert!(!said(&["xyzzy"]).contains("tip:"), "{}", said(&["xyzzy"]));
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
