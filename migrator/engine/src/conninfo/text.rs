//! What was given as the database URL: a URL or a keyword string, and the errors where it is neither.
//!
//! No message repeats a part of the text that the text itself has made up: where a delimiter is not encoded, or a quote is missing,
//! half of a password can be anywhere.

use super::foreign;
use super::invalid::usage;
use super::parameters::{Invalid, Parameters};
use super::{keywords, uri};
use crate::error::Error;

/// The parameters, and the names of those that are passed on as settings of the session.
pub(super) type Parsed = (Parameters, Vec<String>);

/// Reads a URL or a keyword string.
///
/// # Errors
/// A usage error that does not quote it.
pub(super) fn parse(text: &str) -> Result<Parsed, Error> {
    let text = text.trim();
    if text.is_empty() {
        return Err(usage("the database URL is empty")
            .note("it comes from --database-url or the environment variable DATABASE_URL")
            .help("set it to a value, or unset it and set PGHOST and PGDATABASE"));
    }
    if let Some(parameters) = uri::parse(text) {
        let invalid = |Invalid(reason)| {
            usage(&format!("cannot read the database URL: {reason}"))
                .note("expected `postgresql://user:password@host:5432/database?key=value`")
                .help("special characters in the user and the password must be percent-encoded: `@` is %40, `:` is %3A, `/` is %2F, `?` is %3F, `#` is %23, `&` is %26, `%` is %25")
        };
        return with_settings(parameters.map_err(invalid)?);
    }
    if let Some(error) = other_scheme(text) {
        return Err(error);
    }
    let mut parameters = keywords::parse(text).map_err(|Invalid(reason)| {
        usage(&format!("cannot read the database URL: {reason}"))
            .note("expected `postgresql://user:password@host:5432/database?key=value`, or `host=... dbname=...`")
            .help("in the second form, quote a value with spaces, and write a quote in it as \\': password='it\\'s two words'")
    })?;
    match parameters.take_unknown().first() {
        None => Ok((parameters, Vec::new())),
        Some((key, _)) => Err(foreign::explain(key, "").unwrap_or_else(|| {
            let error = usage("the connection string has a parameter that libpq does not know");
            let error = foreign::did_you_mean(error, key);
            error.help("use the parameters of libpq: host, port, dbname, user, password, sslmode, ...; quote a value with spaces: password='two words'")
        })),
    }
}

/// What libpq would refuse, dbmate passes on as a setting of the session: `search_path`, `lock_timeout`.
fn with_settings(mut parameters: Parameters) -> Result<Parsed, Error> {
    let unknown = parameters.take_unknown();
    let (mut options, mut names) =
        (parameters.get("options").map(str::to_owned).into_iter().collect::<Vec<_>>(), vec![]);
    for (key, value) in unknown {
        if let Some(error) = foreign::explain(&key, &value) {
            return Err(error);
        }
        if !foreign::can_be_a_setting(&key) {
            let error =
                usage("the database URL has a parameter that is neither a libpq parameter nor a server setting");
            let error = foreign::did_you_mean(error, &key);
            return Err(error.help("remove it; if it is part of another value, write its `&` as %26"));
        }
        if parameters.password_in_query && !foreign::is_a_usual_setting(&key) {
            return Err(usage(
                "the database URL has a parameter besides `password` that is neither a libpq parameter nor a common setting",
            )
            .help("write a `&` in the password as %26; pass other settings in PGOPTIONS: `-c name=value`"));
        }
        options.push(format!("-c {key}={}", value.replace('\\', "\\\\").replace(' ', "\\ ")));
        names.push(key);
    }
    parameters.set("options", options.join(" "));
    Ok((parameters, names))
}

/// Something that begins as a URL, but not as one of PostgreSQL's.
fn other_scheme(text: &str) -> Option<Error> {
    let lower = text.to_lowercase();
    let bare = lower.trim_start_matches(['"', '\'', '`']);
    let before_value = lower.split('=').next().unwrap_or_default();
    if !before_value.contains("://") && !["postgres", "jdbc:", "psql:"].iter().any(|start| bare.starts_with(start)) {
        return None;
    }
    let help = match () {
        () if bare.len() < lower.len() => "remove the quotes around it: they are part of the value",
        () if bare.starts_with("jdbc:") => {
            "remove `jdbc:`, and write the user and the password before the host: `postgresql://user:password@host:5432/database`"
        }
        () if bare.split(':').next().is_some_and(|scheme| scheme.starts_with("postgres") && scheme.contains('+')) => {
            "remove the driver after the `+`"
        }
        () if bare.starts_with("postgres") || bare.starts_with("psql") => {
            "write `postgresql://user:password@host:5432/database`, in lower case, with a colon and two slashes"
        }
        () => "only PostgreSQL is supported",
    };
    Some(usage("the database URL must start with `postgresql://`").help(help))
}
