use expect_test::expect;

use crate::testing::check_settings as check;

#[test]
fn refuses_unknown_keys() {
    check(
        "[sesion]\n[check]\nallowed = []\nfoo = 1\n[environments.x]\ndowns = true",
        expect![[r#"
            db/migrator.toml:3:1: unknown key `allowed` [M041]; help: did you mean `allow`?
            db/migrator.toml:4:1: unknown key `foo` [M041]; help: the keys are `required_headers`, `start_after`, `allow`, `dbmate`, `ahead`
            db/migrator.toml:6:1: unknown key `downs` [M041]; help: did you mean `down`?
            db/migrator.toml:1:2: unknown key `sesion` [M041]; help: did you mean `session`?"#]],
    );
}

#[test]
fn refuses_wrong_values() {
    check(
        "history = 1\n[session]\nlock_timeout = \"5\"\nretry_for = 5",
        expect![[r#"
            db/migrator.toml:1:11: `history` must be a table, found integer [M041]; help: write `[history]`
            db/migrator.toml:3:16: invalid duration `5` for `lock_timeout` [M041]; help: write a whole number and `ms`, `s`, `min` or `h`, such as `500ms`, or `0` for no limit
            db/migrator.toml:4:13: `retry_for` must be a string, found integer [M041]; help: write `retry_for = "..."`"#]],
    );
    check(
        "[check]\ndbmate = \"no\"\nahead = true\nstart_after = \"v1\"\nallow = [1]",
        expect![[r#"
            db/migrator.toml:3:9: invalid value of type boolean for `ahead` [M041]; help: write one of `"warn"`, `"refuse"`
            db/migrator.toml:5:9: `allow` must be a list of strings, found array [M041]; help: write `allow = ["..."]`
            db/migrator.toml:2:10: invalid value `no` for `dbmate` [M041]; help: write one of `"allow"`, `"warn"`, `"deny"`
            db/migrator.toml:4:15: invalid version `v1` [M041]; help: write the digits at the start of a file name, such as `"001"`"#]],
    );
    check(
        "[history]\nschema = \"\"\ntable = \"a.b\"\n[environments]\nx = 1\ny.down = \"no\"",
        expect![[r#"
            db/migrator.toml:5:5: `x` must be a table, found integer [M041]; help: write `[x]`
            db/migrator.toml:6:10: `down` must be true or false, found string [M041]; help: write `down = true`
            db/migrator.toml:2:10: invalid name `` for `schema` [M041]; help: write 1 to 63 bytes without `.` and `"`: schema and table have separate keys
            db/migrator.toml:3:9: invalid name `a.b` for `table` [M041]; help: write 1 to 56 bytes without `.` and `"`: schema and table have separate keys"#]],
    );
}

#[test]
fn refuses_a_pattern_that_ignores_nothing() {
    check(
        "[drift]\nignore = [\"tabel x\", \"table\", \"table \", \"x\"]\nowners = 1",
        expect![[r#"
            db/migrator.toml:2:11: pattern `tabel x` matches nothing that drift compares [M041]; help: did you mean `table`?
            db/migrator.toml:2:22: pattern `table` matches nothing that drift compares [M041]; help: write the kind of object and its name, such as `"table core.tmp_*"`; the lines of `schema.facts.<major>` show both
            db/migrator.toml:2:31: pattern `table ` matches nothing that drift compares [M041]; help: write the kind of object and its name, such as `"table core.tmp_*"`; the lines of `schema.facts.<major>` show both
            db/migrator.toml:2:41: pattern `x` matches nothing that drift compares [M041]; help: write the kind of object and its name, such as `"table core.tmp_*"`; the lines of `schema.facts.<major>` show both
            db/migrator.toml:3:10: `owners` must be true or false, found integer [M041]; help: write `owners = true`"#]],
    );
}

#[test]
fn refuses_to_switch_off_a_rule_that_does_not_exist() {
    check(
        "[check]\nallow = [\"ban-drop-column\", \"ban-drop-colum\", \"everything\"]",
        expect![[r#"
            db/migrator.toml:2:29: unknown rule `ban-drop-colum` [M041]; help: did you mean `ban-drop-column`?
            db/migrator.toml:2:47: unknown rule `everything` [M041]; help: the list of hazards has the names of the rules, and `cargo xtask check` shows those that it finds"#]],
    );
}

#[test]
fn refuses_what_is_not_toml() {
    check(
        "[history\nschema = \"a\"\n[check]\nallow = [\n",
        expect![[r#"
        db/migrator.toml:1:9: unclosed table, expected `]` [M041]; help: fix the TOML
        db/migrator.toml:4:10: unclosed array, expected `]` [M041]; help: fix the TOML"#]],
    );
}
