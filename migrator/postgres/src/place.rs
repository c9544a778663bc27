//! The directory of a throwaway server, and what removes it.

use std::env;
use std::fs::{self, File};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use crate::error::{Context, Error, Result};
use crate::files;
use crate::files::random_hex;
use crate::user::{ServerUser, blocked_directory, command, give, give_to_group, spawn_error};

/// `sockaddr_un` holds 104 bytes on macOS, 108 on Linux.
const LONGEST_SOCKET: usize = 100;

/// What comes after the server's directory.
const LONGEST_SOCKET_NAME: &str = "/socket/.s.PGSQL.65535";

/// Cleans up, as the server's user, and first ends the server when the process that owns it is gone without a word, however it was
/// killed.
///
/// `read` returns at the end of file, that is when the last holder of the pipe's other end, the owner, has ended. A
/// server without data has nothing to save: it is stopped at once. The number is from a file of the same user.
const WATCHDOG: &str = r#"
read -r word
if [ "$word" != done ]; then
    pid=$(head -n 1 "$1/data/postmaster.pid")
    case $pid in
    '' | *[!0-9]*) ;;
    *)
        kill -QUIT "$pid"
        tries=0
        while kill -0 "$pid" && [ "$tries" -lt 100 ]; do
            sleep 0.1
            tries=$((tries + 1))
        done
        ;;
    esac
fi
for directory in data socket; do cd "$1/$directory" && rm -rf -- * .[!.]* ..?*; done
cd / && rmdir "$1/data" "$1/socket" && rm "$1/log" && rmdir "$1"
"#;

/// What root does after that: the rest is empty, and in a directory of root's.
const AFTERWARDS: &str = r#"
read -r word
cd / && rmdir "$1/data" "$1/socket"
rm "$1/log" && rmdir "$1"
"#;

/// A new name in the first temporary directory that the server's user can enter and that is short enough for a socket.
pub(crate) fn choose_directory(user: Option<&ServerUser>) -> Result<PathBuf> {
    let name = format!("migrator-{}", random_hex(6)?);
    let fits = |parent: &PathBuf| {
        parent.is_dir()
            && parent.as_os_str().len() + 1 + name.len() + LONGEST_SOCKET_NAME.len() < LONGEST_SOCKET
            && files::is_out_of_reach(parent)
            && user.is_none_or(|user| blocked_directory(parent, user).is_none())
    };
    let parents = [env::temp_dir(), PathBuf::from("/tmp"), PathBuf::from("/var/tmp")];
    let Some(parent) = parents.iter().filter_map(|parent| fs::canonicalize(parent).ok()).find(fits) else {
        return Err(Error::NoDirectory { first: env::temp_dir() });
    };
    Ok(parent.join(name))
}

/// Creates the private directory with `data` and `socket` inside, which belong to the server's user, and `log`, which stays ours.
pub(crate) fn fill_directory(directory: &Path, user: Option<&ServerUser>) -> Result<File> {
    for path in [directory, &directory.join("data"), &directory.join("socket")] {
        fs::DirBuilder::new()
            .mode(0o700)
            .create(path)
            .with_context(|| format!("failed to create `{}`", path.display()))?;
    }
    let log = files::open_private(&directory.join("log"))?;
    let Some(user) = user else { return Ok(log) };
    for path in [&directory.join("data"), &directory.join("socket")] {
        give(path, Some(user))?;
    }
    // The way to them leads through ours, by the group, which the server's user has.
    give_to_group(directory, user)?;
    fs::set_permissions(directory, fs::Permissions::from_mode(0o710))
        .with_context(|| format!("failed to open `{}` to the user `{}`", directory.display(), user.name))?;
    Ok(log)
}

/// One that ends the server if need be, and cleans up; then one of root's, where the directory is root's.
pub(crate) fn watch(directory: &Path, user: Option<&ServerUser>) -> Result<Vec<Child>> {
    let shell = |script: &str, user: Option<&ServerUser>, input: Stdio, output: Stdio| {
        let mut shell = command("sh", user);
        shell.args(["-c", script, "watchdog"]).arg(directory);
        // Its own process group: Ctrl-C in the terminal must not end the one that cleans up after us.
        shell.stdin(input).stdout(output).stderr(Stdio::null()).process_group(0);
        shell.spawn().map_err(|error| spawn_error(error, Path::new("sh"), user))
    };
    if user.is_none() {
        return Ok(vec![shell(WATCHDOG, None, Stdio::piped(), Stdio::null())?]);
    }
    let mut first = shell(WATCHDOG, user, Stdio::piped(), Stdio::piped())?;
    // The end of the one is the end of its output, for which the other waits.
    let ended = first.stdout.take().map_or_else(Stdio::null, Stdio::from);
    Ok(vec![first, shell(AFTERWARDS, None, ended, Stdio::null())?])
}
