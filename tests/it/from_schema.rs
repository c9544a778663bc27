//! `new --from-schema`: the migration that makes a schema, written, and proved before it is.

mod kinds;

use std::fs;

use expect_test::expect;

use crate::workspace::Workspace;

const INIT: &str = "-- migrate:up
CREATE SCHEMA core;
CREATE TYPE core.state AS ENUM ('open', 'closed');
CREATE TABLE core.users (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text, state core.state NOT NULL DEFAULT 'open');
CREATE TABLE core.orders (id bigint PRIMARY KEY, user_id bigint, total numeric(10, 2));
CREATE VIEW core.open_users AS SELECT id, name FROM core.users WHERE state = 'open';
INSERT INTO core.users (name) VALUES ('Ada');

-- migrate:down
DROP SCHEMA core CASCADE;
";

/// A workspace with one migration, whose schema is in db/schema.sql.
struct Shop(Workspace);

impl Shop {
    fn new(name: &str) -> Shop {
        let files = [
            ("Cargo.toml", "[workspace]\nresolver = \"3\"\n"),
            ("db/migrator.toml", ""),
            ("db/migrations/001_init.sql", INIT),
        ];
        let files: Vec<_> = files.map(|(path, text)| (path.into(), text.as_bytes().to_vec())).into();
        let shop = Shop(Workspace::of(name, &files));
        let dumped = shop.run("dump");
        assert!(dumped.starts_with("exit 0"), "{dumped}");
        shop
    }

    fn run(&self, line: &str) -> String {
        let mut xtask = self.0.program(env!("CARGO_BIN_EXE_xtask"));
        self.0.run(xtask.args(line.split_whitespace()))
    }

    /// Changes db/schema.sql.
    fn edit(&self, old: &str, new: &str) {
        let path = self.0.path("db/schema.sql");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(old), "{old} in\n{text}");
        fs::write(path, text.replacen(old, new, 1)).unwrap();
    }

    /// The files that are new, with their names.
    fn written(&self) -> String {
        let mut paths: Vec<_> =
            fs::read_dir(self.0.path("db/migrations")).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        let text = |path: &std::path::PathBuf| {
            format!("## {}\n{}", path.file_name().unwrap().display(), fs::read_to_string(path).unwrap())
        };
        paths[1..].iter().map(text).collect()
    }

    fn forget(&self) {
        for entry in fs::read_dir(self.0.path("db/migrations")).unwrap() {
            let path = entry.unwrap().path();
            if !path.ends_with("001_init.sql") {
                fs::remove_file(path).unwrap();
            }
        }
    }
}

#[test]
fn what_the_schema_says_becomes_files_that_lead_there_and_back() {
    let shop = Shop::new("from-schema");
    expect![[r#"
        exit 2
        --- stderr
        error: a value is required for '--from-schema [<PATH>]' but none was supplied

        For more information, try '--help'.
    "#]]
    .assert_eq(&shop.run("new nothing --from-schema"));
    shop.edit("    name text,", "    name text DEFAULT 'nobody'::text NOT NULL,\n    phone text,");
    shop.edit("    user_id bigint,", "    user_id bigint,\n    note text,");
    shop.edit(
        "    ADD CONSTRAINT orders_pkey PRIMARY KEY (id);",
        "    ADD CONSTRAINT orders_pkey PRIMARY KEY (id);\n\
         ALTER TABLE core.orders ADD CONSTRAINT orders_user_id_fkey FOREIGN KEY (user_id) REFERENCES core.users (id);\n\
         CREATE INDEX orders_user_id_idx ON core.orders (user_id);",
    );
    expect![[r#"
        exit 2
        --- stderr
        error: a value is required for '--from-schema [<PATH>]' but none was supplied

        For more information, try '--help'.
    "#]].assert_eq(&shop.run("new add_phone --from-schema"));
    expect![[""]].assert_eq(&shop.written());
    let verified = shop.run("verify");
    assert!(verified.contains("exit 0"), "{verified}");
    shop.forget();
    what_holds_data_is_dropped_only_where_that_is_said(&shop);
    what_cannot_be_a_schema_is_refused(&shop);
}

fn what_holds_data_is_dropped_only_where_that_is_said(shop: &Shop) {
    assert!(shop.run("dump").starts_with("exit 0"));
    shop.edit("    name text,", "    full_name text,");
    shop.edit("SELECT users.id,\n    users.name", "SELECT users.id,\n    users.full_name AS name");
    expect![[""]].assert_eq(&shop.run("new rename --from-schema"));
    expect![[""]].assert_eq(&shop.run("new rename --from-schema --renamed core.users.name=full_name"));
    expect![[""]].assert_eq(&shop.written());
    shop.forget();
    let dropped = shop.run("new drop --from-schema --allow-drop");
    assert!(dropped.starts_with("exit 0"), "{dropped}");
    expect![[""]].assert_eq(&shop.written());
    shop.forget();
}

fn what_cannot_be_a_schema_is_refused(shop: &Shop) {
    let check = |text: &str| {
        shop.0.write("wanted.sql", text);
        shop.run("new x --from-schema wanted.sql")
    };
    expect![[""]].assert_eq(&check(""));
    expect![[""]].assert_eq(&check("CREATE TABLE a (id int);\n\nINSERT INTO a VALUES (1);\n"));
    expect![[""]].assert_eq(&check("CREATE TABEL a (id int);\n"));
    expect![[""]].assert_eq(&check("CREATE EXTENSION no_such_extension;\n"));
    expect![[""]].assert_eq(&check("CREATE TABLE a (id int);\nGRANT SELECT ON a TO no_such_role;\n"));
    expect![[""]].assert_eq(&shop.run("new x --allow-drop"));
    assert_eq!(shop.written(), "");
}
