//! M035: a change of `search_path`: it ends with the file, and dbmate would look for its table in it.

use migrator_sql::Words;

use crate::code::Meaning;
use crate::file::File;
use crate::problem::Problem;
use crate::rule::Rule;

pub(crate) const RULE: Rule = Rule::file(&Meaning::warning("M035", "changed search_path"), check);

fn check(file: &File<'_>, problems: &mut Vec<Problem>) {
    for at in file.statements().filter_map(search_path) {
        let message = "this changes `search_path` for this file only";
        let help = "write the schema before each name: dbmate would look for its own table in the new path";
        problems.push(file.source.problem(RULE.code, at, message, help));
    }
}

fn search_path(words: &Words<'_>) -> Option<usize> {
    if words.is(0, "set") {
        let name = if words.is_any(1, &["session", "local"]) { 2 } else { 1 };
        return words.is_any(name, &["search_path", "schema"]).then(|| words.start());
    }
    let called = |index: usize| {
        words.is(index, "set_config")
            && words.at(index + 1) == "("
            && words.at(index + 2).eq_ignore_ascii_case("'search_path'")
    };
    (0..words.tokens.len()).find(|&index| called(index)).map(|index| words.tokens[index].start())
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::RULE;
    use crate::testing::block;

    #[test]
    fn warns_about_a_search_path() {
        block(
            RULE,
            "SET search_path = a",
            expect![[r#"
                db/migrations/001_x.sql:2:1: this changes `search_path` for this file only [M035]; help: write the schema before each name: dbmate would look for its own table in the new path"#]],
        );
        block(
            RULE,
            "SET LOCAL SCHEMA 'a';\nSELECT pg_catalog.set_config('search_path', '', false)",
            expect![[r#"
                db/migrations/001_x.sql:2:1: this changes `search_path` for this file only [M035]; help: write the schema before each name: dbmate would look for its own table in the new path
                db/migrations/001_x.sql:3:19: this changes `search_path` for this file only [M035]; help: write the schema before each name: dbmate would look for its own table in the new path"#]],
        );
        block(
            RULE,
            "ALTER ROLE r SET search_path = a; CREATE FUNCTION f() RETURNS int SET search_path = a LANGUAGE sql AS ''",
            expect![""],
        );
    }
}
