//! What comes from outside: names of every kind, files that are no schema, databases that do not show themselves.

use std::fs;

use expect_test::expect;

use super::Shop;
use super::kinds::refused;
use crate::support::{Project, query_on, restore, server};

/// Names that are an end of something elsewhere, key words, and two that differ only in case.
fn odd_names() -> Vec<String> {
    let names = [
        "a.b",
        "a\"b",
        "\"",
        "a\nb",
        "a\n--b",
        "100%I %",
        "$$",
        "$nothing$",
        "größe 数",
        "select",
        "Users",
        "users",
        "it's",
        "a, b",
        "--",
        "/*",
        "; DROP TABLE x",
        "back\\slash",
        "tab\there",
        "a ADD VALUE 'x' AFTER 'y'",
        " FOREIGN KEY  CHECK ",
        "x; Type: TABLE; Schema: y",
        "a=b",
        "OWNER: SELECT; PUBLIC: x",
    ];
    names.into_iter().map(str::to_owned).chain(["x".repeat(63), format!("{}é", "y".repeat(61))]).collect()
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn text(name: &str) -> String {
    format!("'{}'", name.replace('\'', "''"))
}

/// An object of most kinds that is called so.
fn odd(name: &str) -> String {
    let (q, t) = (quoted(name), text(name));
    format!(
        "CREATE TABLE o.{q} ({q} int CONSTRAINT {q} CHECK ({q} > 0), other text);\n\
         CREATE TYPE o_types.{q} AS ENUM ({t}, 'x');\n\
         CREATE VIEW o_views.{q} AS SELECT {q} FROM o.{q};\n\
         CREATE INDEX {q} ON o_indexes.one (a);\n\
         CREATE FUNCTION o.{q}({q} int) RETURNS int LANGUAGE sql AS 'SELECT 1';\n\
         CREATE TRIGGER {q} BEFORE UPDATE ON o.{q} FOR EACH ROW EXECUTE FUNCTION o.touch();\n\
         CREATE POLICY {q} ON o.{q} USING (other = {t});\n\
         COMMENT ON TABLE o.{q} IS {t};\n\
         CREATE TABLE o_typed.{q} ({q} o_types.{q} DEFAULT {t});\n"
    )
}

const PLACES: &str = "CREATE SCHEMA o; CREATE SCHEMA o_types; CREATE SCHEMA o_views; CREATE SCHEMA o_indexes; CREATE SCHEMA o_typed;\n\
    CREATE TABLE o_indexes.one (a int);\n\
    CREATE FUNCTION o.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';\n";

/// Each of them changes.
fn changed(name: &str) -> String {
    let (q, t) = (quoted(name), text(name));
    format!(
        "DROP VIEW o_views.{q};\n\
         ALTER TABLE o.{q} ALTER {q} TYPE bigint, DROP CONSTRAINT {q}, ADD COLUMN more text DEFAULT {t}, ALTER other SET NOT NULL;\n\
         CREATE VIEW o_views.{q} AS SELECT {q}, other FROM o.{q};\n\
         ALTER TYPE o_types.{q} ADD VALUE 'y' AFTER {t};\n\
         DROP INDEX o_indexes.{q};\n\
         CREATE INDEX {q} ON o_indexes.one (a) WHERE a > 1;\n\
         DROP TRIGGER {q} ON o.{q};\n\
         ALTER POLICY {q} ON o.{q} USING (other <> {t});\n\
         COMMENT ON COLUMN o.{q}.{q} IS {t};\n\
         COMMENT ON POLICY {q} ON o.{q} IS {t};\n\
         COMMENT ON FUNCTION o.{q}(int) IS {t};\n\
         COMMENT ON TABLE o.{q} IS NULL;\n\
         GRANT SELECT ({q}) ON o.{q} TO PUBLIC;"
    )
}

fn project() -> Project {
    let project = Project::new();
    project.migration("001_a", "CREATE TABLE public.a (id int);", "DROP TABLE public.a;").run(&["up"]);
    project
}

#[test]
fn every_name_comes_and_goes_and_changes() {
    let names = odd_names();
    let project = project();
    let embedded = migrator_tests::load(&project.db()).unwrap().0.set().unwrap();
    let all = names.iter().map(|name| odd(name)).collect::<String>();
    let whole = format!("{PLACES}{all}");
    let missed = refused(embedded, project.database(), &[&whole]);
    assert!(missed.is_empty(), "{}", missed.join("\n"));
    project.query(&whole);
    let changes: Vec<String> = names.iter().map(|name| changed(name)).collect();
    let changes: Vec<&str> = changes.iter().map(String::as_str).collect();
    let missed = refused(embedded, project.database(), &changes);
    assert!(missed.is_empty(), "{} of {}:\n{}", missed.len(), changes.len(), missed.join("\n"));
}

#[test]
fn a_file_that_is_no_schema_is_refused_where_it_is_none() {
    let shop = Shop::new("from-schema-hostile");
    let check = |text: &str, expected: &str| {
        shop.0.write("wanted.sql", text);
        let said = shop.run("new x --from-schema wanted.sql");
        assert!(!said.starts_with("exit 0") && said.contains(expected), "{text}\n{said}");
    };
    for data in
        ["COPY a FROM stdin;\n1\n\\.\n", "UPDATE a SET id = 1;\n", "SELECT pg_catalog.setval('a_id_seq', 7, true);\n"]
    {
        check(&format!("CREATE TABLE a (id int);\n{data}"), "holds a statement about data in line 2");
    }
    check("CREATE TABLE a (id int);\n\n\\connect other\n", "holds a command of psql in line 3: `\\connect`");
    check("CREATE TABLE a (id int", "syntax error");
    check("CREATE TABLE a (id int DEFAULT 'x);\n", "begins in line 1");
    check("CREATE EXTENSION no_such_extension;\n", "\"no_such_extension\" is not available");
    check("CREATE TABLE a (id int); GRANT SELECT ON a TO no_such_role;\n", "role \"no_such_role\" does not exist");
    check("DROP SCHEMA public CASCADE;\n", "the schema lacks what may hold data: `core.orders`, `core.users`");
    // A large file runs in several transactions, and a mistake is still placed in the file.
    let large = format!("CREATE TABLE a (id int);\n{}", "COMMENT ON TABLE a IS 'x';\n".repeat(600));
    check(&format!("{large}GRANT SELECT ON a TO no_such_role;\n"), " --> wanted.sql:602:1\n");
    check(&format!("{large}\nCREATE TABLE b (id itn);\n"), " --> wanted.sql:603:20\n");
    assert_eq!(shop.written(), "");
    a_dump_of_another_release(&shop);
    a_subscription(&shop);
    a_label_that_is_used_at_once(&shop);
}

/// It acts on another server, and holds a password.
fn a_subscription(shop: &Shop) {
    let schema = fs::read_to_string(shop.0.path("db/schema.sql")).unwrap();
    let subscription = "CREATE SUBSCRIPTION paper CONNECTION 'dbname=nowhere' PUBLICATION news WITH (connect = false, slot_name = NONE);";
    for more in ["", "CREATE TABLE core.more (id bigint PRIMARY KEY);\n"] {
        shop.0.write("wanted.sql", format!("{schema}\n{subscription}\n{more}"));
        let said = shop.run("new x --from-schema wanted.sql");
        assert!(said.starts_with("exit 1"), "{said}");
        for expected in [
            "  paper\n",
            "  subscription\n",
            "help: a subscription holds a password, and acts on another server: create or drop it by hand",
        ] {
            assert!(said.contains(expected), "{said}");
        }
        assert_eq!(shop.written(), "");
    }
}

/// What an older and a newer release write above and below, and who owned what.
fn a_dump_of_another_release(shop: &Shop) {
    let schema = fs::read_to_string(shop.0.path("db/schema.sql")).unwrap();
    let dump = format!(
        "\\restrict abc\nSET statement_timeout = 0;\nSET transaction_timeout = 0;\nSET default_with_oids = false;\n{schema}\n\
         ALTER TABLE core.users OWNER TO another_owner;\nALTER TYPE core.state\n    OWNER TO \"Another owner\";\n\\unrestrict abc\n"
    );
    shop.0.write("wanted.sql", dump);
    expect![[r#"
        exit 0
        --- stderr
        the migrations make this schema already; nothing was written
    "#]]
    .assert_eq(&shop.run("new x --from-schema wanted.sql"));
}

/// The server takes a new label only once it is committed.
fn a_label_that_is_used_at_once(shop: &Shop) {
    shop.edit("    'open',", "    'new',\n    'open',");
    shop.edit("DEFAULT 'open'::core.state", "DEFAULT 'new'::core.state");
    let written = shop.run("new states --from-schema");
    assert!(written.starts_with("exit 0"), "{written}");
    expect![[r###"
        ## 002_states_labels.sql
        -- Purpose: states (labels)

        -- migrate:up
        ALTER TYPE core.state ADD VALUE 'new' BEFORE 'open';

        -- migrate:down
        -- migrate:loses core.state."new"
        DROP VIEW core.open_users;

        ALTER TABLE core.users ALTER COLUMN state DROP DEFAULT;

        ALTER TYPE core.state RENAME TO state_old;

        CREATE TYPE core.state AS ENUM (
            'open',
            'closed'
        );

        ALTER TABLE core.users ALTER COLUMN state TYPE core.state USING state::text::core.state;

        ALTER TABLE core.users ALTER COLUMN state SET DEFAULT 'open'::core.state;

        CREATE VIEW core.open_users AS
         SELECT users.id,
            users.name
           FROM core.users
          WHERE (users.state = 'open'::core.state);

        DROP TYPE core.state_old;
        ## 003_states.sql
        -- Purpose: states

        -- migrate:up
        ALTER TABLE core.users ALTER COLUMN state SET DEFAULT 'new'::core.state;

        -- migrate:down
        ALTER TABLE core.users ALTER COLUMN state SET DEFAULT 'open'::core.state;
    "###]]
    .assert_eq(&shop.written());
    shop.forget();
}

#[test]
fn a_restored_copy_is_the_same_schema_and_who_may_not_read_it_is_told() {
    let shop = Shop::new("from-schema-copy");
    let project = Project::of(&shop.0.path("db"));
    assert!(project.run(&["up"]).starts_with("exit 0"));
    let copy = restore(&project, &[], "postgres");
    expect![[r#"
        exit 0
        --- stderr
        the migrations make this schema already; nothing was written
    "#]]
    .assert_eq(&shop.run(&format!("new x --from-database {}", server().url(copy.database()))));
    query_on(
        "postgres",
        "DO $$ BEGIN CREATE ROLE from_schema_guest LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$",
    );
    let url = server().url(copy.database()).replace("postgres@", "from_schema_guest@");
    let refused = shop.run(&format!("new x --from-database {url}"));
    assert!(!refused.starts_with("exit 0"), "{refused}");
    for expected in ["permission denied for", "help: the role has to read every table"] {
        assert!(refused.contains(expected), "{refused}");
    }
    assert_eq!(shop.written(), "");
}
