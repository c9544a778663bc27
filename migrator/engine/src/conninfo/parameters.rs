//! The parameters of a connection by libpq's names, and how each name is treated.

/// Why something cannot be read, without any of its text, which may be a password.
#[derive(Debug)]
pub(super) struct Invalid(pub(super) &'static str);

/// A value as a message may show it: not if it could hold a password, as a URL in the wrong place does.
pub(super) fn quotable(value: &str) -> &str {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '+' | '/' | ' ');
    if value.len() <= 64 && value.chars().all(is_plain) { value } else { "..." }
}

/// Values by libpq's keywords; the first one that sets a keyword wins. No `Debug`: one of them is the password.
#[derive(Default, Clone)]
pub(super) struct Parameters {
    values: Vec<(String, String)>,
    /// The password is in the query of a URL, where a `&` ends it.
    pub(super) password_in_query: bool,
}

impl Parameters {
    /// Sets a value; an empty one counts as not given, as with libpq. The last one of a text wins.
    pub(super) fn set(&mut self, key: &str, value: String) {
        self.values.retain(|(known, _)| known != key);
        if !value.is_empty() {
            self.values.push((key.to_owned(), value));
        }
    }

    /// Fills in what is missing.
    pub(super) fn fill_in(&mut self, others: Parameters) {
        for (key, value) in others.values {
            if self.get(&key).is_none() {
                self.values.push((key, value));
            }
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.values.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
    }

    /// Removes those that libpq does not know and gives them back, in their order.
    pub(super) fn take_unknown(&mut self) -> Vec<(String, String)> {
        let (kept, unknown) =
            std::mem::take(&mut self.values).into_iter().partition(|(key, _)| Parameters::is_known(key));
        self.values = kept;
        unknown
    }

    /// Whether libpq knows it.
    pub(super) fn is_known(key: &str) -> bool {
        KEYWORDS.iter().any(|(keyword, _)| *keyword == key)
            || IGNORED.contains(&key)
            || REFUSED.iter().any(|(keyword, ..)| *keyword == key)
    }

    /// What is given and would be dangerous to ignore.
    pub(super) fn refused(&self) -> Option<String> {
        self.values.iter().find_map(|(key, value)| refusal(key, value))
    }
}

/// The keywords that are honoured, with the variable that gives a default.
pub(super) const KEYWORDS: [(&str, Option<&str>); 29] = [
    ("service", Some("PGSERVICE")),
    ("servicefile", Some("PGSERVICEFILE")),
    ("host", Some("PGHOST")),
    ("hostaddr", Some("PGHOSTADDR")),
    ("port", Some("PGPORT")),
    ("dbname", Some("PGDATABASE")),
    ("user", Some("PGUSER")),
    ("password", Some("PGPASSWORD")),
    ("passfile", Some("PGPASSFILE")),
    ("options", Some("PGOPTIONS")),
    ("application_name", Some("PGAPPNAME")),
    ("fallback_application_name", None),
    ("connect_timeout", Some("PGCONNECT_TIMEOUT")),
    ("target_session_attrs", Some("PGTARGETSESSIONATTRS")),
    ("load_balance_hosts", Some("PGLOADBALANCEHOSTS")),
    ("keepalives", None),
    ("keepalives_idle", None),
    ("keepalives_interval", None),
    ("keepalives_count", None),
    ("tcp_user_timeout", None),
    ("sslmode", Some("PGSSLMODE")),
    ("sslnegotiation", Some("PGSSLNEGOTIATION")),
    ("sslrootcert", Some("PGSSLROOTCERT")),
    ("sslcert", Some("PGSSLCERT")),
    ("sslkey", Some("PGSSLKEY")),
    ("sslpassword", None),
    ("ssl_min_protocol_version", Some("PGSSLMINPROTOCOLVERSION")),
    ("ssl_max_protocol_version", Some("PGSSLMAXPROTOCOLVERSION")),
    ("channel_binding", Some("PGCHANNELBINDING")),
];

/// Keywords of libpq that have no effect here, or none that matters: they are accepted.
const IGNORED: [&str; 6] = ["client_encoding", "sslcompression", "sslsni", "krbsrvname", "gsslib", "gssdelegation"];

/// Keywords of libpq for a protection that is not implemented: refused, rather than connecting without it.
pub(super) const REFUSED: [(&str, &str, &[&str]); 8] = [
    ("sslcrl", "PGSSLCRL", &[]),
    ("sslcrldir", "PGSSLCRLDIR", &[]),
    ("requirepeer", "PGREQUIREPEER", &[]),
    ("require_auth", "PGREQUIREAUTH", &[]),
    ("gssencmode", "PGGSSENCMODE", &["disable", "prefer"]),
    ("sslcertmode", "PGSSLCERTMODE", &["allow"]),
    ("replication", "", &["false", "off", "no", "0"]),
    ("scram_client_key", "", &[]),
];

/// Why a pair is refused; `None`: it is not one of those, or its value has no effect.
fn refusal(key: &str, value: &str) -> Option<String> {
    let (_, _, harmless) = REFUSED.iter().find(|(keyword, ..)| *keyword == key)?;
    (!harmless.contains(&value)).then(|| format!("`{key}` is not supported"))
}
