//! The tests with data: what is in db/tests.

use migrator_build::DataTest;

use super::answer::{Answer, Verdict};
use crate::prove::data::ladder::Ladder;
use crate::prove::data::test;
use crate::prove::scratch::Scratch;
use migrator_engine::Error;
use migrator_engine::words::count;

/// Each test in a database of its own, at the version before its migration.
pub(super) async fn run(scratch: &Scratch<'_>, tests: &[DataTest]) -> Result<Answer, Error> {
    let migrations = &scratch.context.migrator.embedded().migrations;
    let mut ladder = Ladder::new(scratch);
    let (mut failed, mut lines, mut done) = (0, Vec::new(), 0);
    for (index, migration) in migrations.iter().enumerate() {
        for test in tests.iter().filter(|test| test.number == migration.number) {
            if scratch.context.migrator.stop().is_requested() {
                break;
            }
            let failures = test::run(&mut ladder, test, (index, migration)).await?;
            failed += usize::from(!failures.is_empty());
            lines.extend(failures.iter().flat_map(|failure| failure.lines()).map(str::to_owned));
            done += 1;
            scratch.context.terminal.reached(done, tests.len());
        }
    }
    let (verdict, head) = match (failed, tests.len()) {
        (0, 0) => (Verdict::Ok, "there are none".to_owned()),
        (0, all) => (Verdict::Ok, count(all, "test")),
        (failed, all) => (Verdict::Failed, format!("{failed} of {} failed", count(all, "test"))),
    };
    Ok((verdict, std::iter::once(head).chain(lines).collect()))
}
