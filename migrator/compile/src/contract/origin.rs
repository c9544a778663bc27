//! M044: a mistake in `imported.toml`, by which `migrator adopt` finds a migration in another tool's history.

use migrator_model::Tool;

use crate::code::Meaning;
use crate::contract::keys::{Mistake, mistake};
use crate::nearest::nearest;
use crate::rule::Rule;

pub(crate) const RULE: Rule = Rule::reading(&Meaning::error("M044", "invalid import map"));

/// A key that every entry has, or the file itself.
pub(crate) fn missing(key: &str) -> Mistake {
    mistake(
        format!("`{key}` is missing or empty"),
        format!("write `{key} = \"...\"`, or run `cargo xtask import` again"),
    )
}

pub(crate) fn no_such_tool(name: &str) -> Mistake {
    let names = Tool::ALL.map(Tool::name);
    let help = match nearest(&name.to_ascii_lowercase(), names) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("write one of `{}`", names.join("`, `")),
    };
    mistake(format!("unknown tool `{name}`"), help)
}

/// A version that no migration has; `known` are those of the migrations.
pub(crate) fn no_such_version(version: &str, known: &[&str]) -> Mistake {
    let number = |text: &str| text.parse::<i64>().ok();
    let same = known.iter().find(|known| number(known).is_some() && number(known) == number(version));
    let help = match same.copied().or_else(|| nearest(version, known.iter().copied())) {
        Some(meant) => format!("did you mean `{meant}`? write the digits as in the file's name"),
        None => "remove the entry, or restore the file".to_owned(),
    };
    mistake(format!("there is no migration `{version}`"), help)
}

/// A name that no repeatable has.
pub(crate) fn no_such_repeatable(name: &str, known: &[&str]) -> Mistake {
    let help = match nearest(name, known.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => "remove the entry, or restore the file".to_owned(),
    };
    mistake(format!("there is no repeatable `{name}`"), help)
}

/// A value that an earlier entry has too, in that line.
pub(crate) fn twice(key: &str, value: &str, line: usize) -> Mistake {
    let help = "remove one of the entries: each migration comes from one file".to_owned();
    mistake(format!("`{key}` is `{value}` in line {line} too"), help)
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use crate::testing::{PLAIN, check_directory};

    #[track_caller]
    fn check(map: &str, expect: expect_test::Expect) {
        let files = [
            ("db/migrations/001_a.sql", PLAIN),
            ("db/migrations/002_b.sql", PLAIN),
            ("db/repeatable/views.sql", "SELECT 1;\n"),
            ("db/imported.toml", map),
        ];
        check_directory(&files, expect);
    }

    #[test]
    fn names_each_mistake_with_its_place() {
        check(
            "tool = \"flywey\"\nsince = 1\n\
             [[migrations]]\nversion = \"01\"\nsource = \"1\"\nfile = \"V1__a.sql\"\n\
             [[migrations]]\nversion = \"002\"\nsource = \"1\"\nfile = \"V2__b.sql\"\nchecksums = [7]\n\
             [[migrations]]\nversion = \"002\"\nsource = \"\"\n\
             [[repeatables]]\nname = \"view\"\nsource = \"views\"\nfile = \"R__views.sql\"\n",
            expect![[r#"
                []
                Error db/imported.toml:1:8: unknown tool `flywey` [M044]; help: did you mean `flyway`?
                Error db/imported.toml:2:1: unknown key `since` [M044]; help: the keys are `tool`, `migrations`, `repeatables`
                Error db/imported.toml:4:11: there is no migration `01` [M044]; help: did you mean `001`? write the digits as in the file's name
                Error db/imported.toml:9:10: `source` is `1` in line 5 too [M044]; help: remove one of the entries: each migration comes from one file
                Error db/imported.toml:11:13: `checksums` must be a list of strings, found array [M044]; help: write `checksums = ["..."]`
                Error db/imported.toml:12:1: `source` is missing or empty [M044]; help: write `source = "..."`, or run `cargo xtask import` again
                Error db/imported.toml:12:1: `file` is missing or empty [M044]; help: write `file = "..."`, or run `cargo xtask import` again
                Error db/imported.toml:16:8: there is no repeatable `view` [M044]; help: did you mean `views`?"#]],
        );
        check(
            "[[migrations]]\nversion = \"9\"\nsource = \"9\"\nfile = \"9\"\n",
            expect![[r#"
            []
            Error db/imported.toml:1:1: `tool` is missing or empty [M044]; help: write `tool = "..."`, or run `cargo xtask import` again
            Error db/imported.toml:2:11: there is no migration `9` [M044]; help: remove the entry, or restore the file"#]],
        );
        check(
            "tool = \"sqlx\"\nmigrations = 1\n",
            expect![[r#"
            []
            Error db/imported.toml:2:14: `migrations` must be a list of tables, found integer [M044]; help: write `[[migrations]]`"#]],
        );
        check(
            "tool = \n",
            expect![[r#"
            []
            Error db/imported.toml:1:8: string values must be quoted, expected literal string [M044]; help: fix the TOML
            Error db/imported.toml:1:8: unknown tool `` [M044]; help: write one of `dbmate`, `sqlx`, `refinery`, `flyway`, `liquibase`, `diesel`, `golang-migrate`, `goose`, `tern`, `graphile-migrate`, `node-pg-migrate`, `sql-migrate`, `prisma`, `supabase`, `alembic`, `plain`"#]],
        );
    }

    #[test]
    fn a_map_is_right_where_it_leaves_out_what_came_later() {
        check(
            "tool = \"sqlx\"\n[[migrations]]\nversion = \"001\"\nsource = \"2022\"\nname = \"a\"\nfile = \"2022_a.sql\"\nchecksums = [\"ab\"]\n",
            expect![[r#"["001", "002"]"#]],
        );
    }
}
