//! The binaries against a real PostgreSQL: one file per subject, one database per test.

mod support;

mod concurrency;
mod corpora;
mod environment;
mod errors;
mod history;
mod nontransactional;
mod session;
mod up;
