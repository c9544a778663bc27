use expect_test::{Expect, expect};

use super::*;
use crate::prove::trace::Effect;
use migrator_sql::LockMode;

/// A statement of a transaction that locks `core.<relation>` in that mode, and rewrites it where the mode is followed by `!`.
fn statement(number: usize, transaction: usize, locks: &[(&str, LockMode, bool)]) -> Statement {
    let effect = |(relation, lock, rewritten): &(&str, LockMode, bool)| {
        let mut effect = Effect::lock(format!("core.{relation}"), *lock);
        (effect.rewritten, effect.index) = (*rewritten, relation.ends_with("_pkey"));
        effect
    };
    let effects = locks.iter().map(effect).collect();
    let (sql, took) = ("ALTER TABLE x", Duration::ZERO);
    Statement { number, line: 1, sql, took, transaction, polled: false, effects, certain: Vec::new() }
}

fn trace(statements: Vec<Statement>) -> Trace {
    let new_relations = BTreeSet::from(["core.fresh".to_owned()]);
    Trace { label: "002_x".to_owned(), file: "", statements, new_relations, tables: Default::default() }
}

fn bounds(lower: f64, upper: f64) -> Option<Bounds> {
    Some(Bounds { lower, upper })
}

fn check(budget: Budget, trace: &Trace, times: Vec<Option<Bounds>>, expected: Expect) {
    let Judgement { beyond, needs_times } = judge(&budget, &[Judged { trace, times }]);
    expected.assert_eq(&format!("{}\nneeds times: {needs_times}", beyond.join("\n")));
}

const BOTH: Budget = Budget::new().with_blocks_writes_ms(Some(500)).with_blocks_reads_ms(Some(200));

#[test]
fn a_lock_is_held_to_the_end_of_its_transaction() {
    let trace = trace(vec![
        statement(1, 1, &[("a", LockMode::ShareRowExclusive, false)]),
        statement(2, 1, &[("a", LockMode::AccessExclusive, false)]),
        statement(3, 1, &[]),
        statement(4, 2, &[("a", LockMode::Share, false)]),
    ]);
    let times = vec![bounds(0.1, 0.2), bounds(0.1, 0.1), bounds(0.05, 0.3), bounds(0.1, 0.5)];
    check(
        BOTH,
        &trace,
        times,
        expect![[r#"
        002_x makes reads of core.a wait from statement 1 on for 150 ms to 400 ms; the budget allows 200 ms
        002_x makes writes to core.a wait from statement 1 on for 250 ms to 600 ms; the budget allows 500 ms
        needs times: false"#]],
    );
    check(
        BOTH,
        &trace,
        vec![bounds(0.01, 0.02); 4],
        expect![[r#"

        needs times: false"#]],
    );
}

#[test]
fn without_times_only_what_is_certain_counts() {
    let trace = trace(vec![statement(1, 1, &[("a", LockMode::AccessExclusive, false)]), statement(2, 1, &[])]);
    check(
        BOTH,
        &trace,
        Vec::new(),
        expect![[r#"

        needs times: true"#]],
    );
    check(
        BOTH,
        &trace,
        vec![None, bounds(3.0, 4.0)],
        expect![[r#"
        002_x makes reads of core.a wait from statement 1 on for at least 3.0 s; the budget allows 200 ms
        002_x makes writes to core.a wait from statement 1 on for at least 3.0 s; the budget allows 500 ms
        needs times: false"#]],
    );
    check(
        Budget::new().with_blocks_reads_ms(Some(0)),
        &trace,
        Vec::new(),
        expect![[r#"
        002_x makes reads of core.a wait from statement 1 on; the budget allows none
        needs times: false"#]],
    );
    check(
        Budget::new().with_rewrites(Some(0)),
        &trace,
        Vec::new(),
        expect![[r#"

        needs times: false"#]],
    );
}

#[test]
fn new_tables_and_indexes_are_no_rewrites_of_the_budget() {
    let strong = LockMode::AccessExclusive;
    let trace = trace(vec![
        statement(1, 1, &[("a", strong, true), ("a_pkey", strong, true), ("fresh", strong, true)]),
        statement(2, 2, &[("a", strong, true), ("b", strong, true)]),
    ]);
    let rewrites = |count| Budget::new().with_rewrites(Some(count));
    check(
        rewrites(1),
        &trace,
        Vec::new(),
        expect![[r#"
        2 tables are rewritten: core.a by statement 1 of 002_x, core.b by statement 2 of 002_x; the budget allows 1
        needs times: false"#]],
    );
    check(
        rewrites(2),
        &trace,
        Vec::new(),
        expect![[r#"

        needs times: false"#]],
    );
    let mut truncated = trace.clone();
    truncated.statements.iter_mut().for_each(|statement| statement.sql = "truncate\nx");
    check(
        rewrites(0),
        &truncated,
        Vec::new(),
        expect![[r#"

        needs times: false"#]],
    );
}
