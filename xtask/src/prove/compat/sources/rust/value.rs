//! What an expression gives, as far as the source says.

use super::text::Text;
use super::tokens::{Delimiter, Group, Token, elements, is_at, name_at};

/// What is known of an expression.
#[derive(Debug, Clone)]
pub(super) enum Value {
    /// One of these texts.
    Texts(Vec<Text>),
    /// A text that is made at run time; whether it begins as a statement does, if that is known.
    Built(Option<bool>),
    /// A prepared statement, whose text is where it is prepared.
    Prepared,
    /// A constant of this name that is somewhere else.
    Constant(String),
    Unknown,
}

impl Value {
    /// What becomes of it when something is put into it, or added to it.
    pub(super) fn built(self) -> Value {
        Value::Built(match self {
            Value::Texts(texts) => {
                texts.iter().map(Text::begins).reduce(|one, other| one.filter(|_| one == other)).flatten()
            }
            Value::Built(begins) => begins,
            Value::Prepared | Value::Constant(_) | Value::Unknown => None,
        })
    }
}

/// What an expression is read with.
pub(super) trait Context {
    /// The text of a literal; `None`: it is something else.
    fn literal(&self, token: &Token<'_>) -> Option<Text>;

    /// What a name means here.
    fn lookup(&self, name: &str) -> Option<Value>;

    /// A file beside the source, or from the folder of the package on.
    fn include(&self, path: &str, of_package: bool) -> Option<Text>;
}

/// Methods that give the same text.
const SAME: &[&str] = &["as_ref", "as_str", "borrow", "clone", "deref", "into", "to_owned", "to_string", "trim"];

/// Reads an expression.
pub(super) fn of(tokens: &[Token<'_>], context: &impl Context) -> Value {
    let tokens = plain(tokens);
    if let [Token::Group(group)] = tokens
        && group.delimiter == Delimiter::Parenthesis
    {
        return of(&group.tokens, context);
    }
    match tokens {
        [] => Value::Unknown,
        // No client writes into its statement.
        [first, ..] if first.name() == "mut" => Value::Prepared,
        [first, .., Token::Group(_)] if first.name() == "if" => blocks(tokens, context),
        [first, .., Token::Group(arms)] if first.name() == "match" => self::arms(&arms.tokens, context),
        [Token::Literal(..), ..] => sum(tokens, context),
        [.., name, sign, Token::Group(group)] if sign.is(b'!') => expanded(name.name(), group, context),
        [path @ .., Token::Group(group)] if group.delimiter == Delimiter::Parenthesis && converts(path) => {
            of(&group.tokens, context)
        }
        [first, .., Token::Name(last, _)] if is_path(tokens) => path(first.name(), last, context),
        [Token::Name(name, _)] => path("", name, context),
        _ if tokens.iter().any(|token| token.name().starts_with("prepare")) => Value::Prepared,
        _ if tokens.windows(2).any(|pair| pair[0].name() == "format" && pair[1].is(b'!')) => Value::Built(None),
        _ => Value::Unknown,
    }
}

/// An expression without what does not change its text.
fn plain<'t, 'a>(mut tokens: &'t [Token<'a>]) -> &'t [Token<'a>] {
    loop {
        tokens = match tokens {
            [sign, rest @ ..] if sign.is(b'&') || sign.is(b'*') => rest,
            [rest @ .., dot, Token::Name(name, _), Token::Group(group)]
                if dot.is(b'.') && group.tokens.is_empty() && SAME.contains(&&**name) =>
            {
                rest
            }
            _ => return tokens,
        }
    }
}

fn is_path(tokens: &[Token<'_>]) -> bool {
    let is_part =
        |(index, token): (usize, &Token<'_>)| if index % 3 == 0 { !token.name().is_empty() } else { token.is(b':') };
    tokens.len() % 3 == 1 && tokens.iter().enumerate().all(is_part)
}

/// Whether a function gives the text that it gets.
fn converts(path: &[Token<'_>]) -> bool {
    let name = path.last().map_or("", Token::name);
    let of = if path.len() >= 4 { name_at(path, path.len() - 4) } else { "" };
    name == "AssertSqlSafe" || matches!((of, name), ("String", "from") | ("Cow", "Borrowed" | "from"))
}

fn path(first: &str, last: &str, context: &impl Context) -> Value {
    let is_here = first.is_empty() || first == "Self";
    let is_constant = last.starts_with(|c: char| c.is_uppercase()) && !last.contains(char::is_lowercase);
    let elsewhere = || if is_constant { Value::Constant(last.to_owned()) } else { Value::Unknown };
    is_here.then(|| context.lookup(last)).flatten().unwrap_or_else(elsewhere)
}

/// `"a"`, and `"a" + "b"` as the macros of sqlx take it.
fn sum(tokens: &[Token<'_>], context: &impl Context) -> Value {
    let mut parts = tokens.split(|token| token.is(b'+')).map(|part| match part {
        [literal] => context.literal(literal),
        _ => None,
    });
    let Some(Some(mut text)) = parts.next() else { return Value::Unknown };
    for part in parts {
        let Some(part) = part else { return Value::Texts(vec![text]).built() };
        text.push(&part);
    }
    Value::Texts(vec![text])
}

/// What a macro makes.
fn expanded(name: &str, group: &Group<'_>, context: &impl Context) -> Value {
    let texts = |text: Option<Text>| text.map_or(Value::Built(None), |text| Value::Texts(vec![text]));
    match name {
        "concat" | "concatcp" | "const_str_concat" => texts(joined(&group.tokens, context)),
        "indoc" | "unindent" => of(&group.tokens, context),
        "include_str" => included(&group.tokens, context),
        // Without anything to put in, it is a text.
        "format" => match of(elements(&group.tokens).first().copied().unwrap_or_default(), context) {
            Value::Texts(texts) => match texts.as_slice() {
                [text] if elements(&group.tokens).len() == 1 => interpolated(text, context)
                    .map_or_else(|| Value::Texts(texts.clone()).built(), |text| Value::Texts(vec![text])),
                _ => Value::Texts(texts).built(),
            },
            value => value.built(),
        },
        _ if name.starts_with("format") => Value::Built(None),
        _ => Value::Unknown,
    }
}

/// `format!("a {B} c")` with a constant text for each name in it.
fn interpolated(text: &Text, context: &impl Context) -> Option<Text> {
    let mut whole = text.part(0..0);
    let mut at = 0;
    while let Some(found) = text.text[at..].find(['{', '}']) {
        let (sign, rest) = text.text[at + found..].split_at(1);
        if let Some(rest) = rest.strip_prefix(sign) {
            whole.push(&text.part(at..at + found + 1));
            at = text.text.len() - rest.len();
            continue;
        }
        let (name, rest) = rest.split_once('}').filter(|_| sign == "{")?;
        let Some(Value::Texts(texts)) = context.lookup(name) else { return None };
        let [value] = texts.as_slice() else { return None };
        whole.push(&text.part(at..at + found));
        whole.push_word(&value.text);
        at = text.text.len() - rest.len();
    }
    whole.push(&text.part(at..text.text.len()));
    Some(whole)
}

/// The arguments of `concat!` as one text.
fn joined(tokens: &[Token<'_>], context: &impl Context) -> Option<Text> {
    let mut whole: Option<Text> = None;
    for element in elements(tokens) {
        match (of(element, context), element, &mut whole) {
            (Value::Texts(texts), _, whole) => {
                let [text] = texts.as_slice() else { return None };
                match whole {
                    Some(whole) => whole.push(text),
                    None => *whole = Some(text.clone()),
                }
            }
            (_, [Token::Literal(number, _)], Some(whole)) => whole.push_word(number),
            _ => return None,
        }
    }
    whole
}

/// `include_str!("x.sql")`, also of `concat!(env!("CARGO_MANIFEST_DIR"), "/x.sql")`.
fn included(tokens: &[Token<'_>], context: &impl Context) -> Value {
    let (path, of_package) = match tokens {
        [name, sign, Token::Group(group)] if name.name() == "concat" && sign.is(b'!') => {
            let after_environment =
                group.tokens.iter().position(|token| token.is(b',')).filter(|_| name_at(&group.tokens, 0) == "env");
            (after_environment.and_then(|comma| joined(&group.tokens[comma + 1..], context)), true)
        }
        [literal] => (context.literal(literal), false),
        [literal, comma] if comma.is(b',') => (context.literal(literal), false),
        _ => (None, false),
    };
    let text = path.and_then(|path| context.include(&path.text, of_package));
    text.map_or(Value::Built(None), |text| Value::Texts(vec![text]))
}

/// `if a { "x" } else { "y" }`
fn blocks(tokens: &[Token<'_>], context: &impl Context) -> Value {
    let blocks = tokens.iter().filter_map(|token| token.group(Delimiter::Brace));
    any(blocks.map(|block| last(&block.tokens)), context)
}

/// `A => "x", B => { "y" }`
fn arms(tokens: &[Token<'_>], context: &impl Context) -> Value {
    let mut results = Vec::new();
    let mut index = 0;
    while index < tokens.len() {
        if !(is_at(tokens, index, b'=') && is_at(tokens, index + 1, b'>')) {
            index += 1;
            continue;
        }
        let start = index + 2;
        if let Some(block) = tokens.get(start).and_then(|token| token.group(Delimiter::Brace)) {
            results.push(last(&block.tokens));
            index = start + 1;
        } else {
            let end =
                tokens[start..].iter().position(|token| token.is(b',')).map_or(tokens.len(), |comma| start + comma);
            results.push(&tokens[start..end]);
            index = end;
        }
    }
    any(results.into_iter(), context)
}

/// The expression at the end of a block.
fn last<'t, 'a>(tokens: &'t [Token<'a>]) -> &'t [Token<'a>] {
    tokens.rsplit(|token| token.is(b';')).next().unwrap_or_default()
}

/// One of these expressions: all are texts, or it is not known.
fn any<'t, 'a: 't>(expressions: impl Iterator<Item = &'t [Token<'a>]>, context: &impl Context) -> Value {
    let mut all = Vec::new();
    for expression in expressions {
        match of(expression, context) {
            Value::Texts(texts) => all.extend(texts),
            Value::Built(begins) => return Value::Built(begins),
            // It leaves the function, or panics.
            _ if ["return", "panic", "unreachable", "bail"].contains(&name_at(expression, 0)) => {}
            _ => return Value::Unknown,
        }
    }
    if all.is_empty() { Value::Unknown } else { Value::Texts(all) }
}

/// What a variable of this type holds.
pub(super) fn of_type(tokens: &[Token<'_>]) -> Value {
    let holds = |name: &str| tokens.iter().any(|token| token.name() == name);
    match () {
        () if holds("Statement") => Value::Prepared,
        () if ["str", "String", "Cow"].iter().any(|name| holds(name)) => Value::Built(None),
        () => Value::Unknown,
    }
}
