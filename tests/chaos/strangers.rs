//! Another user of the machine gets neither a connection nor a file while things break.

#[path = "../it/strangers/attack.rs"]
mod attack;

use std::process::{Command, Stdio};

use self::attack::Attack;
use crate::not_tested;

/// Not a test: the other user.
#[test]
#[ignore = "started by the other test"]
fn the_stranger() {
    attack::be_the_stranger();
}

#[test]
fn a_stranger_gets_nothing_while_proxies_and_crashed_servers_run() {
    let attack = match Attack::begin("strangers::the_stranger") {
        Ok(attack) => attack,
        Err(reason) => return not_tested(&format!("another user beside the sweep: {reason}")),
    };
    let mut tests = Command::new(std::env::current_exe().unwrap());
    tests.args(["single::", "standby::", "crowd::", "disk::"]);
    let output = tests.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let report = attack.end();
    assert_eq!(report.got, Vec::<String>::new(), "{report:?}");
    assert!(report.sockets >= 5 && report.directories >= 10, "{report:?}");
}
