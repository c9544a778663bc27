//! PostgreSQL servers for development and tests, started from the binaries that the machine already has.
//!
//! [`Cluster`] is the lasting development server of one workspace; [`TemporaryServer`] is a throw-away one for tests.
//! Both work for a plain user and as root (where the server runs as another user of the operating system, because
//! PostgreSQL refuses uid 0). Neither needs a service, Docker, a download or a PostgreSQL client library.
//!
//! ```no_run
//! # fn main() -> anyhow::Result<()> {
//! let server = migrator_xtask::postgres::TemporaryServer::start()?;
//! println!("{}", server.url("postgres"));
//! # Ok(())
//! # }
//! ```
//!
//! Environment: `PG_BIN` names the directory of the binaries, `PG_OS_USER` the user that the server runs as under root.

mod binaries;
mod cache;
mod cluster;
mod files;
mod place;
mod server;
mod temporary;
mod user;

use std::path::PathBuf;

use anyhow::Result;

pub use cluster::{Cluster, Running, Status};
pub use temporary::{Builder, TemporaryServer};
pub(crate) use user::remove_postgres_variables;

/// What a [`TemporaryServer`] would be started from.
pub(crate) struct Installation {
    /// The major release, such as 15.
    pub(crate) major: u32,
    /// The directory of the programs.
    pub(crate) directory: PathBuf,
}

impl Installation {
    /// The one that is used without being asked for another.
    ///
    /// # Errors
    /// Nothing suitable is installed: the message says what to install.
    pub(crate) fn find() -> Result<Installation> {
        let user = user::ServerUser::choose()?;
        let binaries::Binaries { directory, major, .. } = binaries::Binaries::find(None, user.as_ref())?;
        Ok(Installation { major, directory })
    }
}
