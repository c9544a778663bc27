//! What must hold on every major release of PostgreSQL, on the one that is found; `.ci/run` runs it, with more, on each of them.

mod limits;
mod tour;

use crate::support::major;

/// So that a wrong `PG_BIN` is not a pass of the same release again: `.ci/run` says which one it means.
#[test]
fn the_server_is_of_the_release_that_is_meant() {
    let found = major();
    assert!(found >= 13, "{found}");
    if let Ok(meant) = std::env::var("MIGRATOR_TEST_MAJOR") {
        assert_eq!(found.to_string(), meant);
    }
}
