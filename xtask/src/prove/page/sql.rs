//! SQL with its words in colours.

use maud::{Markup, html};
use migrator_sql::{Kind, lex};

/// The words that are shown as key words: those that statements are built of.
const KEY_WORDS: &[&str] = &[
    "add",
    "all",
    "alter",
    "always",
    "analyze",
    "and",
    "any",
    "as",
    "asc",
    "atomic",
    "attach",
    "before",
    "begin",
    "between",
    "by",
    "call",
    "cascade",
    "case",
    "cast",
    "check",
    "cluster",
    "collate",
    "column",
    "comment",
    "commit",
    "concurrently",
    "conflict",
    "constraint",
    "copy",
    "create",
    "cross",
    "database",
    "default",
    "deferrable",
    "deferred",
    "delete",
    "desc",
    "detach",
    "disable",
    "distinct",
    "do",
    "domain",
    "drop",
    "each",
    "else",
    "enable",
    "end",
    "enum",
    "except",
    "exclude",
    "execute",
    "exists",
    "extension",
    "false",
    "for",
    "force",
    "foreign",
    "from",
    "full",
    "function",
    "generated",
    "grant",
    "group",
    "having",
    "identity",
    "if",
    "immediate",
    "in",
    "include",
    "index",
    "inherits",
    "initially",
    "inner",
    "insert",
    "instead",
    "intersect",
    "into",
    "is",
    "join",
    "key",
    "language",
    "lateral",
    "left",
    "level",
    "like",
    "limit",
    "local",
    "lock",
    "logged",
    "materialized",
    "merge",
    "mode",
    "no",
    "not",
    "nothing",
    "null",
    "of",
    "offset",
    "on",
    "only",
    "option",
    "or",
    "order",
    "outer",
    "over",
    "owned",
    "owner",
    "partition",
    "policy",
    "primary",
    "privileges",
    "procedure",
    "publication",
    "range",
    "recursive",
    "references",
    "refresh",
    "reindex",
    "rename",
    "replace",
    "reset",
    "restrict",
    "returning",
    "returns",
    "revoke",
    "right",
    "role",
    "rollback",
    "row",
    "rows",
    "rule",
    "schema",
    "security",
    "select",
    "sequence",
    "set",
    "setof",
    "share",
    "statistics",
    "stored",
    "table",
    "temporary",
    "then",
    "to",
    "trigger",
    "true",
    "truncate",
    "type",
    "union",
    "unique",
    "unlogged",
    "update",
    "using",
    "vacuum",
    "valid",
    "validate",
    "values",
    "view",
    "when",
    "where",
    "with",
    "without",
];

/// The class of a piece of a statement; `None`: it is shown as it is.
fn class(kind: Kind, text: &str) -> Option<&'static str> {
    match kind {
        Kind::Word => KEY_WORDS.binary_search(&text.to_ascii_lowercase().as_str()).is_ok().then_some("k"),
        Kind::Text | Kind::Escape | Kind::Dollar => Some("s"),
        Kind::Number | Kind::Parameter => Some("n"),
        Kind::Quoted | Kind::Operator | Kind::Punctuation | Kind::Unknown => None,
    }
}

/// The whole text, each piece escaped.
pub(super) fn highlighted(sql: &str) -> Markup {
    let lexed = lex(sql);
    let tokens = lexed.tokens.iter().filter_map(|token| Some((token.range(), class(token.kind, token.text(sql))?)));
    let comments = lexed.comments.iter().map(|comment| (comment.range.clone(), "c"));
    let mut pieces: Vec<_> = tokens.chain(comments).collect();
    pieces.sort_by_key(|(range, _)| range.start);
    let mut end = 0;
    html! {
        @for (range, class) in &pieces {
            (sql[std::mem::replace(&mut end, range.end)..range.start])
            span class=(class) { (sql[range.clone()]) }
        }
        (sql[end..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_words_can_be_searched() {
        assert!(KEY_WORDS.is_sorted());
    }

    #[test]
    fn every_piece_is_text() {
        let sql = "ALTER TABLE \"<b>\" ADD x int DEFAULT '</pre><script>'; -- <i>\n$$ & $$ 1 < 2";
        assert_eq!(
            highlighted(sql).into_string(),
            "<span class=\"k\">ALTER</span> <span class=\"k\">TABLE</span> \"&lt;b&gt;\" <span class=\"k\">ADD</span> x int \
             <span class=\"k\">DEFAULT</span> <span class=\"s\">'&lt;/pre&gt;&lt;script&gt;'</span>; <span class=\"c\">-- &lt;i&gt;</span>\n\
             <span class=\"s\">$$ &amp; $$</span> <span class=\"n\">1</span> &lt; <span class=\"n\">2</span>"
                .replace("\"&lt;b&gt;\"", "&quot;&lt;b&gt;&quot;")
        );
    }
}
