//! One change of every kind of fact, in both directions.

use std::collections::BTreeSet;
use std::sync::Mutex;

use expect_test::expect;
use migrator_xtask::author::diff::{Catalog, Draft, Proof, Reached, Set};
use migrator_xtask::developer::Context;
use migrator_xtask::engine::facts::diff;
use migrator_xtask::engine::{ConnectionTarget, Embedded, Terminal};

use super::each::MORE;
use crate::drift::{everything, injected::DRIFTS};
use crate::support::{query_on, server};

/// A context on a database of the shared server.
pub(super) fn on(embedded: &'static Embedded, database: &str) -> Context {
    let target = ConnectionTarget::read(Some(&server().url(database)), |_| None).unwrap();
    Context::new(embedded, Terminal::silent(), target, None)
}

pub(super) async fn read(embedded: &'static Embedded, database: &str) -> Catalog {
    let context = on(embedded, database);
    let connection = context.migrator.open(&context.target).await.unwrap();
    let tables = context.migrator.tables();
    Catalog::read(&connection, &context.target, &tables, server().program_directory()).await.unwrap()
}

fn said(reached: &Reached) -> String {
    match reached {
        Reached::Same(true) => "exact".to_owned(),
        Reached::Same(false) => "another order of columns".to_owned(),
        Reached::Untried => "not tried".to_owned(),
        Reached::Failed(error) => {
            error.lines().filter(|line| line.contains("[")).map(str::trim).collect::<Vec<_>>().join(" ")
        }
        Reached::Other(differences) => {
            let one =
                |one: &migrator_xtask::engine::facts::Difference| format!("{} {} {}", one.kind, one.object, one.part);
            format!("remains: {}", differences.iter().map(one).collect::<Vec<_>>().join(", "))
        }
    }
}

pub(super) fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// The kinds of which something comes or goes, and those of which something changes.
#[derive(Default)]
struct Seen {
    comes: BTreeSet<String>,
    changes: BTreeSet<String>,
}

/// From one database to another and back, on a copy of the first.
fn proof(
    embedded: &'static Embedded,
    (from, before): (&str, &Catalog),
    to: &str,
    seen: &Mutex<Seen>,
) -> Result<Proof, String> {
    let after = block_on(read(embedded, to));
    for one in diff(before.facts(), after.facts()) {
        let mut seen = seen.lock().unwrap();
        let kinds = if one.word() == "changed" { &mut seen.changes } else { &mut seen.comes };
        kinds.insert(one.kind);
    }
    let draft = Draft::between(before, &after, true);
    let names: Vec<_> =
        (2..).map(|number| (format!("{number:03}"), "change".to_owned())).take(draft.files.len()).collect();
    if names.is_empty() {
        return Err("nothing is known to do".to_owned());
    }
    let set = Set::new(embedded, &names, &draft.files, "a change").map_err(|error| format!("{error:#}"))?;
    let copy = format!("{to}_copy");
    query_on("postgres", &format!("CREATE DATABASE {copy} TEMPLATE {from}"));
    let proof = block_on(set.prove(&on(set.embedded, &copy), before.facts(), after.facts()));
    query_on("postgres", &format!("DROP DATABASE {copy} WITH (FORCE)"));
    proof.map_err(|error| error.render(false))
}

/// What does not come out exact; `None`: everything does.
fn judged(
    embedded: &'static Embedded,
    from: (&str, &Catalog),
    (number, change): (usize, &str),
    seen: &Mutex<Seen>,
) -> Option<String> {
    let changed = format!("{}_wanted_{number}", from.0);
    query_on("postgres", &format!("CREATE DATABASE {changed} TEMPLATE {}", from.0));
    query_on(&changed, &change.replace("CURRENT_ONE", &changed));
    let shown: String = change.chars().take(70).collect();
    let proof = proof(embedded, from, &changed, seen);
    query_on("postgres", &format!("DROP DATABASE {changed} WITH (FORCE)"));
    match proof {
        Ok(proof) if proof.up.is_same() && proof.down.is_same() => None,
        Ok(proof) => Some(format!("{shown}\n  up: {}\n  down: {}", said(&proof.up), said(&proof.down))),
        Err(error) => Some(format!("{shown}\n  {error}")),
    }
}

/// The changes that do not come out exact, and why; several are tried at once.
pub(super) fn refused(embedded: &'static Embedded, database: &str, changes: &[&str]) -> Vec<String> {
    refused_and_seen(embedded, database, changes).0
}

fn refused_and_seen(embedded: &'static Embedded, database: &str, changes: &[&str]) -> (Vec<String>, Seen) {
    let seen = Mutex::default();
    let before = block_on(read(embedded, database));
    let next = Mutex::new(changes.iter().enumerate());
    let refused = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                loop {
                    let Some((number, change)) = next.lock().unwrap().next() else { break };
                    let line = judged(embedded, (database, &before), (number, change), &seen);
                    refused.lock().unwrap().extend(line.map(|line| (number, line)));
                }
            });
        }
    });
    let mut refused = refused.into_inner().unwrap();
    refused.sort();
    (refused.into_iter().map(|(_, line)| line).collect(), seen.into_inner().unwrap())
}

#[test]
fn a_change_of_each_kind_is_written_or_refused_by_name() {
    let project = everything();
    project.file(
        "migrations/001_a.sql",
        "-- migrate:up\nCREATE TABLE public.a (id int);\n\n-- migrate:down\nDROP TABLE public.a;\n",
    );
    let embedded = migrator_tests::load(&project.db()).unwrap().0.set().unwrap();
    let changes: Vec<&str> = DRIFTS
        .iter()
        .map(|(change, _)| *change)
        .filter(|change| !change.contains("OWNER TO") && !change.contains("SUBSCRIPTION"))
        .chain(MORE.iter().copied())
        .collect();
    let (refused, seen) = refused_and_seen(embedded, project.database(), &changes);
    let text = format!("{} of {} changes are refused\n{}", refused.len(), changes.len(), refused.join("\n"));
    expect![[r#"
        4 of 118 changes are refused
        ALTER TABLE app.child NO INHERIT app.parent
          up: exact
          down: remains: column app.child a
        UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'app.orders_
          up: remains: index app.orders orders_note
          down: | ^ index "orders_note" does not exist [42704]
        ALTER TYPE app.mood RENAME VALUE 'ok' TO 'fine'
          up: |                  ^ invalid input value for enum app.mood: "ok" [22P02]
          down: not tried
        DROP VIEW app.happy; DROP POLICY own ON app.people; ALTER TABLE app.pe
          up: | ^ collation "plain" for encoding "UTF8" already exists [42710]
          down: not tried"#]]
    .assert_eq(&text);
    let missing = |seen: &BTreeSet<String>| {
        let kinds = migrator_build::FACT_KINDS.iter().filter(|kind| !seen.contains(**kind)).copied();
        kinds.collect::<Vec<_>>().join(", ")
    };
    expect![[r#"
        none comes or goes: owner, security-label, subscription
        none changes: owner, schema, security-label, setting, subscription, transform, user-mapping
    "#]]
    .assert_eq(&format!("none comes or goes: {}\nnone changes: {}\n", missing(&seen.comes), missing(&seen.changes)));
}
