//! Any bytes as any file of a db directory: nothing panics, and what is said about a file can be shown.

#![no_main]

use std::ops::Range;

use libfuzzer_sys::fuzz_target;
use migrator_build::load_file;
use migrator_build::model::{Blob, Statement};

const PATHS: [&str; 5] =
    ["migrations/001_x.sql", "repeatable/x.sql", "seeds/x.sql", "checks/x.sql", "migrator.toml"];

fuzz_target!(|input: &[u8]| {
    let Some((first, bytes)) = input.split_first() else { return };
    let path = PATHS[usize::from(*first) % PATHS.len()];
    read(path, bytes);
    // Without these two lines hardly any input would get as far as the statements.
    let block = [b"-- migrate:up\n-- migrate:unchecked any bytes\n", bytes].concat();
    read(PATHS[0], &block);
});

fn read(path: &str, bytes: &[u8]) {
    let problems = match load_file(path, bytes) {
        Ok(loaded) => {
            for migration in loaded.set.migrations.iter() {
                for block in migration.blocks() {
                    check(&migration.text, &block.range, &block.statements);
                }
            }
            for script in loaded.set.scripts() {
                check(&script.text, &(0..script.text.len()), &script.statements);
            }
            Blob::write(&loaded.set);
            loaded.warnings
        }
        Err(problems) => problems.0,
    };
    for problem in problems {
        assert!(!problem.to_string().contains('\n'), "{problem:?}");
        problem.render(true);
    }
}

/// The statements stand one behind the other in their block and begin and end between two characters.
fn check(text: &str, block: &Range<usize>, statements: &[Statement]) {
    let mut at = block.start;
    for statement in statements {
        assert!(at <= statement.range.start && statement.range.start < statement.range.end, "{statement:?}");
        assert!(text.get(statement.range.clone()).is_some(), "{statement:?}");
        at = statement.range.end;
    }
    assert!(at <= block.end, "{at} {block:?}");
}
