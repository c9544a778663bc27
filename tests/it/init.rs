//! `init` in workspaces of every shape: what it writes builds and migrates, and a second run changes nothing.

mod baseline;
mod halfway;
mod place;
mod refused;
mod releases;
mod said;

use std::fs;

use expect_test::{expect, expect_file};

use place::{BACKEND, Place, without_diff};

#[test]
fn a_virtual_workspace() {
    let manifest = "# The shop.\r\n[workspace]\r\nresolver = \"3\"\r\nmembers = [\r\n    \"backend\", # alone\r\n]\r\n\r\n[workspace.package]\r\nversion = \"2.0.0\"\r\n";
    let place = Place::new(
        "init_virtual",
        &[("Cargo.toml", manifest), ("backend/Cargo.toml", BACKEND), ("backend/src/lib.rs", "")],
    );
    expect_file!["init/virtual.txt"].assert_eq(&place.init("--dry-run"));
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
        wrote into `<root>`: db/README.md, db/migrator.toml, db/migrations/.gitkeep, migrator/build.rs, migrator/src/main.rs, migrator/Cargo.toml, .cargo/config.toml, xtask/src/main.rs, xtask/Cargo.toml, .gitignore, Cargo.toml
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
        <CR>
        # What the tasks and the migrator's build script share is compiled once, not once for each.<CR>
        [profile.dev.build-override]<CR>
        debug = true<CR>
    "##]]
    .assert_eq(&place.read("Cargo.toml").replace('\r', "<CR>"));
    assert!(place.read("migrator/Cargo.toml").contains("\nversion.workspace = true\n"));
    place.works();
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
        --- .gitignore
        +++ .gitignore
        @@ -1,2 +1,4 @@
         target
        -.env
        \ No newline at end of file
        +.env
        +/.dev
        +/.env.*
        --- Cargo.toml
        +++ Cargo.toml
        @@ -4,4 +4,8 @@
         edition = "2024"

         [workspace]
        -members = ["crates/*"]
        +members = ["crates/*", "migrator", "xtask"]
        +
        +# What the tasks and the migrator's build script share is compiled once, not once for each.
        +[profile.dev.build-override]
        +debug = true
        --- stderr
        wrote into `<root>`: db/README.md, db/migrator.toml, db/migrations/.gitkeep, migrator/build.rs, migrator/src/main.rs, migrator/Cargo.toml, .cargo/config.toml, xtask/src/main.rs, xtask/Cargo.toml, .gitignore, Cargo.toml
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
        @@ -1,3 +1,7 @@
         [workspace]
         resolver = "3"
        -members = ["tools/xtask"]
        +members = ["tools/xtask", "migrator"]
        +
        +# What the tasks and the migrator's build script share is compiled once, not once for each.
        +[profile.dev.build-override]
        +debug = true
        --- stderr
        `cargo xtask` has `ci` of its own, which stay what they are; ours are `cargo xtask migrator ci`, ...
        warning: .github/workflows/migrations.yml will fail: the dependencies are in `<repository>`, outside of the repository, which is all that a workflow checks out
        help: depend on them with `--git` or `--registry`, or keep the clone in the repository
        wrote into `<root>`: db/README.md, db/migrator.toml, db/migrations/.gitkeep, migrator/build.rs, migrator/src/main.rs, migrator/Cargo.toml, tools/xtask/Cargo.toml, tools/xtask/src/main.rs, .gitignore, .github/workflows/migrations.yml, Cargo.toml
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
        error: unrecognized command `statu`
        help: did you mean `cargo xtask migrator status`?
    "#]]
    .assert_eq(&place.cargo("xtask migrator statu"));
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
    let path = ".github/workflows/migrations.yml";
    assert!(!place.workspace.path(path).exists(), "the libraries are not in the repository");
    let warned = place.init("--yes --ci github");
    assert!(
        warned
            .contains("\nwarning: .github/workflows/migrations.yml will fail: the dependencies are in `<repository>`"),
        "{warned}"
    );
    expect![[r#"
        --- exit 0
        --- Cargo.toml
        +++ Cargo.toml
        @@ -4,3 +4,8 @@
         edition = "2024"

         [workspace]
        +members = ["migrator", "xtask"]
        +
        +# What the tasks and the migrator's build script share is compiled once, not once for each.
        +[profile.dev.build-override]
        +debug = true
        --- stderr
        left out: .github/workflows/migrations.yml: the dependencies are in `<repository>`, outside of the repository, which is all that a workflow checks out
        help: depend on them with `--git` or `--registry`, or keep the clone in the repository; `--ci github` writes it all the same
        wrote into `<root>/services/shop`: db/README.md, db/migrator.toml, db/migrations/.gitkeep, migrator/build.rs, migrator/src/main.rs, migrator/Cargo.toml, .cargo/config.toml, xtask/src/main.rs, xtask/Cargo.toml, .gitignore, Cargo.toml
        next: `cargo xtask new NAME` writes a migration, `cargo xtask up` applies it to the database `shop_dev` on the workspace's own PostgreSQL; the first build takes minutes

    "#]].assert_eq(&edits(&output));
    assert_eq!(place.read(".gitignore"), "/target\n/.dev\n");
    let workflow = fs::read_to_string(place.workspace.path(path)).unwrap();
    assert!(workflow.contains("working-directory: 'services/shop'"), "{workflow}");
    place.works();
}
