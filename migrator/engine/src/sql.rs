//! The SQL that the engine itself sends, as text. Pure: quoting, tables, fence, session, events.
//!
//! Nothing here may depend on `search_path`: an operator, a function or a type that another user has planted in one of its
//! schemas would run with the migrator's rights. Statements that run beside a migration's own text are qualified, operators
//! included; all others run under [`OURS`].

pub(crate) mod block;
mod fence;
mod keywords;
mod quote;
mod rows;
mod run;
mod session;
mod short;
mod tables;

pub(crate) use fence::{Condition, fence, is_text, lock_condition, take_lock};
pub use quote::{OURS, identifier, literal, ours, plain_identifier, unquoted};
pub(crate) use rows::{NewEvent, delete_state, insert_event, insert_state, mark_state};
pub(crate) use run::Run;
pub(crate) use session::{Limits, SessionSettings, capture_session, session, session_state};
pub(crate) use short::{Recorded, Short};
pub use tables::Tables;
pub(crate) use tables::{
    CreatedObjects, EVENT_COLUMNS, EVENT_KEY, STATE_COLUMNS, first_word, may_index, newest_first, set_sequence,
};
