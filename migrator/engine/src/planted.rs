//! Defects that can be switched on in the tests' own build of the engine, to prove that the tests can fail.

/// Whether a defect is switched on.
#[cfg(feature = "planted-bugs")]
pub(crate) fn planted(defect: &str) -> bool {
    std::env::var("MIGRATOR_PLANTED_BUG").is_ok_and(|name| name == defect)
}

/// The migrator that ships cannot have any.
#[cfg(not(feature = "planted-bugs"))]
pub(crate) const fn planted(_defect: &str) -> bool {
    false
}
