//! M021: an unterminated literal or comment.

use crate::code::Meaning;
use crate::file::File;
use crate::problem::Problem;
use crate::rule::Rule;

pub(crate) const RULE: Rule = Rule::file(&Meaning::error("M021", "unterminated text"), check);

fn check(file: &File<'_>, problems: &mut Vec<Problem>) {
    if let Some((at, what)) = file.lexed.unterminated {
        let message = format!("unterminated {what}");
        let help = "close it: the rest of the file is read as part of it";
        problems.push(file.source.problem(RULE.code, at, message, help));
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::RULE;
    use crate::file::Folder;
    use crate::testing::script;

    #[test]
    fn reports_an_unterminated_literal_once() {
        script(
            RULE,
            Folder::Seeds,
            "SELECT 1;\nSELECT $a$ x $b$; SELECT 2;",
            expect![[r#"
                db/seeds/x.sql:2:8: unterminated dollar-quoted string [M021]; help: close it: the rest of the file is read as part of it"#]],
        );
    }
}
