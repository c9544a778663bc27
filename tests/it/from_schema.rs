//! `new --from-schema`: the migration that makes a schema, written, and proved before it is.

mod each;
mod hostile;
mod kinds;
mod online;
mod renames;
mod since_18;
mod variants;

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
        let text = qualified(&fs::read_to_string(&path).unwrap());
        assert!(text.contains(old), "{old} in\n{text}");
        fs::write(path, text.replacen(old, new, 1)).unwrap();
    }

    /// The files that are new, with their names.
    fn written(&self) -> String {
        let mut paths: Vec<_> =
            fs::read_dir(self.0.path("db/migrations")).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        let text = |path: &std::path::PathBuf| {
            format!("## {}\n{}", path.file_name().unwrap().display(), qualified(&fs::read_to_string(path).unwrap()))
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

/// The view as servers up to 15 spell it: later ones do not qualify the columns where there is only one table.
fn qualified(text: &str) -> String {
    let spellings = [
        ("SELECT id,\n", "SELECT users.id,\n"),
        ("    name\n   FROM core.users", "    users.name\n   FROM core.users"),
        ("    full_name AS name\n", "    users.full_name AS name\n"),
        ("WHERE (state = ", "WHERE (users.state = "),
    ];
    spellings.iter().fold(text.to_owned(), |text, (new, old)| text.replace(new, old))
}

#[test]
fn what_the_schema_says_becomes_files_that_lead_there_and_back() {
    let shop = Shop::new("from-schema");
    expect![[r#"
        exit 0
        --- stderr
        the migrations make this schema already; nothing was written
    "#]]
    .assert_eq(&shop.run("new nothing --from-schema"));
    shop.edit("    name text,", "    name text DEFAULT 'nobody'::text NOT NULL,\n    phone text,");
    shop.edit("    user_id bigint,", "    user_id bigint,\n    note text,");
    shop.edit(
        "    ADD CONSTRAINT users_pkey PRIMARY KEY (id);",
        "    ADD CONSTRAINT users_pkey PRIMARY KEY (id);\n\
         ALTER TABLE core.orders ADD CONSTRAINT orders_user_id_fkey FOREIGN KEY (user_id) REFERENCES core.users (id);\n\
         CREATE INDEX orders_user_id_idx ON core.orders (user_id);",
    );
    expect![[r#"
        exit 0
        --- stdout
        db/migrations/002_add_phone.sql
        db/migrations/003_add_phone_validate.sql
        db/migrations/004_add_phone_index_orders_user_id_idx.sql
        --- stderr
        note: the columns come in another order than in the schema: a column can only be added at the end
        note: `core.users.name` is required from now on: `up` fails where a row has no value; give it one in a migration before these
        locks, as seen on an empty copy of the schema:
          002_add_phone: AccessExclusive on core.users for a moment: reads and writes wait
          002_add_phone: AccessExclusive on core.orders for a moment: reads and writes wait
          003_add_phone_validate: AccessExclusive on core.users for a moment: reads and writes wait
          004_add_phone_index_orders_user_id_idx: no one waits
    "#]]
    .assert_eq(&shop.run("new add_phone --from-schema"));
    what_was_written(&shop);
    shop.forget();
    what_holds_data_is_dropped_only_where_that_is_said(&shop);
    what_cannot_be_a_schema_is_refused(&shop);
}

fn what_was_written(shop: &Shop) {
    expect![[r#"
        ## 002_add_phone.sql
        -- Purpose: add phone

        -- migrate:up
        ALTER TABLE core.users ALTER COLUMN name SET DEFAULT 'nobody'::text;

        ALTER TABLE core.users ADD CONSTRAINT users_name_is_present CHECK (name IS NOT NULL) NOT VALID;

        ALTER TABLE core.users ADD COLUMN phone text;

        ALTER TABLE core.orders ADD COLUMN note text;

        ALTER TABLE ONLY core.orders
            ADD CONSTRAINT orders_user_id_fkey FOREIGN KEY (user_id) REFERENCES core.users(id) NOT VALID;

        -- migrate:down
        -- migrate:loses core.orders.note
        -- migrate:loses core.users.phone
        ALTER TABLE core.orders DROP CONSTRAINT orders_user_id_fkey;

        ALTER TABLE core.orders DROP COLUMN note;

        ALTER TABLE core.users DROP COLUMN phone;

        ALTER TABLE core.users ALTER COLUMN name DROP DEFAULT;

        ALTER TABLE core.users DROP CONSTRAINT users_name_is_present;
        ## 003_add_phone_validate.sql
        -- Purpose: add phone (validate)

        -- migrate:up
        -- This fails where a row has no value for name: give it one in a migration before this one (`cargo xtask new --template backfill`).
        ALTER TABLE core.users VALIDATE CONSTRAINT users_name_is_present;

        ALTER TABLE core.orders VALIDATE CONSTRAINT orders_user_id_fkey;

        ALTER TABLE core.users ALTER COLUMN name SET NOT NULL;

        ALTER TABLE core.users DROP CONSTRAINT users_name_is_present;

        -- migrate:down
        ALTER TABLE core.users ADD CONSTRAINT users_name_is_present CHECK (name IS NOT NULL) NOT VALID;

        ALTER TABLE core.users ALTER COLUMN name DROP NOT NULL;

        ALTER TABLE core.orders DROP CONSTRAINT orders_user_id_fkey;

        ALTER TABLE ONLY core.orders
            ADD CONSTRAINT orders_user_id_fkey FOREIGN KEY (user_id) REFERENCES core.users(id) NOT VALID;
        ## 004_add_phone_index_orders_user_id_idx.sql
        -- Purpose: add phone (index orders_user_id_idx)

        -- migrate:up transaction:false
        CREATE INDEX CONCURRENTLY orders_user_id_idx ON core.orders USING btree (user_id);

        -- migrate:down transaction:false
        DROP INDEX CONCURRENTLY core.orders_user_id_idx;
    "#]]
    .assert_eq(&shop.written());
}

fn what_holds_data_is_dropped_only_where_that_is_said(shop: &Shop) {
    assert!(shop.run("dump").starts_with("exit 0"));
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
    expect![[r#"
        exit 0
        --- stdout
        db/migrations/002_rename.sql
        --- stderr
        locks, as seen on an empty copy of the schema:
          002_rename: AccessExclusive on core.users for a moment: reads and writes wait
    "#]]
    .assert_eq(&shop.run("new rename --from-schema --renamed core.users.name=full_name"));
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
    shop.forget();
    let dropped = shop.run("new drop --from-schema --allow-drop");
    assert!(dropped.starts_with("exit 0"), "{dropped}");
    expect![[r#"
        ## 002_drop.sql
        -- Purpose: drop

        -- migrate:up
        DROP VIEW core.open_users;

        -- migrate:allow ban-drop-column to be decided: the release that is still running uses it until the last machine has the new one; otherwise drop it one release after the last code that names it
        ALTER TABLE core.users DROP COLUMN name;

        ALTER TABLE core.users ADD COLUMN full_name text;

        CREATE VIEW core.open_users AS
         SELECT users.id,
            users.full_name AS name
           FROM core.users
          WHERE (users.state = 'open'::core.state);

        -- migrate:down
        -- migrate:loses core.users.full_name
        DROP VIEW core.open_users;

        ALTER TABLE core.users DROP COLUMN full_name;

        ALTER TABLE core.users ADD COLUMN name text;

        CREATE VIEW core.open_users AS
         SELECT users.id,
            users.name
           FROM core.users
          WHERE (users.state = 'open'::core.state);
    "#]]
    .assert_eq(&shop.written());
    shop.forget();
}

fn what_cannot_be_a_schema_is_refused(shop: &Shop) {
    assert!(shop.run("dump").starts_with("exit 0"));
    let schema = fs::read_to_string(shop.0.path("db/schema.sql")).unwrap();
    shop.0.write("wanted.sql", format!("{schema}\nREVOKE ALL ON core.orders FROM CURRENT_USER;\n"));
    let revoked = shop.run("new x --from-schema wanted.sql");
    assert!(revoked.starts_with("exit 0"), "{revoked}");
    assert!(shop.written().contains(" ON TABLE core.orders FROM CURRENT_USER;"), "{}", shop.written());
    shop.forget();
    let check = |text: &str| {
        shop.0.write("wanted.sql", text);
        shop.run("new x --from-schema wanted.sql")
    };
    expect![[r#"
        exit 1
        --- stderr
        error: the schema lacks what may hold data: `core.orders`, `core.users`; nothing was written
        help: `--allow-drop` drops it, with its data; what has only another name is said with `--renamed OLD=NEW`
    "#]]
    .assert_eq(&check(""));
    expect![[r#"
        exit 9
        --- stderr
        error: `wanted.sql` holds a statement about data in line 3: `INSERT INTO a VALUES`; a schema has none
        help: take it out of the file; what new databases need to hold goes to db/seeds
    "#]]
    .assert_eq(&check("CREATE TABLE a (id int);\n\nINSERT INTO a VALUES (1);\n"));
    expect![[r#"
        exit 3
        --- stderr
        error: the load of `wanted.sql` failed and was rolled back
         --> wanted.sql:1:8
          |
        1 | CREATE TABEL a (id int);
          |        ^ syntax error at or near "TABEL" [42601]
          |
          = help: the SQL must create the schema on an empty database; only roles that the migrations create exist there
    "#]]
    .assert_eq(&check("CREATE TABEL a (id int);\n"));
    // Where a server looks for it is its own affair.
    let missing = check("CREATE EXTENSION no_such_extension;\n");
    assert!(missing.contains("extension \"no_such_extension\" is not available"), "{missing}");
    expect![[r#"
        exit 3
        --- stderr
        error: the load of `wanted.sql` failed and was rolled back
         --> wanted.sql:2:1
          |
        2 | GRANT SELECT ON a TO no_such_role;
          | ^ role "no_such_role" does not exist [42704]
          |
          = help: create the role first, with `CREATE ROLE ...`: roles belong to the whole server, so a dump of one database does not contain them
          = help: the SQL must create the schema on an empty database; only roles that the migrations create exist there
    "#]].assert_eq(&check("CREATE TABLE a (id int);\nGRANT SELECT ON a TO no_such_role;\n"));
    expect![[r#"
        exit 2
        --- stderr
        error: `--allow-drop`, `--renamed` and `--offline` belong to `--from-schema` or `--from-database`
    "#]]
    .assert_eq(&shop.run("new x --allow-drop"));
    assert_eq!(shop.written(), "");
}
