//! What the tests of the rules share.

use migrator_sql::{Sql, lex, split};

use crate::known::Known;
use crate::search::in_block;

/// Asserts that a rule finds something in each of `hazards` and nothing in any of `harmless`: up blocks after one that has created
/// the table `live (id bigint, a text, b text)` and run `before`.
#[track_caller]
pub(crate) fn check(rule: &str, before: &str, hazards: &[&str], harmless: &[&str]) {
    let before = format!("CREATE TABLE live (id bigint, a text, b text);\n{before}");
    let finds = |text: &str| {
        let mut known = Known::default();
        split(&before, &lex(&before).tokens).iter().for_each(|words| known.take(&Sql::of(words)));
        let lexed = lex(text);
        let found = in_block(text, &split(text, &lexed.tokens), &lexed.comments, true, &mut known);
        found.iter().any(|found| found.rule.name == rule)
    };
    for text in hazards {
        assert!(finds(text), "{rule} finds nothing in {text}");
    }
    for text in harmless {
        assert!(!finds(text), "{rule} finds something in {text}");
    }
}
