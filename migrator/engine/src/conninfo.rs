//! Where to connect: one type that never shows a password, neither in `Display` nor in `Debug`.
//!
//! Read from a URL or a keyword string (`--database-url`, `DATABASE_URL`); what that leaves open comes from the service
//! file, then from the environment, then from libpq's defaults: `psql "$DATABASE_URL"` connects to the
//! same place.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::Error;
pub(crate) use environment::Environment;
pub(crate) use host::Host;
use host::{hosts, is_default_socket};
use invalid::usage;
use parameters::{Parameters, quotable};
pub(crate) use sources::sources;
use ssl::{Ssl, one_of};

mod environment;
mod foreign;
mod host;
mod invalid;
mod keywords;
mod libpq;
mod parameters;
mod passfile;
mod service;
mod sources;
pub(crate) mod ssl;
mod text;
mod uri;

/// Servers, a database, a user, and the secret for them.
#[derive(Clone)]
pub struct ConnectionTarget {
    /// In the order in which they are tried.
    hosts: Vec<Host>,
    database: String,
    user: String,
    password: Option<String>,
    /// The password file's text.
    passwords: Option<String>,
    /// Startup options: `-c search_path=app`.
    pub(crate) options: Option<String>,
    /// The names of the settings among them that are parameters of the URL.
    settings: Vec<String>,
    /// What the server shows others about this session; `None`: ours.
    pub(crate) application_name: Option<String>,
    /// For each server, from the first packet to the end of authentication; `None`: without limit.
    pub(crate) connect_timeout: Option<Duration>,
    /// Which servers are suitable.
    pub(crate) session: SessionAttributes,
    /// How a dead connection is noticed.
    pub(crate) keepalives: Keepalives,
    /// How the connection is encrypted.
    pub(crate) ssl: Ssl,
    /// Warnings for the user: a password file that is ignored.
    pub(crate) warnings: Vec<String>,
}

/// libpq's `target_session_attrs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SessionAttributes {
    /// The first server that answers.
    Any,
    /// One that can be written to.
    ReadWrite,
    /// One that cannot.
    ReadOnly,
    /// One that is not a standby.
    Primary,
    /// One that is.
    Standby,
    /// The same, else any.
    PreferStandby,
}

impl SessionAttributes {
    /// With libpq's words.
    const ALL: [(&str, SessionAttributes); 6] = [
        ("any", SessionAttributes::Any),
        ("read-write", SessionAttributes::ReadWrite),
        ("read-only", SessionAttributes::ReadOnly),
        ("primary", SessionAttributes::Primary),
        ("standby", SessionAttributes::Standby),
        ("prefer-standby", SessionAttributes::PreferStandby),
    ];
}

/// TCP keepalives; times without a value are the system's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Keepalives {
    /// Whether they are sent.
    pub(crate) on: bool,
    /// The time without traffic before the first.
    pub(crate) idle: Duration,
    /// The time between two.
    pub(crate) interval: Duration,
    /// How many may stay unanswered.
    pub(crate) count: u32,
    /// How long sent data may stay unacknowledged; `None`: the system's own.
    pub(crate) user_timeout: Option<Duration>,
}

impl ConnectionTarget {
    /// Reads a URL (`postgresql://user@host:5432/database`) or libpq's keywords (`host=db dbname=crm`); what they leave open comes from
    /// the service file, the environment (`PGPASSWORD`, `PGSSLMODE`, ...) and libpq's defaults, as with `psql`.
    ///
    /// # Errors
    /// The text is invalid; it is never part of the message.
    pub fn parse(text: &str) -> Result<ConnectionTarget, Error> {
        ConnectionTarget::resolve(Some(text), &Environment::of_process())
    }

    /// The same with the variables of an environment that is not this process's; without a text they alone say where to connect.
    ///
    /// # Errors
    /// As of [`ConnectionTarget::parse`].
    pub fn read(text: Option<&str>, variable: impl Fn(&str) -> Option<String>) -> Result<ConnectionTarget, Error> {
        ConnectionTarget::resolve(text, &Environment::of(variable))
    }

    /// Where `DATABASE_URL` says, else `PGHOST`, `PGDATABASE`, `PGSERVICE`, ...
    ///
    /// # Errors
    /// No target is given, or the given one cannot be understood.
    pub fn from_environment() -> Result<ConnectionTarget, Error> {
        let url = std::env::var("DATABASE_URL").ok().filter(|url| !url.is_empty());
        ConnectionTarget::resolve(url.as_deref(), &Environment::of_process())
    }

    /// The target of a command.
    ///
    /// # Errors
    /// Usage errors, if no target is given or the given one cannot be understood; the text itself is never
    /// part of the message. Also parameters of libpq that are not supported and whose absence would protect less.
    pub(crate) fn resolve(text: Option<&str>, environment: &Environment) -> Result<ConnectionTarget, Error> {
        let (mut parameters, settings) = match text {
            Some(text) => text::parse(text)?,
            None if ["PGHOST", "PGHOSTADDR", "PGDATABASE", "PGSERVICE"]
                .iter()
                .any(|name| environment.get(name).is_some()) =>
            {
                Default::default()
            }
            None => {
                return Err(usage("no database given")
                    .help("set DATABASE_URL (`postgresql://user@host:5432/database`), pass --database-url, or set PGHOST and PGDATABASE"));
            }
        };
        let of_environment = environment.parameters();
        // A setting of the URL adds to the others: the later one wins where both name it.
        if let (false, Some(before)) = (settings.is_empty(), of_environment.get("options")) {
            let options = format!("{before} {}", parameters.get("options").unwrap_or_default());
            parameters.set("options", options);
        }
        let service = parameters.get("service").or(of_environment.get("service"));
        if let Some(service) = service {
            let file = parameters.get("servicefile").or(of_environment.get("servicefile"));
            let mut found = service::find(service, file, environment).map_err(|sentence| usage(&sentence))?;
            if let Some((key, _)) = found.take_unknown().first() {
                let service = quotable(service);
                let error = usage(&format!("the service `{service}` has a parameter that libpq does not know"));
                return Err(foreign::did_you_mean(error, key));
            }
            parameters.fill_in(found);
        }
        parameters.fill_in(of_environment);
        if let Some(sentence) = parameters.refused() {
            return Err(usage(&sentence).help("remove it; the connection then lacks that protection"));
        }
        let target = ConnectionTarget::new(&parameters, environment).map_err(|sentence| usage(&sentence))?;
        Ok(ConnectionTarget { settings, ..target })
    }

    /// The error is a sentence.
    fn new(parameters: &Parameters, environment: &Environment) -> Result<ConnectionTarget, String> {
        let user = parameters.get("user").or(environment.get("account"));
        let user = user.ok_or("no user is given, and the account has no name")?.to_owned();
        let mut warnings = Vec::new();
        let file = parameters.get("passfile").map(PathBuf::from);
        let file = file.or_else(|| environment.get("HOME").map(|home| Path::new(home).join(".pgpass")));
        let password = parameters.get("password").map(str::to_owned);
        let mut passwords = None;
        if password.is_none() {
            match file.as_deref().and_then(passfile::read) {
                Some(Ok(text)) => passwords = Some(text),
                Some(Err(warning)) => warnings.push(warning),
                None => {}
            }
        }
        let application_name = parameters.get("application_name").or(parameters.get("fallback_application_name"));
        let session = parameters.get("target_session_attrs").unwrap_or("any");
        Ok(ConnectionTarget {
            hosts: hosts(parameters)?,
            database: database(parameters)?.unwrap_or(&user).to_owned(),
            user,
            password,
            passwords,
            options: parameters.get("options").map(str::to_owned),
            settings: Vec::new(),
            application_name: application_name.map(str::to_owned),
            connect_timeout: connect_timeout(parameters)?,
            session: one_of("target_session_attrs", session, &SessionAttributes::ALL)?,
            keepalives: keepalives(parameters)?,
            ssl: Ssl::new(parameters, environment)?,
            warnings,
        })
    }

    /// The servers, in the order in which they are tried.
    pub(crate) fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// The user's name.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The password for a server: the one that was given, else the password file's.
    pub(crate) fn password(&self, host: &Host) -> Option<String> {
        let from_file = |text: &String| {
            let address = host.address.map(|address| address.to_string()).unwrap_or_default();
            let name = match &*host.name {
                "" => &*address,
                name if host.is_socket() && is_default_socket(name) => "localhost",
                name => name,
            };
            passfile::password(text, [name, &host.port.to_string(), &self.database, &self.user])
        };
        self.password.clone().or_else(|| self.passwords.as_ref().and_then(from_file))
    }

    /// The variables that lead a program with libpq to the same servers and database, as the same user. One of them may be the
    /// password; with several servers, that for the first one.
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        let word =
            SessionAttributes::ALL.iter().find(|(_, session)| *session == self.session).map_or("any", |(word, _)| word);
        let seconds = self.connect_timeout.map_or(0, |timeout| timeout.as_secs());
        let mut variables = libpq::of_hosts(&self.hosts);
        variables.extend([
            ("PGDATABASE", self.database.clone()),
            ("PGUSER", self.user.clone()),
            ("PGCONNECT_TIMEOUT", seconds.to_string()),
            ("PGTARGETSESSIONATTRS", word.to_owned()),
        ]);
        let password = self.hosts.first().and_then(|host| self.password(host));
        variables.extend(password.map(|password| ("PGPASSWORD", password)));
        variables.extend(self.options.clone().map(|options| ("PGOPTIONS", options)));
        variables.extend(libpq::of_ssl(&self.ssl));
        variables
    }

    /// The same servers and user with another database.
    #[must_use]
    pub fn with_database(&self, database: &str) -> ConnectionTarget {
        ConnectionTarget { database: database.to_owned(), ..self.clone() }
    }

    /// All servers: `db1:5432,db2:5432`.
    pub fn servers(&self) -> String {
        self.hosts.iter().map(Host::to_string).collect::<Vec<_>>().join(",")
    }

    /// The parameter of the URL that a message of the server is about.
    pub(crate) fn setting_in(&self, message: &str) -> Option<&str> {
        self.settings.iter().find(|name| message.contains(&format!("\"{name}\""))).map(String::as_str)
    }

    /// The database's name.
    pub fn database(&self) -> &str {
        &self.database
    }
}

impl fmt::Display for ConnectionTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "postgresql://{}@{}/{}", self.user, self.servers(), self.database)
    }
}

impl fmt::Debug for ConnectionTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConnectionTarget({self})")
    }
}

/// The database's name; a URL in its place would be shown with the password that it holds.
fn database(parameters: &Parameters) -> Result<Option<&str>, String> {
    match parameters.get("dbname") {
        Some(name) if name.contains("://") => {
            Err("the name of the database (`dbname`, PGDATABASE) is a URL: pass it as DATABASE_URL".to_owned())
        }
        name => Ok(name),
    }
}

/// Ten seconds by default; 0 means no limit, and 1 counts as 2, as in libpq.
fn connect_timeout(parameters: &Parameters) -> Result<Option<Duration>, String> {
    let seconds = number(parameters, "connect_timeout")?.unwrap_or(10);
    Ok((seconds > 0).then(|| Duration::from_secs(seconds.max(2))))
}

fn keepalives(parameters: &Parameters) -> Result<Keepalives, String> {
    // A vanished server is noticed within minutes, not hours: a dead connection must not seem to hold the lock.
    let seconds = |key: &str, default: u64| {
        let given = number(parameters, key)?.filter(|seconds| *seconds > 0);
        Ok::<_, String>(Duration::from_secs(given.unwrap_or(default)))
    };
    Ok(Keepalives {
        on: number(parameters, "keepalives")? != Some(0),
        idle: seconds("keepalives_idle", 30)?,
        interval: seconds("keepalives_interval", 10)?,
        count: number(parameters, "keepalives_count")?.filter(|count| *count > 0).unwrap_or(3) as u32,
        user_timeout: number(parameters, "tcp_user_timeout")?.filter(|ms| *ms > 0).map(Duration::from_millis),
    })
}

fn number(parameters: &Parameters, key: &str) -> Result<Option<u64>, String> {
    let Some(text) = parameters.get(key) else { return Ok(None) };
    text.trim()
        .parse::<u32>()
        .map(|number| Some(number.into()))
        .map_err(|_| format!("`{key}={}` is not a number", quotable(text)))
}

#[cfg(test)]
mod tests;
