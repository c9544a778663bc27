//! SQL of PostgreSQL: tokens, statements, what each of them is, and what the parser says of it.
//!
//! [`lex`] makes tokens, [`split`] cuts them into statements, [`Sql::of`] says what a statement is. Nothing here knows of files or
//! markers. The squawk crates promise no stability, and no type of theirs leaves this crate but the tree that the linter asks for.

mod alter_table;
mod classify;
mod create;
mod destroys;
mod dialect;
mod drop;
mod element;
mod flags;
mod lexer;
mod name;
mod needs;
mod neutral;
mod object_kind;
pub mod parse;
mod role;
mod rows;
mod setting;
mod shapes;
mod sql;
mod statements;
mod wording;
mod words;

pub use alter_table::{AlterTable, AlterTableAction, ColumnChange, TableChange};
pub use classify::{concurrent_index, is_concurrently, kind};
pub use create::{Create, CreateDomain, CreateIndex, CreateOnTable, CreateTable};
pub use destroys::destroying;
pub use drop::Drop;
pub use element::{Clause, ConstraintKind, Element, ElementKind};
pub use flags::flag;
pub use lexer::{Comment, Kind, Lexed, Token, lex};
pub use migrator_model::LockMode;
pub use name::{Name, Object};
pub use needs::{detaches_slots, no_transaction};
pub use object_kind::ObjectKind;
pub use role::{is_role_back, role};
pub use rows::Rows;
pub use setting::{Reset, Set, Setting};
pub use sql::Sql;
pub use statements::split;
pub use words::Words;
