//! `host=db dbname=crm password='it\'s'`, read as libpq reads it.

use super::parameters::{Invalid, Parameters};

const NO_VALUE: Invalid = Invalid("it is not a URL, and one of its keywords has no `=value`");

/// The pairs of a keyword string.
///
/// # Errors
/// A key without a value, an unterminated quote.
pub(super) fn parse(text: &str) -> Result<Parameters, Invalid> {
    let mut parameters = Parameters::default();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let end = rest.find(|c: char| c == '=' || c.is_whitespace()).ok_or(NO_VALUE)?;
        let (key, behind) = rest.split_at(end);
        let value = behind.trim_start().strip_prefix('=').ok_or(NO_VALUE)?.trim_start();
        let (value, behind) = read_value(value)?;
        parameters.set(key, value);
        rest = behind.trim_start();
    }
    Ok(parameters)
}

/// A value and what follows it.
fn read_value(text: &str) -> Result<(String, &str), Invalid> {
    let quoted = text.starts_with('\'');
    let mut value = String::new();
    let mut characters = text.char_indices().skip(usize::from(quoted));
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => value.push(characters.next().ok_or(Invalid("it ends after a `\\`"))?.1),
            '\'' if quoted => return Ok((value, &text[at + 1..])),
            space if !quoted && space.is_whitespace() => return Ok((value, &text[at..])),
            other => value.push(other),
        }
    }
    if quoted { Err(Invalid("a quote is unterminated")) } else { Ok((value, "")) }
}
