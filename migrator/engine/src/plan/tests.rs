use expect_test::{Expect, expect};
use migrator_model::Options;
use proptest::prelude::*;

use super::*;
use crate::embedded::Block;
use crate::embedded::Script;
use crate::history::AppliedMigration;

/// A set of migrations `<version>_m`, each with the checksum `c<number>` and a down block unless the version ends in `!`.
fn set(versions: &str) -> &'static Embedded {
    let block = || Block::new(0..0, Options::new(), Vec::new().into());
    let migration = |word: &str| {
        let version = word.trim_end_matches('!');
        let number = version.parse().unwrap();
        let (file, checksum) = (format!("db/migrations/{version}_m.sql"), format!("c{number}"));
        let version = version.to_owned().into();
        let migration = Migration::new(version, number, "m".into(), file.into(), "x".into(), checksum.into(), block());
        migration.with_down((!word.ends_with('!')).then(block))
    };
    let migrations = versions.split_whitespace().map(migration).collect();
    let file = "db/repeatable/views.sql".into();
    let script = Script::new("views".into(), file, "".into(), "r1".into(), Vec::new().into());
    let set = Embedded::new("".into()).with_migrations(migrations).with_repeatables(vec![script].into());
    Box::leak(Box::new(set))
}

/// Rows `<version>` with the right checksum, `<version>*` with another one, `<version>?` without one.
fn history(rows: &str) -> History {
    let row = |word: &str| {
        let version = word.trim_end_matches(['*', '?']);
        let right = || format!("c{}", version.parse::<i64>().unwrap_or(-1));
        let checksum = match word.chars().last() {
            Some('*') => Some("other".to_owned()),
            Some('?') => None,
            _ => Some(right()),
        };
        AppliedMigration {
            version: version.to_owned().into(),
            checksum: checksum.map(String::into),
            ..AppliedMigration::default()
        }
    };
    History { exists: true, complete: true, applied: rows.split_whitespace().map(row).collect(), ..History::default() }
}

fn show(outcome: Result<Plan, Obstacle>) -> String {
    match outcome {
        Ok(plan) => {
            let ahead =
                if plan.ahead.is_empty() { String::new() } else { format!(" (ahead: {})", plan.ahead.join(" ")) };
            plan.steps.iter().map(Step::label).collect::<Vec<_>>().join(" ") + &ahead
        }
        Err(Obstacle::Diverged(found)) => found.iter().map(|d| d.describe().0).collect::<Vec<_>>().join("\n"),
        Err(obstacle) => format!("{obstacle:?}").split(['(', '{']).next().unwrap().trim().to_owned(),
    }
}

fn check_up(versions: &str, rows: &str, target: Target, expected: Expect) {
    expected.assert_eq(&show(up(set(versions), &history(rows), target, false)));
}

#[test]
fn up_applies_what_is_missing_in_the_order_of_the_numbers() {
    check_up("001 002 003", "", Target::Newest, expect!["001_m 002_m 003_m views"]);
    check_up("001 002 003", "001", Target::Newest, expect!["002_m 003_m views"]);
    check_up("001 002 003", "001?", Target::Version(2), expect!["002_m"]);
    check_up("9 10", "", Target::Newest, expect!["9_m 10_m views"]);
    check_up("0 1", "", Target::Version(0), expect!["0_m"]);
    check_up("001 002", "001 002", Target::Version(1), expect![""]);
    check_up("001", "", Target::Version(7), expect!["NoSuchVersion"]);
}

#[test]
fn up_names_every_divergence() {
    check_up(
        "001 002 003",
        "001* 004 abc 002",
        Target::Newest,
        expect![[r#"
            `db/migrations/001_m.sql`: version 001 was applied with checksum other, but this binary has c1
            `db/migrations/003_m.sql`: version 003 is pending, but the newer 004 is applied
            version abc is applied, but missing from this binary, which has newer ones"#]],
    );
    check_up(
        "001 003",
        "001 002 003",
        Target::Newest,
        expect!["version 002 is applied, but missing from this binary, which has newer ones"],
    );
    check_up(
        "001 002 003",
        "001 003",
        Target::Newest,
        expect!["`db/migrations/002_m.sql`: version 002 is pending, but the newer 003 is applied"],
    );
    check_up(
        "001",
        "1",
        Target::Newest,
        expect!["`db/migrations/001_m.sql`: the history has version `1`, the file has `001`"],
    );
    check_up(
        "001",
        "1 001",
        Target::Newest,
        expect!["version 1 is applied, but missing from this binary, which has newer ones"],
    );
}

#[test]
fn what_a_newer_release_applied_is_left_alone() {
    check_up("001 002", "001 002 003", Target::Newest, expect![" (ahead: 003)"]);
    check_up(
        "001 002",
        "001 003",
        Target::Newest,
        expect!["`db/migrations/002_m.sql`: version 002 is pending, but the newer 003 is applied"],
    );
}

#[test]
fn down_goes_backwards_over_what_is_applied() {
    let check = |versions, rows, target, expected: Expect| {
        expected.assert_eq(&show(down(set(versions), &history(rows), target)))
    };
    check("001 002 003", "001 002 003", Target::Steps(1), expect!["003_m"]);
    check("001 002 003", "001 002", Target::Steps(9), expect!["002_m 001_m"]);
    check("001 002 003", "001 002 003", Target::Version(1), expect!["003_m 002_m"]);
    check("001 002 003", "001 002 003", Target::Version(0), expect!["003_m 002_m 001_m"]);
    check("001 002 003", "001 003", Target::Version(2), expect!["NoSuchVersion"]);
    check("001 002! 003", "001 002 003", Target::Version(0), expect!["NoDownBlock"]);
    check(
        "001 002",
        "001 002 003",
        Target::Steps(1),
        expect!["version 003 is newer than every version in this binary, and the history holds no down block of it"],
    );
}

#[test]
fn a_digest_stands_for_the_steps() {
    let digest = |versions, rows| up(set(versions), &history(rows), Target::Newest, false).unwrap().digest();
    assert_eq!(digest("001 002", ""), digest("001 002", ""));
    assert_ne!(digest("001 002", ""), digest("001 002", "001"));
    assert_ne!(digest("001 002", ""), digest("001 003", ""));
}

proptest! {
    /// Our classification and refinery's verification are two views of one thing: whatever passes ours is planned by
    /// refinery to be exactly the pending versions (and the out-of-order ones, where they are allowed), ascending.
    #[test]
    fn classification_and_planner_agree(
        known in prop::collection::btree_set(0_i64..30, 0..15),
        recorded in prop::collection::btree_set(0_i64..40, 0..15),
        out_of_order: bool,
        limit in prop::option::of(0_i64..30),
    ) {
        let words = |numbers: &std::collections::BTreeSet<i64>| numbers.iter().map(|n| format!("{n:03} ")).collect::<String>();
        let (set, history) = (set(&words(&known)), history(&words(&recorded)));
        let limit = limit.filter(|limit| known.contains(limit));
        let target = limit.map_or(Target::Newest, Target::Version);
        let survey = survey(set, &history);
        let outcome = up(set, &history, target, out_of_order);
        let refused = survey.of(State::Unknown).next().is_some() || (!out_of_order && survey.of(State::OutOfOrder).next().is_some());
        match outcome {
            Ok(plan) => {
                prop_assert!(!refused);
                let expected: Vec<i64> = known.iter().copied()
                    .filter(|number| !recorded.contains(number) && limit.is_none_or(|limit| *number <= limit))
                    .collect();
                let steps = plan.steps.iter().filter_map(|step| match step {
                    Step::Migration { migration, .. } => Some(migration.number),
                    Step::Repeatable(_) => None,
                });
                prop_assert_eq!(steps.collect::<Vec<_>>(), expected);
            }
            Err(Obstacle::Diverged(_)) => prop_assert!(refused),
            Err(obstacle) => prop_assert!(false, "{:?}", obstacle),
        }
    }
}
