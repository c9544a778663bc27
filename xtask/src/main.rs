//! This workspace's own `cargo xtask`: what another workspace writes as well.

use std::process::ExitCode;

fn main() -> ExitCode {
    migrator_xtask::main()
}
