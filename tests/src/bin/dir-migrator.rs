//! `dir-migrator DB-DIRECTORY ARGUMENTS...`: the migrator over a directory that is read when it starts.
//!
//! For tests only: a test that changes a file need not compile a binary. Everything after the loading is the same code. What the
//! migrator does not have, the tasks of `cargo xtask` do on the server that the arguments name.
#![expect(clippy::print_stderr, reason = "the directory's problems are this program's output")]

use std::process::ExitCode;

use migrator_tests::task;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os();
    let program = arguments.next().unwrap_or_default();
    let Some(directory) = arguments.next() else {
        eprintln!("error: usage: dir-migrator DB-DIRECTORY ARGUMENTS...");
        return ExitCode::from(2);
    };
    let arguments: Vec<_> = arguments.collect();
    if arguments.first().is_some_and(|first| first == "import") {
        return task::import(directory.as_ref(), std::iter::once(program).chain(arguments));
    }
    let (embedded, warnings) = match migrator_tests::load(directory.as_ref()) {
        Ok(loaded) => loaded,
        Err(problems) => {
            eprintln!("{problems}");
            return ExitCode::from(9);
        }
    };
    for warning in warnings {
        eprintln!("warning: {warning}");
    }
    if task::is_meant(&arguments) {
        let embedded = embedded.set().expect("this program has written it");
        return task::run(embedded, directory.as_ref(), std::iter::once(program).chain(arguments));
    }
    // A test may play an older or a newer release.
    let version: &'static str =
        Box::leak(std::env::var("DIR_MIGRATOR_RELEASE").unwrap_or_else(|_| "0.0.0".to_owned()).into_boxed_str());
    let release = migrator_engine::Release::new(version, "test");
    migrator_engine::run(embedded, release, std::iter::once(program).chain(arguments))
}
