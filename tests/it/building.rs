//! What cargo makes of a db directory: one failure with every mistake in it, a rebuild when something has changed, and a
//! binary that needs no directory.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, SystemTime};

use expect_test::expect;
use serde_json::Value;

use crate::support::{Project, place, server};
use crate::workspace::Workspace;

/// As `cargo xtask migrate` builds it: the tests of other workspaces have compiled that engine already.
const BUILD: &str = "build --package migrator";

/// A build of the migrator that succeeded.
struct Built {
    executable: PathBuf,
    /// Whether cargo left it as it was.
    fresh: bool,
}

fn build(workspace: &Workspace) -> Built {
    let output = workspace.cargo(&format!("{BUILD} --message-format json")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let messages = String::from_utf8(output.stdout).unwrap();
    messages
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|message: &Value| message["target"]["kind"][0] == "bin")
        .find_map(|message| {
            Some(Built { executable: message["executable"].as_str()?.into(), fresh: message["fresh"].as_bool()? })
        })
        .unwrap()
}

fn line(line: &str) -> String {
    line.to_owned() + "\n"
}

#[test]
fn every_mistake_of_every_file_is_in_one_build_failure() {
    let workspace = Workspace::foreign("building");
    workspace.write(
        "db/migrations/004_add_pages.sql",
        "-- migrate:up\nALTER TABLE books ADD COLUM pages int;\n\n-- migrate:down\nALTER TABLE books DROP COLUMN pages\nDROP TABLE x;\n",
    );
    workspace.write("db/migrations/005_vacuum.sql", "-- Migrate:Up\nVACUUM books;\n");
    workspace.write("db/migrations/5_again.sql", "-- migrate:up transaction:no\nSELECT 'ö', 1 +;\n-- migrate:down\n");
    workspace.write("db/migrations/notes.txt", "later\n");
    workspace.write("db/seeds/staging.sql", "INSERT INTO books VALUES (1);\nCOMMIT;\n");
    workspace.write("db/migrator.toml", "[session]\nlock_timout = \"1s\"\n");
    let output = workspace.run(&mut workspace.cargo(&format!("{BUILD} --quiet")));
    // What cargo itself says at the end is its own.
    let said: String = output.lines().filter(|line| !line.starts_with("error: build script")).map(line).collect();
    expect![[r#"
        exit 101
        --- stderr
        error: migrator@1.0.0: db/migrations/004_add_pages.sql:2:35: unexpected `int` [M020]; help: fix it; if the parser is wrong, add `-- migrate:unchecked <reason>` to the block
        error: migrator@1.0.0: db/migrations/004_add_pages.sql:6:1: missing comma [M020]; help: fix it; if the parser is wrong, add `-- migrate:unchecked <reason>` to the block
        error: migrator@1.0.0: db/migrations/005_vacuum.sql:1:1: `-- Migrate:Up` is not a marker [M012]; help: write `-- migrate:up` in exactly this form; only options may follow, after a space
        error: migrator@1.0.0: db/migrations/5_again.sql: `005` and `5` are the same version: `db/migrations/005_vacuum.sql` and `db/migrations/5_again.sql` [M006]; help: rename the one that has not been applied anywhere, for example `5_again.sql` to `6_again.sql`
        error: migrator@1.0.0: db/migrations/5_again.sql:1:15: invalid option `transaction:no` [M015]; help: write `transaction:false`
        error: migrator@1.0.0: db/migrations/5_again.sql:2:16: expected an expression, found the end of the statement [M020]; help: fix it; if the parser is wrong, add `-- migrate:unchecked <reason>` to the block
        error: migrator@1.0.0: db/migrations/notes.txt: `db/migrations/notes.txt` is not an SQL file [M004]; help: move it out of `db/migrations`; only `*.sql`, `README.md` and dotfiles belong there
        error: migrator@1.0.0: db/migrator.toml:2:1: unknown key `lock_timout` [M041]; help: did you mean `lock_timeout`?
        error: migrator@1.0.0: db/seeds/staging.sql:2:1: `COMMIT` inside a transaction that the migrator controls [M030]; help: remove it: the file runs as one transaction
    "#]].assert_eq(&said);
}

#[test]
fn a_forgotten_build_script_is_a_compile_error_that_says_what_to_write() {
    let workspace = Workspace::foreign("building");
    fs::remove_file(workspace.path("migrator/build.rs")).unwrap();
    let output = workspace.run(&mut workspace.cargo(&format!("{BUILD} --quiet")));
    let error = output.lines().find(|line| line.starts_with("error")).unwrap_or(&output);
    expect![[r#"error: no migrations are embedded: this package's build.rs must call `migrator_build::embed("../db")`, and its Cargo.toml must list `migrator-build` under [build-dependencies]"#]].assert_eq(error);
}

#[test]
fn what_changes_in_the_directory_is_built_in_and_nothing_is_built_for_nothing() {
    let workspace = Workspace::foreign("building");
    let migration = |sql: &str| format!("-- migrate:up\n{sql}\n-- migrate:down\n");
    let check = |what: &str, change: &dyn Fn(), command: &str, present: &str, absent: &str| {
        change();
        let built = build(&workspace);
        assert!(!built.fresh, "{what} was not noticed");
        let shown = workspace.run(workspace.program(&built.executable).args(command.split(' ')));
        assert!(shown.contains(present) && !shown.contains(absent), "{what}: {shown}");
        assert!(build(&workspace).fresh, "{what}: built again although nothing has changed since");
    };
    build(&workspace);
    assert!(build(&workspace).fresh, "an unchanged directory is built again");

    let new = workspace.path("db/migrations/004_add_pages.sql");
    let renamed = workspace.path("db/migrations/005_add_pages.sql");
    check("a new file", &|| fs::write(&new, migration("SELECT 1;")).unwrap(), "list", "004", "005");
    check("a changed file", &|| fs::write(&new, migration("SELECT 2;")).unwrap(), "show 004", "SELECT 2", "SELECT 1");
    check("a renamed file", &|| fs::rename(&new, &renamed).unwrap(), "list", "005", "004");
    check("a removed file", &|| fs::remove_file(&renamed).unwrap(), "list", "003", "005");
    let template = "CREATE TABLE t ();";
    check("a new folder", &|| workspace.write("db/templates/table.sql", template), "list", "003", "template");
    check("a new seed", &|| workspace.write("db/seeds/test.sql", "SELECT 1;\n"), "list", "test", "004");
}

#[test]
fn cargo_is_asked_for_the_migrator_only_where_something_may_have_changed() {
    let workspace = Workspace::foreign("building");
    workspace.run(&mut workspace.cargo("xtask migrate list"));
    let built = build(&workspace);
    let wrapper = workspace.path("cargo.sh");
    fs::write(&wrapper, "#!/bin/sh\necho \"$1\" >> asked\nexec \"$REAL_CARGO\" \"$@\"\n").unwrap();
    fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755)).unwrap();
    let asks = || {
        let asked = workspace.path("asked");
        let _ = fs::remove_file(&asked);
        let mut tasks = workspace.program(built.executable.with_file_name("xtask"));
        let real = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let shown = workspace.run(tasks.args(["migrate", "list"]).env("CARGO", &wrapper).env("REAL_CARGO", real));
        assert!(shown.contains("001"), "{shown}");
        let asked = fs::read_to_string(asked).unwrap();
        (asked.lines().any(|word| word == "build"), shown)
    };
    let settle = || {
        // Until the change is older than what a file system may take for the same moment.
        thread::sleep(Duration::from_millis(2_100));
        asks();
        let (asked, shown) = asks();
        assert!(!asked, "cargo was asked although nothing has changed");
        shown
    };
    let before = settle();
    let touch = |name: &str| fs::File::open(workspace.path(name)).unwrap().set_modified(SystemTime::now()).unwrap();
    for name in ["migrator/src/main.rs", "migrator/Cargo.toml", "Cargo.lock", "db/migrations/001_init.sql"] {
        touch(name);
        assert!(asks().0, "{name}");
    }
    assert_eq!(settle(), before);
    workspace.write("db/migrations/004_more.sql", "-- migrate:up\nSELECT 1;\n-- migrate:down\n");
    let (asked, shown) = asks();
    assert!(asked && shown.contains("004"), "{shown}");
    fs::remove_file(workspace.path("db/migrations/004_more.sql")).unwrap();
    assert_eq!(settle(), before);
}

#[test]
fn what_is_generated_compiles_without_a_warning_whatever_is_in_the_directory() {
    let workspace = Workspace::foreign("building");
    let nothing = "-- migrate:up\n-- migrate:down\n";
    let kinds = "-- migrate:up transaction:false\nSET work_mem = '8MB';\nBEGIN;\nSET TRANSACTION READ ONLY;\nCOMMIT;\n\
                 CREATE INDEX CONCURRENTLY a ON t (a);\nDROP INDEX CONCURRENTLY a;\nREINDEX TABLE CONCURRENTLY t;\n\
                 ALTER TABLE p DETACH PARTITION t CONCURRENTLY;\nVACUUM t;\nDO $$BEGIN END$$;\n-- migrate:down\n";
    let map = "tool = \"flyway\"\n[[migrations]]\nversion = \"001\"\nsource = \"1\"\nfile = \"V1__a.sql\"\nchecksums = [\"5\", \"-5\"]\n\
               [[repeatables]]\nname = \"a\"\nsource = \"a\"\nfile = \"R__a.sql\"\n";
    let shapes: [(&str, &[(&str, &str)]); 7] = [
        ("nothing", &[]),
        ("no statement", &[("migrations/001_a.sql", nothing), ("seeds/test.sql", ""), ("repeatable/a.sql", "-- a\n")]),
        ("a repeatable", &[("repeatable/a.sql", "SELECT 1;\n")]),
        ("a down block alone", &[("migrations/001_a.sql", "-- migrate:up\n-- migrate:down\nSELECT 1;\n")]),
        ("every kind of statement", &[("migrations/001_a.sql", kinds)]),
        ("a map", &[("migrations/001_a.sql", nothing), ("repeatable/a.sql", "SELECT 1;\n"), ("imported.toml", map)]),
        ("a map of nothing", &[("imported.toml", "tool = \"plain\"\n")]),
    ];
    for (name, files) in shapes {
        fs::remove_dir_all(workspace.path("db")).unwrap();
        fs::create_dir_all(workspace.path("db/migrations")).unwrap();
        files.iter().for_each(|(path, text)| workspace.write(format!("db/{path}"), text));
        let output = workspace.run(&mut workspace.cargo(&format!("{BUILD} --message-format short")));
        assert!(output.starts_with("exit 0"), "{name}: {output}");
        // Those of the build script are about what is in the directory.
        let of_compiler = |line: &&str| line.contains("warning") && !line.starts_with("warning: migrator@");
        assert_eq!(output.lines().filter(of_compiler).collect::<Vec<_>>(), [""; 0], "{name}: {output}");
    }
}

#[test]
fn the_binary_reads_no_directory() {
    let workspace = Workspace::foreign("building");
    let built = build(&workspace);
    // Elsewhere, alone, and the sources gone.
    let folder = tempfile::tempdir().unwrap();
    let alone = folder.path().join("migrator");
    fs::copy(&built.executable, &alone).unwrap();
    // A run that was killed here has left it behind.
    let _ = fs::remove_dir_all(workspace.path("moved"));
    fs::rename(workspace.path("db"), workspace.path("moved")).unwrap();
    let project = Project::new();
    let run = |line: &str| {
        let mut command = workspace.program(&alone);
        command.args(line.split(' ')).current_dir(&folder).env("DATABASE_URL", project.url());
        workspace.run(&mut command).replace(&place(server()), "SERVER").replace(project.database(), "DB")
    };
    expect![[r#"
        exit 0
        --- stdout
        migration  001_init
        migration  002_create_loans
        migration  003_index_open_loans (transaction:false)
        repeatable views
        seed       development
        check      loans_without_reader
    "#]]
    .assert_eq(&run("list"));
    expect![[r#"
        exit 0
        --- stdout
        applied 001_init (N ms)
        applied 002_create_loans (N ms)
        applied 003_index_open_loans (N ms)
        applied repeatable views (N ms)
        applied 3 migrations and 1 repeatable in N ms; the database is at 003
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
    "#]]
    .assert_eq(&run("up"));
    expect![[r#"
        exit 0
        --- stdout
        seeded development (N ms)
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
    "#]]
    .assert_eq(&run("seed"));
    assert_eq!(project.query("SELECT count(*) FROM open_loans"), "1\n");
}
