//! M040: a migration without a comment header that the settings require.

use crate::code::Meaning;
use crate::file::File;
use crate::problem::Problem;
use crate::rule::Rule;

pub(crate) const RULE: Rule = Rule::file(&Meaning::error("M040", "missing header"), check);

/// Headers are line comments such as `-- Purpose: why`, above the first statement.
fn check(file: &File<'_>, problems: &mut Vec<Problem>) {
    let (source, lexed) = (file.source, file.lexed);
    let head = lexed.tokens.first().map_or(source.text.len(), |token| token.start());
    for name in file.required_headers.iter().filter(|_| !file.old) {
        let present = lexed
            .comments
            .iter()
            .take_while(|comment| comment.range.start < head)
            .filter(|comment| !comment.block)
            .any(|comment| is_header(&source.text[comment.range.clone()], name));
        if !present {
            let help = format!("add `-- {name}: ...` above `-- migrate:up`");
            let message = format!("missing header `{name}`");
            problems.push(Problem::whole(RULE.code, &source.file, message, help));
        }
    }
}

fn is_header(comment: &str, name: &str) -> bool {
    let header = comment.trim_start_matches('-').split_once(':');
    header.is_some_and(|(key, value)| key.trim().eq_ignore_ascii_case(name) && !value.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use migrator_model::Settings;

    use super::RULE;
    use crate::testing::found_with;

    const MISSING: &str =
        "db/migrations/002_x.sql: missing header `Purpose` [M040]; help: add `-- Purpose: ...` above `-- migrate:up`";

    fn said(text: &str, settings: Settings) -> String {
        let settings = settings.with_required_headers(vec!["Purpose".into()].into());
        found_with(RULE, "db/migrations/002_x.sql", text, &settings).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn finds_a_header_above_the_first_statement() {
        assert_eq!(said("-- Purpose: because\n-- migrate:up\na;", Settings::new()), "");
        assert_eq!(said("-- migrate:up\n--purpose : because\na;", Settings::new()), "");
    }

    #[test]
    fn refuses_a_file_without_one() {
        let text = "-- Purpose:\n/* Purpose: x */\n-- migrate:up\na;\n-- Purpose: late";
        assert_eq!(said(text, Settings::new()), MISSING);
    }

    #[test]
    fn headers_are_required_above_a_version_only() {
        let text = "-- migrate:up\nSELECT 1;\n-- migrate:down\n";
        assert_eq!(said(text, Settings::new().with_start_after(Some(2))), "");
        assert_eq!(said(text, Settings::new().with_start_after(Some(1))), MISSING);
    }
}
