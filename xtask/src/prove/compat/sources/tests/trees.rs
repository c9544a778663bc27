//! Commits and working trees.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;

use expect_test::{Expect, expect};
use xshell::{Shell, cmd};

use super::shown;
use crate::prove::compat::sources::{CommitTree, Content, Options, Tree, WorkingTree, collect};

fn write(root: &Path, path: impl AsRef<Path>, content: impl AsRef<[u8]>) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

fn initialise(root: &Path) {
    let shell = shell(root);
    cmd!(shell, "git init --quiet").quiet().run().unwrap();
}

fn commit(shell: &Shell) {
    let user = ["-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "core.autocrlf=false"];
    cmd!(shell, "git {user...} add --all .").quiet().ignore_stderr().run().unwrap();
    cmd!(shell, "git {user...} commit --quiet --message x").quiet().run().unwrap();
}

fn shell(root: &Path) -> Shell {
    let shell = Shell::new().unwrap();
    shell.change_dir(root);
    shell
}

#[track_caller]
fn check(tree: &impl Tree, expected: Expect) {
    expected.assert_eq(&shown(&collect(tree, Options::default()).unwrap()));
}

#[test]
fn a_release_is_read_from_git_alone() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("service ü");
    write(folder.path(), "queries/outside.sql", "SELECT 0");
    write(&root, "queries/a.sql", "SELECT 1");
    write(&root, "queries/odd \"'\n\tñ.sql", "SELECT 2");
    write(&root, ".gitignore", "ignored.sql\n");
    symlink("/etc/passwd", root.join("queries/link.sql")).unwrap();
    symlink("..", root.join("queries/loop")).unwrap();
    initialise(folder.path());
    let shell = shell(&root);
    commit(&shell);
    write(&root, "queries/a.sql", "SELECT 11");
    write(&root, "queries/new.sql", "SELECT 3");
    write(&root, "queries/ignored.sql", "SELECT 4");
    fs::remove_file(root.join("queries/odd \"'\n\tñ.sql")).unwrap();
    let released = CommitTree::open(&shell, "HEAD").unwrap();
    check(
        &released,
        expect![[r#"
            queries/a.sql:1 "SELECT 1"
            queries/odd "'
            	ñ.sql:1 "SELECT 2""#]],
    );
    assert_eq!(released.read("queries/new.sql").unwrap(), Content::Gone);
    assert_eq!(released.read("queries/a.sql").unwrap(), Content::Text("SELECT 1".to_owned()));
    check(
        &WorkingTree::open(&shell).unwrap(),
        expect![[r#"
            queries/a.sql:1 "SELECT 11"
            queries/new.sql:1 "SELECT 3""#]],
    );
    assert!(CommitTree::open(&shell, "none").is_err());
}

#[test]
fn odd_files_are_said() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    write(root, "queries/latin1.sql", b"SELECT '\xe4'");
    write(root, "queries/utf16.sql", b"\xff\xfeS\0E\0");
    write(root, "queries/large.sql", format!("SELECT '{}'", "x".repeat(10 << 20)));
    write(root, "src/large.rs", format!("fn f() {{ c.query(\"SELECT '{}'\", &[]) }}", "x".repeat(10 << 20)));
    write(root, "src/mine.rs", format!("fn f() {{ c.query(\"SELECT '{}'\", &[]) }}", "x".repeat(3 << 20)));
    write(root, std::ffi::OsStr::from_bytes(b"queries/\xff.sql"), "SELECT 1");
    write(root, "target/queries/x.sql", "SELECT 1");
    write(root, ".hidden/queries/x.sql", "SELECT 1");
    write(root, ".sqlx/query-1.json", "[]");
    symlink("/", root.join("queries/root")).unwrap();
    let expected = expect![[r#"
        .sqlx/query-1.json: it has no `query` with a `describe`, as sqlx writes them
        queries/large.sql: it has 10 MiB; 4 MiB are read
        queries/latin1.sql: it is not UTF-8
        queries/utf16.sql: it is not UTF-8
        queries/�.sql: its name is not UTF-8
        src/large.rs: it has 10 MiB; 4 MiB are read"#]];
    let said = |tree: &dyn Fn() -> super::Queries| {
        let mut queries = tree();
        assert_eq!(queries.queries.remove(0).text.len(), (3 << 20) + 9);
        shown(&queries)
    };
    let shell = shell(root);
    expected.assert_eq(&said(&|| collect(&WorkingTree::open(&shell).unwrap(), Options::default()).unwrap()));
    fs::remove_dir_all(root.join(".hidden")).unwrap();
    initialise(root);
    commit(&shell);
    expected.assert_eq(&said(&|| collect(&CommitTree::open(&shell, "HEAD").unwrap(), Options::default()).unwrap()));
}

#[test]
fn a_submodule_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let (root, other) = (folder.path().join("a"), folder.path().join("b"));
    for path in [&root, &other] {
        write(path, "queries/x.sql", "SELECT 1");
        initialise(path);
    }
    commit(&shell(&other));
    let shell = shell(&root);
    let options = ["-c", "protocol.file.allow=always"];
    cmd!(shell, "git {options...} submodule --quiet add ../b queries/sub").quiet().ignore_stderr().run().unwrap();
    commit(&shell);
    for tree in [&CommitTree::open(&shell, "HEAD").unwrap() as &dyn Tree, &WorkingTree::open(&shell).unwrap()] {
        let paths: Vec<&str> = tree.paths().iter().map(|path| &**path).filter(|path| path.ends_with(".sql")).collect();
        assert_eq!(paths, ["queries/x.sql"]);
    }
}

#[test]
fn a_large_release() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for file in 0..250 {
        let call = |query: usize| {
            format!(
                "    client.query(\"SELECT a, b\n      FROM t_{file} WHERE c = $1 AND d <> {query}\", &[&c]).await?;\n"
            )
        };
        let calls: String = (0..40).map(call).collect();
        write(root, format!("src/m_{file}.rs"), format!("async fn f() {{\n{calls}}}\n"));
    }
    initialise(root);
    let shell = shell(root);
    commit(&shell);
    let found = collect(&CommitTree::open(&shell, "HEAD").unwrap(), Options::default()).unwrap();
    assert_eq!((found.queries.len(), found.not_literal.len(), found.unreadable.len()), (10_000, 0, 0));
    assert_eq!((&*found.queries[39].places[0].file, found.queries[39].places[0].line), ("src/m_0.rs", 80));
}
