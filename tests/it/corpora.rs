//! Real histories of public projects, where they are at hand: they are data of others and not part of this repository.
#![expect(clippy::print_stderr, reason = "an absent folder is said, not passed over in silence")]

use std::path::Path;

use crate::support::Project;

/// Files up to `start_after` are older than the check: down blocks that can never have run are warnings there.
fn applies_from_zero(history: &str, migrations: usize) {
    let source =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpora/histories").join(history).join("migrations");
    if !source.is_dir() {
        eprintln!("the corpora are not here: the history of {history} was not applied");
        return;
    }
    let project = Project::new();
    for entry in std::fs::read_dir(&source).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), project.db().join("migrations").join(entry.file_name())).unwrap();
    }
    // One of them drops a table that is called as our history is by default.
    project.file("migrator.toml", "[history]\nschema = \"ops\"\n[check]\nstart_after = \"000300\"\n");
    let output = project.run(&["up", "--quiet"]);
    assert!(output.starts_with("exit 0"), "{output}");
    assert_eq!(project.query("SELECT count(*) FROM ops.schema_migrations"), format!("{migrations}\n"));
    let again = project.run(&["up", "--quiet"]);
    assert!(again.contains("nothing to apply"), "{again}");
    assert!(project.run(&["status", "--check"]).starts_with("exit 0"));
}

#[test]
fn the_history_of_crates_io_applies_from_zero() {
    applies_from_zero("crates-io", 285);
}

#[test]
fn the_history_of_zksync_applies_from_zero() {
    applies_from_zero("zksync-core", 269);
}

#[test]
fn the_migrations_of_another_tool_are_named_once() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpora/foreign");
    if !source.is_dir() {
        eprintln!("the corpora are not here: the layouts of other tools were not looked at");
        return;
    }
    for (tool, folder) in [
        ("refinery", "arroyo/crates/arroyo-api/migrations"),
        ("Diesel", "chirpstack/chirpstack/migrations_postgres"),
        ("Diesel", "crates-io/migrations"),
        ("sqlx", "svix/server/svix-server/migrations"),
        ("sqlx", "zksync-prover/prover/crates/lib/prover_dal/migrations"),
        ("sqlx", "zksync-core/core/lib/dal/migrations"),
        ("golang-migrate", "harbor/make/migrations/postgresql"),
        ("goose", "ncps/migrations/postgres"),
        ("tern", "clomonitor/database/migrations/schema"),
        ("Flyway", "marquez/api/src/main/resources/marquez/db/migration"),
    ] {
        let root = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(source.join(folder), root.path().join("migrations")).unwrap();
        let problems = migrator_build::load(root.path()).unwrap_err().0;
        let [problem] = problems.as_slice() else { panic!("{folder}: {problems:#?}") };
        assert!(problem.code.as_str() == "M008" && problem.message.contains(tool), "{problem}");
    }
}
