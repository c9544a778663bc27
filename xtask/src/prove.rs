//! What can be proved on scratch databases: the promises of the migrations, the locks of their statements, the schema they produce.

pub(crate) mod bench;
mod budget;
pub(crate) mod chaos;
pub mod compat;
mod data;
pub mod dump;
mod forecast;
mod html;
pub mod locks;
mod page;
pub mod proof;
mod review;
pub(crate) mod scratch;
pub mod stamp;
pub(crate) mod trace;
pub(crate) mod verify;
pub(crate) mod weaker;
