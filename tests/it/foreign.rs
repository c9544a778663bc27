//! Another workspace, as it would stand in another repository: what it writes itself, and what it gets for that.

use std::collections::BTreeMap;
use std::fs;

use expect_test::expect;

use crate::support::{Project, place, server};
use crate::workspace::{Workspace, repository};

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
        SERVER · database library_dev · user postgres · PostgreSQL X
        wrote db/schema.sql and db/schema.facts.MAJOR
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
    "#]]
    .assert_eq(&run("xtask new add_books_isbn"));
    expect![[r#"
        exit 0
        --- stdout
        applied 004_add_books_isbn (N ms)
        applied 1 migration in N ms; the database is at 004
        --- stderr
        SERVER · database library_dev · user postgres · PostgreSQL X
        wrote db/schema.sql and db/schema.facts.MAJOR
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
        error: cannot reset `postgresql://postgres@SERVER/DB`: it is not in this workspace's own cluster
          = help: if you really mean it, type its name: `--database DB`
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
fn check_shows_the_path_from_the_backend_to_the_engine() {
    let workspace = Workspace::foreign("library");
    let run = |line: &str| workspace.run(&mut workspace.cargo(line));
    expect![[r#"
        exit 0
        --- stdout
        not checked: append-only, as this is no git repository

        nothing found
    "#]]
    .assert_eq(&run("xtask check"));
    let manifest = fs::read_to_string(workspace.path("backend/Cargo.toml")).unwrap();
    let depend_on = |name: &str, path: &str| {
        workspace.write("backend/Cargo.toml", format!("{manifest}{name} = {{ path = \"{path}\" }}\n"));
        run("xtask check")
    };
    // With a library beside its binary it could be used; a binary alone is no dependency to cargo.
    workspace.write("migrator/src/lib.rs", "");
    expect![[r#"
        exit 1
        --- stdout
        error[separation]: `backend` depends on `migrator-engine`: backend -> migrator -> migrator-engine
         = help: take `migrator` out of the dependencies of `backend`: only the package `migrator` and packages called `...-tests` may depend on the engine; tests of others may do so through dev-dependencies

        not checked: append-only, as this is no git repository

        1 error, 0 warnings
    "#]].assert_eq(&depend_on("migrator", "../migrator"));
    let engine = repository().join("migrator/engine");
    expect![[r#"
        exit 1
        --- stdout
        error[separation]: `backend` depends on `migrator-engine`: backend -> migrator-engine
         = help: take `migrator-engine` out of the dependencies of `backend`: only the package `migrator` and packages called `...-tests` may depend on the engine; tests of others may do so through dev-dependencies

        not checked: append-only, as this is no git repository

        1 error, 0 warnings
    "#]].assert_eq(&depend_on("migrator-engine", engine.to_str().unwrap()));
}

#[test]
fn the_readme_shows_what_another_workspace_writes() {
    let readme = fs::read_to_string(repository().join("README.md")).unwrap();
    let section = readme.split_once("\n## In your own workspace\n").unwrap().1.split_once("\n## ").unwrap().0;
    // Every block begins with a comment that names its file.
    let shown: BTreeMap<&str, &str> = section
        .split("```")
        .skip(1)
        .step_by(2)
        .map(|block| {
            let (title, text) = block.split_once('\n').unwrap().1.split_once('\n').unwrap();
            (title.trim_start_matches(['#', '/', ' ']), text)
        })
        .collect();
    let expected = ".cargo/config.toml migrator/Cargo.toml migrator/build.rs migrator/src/main.rs xtask/Cargo.toml xtask/src/main.rs";
    assert_eq!(shown.keys().copied().collect::<Vec<_>>().join(" "), expected);
    for (path, text) in shown {
        let written = fs::read_to_string(repository().join("tests/foreign").join(path)).unwrap();
        // There the crates come from this checkout.
        let from_registry = |line: &str| match line.split_once(" = { path = ") {
            Some((package, _)) => format!("{package} = \"0.1\"\n"),
            None => format!("{line}\n"),
        };
        assert_eq!(text, written.lines().map(from_registry).collect::<String>(), "{path}");
    }
}
