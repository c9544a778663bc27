//! Texts that a rewriting could spoil.

use migrator_xtask::author::fix::Room;

use super::{facts, fix};
use crate::support::Project;

/// What becomes of the up block after a table, as the texts of all files but the first; and what is left, with its reason.
#[track_caller]
fn rewritten(text: &str) -> (Vec<String>, Vec<String>) {
    let project = Project::new();
    let base = "CREATE TABLE t (id bigint PRIMARY KEY, a text, \"B;c\" text);\nCREATE MATERIALIZED VIEW v AS SELECT id FROM t;";
    project.migration("001_base", base, "DROP TABLE t CASCADE;");
    project.file("migrations/002_x.sql", text);
    let original = facts(&project.db());
    let rewritten = fix(&mut Room::new().unwrap(), &project.db());
    assert_eq!(facts(&project.db()), original, "{text}");
    let left = rewritten.left.iter().map(|(hazard, reason)| format!("{}: {reason}", hazard.rule));
    (rewritten.files.iter().map(|file| file.new.clone()).collect(), left.collect())
}

#[track_caller]
fn files(text: &str, expected: &[&str]) {
    let (files, left) = rewritten(text);
    assert_eq!(left, [""; 0], "{text}");
    assert_eq!(files, expected, "{text}");
}

#[track_caller]
fn left(text: &str, expected: &str) {
    let (files, left) = rewritten(text);
    assert_eq!((files.as_slice(), left.as_slice()), ([].as_slice(), [expected.to_owned()].as_slice()), "{text}");
}

#[test]
fn two_statements_may_be_on_one_line() {
    files(
        "-- migrate:up\nALTER TABLE t ADD x int; CREATE INDEX i ON t (a); COMMENT ON TABLE t IS 'a;b';\n",
        &[
            "-- migrate:up\nALTER TABLE t ADD x int; COMMENT ON TABLE t IS 'a;b';\n",
            "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY i ON t (a);\n",
        ],
    );
}

#[test]
fn the_last_statement_needs_no_semicolon() {
    files(
        "-- migrate:up\nALTER TABLE t ADD x int;\nCREATE INDEX i ON t (a)",
        &[
            "-- migrate:up\nALTER TABLE t ADD x int;\n",
            "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY i ON t (a);\n",
        ],
    );
}

#[test]
fn line_ends_stay_as_they_are() {
    files(
        "-- Why: x\r\n-- migrate:up\r\n/* é\r\n*/\r\nALTER TABLE t ADD CONSTRAINT c\r\n    CHECK (a <> 'é');\r\n\r\n-- migrate:down\r\nALTER TABLE t DROP CONSTRAINT c;\r\n",
        &[
            "-- Why: x\r\n-- migrate:up\r\n/* é\r\n*/\r\nALTER TABLE t ADD CONSTRAINT c\r\n    CHECK (a <> 'é') NOT VALID;\r\n\r\n-- migrate:down\r\nALTER TABLE t DROP CONSTRAINT c;\r\n",
            "-- Why: x\r\n-- migrate:up\r\nALTER TABLE t VALIDATE CONSTRAINT c;\r\n\r\n-- migrate:down\r\nALTER TABLE t DROP CONSTRAINT c;\r\n\r\n\
             ALTER TABLE t ADD CONSTRAINT c\r\n    CHECK (a <> 'é') NOT VALID;\r\n",
        ],
    );
}

#[test]
fn texts_and_odd_names_are_no_statements() {
    files(
        "-- migrate:up\nSELECT 'CREATE INDEX i ON t (a);', $x$; DROP TABLE t;$x$;\nCREATE INDEX \"I;-- é\" ON t (\"B;c\");\n",
        &[
            "-- migrate:up\nSELECT 'CREATE INDEX i ON t (a);', $x$; DROP TABLE t;$x$;\n",
            "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY \"I;-- é\" ON t (\"B;c\");\n",
        ],
    );
}

#[test]
fn comments_between_the_words_stay() {
    files(
        "-- migrate:up\nCREATE /* a */ INDEX -- b\n  i /* c */ ON t (a);\n",
        &["-- migrate:up transaction:false\nCREATE /* a */ INDEX CONCURRENTLY -- b\n  i /* c */ ON t (a);\n"],
    );
}

#[test]
fn a_block_without_a_transaction_stays_one_file() {
    files(
        "-- migrate:up transaction:false\nCREATE INDEX i ON t (a);\nALTER TABLE t ADD CONSTRAINT c CHECK (a <> '');\n",
        &[
            "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY i ON t (a);\nALTER TABLE t ADD CONSTRAINT c CHECK (a <> '') NOT VALID;\n\nALTER TABLE t VALIDATE CONSTRAINT c;\n",
        ],
    );
}

#[test]
fn what_a_file_of_its_own_would_lack_is_left() {
    left(
        "-- migrate:up\nSET LOCAL work_mem = '64MB';\nCREATE INDEX i ON t (a);\n",
        "require-concurrent-index-creation: the migration sets something for its session, which further files would lack",
    );
    left(
        "-- migrate:up\nCREATE TEMP TABLE u (a int) ON COMMIT DROP;\nCREATE INDEX i ON t (a);\n",
        "require-concurrent-index-creation: the migration makes something temporary, which further files would lack",
    );
}

#[test]
fn what_later_statements_rely_on_comes_before_them() {
    files(
        "-- migrate:up\nALTER TABLE t ADD x int;\nALTER TABLE t ADD CONSTRAINT c UNIQUE (a);\nINSERT INTO t VALUES (1, 'b') ON CONFLICT (a) DO NOTHING;\n",
        &[
            "-- migrate:up\nALTER TABLE t ADD x int;\n",
            "-- migrate:up transaction:false\nCREATE UNIQUE INDEX CONCURRENTLY c ON t (a);\n\nALTER TABLE t ADD CONSTRAINT c UNIQUE USING INDEX c;\n",
            "-- migrate:up\nINSERT INTO t VALUES (1, 'b') ON CONFLICT (a) DO NOTHING;\n",
        ],
    );
}

#[test]
fn what_cannot_be_proved_is_left() {
    left(
        "-- migrate:up\nREFRESH MATERIALIZED VIEW v;\n",
        "refreshing-materialized-view: it would fail: cannot refresh materialized view \"public.v\" concurrently [55000]",
    );
    left(
        "-- migrate:up\nCREATE TABLE u (id bigint REFERENCES t);\n",
        "foreign-key-in-create-table: the locks would be the same",
    );
}
