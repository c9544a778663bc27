//! The developer's tasks as they are installed.

use std::process::ExitCode;

fn main() -> ExitCode {
    migrator_xtask::main()
}
