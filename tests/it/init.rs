//! `init` in workspaces of every shape: what it writes builds and migrates, and a second run changes nothing.

mod baseline;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use expect_test::{Expect, expect};
use migrator_postgres::Cluster;

use crate::support::not_tested;
use crate::workspace::{Workspace, files, repository};

/// A folder of a workspace, its cargo workspace or not.
struct Place {
    workspace: Workspace,
    folder: &'static str,
}

impl Place {
    fn new(name: &str, files: &[(&str, &str)]) -> Place {
        Place::below(name, "", files)
    }

    /// The cargo workspace is in a folder.
    fn below(name: &str, folder: &'static str, files: &[(&str, &str)]) -> Place {
        let files: Vec<_> = files.iter().map(|(path, text)| (PathBuf::from(path), text.as_bytes().to_vec())).collect();
        let place = Place { workspace: Workspace::of(name, &files), folder };
        if !folder.is_empty() {
            fs::rename(place.workspace.path("Cargo.lock"), place.path("Cargo.lock")).unwrap();
            Cluster::of_workspace(&place.path("")).unwrap().destroy().unwrap();
        }
        place
    }

    fn path(&self, path: &str) -> PathBuf {
        self.workspace.path(self.folder).join(path)
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }

    fn init(&self, line: &str) -> String {
        let mut init = self.workspace.program(env!("CARGO_BIN_EXE_xtask"));
        init.arg("init").args(line.split_whitespace()).current_dir(self.path(""));
        let output = self.workspace.run(init.arg("--path").arg(repository()).env_remove("CARGO"));
        // An unchanged empty line of a difference is a space.
        output.lines().map(|line| format!("{}\n", line.trim_end())).collect()
    }

    fn cargo(&self, line: &str) -> String {
        self.workspace.run(self.workspace.cargo(line).current_dir(self.path("")))
    }

    /// Everything that is there, without what cargo and the server leave.
    fn all(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut all = files(&self.workspace.path(""));
        all.retain(|(path, _)| {
            !path.components().any(|part| [".git", ".dev", "target"].iter().any(|left| part.as_os_str() == *left))
        });
        all.sort();
        all
    }

    fn git(&self, line: &str) {
        let status = self.workspace.program("git").args(line.split(' ')).current_dir(self.workspace.path("")).status();
        assert!(status.unwrap().success(), "git {line}");
    }

    /// What was written builds, migrates and is checked, and a second run changes nothing.
    fn works(&self) {
        let before = self.all();
        let again = self.init("--yes");
        assert!(again.contains("nothing to change"), "{again}");
        assert!(before == self.all(), "a second run changes nothing");
        let up = self.cargo("xtask migrate up");
        assert!(up.starts_with("exit 0") && up.contains("nothing to apply"), "{up}");
        let new = self.cargo("xtask new create_customers");
        assert!(new.contains("db/migrations/001_create_customers.sql"), "{new}");
        let sql = "-- Purpose: customers\n-- migrate:up\nCREATE TABLE customers (id bigint);\n\n-- migrate:down\nDROP TABLE customers;\n";
        fs::write(self.path("db/migrations/001_create_customers.sql"), sql).unwrap();
        let up = self.cargo("xtask migrate up");
        assert!(up.starts_with("exit 0") && up.contains("applied 001_create_customers"), "{up}");
        let check = self.cargo("xtask check");
        assert!(check.starts_with("exit 0") && check.contains("nothing found"), "{check}");
        let before = self.all();
        let again = self.init("--yes");
        assert!(again.starts_with("exit 0") && again.contains("nothing to change"), "{again}");
        assert!(before == self.all(), "a run after the first migration changes nothing");
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.workspace.path(".git"));
        if !self.folder.is_empty() {
            let destroyed = Cluster::of_workspace(&self.path("")).and_then(|cluster| cluster.destroy());
            if !std::thread::panicking() {
                destroyed.unwrap();
            }
        }
    }
}

const BACKEND: &str = "[package]\nname = \"backend\"\nversion = \"2.0.0\"\nedition = \"2024\"\n";

#[test]
fn a_virtual_workspace() {
    let manifest = "# The shop.\r\n[workspace]\r\nresolver = \"3\"\r\nmembers = [\r\n    \"backend\", # alone\r\n]\r\n\r\n[workspace.package]\r\nversion = \"2.0.0\"\r\n";
    let place = Place::new(
        "init_virtual",
        &[("Cargo.toml", manifest), ("backend/Cargo.toml", BACKEND), ("backend/src/lib.rs", "")],
    );
    expect![[r#"
        exit 0
        --- stdout
        --- /dev/null
        +++ db/README.md
        @@ -0,0 +1,1100 @@
        +# The db directory
        +
        +The database, as SQL. To change the schema, add a file here. The files are compiled into the migrator binary,
        +and a mistake in one of them is a build error with file, line, column and a code. The [codes](#problems-and-their-codes) are listed
        +at the end of this page.
        +
        +    migrations/     what changes the schema, each file once, in the order of the versions
        +    repeatable/     roles, policies, views, functions: applied again whenever their content changes
        ... 1092 more lines
        --- /dev/null
        +++ db/migrator.toml
        @@ -0,0 +1,5 @@
        +# Settings of this db directory, compiled into the migrator. Every key is optional; README.md lists them with their defaults.
        +
        +[check]
        +# Comment headers that every migration must have above its up marker.
        +required_headers = ["Purpose"]
        --- /dev/null
        +++ db/migrations/.gitkeep
        --- /dev/null
        +++ migrator/Cargo.toml
        @@ -0,0 +1,11 @@
        +[package]
        +name = "migrator"
        +version.workspace = true
        +edition = "2024"
        +publish = false
        +
        +[dependencies]
        +migrator-engine = { path = "../../../../../migrator/engine" }
        +
        +[build-dependencies]
        +migrator-build = { path = "../../../../../migrator/compile" }
        --- /dev/null
        +++ migrator/build.rs
        @@ -0,0 +1,3 @@
        +fn main() {
        +    migrator_build::embed("../db");
        +}
        --- /dev/null
        +++ migrator/src/main.rs
        @@ -0,0 +1,1 @@
        +migrator_engine::main!();
        --- /dev/null
        +++ .cargo/config.toml
        @@ -0,0 +1,2 @@
        +[alias]
        +xtask = "run --package xtask --"
        --- /dev/null
        +++ xtask/Cargo.toml
        @@ -0,0 +1,8 @@
        +[package]
        +name = "xtask"
        +version.workspace = true
        +edition = "2024"
        +publish = false
        +
        +[dependencies]
        +migrator-xtask = { path = "../../../../../xtask" }
        --- /dev/null
        +++ xtask/src/main.rs
        @@ -0,0 +1,3 @@
        +fn main() -> std::process::ExitCode {
        +    migrator_xtask::main()
        +}
        --- /dev/null
        +++ .gitignore
        @@ -0,0 +1,4 @@
        +/target
        +/.dev
        +/.env
        +/.env.*
        --- Cargo.toml
        +++ Cargo.toml
        @@ -3,6 +3,8 @@
         resolver = "3"
         members = [
             "backend", # alone
        +    "migrator",
        +    "xtask",
         ]

         [workspace.package]
    "#]].assert_eq(&place.init("--dry-run"));
    expect![[r#"
        exit 2
        --- stderr
        error: `init` asks before it writes, but there is no terminal to ask
        help: pass `--yes`, or `--dry-run` to write nothing
    "#]]
    .assert_eq(&without_diff(&place.init("")));
    assert_eq!(place.read("Cargo.toml"), manifest);
    expect![[r#"
        exit 0
        --- stderr
        wrote db/README.md, db/migrator.toml, db/migrations/.gitkeep, migrator/Cargo.toml, migrator/build.rs, migrator/src/main.rs, .cargo/config.toml, xtask/Cargo.toml, xtask/src/main.rs, Cargo.toml, .gitignore
        next: `cargo xtask new NAME` writes a migration, `cargo xtask up` applies it to the database `init_virtual_dev` on the workspace's own PostgreSQL; the first build takes minutes
    "#]].assert_eq(&without_diff(&place.init("--yes")));
    expect![[r##"
        # The shop.<CR>
        [workspace]<CR>
        resolver = "3"<CR>
        members = [<CR>
            "backend", # alone<CR>
            "migrator",<CR>
            "xtask",<CR>
        ]<CR>
        <CR>
        [workspace.package]<CR>
        version = "2.0.0"<CR>
    "##]]
    .assert_eq(&place.read("Cargo.toml").replace('\r', "<CR>"));
    assert!(place.read("migrator/Cargo.toml").contains("\nversion.workspace = true\n"));
    place.works();
}

/// Without the difference, which the dry run has shown.
fn without_diff(output: &str) -> String {
    let (head, rest) = output.split_once("--- stdout\n").unwrap();
    let (_, messages) = rest.split_once("--- stderr\n").unwrap();
    format!("{head}--- stderr\n{messages}")
}

#[test]
fn a_root_package_with_members() {
    let manifest = "[package]\nname = \"shop\"\nversion = \"1.0.0\"\nedition = \"2024\"\n\n[workspace]\nmembers = [\"crates/*\"]\n";
    let place = Place::new(
        "init_root",
        &[
            ("Cargo.toml", manifest),
            ("src/lib.rs", ""),
            ("crates/backend/Cargo.toml", BACKEND),
            ("crates/backend/src/lib.rs", ""),
            (".gitignore", "target\n.env"),
        ],
    );
    place.git("init --quiet");
    expect![[r#"
        --- exit 0
        --- Cargo.toml
        +++ Cargo.toml
        @@ -4,4 +4,4 @@
         edition = "2024"

         [workspace]
        -members = ["crates/*"]
        +members = ["crates/*", "migrator", "xtask"]
        --- .gitignore
        +++ .gitignore
        @@ -1,2 +1,3 @@
         target
        -.env
        \ No newline at end of file
        +.env
        +/.env.*
        --- stderr
        wrote db/README.md, db/migrator.toml, db/migrations/.gitkeep, migrator/Cargo.toml, migrator/build.rs, migrator/src/main.rs, .cargo/config.toml, xtask/Cargo.toml, xtask/src/main.rs, Cargo.toml, .gitignore
        next: `cargo xtask new NAME` writes a migration, `cargo xtask up` applies it to the database `init_root_dev` on the workspace's own PostgreSQL; the first build takes minutes

    "#]].assert_eq(&edits(&place.init("--yes")));
    assert!(!place.path(".github").exists());
    place.works();
}

/// What is shown of files that were there.
fn edits(output: &str) -> String {
    let files = output.split("\n--- ").filter(|file| !file.starts_with("/dev/null") && !file.starts_with("stdout"));
    files.map(|file| format!("--- {file}\n")).collect()
}

#[test]
fn a_workspace_with_an_xtask_of_its_own() {
    let main = "//! Tasks.\n\nuse std::error::Error;\n\nfn main() -> Result<(), Box<dyn Error>> {\n    match std::env::args().nth(1).as_deref() {\n        Some(\"codegen\") => println!(\"generated\"),\n        Some(\"ci\") => return Err(\"red\".into()),\n        _ => println!(\"usage: codegen, ci\"),\n    }\n    Ok(())\n}\n";
    let place = Place::new(
        "init_xtask",
        &[
            ("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"tools/xtask\"]\n"),
            (
                "tools/xtask/Cargo.toml",
                "[package]\nname = \"xtask\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\n",
            ),
            ("tools/xtask/src/main.rs", main),
            (".cargo/config.toml", "[alias]\nxtask = \"run --quiet -p xtask --\"\n"),
        ],
    );
    let output = place.init("--yes --ci github");
    expect![[r#"
        --- exit 0
        --- tools/xtask/Cargo.toml
        +++ tools/xtask/Cargo.toml
        @@ -4,3 +4,4 @@
         edition = "2024"

         [dependencies]
        +migrator-xtask = { path = "../../../../../../xtask" }
        --- tools/xtask/src/main.rs
        +++ tools/xtask/src/main.rs
        @@ -3,6 +3,9 @@
         use std::error::Error;

         fn main() -> Result<(), Box<dyn Error>> {
        +    if let Some(code) = migrator_xtask::intercept(&["ci"]) {
        +        std::process::exit(code);
        +    }
             match std::env::args().nth(1).as_deref() {
                 Some("codegen") => println!("generated"),
                 Some("ci") => return Err("red".into()),
        --- Cargo.toml
        +++ Cargo.toml
        @@ -1,3 +1,3 @@
         [workspace]
         resolver = "3"
        -members = ["tools/xtask"]
        +members = ["tools/xtask", "migrator"]
        --- stderr
        `cargo xtask` has `ci` of its own, which stay what they are; ours are `cargo xtask migrator ci`, ...
        wrote db/README.md, db/migrator.toml, db/migrations/.gitkeep, migrator/Cargo.toml, migrator/build.rs, migrator/src/main.rs, tools/xtask/Cargo.toml, tools/xtask/src/main.rs, Cargo.toml, .gitignore, .github/workflows/migrations.yml
        next: `cargo xtask new NAME` writes a migration, `cargo xtask up` applies it to the database `init_xtask_dev` on the workspace's own PostgreSQL; the first build takes minutes

    "#]].assert_eq(&edits(&output));
    assert!(place.read(".github/workflows/migrations.yml").contains("run: cargo xtask check --base"));
    place.works();
    expect![[r#"
        exit 0
        --- stdout
        generated
    "#]]
    .assert_eq(&place.cargo("xtask codegen"));
    expect![[r#"
        exit 1
        --- stderr
        Error: "red"
    "#]]
    .assert_eq(&place.cargo("xtask ci"));
    expect![[r#"
        exit 0
        --- stdout
        usage: codegen, ci
    "#]]
    .assert_eq(&place.cargo("xtask"));
    let ours = place.cargo("xtask migrator ci --list");
    assert!(ours.starts_with("exit 0") && ours.contains("cargo xtask verify"), "{ours}");
    expect![[r#"
        exit 2
        --- stderr
        error: unrecognized subcommand 'stats'

          tip: a similar subcommand exists: 'status'

        Usage: cargo xtask migrator <COMMAND>

        For more information, try '--help'.
    "#]]
    .assert_eq(&place.cargo("xtask migrator stats"));
    expect![[r#"
        exit 2
        --- stderr
        error: cannot drop: all data in `init_xtask_dev` on SERVER will be lost, and there is no terminal to ask
          = help: pass --yes
    "#]]
    .assert_eq(&place.cargo("xtask migrate drop"));
}

#[test]
fn a_workspace_in_a_folder_of_a_larger_repository() {
    let place = Place::below(
        "init_monorepo",
        "services/shop",
        &[
            (".github/CODEOWNERS", ""),
            (".gitignore", ".env*\n"),
            (
                "services/shop/Cargo.toml",
                "[package]\nname = \"shop\"\nversion = \"1.0.0\"\nedition = \"2024\"\n\n[workspace]\n",
            ),
            ("services/shop/src/lib.rs", ""),
        ],
    );
    place.git("init --quiet");
    let output = place.init("--yes");
    expect![[r#"
        --- exit 0
        --- Cargo.toml
        +++ Cargo.toml
        @@ -4,3 +4,4 @@
         edition = "2024"

         [workspace]
        +members = ["migrator", "xtask"]
        --- stderr
        wrote db/README.md, db/migrator.toml, db/migrations/.gitkeep, migrator/Cargo.toml, migrator/build.rs, migrator/src/main.rs, .cargo/config.toml, xtask/Cargo.toml, xtask/src/main.rs, Cargo.toml, .gitignore, ../../.github/workflows/migrations.yml
        next: `cargo xtask new NAME` writes a migration, `cargo xtask up` applies it to the database `shop_dev` on the workspace's own PostgreSQL; the first build takes minutes

    "#]].assert_eq(&edits(&output));
    assert_eq!(place.read(".gitignore"), "/target\n/.dev\n");
    let workflow = fs::read_to_string(place.workspace.path(".github/workflows/migrations.yml")).unwrap();
    assert!(workflow.contains("working-directory: 'services/shop'"), "{workflow}");
    place.works();
}

#[track_caller]
fn refused(place: &Place, expected: Expect) {
    let before = place.all();
    expected.assert_eq(&place.init("--yes"));
    assert!(before == place.all(), "nothing was written");
}

#[test]
fn what_stands_in_the_way_is_named_and_nothing_is_written() {
    let place = Place::new(
        "init_refused",
        &[
            ("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"migrator\"]\n"),
            ("migrator/Cargo.toml", &BACKEND.replace("backend", "migrator")),
            ("migrator/src/lib.rs", ""),
        ],
    );
    refused(
        &place,
        expect![[r#"
        exit 9
        --- stderr
        error: the workspace has a package `migrator`, `migrator/Cargo.toml`, that is not ours: the tasks build the package of this name
        help: rename that package, and run this again
    "#]],
    );
    fs::write(place.path("Cargo.toml"), "[workspace]\nmembers = []\n").unwrap();
    fs::remove_dir_all(place.path("migrator")).unwrap();
    fs::write(place.path("migrator"), "").unwrap();
    refused(
        &place,
        expect![[r#"
        exit 9
        --- stderr
        error: `<root>/migrator` is not a directory
        help: rename it, and run this again
    "#]],
    );
    fs::remove_file(place.path("migrator")).unwrap();
    let outside = tempfile::tempdir().unwrap();
    symlink(outside.path(), place.path("db")).unwrap();
    let said = place.init("--yes").replace(&fs::canonicalize(&outside).unwrap().display().to_string(), "<outside>");
    expect![[r#"
        exit 9
        --- stderr
        error: `<root>/db` is a link to `<outside>`, outside of `<root>`: nothing is written through it
        help: replace it by a directory or a file, and run this again
    "#]]
    .assert_eq(&said);
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
    fs::remove_file(place.path("db")).unwrap();
    fs::write(place.path("Cargo.toml"), "[workspace\n").unwrap();
    assert!(place.init("--yes").starts_with("exit 9"));
    fs::remove_file(place.path("Cargo.toml")).unwrap();
}

#[test]
fn a_directory_that_cannot_be_written_is_named() {
    let place = Place::new("init_readonly", &[("Cargo.toml", "[workspace]\nmembers = []\n")]);
    // Root writes everywhere but into what is mounted read-only.
    let script = "mount --bind \"$1\" \"$1\" && mount -o remount,ro,bind \"$1\" && cd \"$1\" && exec \"$0\" init --yes --path \"$2\"";
    let mut unshare = place.workspace.program("unshare");
    unshare.args(["--mount", "sh", "-c", script, env!("CARGO_BIN_EXE_xtask")]).arg(place.path("")).arg(repository());
    if !unshare.output().is_ok_and(|output| output.status.code() == Some(9)) {
        not_tested("a read-only directory: this user may not mount one");
        return;
    }
    expect![[r#"
        exit 9
        --- stderr
        error: failed to write `db/README.md`: Read-only file system (os error 30)
          nothing was written
        help: make way for it, and run this again: it goes on with what is missing
    "#]]
    .assert_eq(&without_diff(&place.workspace.run(&mut unshare)));
    assert_eq!(place.read("Cargo.toml"), "[workspace]\nmembers = []\n");
}
