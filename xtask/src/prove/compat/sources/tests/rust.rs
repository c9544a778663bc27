//! The forms of calls in Rust.

use expect_test::{Expect, expect};

use super::{CLIENT, Files, Options, check, collect, shown};

/// One source of a package that has clients.
#[track_caller]
fn source(source: &str, expected: Expect) {
    let files = Files::of(&[CLIENT, ("src/a.rs", source)]);
    let found = shown(&collect(&files, Options::default()).unwrap());
    expected.assert_eq(&found.replace("src/a.rs:", ""));
}

#[test]
fn literals_of_every_client() {
    source(
        r####"
client.query("SELECT 1", &[&a]).await?;
client.query_one(r"SELECT '\n'", &[]); self.client.query_opt(&"SELECT 3", &[]);
tx.execute(r#"UPDATE "t" SET a = 1"#, &[]); client.query_typed("SELECT $1", &[(&a, Type::INT4)]);
client.prepare("SELECT 6"); c.prepare_cached("SELECT 7"); c.prepare_typed("SELECT $1 + 8", &[Type::INT8]);
client.copy_in("COPY t FROM STDIN"); c.copy_out("COPY (SELECT 1) TO STDOUT");
c.batch_execute("
    BEGIN;
    INSERT INTO t VALUES (';'); -- x
    SELECT 10; COMMIT");
c.simple_query("SELECT 11; SELECT 12");
sqlx::query("SELECT 13").bind(1).execute(&pool); query_as::<_, (i64, Vec<T>)>("SELECT 14"); sqlx::query_scalar!("SELECT 15", a);
sqlx::query_as!(Row, "SELECT 16"); query_as_unchecked!(Row, "SELECT 17", x,); pool.execute("DELETE FROM t");
pool.fetch_all("SELECT 19"); sqlx::raw_sql("SELECT 20"); diesel::sql_query("SELECT 21");
Statement::from_string(DbBackend::Postgres, "SELECT 22"); Statement::from_sql_and_values(b, "SELECT 23", [1.into()]);
mine::query(&mut connection, "SELECT 24"); tokio::try_join!(c.query("SELECT 25", &[]), c.query("SELECT 26", &[]));
c.query::<str>("SELECT 27", &[]); c.query_raw::<str, _, Vec<i64>>("SELECT 28", v);
"####,
        expect![[r#"
            2 "SELECT 1"
            3 "SELECT '\\n'"
            3 "SELECT 3"
            4 "UPDATE \"t\" SET a = 1"
            4 "SELECT $1"
            5 "SELECT 6"
            5 "SELECT 7"
            5 "SELECT $1 + 8"
            6 "COPY t FROM STDIN"
            6 "COPY (SELECT 1) TO STDOUT"
            9 "INSERT INTO t VALUES (';')"
            10 "SELECT 10"
            11 "SELECT 11"
            11 "SELECT 12"
            12 "SELECT 13"
            12 "SELECT 14"
            12 "SELECT 15"
            13 "SELECT 16"
            13 "SELECT 17"
            13 "DELETE FROM t"
            14 "SELECT 19"
            14 "SELECT 20"
            14 "SELECT 21"
            15 "SELECT 22"
            15 "SELECT 23"
            16 "SELECT 24"
            16 "SELECT 25"
            16 "SELECT 26"
            17 "SELECT 27"
            17 "SELECT 28""#]],
    );
}

#[test]
fn texts_by_name() {
    source(
        r#"
const A: &str = "SELECT 1";
static B: &'static str = concat!("SELECT ", 2, "\n", concat!("FROM t"));
impl X { const C: &str = "SELECT 3"; fn f() { c.query(Self::C, &[]); c.query(A, &[]); c.query(B, &[]) } }
fn g() {
    const A: &str = "SELECT 4";
    c.query(A, &[]);
    let sql = "SELECT 5";
    c.query(sql, &[]);
    let sql = if d { "SELECT 6" } else { x(); "SELECT 7" };
    c.query(&sql, &[]);
    let sql = match d { 1 if y => "SELECT 8", Some(2) => { "SELECT 9" } _ => unreachable!() };
    c.query(sql, &[]);
    let sql = String::from("SELECT 10"); c.query(sql.as_str(), &[]); c.query(&format!("SELECT 11"), &[]);
    c.query(&("SELECT 12".to_owned()), &[]); c.query(indoc! {"
        SELECT 13
    "}, &[]);
    { let sql = "SELECT 14"; c.query(sql, &[]); }
    c.query(&format!("{A},
 {{}} '{sql}'"), &[]);
    let late = c.query(sql, &[]);
}
"#,
        expect![[r#"
            2 "SELECT 1"
            3 "SELECT 2\nFROM t"
            4 "SELECT 3"
            6 "SELECT 4"
            8 "SELECT 5"
            10 "SELECT 6"
            10 "SELECT 7"
            12 "SELECT 8"
            12 "SELECT 9"
            14 "SELECT 10"
            14 "SELECT 11"
            15 "SELECT 12"
            16 "\n        SELECT 13\n    "
            18 "SELECT 14"
            19 "SELECT 4,\n {} 'SELECT 10'""#]],
    );
}

#[test]
fn texts_of_other_files() {
    let manifest = |name: &str| format!("[package]\nname = \"{name}\"\n[dependencies]\ntokio-postgres = \"1\"\n");
    check(
        &[
            ("a/Cargo.toml", &manifest("a")),
            (
                "a/src/main.rs",
                "c.query(sql::ONE, &[]);\nc.query(TWO, &[]);\nc.query(crate::THREE, &[&x]);\nc.query(other::FOUR, &[]);\n\
                 c.query(include_str!(\"../sql/five.sql\"), &[]);\nc.query(SIX, &[]);\nc.query(include_str!(\"none.sql\"), &[]);\n\
                 c.query(include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/sql/seven.sql\")), &[]);\nclient.query(SEEN, a)",
            ),
            (
                "a/src/sql.rs",
                "pub const ONE: &str = \"SELECT 1\";\npub(crate) const SIX: &str = \"SELECT 6\"; mod m { const SIX: &str = \"x\"; }",
            ),
            ("a/src/deep/mod.rs", "impl X {\n    pub const TWO: &str =\n        \"SELECT 2\";\n}"),
            ("a/sql/five.sql", "-- five\nSELECT 5;\n"),
            ("a/sql/seven.sql", "SELECT 7"),
            ("b/Cargo.toml", &manifest("b")),
            (
                "b/src/lib.rs",
                "pub const FOUR: &str = \"SELECT 4\"; const TWO: &str = \"SELECT 22\";\n#[cfg(test)] mod t { const THREE: &str = \"SELECT 3\"; }",
            ),
        ],
        expect![[r#"
            a/sql/five.sql:2 "-- five\nSELECT 5;\n"
            a/sql/seven.sql:1 "SELECT 7"
            a/src/deep/mod.rs:3 "SELECT 2"
            a/src/sql.rs:1 "SELECT 1"
            b/src/lib.rs:1 "SELECT 4"
            a/src/main.rs:3 not a literal
            a/src/main.rs:6 not a literal
            a/src/main.rs:7 not a literal"#]],
    );
}

#[test]
fn what_is_not_a_literal_is_counted() {
    source(
        r#"
c.query(&format!("SELECT {x}"), &[]);
let q = format!("SELECT {x}"); c.execute(q.as_str(), &params);
let mut q = String::from("SELECT 1"); q.push_str("x"); sqlx::query(&q).fetch_all(&pool);
fn f(sql: &str) { c.query(sql, &[&1]); }
c.batch_execute(&build()); sqlx::query_as::<_, T>(&make(x)); c.simple_query(self.text);
QueryBuilder::new("SELECT 1"); sqlx::QueryBuilder::<Postgres>::new("SELECT 1");
c.query(build(), &[&a]);
c.execute(concat!("SELECT ", env!("X")), &[]);
pool.execute(&*format!("DELETE FROM {t}")); fn g<F: Fn(u8) -> u8>(text: String) { pool.execute(&*text); }
"#,
        expect![[r#"
            2 not a literal
            3 not a literal
            4 not a literal
            5 not a literal
            6 not a literal
            7 not a literal
            8 not a literal
            9 not a literal
            10 not a literal"#]],
    );
    source("fn f(text: &str, id: &Id) { c.prepare(text); c.query(id, &[&1]); }", expect!["1 not a literal"]);
}

#[test]
fn what_is_not_a_statement_is_not_counted() {
    source(
        r#"
let s = c.prepare("SELECT 1").await?; c.query(&s, &[]); c.query(&self.select, &[&1]); c.query_one(&s, &params);
fn f(s: &Statement, p: &tokio_postgres::Statement) { c.query(s, &[]); c.execute(p, &[]); }
http.get(url).query(&[("a", "b")]).send(); http.query("select").query(&x); command.execute(&shell, &context);
sqlx::query("SELECT 2").execute(&pool); query.execute(&mut *tx).await; handler.execute(request, &state);
shell.execute(&format!("ls {x}"), &[]); db::query(x); self.execute(&text); sqlx::query(&format!("SET x = {y}")); fn f(x: &str) { http.query(x) }
cache.fetch_index(text); query(&mut x); QueryBuilder::<Sqlite>::new("INSERT INTO t");
quote! { client.query(&format!("{x}"), &[]) }
Raw::from_string(format!("x{y}")); HeaderValue::from_str(&format!("{x}")); fn query(a: &str) {} url.query(); x.query; client.query; query; let query = 1; uri.query().map(|query| query.len());
/// client.query(&format!("x"), &[])
#[doc = "c.query(x, &[])"] fn g() {}
"c.query(y, &[])"; // c.query(&format!("SELECT"))
"#,
        expect![[r#"
            2 "SELECT 1"
            5 "SELECT 2""#]],
    );
}

#[test]
fn other_databases_are_not_asked() {
    let manifest = |uses: &str| format!("[package]\nname = \"a\"\n[dependencies]\n{uses} = \"1\"\n");
    let call = "c.execute(\"DELETE FROM t\", &[]); c.execute(&format!(\"{x}\"), &[]);";
    let named = format!("use tokio_postgres::Client; {call}");
    let other = format!("use rusqlite::Connection; {call}");
    check(
        &[
            ("a/Cargo.toml", &manifest("our-db = \"1\"\nrusqlite")),
            ("a/src/a.rs", call),
            ("a/src/b.rs", &named),
            ("b/Cargo.toml", &manifest("rusqlite = \"1\"\ntokio-postgres")),
            ("b/src/a.rs", &other),
            ("d/a.rs", &other),
            // Whose client it is is not known: a text says it, a variable does not.
            ("c/Cargo.toml", &manifest("our-db")),
            ("c/src/a.rs", call),
        ],
        expect![[r#"
            a/src/b.rs:1 c/src/a.rs:1 "DELETE FROM t"
            a/src/b.rs:1 not a literal"#]],
    );
}

#[test]
fn what_cannot_be_read_is_said() {
    let deep = format!("fn f() {{ client.query{} }}", "(".repeat(5_000) + &")".repeat(5_000));
    check(
        &[
            CLIENT,
            ("src/a.rs", "fn f() {\n  client.query(\"SELECT 1\", &[]\n}"),
            ("src/b.rs", &deep),
            ("src/c.rs", "#!/usr/bin/env run-cargo-script 'x\nfn f() { client.query(\"SELECT 2\", &[]) }"),
            ("src/d.rs", "#![allow(x)]\nnew syntax => [ client.query(\"SELECT 3\", &[]) ] ?? $x"),
            ("src/e.rs", "client.query(\"SELECT '\\0'\", &[]); client.query(\"SELECT 4 \\\n\r\n  , 'x'\r\n\", &[])"),
            ("src/f.rs", ""),
            // It cannot ask anything.
            ("src/g.rs", "fn f() {"),
        ],
        expect![[r#"
            src/c.rs:2 "SELECT 2"
            src/d.rs:2 "SELECT 3"
            src/e.rs:1 "SELECT 4 , 'x'\n"
            src/a.rs: line 3: it cannot be read as Rust
            src/b.rs: its braces are nested too deeply
            src/e.rs: line 1: a query has a NUL character"#]],
    );
}
