//! The migrator of this repository: the schema history of `db/` in one binary.

migrator_engine::main!();
