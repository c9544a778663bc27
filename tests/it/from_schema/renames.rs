//! What has another name, said by an option, by a comment, or on a terminal: it keeps its rows.

use std::fs;

use expect_test::expect;

use super::{Shop, qualified};
use crate::support::Project;
use crate::terminal::on_terminal;

/// The migrations of the shop, applied to a database with rows, up, down and up again.
fn rows_after(shop: &Shop, queries: [&str; 2]) {
    let project = Project::new();
    project.migration("001_init", "", "");
    fs::remove_file(project.db().join("migrations/001_init.sql")).unwrap();
    for entry in fs::read_dir(shop.0.path("db/migrations")).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, project.db().join("migrations").join(path.file_name().unwrap())).unwrap();
    }
    for (arguments, query) in
        [(&["up"][..], queries[1]), (&["down", "--to", "1", "--yes"], queries[0]), (&["up"], queries[1])]
    {
        let ran = project.run(arguments);
        assert!(ran.starts_with("exit 0"), "{ran}");
        assert_eq!(project.query(query), "Ada\n", "{query}");
    }
}

#[test]
fn a_pair_of_one_shape_is_named_and_never_taken_for_a_rename() {
    let shop = Shop::new("from-schema-renames");
    shop.edit("    name text,", "    full_name text,");
    shop.edit("SELECT users.id,\n    users.name", "SELECT users.id,\n    users.full_name AS name");
    expect![[r#"
        exit 1
        --- stderr
        error: the schema lacks what may hold data: `core.users.name`; nothing was written
        help: `--allow-drop` drops it, with its data; what has only another name is said with `--renamed OLD=NEW`
        help: `--renamed core.users.name=full_name` keeps what it holds, if it only has another name
    "#]]
    .assert_eq(&shop.run("new rename --from-schema"));
    let dropped = shop.run("new rename --from-schema --allow-drop");
    assert!(dropped.contains("may only have another name; `--renamed core.users.name=full_name`"), "{dropped}");
    shop.forget();
    for (line, expected) in [
        ("core.users.nam=full_name", "the migrations make no `core.users.nam`"),
        ("core.users.name=whole_name", "the schema has no `core.users.whole_name`"),
    ] {
        let refused = shop.run(&format!("new rename --from-schema --renamed {line}"));
        assert!(refused.starts_with("exit 2\n") && refused.contains(expected), "{refused}");
    }
    assert_eq!(shop.written(), "");
    on_a_terminal(&shop);
    by_a_comment(&shop);
}

fn on_a_terminal(shop: &Shop) {
    let answered = |typed: &str| {
        let mut xtask = shop.0.program(env!("CARGO_BIN_EXE_xtask"));
        xtask.args(["new", "rename", "--from-schema"]);
        let (ended, shown) = on_terminal(xtask, 100, typed);
        assert!(shown.contains("`core.users.full_name`: renamed from `name`? [y/N]"), "{shown}");
        (ended.code(), shown)
    };
    let (code, shown) = answered("n\n");
    assert_eq!(code, Some(1), "{shown}");
    assert_eq!(shop.written(), "");
    let (code, shown) = answered("y\n");
    assert_eq!(code, Some(0), "{shown}");
    expect![[r#"
        ## 002_rename.sql
        -- Purpose: rename

        -- migrate:up
        -- migrate:allow renaming-column to be decided: the release that is still running uses it until the last machine has the new one; otherwise add the new column beside it with a trigger that copies, and drop the old one in a later release
        ALTER TABLE core.users RENAME COLUMN name TO full_name;

        -- migrate:down
        ALTER TABLE core.users RENAME COLUMN full_name TO name;
    "#]]
    .assert_eq(&shop.written());
    rows_after(shop, ["SELECT name FROM core.users", "SELECT full_name FROM core.users"]);
    shop.forget();
}

/// The table, a column, and a label, all at once.
fn by_a_comment(shop: &Shop) {
    assert!(shop.run("dump").starts_with("exit 0"));
    let path = shop.0.path("db/schema.sql");
    let text = qualified(&fs::read_to_string(&path).unwrap());
    let text = text.replace("core.users", "core.people").replace("users.", "people.");
    fs::write(path, text.replace("users_", "people_").replace("'open'", "'ready'")).unwrap();
    shop.edit("CREATE TABLE core.people (", "-- renamed from users\nCREATE TABLE core.people (");
    shop.edit("    name text,", "    full_name text, -- renamed from core.users.name");
    shop.edit("    'ready',", "    'ready', -- renamed from open");
    shop.edit("people.name", "people.full_name AS name");
    let written = shop.run("new rename --from-schema");
    assert!(written.starts_with("exit 0"), "{written}");
    let text = shop.written();
    for statement in [
        "ALTER TABLE core.users RENAME TO people;",
        "ALTER TABLE core.people RENAME COLUMN name TO full_name;",
        "ALTER TYPE core.state RENAME VALUE 'open' TO 'ready';",
    ] {
        assert!(text.contains(statement), "{statement}\n{text}");
    }
    assert!(!text.contains("DROP TABLE") && !text.contains("DROP COLUMN"), "{text}");
    rows_after(shop, ["SELECT name FROM core.users", "SELECT full_name FROM core.people WHERE state = 'ready'"]);
    shop.forget();
}
