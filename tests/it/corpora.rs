//! Real histories of public projects, where they are at hand: they are data of others and not part of this repository.
#![expect(clippy::print_stderr, reason = "an absent folder is said, not passed over in silence")]

use std::collections::BTreeSet;
use std::path::Path;

use crate::support::Project;

/// `broken`: the files whose down block can never have run: their authors' errors, which a build names.
fn applies_from_zero(history: &str, migrations: usize, broken: &[&str]) {
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
    project.file("migrator.toml", "[history]\nschema = \"ops\"\n");
    let problems = migrator_build::load(&project.db()).unwrap_err().0;
    let errors = problems.iter().filter(|problem| problem.severity == migrator_build::Severity::Error);
    let files: BTreeSet<&str> = errors.map(|problem| problem.file.rsplit('/').next().unwrap()).collect();
    assert_eq!(files.into_iter().collect::<Vec<_>>(), broken, "{problems:?}");
    for file in broken {
        let path = project.db().join("migrations").join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(path, &text[..text.find("-- migrate:down").unwrap()]).unwrap();
    }
    let output = project.run(&["up", "--quiet"]);
    assert!(output.starts_with("exit 0"), "{output}");
    assert_eq!(project.query("SELECT count(*) FROM ops.schema_migrations"), format!("{migrations}\n"));
    let again = project.run(&["up", "--quiet"]);
    assert!(again.contains("nothing to apply"), "{again}");
    assert!(project.run(&["status", "--check"]).starts_with("exit 0"));
}

#[test]
fn the_history_of_crates_io_applies_from_zero() {
    let broken = ["000132_downloads_need_no_id.sql", "000225_remove-downloads-column.sql"];
    applies_from_zero("crates-io", 285, &broken);
}

#[test]
fn the_history_of_zksync_applies_from_zero() {
    let broken = [
        "000005_transactions_new_mempool.sql",
        "000041_support_eip1559.sql",
        "000054_add_proof_aggregations.sql",
        "000055_add_proof_result.sql",
        "000057_add_circuit_id_to_proofs.sql",
        "000074_events-tx-initiator-address.sql",
        "000165_snapshots_applier_processed_chunks_format_change.sql",
        "000172_add_genesis_to_consensus_replica_state.sql",
        "000217_gateway_upgrade.sql",
        "000221_batch_chain_merkle_path.sql",
        "000242_add_dispatch_request_id.sql",
        "000256_indexes-for-finalization.sql",
    ];
    applies_from_zero("zksync-core", 269, &broken);
}
