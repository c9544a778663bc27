//! The way to a release: what CI runs, and the binary that ships.

mod archive;
pub(crate) mod ci;
mod contents;
pub(crate) mod dist;
mod reproducible;
mod sbom;
mod usage;
