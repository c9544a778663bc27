//! The schema history inside the binary: what `migrator_build::embed` has read, checked and written.

pub use migrator_model::{
    Blob, Block, Direction, Environment, Imported, LockTraces, Migration, Options, Origin, ReindexObject, Release,
    SchemaFacts, Script, Set as Embedded, Settings, Squashed, Statement, StatementKind, Text, Tool,
};
