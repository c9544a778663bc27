use std::borrow::Cow;

use expect_test::expect;
use migrator_model::{self as e, Level, ReindexObject};

use super::*;

#[test]
fn escapes_what_the_compiler_would_refuse_or_change() {
    let mut out = String::new();
    string(&mut out, "a\"b\\c\nd\te\rf\0g\u{202e}h\u{85}ä🙂");
    expect![[r#"
        "a\"b\\c
        d	e\rf\u{0}g\u{202e}h\u{85}ä🙂""#]]
    .assert_eq(&out);
}

#[test]
fn writes_every_field() {
    let statement = |start: usize, kind| Statement::new(start..start + 4, kind, format!("sum of {start}").into());
    let index = StatementKind::create_index_concurrently("i\"x".into(), "t".into(), true, 40);
    let detach = StatementKind::detach_concurrently("t".into(), "t_2025".into());
    let reindex = StatementKind::reindex_concurrently("t".into(), ReindexObject::Table);
    let options = Options::new().with_transaction(false).with_lock_timeout_ms(5);
    let statements = vec![
        statement(14, StatementKind::Plain),
        statement(20, index),
        statement(26, detach),
        statement(32, reindex),
        statement(38, StatementKind::MayCommit),
    ];
    let up = Block::new(14..40, options, statements.into());
    let down = Block::new(40..44, Options::new(), vec![statement(40, StatementKind::Plain)].into());
    let file = "db/migrations/001_x.sql".into();
    let migration = Migration::new("001".into(), 1, "x".into(), file, "-- migrate:up\n".into(), "sum".into(), up)
        .with_down(Some(down));
    let environment = Environment::new("test".into())
        .with_approval(true)
        .with_down(false)
        .with_seeds(Some(vec!["test".into()].into()));
    let script = Script::new("a".into(), "db/checks/a.sql".into(), "--".into(), "sum".into(), Cow::Borrowed(&[]));
    let facts = SchemaFacts::new(15, "db/schema.facts.15".into(), "# schema facts\n".into());
    let settings = Settings::new()
        .with_history_table("history".into())
        .with_lock_timeout_ms(7)
        .with_start_after(Some(9))
        .with_dbmate(Level::Deny)
        .with_refuse_ahead(true)
        .with_drift_ignore(vec!["table tmp_*".into()].into())
        .with_environments(vec![environment].into());
    let set = Set::new("digest".into())
        .with_migrations(vec![migration].into())
        .with_checks(vec![script].into())
        .with_facts(vec![facts].into())
        .with_settings(settings);
    expect![[r##"
        const R0: [e::Statement; 6] = { let mut t = e::Statement::row([[14,18],[20,24],[26,30],[32,36],[38,42],[40,44],], ["sum of 14","sum of 20","sum of 26","sum of 32","sum of 38","sum of 40",]);
        t[1].set_kind(e::StatementKind::create_index_concurrently(B("i\"x"), B("t"), true, 40));
        t[2].set_kind(e::StatementKind::detach_concurrently(B("t"), B("t_2025"), ));
        t[3].set_kind(e::StatementKind::reindex_concurrently(B("t"), e::ReindexObject::Table));
        t[4].set_kind(e::StatementKind::MayCommit);
        t };
        static T: [[e::Statement; 6]; 1] = [R0,];
        e::Set::new(B("digest"))
        .with_migrations({
        const C0: e::Migration = e::Migration::new(B("001"), 1, B("x"), B("db/migrations/001_x.sql"), B("-- migrate:up
        "), B("sum"), e::Block::new(14..40, e::Options::new().with_transaction(false).with_lock_timeout_ms(5), e::Statement::part(&T, 0, 5))).with_down(S(e::Block::new(40..44, e::Options::new(), e::Statement::part(&T, 5, 6))));
        static L: [e::Migration; 1] = [C0,]; B(&L) })
        .with_checks({
        const C0: e::Script = e::Script::new(B("a"), B("db/checks/a.sql"), B("--"), B("sum"), B(&[]));
        static L: [e::Script; 1] = [C0,]; B(&L) })
        .with_facts({
        const C0: e::SchemaFacts = e::SchemaFacts::new(15, B("db/schema.facts.15"), B("# schema facts
        "));
        static L: [e::SchemaFacts; 1] = [C0,]; B(&L) })
        .with_settings(e::Settings::new().with_history_table(B("history")).with_lock_timeout_ms(7).with_start_after(S(9)).with_dbmate(e::Level::Deny).with_refuse_ahead(true).with_drift_ignore({
        const C0: ::std::borrow::Cow<'static, str> = B("table tmp_*");
        static L: [::std::borrow::Cow<'static, str>; 1] = [C0,]; B(&L) })
        .with_environments({
        const C0: e::Environment = e::Environment::new(B("test")).with_approval(true).with_down(false).with_seeds(S({
        const C0: ::std::borrow::Cow<'static, str> = B("test");
        static L: [::std::borrow::Cow<'static, str>; 1] = [C0,]; B(&L) }));
        static L: [e::Environment; 1] = [C0,]; B(&L) }))
        }
    "##]].assert_eq(generate(&set).strip_prefix(PRELUDE).unwrap());
}

#[test]
fn writes_where_the_files_come_from() {
    let file = |ours: &'static str| Imported::new(ours.into(), "1".into(), "x\"y".into(), "V1__x.sql".into());
    let origin = Origin::new(e::Tool::GolangMigrate)
        .with_migrations(vec![file("001"), file("002").with_checksums(vec!["a".into(), "b".into()].into())].into())
        .with_repeatables(vec![file("views")].into());
    expect![[r#"
        e::Set::new(B("digest"))
        .with_settings(e::Settings::new())
        .with_origin(S(e::Origin::new(e::Tool::GolangMigrate)
        .with_migrations({
        static K: [[e::Text; 2]; 1] = [
        e::Imported::texts(["a","b",]),
        ];
        static F: [[e::Imported; 2]; 1] = [
        e::Imported::row([["001","1","x\"y","V1__x.sql",],["002","1","x\"y","V1__x.sql",],], &K, [[0,0],[0,2],]),
        ];
        e::Imported::part(&F, 2) })
        .with_repeatables({
        static K: [[e::Text; 1]; 0] = [
        ];
        static F: [[e::Imported; 1]; 1] = [
        e::Imported::row([["views","1","x\"y","V1__x.sql",],], &K, [[0,0],]),
        ];
        e::Imported::part(&F, 1) })))
        }
    "#]]
    .assert_eq(generate(&Set::new("digest".into()).with_origin(Some(origin))).strip_prefix(PRELUDE).unwrap());
    assert_eq!(
        generate(&Set::new("d".into())),
        format!("{PRELUDE}e::Set::new(B(\"d\"))\n.with_settings(e::Settings::new())\n}}\n")
    );
}

#[test]
fn the_table_has_rows_of_equal_size() {
    let statement = |at| Statement::new(at..at, StatementKind::Plain, Cow::Borrowed(""));
    let statements = (0..ROW + 1).map(statement).collect();
    let script = Script::new("a".into(), "f".into(), "".into(), "s".into(), statements);
    let out = generate(&Set::new("digest".into()).with_seeds(vec![script].into()));
    assert_eq!(out.matches("e::Statement::row([[").count(), 2);
    // Those that fill up the second row, and the first statement.
    assert_eq!(out.matches("[0,0],").count(), ROW);
    assert!(out.contains("static T: [[e::Statement; 256]; 2] = [R0,R1,];"), "{out}");
    assert!(out.contains("e::Statement::part(&T, 0, 257))"), "{out}");
}
