//! What the libraries cost without a database, over 100, 1,000 and 10,000 migrations: lexing, reading with checksums, planning.
//!
//! `cargo bench -p migrator-tests --bench library`; `cargo xtask bench --only library` runs the same over the libraries that ship.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use migrator_engine::Embedded;
use migrator_engine::history::{Direction, History};
use migrator_engine::plan::{Target, survey, up};

const COUNTS: [usize; 3] = [100, 1_000, 10_000];

fn statements(n: usize) -> String {
    format!(
        "CREATE TABLE t{n} (id bigint PRIMARY KEY, name text NOT NULL DEFAULT 'it''s', at timestamptz);\n\
         CREATE INDEX t{n}_name ON t{n} (name) WHERE at IS NOT NULL -- what is looked for\n"
    )
}

fn file(n: usize) -> String {
    format!("-- migrate:up\n{};\n\n-- migrate:down\nDROP TABLE t{n};\n", statements(n))
}

fn lexing(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("lexing");
    for count in COUNTS {
        let files: Vec<String> = (1..=count).map(file).collect();
        group.bench_with_input(BenchmarkId::from_parameter(count), &files, |bencher, files| {
            bencher.iter(|| files.iter().map(|text| migrator_sql::lex(black_box(text)).tokens.len()).sum::<usize>());
        });
    }
}

/// Blocks, statements, rules and the checksums over their tokens: one file that long, as reading each by itself would measure the start of
/// a thread.
fn checksums(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("reading with checksums");
    for count in COUNTS {
        let statements: String = (1..=count).map(|n| format!("{};\n", statements(n))).collect();
        let text = format!("-- migrate:up\n{statements}\n-- migrate:down\nDROP TABLE t;\n");
        let read = |text: &String| migrator_build::load_file("migrations/001_t.sql", text.as_bytes()).is_ok();
        assert!(read(&text), "the file has mistakes");
        group.bench_with_input(BenchmarkId::from_parameter(count), &text, |bencher, text| {
            bencher.iter(|| read(black_box(text)));
        });
    }
}

/// So many migrations; for the life of the program, as they are in a migrator.
fn set(count: usize) -> &'static Embedded {
    let folder = tempfile::TempDir::new().expect("a temporary directory");
    let migrations = folder.path().join("migrations");
    std::fs::create_dir(&migrations).expect("an empty directory");
    for n in 1..=count {
        std::fs::write(migrations.join(format!("{n:06}_t{n}.sql")), file(n)).expect("room for a file");
    }
    match migrator_build::load(folder.path()) {
        Ok(loaded) => Box::leak(Box::new(loaded.set)),
        Err(problems) => panic!("{problems}"),
    }
}

/// A history in which the first so many are applied.
fn history(set: &Embedded, applied: usize) -> History {
    let mut history = History::default();
    (history.exists, history.complete) = (true, true);
    for migration in set.migrations.iter().take(applied) {
        history.record(Direction::Up, (&migration.version, &migration.name, &migration.checksum));
    }
    history
}

fn planning(criterion: &mut Criterion) {
    let sets = COUNTS.map(|count| (count, set(count)));
    for (name, share) in [("all pending", 0), ("half applied", 1), ("none pending", 2)] {
        let mut group = criterion.benchmark_group(format!("planning, {name}"));
        for (count, set) in sets {
            let history = history(set, count * share / 2);
            group.bench_with_input(BenchmarkId::from_parameter(count), &history, |bencher, history| {
                bencher.iter(|| up(set, black_box(history), Target::Newest, false).expect("it fits").steps.len());
            });
        }
    }
    let mut group = criterion.benchmark_group("survey, half applied");
    for (count, set) in sets {
        let history = history(set, count / 2);
        group.bench_with_input(BenchmarkId::from_parameter(count), &history, |bencher, history| {
            bencher.iter(|| survey(set, black_box(history)).entries.len());
        });
    }
}

fn short() -> Criterion {
    let criterion = Criterion::default().sample_size(10);
    criterion.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1))
}

criterion_group! {
    name = benches;
    config = short();
    targets = lexing, checksums, planning
}
criterion_main!(benches);
