//! The parser's messages in the words of people who write SQL: it names tokens by its own kinds, `R_PAREN`, `SET_KW`.

use crate::words::Words;

/// What the parser says about the byte `at`, with the text that is there instead of its name for it.
pub(crate) fn describe(message: &str, words: &Words<'_>, at: usize) -> String {
    let message = message.replace('\n', " ");
    let found = [", found ", ", got ", " but got "].iter().find_map(|separator| message.split_once(separator));
    let Some((expected, _)) = found else { return lower_first(&plain(&message)) };
    let expected = plain(expected);
    match words.tokens.iter().find(|token| token.start() == at) {
        Some(_) if expected == "expected command" && at == words.start() => {
            format!("no statement begins with `{}`", words.shown(2))
        }
        Some(token) if expected == "expected command" => format!("unexpected `{}`", shorten(token.text(words.text))),
        Some(token) => format!("{expected}, found `{}`", shorten(token.text(words.text))),
        None => format!("{expected}, found the end of the statement"),
    }
}

/// The variable of psql that a text begins with: `:name`, `:'name'`, `:"name"`.
pub(crate) fn psql_variable(text: &str) -> Option<&str> {
    let name = text.strip_prefix(':')?;
    let quote = name.chars().next().filter(|c| matches!(c, '\'' | '"'));
    let inside = name.strip_prefix(['\'', '"']).unwrap_or(name);
    let end = inside.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(inside.len());
    let closed = quote.is_none_or(|quote| inside[end..].starts_with(quote));
    let quotes = if quote.is_some() { 2 } else { 0 };
    (end > 0 && closed).then(|| &text[..1 + end + quotes])
}

/// The message with every kind of token as it is written in SQL.
fn plain(message: &str) -> String {
    let is_name = |c: char| c.is_ascii_uppercase() || c == '_';
    let mut text = String::new();
    let mut rest = message;
    while let Some(start) = rest.find(is_name) {
        let end = rest[start..].find(|c| !is_name(c)).map_or(rest.len(), |length| start + length);
        text.push_str(&rest[..start]);
        match written(&rest[start..end]) {
            Some(written) => text.push_str(&format!("`{written}`")),
            None => text.push_str(&rest[start..end]),
        }
        rest = &rest[end..];
    }
    text + rest
}

/// What a kind stands for: `SET_KW` for `SET`.
fn written(kind: &str) -> Option<&str> {
    if let Some(word) = kind.strip_suffix("_KW") {
        return Some(word);
    }
    const SIGNS: [(&str, &str); 18] = [
        ("SEMICOLON", ";"),
        ("COMMA", ","),
        ("L_PAREN", "("),
        ("R_PAREN", ")"),
        ("L_BRACK", "["),
        ("R_BRACK", "]"),
        ("L_CURLY", "{"),
        ("R_CURLY", "}"),
        ("L_ANGLE", "<"),
        ("R_ANGLE", ">"),
        ("STAR", "*"),
        ("DOT", "."),
        ("DOT_DOT", ".."),
        ("COLON", ":"),
        ("COLON_EQ", ":="),
        ("EQ", "="),
        ("FAT_ARROW", "=>"),
        ("PIPE", "|"),
    ];
    SIGNS.iter().find(|(name, _)| *name == kind).map(|(_, sign)| *sign)
}

fn lower_first(message: &str) -> String {
    let mut characters = message.chars();
    match (characters.next(), characters.next()) {
        (Some(first), Some(second)) if second.is_lowercase() => {
            first.to_lowercase().chain([second]).chain(characters).collect()
        }
        _ => message.to_owned(),
    }
}

fn shorten(text: &str) -> String {
    text.chars().take(40).map(|c| if c == '\n' { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lexer::lex;

    #[test]
    fn says_what_stands_there_in_the_words_of_sql() {
        let text = "UPDATE notes STE body = 1";
        let lexed = lex(text);
        let words = Words::new(text, &lexed.tokens);
        let table = [
            ("expected SET_KW", 13, "expected `SET`"),
            ("expected R_PAREN", 25, "expected `)`"),
            ("expected COLON_EQ, expected a name", 0, "expected `:=`, expected a name"),
            ("expected command, found UPDATE_KW", 0, "no statement begins with `UPDATE notes`"),
            ("expected command, found IDENT", 7, "unexpected `notes`"),
            ("expected from item, got WHERE_KW", 13, "expected from item, found `STE`"),
            ("expected expression but got IDENT", 7, "expected expression, found `notes`"),
            ("expected an expression, found EOF", 25, "expected an expression, found the end of the statement"),
            ("expected SELECT, TABLE, or VALUES statement", 0, "expected SELECT, TABLE, or VALUES statement"),
            ("Expected a table relation name", 0, "expected a table relation name"),
        ];
        for (message, at, expected) in table {
            assert_eq!(describe(message, &words, at), expected, "{message}");
        }
    }
}
