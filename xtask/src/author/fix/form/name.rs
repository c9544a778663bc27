//! Names that the server gives to what has none.

use migrator_engine::client::{plain_identifier, unquoted};
use migrator_sql::{Name, Words, lex};

/// The server cuts longer names, and then it depends on their parts where.
const LONGEST: usize = 63;

/// `orders_customer_id_fkey`, quoted where that is necessary.
///
/// # Errors
/// It would be too long.
pub(super) fn of_parts(table: &Name<'_>, columns: &[String], ending: &str) -> Result<String, String> {
    let mut parts = vec![table.object().name];
    parts.extend(columns.iter().cloned());
    parts.push(ending.to_owned());
    let name = parts.join("_");
    match name.len() > LONGEST {
        true => Err("it has no name, and the one that PostgreSQL would give it is too long: name it".to_owned()),
        false => Ok(plain_identifier(&name)),
    }
}

/// The columns in the parentheses that start at a token, as the catalog has them; `None`: it has others than columns.
pub(super) fn columns(words: &Words<'_>, open: usize) -> Option<Vec<String>> {
    if words.at(open) != "(" {
        return None;
    }
    let inside = words.tokens.get(open + 1..words.behind_parentheses(open).checked_sub(1)?)?;
    let elements = Words::new(words.text, inside).elements(0);
    elements.iter().map(|element| column(element)).collect()
}

fn column(element: &Words<'_>) -> Option<String> {
    let (name, end) = Name::read(element, 0)?;
    (end == 1 && element.at(1) != "(").then(|| name.object().name)
}

/// The name of something in the schema of a table, as that is written: `core.i` beside `core.t`.
pub(super) fn beside(table: &Name<'_>, name: &str) -> String {
    let written = table.as_written();
    let last = lex(&written).tokens.last().map_or(0, |token| token.start());
    format!("{}{name}", &written[..last])
}

/// A part of a file's name: `Orders "x"` as `orders__x`.
pub(super) fn in_file_name(name: &str) -> String {
    let name = unquoted(name).to_lowercase();
    let plain: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    plain.trim_matches('_').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn table<T>(text: &str, work: impl FnOnce(Name<'_>) -> T) -> T {
        let lexed = lex(text);
        work(Name::read(&Words::new(text, &lexed.tokens), 0).unwrap().0)
    }

    #[test]
    fn names_are_those_that_the_server_gives() {
        table("core.\"Orders\"", |name| {
            assert_eq!(of_parts(&name, &["a".to_owned()], "fkey"), Ok("\"Orders_a_fkey\"".to_owned()));
            assert!(of_parts(&name, &["x".repeat(60)], "fkey").is_err());
            assert_eq!(beside(&name, "i"), "core.i");
        });
        table("orders", |name| assert_eq!(beside(&name, "i"), "i"));
        table("\"a.b\".\"c.d\"", |name| assert_eq!(beside(&name, "i"), "\"a.b\".i"));
        assert_eq!(in_file_name("\"Orders \"\"x\"\"\""), "orders__x");
    }

    #[test]
    fn columns_are_read_from_parentheses() {
        let of = |text: &str| columns(&Words::new(text, &lex(text).tokens), 0);
        assert_eq!(of("(a, \"B\" DESC)"), Some(vec!["a".to_owned(), "B".to_owned()]));
        assert_eq!(of("(lower(a))"), None);
        assert_eq!(of("((a + b))"), None);
        assert_eq!(of("a"), None);
    }
}
