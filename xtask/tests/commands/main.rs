//! The binary, called in small workspaces with a stand-in for the migrator: no registry, no engine, hence quick.

#![expect(clippy::unwrap_used, reason = "a failed step of a test is a failed test, also in its helpers")]

mod bench;
mod chaos;
mod check;
mod compat;
mod install;
mod migrate;
mod new;
mod output;
mod release;
mod verify;
mod workspace;
