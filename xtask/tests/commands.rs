//! The binary, called in small workspaces with a stand-in for the migrator: no registry, no engine, hence quick.

#![expect(clippy::unwrap_used, reason = "a failed step of a test is a failed test, also in its helpers")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, UNIX_EPOCH};

use expect_test::{Expect, expect};
use migrator_xtask::postgres::Cluster;
use xshell::{Shell, cmd};

/// Answers like the real one as far as xtask asks, and shows what it was called with.
const STAND_IN: &str = r#"
fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let variable = |name| std::env::var(name).unwrap_or("-".into());
    match arguments.join(" ").as_str() {
        "version --json" => println!("{{\"digest\": \"{}\"}}", env!("DIGEST")),
        "--help" => println!("Usage: migrator\n\nCommands:\n  up      Apply\n  COMMAND  x\n\nOptions:\n  --x"),
        "create --if-missing" => {
            if let Ok(file) = std::env::var("CREATED") {
                std::fs::write(file, variable("DATABASE_URL")).unwrap();
            }
        }
        "exit" => std::process::exit(7),
        line => println!(
            "{line} | {} | {} | {} | {} | {}",
            variable("DATABASE_URL"),
            variable("PGHOST"),
            variable("MIGRATOR_WORKSPACE_DATA_DIRECTORY"),
            if cfg!(feature = "dev") { "dev" } else { "release" },
            option_env!("MIGRATOR_COMMIT").unwrap_or("dev"),
        ),
    }
}
"#;

/// Like migrator_build::embed: looks again when a time in the directory says so.
const BUILD: &str = r#"
fn main() {
    println!("cargo::rerun-if-changed=../db");
    println!("cargo::rustc-env=DIGEST={}", std::fs::read_to_string("../digest").unwrap());
}
"#;

struct Workspace {
    folder: tempfile::TempDir,
    shell: Shell,
}

impl Workspace {
    fn new() -> Workspace {
        let folder = tempfile::Builder::new().prefix("shop").tempdir().unwrap();
        let shell = Shell::new().unwrap();
        shell.change_dir(folder.path());
        let workspace = Workspace { folder, shell };
        workspace.write("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"migrator\"]\n");
        workspace.write(".gitignore", "/target\n/.dev\nCargo.lock\n");
        workspace.package("migrator", "[features]\ndev = []\n");
        workspace.write("migrator/src/main.rs", STAND_IN);
        workspace.write("migrator/build.rs", BUILD);
        workspace.migration("001_init", "CREATE TABLE users (id bigint);");
        workspace.embed();
        workspace
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        fs::create_dir_all(self.path(path).parent().unwrap()).unwrap();
        fs::write(self.path(path), text).unwrap();
    }

    fn package(&self, name: &str, rest: &str) {
        self.write(
            &format!("{name}/Cargo.toml"),
            &format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n{rest}"),
        );
        self.write(&format!("{name}/src/lib.rs"), "");
    }

    fn migration(&self, name: &str, up: &str) {
        self.write(
            &format!("db/migrations/{name}.sql"),
            &format!("-- Purpose: x\n-- migrate:up\n{up}\n-- migrate:down\n"),
        );
    }

    /// What the real build script would compute.
    fn embed(&self) {
        let digest = migrator_build::load(&self.path("db")).unwrap().set.digest;
        self.write("digest", &digest);
    }

    fn commit(&self) {
        let shell = &self.shell;
        let name = ["-c", "user.name=x", "-c", "user.email=x@x"];
        cmd!(shell, "git add --all").quiet().run().unwrap();
        cmd!(shell, "git {name...} commit --quiet --message x").quiet().run().unwrap();
    }

    fn with_git(self) -> Workspace {
        let shell = &self.shell;
        cmd!(shell, "git init --quiet --initial-branch main").quiet().run().unwrap();
        self.commit();
        self
    }

    fn xtask(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.args(line.split_whitespace()).current_dir(self.folder.path()).stdin(Stdio::null());
        for name in ["DATABASE_URL", "CARGO_TARGET_DIR", "MIGRATOR_COMMIT", "NO_COLOR", "CLICOLOR_FORCE", "PG_OS_USER"]
        {
            command.env_remove(name);
        }
        command
    }

    /// stdout, stderr and exit code in one text, without what differs from run to run.
    fn check(&self, command: &mut Command, expected: Expect) {
        let output = command.output().unwrap();
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let root = fs::canonicalize(self.folder.path()).unwrap();
        let mut text = format!("exit {}\n", output.status.code().unwrap());
        // Other tests use cargo at the same time.
        let err: String =
            err.lines().filter(|line| !line.contains("Blocking waiting for")).map(|line| format!("{line}\n")).collect();
        for (name, part) in [("stdout", &*out), ("stderr", &err)] {
            if !part.is_empty() {
                text.push_str(&format!("--- {name}\n{}\n", part.trim_end().replace(root.to_str().unwrap(), "<root>")));
            }
        }
        expected.assert_eq(&text);
    }
}

#[test]
fn new_writes_the_next_file_from_any_folder_and_prints_its_path() {
    let workspace = Workspace::new();
    workspace.check(
        workspace.xtask("new add_users_locale").current_dir(workspace.path("db/migrations")),
        expect![[r#"
            exit 0
            --- stdout
            002_add_users_locale.sql
        "#]],
    );
    expect![[r#"
        -- Purpose: add users locale
        -- migrate:up


        -- migrate:down

    "#]]
    .assert_eq(&fs::read_to_string(workspace.path("db/migrations/002_add_users_locale.sql")).unwrap());
    workspace.check(
        &mut workspace.xtask("new roles --template repeatable"),
        expect![[r#"
            exit 0
            --- stdout
            db/repeatable/roles.sql
        "#]],
    );
    workspace.check(
        &mut workspace.xtask("new roles --template repeatable"),
        expect![[r#"
            exit 9
            --- stderr
            error: failed to write the new file `db/repeatable/roles.sql`: File exists (os error 17)
        "#]],
    );
    workspace.check(
        &mut workspace.xtask("new x --template nothing"),
        expect![[r#"
            exit 2
            --- stderr
            error: there is no template `nothing`
            help: the templates are `backfill`, `extension`, `index`, `repeatable`, `versioned`
        "#]],
    );
}

#[test]
fn outside_a_workspace_it_says_so() {
    let workspace = Workspace::new();
    fs::remove_file(workspace.path("Cargo.toml")).unwrap();
    workspace.check(
        &mut workspace.xtask("new x"),
        expect![[r#"
            exit 9
            --- stderr
            error: no cargo workspace around the current directory: could not find `Cargo.toml` in `<root>` or any parent directory
        "#]],
    );
}

#[test]
fn migrate_passes_arguments_environment_and_exit_code_through() {
    let workspace = Workspace::new();
    workspace.write(".env", "DATABASE_URL=postgresql://from/env\nPGHOST=elsewhere\n");
    workspace.write(".env.test", "DATABASE_URL=postgresql://from/test\n");
    workspace.check(
        &mut workspace.xtask("migrate status --check --json"),
        expect![[r#"
            exit 0
            --- stdout
            status --check --json | postgresql://from/env | elsewhere | - | dev | dev
        "#]],
    );
    workspace.check(
        &mut workspace.xtask("up --to 3 --env test"),
        expect![[r#"
            exit 0
            --- stdout
            up --to 3 | postgresql://from/test | elsewhere | - | dev | dev
        "#]],
    );
    workspace.check(
        workspace.xtask("up").env("DATABASE_URL", "postgresql://real"),
        expect![[r#"
            exit 0
            --- stdout
            up | postgresql://real | elsewhere | - | dev | dev
        "#]],
    );
    workspace.check(
        &mut workspace.xtask("migrate exit"),
        expect![[r#"
            exit 7
        "#]],
    );
}

#[test]
fn migrate_refuses_a_binary_with_other_sql_than_the_directorys() {
    let workspace = Workspace::new();
    workspace.write("digest", "stale");
    let digest = migrator_build::load(&workspace.path("db")).unwrap().set.digest;
    let output = workspace.xtask("migrate version").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap().replace(&digest, "<digest>");
    assert_eq!(output.status.code(), Some(9));
    expect![[r#"
        error: the migrator was built from other SQL than `<root>/db` holds (digest stale, expected <digest>)
        help: the package `migrator` needs a build.rs with `migrator_build::embed("../db")`; if it has one, `cargo clean --package migrator`
    "#]]
    .assert_eq(&said.replace(fs::canonicalize(workspace.folder.path()).unwrap().to_str().unwrap(), "<root>"));
}

#[test]
fn migrate_builds_again_when_a_changed_file_looks_old() {
    let workspace = Workspace::new();
    let run = || workspace.xtask("migrate version").output().unwrap();
    assert!(run().status.success());
    workspace.migration("001_init", "CREATE TABLE users (id text);");
    workspace.embed();
    for path in ["db/migrations/001_init.sql", "db/migrations", "db"] {
        fs::File::open(workspace.path(path)).unwrap().set_modified(UNIX_EPOCH + Duration::from_secs(1)).unwrap();
    }
    let output = run();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn migrate_shows_a_build_failure_as_cargo_does() {
    let workspace = Workspace::new();
    workspace.write("migrator/src/main.rs", "fn main() { wrong() }");
    let output = workspace.xtask("up").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(9), "{said}");
    assert!(said.contains("error[E0425]: cannot find function `wrong` in this scope"), "{said}");
    assert!(said.contains("--> migrator/src/main.rs:1:13"), "{said}");
}

/// Destroys the workspace's cluster, also when the test fails.
struct Destroyed(Cluster);

impl Drop for Destroyed {
    fn drop(&mut self) {
        self.0.destroy().unwrap();
        fs::remove_dir_all(self.0.data_directory().parent().unwrap()).unwrap();
    }
}

#[test]
fn without_a_database_url_migrate_starts_the_workspaces_own_server_and_creates_the_database() {
    let workspace = Workspace::new();
    let cluster = Destroyed(Cluster::of_workspace(workspace.folder.path()).unwrap());
    let created = workspace.path("created");
    let mut command = workspace.xtask("up");
    command.env("PGHOST", "production").env("MIGRATOR_WORKSPACE_DATA_DIRECTORY", "/other").env("CREATED", &created);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let url = fs::read_to_string(&created).unwrap();
    assert_eq!(
        String::from_utf8(output.stdout).unwrap().trim(),
        format!("up | {url} | - | {} | dev | dev", cluster.0.data_directory().display())
    );
    let printed = workspace.xtask("db url").output().unwrap();
    assert_eq!(String::from_utf8(printed.stdout).unwrap().trim(), url);
    assert!(url.ends_with(&format!("/{}", cluster.0.database())), "{url}");

    workspace.check(
        &mut workspace.xtask("db destroy"),
        expect![[r#"
            exit 2
            --- stderr
            error: `db destroy` asks before it deletes every database, and this is no terminal
            help: `--yes`
        "#]],
    );
    assert!(workspace.xtask("db destroy --yes").output().unwrap().status.success());
    workspace.check(
        &mut workspace.xtask("db status"),
        expect![[r#"
            exit 0
            --- stdout
            absent: `cargo xtask db start` creates it
        "#]],
    );
    workspace.check(
        &mut workspace.xtask("db url"),
        expect![[r#"
            exit 9
            --- stderr
            error: the workspace's PostgreSQL does not run
            help: `cargo xtask db start`
        "#]],
    );
}

#[test]
fn commands_that_do_not_connect_start_no_server() {
    let workspace = Workspace::new();
    let output = workspace.xtask("migrate list").env("PG_BIN", "/nonexistent").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let output = workspace.xtask("up").env("PG_BIN", "/nonexistent").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.starts_with("error: no PostgreSQL server in PG_BIN=`/nonexistent`"), "{said}");
    assert!(said.trim_end().lines().last().unwrap().starts_with("help: install the server"), "{said}");
}

#[test]
fn check_finds_nothing_in_a_clean_workspace_and_says_what_it_could_not_see() {
    let workspace = Workspace::new();
    workspace.check(
        &mut workspace.xtask("check"),
        expect![[r#"
        exit 0
        --- stdout
        not checked: append-only, as this is no git repository

        nothing found
    "#]],
    );
    let workspace = workspace.with_git();
    workspace.check(
        &mut workspace.xtask("check --json"),
        expect![[r#"
        exit 0
        --- stdout
        {"findings":[],"ok":true,"skipped":["append-only, as `origin/main` does not exist; name a base with --base"]}
    "#]],
    );
    workspace.check(
        &mut workspace.xtask("check --base nowhere"),
        expect![[r#"
        exit 9
        --- stderr
        error: the base `nowhere` is no commit of this repository
        help: `git fetch`, or name another
    "#]],
    );
}

#[test]
fn check_shows_every_problem_of_the_files() {
    let workspace = Workspace::new();
    workspace.write("db/migrations/1_twice.sql", "SELECT 1;\n");
    workspace.check(
        &mut workspace.xtask("check"),
        expect![[r#"
        exit 1
        --- stdout
        error[M006]: `001` and `1` are the same version: `db/migrations/001_init.sql` and `db/migrations/1_twice.sql`
        --> db/migrations/1_twice.sql
         = help: give the one that has not been applied anywhere a version of its own

        error[M010]: there is no `-- migrate:up`
        --> db/migrations/1_twice.sql
         = help: add `-- migrate:up`, or bring the files of another tool over with `cargo xtask import`

        not checked: append-only, as this is no git repository

        2 errors, 0 warnings
    "#]],
    );
}

#[test]
fn check_holds_the_migrations_of_the_base_branch() {
    let workspace = Workspace::new();
    for (name, up) in [("002_a", "SELECT 2;"), ("003_b", "SELECT 3;"), ("004_c", "SELECT 4;")] {
        workspace.migration(name, up);
    }
    let workspace = workspace.with_git();
    let shell = &workspace.shell;
    cmd!(shell, "git switch --quiet --create feature").quiet().run().unwrap();
    workspace.migration("001_init", "-- only a comment\nCREATE   TABLE users (id bigint);");
    workspace.migration("002_a", "SELECT 22;");
    fs::rename(workspace.path("db/migrations/003_b.sql"), workspace.path("db/migrations/003_z.sql")).unwrap();
    fs::remove_file(workspace.path("db/migrations/004_c.sql")).unwrap();
    workspace.migration("005_new", "SELECT 5;");
    let findings = |line: &str| {
        let output = workspace.xtask(line).output().unwrap();
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let messages = report["findings"].as_array().unwrap().iter().filter(|found| found["check"] == "append-only");
        let messages: Vec<_> = messages.map(|found| found["message"].as_str().unwrap().to_owned()).collect();
        (output.status.code(), messages.join("\n"))
    };
    let expected = expect![[r#"
        `002_a.sql` is in `origin/main` and what its up block executes was changed
        `003_b.sql` is in `origin/main` and was renamed to `003_z.sql`
        `004_c.sql` is in `origin/main` and was deleted"#]];
    cmd!(shell, "git update-ref refs/remotes/origin/main main").quiet().run().unwrap();
    let (code, text) = findings("check --json");
    assert_eq!(code, Some(1));
    expected.assert_eq(&text);
    workspace.commit();
    assert_eq!(findings("check --json").1, text, "a commit on the branch changes nothing");
    assert_eq!(findings("check --base HEAD --json").1, "", "and is the history of what comes behind it");
    let status = cmd!(shell, "git status --porcelain").quiet().read().unwrap();
    assert_eq!(status, "", "the user's index is left alone");
}

#[test]
fn check_proves_that_the_backend_has_no_engine() {
    let workspace = Workspace::new();
    workspace.write(
        "Cargo.toml",
        "[workspace]\nresolver = \"3\"\nmembers = [\"migrator\", \"backend\", \"store\", \"shop-tests\"]\n",
    );
    let engine = "migrator-engine = { path = \"../migrator-engine\" }\n";
    workspace.package("migrator-engine", "");
    workspace
        .package("store", "[dependencies]\nmigrator-engine = { path = \"../migrator-engine\", optional = true }\n");
    workspace.package(
        "backend",
        &format!("[dependencies]\nstore = {{ path = \"../store\" }}\n[dev-dependencies]\n{engine}"),
    );
    workspace.package("shop-tests", &format!("[dependencies]\n{engine}"));
    workspace.check(&mut workspace.xtask("check"), expect![[r#"
        exit 1
        --- stdout
        error[separation]: `backend` depends on `migrator-engine`: backend -> store -> migrator-engine
         = help: take `migrator-engine` out of the dependencies of `store`: only the package `migrator` and packages called `...-tests` may depend on the engine; tests of others may do so through dev-dependencies

        error[separation]: `store` depends on `migrator-engine`: store -> migrator-engine
         = help: take `migrator-engine` out of the dependencies of `store`: only the package `migrator` and packages called `...-tests` may depend on the engine; tests of others may do so through dev-dependencies

        not checked: append-only, as this is no git repository

        2 errors, 0 warnings
    "#]]);
}

#[test]
fn dist_builds_without_dev_names_the_commit_and_writes_the_sums() {
    let workspace = Workspace::new().with_git();
    let shell = &workspace.shell;
    workspace.check(
        &mut workspace.xtask("dist"),
        expect![[r#"
        exit 0
        --- stdout
        target/dist/migrator
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
    assert_eq!(run(), format!("x | - | - | - | release | {commit}"));
    workspace.write("db/seeds/test.sql", "SELECT 1;\n");
    assert!(workspace.xtask("dist").output().unwrap().status.success());
    assert_eq!(run(), format!("x | - | - | - | release | {commit}-dirty"));
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
        no git commit here: the binary names none
        help: set MIGRATOR_COMMIT
        error: the release binary has the command `drop`, which must not ship
    "#]],
    );
    assert!(!Path::new(&workspace.path("target/dist")).exists());
}

#[test]
fn ci_stops_at_the_first_failure() {
    let workspace = Workspace::new();
    workspace.write("migrator/src/lib.rs", "pub   fn f() {}\n");
    let output = workspace.xtask("ci").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(9));
    assert!(said.starts_with("fmt ...\n") && !said.contains("clippy"), "{said}");
    assert!(said.ends_with("error: `cargo fmt --all --check` failed (exit status: 1)\n"), "{said}");
}
