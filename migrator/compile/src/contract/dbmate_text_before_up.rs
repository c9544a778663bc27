//! M051: a block comment above `-- migrate:up`, where dbmate accepts only empty lines and lines that start with `--`.

use migrator_model::Direction;

use crate::code::Meaning;
use crate::file::File;
use crate::problem::Problem;
use crate::rule::Rule;

pub(crate) const RULE: Rule = Rule::file(&Meaning::dbmate("M051", "dbmate: text before the up marker"), check);

fn check(file: &File<'_>, problems: &mut Vec<Problem>) {
    let Some(up) = file.block(Direction::Up).filter(|_| file.lexed.unterminated.is_none()) else { return };
    // SQL above the marker is an error of its own.
    if file.lexed.tokens.first().is_some_and(|token| token.start() < up.marker) {
        return;
    }
    let mut at = 0;
    for line in file.source.text[..up.marker].split_inclusive('\n') {
        let text = line.trim_start_matches([' ', '\t', '\n', '\x0c', '\r']);
        if !text.is_empty() && !text.starts_with("--") {
            let message = "dbmate rejects this line above `-- migrate:up`";
            let help = "write comments above the marker with `--`";
            problems.push(file.source.problem(RULE.code, at + (line.len() - text.len()), message, help));
            return;
        }
        at += line.len();
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::RULE;
    use crate::testing::migration;

    #[test]
    fn a_block_comment_above_the_up_marker_is_text_to_dbmate() {
        migration(
            RULE,
            "-- a\n  /* b */\n-- migrate:up\n-- migrate:down\n",
            expect![[r#"
                db/migrations/001_x.sql:2:3: dbmate rejects this line above `-- migrate:up` [M051]; help: write comments above the marker with `--`"#]],
        );
        migration(RULE, "-- a\n\n\t-- b\n-- migrate:up\n-- migrate:down\n", expect![""]);
    }
}
