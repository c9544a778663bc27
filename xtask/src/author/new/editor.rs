//! The editor that a new file is opened in.

use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::output::Usage;
use crate::workspace::shown;

/// A command line for a shell, to which the file is added.
#[derive(Debug)]
pub(super) struct Editor(OsString);

/// `$VISUAL`, else `$EDITOR`.
///
/// # Errors
/// Neither is set.
pub(super) fn of_user() -> Result<Editor> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty());
    let line = set("VISUAL").or_else(|| set("EDITOR"));
    let missing = || Usage("`--edit` needs an editor\nhelp: set VISUAL or EDITOR, such as `VISUAL=vim`".to_owned());
    Ok(Editor(line.ok_or_else(missing)?))
}

impl Editor {
    /// Opens the file and waits for the editor to end.
    ///
    /// # Errors
    /// It cannot be started, or ends with an error.
    pub(super) fn open(&self, path: &Path) -> Result<()> {
        let Editor(line) = self;
        let mut script = line.clone();
        // As git does it: the variable may hold arguments, and quotes around a path.
        script.push(" \"$@\"");
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(script).arg("sh").arg(path);
        let line = line.to_string_lossy();
        let status = shell.status().with_context(|| format!("failed to run the editor `{line}`"))?;
        if !status.success() {
            bail!("the editor `{line}` failed ({status})\nhelp: the new file stays: `{}`", shown(path).display());
        }
        Ok(())
    }
}
