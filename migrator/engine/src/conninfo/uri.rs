//! `postgresql://user:password@host:port,host:port/database?key=value`, read as libpq reads it.

use percent_encoding::percent_decode_str;

use super::parameters::{Invalid, Parameters};

/// The parts of a URL as parameters; `None` if it is not a PostgreSQL URL.
pub(super) fn parse(text: &str) -> Option<Result<Parameters, Invalid>> {
    let rest = text.strip_prefix("postgresql://").or_else(|| text.strip_prefix("postgres://"))?;
    Some(parts(rest))
}

const TWO_ATS: Invalid = Invalid("it has more than one `@`");

fn parts(rest: &str) -> Result<Parameters, Invalid> {
    let mut parameters = Parameters::default();
    // The user's part ends at the first `@` before a `/`; in a password, both have to be encoded.
    let end = rest.find(['@', '/']).filter(|at| rest[*at..].starts_with('@'));
    let has_user = end.is_some();
    let rest = match end {
        Some(at) => {
            let (user, password) = rest[..at].split_once(':').unwrap_or((&rest[..at], ""));
            parameters.set("user", decode(user)?);
            parameters.set("password", decode(password)?);
            &rest[at + 1..]
        }
        None => rest,
    };
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    // libpq would take the text between two of them for the host, look it up on the network, and show it: half a password.
    if rest.contains('@') {
        return Err(if has_user { TWO_ATS } else { Invalid("it has a `/` before its `@`") });
    }
    let (hosts, database) = rest.split_once('/').unwrap_or((rest, ""));
    let (mut names, mut ports) = (Vec::new(), Vec::new());
    for host in hosts.split(',') {
        let (name, port) = host_and_port(host)?;
        names.push(decode(name)?);
        ports.push(port.to_owned());
    }
    // A single empty entry does not count: the defaults hold.
    let some = |entries: &[String]| entries.iter().any(|entry| !entry.is_empty());
    if some(&names) {
        parameters.set("host", names.join(","));
    }
    if some(&ports) {
        parameters.set("port", ports.join(","));
    }
    parameters.set("dbname", decode(database)?);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').ok_or(Invalid("a parameter after the `?` has no `=value`"))?;
        // Only in the value of what is known to be a parameter is an `@` surely not the end of a password that holds a `?`.
        let is_behind_a_path = rest.is_empty() || rest.contains('/');
        if pair.contains('@') && !(Parameters::is_known(key) && is_behind_a_path) {
            return Err(if has_user { TWO_ATS } else { Invalid("it has a `?` before its `@`") });
        }
        parameters.password_in_query |= key == "password";
        match (&*decode(key)?, decode(value)?) {
            // As Java writes it.
            ("ssl", value) if value == "true" => parameters.set("sslmode", "require".to_owned()),
            // dbmate's name for the directory of the socket.
            ("socket", value) => parameters.set("host", value),
            (key, value) => parameters.set(key, value),
        }
    }
    Ok(parameters)
}

/// `[::1]:5432`, `host:5432`, `host`, nothing.
fn host_and_port(text: &str) -> Result<(&str, &str), Invalid> {
    let (name, rest) = match text.strip_prefix('[') {
        Some(rest) => rest.split_once(']').ok_or(Invalid("a `[` is unterminated"))?,
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    match rest.strip_prefix(':') {
        Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => Ok((name, port)),
        None if rest.is_empty() => Ok((name, "")),
        _ => Err(Invalid("a port is not a number")),
    }
}

/// Percent-decoding as libpq has it: a `%` must be followed by two hexadecimal digits, and NUL is refused.
fn decode(text: &str) -> Result<String, Invalid> {
    const INVALID: Invalid = Invalid("a `%` is not followed by two hexadecimal digits that give a character");
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        let digits = rest.get(at + 1..at + 3).ok_or(INVALID)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) || digits == "00" {
            return Err(INVALID);
        }
        rest = &rest[at + 3..];
    }
    percent_decode_str(text).decode_utf8().map(|text| text.into_owned()).map_err(|_| INVALID)
}
