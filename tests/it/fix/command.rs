//! What the command says, what it writes, and what it refuses.

use std::fs;
use std::process::Stdio;

use expect_test::expect;
use serde_json::{Value, json};

use crate::support::finish_json;
use crate::workspace::Workspace;

const BASE: &str =
    "-- migrate:up\nCREATE TABLE users (id bigint PRIMARY KEY, name text);\n\n-- migrate:down\nDROP TABLE users;\n";

const NEW: &str = "-- migrate:up\nALTER TABLE users ADD COLUMN age int;\n\nCREATE INDEX users_name_idx ON users (name);\n\n\
    ALTER TABLE users RENAME COLUMN name TO full_name;\n\n-- migrate:down\nALTER TABLE users RENAME COLUMN full_name TO name;\n\n\
    DROP INDEX users_name_idx;\n\nALTER TABLE users DROP COLUMN age;\n";

struct Shop(Workspace);

impl Shop {
    fn new(name: &str) -> Shop {
        let files = [
            ("Cargo.toml", "[workspace]\nresolver = \"3\"\n"),
            ("db/migrator.toml", ""),
            ("db/migrations/001_users.sql", BASE),
        ];
        let files: Vec<_> = files.map(|(path, text)| (path.into(), text.as_bytes().to_vec())).into();
        Shop(Workspace::of(name, &files))
    }

    fn run(&self, line: &str) -> String {
        let mut xtask = self.0.program(env!("CARGO_BIN_EXE_xtask"));
        // An empty line of a difference is a space, which no text in a source ends with.
        let said = self.0.run(xtask.args(line.split_whitespace()));
        said.lines().map(|line| format!("{}\n", line.trim_end())).collect()
    }

    /// The exit code, and the last object of `--json`.
    fn json(&self, line: &str) -> (i32, Value) {
        let mut xtask = self.0.program(env!("CARGO_BIN_EXE_xtask"));
        xtask.args(line.split_whitespace()).arg("--json").stdout(Stdio::piped()).stderr(Stdio::piped());
        let (code, mut lines) = finish_json(xtask.spawn().unwrap());
        (code, lines.pop().unwrap())
    }

    fn git(&self, line: &str) {
        let mut git = self.0.program("git");
        let user = ["-c", "user.name=test", "-c", "user.email=test@example.com"];
        let output = git.args(user).args(line.split_whitespace()).output().unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path("db/migrations")).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

#[test]
fn only_what_is_not_on_the_base_branch_is_rewritten() {
    let shop = Shop::new("check-fix");
    let _ = fs::remove_dir_all(shop.0.path(".git"));
    expect![[r#"
        exit 9
        --- stderr
        error: cannot tell which migrations have been applied: this is not a git repository
        help: name the branch that production is at: `cargo xtask check --fix --base <branch>`
    "#]]
    .assert_eq(&shop.run("check --fix"));
    shop.git("init --quiet --initial-branch main");
    shop.git("add db");
    shop.git("commit --quiet --message base");
    shop.0.write("db/migrations/002_names.sql", NEW);
    expect![[r#"
        exit 1
        --- stderr
        error: `db/migrations/001_users.sql` is in `main`: it may have been applied
        help: make the change in a new migration
    "#]]
    .assert_eq(&shop.run("check --fix --base main db/migrations/001_users.sql"));
    expect![[r#"
        exit 2
        --- stderr
        error: `db/migrations/003_none.sql` is no migration of this workspace
        help: name files of db/migrations
    "#]]
    .assert_eq(&shop.run("check --fix --base main db/migrations/003_none.sql"));
    let (code, told) = shop.json("check --fix --base main db/migrations/001_users.sql");
    let message = "`db/migrations/001_users.sql` is in `main`: it may have been applied";
    assert_eq!(json!([code, told["error"]["message"]]), json!([1, message]));
    expect![[r#"
        exit 2
        --- stderr
        error: the following required arguments were not provided:
          --fix

        Usage: cargo xtask check --fix --dry-run [FILE]...

        For more information, try '--help'.
    "#]]
    .assert_eq(&shop.run("check --dry-run"));
    what_is_new_is_told_to_programs(&shop);
    what_is_new_is_shown_and_then_written(&shop);
    with_everything_fixed_nothing_is_found(&shop);
}

fn what_is_new_is_told_to_programs(shop: &Shop) {
    let (code, told) = shop.json("check --fix --base main --dry-run");
    let files = ["002_names", "003_names_index_users_name_idx", "004_names_part_2"];
    let files = files.map(|name| format!("db/migrations/{name}.sql"));
    assert_eq!((code, &told["files"], &told["dry_run"]), (1, &json!(files), &json!(true)), "{told}");
    let place = |hazard: &Value| json!([hazard["rule"], hazard["line"], hazard["column"], hazard["reason"]]);
    assert_eq!(place(&told["fixed"][0]), json!(["require-concurrent-index-creation", 4, 1, null]));
    assert_eq!(place(&told["left"][0]), json!(["renaming-column", 6, 19, "both names at once are another schema"]));
    assert!(told["message"].as_str().unwrap().contains("\n+CREATE INDEX CONCURRENTLY users_name_idx"), "{told}");
}

fn what_is_new_is_shown_and_then_written(shop: &Shop) {
    let shown = shop.run("check --fix --base main --dry-run");
    assert_eq!(shop.names(), ["001_users.sql", "002_names.sql"]);
    assert_eq!(fs::read_to_string(shop.0.path("db/migrations/002_names.sql")).unwrap(), NEW);
    let fixed = shop.run("check --fix --base main");
    expect![[r#"
        exit 1
        --- stdout
        --- db/migrations/002_names.sql
        +++ db/migrations/002_names.sql
        @@ -1,13 +1,5 @@
         -- migrate:up
         ALTER TABLE users ADD COLUMN age int;
 
        -CREATE INDEX users_name_idx ON users (name);
        -
        -ALTER TABLE users RENAME COLUMN name TO full_name;
        -
         -- migrate:down
        -ALTER TABLE users RENAME COLUMN full_name TO name;
        -
        -DROP INDEX users_name_idx;
        -
         ALTER TABLE users DROP COLUMN age;
        --- /dev/null
        +++ db/migrations/003_names_index_users_name_idx.sql
        @@ -0,0 +1,5 @@
        +-- migrate:up transaction:false
        +CREATE INDEX CONCURRENTLY users_name_idx ON users (name);
        +
        +-- migrate:down transaction:false
        +DROP INDEX CONCURRENTLY users_name_idx;
        --- /dev/null
        +++ db/migrations/004_names_part_2.sql
        @@ -0,0 +1,5 @@
        +-- migrate:up
        +ALTER TABLE users RENAME COLUMN name TO full_name;
        +
        +-- migrate:down
        +ALTER TABLE users RENAME COLUMN full_name TO name;
        --- stderr
        fixed: db/migrations/002_names.sql:4:1: an index is built on `users` while no one can write to it [require-concurrent-index-creation]
        not fixed: db/migrations/002_names.sql:6:19: a column of `users` is renamed [renaming-column]: both names at once are another schema
    "#]].assert_eq(&fixed);
    assert_eq!(shown.replace("would fix:", "fixed:"), fixed);
    assert_eq!(
        shop.names(),
        ["001_users.sql", "002_names.sql", "003_names_index_users_name_idx.sql", "004_names_part_2.sql"]
    );
    expect![[r#"
        exit 1
        --- stderr
        not fixed: db/migrations/004_names_part_2.sql:2:19: a column of `users` is renamed [renaming-column]: both names at once are another schema
    "#]].assert_eq(&shop.run("check --fix --base main"));
}

fn with_everything_fixed_nothing_is_found(shop: &Shop) {
    let path = "db/migrations/004_names_part_2.sql";
    let text = fs::read_to_string(shop.0.path(path)).unwrap();
    let allowed = text.replacen(
        "ALTER TABLE users RENAME",
        "-- migrate:allow renaming-column no release reads it\nALTER TABLE users RENAME",
        1,
    );
    shop.0.write(path, allowed);
    let (code, told) = shop.json("check --fix --base main");
    let none = json!([0, [], [], [], false]);
    assert_eq!(json!([code, told["files"], told["fixed"], told["left"], told["dry_run"]]), none);
    expect![[r#"
        exit 0
        --- stderr
        no hazard is in the migrations that may be rewritten; nothing was written
    "#]]
    .assert_eq(&shop.run("check --fix --base main"));
}
