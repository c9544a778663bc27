//! `cargo xtask compat` on two tags of another workspace, whose backend keeps its queries in `.sqlx`, in a file of SQL and in literals.

use std::fs;

use expect_test::{Expect, expect};

use crate::workspace::Workspace;

/// Runs git in the workspace, which is in a repository of its own then.
fn git(workspace: &Workspace, line: &str) -> String {
    let mut git = workspace.program("git");
    git.args(["-c", "user.name=a", "-c", "user.email=a@localhost", "-c", "commit.gpgsign=false"]).args(line.split(' '));
    let output = git.output().unwrap();
    assert!(output.status.success(), "git {line}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Commits all that is there as a release.
fn release(workspace: &Workspace, tag: &str) {
    git(workspace, "add --all");
    git(workspace, &format!("commit --quiet --allow-empty --message {tag}"));
    git(workspace, &format!("tag {tag}"));
}

fn migration(workspace: &Workspace, name: &str, up: &str, down: &str) {
    let text = format!("-- migrate:up\n{up}\n\n-- migrate:down\n{down}\n");
    workspace.write(format!("db/migrations/{name}.sql"), text);
}

/// What `cargo xtask` says of a task.
fn said(workspace: &Workspace, line: &str) -> String {
    workspace.run(&mut workspace.cargo(line)).replace(" (N ms)", "")
}

#[track_caller]
fn check(workspace: &Workspace, line: &str, expected: Expect) {
    expected.assert_eq(&said(workspace, line));
}

/// The release that renames a column, lets another be null, and drops one that no one asks for.
fn second_release(workspace: &Workspace) {
    migration(
        workspace,
        "005_rename_loans_reader",
        "ALTER TABLE loans RENAME COLUMN reader TO reader_name;",
        "ALTER TABLE loans RENAME COLUMN reader_name TO reader;",
    );
    migration(
        workspace,
        "006_books_without_title",
        "ALTER TABLE books ALTER COLUMN title DROP NOT NULL;",
        "ALTER TABLE books ALTER COLUMN title SET NOT NULL;",
    );
    migration(
        workspace,
        "007_drop_books_isbn",
        "ALTER TABLE books DROP COLUMN isbn;",
        "ALTER TABLE books ADD COLUMN isbn text;",
    );
    for file in ["db/repeatable/views.sql", "backend/queries/loans.sql"] {
        let text = fs::read_to_string(workspace.path(file)).unwrap();
        workspace.write(file, text.replace("loans.reader", "loans.reader_name AS reader"));
    }
}

#[test]
fn what_the_release_of_a_tag_asks_is_judged_on_the_schema_of_the_next() {
    let workspace = Workspace::foreign("library");
    without_a_release(&workspace);
    second_release(&workspace);
    release(&workspace, "v1.1");
    let by_tag = breaks(&workspace);
    hazards(&workspace);
    shallow(&workspace, &by_tag);
}

fn without_a_release(workspace: &Workspace) {
    check(
        workspace,
        "xtask compat",
        expect![[r#"
        exit 9
        --- stderr
        error: no release to compare with: this is not a git repository
        help: run this in a clone that has the release's tag
    "#]],
    );
    git(workspace, "init --quiet --initial-branch main");
    check(
        workspace,
        "xtask compat",
        expect![[r#"
        exit 9
        --- stderr
        error: no release to compare with: this repository has no commit yet
        help: commit and tag a release
    "#]],
    );
    migration(
        workspace,
        "004_add_books_isbn",
        "ALTER TABLE books ADD COLUMN isbn text;",
        "ALTER TABLE books DROP COLUMN isbn;",
    );
    git(workspace, "add --all");
    git(workspace, "commit --quiet --message begin");
    check(
        workspace,
        "xtask compat",
        expect![[r#"
        exit 9
        --- stderr
        error: no release to compare with: HEAD descends from no tag, and `origin/main` does not exist
        help: tag the releases, or name what runs with `--release`
    "#]],
    );
    release(workspace, "v1.0");
    check(
        workspace,
        "xtask compat",
        expect![[r#"
        exit 9
        --- stderr
        error: no release to compare with: HEAD is `v1.0`, and no release is older
        help: name what runs with `--release`
    "#]],
    );
}

/// What breaks on the schema of the second release.
fn breaks(workspace: &Workspace) -> String {
    let said = said(workspace, "xtask compat");
    expect![[r#"
        exit 1
        --- stdout
        FAILED  2 of 4 queries of `v1.0` break on the new schema
                backend/.sqlx/query-542e1759bb85c5d8a299071a2f669b29709d0c891456f6b0d95fa190e856b71f.json:1 since 006_books_without_title: result column `title` may be null now
                    SELECT id, title FROM books WHERE shelf_mark = $1
                    the working tree still has it
                overdue, backend/queries/loans.sql:5 since 005_rename_loans_reader: column loans.reader does not exist [42703]
                    SELECT books.shelf_mark, loans.reader FROM loans JOIN books ON books.id = loans.book_id WHERE loans. ..
                no order works: the working tree still has 1 query that breaks
                db/migrations/005_rename_loans_reader.sql:2 renaming-column: breaks 1 query of `v1.0`
                db/migrations/007_drop_books_isbn.sql:2 ban-drop-column: no query of `v1.0` needs it (4 checked)
        --- stderr
        the release that runs is `v1.0`: the newest tag before that of HEAD, with 4 migrations
    "#]]
    .assert_eq(&said);
    said
}

/// What the hazards of its migrations come to.
fn hazards(workspace: &Workspace) {
    check(
        workspace,
        "xtask check --compat",
        expect![[r#"
            exit 1
            --- stdout
            error[renaming-column]: a column of `loans` is renamed
             --> db/migrations/005_rename_loans_reader.sql:2:19
              |
            2 | ALTER TABLE loans RENAME COLUMN reader TO reader_name;
              |                   ^
              |
              = note: lock: AccessExclusive on the table: readers and writers wait
              = note: reason: the release that is still running uses it until the last machine has the new one
              = note: release: breaks 1 query of `v1.0`
              = help: add the new column beside it with a trigger that copies, and drop the old one in a later release; or `-- migrate:allow renaming-column <reason>` above the statement

            error[ban-drop-not-null]: a column of `books` may be NULL from now on
             --> db/migrations/006_books_without_title.sql:2:38
              |
            2 | ALTER TABLE books ALTER COLUMN title DROP NOT NULL;
              |                                      ^
              |
              = note: lock: AccessExclusive on the table: readers and writers wait
              = note: reason: the release that is still running does not expect a NULL when it reads
              = help: first ship the code that reads NULL, and allow it: `-- migrate:allow ban-drop-not-null <reason>` above the statement

            warning[ban-drop-column]: a column of `books` is dropped with what is in it
             --> db/migrations/007_drop_books_isbn.sql:2:19
              |
            2 | ALTER TABLE books DROP COLUMN isbn;
              |                   ^
              |
              = note: lock: AccessExclusive on the table: readers and writers wait
              = note: reason: the release that is still running uses it until the last machine has the new one
              = note: release: no query of `v1.0` needs it (4 checked)
              = help: drop it one release after the last code that names it, and allow it: `-- migrate:allow ban-drop-column <reason>` above the statement

            skipped: append-only, because `origin/main` does not exist; name a base with `--base`

            2 errors, 1 warning
        "#]],
    );
}

/// A clone may have too little to find the release, which can be named all the same.
fn shallow(workspace: &Workspace, by_tag: &str) {
    let head = git(workspace, "rev-parse HEAD");
    fs::write(workspace.path(".git/shallow"), format!("{head}\n")).unwrap();
    check(
        workspace,
        "xtask compat",
        expect![[r#"
        exit 9
        --- stderr
        error: no release to compare with: HEAD is `v1.1`, and this clone is too shallow to have an older tag
        help: run `git fetch --unshallow --tags` (in CI: fetch-depth 0)
    "#]],
    );
    let by_name = said(workspace, "xtask compat --release v1.0");
    assert_eq!(by_name, by_tag.replace("the newest tag before that of HEAD", "named"));
}
