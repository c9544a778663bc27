//! libpq's service files: sections of `key=value` lines.

use std::path::{Path, PathBuf};

use super::environment::Environment;
use super::parameters::{Parameters, quotable};

/// The parameters of a service; the error is a sentence.
pub(super) fn find(name: &str, file: Option<&str>, environment: &Environment) -> Result<Parameters, String> {
    let home = environment.get("HOME").map(|home| Path::new(home).join(".pg_service.conf"));
    let own = file.map(PathBuf::from).or(home.filter(|path| path.exists()));
    let system = environment.get("PGSYSCONFDIR").unwrap_or("/etc/postgresql-common");
    let system = Path::new(system).join("pg_service.conf");
    for path in own.iter().chain(Some(&system).filter(|path| path.exists())) {
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("cannot read the service file `{}`: {error}", path.display()))?;
        let found = section(&text, name);
        if let Some(parameters) =
            found.map_err(|line| format!("`{}`:{line}: not a `key=value` line", path.display()))?
        {
            return Ok(parameters);
        }
    }
    let looked = own.as_ref().map_or_else(|| "~/.pg_service.conf".into(), |path| path.display().to_string());
    Err(format!("the service `{}` is not defined in `{looked}` or `{}`", quotable(name), system.display()))
}

/// The section of that name; the error is the number of a line that cannot be read.
fn section(text: &str, name: &str) -> Result<Option<Parameters>, usize> {
    let mut found: Option<Parameters> = None;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(title) = line.strip_prefix('[') {
            if found.is_some() {
                break;
            }
            if title.strip_suffix(']') == Some(name) {
                found = Some(Parameters::default());
            }
            continue;
        }
        let Some(parameters) = &mut found else { continue };
        match line.split_once('=') {
            // A service within a service does not count.
            Some((key, value)) if key != "service" => parameters.set(key, value.to_owned()),
            _ => return Err(index + 1),
        }
    }
    Ok(found)
}
