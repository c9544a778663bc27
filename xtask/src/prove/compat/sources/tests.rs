//! On trees of files, and on real repositories.

mod rust;
mod trees;

use std::collections::BTreeMap;

use anyhow::Result;
use expect_test::{Expect, expect};

use super::{Content, Options, Tree, collect};
use crate::prove::compat::query::{Place, Queries};

/// Files by path.
struct Files(BTreeMap<String, String>, Vec<String>);

impl Files {
    fn of(files: &[(&str, &str)]) -> Files {
        let files: BTreeMap<String, String> =
            files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        let paths = files.keys().cloned().collect();
        Files(files, paths)
    }
}

impl Tree for Files {
    fn paths(&self) -> &[String] {
        &self.1
    }

    fn unnamed(&self) -> &[String] {
        &[]
    }

    fn read(&self, path: &str) -> Result<Content> {
        Ok(self.0.get(path).map_or(Content::Gone, |text| Content::of(text.clone().into_bytes())))
    }
}

/// What was found, one line for each query, call and file.
fn shown(queries: &Queries) -> String {
    let place = |place: &Place| format!("{}:{}", place.file, place.line);
    let query = queries.queries.iter().map(|query| {
        let places: Vec<String> = query.places.iter().map(place).collect();
        let declared = if query.declared.is_some() { " (declared)" } else { "" };
        format!("{} {:?}{declared}", places.join(" "), query.text)
    });
    let not_literal = queries.not_literal.iter().map(|at| format!("{} not a literal", place(at)));
    let unreadable = queries.unreadable.iter().map(|(file, why)| format!("{file}: {why}"));
    query.chain(not_literal).chain(unreadable).collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn check(files: &[(&str, &str)], expected: Expect) {
    expected.assert_eq(&shown(&collect(&Files::of(files), Options::default()).unwrap()));
}

const CLIENT: (&str, &str) =
    ("Cargo.toml", "[package]\nname = \"backend\"\n[dependencies]\ntokio-postgres = \"0.7\"\nsqlx = \"0.8\"\n");

#[test]
fn the_metadata_of_sqlx_says_the_types_and_the_source_the_place() {
    let metadata = |text: &str| {
        format!(
            r#"{{"db_name":"PostgreSQL","query":"{text}","describe":{{"columns":[],"parameters":{{"Left":[]}},"nullable":[]}}}}"#
        )
    };
    let (one, two, three, gone) = (
        metadata("\\n    SELECT 1\\n"),
        metadata("SELECT 2\\nFROM t"),
        metadata("DELETE FROM \\\"ü\\\""),
        metadata("SELECT 4"),
    );
    check(
        &[
            CLIENT,
            (".sqlx/query-1.json", &one),
            (".sqlx/query-2.json", &two),
            ("a/.sqlx/query-3.json", &three),
            (".sqlx/query-4.json", &gone),
            ("tests/.sqlx/query-5.json", "{"),
            ("src/a.rs", "fn f() { query_as!(\n  T,\n  r#\"\n    SELECT 1\n\"#); }"),
            ("src/b.rs", "query_file!(\"sql/two.sql\");\nquery_file_as!(T, \"none.sql\");"),
            ("sql/two.sql", "SELECT 2\r\nFROM t"),
            (".sqlx/query-6.json", &metadata("SELECT 6")),
            (".sqlx/query-7.json", &metadata("SELECT 7")),
            (".sqlx/query-8.json", &metadata("SELECT 8")),
            (
                "src/d.rs",
                "fn f() { query!(\"SELECT 8\") } #[cfg(test)] mod tests { fn g() { query!(\"SELECT 6\"); query!(\"SELECT 8\") } }",
            ),
            ("tests/d.rs", "fn f() { query!(\"SELECT 7\"); }"),
            ("src/c.rs", "sqlx::query!(\"DELETE\" + \" FROM \\\"\\u{fc}\\\"\")"),
        ],
        expect![[r#"
            .sqlx/query-4.json:1 "SELECT 4" (declared)
            sql/two.sql:1 "SELECT 2\nFROM t" (declared)
            src/a.rs:4 "\n    SELECT 1\n" (declared)
            src/c.rs:1 "DELETE FROM \"ü\"" (declared)
            src/d.rs:1 "SELECT 8" (declared)
            src/b.rs: line 2: the file `none.sql` does not exist"#]],
    );
}

#[test]
fn files_of_sql_are_those_of_a_setting_or_in_folders_of_that_name() {
    let files = [
        ("queries/a.sql", "SELECT 1"),
        ("b/queries/c/d.sql", "\u{feff}\r\nSELECT\r\n2"),
        ("db/queries/x.sql", "SELECT 3"),
        ("b/tests/queries/x.sql", "SELECT 4"),
        ("sql/y.sql", "SELECT 5"),
    ];
    check(
        &files,
        expect![[r#"
            b/queries/c/d.sql:2 "SELECT\n2"
            queries/a.sql:1 "SELECT 1""#]],
    );
    let queries = ["sql/*.sql", "db/queries/**", "none/*"].map(str::to_owned);
    let set = collect(&Files::of(&files), Options { queries: &queries, statements: None }).unwrap();
    expect![[r#"
        db/queries/x.sql:1 "SELECT 3"
        sql/y.sql:1 "SELECT 5"
        none/*: no file matches this pattern"#]]
    .assert_eq(&shown(&set));
    let invalid = Options { queries: &["/etc/*".to_owned()], statements: None };
    assert!(collect(&Files::of(&[]), invalid).unwrap_err().to_string().contains("help:"));
}

#[test]
fn only_what_is_shipped_asks() {
    let literal = "fn f() { client.execute(\"DELETE FROM t\", &[]); }";
    let engine = "[package]\nname = \"x\"\n[target.'cfg(unix)'.dependencies]\nmine = { workspace = true }\n";
    let root = "[workspace.dependencies]\nmine = { package = \"migrator-engine\", version = \"1\" }\n";
    let inner = "#[cfg(test)]\nmod tests {\n  fn f() { c.query(\"SELECT 1\", &[]); }\n}\n#[tokio::test]\nasync fn t() { c.query(\"SELECT 2\", &[]) }\n\
         #[cfg(test)] mod inner;\n#[cfg(test)] use x::{y};\nfn g() { c.query(\"SELECT 3\", &[]) }\n";
    check(
        &[
            ("Cargo.toml", root),
            ("app/Cargo.toml", "[package]\nname = \"app\"\n"),
            ("app/src/lib.rs", inner),
            ("app/src/inner.rs", literal),
            ("app/src/inner/deeper/mod.rs", literal),
            ("app/src/inner/mod.rs", "mod deeper;"),
            ("app/src/shipped/tests/a.rs", "fn f() { c.query(\"SELECT 4\", &[]) }"),
            ("app/tests/a.rs", literal),
            ("app/benches/a.rs", literal),
            ("app/examples/a.rs", literal),
            ("app/build.rs", literal),
            ("tests/app/src/lib.rs", literal),
            ("target/x/src/a.rs", literal),
            ("db/x.rs", literal),
            ("migrator/Cargo.toml", "[package]\nname = \"migrator\"\n"),
            ("migrator/src/main.rs", literal),
            ("tool/Cargo.toml", engine),
            ("tool/src/main.rs", literal),
            ("xtask/Cargo.toml", "[package]\nname = \"xtask\"\n"),
            ("xtask/src/main.rs", literal),
            ("xtask/.sqlx/query-1.json", "{"),
        ],
        expect![[r#"
            app/src/lib.rs:9 "SELECT 3"
            app/src/shipped/tests/a.rs:1 "SELECT 4""#]],
    );
}

#[test]
fn what_makes_queries_at_run_time_is_said() {
    let manifest = |name: &str, uses: &str| format!("[package]\nname = \"{name}\"\n[dependencies]\n{uses} = \"2\"\n");
    check(
        &[
            ("a/Cargo.toml", &manifest("a", "diesel")),
            ("a/src/lib.rs", "use diesel::prelude::*;"),
            ("a/src/b.rs", "diesel::insert_into(t)"),
            ("a/tests/c.rs", "use diesel::prelude::*;"),
            ("b/Cargo.toml", &manifest("b", "diesel")),
            ("b/src/lib.rs", "diesel::sql_query(\"SELECT 1\");"),
            ("c/Cargo.toml", &manifest("c", "sea-orm")),
            ("c/src/lib.rs", "use sea_orm::*;"),
            ("d/Cargo.toml", "[package"),
            ("e/Cargo.toml", "[package]\nname = \"e\"\n[dependencies]\na = { path = \"../a\" }\n"),
            ("e/src/lib.rs", "a::client().query(\"SELECT 2\", &[]);"),
            ("f/Cargo.toml", "[package]\nname = \"f\"\n[dependencies]\nserde = \"1\"\n"),
            ("f/src/lib.rs", "http.query(\"SELECT 3\", &[]);"),
            ("vendor/diesel/Cargo.toml", &manifest("diesel", "postgres")),
            ("vendor/diesel/.cargo-checksum.json", "{}"),
            ("vendor/diesel/src/lib.rs", "http.query(\"SELECT 4\", &[]);"),
        ],
        expect![[r#"
            b/src/lib.rs:1 "SELECT 1"
            e/src/lib.rs:1 "SELECT 2"
            a/Cargo.toml: `diesel` makes its queries at run time: what 2 files ask is not known
            c/Cargo.toml: `sea-orm` makes its queries at run time: what 1 file ask is not known
            d/Cargo.toml: it is not valid TOML"#]],
    );
}
