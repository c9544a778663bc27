//! `ci` and `dist`.

use std::fs;

use expect_test::expect;
use xshell::cmd;

use crate::workspace::{STAND_IN, Workspace};

#[test]
fn dist_names_the_commit_and_writes_the_sums() {
    let workspace = Workspace::new().with_git();
    let shell = &workspace.shell;
    workspace.check(
        &mut workspace.xtask("dist --target x86_64-unknown-linux-gnu"),
        expect![[r#"
            exit 0
            --- stdout
            target/dist/migrator
            target/dist/plan.json
            target/dist/sbom.cdx.json
            target/dist/completions
            target/dist/man
            target/dist/migrator-0.1.0-x86_64-unknown-linux-gnu.tar.gz
            target/dist/SHA256SUMS
        "#]],
    );
    let run = || {
        let dist = workspace.path("target/dist");
        let _directory = shell.push_dir(&dist);
        cmd!(shell, "sha256sum --check --quiet SHA256SUMS").quiet().run().unwrap();
        cmd!(shell, "./migrator x").env_remove("DATABASE_URL").env_remove("PGHOST").quiet().read().unwrap()
    };
    let commit = cmd!(shell, "git rev-parse HEAD").quiet().read().unwrap();
    assert_eq!(run(), format!("x | - | - | {commit}"));
    workspace.write("db/seeds/test.sql", "SELECT 1;\n");
    assert!(workspace.xtask("dist").output().unwrap().status.success());
    assert_eq!(run(), format!("x | - | - | {commit}-dirty"));
}

#[test]
fn dist_makes_the_archive_of_the_tasks_where_they_are_a_package() {
    let workspace = Workspace::new();
    with_tasks(&workspace);
    workspace.write("xtask/LICENSE-MIT", "free");
    let shell = &workspace.shell;
    let made = || {
        let output = workspace.xtask("dist").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let said = String::from_utf8(output.stdout).unwrap();
        let archive = said.lines().find(|line| line.contains("migrator-xtask-")).unwrap().to_owned();
        (archive.clone(), fs::read(workspace.path(&archive)).unwrap())
    };
    let (archive, bytes) = made();
    let name = archive.strip_prefix("target/dist/").unwrap().strip_suffix(".tar.gz").unwrap();
    assert!(name.starts_with(concat!("migrator-xtask-", env!("CARGO_PKG_VERSION"), "-")), "{name}");
    cmd!(shell, "touch xtask/LICENSE-MIT xtask/src/main.rs").quiet().run().unwrap();
    assert!(made() == (archive.clone(), bytes), "the same files are the same archive");
    let _directory = shell.push_dir(workspace.path("target/dist"));
    cmd!(shell, "sha256sum --check --quiet SHA256SUMS").quiet().run().unwrap();
    cmd!(shell, "tar xzf {name}.tar.gz").quiet().run().unwrap();
    let program = workspace.path("target/dist").join(name).join("migrator-xtask");
    assert_eq!(cmd!(shell, "{program}").quiet().read().unwrap(), "the tasks");
    assert_eq!(fs::read_to_string(program.with_file_name("LICENSE-MIT")).unwrap(), "free");
    let output = workspace.xtask("dist --only-migrator").output().unwrap();
    assert!(!String::from_utf8(output.stdout).unwrap().contains("migrator-xtask-"));
}

#[test]
fn dist_says_which_program_names_a_folder_of_this_machine() {
    let workspace = Workspace::new();
    with_tasks(&workspace);
    let said = || {
        let output = workspace.xtask("dist").output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let said_of_us = said();
    assert!(!said_of_us.contains("names the folder"), "{said_of_us}");
    workspace.write("xtask/src/main.rs", "fn main() { println!(\"{}\", env!(\"CARGO_MANIFEST_DIR\")) }");
    let folder = workspace.folder.path().display();
    let expected = format!("the binary `migrator-xtask` names the folder `{folder}`");
    let said = said();
    assert!(said.contains(&expected), "{said}");
}

/// The package of the tasks, whose program says where it was built, unless that is for a release.
fn with_tasks(workspace: &Workspace) {
    workspace.write("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"migrator\", \"xtask\"]\n");
    workspace.package("xtask", "");
    let manifest = fs::read_to_string(workspace.path("xtask/Cargo.toml")).unwrap();
    workspace.write("xtask/Cargo.toml", &manifest.replace("name = \"xtask\"", "name = \"migrator-xtask\""));
    let main = r#"fn main() {
        let folder = match option_env!("MIGRATOR_DIST") { None => env!("CARGO_MANIFEST_DIR"), Some(_) => "" };
        println!("the tasks{folder}");
        if folder == file!() { panic!() }
    }"#;
    workspace.write("xtask/src/main.rs", main);
}

/// A stand-in whose places in memory name files: its own, and one that the build script has written.
fn with_places(workspace: &Workspace) {
    let main = STAND_IN.replace(
        "fn main() {",
        "include!(concat!(env!(\"OUT_DIR\"), \"/made.rs\"));\nfn main() { made(std::env::args().count());",
    );
    workspace.write("migrator/src/main.rs", &main);
    let build = fs::read_to_string(workspace.path("migrator/build.rs")).unwrap();
    let made = "fn made(n: usize) { if n > 99 { panic!(\"{n} at {}\", file!()) } }";
    let write = format!(
        "fn main() {{ std::fs::write(format!(\"{{}}/made.rs\", std::env::var(\"OUT_DIR\").unwrap()), {made:?}).unwrap();"
    );
    workspace.write("migrator/build.rs", &build.replace("fn main() {", &write));
}

/// The files of a release, by name.
fn released(workspace: &Workspace, epoch: &str) -> Vec<(String, Vec<u8>)> {
    let mut dist = workspace.xtask("dist");
    let output = dist.env("MIGRATOR_COMMIT", "c0ffee").env("SOURCE_DATE_EPOCH", epoch).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let (mut files, mut folders) = (Vec::new(), vec![workspace.path("target/dist")]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
                continue;
            }
            let name = entry.strip_prefix(workspace.path("target/dist")).unwrap().to_str().unwrap();
            files.push((name.to_owned(), fs::read(&entry).unwrap()));
        }
    }
    files.sort();
    files
}

#[test]
fn two_folders_give_the_same_bytes() {
    let workspaces = [(); 2].map(|()| Workspace::new());
    let [one, other] = workspaces.each_ref().map(|workspace| {
        with_places(workspace);
        with_tasks(workspace);
        released(workspace, "1700000000")
    });
    assert_ne!(workspaces[0].folder.path(), workspaces[1].folder.path());
    let names: Vec<&str> = one.iter().map(|(name, _)| &**name).collect();
    let of_readers = |name: &&&str| name.starts_with("completions/") || name.starts_with("man/man1/migrator");
    assert_eq!(names.iter().filter(|name| !of_readers(name)).count(), 6, "{names:?}");
    assert!(names.iter().filter(of_readers).count() > 25, "{names:?}");
    for ((name, bytes), (_, others)) in one.iter().zip(&other) {
        assert!(bytes == others, "{name} differs");
        let folder = workspaces[0].folder.path().display().to_string();
        assert!(!bytes.windows(folder.len()).any(|window| window == folder.as_bytes()), "{name} names its folder");
    }
    let later = released(&workspaces[0], "1800000000");
    let is_archive = |(name, _): &&(String, Vec<u8>)| name.ends_with(".tar.gz");
    assert_ne!(one.iter().find(is_archive), later.iter().find(is_archive), "the archive has the time");
    assert_eq!(one.iter().find(|(name, _)| name == "migrator"), later.iter().find(|(name, _)| name == "migrator"));
}

#[test]
fn a_release_says_what_is_inside() {
    let workspace = Workspace::new();
    workspace.write("db/.hidden.sql", "SELECT 1;");
    let files = released(&workspace, "0");
    let of = |wanted: &str| &files.iter().find(|(name, _)| name == wanted).unwrap().1;
    let plan: serde_json::Value = serde_json::from_slice(of("plan.json")).unwrap();
    assert_eq!((&plan["release"], &plan["commit"]), (&"0.1.0".into(), &"c0ffee".into()));
    assert_eq!(plan["steps"][0]["version"], "001");
    assert!(plan["steps"][0]["sql"].as_str().unwrap().contains("CREATE TABLE users"));
    assert_eq!(plan["plan_digest"].as_str().unwrap().len(), 64);
    let sbom: serde_json::Value = serde_json::from_slice(of("sbom.cdx.json")).unwrap();
    assert_eq!((&sbom["bomFormat"], &sbom["specVersion"]), (&"CycloneDX".into(), &"1.5".into()));
    assert_eq!(sbom["metadata"]["component"]["name"], "migrator");
    let sums = String::from_utf8(of("SHA256SUMS").clone()).unwrap();
    let sum = sums.lines().find_map(|line| line.strip_suffix("  migrator")).unwrap();
    assert_eq!(sbom["metadata"]["component"]["hashes"][0]["content"], sum);
    let (archive, _) = files.iter().find(|(name, _)| name.ends_with(".tar.gz")).unwrap();
    let shell = &workspace.shell;
    let _directory = shell.push_dir(workspace.path("target/dist"));
    let listed = cmd!(shell, "tar tzf {archive}").quiet().read().unwrap();
    let name = archive.strip_suffix(".tar.gz").unwrap();
    let scripts = ["_migrator", "_migrator.ps1", "migrator.bash", "migrator.elv", "migrator.fish"];
    let scripts = scripts.map(|script| format!("completions/{script}"));
    let others = ["db/migrations/001_init.sql", "migrator", "plan.json", "sbom.cdx.json"].map(str::to_owned);
    let mut expected: Vec<String> = scripts.iter().chain(&others).map(|file| format!("{name}/{file}")).collect();
    expected.sort();
    let (pages, rest): (Vec<&str>, Vec<&str>) =
        listed.lines().partition(|file| file.starts_with(&format!("{name}/man/man1/migrator")));
    assert_eq!(rest, expected);
    assert!(pages.contains(&&*format!("{name}/man/man1/migrator-up.1")) && pages.len() > 20, "{pages:?}");
    let text = |name: &str| String::from_utf8(of(name).clone()).unwrap();
    assert!(text("completions/migrator.bash").contains("complete -F _migrator"));
    assert!(text("man/man1/migrator-up.1").contains("migrator\\-up \\- Apply what is pending"));
    let refused = workspace.xtask("dist").env("SOURCE_DATE_EPOCH", "yesterday").output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("error: invalid SOURCE_DATE_EPOCH `yesterday`"), "{said}");
}

#[test]
fn dist_refuses_a_binary_that_can_drop_a_database() {
    let workspace = Workspace::new();
    workspace.write("migrator/src/main.rs", &STAND_IN.replace("COMMAND", "drop"));
    workspace.check(
        &mut workspace.xtask("dist"),
        expect![[r#"
            exit 9
            --- stderr
            no git commit found, so the binary names none
            help: set MIGRATOR_COMMIT
            error: the release binary has the command `drop`, which must not ship
        "#]],
    );
    assert!(!workspace.path("target/dist").exists());
}

#[test]
fn dist_refuses_a_binary_that_holds_what_only_tests_and_developers_need() {
    for (name, what) in [
        ("/* migrator-xtask drops */", "a statement that drops databases"),
        ("MIGRATOR_PLANTED_BUG", "the planted defects of the tests"),
    ] {
        let workspace = Workspace::new();
        let says_it = format!("fn main() {{ println!(\"{name}\");");
        workspace.write("migrator/src/main.rs", &STAND_IN.replace("fn main() {", &says_it));
        let output = workspace.xtask("dist").output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        let expected = format!("error: the release binary contains {what}, which must not ship: found `{name}`\n");
        assert_eq!(output.status.code(), Some(9));
        assert!(said.contains(&expected), "{said}");
        assert!(!workspace.path("target/dist").exists());
    }
}

/// The headings and the verdicts of a run, in order.
fn course(said: &str) -> Vec<&str> {
    let told = |line: &&str| ["=== ", "not run: ", "failed: "].iter().any(|start| line.starts_with(start));
    said.lines().filter(told).collect()
}

#[test]
fn ci_runs_every_step_even_after_one_that_failed() {
    let workspace = Workspace::new().with_git();
    let ci = |arguments: &str| {
        let output = workspace.xtask(&format!("ci --skip verify {arguments}")).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    cmd!(workspace.shell, "cargo generate-lockfile --offline").quiet().ignore_stderr().run().unwrap();
    cmd!(workspace.shell, "cargo fmt").quiet().run().unwrap();
    workspace.commit();
    let (code, said) = ci("");
    assert_eq!(code, Some(0), "{said}");
    // A finding of ours, a failing test, bad format, and a test that leaves a file behind.
    workspace.write("db/migrations/002_typo.sql", "-- migrate:up\nSELEC 1;\n-- migrate:down\n");
    workspace.write(
        "migrator/src/lib.rs",
        "#[test]   fn f() { std::fs::write(\"left\", \"\").unwrap(); panic!(\"never\") }\n",
    );
    let (code, said) = ci("");
    assert_eq!(code, Some(9), "{said}");
    assert_eq!(
        course(&said),
        [
            "=== cargo fmt --all --check",
            "=== cargo clippy --workspace --all-targets --locked -- -D warnings",
            "=== cargo test --workspace --locked --no-fail-fast",
            "=== cargo xtask check",
            "=== cargo xtask dump --check",
            "not run: there is no db/schema.sql; `cargo xtask dump` writes it",
            "=== cargo xtask docs --check",
            "not run: the workspace has no docs/book.toml",
            "=== cargo deny check licenses bans sources",
            "not run: the workspace has no deny.toml",
            "=== cargo package --locked --allow-dirty --no-verify --package migrator-build --package migrator-diagnostic --package migrator-engine \
             --package migrator-lint --package migrator-model --package migrator-postgres --package migrator-sql --package migrator-xtask",
            "not run: the workspace has none of migrator's libraries",
            "=== cargo check --manifest-path tests/fuzz/Cargo.toml --locked --target-dir target/fuzz",
            "not run: the workspace has no tests/fuzz",
            "failed: cargo fmt --all --check",
            "failed: cargo test --workspace --locked --no-fail-fast",
            "failed: cargo xtask check",
            "failed: the tree is as it was",
        ],
        "{said}"
    );
    assert!(said.contains("error: these files were changed or left behind:\n"), "{said}");
    assert!(said.contains("?? migrator/left\n"), "{said}");
    // What only a check of ours has found is its exit code.
    let (code, said) = ci("--skip fmt --skip clippy --skip test");
    assert_eq!((code, course(&said).last().copied()), (Some(1), Some("failed: cargo xtask check")), "{said}");
}

/// One list: the script installs what is missing, and runs what `cargo xtask ci` lists. Three of the steps it calls itself, under the
/// eyes of whoever reads it; those are the same commands.
#[test]
fn the_script_of_ci_runs_what_xtask_ci_lists() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../.ci/run");
    let script = std::fs::read_to_string(script).unwrap();
    let called: Vec<&str> = script
        .lines()
        .filter_map(|line| line.strip_prefix("step "))
        .filter(|line| line.starts_with("cargo "))
        .collect();
    let (rest, called): (Vec<&str>, Vec<&str>) = called.into_iter().partition(|line| line.starts_with("cargo xtask"));
    let [rest] = rest[..] else { panic!("one call of `cargo xtask ci`: {rest:?}") };
    let workspace = Workspace::new();
    let list = |line: &str| String::from_utf8(workspace.xtask(line).output().unwrap().stdout).unwrap();
    let of_xtask = list(&format!("{} --list", rest.strip_prefix("cargo xtask ").unwrap()));
    let all = list("ci --list");
    let together: Vec<&str> = called.iter().copied().chain(of_xtask.lines()).collect();
    assert_eq!(together, all.lines().collect::<Vec<_>>());
    assert!(called.iter().any(|line| line.starts_with("cargo test --workspace ")), "README's command: {called:?}");
}
