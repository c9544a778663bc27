//! The migrator under fire: the real binary, a real server, and somebody between them who does harm.

// The helpers of a test fail as the test itself does.
#![allow(clippy::unwrap_used)]
#![allow(clippy::print_stderr, reason = "a sweep says how far it is, and what it found")]

use std::io::Write as _;

mod claims;
mod command;
mod crowd;
mod disk;
mod facts;
mod fault;
mod inquiry;
mod memory;
mod migrator;
mod oracle;
mod page;
mod point;
mod protocol;
mod proxy;
mod scenario;
mod server;
mod single;
mod standby;
mod strangers;
mod sweep;
mod traffic;

/// Says that something could not be tested here, also where the output of a test that passes is not shown.
fn not_tested(why: &str) {
    let _ = writeln!(std::io::stderr(), "NOT TESTED: {why}");
}
