//! `.env` files, which only the developer's side reads.

use std::collections::BTreeMap;
use std::path::Path;
use std::{env, fs, io};

use anyhow::{Context, Result, bail};

/// Variables from `.env` and, with `--env NAME`, from `.env.NAME`, which wins over the former. The process's own
/// environment wins over both, and is not part of this.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Environment(BTreeMap<String, String>);

impl Environment {
    /// Reads the files of a workspace.
    ///
    /// # Errors
    /// A file cannot be read or understood, or `.env.NAME` was asked for and is missing.
    pub(crate) fn read(root: &Path, name: Option<&str>) -> Result<Environment> {
        let mut all = BTreeMap::new();
        let named = name.map(|name| format!(".env.{name}"));
        for file in [Some(".env"), named.as_deref()].into_iter().flatten() {
            match fs::read_to_string(root.join(file)) {
                Ok(text) => all.extend(parse(file, &text)?),
                Err(error) if error.kind() == io::ErrorKind::NotFound && file == ".env" => {}
                Err(error) => return Err(error).with_context(|| format!("failed to read `{file}`")),
            }
        }
        Ok(Environment(all))
    }

    /// The value that counts: the process's own, else the files'; an empty one is none.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        env::var(name).ok().or_else(|| self.0.get(name).cloned()).filter(|value| !value.is_empty())
    }

    /// What the files add to a child's environment; an empty value adds nothing.
    pub(crate) fn additions(&self) -> impl Iterator<Item = (&str, &str)> {
        let added = self.0.iter().filter(|(name, value)| env::var_os(name).is_none() && !value.is_empty());
        added.map(|(name, value)| (&**name, &**value))
    }
}

/// `NAME=value` lines: `export` in front, comments, single quotes (literal), double quotes (`\n`, `\"`, `\\`, `\$`).
///
/// Nothing is expanded: a `$` in a password stays a `$`. Messages name the line, never its text, which may be a secret.
fn parse(file: &str, text: &str) -> Result<Vec<(String, String)>> {
    let mut variables = Vec::new();
    for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").unwrap_or(line);
        let parsed = line.split_once('=').and_then(|(name, value)| {
            let name = name.trim();
            let is_name = !name.is_empty()
                && !name.starts_with(|c: char| c.is_ascii_digit())
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            Some((is_name.then_some(name)?.to_owned(), value_of(value.trim())?))
        });
        match parsed {
            Some(variable) => variables.push(variable),
            None => bail!(
                "`{file}`:{} is not `NAME=value`\nhelp: quote a value with spaces or `#`: NAME='value', on one line",
                index + 1
            ),
        }
    }
    Ok(variables)
}

fn value_of(text: &str) -> Option<String> {
    let only_comment = |rest: &str| rest.trim().is_empty() || rest.trim_start().starts_with('#');
    if let Some(literal) = text.strip_prefix('\'') {
        let (value, rest) = literal.split_once('\'')?;
        return only_comment(rest).then(|| value.to_owned());
    }
    if let Some(quoted) = text.strip_prefix('"') {
        let mut value = String::new();
        let mut characters = quoted.chars();
        loop {
            match characters.next()? {
                '"' => return only_comment(characters.as_str()).then_some(value),
                '\\' => match characters.next()? {
                    'n' => value.push('\n'),
                    escaped @ ('"' | '\\' | '$') => value.push(escaped),
                    other => value.extend(['\\', other]),
                },
                character => value.push(character),
            }
        }
    }
    // `#` begins a comment only after a space: it is a usual character in a URL's password.
    let value = text.split_once(" #").map_or(text, |(value, _)| value).trim_end();
    let value = if value.starts_with('#') { "" } else { value };
    (!value.contains(char::is_whitespace)).then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: Option<&str>) {
        let parsed = parse(".env", &format!("# comment\n\n{line}\n")).ok().map(|mut all| all.remove(0).1);
        assert_eq!(parsed.as_deref(), expected, "{line}");
    }

    #[test]
    fn reads_values_as_shells_and_other_dotenv_readers_do() {
        check("A=b", Some("b"));
        check("  export A = b  # why", Some("b"));
        check("A=", Some(""));
        check("A= # nothing", Some(""));
        check("A=postgresql://u:p#1$x@h/db?a=b", Some("postgresql://u:p#1$x@h/db?a=b"));
        check("A='b c # $d'", Some("b c # $d"));
        check(r#"A="b \"c\"\n\\ \$d" # why"#, Some("b \"c\"\n\\ $d"));
        check("A='b'#c", Some("b"));
    }

    #[test]
    fn refuses_what_readers_disagree_about() {
        check("A", None);
        check("A=b c", None);
        check("A='b", None);
        check("A=\"b\" c", None);
        check("1A=b", None);
        check("A B=c", None);
    }

    #[test]
    fn an_error_names_the_line_but_not_its_text() {
        let message = parse(".env", "A=1\nsecret word\n").unwrap_err().to_string();
        assert!(message.starts_with("`.env`:2 is not `NAME=value`"), "{message}");
        assert!(!message.contains("secret"), "{message}");
    }

    #[test]
    fn the_named_file_wins_and_must_exist() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Environment::read(folder.path(), None).unwrap(), Environment::default());
        fs::write(folder.path().join(".env"), "XTASK_A=1\nXTASK_B=1\n").unwrap();
        fs::write(folder.path().join(".env.test"), "XTASK_B=2\nXTASK_C=\n").unwrap();
        let environment = Environment::read(folder.path(), Some("test")).unwrap();
        assert_eq!(environment.get("XTASK_A").as_deref(), Some("1"));
        assert_eq!(environment.get("XTASK_B").as_deref(), Some("2"));
        assert_eq!(environment.get("XTASK_C"), None, "an empty value is none");
        let message = format!("{:#}", Environment::read(folder.path(), Some("tset")).unwrap_err());
        assert!(message.starts_with("failed to read `.env.tset`"), "{message}");
    }
}
