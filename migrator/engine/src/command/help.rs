//! `help`: of a command, of a problem's code, of a hazard.

use super::context::Program;
use crate::error::{Error, Exit};
use crate::output::{Color, columns_of_stdout, is_json, json, painted, rendered, results};
use crate::reference;
use crate::table::wrap;

/// The arguments of `help`.
#[derive(Debug, clap::Args)]
#[command(
    disable_help_flag = true,
    after_help = "Example: migrator help up\nExample: migrator help M012\nExample: migrator help ban-drop-column"
)]
pub(crate) struct Args {
    /// A command, the code of a problem, or the name of a hazard.
    #[arg(value_name = "COMMAND|CODE")]
    pub topic: Vec<String>,
}

/// Prints it.
///
/// # Errors
/// There is nothing of that name.
pub(crate) fn run(program: &Program, args: &Args) -> Result<Exit, Error> {
    print((program.grammar)(), &args.topic, program.terminal.color())
}

/// Prints the help of one of the commands, or what is known of a code.
///
/// # Errors
/// There is nothing of that name.
pub(crate) fn print(commands: clap::Command, topic: &[String], color: Color) -> Result<Exit, Error> {
    if let Some(help) = reference::help(commands, topic) {
        if is_json() {
            json(&serde_json::json!({ "help": help.to_string() }));
            return Ok(Exit::Done);
        }
        rendered(painted(&help, color.on_stdout()).trim_end());
        return Ok(Exit::Done);
    }
    if let [name] = topic
        && let Some(text) = reference::code(name)
    {
        if is_json() {
            json(&serde_json::json!({ "help": text }));
            return Ok(Exit::Done);
        }
        let terminal = columns_of_stdout();
        // What is indented is SQL, which must stay as it is.
        let fitted = |line: &str| if line.starts_with("    ") { line.to_owned() } else { wrap(line, terminal, "") };
        results(&text.lines().map(fitted).collect::<Vec<_>>().join("\n"));
        return Ok(Exit::Done);
    }
    Err(Error::usage(format!("there is no command and no code `{}`", topic.join(" ")))
        .help("`migrator help` lists the commands; db/README.md lists the codes and the hazards"))
}
