//! What can be proved on a throwaway server.

pub(crate) mod chaos;
pub(crate) mod dump;
pub(crate) mod verify;
