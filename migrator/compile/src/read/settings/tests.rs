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
        [environments.production]
        approval = true
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
                environments: [
                    Environment {
                        name: "a",
                        approval: false,
                        down: true,
                        seeds: None,
                    },
                    Environment {
                        name: "production",
                        approval: true,
                        down: false,
                        seeds: Some(
                            [
                                "production",
                            ],
                        ),
                    },
                ],
            }"#]],
    );
}

#[test]
fn an_empty_file_means_the_defaults() {
    let source = Source::new("db/migrator.toml", "# nothing\n[check]\n");
    let mut problems = Vec::new();
    assert_eq!(read(&source, &[], &mut problems), Settings::default());
    assert_eq!(problems, []);
}
