use std::collections::BTreeSet;
use std::time::Duration;

use expect_test::expect;

use super::*;
use crate::prove::trace::Effect;
use migrator_sql::LockMode;

fn effect(relation: &str, lock: LockMode, scanned: bool) -> Effect {
    let mut effect = Effect::lock(relation.to_owned(), lock);
    (effect.taken, effect.scanned) = (true, scanned);
    effect
}

fn trace(statements: Vec<(usize, &'static str, f64, Vec<Effect>)>) -> Trace {
    let statement =
        |(index, (transaction, sql, seconds, effects)): (usize, (usize, &'static str, f64, Vec<Effect>))| {
            let took = Duration::from_secs_f64(seconds);
            trace::Statement {
                number: index + 1,
                line: 1,
                sql,
                took,
                transaction,
                polled: false,
                effects,
                certain: Vec::new(),
            }
        };
    let statements = statements.into_iter().enumerate().map(statement).collect();
    Trace { label: "x".to_owned(), file: "x", statements, new_relations: BTreeSet::new(), tables: Default::default() }
}

fn stats(rows: i64) -> Stats {
    let activity = r#"{"sequential_scans":60,"index_scans":540,"inserted":600,"updated":0,"deleted":1200}"#;
    let text = format!(
        r#"{{"format":1,"server":"15.18","major":15,"taken_at":"2026-11-26T22:00:00Z","database":"d","counted_minutes":10,
        "longest_transaction_seconds":0,"statements":null,"left_out":[],"tables":[
        {{"name":"s.t","kind":"table","rows":{rows},"pages":1,"bytes":null,"toast_bytes":0,"width":60,"activity":{activity},"indexes":[],"columns":[]}},
        {{"name":"s.new","kind":"table","rows":-1,"pages":0,"bytes":0,"toast_bytes":0,"width":null,"activity":{activity},"indexes":[],"columns":[]}}]}}"#
    );
    Stats::parse("stats.json", &text).unwrap_or_else(|error| panic!("{}", error.render(false)))
}

/// A change of the definition, an index under its lock, and one without; `seconds` for each million rows.
fn plan(rows: f64) -> Trace {
    let exclusive = LockMode::AccessExclusive;
    let seconds = rows / 1e6;
    trace(vec![
        (1, "ALTER TABLE s.t ADD COLUMN c int", 0.001, vec![effect("s.t", exclusive, false)]),
        (1, "UPDATE s.t SET c = 1", seconds, vec![effect("s.t", exclusive, true)]),
        (
            2,
            "ALTER TABLE s.t VALIDATE CONSTRAINT v",
            seconds,
            vec![effect("s.t", LockMode::ShareUpdateExclusive, true)],
        ),
        (3, "CREATE INDEX ON s.other (c)", 0.001, vec![effect("s.other", LockMode::Share, true)]),
        (3, "CREATE INDEX ON s.new (c)", 0.001, vec![effect("s.new", LockMode::Share, true)]),
    ])
}

fn forecast(rows: i64) -> String {
    let seen = [62_500, 250_000, 1_000_000].map(|rows| Seen {
        rows: BTreeMap::from([("s.t".to_owned(), rows)]),
        traces: vec![plan(rows as f64)],
        ..Seen::default()
    });
    let tables = ["s.t", "s.other", "s.new"].map(str::to_owned).into();
    let (stats, traces) = (stats(rows), [plan(0.0)]);
    let target = Target { ratio: Some(1.0), cache: 4e9 };
    let steps = Known { stats: &stats, traces: &traces, tables: &tables, seen: &seen, target }.steps();
    steps[0].lines().join("\n")
}

#[test]
fn a_lock_lasts_to_the_end_of_its_transaction_and_what_is_unknown_is_said() {
    expect![[r#"
        statement 1: AccessExclusiveLock on s.t for 6.6 s to 22 s; 120 calls a minute wait
        statement 3: scan, 6.6 s to 22 s; no one waits
        statement 4: ShareLock on s.other for an unknown time (s.other is not in the statistics); writes wait
        statement 5: ShareLock on s.new for an unknown time (s.new was never analyzed: `ANALYZE s.new`, then write the statistics again); 180 writes a minute wait"#]].assert_eq(&forecast(10_000_000));
}

#[test]
fn absurd_numbers_are_counted_on_and_not_believed_to_be_exact() {
    expect!["statement 1: AccessExclusiveLock on s.t for 7 years to 328 years; 120 calls a minute wait"]
        .assert_eq(forecast(1_000_000_000_000_000).lines().next().unwrap());
}
