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
mod cluster;
mod server;
mod temporary;
mod user;

pub use cluster::{Cluster, Running, Status};
pub use temporary::{Builder, TemporaryServer};
pub(crate) use user::remove_postgres_variables;
