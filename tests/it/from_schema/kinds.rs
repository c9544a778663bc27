//! One change of every kind of fact, in both directions.

use std::sync::Mutex;

use expect_test::expect;
use migrator_xtask::author::diff::{Catalog, Draft, Proof, Reached, Set};
use migrator_xtask::developer::Context;
use migrator_xtask::engine::{ConnectionTarget, Embedded, Terminal};

use crate::drift::{everything, injected::DRIFTS};
use crate::support::{Project, query_on, server};

/// A context on a database of the shared server.
fn on(embedded: &'static Embedded, database: &str) -> Context {
    let target = ConnectionTarget::read(Some(&server().url(database)), |_| None).unwrap();
    Context::new(embedded, Terminal::silent(), target, None)
}

async fn read(embedded: &'static Embedded, database: &str) -> Catalog {
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
        Reached::Failed(error) => error.lines().filter(|line| line.contains("[")).map(str::trim).collect::<Vec<_>>().join(" "),
        Reached::Other(differences) => {
            let one = |one: &migrator_xtask::engine::facts::Difference| format!("{} {} {}", one.kind, one.object, one.part);
            format!("remains: {}", differences.iter().map(one).collect::<Vec<_>>().join(", "))
        }
    }
}

/// From one database to another and back, on a copy of the first.
fn way(embedded: &'static Embedded, from: &str, to: &str, copy: &str) -> Result<Proof, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let both = async { (read(embedded, from).await, read(embedded, to).await) };
    let (before, after) = runtime.block_on(both);
    let draft = Draft::between(&before, &after, true);
    let names: Vec<_> =
        (2..).map(|number| (format!("{number:03}"), "change".to_owned())).take(draft.files.len()).collect();
    if names.is_empty() {
        return Err("nothing found".to_owned());
    }
    let set = Set::new(embedded, &names, &draft.files, "a change").map_err(|error| format!("{error:#}"))?;
    query_on("postgres", &format!("CREATE DATABASE {copy} TEMPLATE {from}"));
    let context = on(set.embedded, copy);
    let proof = runtime.block_on(set.prove(&context, before.facts(), after.facts()));
    query_on("postgres", &format!("DROP DATABASE {copy} WITH (FORCE)"));
    proof.map_err(|error| error.render(false))
}

/// What does not come out exact, both ways.
fn judged(project: &Project, embedded: &'static Embedded, number: usize, change: &str) -> Vec<String> {
    let changed = format!("{}_wanted_{number}", project.database());
    query_on("postgres", &format!("CREATE DATABASE {changed} TEMPLATE {}", project.database()));
    query_on(&changed, &change.replace("CURRENT_ONE", &changed));
    let shown: String = change.chars().take(70).collect();
    let mut lines = Vec::new();
    for (word, from, to) in [("made", project.database(), changed.as_str()), ("undone", changed.as_str(), project.database())] {
        let copy = format!("{changed}_{word}");
        match way(embedded, from, to, &copy) {
            Ok(proof) if matches!((&proof.up, &proof.down), (Reached::Same(_), Reached::Same(_))) => {}
            Ok(proof) => lines.push(format!("{shown}: {word}: up {}; down {}", said(&proof.up), said(&proof.down))),
            Err(error) => lines.push(format!("{shown}: {word}: {error}")),
        }
    }
    query_on("postgres", &format!("DROP DATABASE {changed} WITH (FORCE)"));
    lines
}

#[test]
fn a_change_of_each_kind_is_written_or_refused_by_name() {
    let project = everything();
    project.file("migrations/001_a.sql", "-- migrate:up\nCREATE TABLE public.a (id int);\n\n-- migrate:down\nDROP TABLE public.a;\n");
    let embedded = migrator_tests::load(&project.db()).unwrap().0.set().unwrap();
    let changes: Vec<&str> = DRIFTS.iter().map(|(change, _)| *change).filter(|change| !change.contains("OWNER TO") && !change.contains("SUBSCRIPTION")).collect();
    let next = Mutex::new(changes.iter().enumerate());
    let refused = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let Some((number, change)) = next.lock().unwrap().next() else { break };
                    let lines = judged(&project, embedded, number, change);
                    refused.lock().unwrap().push((number, lines));
                }
            });
        }
    });
    let mut refused = refused.into_inner().unwrap();
    refused.sort();
    let lines: Vec<String> = refused.into_iter().flat_map(|(_, lines)| lines).collect();
    let text = format!("{} of {} ways\n{}", lines.len(), 2 * changes.len(), lines.join("\n"));
    expect![[""]].assert_eq(&text);
}
