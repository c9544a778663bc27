//! Other sessions of the server that are in the way. Pure.

use std::fmt;

use serde_json::{Value, json};

/// A session that holds what an operation waits for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Holder {
    /// Its process on the server; `None`: a prepared transaction holds it.
    pub pid: Option<i32>,
    /// Its user, where this role may see it.
    pub user: Option<String>,
    /// What it calls itself: `migrator 1.4.0`.
    pub application: Option<String>,
    /// Since when it is connected, in UTC: `2026-11-20 14:02:31`.
    pub since: Option<String>,
    /// What it does; `None`: that was not asked for.
    pub doing: Option<Activity>,
}

/// What a session does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Activity {
    /// `idle in transaction`.
    pub state: Option<String>,
    /// For how many seconds.
    pub seconds: u64,
    /// The beginning of its current or last statement.
    pub query: String,
}

impl Holder {
    /// As JSON has it.
    pub(crate) fn json(&self) -> Value {
        let mut value = json!({
            "pid": self.pid,
            "user": self.user,
            "application": self.application,
            "since": self.since.as_ref().map(|since| format!("{}Z", since.replace(' ', "T"))),
        });
        if let Some(doing) = &self.doing {
            value["state"] = json!(doing.state);
            value["state_seconds"] = doing.seconds.into();
            value["query"] = doing.query.clone().into();
        }
        value
    }
}

impl fmt::Display for Holder {
    /// `pid 4711 (deploy, migrator 1.4.0, connected since 2026-11-20 14:02:31 UTC)`, or with what it does:
    /// `pid 4711 (app, shop, idle in transaction for 12 s): UPDATE t ...`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or = |text: &Option<String>, other: &str| text.clone().unwrap_or_else(|| other.to_owned());
        let pid = self.pid.map_or_else(|| "unknown".to_owned(), |pid| pid.to_string());
        let user = or(&self.user, "unknown");
        match &self.doing {
            None => {
                let application = or(&self.application, "unknown");
                write!(f, "pid {pid} ({user}, {application}, connected since {} UTC)", or(&self.since, "unknown"))
            }
            Some(doing) => {
                let (application, state) = (or(&self.application, "no application name"), or(&doing.state, "unknown"));
                write!(f, "pid {pid} ({user}, {application}, {state} for {} s): {}", doing.seconds, doing.query)
            }
        }
    }
}
