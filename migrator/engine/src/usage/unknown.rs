//! A command that a program does not have, and the one that was meant. Pure.

use std::ffi::OsString;

use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::printed::shown;

/// Names that other tools give to a command, and what to type instead, as a sentence; COMMAND in it stands for the name.
pub type Elsewhere = (&'static [&'static str], &'static str);

/// A command that a program does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unknown {
    /// The commands that stand before it.
    pub below: Vec<String>,
    /// The word that names none.
    pub word: String,
    alike: Vec<String>,
}

impl Unknown {
    /// Reads it from what clap says of a command line; `None`: the line has another mistake, or none.
    pub fn read(error: &clap::Error, command: &Command, line: &[OsString]) -> Option<Unknown> {
        let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) else { return None };
        if error.kind() != ErrorKind::InvalidSubcommand {
            return None;
        }
        let (mut below, mut command) = (Vec::new(), command);
        for given in line.iter().skip(1).filter_map(|given| given.to_str()).take_while(|given| given != word) {
            if let Some(found) = command.find_subcommand(given) {
                below.push(found.get_name().to_owned());
                command = found;
            }
        }
        let suggested = match error.get(ContextKind::SuggestedSubcommand) {
            Some(ContextValue::Strings(names)) => names.clone(),
            Some(ContextValue::String(name)) => vec![name.clone()],
            _ => Vec::new(),
        };
        let distance = |name: &str| strsim::damerau_levenshtein(name, &word.to_lowercase());
        let nearest = suggested.iter().map(|name| distance(name)).min().unwrap_or(0);
        let is_alike = |name: &String| distance(name) == nearest && nearest <= word.chars().count().div_ceil(3);
        let alike = suggested.into_iter().filter(is_alike).collect();
        Some(Unknown { below, word: word.clone(), alike })
    }

    /// What is wrong, fit to be printed.
    pub fn message(&self) -> String {
        let words: Vec<String> = self.below.iter().cloned().chain([shown(&self.word)]).collect();
        format!("unrecognized command `{}`", words.join(" "))
    }

    /// The way out: what other tools call so, what is spelled alike, or the list of all commands.
    pub fn help(&self, program: &str, elsewhere: &[Elsewhere]) -> String {
        let word = self.word.to_lowercase();
        let found = elsewhere.iter().find(|(names, _)| self.below.is_empty() && names.contains(&&*word));
        if let Some((_, help)) = found {
            return help.replace("COMMAND", &word);
        }
        let program: Vec<&str> = std::iter::once(program).chain(self.below.iter().map(String::as_str)).collect();
        let program = program.join(" ");
        let alike: Vec<String> = self.alike.iter().map(|name| format!("`{program} {name}`")).collect();
        match alike.is_empty() {
            true => format!("`{program} --help` lists the commands"),
            false => format!("did you mean {}?", alike.join(" or ")),
        }
    }
}
