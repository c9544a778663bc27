//! Another workspace, as it would stand in another repository: what it writes itself, and what it gets for that.

use std::collections::BTreeMap;
use std::fs;

use expect_test::expect;

use crate::packaged::LIBRARIES;
use crate::support::{Project, place, server};
use crate::workspace::{Workspace, repository, section};

mod compat;

#[test]
fn another_workspace_builds_and_migrates_and_its_backend_finds_the_tables() {
    let workspace = Workspace::foreign("library");
    let run = |line: &str| workspace.run(&mut workspace.cargo(line));
    expect![[r#"
        exit 0
        --- stdout
        applied 001_init (N ms)
        applied 002_create_loans (N ms)
        applied 003_index_open_loans (N ms)
        applied repeatable views (N ms)
        applied 3 migrations and 1 repeatable in N ms; the database is at 003
        --- stderr
        started this workspace's PostgreSQL; `cargo xtask db stop` stops it
        SERVER · database library_dev · user postgres · PostgreSQL X
        wrote db/schema.sql, db/schema.facts.MAJOR and db/locks.MAJOR
    "#]]
    .assert_eq(&run("xtask migrate up"));
    expect![[r#"
        exit 0
        --- stdout
        nothing to apply
        --- stderr
        SERVER · database library_dev · user postgres · PostgreSQL X
    "#]]
    .assert_eq(&run("xtask migrate up"));
    expect![[r#"
        exit 0
        --- stdout
        dropped and created database `library_dev`
        applied 001_init (N ms)
        applied 002_create_loans (N ms)
        applied 003_index_open_loans (N ms)
        applied repeatable views (N ms)
        applied 3 migrations and 1 repeatable in N ms; the database is at 003
        seeded development (N ms)
        --- stderr
        SERVER · database library_dev · user postgres · PostgreSQL X
        SERVER · database library_dev · user postgres · PostgreSQL X
    "#]]
    .assert_eq(&run("xtask migrate reset --seed development --yes"));

    let url = workspace.cargo("xtask db url").output().unwrap();
    let url = String::from_utf8(url.stdout).unwrap();
    expect![[r#"
        exit 0
        --- stdout
        R-2 Bread at Home: Åsa, until DATE
    "#]]
    .assert_eq(&workspace.run(workspace.cargo("run --quiet --package backend").env("DATABASE_URL", url.trim_end())));
    expect![[r#"
        exit 0
        --- stderr
        deleted <data>
    "#]]
    .assert_eq(&run("xtask db destroy --yes"));
    expect![[r#"
        exit 0
        --- stdout
        absent: `cargo xtask db start` creates it
    "#]]
    .assert_eq(&run("xtask db status"));
}

#[test]
fn a_new_file_is_applied_without_another_change() {
    let workspace = Workspace::foreign("library");
    let run = |line: &str| workspace.run(&mut workspace.cargo(line));
    run("xtask migrate up");
    expect![[r#"
        exit 0
        --- stdout
        db/migrations/004_add_books_isbn.sql
        db/tests/004_add_books_isbn.sql
    "#]]
    .assert_eq(&run("xtask new add_books_isbn --with-test"));
    let file = workspace.path("db/migrations/004_add_books_isbn.sql");
    let text = fs::read_to_string(&file).unwrap();
    // As it is, it is refused.
    assert!(run("xtask migrate up").starts_with("exit 8\n"));
    fs::write(&file, text.replace("-- migrate:up\n", "-- migrate:up\nALTER TABLE books ADD COLUMN isbn text;\n"))
        .unwrap();
    expect![[r#"
        exit 0
        --- stdout
        applied 004_add_books_isbn (N ms)
        applied repeatable views (N ms)
        applied 1 migration and 1 repeatable in N ms; the database is at 004
        --- stderr
        SERVER · database library_dev · user postgres · PostgreSQL X
        wrote db/schema.sql, db/schema.facts.MAJOR and db/locks.MAJOR
    "#]]
    .assert_eq(&run("xtask migrate up"));
}

#[test]
fn a_database_is_not_dropped_without_a_question_and_elsewhere_not_without_its_name() {
    let workspace = Workspace::foreign("library");
    let run = |line: &str| workspace.run(&mut workspace.cargo(line));
    run("xtask migrate up");
    expect![[r#"
        exit 2
        --- stderr
        error: cannot reset: all data in `library_dev` on SERVER will be lost, and there is no terminal to ask
          = help: pass --yes
    "#]]
    .assert_eq(&run("xtask migrate reset --seed development"));
    let other = Project::new();
    let reset = |line: &str| {
        let output = workspace.run(workspace.cargo(line).env("DATABASE_URL", other.url()));
        output.replace(&place(server()), "SERVER").replace(other.database(), "DB")
    };
    expect![[r#"
        exit 8
        --- stderr
        error: cannot reset `postgresql://postgres@SERVER/DB`: it is not on this workspace's own PostgreSQL
          = help: to go on, type its name: `--database DB`
    "#]]
    .assert_eq(&reset("xtask migrate reset --yes"));
    expect![[r#"
        exit 0
        --- stdout
        dropped and created database `DB`
        applied 001_init (N ms)
        applied 002_create_loans (N ms)
        applied 003_index_open_loans (N ms)
        applied repeatable views (N ms)
        applied 3 migrations and 1 repeatable in N ms; the database is at 003
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
    "#]]
    .assert_eq(&reset(&format!("xtask migrate reset --yes --database {}", other.database())));
}

#[test]
fn the_backend_holds_neither_the_engine_nor_its_planner() {
    let workspace = Workspace::foreign("library");
    let tree = |package: &str| {
        let output = workspace.cargo(&format!("tree --edges normal,build --prefix none --package {package}")).output();
        String::from_utf8(output.unwrap().stdout).unwrap()
    };
    let holds = |tree: &str, package: &str| tree.lines().any(|line| line.split(' ').next() == Some(package));
    let (backend, migrator) = (tree("backend"), tree("migrator"));
    assert!(holds(&backend, "tokio-postgres"), "{backend}");
    for package in ["migrator-engine", "refinery", "refinery-core"] {
        assert!(holds(&migrator, package), "`{package}` is what the migrator is made of:\n{migrator}");
        assert!(!holds(&backend, package), "the backend holds `{package}`:\n{backend}");
    }
}

#[test]
fn the_backends_tests_start_servers_and_that_is_no_dependency_on_migrations() {
    let workspace = Workspace::foreign("library");
    let output = workspace.output(&mut workspace.cargo("test --quiet --package backend --test open_loans"));
    assert!(output.code == "0" && output.stdout.contains("1 passed"), "{}{}", output.stdout, output.stderr);
    assert!(workspace.run(&mut workspace.cargo("xtask check")).contains("nothing found"));
}

#[test]
fn check_shows_the_path_from_the_backend_to_the_engine() {
    let workspace = Workspace::foreign("library");
    let run = |line: &str| workspace.run(&mut workspace.cargo(line));
    expect![[r#"
        exit 0
        --- stdout
        skipped: append-only, because this is not a git repository

        nothing found
    "#]]
    .assert_eq(&run("xtask check"));
    let manifest = fs::read_to_string(workspace.path("backend/Cargo.toml")).unwrap();
    let depend_on = |name: &str, path: &str| {
        workspace.write(
            "backend/Cargo.toml",
            manifest.replace("[dependencies]\n", &format!("[dependencies]\n{name} = {{ path = \"{path}\" }}\n")),
        );
        run("xtask check")
    };
    // With a library beside its binary it could be used; a binary alone is no dependency to cargo.
    workspace.write("migrator/src/lib.rs", "");
    expect![[r#"
        exit 1
        --- stdout
        error[separation]: `backend` depends on `migrator-engine`: backend -> migrator -> migrator-engine
         = help: remove `migrator` from the dependencies of `backend`: only the packages `migrator`, `xtask`, `...-xtask` and `...-tests` may depend on the engine; tests of others may do so through dev-dependencies

        skipped: append-only, because this is not a git repository

        1 error, 0 warnings
    "#]].assert_eq(&depend_on("migrator", "../migrator"));
    let engine = repository().join("migrator/engine");
    expect![[r#"
        exit 1
        --- stdout
        error[separation]: `backend` depends on `migrator-engine`: backend -> migrator-engine
         = help: remove `migrator-engine` from the dependencies of `backend`: only the packages `migrator`, `xtask`, `...-xtask` and `...-tests` may depend on the engine; tests of others may do so through dev-dependencies

        skipped: append-only, because this is not a git repository

        1 error, 0 warnings
    "#]].assert_eq(&depend_on("migrator-engine", engine.to_str().unwrap()));
}

/// The files that the README shows for another workspace, by their path: each block begins with a comment that names its file.
fn shown() -> BTreeMap<String, String> {
    let section = section("## In your own workspace");
    let blocks = section.split("\n```").skip(1).step_by(2);
    let titled = blocks.filter_map(|block| {
        let (title, text) = block.split_once('\n')?.1.split_once('\n')?;
        let path = ["# ", "// ", "-- "].iter().find_map(|comment| title.strip_prefix(comment))?;
        Some((path.to_owned(), format!("{text}\n")))
    });
    titled.collect()
}

#[test]
fn the_readme_shows_what_another_workspace_writes() {
    for (path, text) in shown() {
        if path == ".gitignore" || path.starts_with("db/") {
            continue;
        }
        let written = fs::read_to_string(repository().join("tests/foreign").join(&path)).unwrap();
        // That one lies within the repository, and has a backend.
        let written = written.replace("\"../../../", "\"../../migrator/").replace("\"backend\", ", "");
        assert_eq!(text, written, "{path}");
    }
}

#[test]
fn what_the_readme_shows_works_in_a_fresh_workspace() {
    let mut written = shown();
    let expected = ".cargo/config.toml .gitignore Cargo.toml db/migrations/001_create_customers.sql migrator/Cargo.toml \
                    migrator/build.rs migrator/src/main.rs xtask/Cargo.toml xtask/src/main.rs";
    assert_eq!(written.keys().map(String::as_str).collect::<Vec<_>>().join(" "), expected);
    let migration = written.remove("db/migrations/001_create_customers.sql").unwrap();
    let workspace = Workspace::of("shop", &[]);
    workspace.clone_beside("migrator");
    let run = |line: &str| workspace.run(&mut workspace.cargo(line));
    let commands = section("## In your own workspace");
    let commands: Vec<&str> = commands.lines().filter_map(|line| line.strip_prefix("$ cargo ")).collect();
    let [init, new, up] = commands[..] else { panic!("{commands:?}") };
    // The empty folder is in this repository's workspace, which has nothing to do with it.
    let alone = workspace.path("Cargo.toml");
    fs::write(&alone, "[workspace]\nresolver = \"3\"\n").unwrap();
    // No terminal can be asked here.
    let done = run(&format!("{init} --yes"));
    assert!(done.starts_with("exit 0"), "{done}");
    for (path, text) in written {
        assert_eq!(fs::read_to_string(workspace.path(&path)).unwrap(), text, "{path}");
    }
    expect![[r#"
        exit 0
        --- stdout
        db/migrations/001_create_customers.sql
    "#]]
    .assert_eq(&run(new));
    workspace.write("db/migrations/001_create_customers.sql", migration);
    expect![[r#"
        exit 0
        --- stdout
        applied 001_create_customers (N ms)
        applied 1 migration in N ms; the database is at 001
        --- stderr
        started this workspace's PostgreSQL; `cargo xtask db stop` stops it
        SERVER · database shop_dev · user postgres · PostgreSQL X
        wrote db/schema.sql, db/schema.facts.MAJOR and db/locks.MAJOR
    "#]]
    .assert_eq(&run(up));
    expect![[r#"
        exit 0
        --- stdout
        database shop_dev at SERVER · release 1.0.0
        VERSION  NAME  STATE  APPLIED  BY  TIME
        001  create_customers  applied  DATE TIME UTC  postgres  N ms
        up to date
    "#]]
    .assert_eq(&run("xtask status"));
}

/// Cargo finds every crate in the repository by its name; that they build is what the paths show.
#[test]
fn the_readmes_git_form_finds_the_crates() {
    let section = section("## In your own workspace");
    let from_git: BTreeMap<&str, &str> =
        section.lines().filter(|line| line.contains(" = { git = ")).filter_map(|line| line.split_once(" = ")).collect();
    assert_eq!(from_git.keys().copied().collect::<Vec<_>>(), ["migrator-build", "migrator-engine", "migrator-xtask"]);
    let url = from_git["migrator-engine"].split('"').nth(1).unwrap();
    let on_git = |line: &str| match line.split_once(" = { path = ") {
        Some((package, _)) => format!("{package} = {}\n", from_git[package]),
        None => format!("{line}\n"),
    };
    let files = shown().into_iter().filter(|(path, _)| !path.starts_with("db/"));
    let files: Vec<_> =
        files.map(|(path, text)| (path.into(), text.lines().map(on_git).collect::<String>().into_bytes())).collect();
    let workspace = Workspace::of("shop_from_git", &files);
    let Some(mut cargo) = workspace.cargo_with_git("metadata --format-version 1", url) else {
        eprintln!("not run: git cannot read this tree");
        return;
    };
    let output = cargo.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let sources = metadata["packages"].as_array().unwrap().iter().map(|package| {
        let source = package["source"].as_str().unwrap_or("a path").split(['?', '#']).next().unwrap();
        (package["name"].as_str().unwrap(), source.to_owned())
    });
    let sources: BTreeMap<&str, String> = sources.filter(|(name, _)| name.starts_with("migrator-")).collect();
    assert_eq!(sources, LIBRARIES.map(|name| (name, format!("git+{url}"))).into());
}
