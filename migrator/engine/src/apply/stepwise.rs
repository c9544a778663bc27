//! A `transaction:false` block: statement by statement, each recorded, so that a later run knows what has been done.
//!
//! A statement that can run in a transaction is one with its "done" event, many of them on their way at once ([`batch`]).
//! One that cannot has a "started" event before it and a "done" event after it. `BEGIN` ... `COMMIT` is one unit whose event
//! is inside the transaction. `SET` is not recorded but replayed. The block's own session lives for the whole block.

mod batch;
mod block;
mod run;
mod state;
mod statement;

pub(super) use block::Run;
