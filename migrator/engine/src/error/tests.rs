//! Rendering, and what a kind knows.

use super::*;

#[test]
fn an_error_shows_its_cause_its_facts_and_the_way_out() {
    let error = Error::locked("cannot take the migration lock on `crm`: held by pid 4711")
        .note("the holder is idle")
        .help("wait, or end pid 4711");
    assert_eq!(error.exit() as u8, 5);
    expect_test::expect![[r#"
        error: cannot take the migration lock on `crm`: held by pid 4711
          = note: the holder is idle
          = help: wait, or end pid 4711"#]]
    .assert_eq(&error.render(false));
}

#[test]
fn a_kind_knows_its_sentence_its_code_and_its_way_out() {
    let kind = ErrorKind::Lost { doing: "reading the history".into(), reason: "connection reset".into() };
    let error = Error::from(kind).caused_by(std::io::Error::from(std::io::ErrorKind::ConnectionReset));
    assert_eq!((error.exit() as u8, error.kind().cause().as_ref()), (6, "connection reset"));
    assert!(error.source().is_some_and(|source| source.is::<std::io::Error>()));
    expect_test::expect![[r#"
        error: the connection was lost while reading the history: connection reset
          = help: check `migrator status`, then run the command again"#]]
    .assert_eq(&error.render(false));
}
