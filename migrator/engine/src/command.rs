//! The commands, one file each; [`context`] is what they share.

pub(crate) mod audit;
mod context;
pub(crate) mod down;
pub(crate) mod drift;
pub(crate) mod environment;
pub(crate) mod list;
pub(crate) mod plan;
pub(crate) mod redo;
pub(crate) mod resolve;
pub(crate) mod seed;
pub(crate) mod show;
pub(crate) mod stamp;
pub(crate) mod status;
pub(crate) mod up;
pub(crate) mod version;
pub(crate) mod wait;
mod wait_lock;

pub(crate) use context::Context;
pub(crate) use wait_lock::Wait;
