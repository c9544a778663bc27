//! What can go wrong with a server.

use std::fmt::{self, Debug, Display};
use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

/// The oldest major release that the project supports.
pub(crate) const OLDEST_MAJOR: u32 = 13;

/// The result of what can fail with an [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// Why a server could not be found, started, stopped or removed.
///
/// `{}` is one message, `{:#}` the message with its causes and the way out, as is `{:?}`, which `unwrap` shows.
#[non_exhaustive]
pub enum Error {
    /// There is no server to fetch for this machine, or of that release.
    NothingToFetch {
        /// The release that was asked for.
        major: Option<u32>,
    },
    /// A server would have to be fetched, and `MIGRATOR_OFFLINE` forbids it.
    Offline {
        /// The release that would be fetched.
        release: &'static str,
    },
    /// A server would have to be fetched, and this machine has no client that brings it.
    NoClient {
        /// The release that would be fetched.
        release: &'static str,
    },
    /// An archive is at a URL, and this machine has no program to download it.
    NoDownloader {
        /// The URL, without user and password.
        url: String,
    },
    /// There is no room on the disk for a fetched server.
    Full {
        /// What should have been fetched.
        what: String,
    },
    /// A client could not reach the place that it brings a server from.
    Unreachable {
        /// The client, such as `python3 -m pip`.
        client: String,
        /// What it should have brought.
        what: String,
        /// What the system said.
        cause: String,
    },
    /// A client could not bring a server.
    FetchFailed {
        /// The client, such as `python3 -m pip`.
        client: String,
        /// What it should have brought.
        what: String,
        /// What it said.
        said: String,
    },
    /// What was brought is shorter than the archive that it should be.
    CutArchive {
        /// The file or URL that it came from.
        from: String,
        /// Its length in bytes.
        found: u64,
        /// The length of the archive in bytes.
        expected: u64,
    },
    /// What was brought is not an archive that this crate knows.
    WrongHash {
        /// The file or URL that it came from.
        from: String,
        /// Its SHA-256.
        found: String,
        /// The SHA-256 of the archive.
        expected: &'static str,
    },
    /// An archive is damaged, or would write where it must not.
    BadArchive {
        /// What is wrong with it.
        why: String,
    },
    /// There is no directory to keep a fetched server in.
    NoCache,
    /// Other users can write to the directory that a fetched server would be kept in.
    NotPrivateCache {
        /// The directory.
        directory: PathBuf,
    },
    /// The user that the server would run as cannot enter the directory of its programs.
    ProgramsOutOfReach {
        /// The user's name.
        user: String,
        /// The first directory on the way that the user cannot enter.
        blocked: PathBuf,
        /// The directory of the programs.
        directory: PathBuf,
    },
    /// A directory has not all of the server's programs.
    ProgramsMissing {
        /// The directory.
        directory: PathBuf,
    },
    /// `postgres --version` does not say which release it is.
    UnknownRelease {
        /// The program.
        program: PathBuf,
        /// What it said.
        said: String,
    },
    /// There is no usable server where `PG_BIN` says.
    PgBin {
        /// The value of `PG_BIN`.
        directory: PathBuf,
        /// What is wrong with it.
        source: Box<Error>,
    },
    /// `PG_BIN` names another release than the one that created the cluster, or one that is too old.
    PgBinRelease {
        /// The value of `PG_BIN`.
        directory: PathBuf,
        /// Its release.
        found: u32,
        /// The release of the cluster; `None`: any supported one would do.
        needed: Option<u32>,
    },
    /// `PG_OS_USER` names root or an unknown user.
    UnknownUser {
        /// The value of `PG_OS_USER`.
        name: String,
    },
    /// PostgreSQL does not run as root, and there is no other user to run it as.
    NoUser,
    /// This root may not act for the server's user.
    NotPermitted {
        /// The user's name.
        user: String,
        /// What the container lacks.
        capability: &'static str,
    },
    /// No temporary directory is fit for a server.
    NoDirectory {
        /// The one that was tried first.
        first: PathBuf,
    },
    /// Others can write where a cluster would be, or own it.
    NotPrivate {
        /// The cluster's directory.
        directory: PathBuf,
        /// Our user.
        uid: u32,
    },
    /// The user that the server runs as cannot enter the cluster's directory.
    ClusterOutOfReach {
        /// The user's name.
        user: String,
        /// The first directory on the way that the user cannot enter.
        blocked: PathBuf,
    },
    /// A cluster's files are not as they should be.
    BrokenCluster {
        /// What is wrong.
        message: String,
        /// The cause, if reading a file failed.
        source: Option<io::Error>,
    },
    /// A program of PostgreSQL or of the system has failed.
    ProgramFailed {
        /// The program, and what it was run for.
        action: String,
        /// What it said.
        said: String,
    },
    /// The server ended instead of accepting connections.
    EndedAtOnce {
        /// Its data directory.
        data: PathBuf,
        /// How it ended.
        status: ExitStatus,
        /// The end of its log.
        log: String,
    },
    /// The server was started and did not accept connections in time.
    NotReady {
        /// Its data directory.
        data: PathBuf,
        /// How long it had.
        after: Duration,
        /// The end of its log.
        log: String,
    },
    /// A server that someone else started does not accept connections.
    NotAnswering {
        /// Its data directory.
        data: PathBuf,
        /// Its log.
        log_file: PathBuf,
        /// The number of its process.
        pid: i32,
    },
    /// The server did not stop in time.
    NotStopped {
        /// Its data directory.
        data: PathBuf,
        /// How long it had.
        after: Duration,
        /// The number of its process.
        pid: i32,
    },
    /// Every port that was tried was taken by another program.
    NoPort,
    /// The operating system refused something.
    Io {
        /// What failed, such as "failed to create `/tmp/x`".
        action: String,
        /// Why.
        source: io::Error,
    },
}

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.message(f)?;
        if !f.alternate() {
            return Ok(());
        }
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        self.help().map_or(Ok(()), |help| write!(f, "\nhelp: {help}"))
    }
}

impl Error {
    fn message(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::ProgramsOutOfReach { user, blocked, directory } => write!(
                f,
                "the user `{user}` cannot enter `{}` and thus cannot run the PostgreSQL in `{}`",
                blocked.display(),
                directory.display()
            ),
            Error::ProgramsMissing { directory } => {
                write!(f, "`initdb` and `postgres` are not both in `{}`", directory.display())
            }
            Error::UnknownRelease { program, said } => {
                write!(f, "`{} --version` names no release: `{said}`", program.display())
            }
            Error::PgBin { directory, .. } => write!(f, "no usable PostgreSQL in PG_BIN=`{}`", directory.display()),
            Error::PgBinRelease { directory, found, needed } => {
                write!(f, "PG_BIN=`{}` is PostgreSQL {found}", directory.display())?;
                needed.map_or(Ok(()), |needed| write!(f, ", but PostgreSQL {needed} created this cluster"))
            }
            Error::UnknownUser { name } => write!(f, "PG_OS_USER=`{name}` is root or not a user of this machine"),
            Error::NoUser => {
                f.write_str("PostgreSQL does not run as root, and there is no user `postgres` or `nobody`")
            }
            Error::NotPermitted { user, capability } => write!(
                f,
                "PostgreSQL does not run as root, and this root may not act for the user `{user}`: the container lacks \
                 {capability}"
            ),
            Error::NoDirectory { first } => write!(
                f,
                "no temporary directory is suitable for a server: `{}`, `/tmp` and `/var/tmp` are missing, private, have a \
                 long name, or let another user replace what is in them",
                first.display()
            ),
            Error::NotPrivate { directory, uid } => {
                write!(f, "`{}` is not a directory that only this user (uid {uid}) can write to", directory.display())
            }
            Error::ClusterOutOfReach { user, blocked } => {
                write!(f, "the user `{user}`, which the server runs as, cannot enter `{}`", blocked.display())
            }
            Error::ProgramFailed { action, said } => write!(f, "{action}: {said}"),
            Error::EndedAtOnce { data, status, log } => {
                write!(f, "the server on `{}` ended at once ({status}); its log says:\n{log}", data.display())
            }
            Error::NotReady { data, after, log } => {
                write!(f, "the server on `{}` did not answer within {after:?}; its log says:\n{log}", data.display())
            }
            Error::NotAnswering { data, pid, .. } => {
                write!(f, "the server on `{}` (process {pid}) is running but accepts no connections", data.display())
            }
            Error::NotStopped { data, after, .. } => {
                write!(f, "the server on `{}` did not stop within {after:?}", data.display())
            }
            Error::NoPort => f.write_str("every port that was free was taken before the server started"),
            Error::BrokenCluster { message, .. } | Error::Io { action: message, .. } => f.write_str(message),
            _ => self.message_of_fetching(f),
        }
    }

    /// The message of what can go wrong while a server is fetched, and of nothing else.
    fn message_of_fetching(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NothingToFetch { major: None } => write!(
                f,
                "no PostgreSQL server ({OLDEST_MAJOR} or newer) found on this machine, and there is none to fetch for it"
            ),
            Error::NothingToFetch { major: Some(major) } => {
                write!(f, "PostgreSQL {major} is not installed, and cannot be fetched for this machine")
            }
            Error::Offline { release } => {
                write!(
                    f,
                    "no PostgreSQL found on this machine, and MIGRATOR_OFFLINE forbids fetching PostgreSQL {release}"
                )
            }
            Error::NoClient { release } => {
                write!(f, "no PostgreSQL found on this machine, and no `pip` that could fetch PostgreSQL {release}")
            }
            Error::NoDownloader { url } => write!(f, "neither `curl` nor `wget` is there to download `{url}`"),
            Error::Full { what } => write!(f, "the disk is full: no room to fetch {what}"),
            Error::Unreachable { client, what, cause } => {
                write!(f, "`{client}` cannot reach the package index to fetch {what}: {cause}")
            }
            Error::FetchFailed { client, what, said } => write!(f, "`{client}` failed to fetch {what}: {said}"),
            Error::CutArchive { from, found, expected } => {
                write!(f, "`{from}` is cut: {found} of {expected} bytes")
            }
            Error::WrongHash { from, found, expected } => {
                write!(f, "`{from}` is not the archive that it should be: its SHA-256 is {found}, expected {expected}")
            }
            Error::BadArchive { why } => write!(f, "the archive is not a server: {why}"),
            Error::NoCache => f.write_str("there is no directory to keep a fetched PostgreSQL in"),
            Error::NotPrivateCache { directory } => write!(
                f,
                "a fetched PostgreSQL cannot be kept in `{}`: another user owns it or a directory above it, or can write there",
                directory.display()
            ),
            _ => Ok(()),
        }
    }
}

impl Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:#}")
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::PgBin { source, .. } => Some(&**source),
            Error::BrokenCluster { source, .. } => source.as_ref().map(|source| source as _),
            Error::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// Says what failed, where the operating system says why.
pub(crate) trait Context<T> {
    /// `action` begins with "failed to".
    fn with_context<C: Into<String>>(self, action: impl FnOnce() -> C) -> Result<T>;
}

impl<T, E: Into<io::Error>> Context<T> for std::result::Result<T, E> {
    fn with_context<C: Into<String>>(self, action: impl FnOnce() -> C) -> Result<T> {
        self.map_err(|source| Error::Io { action: action().into(), source: source.into() })
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use expect_test::expect;

    use super::*;

    #[test]
    fn an_error_is_a_message_its_causes_and_the_way_out() {
        let missing = Error::ProgramsMissing { directory: "/opt/pg".into() };
        let error = Error::PgBin { directory: "/opt/pg".into(), source: Box::new(missing) };
        assert_eq!(error.to_string(), "no usable PostgreSQL in PG_BIN=`/opt/pg`");
        assert!(error.source().is_some());
        expect![[r#"
            no usable PostgreSQL in PG_BIN=`/opt/pg`: `initdb` and `postgres` are not both in `/opt/pg`
            help: install the server: `apt install postgresql` (Debian, Ubuntu), `brew install postgresql@17` (macOS), or set PG_BIN to the directory that holds `initdb` and `postgres`"#]].assert_eq(&format!("{error:?}"));
    }

    #[test]
    fn what_the_operating_system_says_is_the_cause() {
        let failed: io::Result<()> = Err(io::ErrorKind::NotFound.into());
        let error = failed.with_context(|| "failed to read `x`").unwrap_err();
        assert_eq!(format!("{error:#}"), "failed to read `x`: entity not found");
        assert!(error.help().is_none());
    }
}
