//! What the release binary is made of, as a CycloneDX document.
//!
//! A writer of our own: the libraries for it bring XML, dates and random numbers, and a document that is other bytes each time.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use cargo_metadata::{Metadata, MetadataCommand, Package};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::workspace::{Workspace, cargo};

/// The document about a binary of a package, for a platform.
///
/// # Errors
/// cargo cannot say what the package depends on.
pub(super) fn write(workspace: &Workspace, package: &str, target: &str, binary: &[u8]) -> Result<Vec<u8>> {
    let metadata = MetadataCommand::new()
        .cargo_path(cargo().get_program())
        .current_dir(&workspace.root)
        .other_options(["--filter-platform".to_owned(), target.to_owned()])
        .exec()
        .context("failed to run `cargo metadata`")?;
    let Some(root) = metadata.workspace_packages().into_iter().find(|member| member.name == package) else {
        bail!("the workspace has no package `{package}`");
    };
    let inside = tree(workspace, package, target)?;
    let lock = std::fs::read_to_string(workspace.root.join("Cargo.lock")).unwrap_or_default();
    let document = document(&metadata, root, &inside, &checksums(&lock), binary);
    let mut text = serde_json::to_vec_pretty(&document).context("failed to write the SBOM")?;
    text.push(b'\n');
    Ok(text)
}

/// Names and versions of what is compiled into a package, with the features that this build has.
fn tree(workspace: &Workspace, package: &str, target: &str) -> Result<BTreeSet<(String, String)>> {
    let output = cargo()
        .current_dir(&workspace.root)
        .args(["tree", "--package", package, "--target", target, "--edges", "normal", "--prefix", "none"])
        .args(["--no-dedupe", "--format", "{p}"])
        .output()
        .context("failed to run `cargo tree`")?;
    if !output.status.success() {
        bail!("`cargo tree` failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let named = |line: &str| {
        let (name, rest) = line.split_once(" v")?;
        Some((name.to_owned(), rest.split(' ').next()?.to_owned()))
    };
    Ok(text.lines().filter_map(named).collect())
}

/// SHA-256 of the packages that a registry has, by name and version, as Cargo.lock has them.
fn checksums(lock: &str) -> BTreeMap<(String, String), String> {
    let Ok(lock) = lock.parse::<toml_edit::DocumentMut>() else { return BTreeMap::new() };
    let packages = lock.get("package").and_then(|packages| packages.as_array_of_tables());
    let sum = |table: &toml_edit::Table| {
        let text = |key: &str| table.get(key).and_then(|value| value.as_str()).map(str::to_owned);
        Some(((text("name")?, text("version")?), text("checksum")?))
    };
    packages.into_iter().flatten().filter_map(sum).collect()
}

fn document(
    metadata: &Metadata,
    root: &Package,
    inside: &BTreeSet<(String, String)>,
    checksums: &BTreeMap<(String, String), String>,
    binary: &[u8],
) -> Value {
    let key = |package: &Package| (package.name.to_string(), package.version.to_string());
    let mut packages: Vec<&Package> =
        metadata.packages.iter().filter(|package| inside.contains(&key(package))).collect();
    packages.sort_by_key(|package| key(package));
    let known: BTreeMap<_, _> = packages.iter().map(|package| (&package.id, reference(package))).collect();
    let nodes = metadata.resolve.iter().flat_map(|resolve| &resolve.nodes);
    let depends = |package: &Package| -> Vec<&String> {
        let node = nodes.clone().find(|node| node.id == package.id);
        let on: BTreeSet<&String> =
            node.into_iter().flat_map(|node| &node.dependencies).filter_map(|id| known.get(id)).collect();
        on.into_iter().collect()
    };
    let others = || packages.iter().filter(|package| package.id != root.id);
    let components: Vec<Value> = others().map(|package| component(package, checksums.get(&key(package)))).collect();
    let dependencies: Vec<Value> =
        packages.iter().map(|package| json!({ "ref": reference(package), "dependsOn": depends(package) })).collect();
    let mut made = component(root, Some(&hex::encode(Sha256::digest(binary))));
    made["type"] = "application".into();
    let body = json!({ "component": made, "components": components, "dependencies": dependencies });
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": format!("urn:uuid:{}", uuid(body.to_string().as_bytes())),
        "version": 1,
        "metadata": { "component": body["component"] },
        "components": body["components"],
        "dependencies": body["dependencies"],
    })
}

fn component(package: &Package, sha256: Option<&String>) -> Value {
    let mut component = json!({
        "type": "library",
        "bom-ref": reference(package),
        "name": package.name.to_string(),
        "version": package.version.to_string(),
    });
    // A package of the workspace is on no registry.
    if package.source.is_some() {
        component["purl"] = reference(package).into();
    }
    if let Some(license) = &package.license {
        // What cargo still takes for `OR` is no SPDX expression.
        component["licenses"] = json!([{ "expression": license.replace('/', " OR ") }]);
    }
    if let Some(sum) = sha256 {
        component["hashes"] = json!([{ "alg": "SHA-256", "content": sum }]);
    }
    if let Some(repository) = &package.repository {
        component["externalReferences"] = json!([{ "type": "vcs", "url": repository }]);
    }
    component
}

/// The package as a purl, which is also its name within the document.
fn reference(package: &Package) -> String {
    format!("pkg:cargo/{}@{}", package.name, package.version.to_string().replace('+', "%2B"))
}

/// A name for these bytes, in the form of a UUID that is made of a hash.
fn uuid(bytes: &[u8]) -> String {
    let mut hash: [u8; 16] = [0; 16];
    hash.copy_from_slice(&Sha256::digest(bytes)[..16]);
    hash[6] = hash[6] & 0x0f | 0x80;
    hash[8] = hash[8] & 0x3f | 0x80;
    let hex = hex::encode(hash);
    [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| &hex[part]).join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksums_are_those_of_the_lock_file() {
        let lock = "version = 4\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nchecksum = \"beef\"\n[[package]]\nname = \"own\"\nversion = \"0.1.0\"\n";
        let expected = BTreeMap::from([(("a".to_owned(), "1.0.0".to_owned()), "beef".to_owned())]);
        assert_eq!(checksums(lock), expected);
        assert!(checksums("no lock").is_empty());
    }

    #[test]
    fn the_same_bytes_have_the_same_name() {
        assert_eq!(uuid(b"a"), uuid(b"a"));
        assert_ne!(uuid(b"a"), uuid(b"b"));
        let name = uuid(b"a");
        assert_eq!((name.len(), &name[14..15]), (36, "8"), "{name}");
    }
}
