//! The developer side of `migrator`: the `cargo xtask` commands around a db directory, and the servers they need.

pub mod postgres;
