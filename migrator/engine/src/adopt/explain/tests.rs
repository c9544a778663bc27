use expect_test::{Expect, expect};

use super::super::tools::of_tool;
use super::*;
use crate::embedded::{Block, Options, Origin, Tool};

fn migration(version: &'static str) -> Migration {
    let up = Block::new(0..0, Options::new(), Vec::new().into());
    let number = version.parse().unwrap();
    Migration::new(
        version.into(),
        number,
        "m".into(),
        format!("db/migrations/{version}_m.sql").into(),
        "".into(),
        "".into(),
        up,
    )
}

/// `ours source checksum`, one a line.
fn set(tool: Tool, map: &'static [&'static str]) -> &'static Embedded {
    let files: Vec<Imported> = map
        .iter()
        .map(|line| {
            let words: Vec<&'static str> = line.split(' ').collect();
            let sums: Vec<crate::embedded::Text> = words[2..].iter().map(|sum| (*sum).into()).collect();
            Imported::new(words[0].into(), words[1].into(), "".into(), format!("{}.sql", words[1]).into())
                .with_checksums(sums.into())
        })
        .collect();
    let migrations: Vec<Migration> =
        files.iter().map(|file| migration(Box::leak(file.ours.to_string().into_boxed_str()))).collect();
    let set = Embedded::new("d".into())
        .with_migrations(migrations.into())
        .with_origin(Some(Origin::new(tool).with_migrations(files.into())));
    Box::leak(Box::new(set))
}

/// Rows `source checksum state`; `-` for NULL.
#[track_caller]
fn check(tool: Tool, map: &'static [&'static str], rows: &[&str], expected: Expect) {
    let rows: Vec<Row> = rows
        .iter()
        .map(|line| {
            let mut words = line.splitn(3, ' ').map(|word| Some(word.to_owned()).filter(|word| word != "-"));
            let (source, checksum) = (words.next().flatten(), words.next().flatten());
            Row { source, name: None, checksum, state: words.next().flatten() }
        })
        .collect();
    let said = match explain(set(tool, map), of_tool(tool).unwrap(), &rows) {
        Ok(explained) => {
            let versions: Vec<&str> = explained.applied.iter().map(|migration| &*migration.version).collect();
            format!("{} ({} verified)", versions.join(" "), explained.verified)
        }
        Err(refusal) => {
            let lines = refusal.found.iter().map(|(what, _)| what.as_str());
            [if refusal.is_unfinished { "unfinished" } else { "diverged" }]
                .into_iter()
                .chain(lines)
                .collect::<Vec<_>>()
                .join("\n")
        }
    };
    expected.assert_eq(&said);
}

const THREE: &[&str] = &["001 10 a", "002 20 b", "003 30 c"];

#[test]
fn rows_are_found_through_the_map() {
    check(Tool::Sqlx, THREE, &["10 A true", "30 c true"], expect!["001 003 (2 verified)"]);
    check(
        Tool::Sqlx,
        THREE,
        &["10 x true", "20 b false", "30 y true", "40 z true"],
        expect![[r#"
            unfinished
            `10.sql` is not what sqlx has applied as `10`: the checksum in its history is `x`, that of the file `a`
            in the history of sqlx, `20` was not finished
            `30.sql` is not what sqlx has applied as `30`: the checksum in its history is `y`, that of the file `c`
            no migration explains `40` in the history of sqlx"#]],
    );
}

#[test]
fn only_the_newest_stands_for_all_before_it() {
    check(Tool::GolangMigrate, THREE, &["20 - false"], expect!["001 002 (0 verified)"]);
    check(
        Tool::GolangMigrate,
        THREE,
        &["20 - true"],
        expect![[r#"
        unfinished
        in the history of golang-migrate, `20` is dirty: it was not finished"#]],
    );
    check(Tool::GolangMigrate, THREE, &[], expect![" (0 verified)"]);
    check(
        Tool::GolangMigrate,
        THREE,
        &["25 - false"],
        expect![[r#"
        diverged
        no migration explains `25` in the history of golang-migrate"#]],
    );
    check(Tool::Alembic, &["001 ae1", "002 ff0"], &["ae1 - -"], expect!["001 (0 verified)"]);
    check(
        Tool::Alembic,
        &["001 ae1", "002 ff0"],
        &["ae1 - -", "ff0 - -"],
        expect![[r#"
        unfinished
        the history of Alembic has 2 rows instead of one: `ae1`, `ff0`"#]],
    );
    check(Tool::Tern, &["001 1", "002 2"], &["0 - -"], expect![" (0 verified)"]);
}

#[test]
fn the_last_row_of_a_version_decides() {
    let rows = ["0 - true", "10 - true", "20 - true", "20 - false", "30 - true", "10 - false", "10 - true"];
    check(Tool::Goose, THREE, &rows, expect!["001 003 (0 verified)"]);
}

#[test]
fn flyway_has_baselines_undone_and_deleted_rows() {
    const MAP: &[&str] = &["001 1 5", "002 1.1 6", "003 2 7", "004 3 8"];
    check(Tool::Flyway, MAP, &["1.1 - BASELINE true", "2 7 SQL true"], expect!["001 002 003 (1 verified)"]);
    check(Tool::Flyway, MAP, &["1 5 SQL true", "1.1 6 SQL true", "1.1 6 UNDO_SQL true"], expect!["001 (1 verified)"]);
    check(Tool::Flyway, MAP, &["1 5 SQL true", "9 1 SQL true", "9 - DELETE true"], expect!["001 (1 verified)"]);
    check(
        Tool::Flyway,
        MAP,
        &["1 -5 SQL false", "9 - JDBC true"],
        expect![[r#"
        unfinished
        in the history of Flyway, `1` has failed
        no migration explains `9` in the history of Flyway"#]],
    );
}

#[test]
fn a_changeset_may_know_its_file_by_another_path() {
    const MAP: &[&str] = &["001 changelog/a.sql::1::me", "002 changelog/b.sql::1::me"];
    check(Tool::Liquibase, MAP, &["db/changelog/b.sql::1::me - MARK_RAN"], expect!["002 (0 verified)"]);
    check(
        Tool::Liquibase,
        MAP,
        &["c.sql::1::me - EXECUTED", "changelog/a.sql::1::me - FAILED"],
        expect![[r#"
        unfinished
        no migration explains `c.sql::1::me` in the history of Liquibase
        in the history of Liquibase, `changelog/a.sql::1::me` has failed"#]],
    );
}

#[test]
fn prisma_may_have_tried_a_migration_before() {
    const MAP: &[&str] = &["001 2020_a 5", "002 2021_b 6"];
    check(Tool::Prisma, MAP, &["2020_a 5 rolled back", "2020_a 5 done"], expect!["001 (1 verified)"]);
    check(
        Tool::Prisma,
        MAP,
        &["2020_a 5 done", "2021_b 6 unfinished"],
        expect![[r#"
        unfinished
        in the history of Prisma, `2021_b` was not finished"#]],
    );
    check(
        Tool::Prisma,
        MAP,
        &["2020_a 5 done", "2021_b 6 rolled back"],
        expect![[r#"
        unfinished
        in the history of Prisma, `2021_b` is marked as rolled back and was not applied again"#]],
    );
}

#[test]
fn a_checksum_may_be_written_with_or_without_a_sign() {
    for (one, other, same) in [
        ("-1", "4294967295", true),
        ("-764664791033201084", "17682079282676350532", true),
        ("-1", "4294967294", false),
        ("AB", "ab", true),
        ("x", "1", false),
    ] {
        assert_eq!(is_same_checksum(one, other), same, "{one} {other}");
    }
}

#[test]
fn text_of_the_table_is_one_short_line() {
    assert_eq!(shown("a\nerror: b\u{1b}[2J"), r"a\nerror: b\u{1b}[2J");
    assert_eq!(shown(&"x".repeat(1000)).len(), 203);
}
