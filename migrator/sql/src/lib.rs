//! SQL of PostgreSQL: tokens, statements, what kind a statement is, and what the parser says of it.
//!
//! Nothing here knows of files or markers. The squawk crates promise no stability, and no type of theirs leaves this crate but the
//! tree that the linter asks for.

mod classify;
mod dialect;
mod flags;
mod lexer;
mod needs;
pub mod parse;
mod role;
mod shapes;
mod statements;
mod wording;
mod words;

pub use classify::{concurrent_index, is_concurrently, kind};
pub use flags::flag;
pub use lexer::{Comment, Kind, Lexed, Token, lex};
pub use needs::{detaches_slots, no_transaction};
pub use role::{is_role_back, role};
pub use statements::split;
pub use words::Words;
