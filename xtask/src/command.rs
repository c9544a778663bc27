//! One file per command.

pub(crate) mod chaos;
pub(crate) mod check;
pub(crate) mod ci;
pub(crate) mod db;
pub(crate) mod dist;
pub(crate) mod dump;
pub(crate) mod migrate;
pub(crate) mod new;
pub(crate) mod verify;
