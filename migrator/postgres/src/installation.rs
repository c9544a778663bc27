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
}

impl Installation {
    /// The installation that is used unless another one is asked for.
    ///
    /// # Errors
    /// No suitable server is installed, or root has no user to run one as.
    pub fn find() -> Result<Installation> {
        let user = ServerUser::choose()?;
        let Binaries { directory, major, .. } = Binaries::find(None, user.as_ref())?;
        Ok(Installation { major, directory })
    }
}
