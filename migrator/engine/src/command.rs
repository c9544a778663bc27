//! The commands, one file each; [`context`] is what they share.

pub(crate) mod audit;
mod context;
#[cfg(feature = "dev")]
pub(crate) mod create;
#[cfg(feature = "dev")]
mod development;
pub(crate) mod down;
pub(crate) mod drift;
#[cfg(feature = "dev")]
pub(crate) mod drop;
pub(crate) mod environment;
#[cfg(feature = "dev")]
mod html;
pub(crate) mod list;
pub(crate) mod plan;
pub(crate) mod redo;
#[cfg(feature = "dev")]
pub(crate) mod reset;
pub(crate) mod resolve;
#[cfg(feature = "dev")]
mod scratch;
pub(crate) mod seed;
pub(crate) mod show;
pub(crate) mod stamp;
pub(crate) mod status;
pub(crate) mod up;
#[cfg(feature = "dev")]
pub(crate) mod verify;
pub(crate) mod version;
pub(crate) mod wait;
mod wait_lock;

pub(crate) use context::Context;
pub(crate) use wait_lock::Wait;
