//! The statements of a dump that make the schema, and the migration that is made of them.

use migrator_sql::{Words, lex, split};

/// What makes the schema, in the order of the dump.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Statements {
    /// Each with its semicolon.
    pub(crate) all: Vec<String>,
    /// Servers for which a user mapping lost its options, which may hold a password.
    pub(crate) without_options: Vec<String>,
}

/// Reads a dump. Settings of the session are left out, and comments on extensions, but for these.
///
/// `history`: the schema of the history, which is there before the first migration.
pub(crate) fn read(dump: &str, commented: &[String], history: &str) -> Statements {
    let lexed = lex(dump);
    let mut statements = Statements::default();
    for words in split(dump, &lexed.tokens) {
        if words.is_any(0, &["set", "reset", "select"]) {
            continue;
        }
        if words.start_with(&["comment", "on", "extension"]) && !commented.iter().any(|name| name == words.at(3)) {
            continue;
        }
        let text = text_of(dump, &words, words.tokens.len());
        // pg_dump fills it after the data; here there is none to wait for.
        let text = match words.start_with(&["create", "materialized", "view"]) {
            true => text.strip_suffix("WITH NO DATA").map_or(text, str::trim_end),
            false => text,
        };
        if words.start_with(&["create", "user", "mapping"])
            && let Some(options) = words.find("options")
        {
            statements.without_options.push(text_of(dump, &words, options).replace('\n', " "));
            statements.all.push(format!("{};", text_of(dump, &words, options)));
            continue;
        }
        let own = format!("CREATE SCHEMA {history}");
        statements.all.push(match text == own {
            true => format!("CREATE SCHEMA IF NOT EXISTS {history};"),
            false => format!("{text};"),
        });
    }
    statements
}

/// The first tokens of a statement as they are written.
fn text_of<'t>(dump: &'t str, words: &Words<'_>, tokens: usize) -> &'t str {
    let start = words.tokens.first().map_or(0, |first| first.start());
    let end = tokens.checked_sub(1).and_then(|last| words.tokens.get(last)).map_or(start, |last| last.end());
    dump.get(start..end).unwrap_or_default()
}

/// A statement that creates roles where they are missing; empty without any.
pub(crate) fn roles(names: &[String]) -> String {
    if names.is_empty() {
        return String::new();
    }
    let list: Vec<String> = names.iter().map(|name| format!("'{}'", name.replace('\'', "''"))).collect();
    include_str!("roles.sql").replace("{roles}", &list.join(", ")).trim_end().to_owned()
}

/// The migration.
pub(crate) struct Migration<'a> {
    /// What its first line says.
    pub(crate) purpose: &'a str,
    /// Why it cannot be rolled back.
    pub(crate) no_rollback: &'a str,
    /// In the order in which they run.
    pub(crate) statements: &'a [String],
    /// Functions name what is created after them.
    pub(crate) unchecked_bodies: bool,
    /// Our parser does not know a statement.
    pub(crate) unchecked_syntax: bool,
}

impl Migration<'_> {
    /// As a file.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("-- Purpose: {}\n-- migrate:up\n", self.purpose);
        if self.unchecked_syntax {
            text.push_str("-- migrate:unchecked the server has written it\n");
        }
        if self.unchecked_bodies {
            text.push_str("-- Functions that name each other, or what is created after them.\nSET LOCAL check_function_bodies = off;\n\n");
        }
        text.push_str(&self.statements.join("\n\n"));
        text.push_str(&format!("\n\n-- migrate:down\n-- no rollback: {}\n", self.no_rollback));
        text
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    const DUMP: &str = "--\n-- PostgreSQL database dump\n--\n\nSET client_encoding = 'UTF8';\nSELECT pg_catalog.set_config('search_path', '', false);\n\n\
        --\n-- Name: ops; Type: SCHEMA\n--\n\nCREATE SCHEMA ops;\n\n\nCOMMENT ON EXTENSION pgcrypto IS 'x';\n\nCOMMENT ON EXTENSION citext IS 'our own';\n\n\
        CREATE FUNCTION public.f() RETURNS void\n    LANGUAGE plpgsql\n    AS $$\nBEGIN\n    SET work_mem = '1MB'; -- ;\nEND $$;\n\n\
        SET default_tablespace = '';\n\nCREATE MATERIALIZED VIEW public.m AS\n SELECT 1 AS a\n  WITH NO DATA;\n\nCREATE USER MAPPING FOR shop SERVER \"other\" OPTIONS (\n    password 'secret;'\n);\n";

    #[test]
    fn only_what_makes_the_schema_is_left() {
        let Statements { all, without_options } = read(DUMP, &["citext".to_owned()], "ops");
        expect![[r#"
            CREATE SCHEMA IF NOT EXISTS ops;
            ---
            COMMENT ON EXTENSION citext IS 'our own';
            ---
            CREATE FUNCTION public.f() RETURNS void
                LANGUAGE plpgsql
                AS $$
            BEGIN
                SET work_mem = '1MB'; -- ;
            END $$;
            ---
            CREATE MATERIALIZED VIEW public.m AS
             SELECT 1 AS a;
            ---
            CREATE USER MAPPING FOR shop SERVER "other";"#]]
        .assert_eq(&all.join("\n---\n"));
        assert_eq!(without_options, ["CREATE USER MAPPING FOR shop SERVER \"other\""]);
        assert_eq!(read(DUMP, &[], "public").all[0], "CREATE SCHEMA ops;");
    }

    #[test]
    fn the_migration_begins_with_the_roles() {
        let statements = [roles(&["app".to_owned(), "o'neil".to_owned()]), "CREATE SCHEMA app;".to_owned()];
        let migration = Migration {
            purpose: "a schema",
            no_rollback: "nothing was there",
            statements: &statements,
            unchecked_bodies: true,
            unchecked_syntax: true,
        };
        expect![[r#"
            -- Purpose: a schema
            -- migrate:up
            -- migrate:unchecked the server has written it
            -- Functions that name each other, or what is created after them.
            SET LOCAL check_function_bodies = off;

            -- Roles belong to the server: they are created where they are missing, and never changed.
            DO $roles$
            DECLARE
                missing text;
            BEGIN
                FOREACH missing IN ARRAY ARRAY['app', 'o''neil'] LOOP
                    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = missing) THEN
                        BEGIN
                            EXECUTE pg_catalog.format('CREATE ROLE %I NOLOGIN', missing);
                        EXCEPTION
                            WHEN duplicate_object OR unique_violation THEN
                                RAISE NOTICE 'role % was created meanwhile', missing;
                        END;
                    END IF;
                END LOOP;
            END;
            $roles$;

            CREATE SCHEMA app;

            -- migrate:down
            -- no rollback: nothing was there
        "#]]
        .assert_eq(&migration.text());
        assert_eq!(roles(&[]), "");
    }
}
