//! Goes through a source, and finds what is handed to a server.

use std::collections::HashMap;

use super::call::Call;
use super::scope::{self, Let, Scopes};
use super::test_code::{Attribute, end_of_item};
use super::text::Text;
use super::tokens::{Delimiter, Token, is_at};
use super::value::{self, Context, Value};

/// What a call is given.
pub(super) enum Given {
    /// One of these texts.
    Texts(Vec<Text>),
    /// A file that is not there, by the name that the source has for it.
    NoFile(String),
    /// A constant that is in another file. `counts`: without it, the call is one whose text is not known.
    Constant { name: String, counts: bool },
    /// A text that is made at run time.
    NotLiteral,
}

/// A call at its line.
pub(super) struct Asked {
    pub(super) line: usize,
    /// It is compiled for tests only.
    pub(super) is_test: bool,
    pub(super) given: Given,
}

/// Goes through a source.
pub(super) struct Search<'a> {
    scopes: Scopes<'a>,
    source: &'a str,
    /// What is looked at is compiled for tests only.
    is_test: bool,
    found: Vec<Asked>,
}

impl<'a> Search<'a> {
    /// What the calls of a source are given.
    pub(super) fn of(tokens: &[Token<'_>], scopes: Scopes<'a>, source: &'a str) -> Vec<Asked> {
        let mut search = Search { scopes, source, is_test: false, found: Vec::new() };
        search.level(tokens, HashMap::new());
        search.found
    }

    fn level(&mut self, tokens: &[Token<'_>], parameters: HashMap<String, Value>) {
        self.scopes.enter(tokens, parameters);
        let mut function = None;
        let mut variable: Option<Let> = None;
        // Up to which index it is for tests, whatever is around it.
        let (around, mut end_of_test) = (self.is_test, 0);
        let mut index = 0;
        while let Some(token) = tokens.get(index) {
            self.is_test = around || index < end_of_test;
            if let Some(bound) = variable.take_if(|bound| bound.end == index) {
                self.scopes.declare(bound);
            }
            index += 1;
            match token {
                Token::Sign(b'#') => {
                    let Some(attribute) = Attribute::at(tokens, index - 1) else { continue };
                    index = attribute.end;
                    match (attribute.is_test, attribute.is_inner) {
                        (true, true) => end_of_test = tokens.len(),
                        (true, false) => end_of_test = end_of_test.max(end_of_item(tokens, index)),
                        _ => {}
                    }
                }
                Token::Name("fn", _) => {
                    function = Some(index);
                    // Its name calls nothing.
                    index += 1;
                }
                // Code that is written for another program.
                Token::Name("quote" | "quote_spanned" | "parse_quote", _) if is_at(tokens, index, b'!') => index += 2,
                Token::Name("let", _) => variable = self.scopes.variable(tokens, index - 1),
                Token::Name(..) => self.call(tokens, index - 1),
                Token::Group(group) => {
                    let is_body = group.delimiter == Delimiter::Brace;
                    let of_function = if is_body { function.take() } else { None };
                    if group.asks {
                        let parameters = of_function.map(|at| scope::parameters(tokens, at));
                        self.level(&group.tokens, parameters.unwrap_or_default());
                    }
                }
                Token::Sign(_) | Token::Literal(..) => {}
            }
        }
        self.is_test = around;
        self.scopes.leave();
    }

    fn call(&mut self, tokens: &[Token<'_>], index: usize) {
        let Some(call) = Call::at(tokens, index) else { return };
        let given = if call.is_of_file() { self.file(&call) } else { self.given(&call) };
        self.found.extend(given.map(|given| Asked {
            line: self.scopes.line(call.start),
            is_test: self.is_test,
            given,
        }));
    }

    /// What `query_file!` names, from the folder of the package on.
    fn file(&self, call: &Call<'_>) -> Option<Given> {
        let Value::Texts(names) = value::of(call.candidates().next()?, &self.scopes) else { return None };
        let name = &names.first()?.text;
        let text = self.scopes.include(name, true);
        Some(text.map_or_else(|| Given::NoFile(name.clone()), |text| Given::Texts(vec![text])))
    }

    fn given(&self, call: &Call<'_>) -> Option<Given> {
        if call.is_builder(self.source) {
            return Some(Given::NotLiteral);
        }
        let values: Vec<Value> = call.candidates().map(|argument| value::of(argument, &self.scopes)).collect();
        let is_statement = |text: &Text| !text.statements().is_empty();
        for value in &values {
            if let Value::Texts(texts) = value
                && texts.iter().any(is_statement)
            {
                return Some(Given::Texts(texts.clone()));
            }
        }
        let is_certain = |is_text: bool| call.is_certain(is_text, self.source);
        match values.into_iter().next()? {
            Value::Constant(name) => Some(Given::Constant { name, counts: is_certain(true) }),
            Value::Built(begins) => begins.unwrap_or_else(|| is_certain(true)).then_some(Given::NotLiteral),
            Value::Unknown => is_certain(false).then_some(Given::NotLiteral),
            Value::Texts(_) | Value::Prepared => None,
        }
    }
}

/// All constants of a source, on any level.
pub(super) fn constants(tokens: &[Token<'_>], scopes: &mut Scopes<'_>) -> Vec<(String, Value)> {
    scopes.enter(tokens, HashMap::new());
    let mut found = scopes.constants(tokens);
    let mut index = 0;
    while let Some(token) = tokens.get(index) {
        index += 1;
        match (token, Attribute::at(tokens, index - 1)) {
            (_, Some(attribute)) if attribute.is_test => index = end_of_item(tokens, attribute.end),
            (_, Some(attribute)) => index = attribute.end,
            (Token::Group(group), None) => found.extend(constants(&group.tokens, scopes)),
            _ => {}
        }
    }
    scopes.leave();
    found
}
