use expect_test::{Expect, expect};

use super::*;

const GOOD: &str = r#"{
  "format": 1,
  "server": "15.18",
  "major": 15,
  "taken_at": "2026-11-26T22:00:00Z",
  "database": "shop",
  "counted_minutes": null,
  "longest_transaction_seconds": 0.5,
  "statements": {
    "minutes": 12.5,
    "families": [
      {"family": "select", "calls": 7}
    ]
  },
  "left_out": [],
  "tables": [
    {
      "name": "core.orders",
      "kind": "table",
      "rows": -1,
      "pages": 12,
      "bytes": 98304,
      "toast_bytes": null,
      "width": 44,
      "activity": {"sequential_scans": 1, "index_scans": 2, "inserted": 3, "updated": 4, "deleted": 5},
      "indexes": [
        {"name": "orders_pkey", "method": "btree", "bytes": 16384, "columns": ["id"], "unique": true, "partial": false}
      ],
      "columns": [
        {"name": "id", "type": "bigint", "width": 8, "nulls": 0.0, "distinct": -1.0},
        {"name": "note", "type": "text", "width": 36, "nulls": 0.25, "distinct": 100.0}
      ]
    }
  ]
}
"#;

#[test]
fn what_is_written_is_read_again() {
    let stats = Stats::parse("stats.json", GOOD).unwrap();
    assert_eq!(stats.table("core.orders").unwrap().columns[1].nulls, Some(0.25));
    assert_eq!(Stats::parse("stats.json", &stats.render()).unwrap(), stats);
    let lines = |text: &str| text.lines().map(|line| line.trim().to_owned()).collect::<Vec<_>>();
    let rendered = lines(&stats.render());
    let column = r#"{"name": "id", "type": "bigint", "width": 8, "nulls": 0.0, "distinct": -1.0},"#;
    assert!(rendered.contains(&column.to_owned()), "{rendered:#?}");
}

/// The message for a file in which one text is replaced.
fn check(old: &str, new: &str, expected: Expect) {
    assert!(GOOD.contains(old), "{old}");
    let error = Stats::parse("stats.json", &GOOD.replacen(old, new, 1)).unwrap_err();
    expected.assert_eq(&error.render(false));
}

#[test]
fn a_mistake_is_shown_on_its_line() {
    check(
        r#""rows": -1"#,
        r#""rows": "many""#,
        expect![[r#"
        error: cannot read the statistics `stats.json`
          --> stats.json:20:20
           |
        20 |       "rows": "many",
           |                    ^ `rows` is "many", not a whole number from -1 to 10000000000000000
           |
           = help: correct it, or write the file again with `migrator stats --out FILE`"#]],
    );
    check(
        r#""rows": -1"#,
        r#""rows": 99999999999999999999"#,
        expect![[r#"
        error: cannot read the statistics `stats.json`
          --> stats.json:20:34
           |
        20 |       "rows": 99999999999999999999,
           |                                  ^ `rows` is 1e+20, not a whole number from -1 to 10000000000000000
           |
           = help: correct it, or write the file again with `migrator stats --out FILE`"#]],
    );
    check(
        r#""pages": 12"#,
        r#""page": 12"#,
        expect![[r#"
        error: cannot read the statistics `stats.json`
          --> stats.json:21:12
           |
        21 |       "page": 12,
           |            ^ unknown field `page`, expected one of `name`, `kind`, `partition_of`, `rows`, `pages`, `bytes`, `toast_bytes`, `width`, `no_statistics`, `activity`, `indexes`, `columns`
           |
           = help: correct it, or write the file again with `migrator stats --out FILE`"#]],
    );
    check(
        r#""bytes": 98304"#,
        r#""bytes": -1"#,
        expect![[r#"
        error: cannot read the statistics `stats.json`
          --> stats.json:22:17
           |
        22 |       "bytes": -1,
           |                 ^ `bytes` is -1, not a whole number from 0 to 1152921504606846976
           |
           = help: correct it, or write the file again with `migrator stats --out FILE`"#]],
    );
}

#[test]
fn a_mistake_of_the_form_is_shown_on_its_line() {
    check(
        r#""nulls": 0.25"#,
        r#""nulls": 25"#,
        expect![[r#"
        error: cannot read the statistics `stats.json`
          --> stats.json:31:65
           |
        31 |         {"name": "note", "type": "text", "width": 36, "nulls": 25, "distinct": 100.0}
           |                                                                 ^ `nulls` is 25, not a number from 0 to 1
           |
           = help: correct it, or write the file again with `migrator stats --out FILE`"#]],
    );
    check(
        r#""kind": "table""#,
        r#""kind": "view""#,
        expect![[r#"
        error: cannot read the statistics `stats.json`
          --> stats.json:19:20
           |
        19 |       "kind": "view",
           |                    ^ unknown variant `view`, expected one of `table`, `partition`, `partitioned`, `materialized_view`
           |
           = help: correct it, or write the file again with `migrator stats --out FILE`"#]],
    );
    check(
        "      \"pages\": 12,\n",
        "",
        expect![[r#"
        error: cannot read the statistics `stats.json`
          --> stats.json:32:5
           |
        32 |     }
           |     ^ missing field `pages`
           |
           = help: correct it, or write the file again with `migrator stats --out FILE`"#]],
    );
    check(
        r#""width": 44,"#,
        r#""width": 44"#,
        expect![[r#"
        error: cannot read the statistics `stats.json`
          --> stats.json:25:7
           |
        25 |       "activity": {"sequential_scans": 1, "index_scans": 2, "inserted": 3, "updated": 4, "deleted": 5},
           |       ^ expected `,` or `}`
           |
           = help: correct it, or write the file again with `migrator stats --out FILE`"#]],
    );
}

#[test]
fn a_file_of_a_newer_release_and_a_table_twice_are_refused() {
    check(
        r#""format": 1"#,
        r#""format": 2, "more": 1"#,
        expect![[r#"
        error: the statistics `stats.json` have the form 2, and this release reads 1
          = help: write them with `migrator stats` of this release, or use the release that has written them"#]],
    );
    let table = &GOOD[GOOD.find("    {\n      \"name\"").unwrap()..GOOD.rfind("  ]\n}").unwrap()];
    let twice = GOOD.replacen(table, &format!("{},\n{table}", table.trim_end()), 1);
    expect![[r#"
        error: cannot read the statistics `stats.json`
          --> stats.json:35:15
           |
        35 |       "name": "core.orders",
           |               ^ the table `core.orders` is listed twice
           |
           = help: correct it, or write the file again with `migrator stats --out FILE`"#]]
    .assert_eq(&Stats::parse("stats.json", &twice).unwrap_err().render(false));
}

#[test]
fn a_long_line_is_not_shown() {
    let line = GOOD.replace('\n', " ").replacen(r#""rows": -1"#, r#""rows": []"#, 1);
    expect![[r#"
        error: cannot read the statistics `stats.json`: `rows` is [], not a whole number from -1 to 10000000000000000
          = note: it is at stats.json:1:391
          = help: correct it, or write the file again with `migrator stats --out FILE`"#]]
    .assert_eq(&Stats::parse("stats.json", &line).unwrap_err().render(false));
}
