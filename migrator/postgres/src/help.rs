//! The way out of each error.

use std::io;

use crate::error::{Error, OLDEST_MAJOR};
use crate::pinned;

const FULL: &str = "make room: a fetched server needs 80 MB while it is unpacked; XDG_CACHE_HOME moves it";

impl Error {
    /// The way out, if there is one that can be named.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        const INSTALL: &str = "install the server: `apt install postgresql` (Debian, Ubuntu), `brew install postgresql@17` \
                               (macOS), or set PG_BIN to the directory that holds `initdb` and `postgres`";
        const ARCHIVE: &str = "set MIGRATOR_POSTGRES_ARCHIVE to the archive, a path or URL";
        const URL: &str = "set DATABASE_URL to use a server elsewhere";
        const DESTROY: &str = "start afresh with `cargo xtask db destroy`";
        Some(match self {
            Error::ProgramsOutOfReach { .. } | Error::ProgramsMissing { .. } => INSTALL.to_owned(),
            Error::NothingToFetch { major: None } => format!("{INSTALL}; or {URL}"),
            Error::NothingToFetch { major: Some(major) } => {
                let others = pinned::majors();
                let others = if others.is_empty() { String::new() } else { format!(" ({others} can be fetched)") };
                format!("install PostgreSQL {major}{others}; if it has created your cluster, you can also {DESTROY}")
            }
            Error::Offline { .. } => format!("{INSTALL}; {ARCHIVE}; or {URL}"),
            Error::NoClient { .. } => format!("{INSTALL}; install pip, or {ARCHIVE}; or {URL}"),
            Error::NoDownloader { .. } => {
                "install curl, or set MIGRATOR_POSTGRES_ARCHIVE to the path of the archive".to_owned()
            }
            Error::Full { .. } => FULL.to_owned(),
            Error::Unreachable { .. } => {
                format!("connect to the network and try again; {ARCHIVE}; {INSTALL}; or {URL}")
            }
            Error::FetchFailed { .. } => format!("{ARCHIVE}; {INSTALL}; or {URL}"),
            Error::CutArchive { .. } => "the download was interrupted: try again".to_owned(),
            Error::WrongHash { .. } | Error::BadArchive { .. } => {
                "it was not used; find out who changed it, or get it from elsewhere".to_owned()
            }
            Error::NoCache => "set HOME or XDG_CACHE_HOME".to_owned(),
            Error::NotPrivateCache { directory } => format!(
                "run `chmod go-w {}` if it is yours, or set XDG_CACHE_HOME to a directory that only you can write to",
                directory.display()
            ),
            Error::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull => FULL.to_owned(),
            Error::PgBin { source, .. } => match **source {
                Error::ProgramsOutOfReach { .. } => "use an installation outside private directories".to_owned(),
                _ => source.help()?,
            },
            Error::PgBinRelease { needed: Some(_), .. } => format!("unset PG_BIN, or {DESTROY}"),
            Error::PgBinRelease { needed: None, .. } => format!("use {OLDEST_MAJOR} or newer"),
            Error::UnknownUser { name } => {
                format!("set PG_OS_USER to an existing user other than root (`id {name}` shows whether one exists)")
            }
            Error::NoUser => "create one (`useradd --system postgres`) or set PG_OS_USER".to_owned(),
            Error::NotPermitted { .. } => "run as a plain user (`docker run --user`), allow the capability, or set \
                                           DATABASE_URL to a server that runs elsewhere"
                .to_owned(),
            Error::NoDirectory { .. } => "set TMPDIR".to_owned(),
            Error::NotPrivate { .. } => "find out who created it, and remove it".to_owned(),
            Error::ClusterOutOfReach { blocked, .. } => format!("run `chmod o+x {}`", blocked.display()),
            Error::BrokenCluster { .. } => DESTROY.to_owned(),
            Error::NotAnswering { log_file, .. } => {
                format!("read `{}`, or stop it with `cargo xtask db stop`", log_file.display())
            }
            Error::NotStopped { pid, .. } => format!("check its log to see what it waits for, or end process {pid}"),
            Error::UnknownRelease { .. }
            | Error::ProgramFailed { .. }
            | Error::EndedAtOnce { .. }
            | Error::NotReady { .. }
            | Error::NoPort
            | Error::Io { .. } => return None,
        })
    }
}
