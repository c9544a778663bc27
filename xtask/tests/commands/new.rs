//! `new`.

use std::fs;

use expect_test::expect;

use crate::workspace::Workspace;

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
            error: unknown template `nothing`
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
