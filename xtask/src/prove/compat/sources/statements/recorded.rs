//! What a server has recorded.

/// A text and its line.
pub(super) struct Statement {
    pub(super) text: String,
    pub(super) line: usize,
}
