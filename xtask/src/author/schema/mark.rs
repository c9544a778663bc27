//! Comments in a schema that say what has another name: `-- renamed from name`, above or beside what has the new one.

use migrator_engine::client::identifier;
use migrator_sql::{Kind, Token, Words, lex, split};

use super::rename::{Rename, names};

const KINDS: &[&str] = &["table", "view", "type", "sequence", "domain"];

/// What the comments of a file say. One that does not name anything is prose.
pub(super) fn marks(file: &str, text: &str) -> Vec<Rename> {
    let lexed = lex(text);
    let statements = split(text, &lexed.tokens);
    let mut all = Vec::new();
    for comment in lexed.comments.iter().filter(|comment| !comment.block) {
        let said = text.get(comment.range.clone()).unwrap_or_default().trim_start_matches('-').trim();
        let Some(old) = said.strip_prefix("renamed from ").and_then(|rest| names(rest.trim())) else { continue };
        let line = text.get(..comment.range.start).map_or(0, |before| before.rfind('\n').map_or(0, |at| at + 1));
        let beside = lexed.tokens.iter().find(|token| (line..comment.range.start).contains(&token.start()));
        let below = || lexed.tokens.iter().find(|token| token.start() >= comment.range.end);
        let Some(token) = beside.or_else(below) else { continue };
        let Some(words) = statements.iter().find(|words| words.range().contains(&token.start())) else { continue };
        let number = text.get(..comment.range.start).map_or(1, |before| before.matches('\n').count() + 1);
        all.extend(subject(words, *token, old).map(|(old, new)| Rename {
            old,
            new,
            place: format!("{file}:{number}"),
        }));
    }
    all
}

/// What the token belongs to, with its old and its new name.
fn subject(words: &Words<'_>, token: Token, old: Vec<String>) -> Option<(Vec<String>, String)> {
    let kind = (1..4).find(|index| words.is_any(*index, KINDS)).filter(|_| words.is(0, "create"))?;
    let at = words.skip(kind + 1, &["if", "not", "exists"]);
    let mut object = names(&words.joined(at..words.behind_name(at)))?;
    if object.len() == 1 {
        object.insert(0, "public".to_owned());
    }
    let [schema, name] = object.as_slice() else { return None };
    if token.start() == words.start() {
        return match old.as_slice() {
            [one] => Some((vec![schema.clone(), one.clone()], name.clone())),
            [_, _] => Some((old, name.clone())),
            _ => None,
        };
    }
    let text = token.text(words.text);
    let new = match token.kind {
        // A label of an enum.
        Kind::Text => identifier(&text.strip_prefix('\'')?.strip_suffix('\'')?.replace("''", "'")),
        _ => text.to_owned(),
    };
    match old.as_slice() {
        [one] => Some((vec![schema.clone(), name.clone(), one.clone()], new)),
        [_, _, _] => Some((old, new)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_says_it_of_what_is_beside_or_below_it() {
        let text = "-- renamed from core.users\nCREATE TABLE IF NOT EXISTS core.people (\n    id bigint,\n    \
            full_name text, -- renamed from core.users.name\n    -- renamed from mail\n    \"E mail\" text -- renamed from scratch, once\n);\n\
            CREATE TYPE state AS ENUM (\n    'it''s open' -- renamed from open\n);\n\
            CREATE INDEX x ON core.people (id); -- renamed from y\n";
        let found: Vec<String> = marks("s.sql", text)
            .iter()
            .map(|rename| format!("{} {}={}", rename.place, rename.old.join("."), rename.new))
            .collect();
        assert_eq!(
            found,
            [
                "s.sql:1 core.users=people",
                "s.sql:4 core.users.name=full_name",
                "s.sql:5 core.people.mail=\"E mail\"",
                "s.sql:9 public.state.open=\"it's open\"",
            ]
        );
    }
}
