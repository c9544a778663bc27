//! What a statement of a `transaction:false` block leaves in its session, so that later statements may rely on it. An
//! interrupted block is resumed in another session, in which only `SET`, `RESET` and `LOAD` run again.

use migrator_model::StatementKind;
use migrator_sql::{Kind, Words, is_role_back, lex, role, split};

/// What is left in the session, as the subject of a sentence, and the help.
type Left = (String, &'static str);

const REPLAYED: &str =
    "write `SET`, which runs again when the block is resumed, or `SET LOCAL` between `BEGIN` and `COMMIT`";
const TEMPORARY: &str = "use an ordinary table, or `ON COMMIT DROP` between `BEGIN` and `COMMIT`";
const LOCK: &str =
    "use `pg_advisory_xact_lock` between `BEGIN` and `COMMIT`; no other migrator runs at the same time anyway";
const SPELL_OUT: &str = "write the statement itself";

/// Functions that change the session, and what to do instead.
const FUNCTIONS: &[(&str, &str)] = &[
    ("pg_advisory_lock", LOCK),
    ("pg_advisory_lock_shared", LOCK),
    ("pg_try_advisory_lock", LOCK),
    ("pg_try_advisory_lock_shared", LOCK),
    ("pg_advisory_unlock_all", "remove it: it releases the lock that keeps other migrators waiting"),
    ("setseed", "call it in the statement that needs it, or write the numbers themselves"),
    ("set_limit", "write `SET pg_trgm.similarity_threshold`"),
    ("dblink_connect", "pass the connection string to each call of `dblink`"),
    ("dblink_connect_u", "pass the connection string to each call of `dblink`"),
    ("pg_replication_origin_session_setup", "do this outside a migration"),
];

/// What another session would lack after this statement; `in_unit`: between `BEGIN` and `COMMIT`.
pub(crate) fn left_behind(words: &Words<'_>, in_unit: bool) -> Option<Left> {
    if let Some(role) = role(words).filter(|_| !words.is(1, "local")) {
        return Some((format!("`{role}`"), "write `SET LOCAL ROLE` between `BEGIN` and `COMMIT`"));
    }
    if in_unit && migrator_sql::kind(words) == StatementKind::Set && (words.is(1, "all") || !is_role_back(words)) {
        let name = words.at(0).to_ascii_uppercase();
        let help = match name.as_str() {
            "SET" if !words.has("characteristics") => "write `SET LOCAL`, or put it before the `BEGIN`",
            _ => "put it before the `BEGIN` or after the `COMMIT`",
        };
        return Some((format!("`{name}` that outlives its transaction"), help));
    }
    if is_temporary(words) && !(in_unit && words.has("commit") && words.has("drop")) {
        return Some(("a temporary object".to_owned(), TEMPORARY));
    }
    of_command(words).map(|(name, help)| (format!("`{name}`"), help)).or_else(|| {
        if words.is(0, "do") {
            let body = words.tokens.iter().find(|token| matches!(token.kind, Kind::Dollar | Kind::Text))?;
            return if is_plpgsql(words) { in_body(body.text(words.text), 0) } else { None };
        }
        if runs(words) { calls(words).or_else(|| reads_sequence(words, in_unit)) } else { None }
    })
}

/// Commands that leave something in the session.
fn of_command(words: &Words<'_>) -> Option<(&'static str, &'static str)> {
    if words.is(0, "prepare") && !words.is(1, "transaction") {
        Some(("PREPARE", SPELL_OUT))
    } else if words.is(0, "execute") {
        Some(("EXECUTE", SPELL_OUT))
    } else if words.is(0, "deallocate") && !words.is(words.tokens.len() - 1, "all") {
        Some(("DEALLOCATE", SPELL_OUT))
    } else if words.is(0, "listen") {
        Some(("LISTEN", "remove it: no one reads the notifications of a migration's session"))
    } else if words.is(0, "declare") && words.find("hold").is_some_and(|hold| words.is(hold - 1, "with")) {
        Some(("DECLARE ... WITH HOLD", "declare the cursor without `WITH HOLD` between `BEGIN` and `COMMIT`"))
    } else if words.start_with(&["discard", "all"]) {
        Some(("DISCARD ALL", "remove it: it releases the lock that keeps other migrators waiting"))
    } else {
        None
    }
}

/// `CREATE TEMP ...`, `CREATE FUNCTION pg_temp.x`, `SELECT ... INTO TEMP x`, a path that makes new objects temporary.
fn is_temporary(words: &Words<'_>) -> bool {
    const TEMPORARY: [&str; 2] = ["temp", "temporary"];
    let in_temporary_schema = |index: usize| words.at(index + 1) == "." && is_named(words, index, &["pg_temp"]);
    if words.is(0, "create") {
        let scope = words.skip(1, &["or", "replace"]);
        let scope = if words.is_any(scope, &["global", "local"]) { scope + 1 } else { scope };
        // Only the name counts: a body or a query that reads a temporary object leaves nothing in the session.
        let start = (1..words.tokens.len()).find(|&at| ["(", "."].contains(&words.at(at)) || words.is(at, "as"));
        let named = start.is_some_and(|at| words.at(at) == "." && in_temporary_schema(at - 1));
        return words.is_any(scope, &TEMPORARY) || named;
    }
    if let Some(first) = first_of_path(words) {
        return is_named(words, first, &["pg_temp"]) || words.at(first).eq_ignore_ascii_case("'pg_temp'");
    }
    let into = if words.is_any(0, &["select", "with"]) { words.find("into") } else { None };
    into.is_some_and(|into| {
        let name = words.skip(into + 1, &["table"]);
        words.is_any(into + 1, &TEMPORARY) || words.is(into + 1, "local") || in_temporary_schema(name)
    })
}

/// The first schema of `SET search_path`.
fn first_of_path(words: &Words<'_>) -> Option<usize> {
    let name = if words.is_any(1, &["session", "local"]) { 2 } else { 1 };
    let is_path = words.is(0, "set") && is_named(words, name, &["search_path"]);
    (is_path && (words.at(name + 1) == "=" || words.is(name + 1, "to"))).then_some(name + 2)
}

/// True for a word or a quoted name that is one of these names.
fn is_named(words: &Words<'_>, index: usize, names: &[&str]) -> bool {
    let quoted = words.tokens.get(index).is_some_and(|token| token.kind == Kind::Quoted);
    words.is_any(index, names) || quoted && names.contains(&words.at(index).trim_matches('"'))
}

/// True for statements that run the functions that they name, and do not only store the names.
fn runs(words: &Words<'_>) -> bool {
    const QUERIES: [&str; 10] =
        ["select", "with", "values", "insert", "update", "delete", "merge", "call", "explain", "copy"];
    let makes_of_query = words.is(0, "create")
        && words.find("as").is_some()
        && (1..4).any(|at| words.is_any(at, &["table", "materialized"]));
    words.is_any(0, &QUERIES) || words.at(0) == "(" || makes_of_query
}

/// A call that changes the session.
fn calls(words: &Words<'_>) -> Option<Left> {
    let called = |index: usize, name: &str| {
        let own = index > 0 && words.at(index - 1) == "." && !is_named(words, index.saturating_sub(2), &["pg_catalog"]);
        words.at(index + 1) == "(" && is_named(words, index, &[name]) && (!own || name.starts_with("dblink"))
    };
    let unlocks = (0..words.tokens.len())
        .any(|index| ["pg_advisory_unlock", "pg_advisory_unlock_shared"].iter().any(|name| called(index, name)));
    (0..words.tokens.len()).find_map(|index| {
        if called(index, "set_config") && !is_local(words, index + 1) {
            return Some(("`set_config` for the session".to_owned(), REPLAYED));
        }
        let (name, help) = FUNCTIONS.iter().find(|(name, _)| called(index, name))?;
        // Acquired and released in one statement.
        let given_back = *help == LOCK && unlocks;
        (!given_back).then(|| (format!("`{name}`"), *help))
    })
}

/// True if the third argument after the parenthesis at `open` says that the setting ends with the transaction.
fn is_local(words: &Words<'_>, open: usize) -> bool {
    let (mut depth, mut commas) = (0usize, 0);
    for index in open..words.tokens.len() {
        match words.at(index) {
            "(" | "[" => depth += 1,
            ")" | "]" if depth <= 1 => return false,
            ")" | "]" => depth -= 1,
            "," if depth == 1 => commas += 1,
            _ if depth == 1 && commas == 2 => {
                let text = words.at(index).to_ascii_lowercase();
                return ["true", "'true'", "'t'", "'on'", "'yes'", "'1'"].contains(&text.as_str());
            }
            _ => {}
        }
    }
    false
}

/// `currval` and `lastval` work only in the session that called `nextval`.
fn reads_sequence(words: &Words<'_>, in_unit: bool) -> Option<Left> {
    let is_call = |&index: &usize| words.at(index + 1) == "(" && is_named(words, index, &["currval", "lastval"]);
    let index = (0..words.tokens.len()).find(is_call)?;
    let asked_here = (0..index).any(|at| is_named(words, at, &["nextval"]));
    let name = words.at(index).trim_matches('"').to_ascii_lowercase();
    let help = "call `nextval` in the same transaction, or use `RETURNING`";
    (!in_unit && !asked_here).then(|| (format!("`{name}`"), help))
}

fn is_plpgsql(words: &Words<'_>) -> bool {
    words.find("language").is_none_or(|at| words.at(at + 1).trim_matches(['"', '\'']).eq_ignore_ascii_case("plpgsql"))
}

/// What the body of a `DO` leaves in the session, as far as its text shows; also in the text of an `EXECUTE`.
fn in_body(literal: &str, depth: usize) -> Option<Left> {
    let body = content(literal);
    let lexed = lex(body);
    let whole = Words::new(body, &lexed.tokens);
    const VERBS: [&str; 12] = [
        "set",
        "reset",
        "load",
        "prepare",
        "deallocate",
        "listen",
        "declare",
        "discard",
        "create",
        "select",
        "with",
        "execute",
    ];
    let starts = |&at: &usize| {
        whole.is_any(at, &VERBS)
            && (at == 0
                || whole.at(at - 1) == ";"
                || whole.is_any(at - 1, &["begin", "then", "else", "loop", "declare"]))
    };
    let statement = |at: usize| {
        let length = whole.tokens[at..].iter().take_while(|token| token.text(body) != ";").count();
        Words::new(body, &whole.tokens[at..at + length])
    };
    let of_statement = |at: usize| {
        let words = statement(at);
        if !words.is(0, "execute") {
            // A temporary object that the body drops is gone at its end.
            return left_behind(&words, true).filter(|(_, help)| *help != TEMPORARY || !whole.has("drop"));
        }
        let text = words.tokens.iter().find(|token| matches!(token.kind, Kind::Dollar | Kind::Text))?;
        let inner = content(text.text(body));
        let lexed = lex(inner);
        let statements = split(inner, &lexed.tokens);
        statements.iter().filter(|_| depth < 2).find_map(|words| left_behind(words, true))
    };
    calls(&whole).or_else(|| (0..whole.tokens.len()).filter(starts).find_map(of_statement))
}

/// What is between the quotes of a literal.
fn content(literal: &str) -> &str {
    match literal.strip_prefix('$') {
        Some(rest) => {
            let tag = rest.find('$').map_or(0, |at| at + 2);
            literal.get(tag..literal.len().saturating_sub(tag)).unwrap_or_default()
        }
        None => literal.trim_matches('\''),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the last statement leaves in the session, outside and inside a unit.
    fn left(text: &str) -> [String; 2] {
        let lexed = lex(text);
        let statements = split(text, &lexed.tokens);
        let last = statements.last().unwrap();
        [false, true].map(|in_unit| left_behind(last, in_unit).map_or(String::new(), |(left, _)| left))
    }

    #[test]
    fn what_no_other_session_has_is_seen() {
        let table = [
            ("SELECT set_config('search_path', 'app', false)", "`set_config` for the session"),
            ("SELECT pg_catalog.set_config('role', 'x', $1)", "`set_config` for the session"),
            ("WITH x AS (SELECT \"set_config\"('a.b', f(1, true), false)) TABLE x", "`set_config` for the session"),
            ("INSERT INTO t SELECT set_config('a.b', 'true', false)", "`set_config` for the session"),
            ("CREATE TABLE t AS SELECT set_config('a.b', '1', false)", "`set_config` for the session"),
            ("PREPARE p AS SELECT 1", "`PREPARE`"),
            ("EXECUTE p", "`EXECUTE`"),
            ("DEALLOCATE p", "`DEALLOCATE`"),
            ("LISTEN x", "`LISTEN`"),
            ("DECLARE c CURSOR WITH HOLD FOR SELECT 1", "`DECLARE ... WITH HOLD`"),
            ("DISCARD ALL", "`DISCARD ALL`"),
            ("SELECT pg_advisory_lock(1)", "`pg_advisory_lock`"),
            ("SELECT pg_try_advisory_lock_shared(1, 2)", "`pg_try_advisory_lock_shared`"),
            ("SELECT pg_advisory_unlock_all()", "`pg_advisory_unlock_all`"),
            ("SELECT extensions.dblink_connect('c', 'dbname=x')", "`dblink_connect`"),
            ("SELECT setseed(0.5)", "`setseed`"),
            ("SET ROLE x", "`SET ROLE`"),
            ("SET \"role\" = 'x'", "`SET ROLE`"),
            ("SET session_authorization TO x", "`SET SESSION AUTHORIZATION`"),
            ("CREATE TEMPORARY VIEW v AS SELECT 1", "a temporary object"),
            ("CREATE OR REPLACE TEMP VIEW v AS SELECT 1", "a temporary object"),
            ("CREATE LOCAL TEMP SEQUENCE s", "a temporary object"),
            ("CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS $$SELECT 1$$", "a temporary object"),
            ("CREATE OR REPLACE PROCEDURE \"pg_temp\".f() LANGUAGE sql AS $$SELECT 1$$", "a temporary object"),
            ("CREATE TYPE pg_temp.x AS ENUM ('a')", "a temporary object"),
            ("CREATE DOMAIN pg_temp.x AS int", "a temporary object"),
            ("CREATE TABLE IF NOT EXISTS pg_temp.t (a int)", "a temporary object"),
            ("SELECT 1 INTO pg_temp.x", "a temporary object"),
            ("SELECT 1 INTO TEMPORARY TABLE x", "a temporary object"),
            ("SET search_path = pg_temp, public", "a temporary object"),
            ("DO $$BEGIN SET search_path = app; END$$", "`SET` that outlives its transaction"),
            ("DO $$BEGIN IF x THEN RESET ALL; END IF; END$$", "`RESET` that outlives its transaction"),
            ("DO $a$BEGIN EXECUTE 'SET ROLE app'; END$a$", "`SET ROLE`"),
            (
                "DO $a$BEGIN EXECUTE format($b$SET search_path = %I$b$, s); END$a$",
                "`SET` that outlives its transaction",
            ),
            ("DO $$BEGIN PERFORM set_config('a.b', '1', false); END$$", "`set_config` for the session"),
            ("DO $$BEGIN CREATE TEMP TABLE x (a int); END$$", "a temporary object"),
            ("DO LANGUAGE plpgsql $$DECLARE a bool := pg_try_advisory_lock(1); BEGIN END$$", "`pg_try_advisory_lock`"),
        ];
        for (text, expected) in table {
            let [outside, inside] = left(text);
            assert_eq!(outside, expected, "{text}");
            assert_ne!(inside, "", "{text}");
        }
    }

    #[test]
    fn what_ends_with_its_transaction_or_is_run_again_leaves_nothing_behind() {
        for text in [
            "SELECT set_config('search_path', 'app', true)",
            "SELECT set_config('a.b', f(1, false), 't')",
            "SELECT app.set_config('a', 'b', false)",
            "SELECT 'set_config(1, 2, false)'",
            "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$SELECT set_config('a.b', '1', false)$$",
            "CREATE FUNCTION f() RETURNS text BEGIN ATOMIC SELECT set_config('a.b', '1', false); END",
            "CREATE POLICY p ON t USING (pg_try_advisory_lock(1))",
            "SELECT pg_advisory_xact_lock(1)",
            "SELECT pg_advisory_unlock(1)",
            "DO $$BEGIN PERFORM pg_advisory_lock(1); PERFORM pg_advisory_unlock(1); END$$",
            "DO $$BEGIN CREATE TEMP TABLE x (a int); DROP TABLE x; END$$",
            "DO $$BEGIN CREATE TEMP TABLE x (a int) ON COMMIT DROP; END$$",
            "DO $$BEGIN UPDATE t SET a = 1; INSERT INTO t VALUES (1) ON CONFLICT DO UPDATE SET a = 2; END$$",
            "DO $$BEGIN SET LOCAL search_path = app; RAISE NOTICE 'SET x = 1'; END$$",
            "DO LANGUAGE plpython3u $$set = 1$$",
            "DEALLOCATE ALL",
            "DEALLOCATE PREPARE ALL",
            "UNLISTEN x",
            "NOTIFY x",
            "DECLARE c CURSOR FOR SELECT 1",
            "DECLARE c CURSOR WITHOUT HOLD FOR SELECT 1",
            "DISCARD PLANS",
            "CREATE VIEW v AS SELECT * FROM pg_temp.x",
            "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1' SET search_path = app, pg_temp",
            "SET LOCAL search_path = app, pg_temp",
            "SET LOCAL ROLE x",
            "RESET ROLE",
            "SET TRANSACTION READ ONLY",
            "SET CONSTRAINTS ALL DEFERRED",
            "INSERT INTO t VALUES (nextval('s'), currval('s'))",
        ] {
            assert_eq!(left(text), ["", ""], "{text}");
        }
    }

    #[test]
    fn what_outlives_a_commit_is_run_again_outside_of_a_transaction_alone() {
        for text in [
            "SET search_path = app",
            "SET SESSION x TO 1",
            "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
            "RESET x",
            "RESET ALL",
            "LOAD 'age'",
            "SET TIME ZONE LOCAL",
        ] {
            let [outside, inside] = left(text);
            assert_eq!(outside, "", "{text}");
            assert!(inside.contains("outlives its transaction"), "{text}: {inside}");
        }
        let [outside, inside] = left("SELECT currval('s')");
        assert!(outside.starts_with("`currval`"), "{outside}");
        assert_eq!(inside, "");
    }
}
