//! What a server's error means for the author of the file: the way out that fits the cause, and the line inside a DO block.
//!
//! Pure. SQLSTATE decides first. The server's message matters only where one code has several causes; without it, the general
//! advice is given.

use tokio_postgres::error::{DbError, ErrorPosition};

use crate::excerpt::byte_of_character;

/// The way out that fits the cause; `None`: it depends on the file.
///
/// `sql` is the file's text from the place of the error on, `version` that of the migration, where one is applied.
pub(super) fn advice(error: &DbError, sql: &str, version: Option<&str>) -> Option<String> {
    advise(error.code().code(), error.message(), error.where_().is_some(), sql, version)
}

/// `nested`: a function or a block has run it.
fn advise(code: &str, message: &str, nested: bool, sql: &str, version: Option<&str>) -> Option<String> {
    let says = |part: &str| message.contains(part);
    let advice = match code {
        "42501" if says("extension") => {
            "the file may be correct: have a superuser create the extension once, or grant the migrator's user CREATE on the database, then run it again".to_owned()
        }
        "42501" if says("must be") => {
            "the file may be correct: connect as that role or a member of it (`GRANT role TO user`), then run it again".to_owned()
        }
        "42501" => {
            "the file may be correct: grant the migrator's user that privilege, or connect as a user who has it, then run it again".to_owned()
        }
        "0A000" if says("extension") && says("is not available") => {
            "install the package of that extension on the server's machine (`SELECT name FROM pg_available_extensions` shows what is there), and run it again".to_owned()
        }
        "58P01" if says("extension control file") => {
            "install the package of that extension on the server's machine (`SELECT name FROM pg_available_extensions` shows what is there), and run it again".to_owned()
        }
        "0A000" if says("used by a view") => {
            "drop the view before that statement and recreate it afterwards; the run itself recreates a view under db/repeatable".to_owned()
        }
        "42704" if says("role \"") => {
            "create the role first, with `CREATE ROLE ...`: roles belong to the whole server, so a dump of one database does not contain them".to_owned()
        }
        "42704" | "42883" => from_extension(message)?,
        "42P07" | "42P06" | "42710" | "42723" | "42701" => match version {
            Some(version) if code != "42701" => format!(
                "if another tool created it, record what that has applied with `migrator adopt TOOL`; if a restored dump did, with `migrator stamp --to {version}` (neither runs anything); otherwise correct the file, build, and run `up` again"
            ),
            _ => return None,
        },
        "2D000" => "the block or procedure commits by itself, which works only outside a transaction: move it to its own migration with `-- migrate:up transaction:false`".to_owned(),
        "25001" if nested || says("cannot be executed from a function") => {
            "run the statement directly instead of in a DO block or a function, in its own migration with `-- migrate:up transaction:false`".to_owned()
        }
        "25001" => "move the statement to its own migration with `-- migrate:up transaction:false`".to_owned(),
        "55P04" => "a new enum value can be used only after it is committed: move the statements that use it to the next migration".to_owned(),
        "55006" if says("pending trigger events") => {
            "deferred checks of earlier statements are still pending: put `SET CONSTRAINTS ALL IMMEDIATE;` before that statement, or move it to the next migration".to_owned()
        }
        // Rows that the statement itself inserts are up to the file; rows that it finds are not.
        "23502" | "23503" | "23505" | "23514" | "23P01" if begins_with(sql, &["alter", "create"]) => {
            "existing rows violate it: correct the data, by hand or with an earlier statement, then run it again".to_owned()
        }
        "53100" => "the file may be correct: make room on the server's disk, then run it again".to_owned(),
        "53200" | "53400" | "58030" => {
            "the file may be correct: look at the server's log and its machine, then run it again".to_owned()
        }
        "57014" if says("statement timeout") => {
            "raise the limit for this block (`-- migrate:up statement_timeout:30min`) or under [session] in db/migrator.toml, build, then run it again".to_owned()
        }
        "42601" if is_psql_variable(sql) => {
            "`:name`, `:'name'` and `:\"name\"` are psql variables, which the server does not know: write the value, or read it from a setting with `current_setting('app.name')`".to_owned()
        }
        _ => return None,
    };
    Some(advice)
}

fn begins_with(sql: &str, words: &[&str]) -> bool {
    words.iter().any(|word| sql.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word)))
}

/// `:name`, `:'name'`, `:"name"`, exactly where the server reported the error.
fn is_psql_variable(sql: &str) -> bool {
    let Some(rest) = sql.strip_prefix(':') else { return false };
    rest.starts_with(|c: char| c == '\'' || c == '"' || c == '{' || c == '_' || c.is_alphabetic())
}

/// Types and functions that exist only once their extension has been created.
fn from_extension(message: &str) -> Option<String> {
    const HOMES: [(&[&str], &str); 9] = [
        (&["citext"], "citext"),
        (&["hstore"], "hstore"),
        (&["ltree", "lquery", "ltxtquery"], "ltree"),
        (&["vector", "halfvec", "sparsevec"], "vector"),
        (&["geometry", "geography", "st_"], "postgis"),
        (&["gin_trgm_ops", "gist_trgm_ops", "similarity("], "pg_trgm"),
        (&["uuid_generate_v", "uuid_ns_"], "uuid-ossp"),
        (&["crypt(", "gen_salt(", "digest(", "hmac(", "pgp_", "gen_random_uuid(", "gen_random_bytes("], "pgcrypto"),
        (&["unaccent("], "unaccent"),
    ];
    // `type "citext" does not exist`, `function public.crypt(text, text) does not exist`
    let named = message.split_once(' ')?.1.trim_start_matches('"');
    let named = named.split('(').next()?.rsplit('.').next()?.trim_end_matches(" does not exist").trim_matches('"');
    let is = |known: &&str| match known.strip_suffix('(') {
        Some(function) => message.starts_with("function ") && named == function,
        None if known.ends_with('_') || known.ends_with("_v") => named.starts_with(known),
        None => named.split('"').next() == Some(known),
    };
    let (_, extension) = HOMES.iter().find(|(names, _)| names.iter().any(&is))?;
    Some(format!(
        "it belongs to an extension: put `CREATE EXTENSION IF NOT EXISTS \"{extension}\";` before it; if the extension exists, its schema is not in the search_path"
    ))
}

/// The byte of the file at which an error inside a DO block was raised, where the statement at `start` is one; else `start`.
pub(super) fn inside(error: &DbError, text: &str, start: usize) -> usize {
    let query = match error.position() {
        Some(ErrorPosition::Internal { position, query }) => Some((*position as usize, query.as_str())),
        _ => None,
    };
    place_in_block(text, start, error.where_().unwrap_or_default(), query).unwrap_or(start)
}

/// `query`: what the block ran, and the character (from 1) in it.
fn place_in_block(text: &str, start: usize, context: &str, query: Option<(usize, &str)>) -> Option<usize> {
    let body = body_of_do(text, start)?;
    // The outermost frame comes last; the ones before it belong to functions that the block has called.
    let frames: Vec<&str> = context.lines().filter(|line| line.starts_with("PL/pgSQL function ")).collect();
    let number = frames.last()?.strip_prefix("PL/pgSQL function inline_code_block line ")?;
    let number: usize = number.split(' ').next()?.parse().ok()?;
    // Line 1 is what follows the opening quote.
    let skipped = text[body.clone()].split_inclusive('\n').take(number.saturating_sub(1)).map(str::len).sum::<usize>();
    let line = body.start + skipped;
    if let (Some((character, query)), [_]) = (query, &*frames)
        && let Some((at, cut)) = find_query(&text[line..body.end], query)
    {
        let inside = byte_of_character(query, character.saturating_sub(1)).checked_sub(cut);
        return Some(line + at + inside.unwrap_or(0));
    }
    let rest = &text[line..body.end];
    Some(line + (rest.len() - rest.trim_start().len()))
}

/// Where a query is written, and how many bytes of it the interpreter has put before what is written there.
fn find_query(text: &str, query: &str) -> Option<(usize, usize)> {
    ["", "SELECT "].into_iter().find_map(|before| {
        let written = query.strip_prefix(before)?;
        Some((text.find(written).filter(|_| !written.trim().is_empty())?, before.len()))
    })
}

/// The text between the quotes of the DO block that begins at `start`; `None`: no DO block begins there.
fn body_of_do(text: &str, start: usize) -> Option<std::ops::Range<usize>> {
    let mut at = start;
    let word = text.get(at..at + 2)?;
    if !word.eq_ignore_ascii_case("do") {
        return None;
    }
    at += 2;
    loop {
        let rest = text.get(at..)?;
        let character = rest.chars().next()?;
        if rest.starts_with("--") {
            at += rest.find('\n')?;
        } else if rest.starts_with("/*") {
            at += rest.find("*/")? + 2;
        } else if character == '$' {
            let tag = &rest[..rest[1..].find('$')? + 2];
            let begin = at + tag.len();
            return Some(begin..begin + text[begin..].find(tag)?);
        } else if character == '\'' {
            // An escaped quote ends it too early, which costs a place, not a wrong one.
            return Some(at + 1..at + 1 + text[at + 1..].find("'\n").or_else(|| text[at + 1..].rfind('\''))?);
        } else if character.is_alphanumeric() || character.is_whitespace() || character == '_' || character == '"' {
            at += character.len_utf8();
        } else {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(code: &str, message: &str, expected: &str) {
        let sql = if code == "42601" { ":'name'" } else { "ALTER TABLE t" };
        let advice = advise(code, message, false, sql, Some("007")).unwrap_or_default();
        assert!(advice.contains(expected), "{code} {message}: {advice}");
    }

    #[test]
    fn the_way_out_fits_the_cause() {
        check("42501", "permission denied for schema app", "grant the migrator's user");
        check("42501", "must be owner of table users", "connect as that role");
        check("42501", "permission denied to create extension \"hstore\"", "have a superuser create the extension");
        check("0A000", "extension \"vector\" is not available", "install the package");
        check(
            "58P01",
            "could not open extension control file \"/x/vector.control\": No such file",
            "install the package",
        );
        check("0A000", "cannot alter type of a column used by a view or rule", "drop the view before");
        check("42704", "role \"app\" does not exist", "create the role first");
        check("42704", "type \"citext\" does not exist", "CREATE EXTENSION IF NOT EXISTS \"citext\"");
        check("42704", "type \"public.hstore\" does not exist", "\"hstore\"");
        check("42883", "function uuid_generate_v4() does not exist", "\"uuid-ossp\"");
        check("42883", "function crypt(text, text) does not exist", "\"pgcrypto\"");
        check("42883", "function st_makepoint(integer, integer) does not exist", "\"postgis\"");
        check("42P07", "relation \"users\" already exists", "migrator stamp --to 007");
        check("42710", "type \"mood\" already exists", "migrator stamp --to 007");
        check("2D000", "invalid transaction termination", "transaction:false");
        check("25001", "VACUUM cannot be executed from a function", "instead of in a DO block");
        check("55P04", "unsafe use of new value \"x\" of enum type mood", "next migration");
        check("55006", "cannot ALTER TABLE \"t\" because it has pending trigger events", "SET CONSTRAINTS");
        check("23505", "could not create unique index \"i\"", "existing rows violate it");
        check("53100", "could not extend file: No space left on device", "make room");
        check("57014", "canceling statement due to statement timeout", "statement_timeout:");
        check("42601", "syntax error at or near \":\"", "psql variables");
    }

    #[test]
    fn where_only_the_file_can_tell_nothing_is_advised() {
        let cases = [
            ("42703", "column \"nope\" does not exist"),
            ("42883", "function nope(integer) does not exist"),
            ("42883", "operator does not exist: integer = text"),
            ("42704", "type \"nope\" does not exist"),
            ("42704", "type \"vectorized\" does not exist"),
            ("57014", "canceling statement due to user request"),
            ("23505", "duplicate key value violates unique constraint \"a_pkey\""),
        ];
        for (code, message) in cases {
            assert_eq!(advise(code, message, true, "SELECT", Some("007")), None, "{code} {message}");
        }
        assert_eq!(advise("42601", "syntax error at or near \":\"", false, ": 1", None), None);
        assert_eq!(advise("42P07", "relation \"users\" already exists", false, "", None), None, "of a rollback");
    }

    /// The place is marked with `^` in the text, which is taken out.
    #[track_caller]
    fn place(marked: &str, context: &str, query: Option<(usize, &str)>) {
        let expected = marked.find('^');
        let text = marked.replacen('^', "", 1);
        let start = text.find("DO").unwrap();
        assert_eq!(place_in_block(&text, start, context, query), expected, "{text}");
    }

    #[test]
    fn an_error_inside_a_do_block_is_shown_at_its_line() {
        let at = |line: usize, what: &str| format!("PL/pgSQL function inline_code_block line {line} at {what}");
        place("SELECT 1;\nDO $$\nBEGIN\n  ^RAISE EXCEPTION 'x';\nEND $$;", &at(3, "RAISE"), None);
        place(
            "DO $x$ BEGIN\n  PERFORM 1;\n  EXECUTE 'SELECT ^nope';\nEND $x$;",
            &at(3, "EXECUTE"),
            Some((8, "SELECT nope")),
        );
        place(
            "DO LANGUAGE plpgsql $$ -- é\nBEGIN\n  UPDATE é\n     SET ^nope = 1;\nEND $$;",
            &at(3, "SQL statement"),
            Some((19, "UPDATE é\n     SET nope = 1")),
        );
        place("DO $$\nBEGIN\n  IF ^nope > 1 THEN NULL; END IF;\nEND $$;", &at(3, "IF"), Some((8, "SELECT nope > 1")));
        place(
            "DO $$\nBEGIN\n  ^PERFORM f();\nEND $$;",
            &format!("PL/pgSQL function f() line 9 at RAISE\nSQL statement \"SELECT f()\"\n{}", at(3, "PERFORM")),
            None,
        );
        place("DO 'BEGIN\n  ^PERFORM 1/0;\nEND';", &at(2, "PERFORM"), None);
        place("DO /* $$ */ $$BEGIN END$$;", "PL/pgSQL function f() line 1 at RAISE", None);
    }
}
