//! The user of the operating system that a server runs as, and processes under that user.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, lchown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::io::Errno;

use crate::error::{Context, Error, Result};

/// Another user than the one that runs us; only root needs one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServerUser {
    pub(crate) name: String,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl ServerUser {
    /// `None` for a plain user, who runs servers under the own name.
    ///
    /// # Errors
    /// `PG_OS_USER` names root or an unknown user; or root finds no user at all to run a server as.
    pub(crate) fn choose() -> Result<Option<ServerUser>> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        if let Some(name) = env::var("PG_OS_USER").ok().filter(|name| !name.is_empty()) {
            return look_up(&name).map(Some).ok_or(Error::UnknownUser { name });
        }
        let invoking = env::var("SUDO_UID").ok();
        let found = invoking.as_deref().into_iter().chain(["postgres", "nobody"]).find_map(look_up);
        found.map(Some).ok_or(Error::NoUser)
    }
}

/// `id` instead of /etc/passwd, because users can come from a directory service; it also tells whether there is an
/// entry at all, without which initdb fails.
fn look_up(name: &str) -> Option<ServerUser> {
    let ask = |option: &str| {
        let output = Command::new("id").args([option, name]).stderr(Stdio::null()).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let uid = ask("-u")?.parse().ok().filter(|uid| *uid != 0)?;
    Some(ServerUser { name: ask("-un")?, uid, gid: ask("-g")?.parse().ok()? })
}

/// What another user's process may see of our environment: the rest may hold passwords, such as `DATABASE_URL`, and every
/// process of that user can read it.
const PASSED_ON: [&str; 5] = ["PATH", "LD_LIBRARY_PATH", "LOCALE_ARCHIVE", "TZ", "TZDIR"];

/// A command that runs as `user`, in a directory that everyone can enter, without our `PG*` variables (they would
/// reconfigure the server) and with English messages (some of them are looked at).
pub(crate) fn command(program: impl AsRef<OsStr>, user: Option<&ServerUser>) -> Command {
    let mut command = Command::new(program);
    match user {
        None => remove_postgres_variables(&mut command),
        Some(user) => {
            command.uid(user.uid).gid(user.gid).env_clear();
            command.envs(PASSED_ON.iter().filter_map(|name| Some((name, env::var_os(name)?))));
        }
    }
    command.current_dir("/").env("LC_ALL", "C");
    command
}

/// Whose files the server's are.
pub(crate) fn owner(user: Option<&ServerUser>) -> u32 {
    user.map_or_else(|| rustix::process::geteuid().as_raw(), |user| user.uid)
}

/// Takes every variable that libpq or the server reads (`PGHOST`, `PGPASSWORD`, ...) out of a child's environment, so that the
/// child uses the server that it is told of.
pub fn remove_postgres_variables(command: &mut Command) {
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("PG")) {
            command.env_remove(name);
        }
    }
}

/// Says what failed when a process could not be started as `user`.
pub(crate) fn spawn_error(error: io::Error, program: &Path, user: Option<&ServerUser>) -> Error {
    match user {
        Some(user) if error.raw_os_error() == Some(Errno::PERM.raw_os_error()) => {
            without_capability(user, "CAP_SETUID")
        }
        _ => Error::Io { action: format!("failed to start `{}`", program.display()), source: error },
    }
}

/// Hands a file or directory to the user that the server runs as. It lies in a directory of ours.
pub(crate) fn give(path: &Path, user: Option<&ServerUser>) -> Result<()> {
    user.map_or(Ok(()), |user| change_owner(path, Some(user.uid), user))
}

/// Lets the group of the server's user have a directory that stays ours, as far as its mode says.
pub(crate) fn give_to_group(path: &Path, user: &ServerUser) -> Result<()> {
    change_owner(path, None, user)
}

fn change_owner(path: &Path, uid: Option<u32>, user: &ServerUser) -> Result<()> {
    match lchown(path, uid, Some(user.gid)) {
        Err(error) if error.raw_os_error() == Some(Errno::PERM.raw_os_error()) => {
            Err(without_capability(user, "CAP_CHOWN"))
        }
        result => result.with_context(|| format!("failed to give `{}` to the user `{}`", path.display(), user.name)),
    }
}

fn without_capability(user: &ServerUser, capability: &'static str) -> Error {
    Error::NotPermitted { user: user.name.clone(), capability }
}

/// The first directory on the way to `path` that `user` cannot enter.
///
/// Only modes are looked at: a user entered by uid and gid has no further groups.
pub(crate) fn blocked_directory(path: &Path, user: &ServerUser) -> Option<PathBuf> {
    let path = fs::canonicalize(path).ok()?;
    let mut ancestors: Vec<&Path> = path.ancestors().collect();
    ancestors.reverse();
    ancestors.into_iter().find(|directory| !may_enter(directory, user)).map(Path::to_owned)
}

fn may_enter(directory: &Path, user: &ServerUser) -> bool {
    let Ok(metadata) = fs::metadata(directory) else { return false };
    let bit = match () {
        () if metadata.uid() == user.uid => 0o100,
        () if metadata.gid() == user.gid => 0o010,
        () => 0o001,
    };
    !metadata.is_dir() || metadata.mode() & bit != 0
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn finds_the_first_directory_that_another_user_cannot_enter() {
        let folder = tempfile::tempdir().unwrap();
        let private = folder.path().join("private");
        let inside = private.join("inside");
        fs::create_dir_all(&inside).unwrap();
        let open = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        open(folder.path(), 0o755);
        open(&inside, 0o755);
        let stranger = ServerUser { name: "stranger".into(), uid: 54_321, gid: 54_321 };

        open(&private, 0o711);
        assert_eq!(blocked_directory(&inside, &stranger), None);
        open(&private, 0o700);
        assert_eq!(blocked_directory(&inside, &stranger), fs::canonicalize(&private).ok());
        let owner = ServerUser { uid: fs::metadata(&private).unwrap().uid(), ..stranger };
        assert_eq!(blocked_directory(&inside, &owner), None);
    }
}
