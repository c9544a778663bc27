//! What is compiled for tests only.

use super::tokens::{Delimiter, Group, Token, is_at, name_at};

/// What begins an item that ends with its braces or a semicolon; anything else ends with a comma, too.
const ITEMS: &[&str] = &[
    "async",
    "const",
    "enum",
    "extern",
    "fn",
    "impl",
    "macro_rules",
    "mod",
    "pub",
    "static",
    "struct",
    "trait",
    "type",
    "union",
    "unsafe",
    "use",
];

/// An attribute.
pub(super) struct Attribute {
    /// The index after it.
    pub(super) end: usize,
    /// What it is on is for tests only.
    pub(super) is_test: bool,
    /// `#![..]`: it is on all that is around it.
    pub(super) is_inner: bool,
}

impl Attribute {
    /// The attribute that begins at an index.
    pub(super) fn at(tokens: &[Token<'_>], index: usize) -> Option<Attribute> {
        if !is_at(tokens, index, b'#') {
            return None;
        }
        let is_inner = is_at(tokens, index + 1, b'!');
        let at = index + 1 + usize::from(is_inner);
        let group = tokens.get(at)?.group(Delimiter::Bracket)?;
        Some(Attribute { end: at + 1, is_test: is_test(group), is_inner })
    }
}

/// `#[test]`, `#[tokio::test(..)]`, `#[cfg(test)]`, `#[cfg(all(test, ..))]`
fn is_test(attribute: &Group<'_>) -> bool {
    let path = attribute.tokens.iter().take_while(|token| !token.name().is_empty() || token.is(b':'));
    match (path.last().map_or("", Token::name), attribute.tokens.last()) {
        ("test" | "rstest" | "bench", _) => true,
        ("cfg", Some(Token::Group(condition))) => needs_test(&condition.tokens),
        _ => false,
    }
}

/// Whether a condition holds in tests only.
fn needs_test(condition: &[Token<'_>]) -> bool {
    let parts = condition.split(|token| token.is(b','));
    let mut of_all = parts.map(|part| match part {
        [name] => name.name() == "test",
        [name, Token::Group(all)] => name.name() == "all" && needs_test(&all.tokens),
        _ => false,
    });
    of_all.any(|needs| needs)
}

/// The index after the item that begins at an index, its further attributes included.
pub(super) fn end_of_item(tokens: &[Token<'_>], mut index: usize) -> usize {
    while let Some(attribute) = Attribute::at(tokens, index) {
        index = attribute.end;
    }
    let is_item = ITEMS.contains(&name_at(tokens, index));
    let ends =
        |token: &Token<'_>| token.group(Delimiter::Brace).is_some() || token.is(b';') || !is_item && token.is(b',');
    tokens[index..].iter().position(ends).map_or(tokens.len(), |end| index + end + 1)
}

/// The modules that are in files of their own and for tests only.
pub(super) fn modules<'a>(tokens: &[Token<'a>]) -> Vec<&'a str> {
    let (mut found, mut index) = (Vec::new(), 0);
    while index < tokens.len() {
        let Some(attribute) = Attribute::at(tokens, index) else {
            index += 1;
            continue;
        };
        index = attribute.end;
        if attribute.is_test && !attribute.is_inner {
            let end = end_of_item(tokens, index);
            let item = &tokens[index..end];
            if let Some(at) = item.iter().position(|token| token.name() == "mod").filter(|at| is_at(item, at + 2, b';'))
            {
                found.push(name_at(item, at + 1));
            }
            index = end;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::scan::scan;
    use super::*;

    #[test]
    fn knows_what_is_for_tests() {
        for (source, expected) in [
            ("#[test] fn", true),
            ("#[tokio::test(flavor = \"x\")]", true),
            ("#[sqlx::test]", true),
            ("#[cfg(test)]", true),
            ("#[cfg(all(unix, test))]", true),
            ("#![cfg(test)]", true),
            ("#[cfg(not(test))]", false),
            ("#[cfg(any(test, feature = \"x\"))]", false),
            ("#[cfg_attr(test, x)]", false),
            ("#[derive(test)]", false),
            ("#[doc = \"test\"]", false),
        ] {
            let attribute = Attribute::at(&scan(source).unwrap(), 0).unwrap();
            assert_eq!(attribute.is_test, expected, "{source}");
        }
    }

    #[test]
    fn an_item_ends_where_the_next_one_begins() {
        for (source, rest) in [
            ("fn f<A, B>(a: [u8; 2]) -> x { } next", 1),
            ("#[a] #[b] pub(crate) mod x; next", 1),
            ("field: u8, next", 1),
            ("statement(a, b); next", 1),
            ("mod x", 0),
        ] {
            let tokens = scan(source).unwrap();
            assert_eq!(tokens.len() - end_of_item(&tokens, 0), rest, "{source}");
        }
    }

    #[test]
    fn finds_the_modules_of_tests() {
        let source =
            "#[cfg(test)] mod a; mod b; #[cfg(test)] #[x] pub mod c; #[cfg(test)] mod d { mod e; } #[test] fn f() {}";
        assert_eq!(modules(&scan(source).unwrap()), ["a", "c"]);
    }
}
