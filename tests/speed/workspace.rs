//! A workspace below target/ in which release migrators are built, one for each workload, and the floor.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

/// The repository that is measured.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("/"))
}

/// Everything that the measurement leaves; `cargo clean` removes it.
pub(crate) fn folder() -> PathBuf {
    repository().join("target/bench")
}

/// The folder of a workload or of another package of the workspace.
pub(crate) fn package(name: &str) -> PathBuf {
    folder().join("work").join(name)
}

/// Cargo in that workspace, with a target directory of its own.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // What cargo sets for its tests would change what it builds.
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("CARGO_") && name != "CARGO_HOME") {
        cargo.env_remove(name);
    }
    cargo.current_dir(folder().join("work")).env("CARGO_TARGET_DIR", folder().join("cargo")).stdin(Stdio::null());
    cargo
}

/// Writes the package that embeds the `db` of a workload's folder, unless it is there.
pub(crate) fn add_migrator(name: &str) -> Result<()> {
    let library = |name: &str| format!("{{ path = {:?} }}", repository().join("migrator").join(name));
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"1.0.0\"\nedition = \"2024\"\npublish = false\n\n[dependencies]\nmigrator-engine = {}\n\n\
         [build-dependencies]\nmigrator-build = {}\n",
        library("engine"),
        library("compile"),
    );
    add(
        name,
        &[
            ("Cargo.toml", &manifest),
            ("build.rs", "fn main() {\n    migrator_build::embed(\"db\");\n}\n"),
            ("src/main.rs", "migrator_engine::main!();\n"),
        ],
    )
}

/// The floor, from the sources of these tests.
pub(crate) fn add_floor() -> Result<()> {
    let manifest = format!(
        "[package]\nname = \"floor\"\nversion = \"1.0.0\"\nedition = \"2024\"\npublish = false\n\n[dependencies]\nanyhow = \"1\"\n\
         nix = {{ version = \"0.32\", default-features = false, features = [\"resource\"] }}\n\n\
         [[bin]]\nname = \"floor\"\npath = {:?}\n",
        repository().join("tests/src/bin/floor.rs")
    );
    add("floor", &[("Cargo.toml", &manifest)])
}

/// The benches of the libraries, over those that ship.
pub(crate) fn add_library_benches() -> Result<()> {
    let library = |name: &str| format!("{{ path = {:?} }}", repository().join("migrator").join(name));
    let manifest = format!(
        "[package]\nname = \"library\"\nversion = \"1.0.0\"\nedition = \"2024\"\npublish = false\nautolib = false\n\n\
         [lib]\npath = \"src/empty.rs\"\nbench = false\n\n[dev-dependencies]\n\
         criterion = {{ version = \"0.8\", default-features = false, features = [\"cargo_bench_support\"] }}\n\
         migrator-build = {}\nmigrator-engine = {}\nmigrator-sql = {}\ntempfile = \"3\"\n\n\
         [[bench]]\nname = \"library\"\nharness = false\npath = {:?}\n",
        library("compile"),
        library("engine"),
        library("sql"),
        repository().join("tests/benches/library.rs")
    );
    add("library", &[("Cargo.toml", &manifest), ("src/empty.rs", "")])
}

fn add(name: &str, files: &[(&str, &str)]) -> Result<()> {
    for (file, text) in files {
        write_if_new(&package(name).join(file), text)?;
    }
    let root = folder().join("work");
    let mut members = Vec::new();
    for entry in fs::read_dir(&root)? {
        let entry = entry?;
        if entry.path().join("Cargo.toml").is_file() {
            members.push(format!("{:?}", entry.file_name()));
        }
    }
    members.sort();
    let ours = fs::read_to_string(repository().join("Cargo.toml")).context("Cargo.toml")?;
    let (_, profile) = ours.split_once("[profile.release]").context("no profile for releases in Cargo.toml")?;
    let members = members.join(", ");
    let manifest = format!("[workspace]\nresolver = \"3\"\nmembers = [{members}]\n\n[profile.release]{profile}");
    write_if_new(&root.join("Cargo.toml"), &manifest)?;
    // The versions that the repository is built with.
    let lock = root.join("Cargo.lock");
    if !lock.exists() {
        fs::copy(repository().join("Cargo.lock"), &lock).context("Cargo.lock")?;
    }
    Ok(())
}

/// A file with the same text keeps its time, and cargo what it has built.
fn write_if_new(path: &Path, text: &str) -> Result<()> {
    if fs::read_to_string(path).is_ok_and(|there| there == text) {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::write(path, text).with_context(|| path.display().to_string())
}

/// Builds a package in release and returns its program.
pub(crate) fn build(name: &str) -> Result<PathBuf> {
    let status = cargo().args(["build", "--quiet", "--release", "--package", name]).status().context("cargo")?;
    ensure!(status.success(), "the package `{name}` in {} does not build", folder().join("work").display());
    Ok(folder().join("cargo/release").join(name))
}
