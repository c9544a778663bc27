use expect_test::expect;

use super::*;
use crate::testing::check_settings as check;

const EVERY_KEY: &str = r#"
        [history]
        schema = "ops"
        table = "migrations"
        [session]
        lock_timeout = "1s"
        retry_for = "0"
        statement_timeout = "1h"
        [check]
        required_headers = ["Purpose"]
        start_after = "001"
        allow = ["prefer-bigint-over-int"]
        dbmate = "deny"
        ahead = "refuse"
        [drift]
        owners = true
        ignore = ["table core.tmp_*", "* x"]
        [release]
        tag_pattern = "v*"
        queries = ["sql/**/*.sql"]
        allow = ["users_by_name"]
        role = "app"
        [budget]
        blocks_writes = "500ms"
        blocks_reads = "0"
        rewrites = 0
        "#;

const EVERY_ENVIRONMENT: &str = r#"
        [environments.production]
        approval = true
        backup = "required"
        down = false
        seeds = ["production"]
        [environments.a]
        "#;

#[test]
fn reads_every_key() {
    check(
        EVERY_KEY,
        expect![[r#"
            Settings {
                history_schema: "ops",
                history_table: "migrations",
                history_writers: [],
                lock_timeout_ms: 1000,
                retry_for_ms: 0,
                statement_timeout_ms: 3600000,
                required_headers: [
                    "Purpose",
                ],
                start_after: Some(
                    1,
                ),
                allow: [
                    "prefer-bigint-over-int",
                ],
                dbmate: Deny,
                refuse_ahead: true,
                drift_owners: true,
                drift_ignore: [
                    "table core.tmp_*",
                    "* x",
                ],
                release_tag_pattern: Some(
                    "v*",
                ),
                release_queries: [
                    "sql/**/*.sql",
                ],
                release_allow: [
                    "users_by_name",
                ],
                release_role: Some(
                    "app",
                ),
                budget: Budget {
                    blocks_writes_ms: Some(
                        500,
                    ),
                    blocks_reads_ms: Some(
                        0,
                    ),
                    rewrites: Some(
                        0,
                    ),
                },
                environments: [],
            }"#]],
    );
}

#[test]
fn reads_every_key_of_an_environment() {
    let source = Source::new("db/migrator.toml", EVERY_ENVIRONMENT);
    let mut problems = Vec::new();
    let settings = read(&source, &["production"], &mut problems);
    assert_eq!(problems, []);
    expect![[r#"
        [
            Environment {
                name: "a",
                approval: false,
                backup: false,
                down: true,
                seeds: None,
            },
            Environment {
                name: "production",
                approval: true,
                backup: true,
                down: false,
                seeds: Some(
                    [
                        "production",
                    ],
                ),
            },
        ]
    "#]]
    .assert_debug_eq(&settings.environments);
}

#[test]
fn an_empty_file_means_the_defaults() {
    let source = Source::new("db/migrator.toml", "# nothing\n[check]\n");
    let mut problems = Vec::new();
    assert_eq!(read(&source, &[], &mut problems), Settings::default());
    assert_eq!(problems, []);
}

#[test]
fn a_budget_is_made_of_durations_and_a_count() {
    let source = Source::new(
        "db/migrator.toml",
        "[budget]\nblocks_writes = \"5m\"\nblocks_reads = 3\nrewrites = -1\nrewrite = 1\n",
    );
    let mut problems = Vec::new();
    assert_eq!(read(&source, &[], &mut problems).budget, Budget::new());
    let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
    expect![[r#"
        db/migrator.toml:3:16: `blocks_reads` must be a string, found integer [M041]; help: write `blocks_reads = "..."`
        db/migrator.toml:2:17: invalid duration `5m` for `blocks_writes` [M041]; help: write a whole number and `ms`, `s`, `min` or `h`, such as `500ms`, `0` for not at all, or leave the key out for no limit
        db/migrator.toml:5:1: unknown key `rewrite` [M041]; help: did you mean `rewrites`?
        db/migrator.toml:4:12: `rewrites` must be a whole number that is not negative, found integer [M041]; help: write `rewrites = 0`"#]].assert_eq(&shown.join("\n"));
}
