//! The exit codes.

/// The documented exit codes, the same for every command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done, or nothing to do.
    Done = 0,
    /// `--check` found something pending, `audit` or `drift` a difference.
    Found = 1,
    /// The command line is invalid, or there is no terminal for a confirmation.
    Usage = 2,
    /// A migration failed; the state is known and reported.
    Failed = 3,
    /// The history and the binary diverge.
    Diverged = 4,
    /// Another session holds the lock past the deadline.
    Locked = 5,
    /// The server could not be reached or refused the session.
    NoConnection = 6,
    /// The outcome of something is unknown; a person has to check.
    InDoubt = 7,
    /// Refused by policy or for want of approval.
    Refused = 8,
    /// Anything else.
    Other = 9,
}
