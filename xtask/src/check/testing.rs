//! `cargo metadata` as the tests of the checks need it.

use cargo_metadata::Metadata;
use serde_json::{Value, json};

/// A package that is its own id.
pub(super) fn package(name: &str, targets: &[Value]) -> Value {
    json!({
        "name": name, "id": name, "version": "1.0.0", "dependencies": [], "targets": targets, "features": {},
        "manifest_path": format!("/w/{name}/Cargo.toml"),
    })
}

/// A workspace of these packages, of which some are its members.
pub(super) fn metadata(members: &[&str], packages: Vec<Value>, nodes: Vec<Value>) -> Metadata {
    let metadata = json!({
        "version": 1, "workspace_members": members, "packages": packages, "resolve": { "nodes": nodes, "root": null },
        "workspace_root": "/w", "target_directory": "/w/target",
    });
    serde_json::from_value(metadata).unwrap()
}
