//! The user of the operating system that a server runs as, and processes under that user.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, lchown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, anyhow, bail};
use rustix::io::Errno;

/// Another user than the one that runs us; only root needs one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ServerUser {
    pub(super) name: String,
    pub(super) uid: u32,
    pub(super) gid: u32,
}

impl ServerUser {
    /// `None` for a plain user, who runs servers under the own name.
    ///
    /// # Errors
    /// `PG_OS_USER` names root or nobody known; or root finds no user at all to run a server as.
    pub(super) fn choose() -> Result<Option<ServerUser>> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        if let Some(name) = env::var("PG_OS_USER").ok().filter(|name| !name.is_empty()) {
            return match look_up(&name) {
                Some(user) => Ok(Some(user)),
                None => bail!(
                    "PG_OS_USER=`{name}` is root or no user of this machine\nhelp: name a user that `id {name}` knows"
                ),
            };
        }
        let invoking = env::var("SUDO_UID").ok();
        match invoking.as_deref().into_iter().chain(["postgres", "nobody"]).find_map(look_up) {
            Some(user) => Ok(Some(user)),
            None => bail!(
                "PostgreSQL does not run as root, and there is no user `postgres` or `nobody`\nhelp: create one \
                 (`useradd --system postgres`) or set PG_OS_USER"
            ),
        }
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

/// A command that runs as `user`, in a directory that everybody can enter, without our `PG*` variables (they would
/// reconfigure the server) and with English messages (some of them are looked at).
pub(super) fn command(program: impl AsRef<OsStr>, user: Option<&ServerUser>) -> Command {
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
pub(super) fn owner(user: Option<&ServerUser>) -> u32 {
    user.map_or_else(|| rustix::process::geteuid().as_raw(), |user| user.uid)
}

/// Takes every variable that libpq or the server reads out of a child's environment.
pub(crate) fn remove_postgres_variables(command: &mut Command) {
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("PG")) {
            command.env_remove(name);
        }
    }
}

/// Says what failed when a process could not be started as `user`.
pub(super) fn spawn_error(error: &io::Error, program: &Path, user: Option<&ServerUser>) -> anyhow::Error {
    match user {
        Some(user) if error.raw_os_error() == Some(Errno::PERM.raw_os_error()) => {
            without_capability(user, "CAP_SETUID")
        }
        _ => anyhow!("failed to start `{}`: {error}", program.display()),
    }
}

/// Hands a file or directory to the user that the server runs as. It lies in a directory of ours.
pub(super) fn give(path: &Path, user: Option<&ServerUser>) -> Result<()> {
    user.map_or(Ok(()), |user| change_owner(path, Some(user.uid), user))
}

/// Lets the group of the server's user have a directory that stays ours, as far as its mode says.
pub(super) fn give_to_group(path: &Path, user: &ServerUser) -> Result<()> {
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

fn without_capability(user: &ServerUser, capability: &str) -> anyhow::Error {
    anyhow!(
        "PostgreSQL does not run as root, and this root may not act for the user `{}`: the container lacks \
         {capability}\nhelp: run as a plain user (`docker run --user`), allow the capability, or set DATABASE_URL to \
         a server that runs elsewhere",
        user.name
    )
}

/// The first directory on the way to `path` that `user` cannot enter.
///
/// Only modes are looked at: a user entered by uid and gid has no further groups.
pub(super) fn blocked_directory(path: &Path, user: &ServerUser) -> Option<PathBuf> {
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
