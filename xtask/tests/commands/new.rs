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

#[test]
fn new_says_what_is_odd_about_the_directory() {
    let workspace = Workspace::new();
    workspace.migration("002_add_users_phone", "ALTER TABLE users ADD COLUMN phone text;");
    workspace.migration("20251231235959_add_users_fax", "ALTER TABLE users ADD COLUMN fax text;");
    workspace.check(&mut workspace.xtask("new Add_Users_Phone"), expect![[r#"
        exit 0
        --- stdout
        db/migrations/003_Add_Users_Phone.sql
        --- stderr
        warning: `002_add_users_phone.sql` has the same name
        warning: `20251231235959_add_users_fax.sql` is numbered otherwise than the other files, and counts as newer than 003
        help: rename it where it has not been applied yet; else `up` refuses 003 as out of order, and `cargo xtask new --timestamp` continues after it
    "#]]);
}

#[test]
fn new_opens_the_file_in_the_editor_of_the_user() {
    let workspace = Workspace::new();
    let new = |name: &str, visual: &str, editor: &str| {
        let mut command = workspace.xtask(&format!("new {name} --edit"));
        command.env("VISUAL", visual).env("EDITOR", editor);
        command
    };
    let visual = "sh -c 'printf \"opened by VISUAL\\n\" > \"$0\"'";
    workspace.check(
        &mut new("größe", visual, "false"),
        expect![[r#"
        exit 0
        --- stdout
        db/migrations/002_grosse.sql
    "#]],
    );
    let text = fs::read_to_string(workspace.path("db/migrations/002_grosse.sql")).unwrap();
    assert_eq!(text, "opened by VISUAL\n");
    workspace.check(
        &mut new("second", "", "exit 3;"),
        expect![[r#"
        exit 9
        --- stdout
        db/migrations/003_second.sql
        --- stderr
        error: the editor `exit 3;` failed (exit status: 3)
        help: the new file stays: `db/migrations/003_second.sql`
    "#]],
    );
    workspace.check(
        &mut new("third", "", ""),
        expect![[r#"
        exit 2
        --- stderr
        error: `--edit` needs an editor
        help: set VISUAL or EDITOR, such as `VISUAL=vim`
    "#]],
    );
    assert!(!workspace.path("db/migrations/004_third.sql").exists());
}
