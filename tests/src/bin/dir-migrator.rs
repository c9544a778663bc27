//! `dir-migrator DB-DIRECTORY ARGUMENTS...`: the migrator over a directory that is read when it starts.
//!
//! For tests only: a test that changes a file need not compile a binary. Everything behind the loading is the same code.
#![expect(clippy::print_stderr, reason = "the directory's problems are this program's output")]

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os();
    let program = arguments.next().unwrap_or_default();
    let Some(directory) = arguments.next() else {
        eprintln!("error: usage: dir-migrator DB-DIRECTORY ARGUMENTS...");
        return ExitCode::from(2);
    };
    match migrator_tests::load(directory.as_ref()) {
        Ok((embedded, warnings)) => {
            for warning in warnings {
                eprintln!("warning: {warning}");
            }
            // A test may play an older or a newer release.
            let version: &'static str = Box::leak(
                std::env::var("DIR_MIGRATOR_RELEASE").unwrap_or_else(|_| "0.0.0".to_owned()).into_boxed_str(),
            );
            let release = migrator_engine::Release::new(version, "test");
            migrator_engine::run(embedded, release, std::iter::once(program).chain(arguments))
        }
        Err(problems) => {
            eprintln!("{problems}");
            ExitCode::from(9)
        }
    }
}
