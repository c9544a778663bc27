//! Parameters that other clients and tools put into a URL, and what to write instead. Pure.

use super::invalid::usage;
use super::parameters::KEYWORDS;
use crate::error::Error;

/// Names as those tools write them, the tools, and what to write instead.
const FOREIGN: &[(&[&str], &str, &str)] = &[
    (&["schema"], "Prisma", "remove it; to create objects in that schema, write `search_path=NAME`"),
    (
        &["pgbouncer"],
        "Prisma",
        "remove it, and connect directly to the server: the migration lock needs a session of its own",
    ),
    (
        &[
            "connection_limit",
            "pool_timeout",
            "statement_cache_size",
            "max_idle_connection_lifetime",
            "max_connection_lifetime",
            "single_use_connections",
        ],
        "Prisma",
        "remove it: migrator has no connection pool",
    ),
    (&["socket_timeout"], "Prisma", "remove it; `tcp_user_timeout` limits how long sent data may stay unacknowledged"),
    (
        &["sslaccept"],
        "Prisma",
        "write `sslmode=verify-full` for `strict`, `sslmode=require` for `accept_invalid_certs`",
    ),
    (&["sslidentity"], "Prisma", "write `sslcert` and `sslkey`"),
    (&["currentSchema"], "JDBC", "write `search_path=NAME`"),
    (&["ssl"], "other clients", "write `sslmode`: disable, prefer, require, verify-ca or verify-full"),
    (
        &["useSSL", "sslfactory", "sslhostnameverifier", "sslpasswordcallback"],
        "JDBC",
        "write `sslmode`: disable, prefer, require, verify-ca or verify-full",
    ),
    (&["loginTimeout", "connectTimeout"], "JDBC", "write `connect_timeout`, in seconds"),
    (
        &["socketTimeout", "cancelSignalTimeout"],
        "JDBC",
        "remove it; `tcp_user_timeout` limits how long sent data may stay unacknowledged",
    ),
    (&["tcpKeepAlive"], "JDBC", "write `keepalives=1`; it is on anyway"),
    (&["ApplicationName"], "JDBC", "write `application_name`"),
    (&["targetServerType"], "JDBC", "write `target_session_attrs`"),
    (&["loadBalanceHosts"], "JDBC", "write `load_balance_hosts`"),
    (
        &[
            "prepareThreshold",
            "preparedStatementCacheQueries",
            "reWriteBatchedInserts",
            "stringtype",
            "defaultRowFetchSize",
            "binaryTransfer",
            "autosave",
            "readOnly",
            "assumeMinServerVersion",
        ],
        "JDBC",
        "remove it",
    ),
    (&["encoding", "charset", "characterEncoding", "useUnicode"], "other clients", "remove it: the session uses UTF-8"),
    (&["serverTimezone"], "other clients", "remove it, or write `TimeZone=NAME`"),
    (
        &[
            "pool",
            "pool_size",
            "max_overflow",
            "pool_max_conns",
            "pool_min_conns",
            "pool_max_conn_lifetime",
            "max_connections",
            "min_connections",
            "min_size",
            "max_size",
            "idle_timeout",
            "reaping_frequency",
            "checkout_timeout",
            "prepared_statements",
            "statement_limit",
        ],
        "connection pools",
        "remove it: migrator has no connection pool",
    ),
    (&["statement-cache-capacity", "statement_cache_capacity"], "sqlx", "remove it"),
    (
        &["default_query_exec_mode", "statement_cache_mode", "description_cache_capacity", "binary_parameters"],
        "Go's drivers",
        "remove it",
    ),
    (
        &["x-migrations-table", "x-migrations-table-quoted"],
        "golang-migrate",
        "name the table under [history] in db/migrator.toml",
    ),
    (
        &["x-multi-statement", "x-statement-timeout", "x-lock-timeout"],
        "golang-migrate",
        "remove it; the limits are under [session] in db/migrator.toml",
    ),
    (&["uselibpqcompat"], "node-postgres", "remove it: `sslmode` means what it means to libpq"),
    (&["adapter", "driver", "dialect"], "other tools", "remove it"),
    (&["username", "usr"], "other clients", "write `user`"),
    (&["database", "db", "databaseName"], "other clients", "write `dbname`"),
    (&["pass", "passwd", "pwd"], "other clients", "write `password`, or, better, set PGPASSWORD"),
    (&["hostname", "server"], "other clients", "write `host`"),
];

/// Why a parameter of another tool means nothing here; `None`: it is not a known one.
pub(super) fn explain(key: &str, value: &str) -> Option<Error> {
    let is = |name: &&&str| name.eq_ignore_ascii_case(key);
    let (name, whose, instead) =
        FOREIGN.iter().find_map(|(names, whose, instead)| Some((names.iter().find(is)?, whose, instead)))?;
    let disabled = *name == "ssl" && matches!(value, "false" | "0" | "no" | "off" | "disable");
    let instead = if disabled { "write `sslmode=disable`" } else { instead };
    let error = usage(&format!("the database URL has the parameter `{name}`, which belongs to {whose}"));
    Some(error.note("it is neither a libpq parameter nor a server setting").help(instead))
}

/// libpq's keyword that is written alike.
fn similar(key: &str) -> Option<&'static str> {
    let key = key.to_lowercase().replace('-', "_");
    let known = KEYWORDS.iter().map(|(keyword, _)| *keyword);
    known
        .filter(|keyword| keyword.len() > 3 && strsim::damerau_levenshtein(keyword, &key) <= 1 + keyword.len() / 8)
        .min_by_key(|keyword| strsim::damerau_levenshtein(keyword, &key))
}

/// Adds the keyword that was meant, if one is written alike. The word itself may be a part of a password.
pub(super) fn did_you_mean(error: Error, key: &str) -> Error {
    match similar(key) {
        Some(known) => error.help(format!("did you mean `{known}`?")),
        None => error,
    }
}

/// Whether the server could know a setting of that name: `search_path`, `app.tenant`.
pub(super) fn can_be_a_setting(key: &str) -> bool {
    let is_name = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '$')
    };
    key.len() < 64 && key.split('.').count() <= 2 && key.split('.').all(is_name)
}

/// Whether it is a setting that is commonly put into a URL.
pub(super) fn is_a_usual_setting(key: &str) -> bool {
    let key = key.to_lowercase();
    let usual = [
        "search_path",
        "role",
        "timezone",
        "datestyle",
        "intervalstyle",
        "work_mem",
        "maintenance_work_mem",
        "client_min_messages",
        "row_security",
        "session_replication_role",
        "synchronous_commit",
        "check_function_bodies",
        "extra_float_digits",
        "bytea_output",
    ];
    usual.contains(&&*key)
        || key.ends_with("_timeout")
        || key.contains('.')
        || key.starts_with("default_")
        || key.starts_with("log_")
        || key.starts_with("lc_")
}
