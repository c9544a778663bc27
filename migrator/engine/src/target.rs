//! Where to connect: one type that never shows a password, neither in `Display` nor in `Debug`.
//!
//! Read from a URL or a keyword string (`--database-url`, `DATABASE_URL`), else from the libpq environment; what the one
//! leaves open is filled in from the other, as libpq does it. Pure but for [`Environment::of_process`].

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use crate::error::{Error, Exit};

mod passfile;

/// A server, a database, a user, and the secret that opens them.
#[derive(Clone)]
pub(crate) struct ConnectionTarget {
    config: Config,
}

/// The variables that libpq knows, as far as they are honoured.
#[derive(Default, Clone)]
pub(crate) struct Environment {
    variables: Vec<(String, String)>,
}

impl Environment {
    const NAMES: [&'static str; 13] = [
        "PGHOST",
        "PGHOSTADDR",
        "PGPORT",
        "PGDATABASE",
        "PGUSER",
        "PGPASSWORD",
        "PGPASSFILE",
        "PGSSLMODE",
        "PGOPTIONS",
        "PGCONNECT_TIMEOUT",
        "PGSERVICE",
        "USER",
        "HOME",
    ];

    /// The variables of this process.
    pub(crate) fn of_process() -> Environment {
        let read =
            |name: &&str| Some(((*name).to_owned(), std::env::var(name).ok().filter(|value| !value.is_empty())?));
        Environment { variables: Self::NAMES.iter().filter_map(read).collect() }
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl ConnectionTarget {
    /// The target of a command.
    ///
    /// # Errors
    /// Usage errors, if nothing says where to connect or what says it cannot be understood; the text itself is never
    /// part of the message. `sslmode=require` and stronger are refused: this build speaks no TLS, and plaintext where
    /// encryption was asked for would be worse than an error.
    pub(crate) fn resolve(url: Option<&str>, environment: &Environment) -> Result<ConnectionTarget, Error> {
        if environment.get("PGSERVICE").is_some() {
            return Err(usage("the variable `PGSERVICE` is set, but service files are not read")
                .help("unset it and set DATABASE_URL, or PGHOST, PGPORT, PGDATABASE and PGUSER"));
        }
        let mut config = match url {
            Some(url) => parse(url)?,
            None if ["PGHOST", "PGHOSTADDR", "PGDATABASE"].iter().any(|name| environment.get(name).is_some()) => {
                Config::new()
            }
            None => {
                return Err(usage("no database given")
                    .help("set DATABASE_URL (`postgresql://user@host:5432/database`), pass --database-url, or set PGHOST and PGDATABASE"));
            }
        };
        fill_in(&mut config, environment, url.is_some_and(|url| url.contains("sslmode")))?;
        Ok(ConnectionTarget { config })
    }

    /// The configuration for the client.
    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    /// The same server and user with another database.
    #[must_use]
    #[cfg(feature = "dev")]
    pub(crate) fn with_database(&self, database: &str) -> ConnectionTarget {
        let mut config = self.config.clone();
        config.dbname(database);
        ConnectionTarget { config }
    }

    /// The database's name.
    pub(crate) fn database(&self) -> &str {
        self.config.get_dbname().or(self.config.get_user()).unwrap_or_default()
    }

    /// `host:port`, or the directory of the socket.
    pub(crate) fn server(&self) -> String {
        let ports = self.config.get_ports();
        let port = |index: usize| ports.get(index).or(ports.first()).copied().unwrap_or(5432);
        let host = |(index, host): (usize, &Host)| match host {
            Host::Tcp(name) => format!("{name}:{}", port(index)),
            Host::Unix(path) => format!("{}:{}", path.display(), port(index)),
        };
        self.config.get_hosts().iter().enumerate().map(host).collect::<Vec<_>>().join(",")
    }
}

impl fmt::Display for ConnectionTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "postgresql://{}@{}/{}", self.config.get_user().unwrap_or_default(), self.server(), self.database())
    }
}

impl fmt::Debug for ConnectionTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConnectionTarget({self})")
    }
}

fn usage(message: &str) -> Error {
    Error::new(Exit::Usage, message)
}

/// Reads a URL or a keyword string. The parser's own message is not passed on: it may quote a part of the password.
fn parse(text: &str) -> Result<Config, Error> {
    let invalid = || {
        usage("the database URL cannot be read")
            .note("expected `postgresql://user:password@host:5432/database?key=value`")
            .help("special characters of the user and the password must be percent-encoded: `@` is %40, `#` is %23, `/` is %2F, `%` is %25")
    };
    if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
        if text.contains("://") {
            return Err(usage("the database URL must start with `postgresql://`").help("only PostgreSQL is supported"));
        }
        refuse_tls(text.split_whitespace().filter_map(|pair| pair.split_once('=')))?;
        return Config::from_str(text).map_err(|_| invalid());
    }
    let (base, query) = text.split_once('?').unwrap_or((text, ""));
    let decode =
        |text: &str| percent_decode_str(text).decode_utf8().map(|text| text.into_owned()).map_err(|_| invalid());
    let mut kept = Vec::new();
    let mut settings = Vec::new();
    let mut decoded = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').ok_or_else(invalid)?;
        decoded.push((key.to_owned(), decode(value)?));
        match key {
            "sslmode" | "sslrootcert" | "sslcert" | "sslkey" | "sslpassword" => {}
            // dbmate's name for the directory of the socket.
            "socket" => kept.push(format!("host={value}")),
            "host"
            | "hostaddr"
            | "port"
            | "dbname"
            | "user"
            | "password"
            | "options"
            | "application_name"
            | "connect_timeout"
            | "tcp_user_timeout"
            | "keepalives"
            | "keepalives_idle"
            | "keepalives_interval"
            | "keepalives_retries"
            | "target_session_attrs"
            | "channel_binding" => kept.push(pair.to_owned()),
            // What libpq would refuse, dbmate passes on as a setting of the session: `search_path`, `lock_timeout`.
            setting => {
                settings.push(format!("-c {setting}={}", decode(value)?.replace('\\', "\\\\").replace(' ', "\\ ")))
            }
        }
    }
    refuse_tls(decoded.iter().map(|(key, value)| (key.as_str(), value.as_str())))?;
    let url = if kept.is_empty() { base.to_owned() } else { format!("{base}?{}", kept.join("&")) };
    let mut config = Config::from_str(&url).map_err(|_| invalid())?;
    if !settings.is_empty() {
        let options = [config.get_options().unwrap_or_default(), &settings.join(" ")].join(" ");
        config.options(options.trim());
    }
    config.ssl_mode(SslMode::Disable);
    Ok(config)
}

/// Refuses what asks for TLS: there is none in this build yet.
fn refuse_tls<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Result<(), Error> {
    for (key, value) in pairs {
        if key == "sslmode" && !matches!(value, "disable" | "allow" | "prefer") {
            return Err(Error::new(
                Exit::NoConnection,
                format!("cannot connect with `sslmode={value}`: this build has no TLS"),
            )
            .note("nothing was sent: the connection is not made in plaintext where encryption was asked for")
            .help("connect through an encrypted tunnel and `sslmode=disable`, or on the server's own socket"));
        }
        if key == "channel_binding" && value == "require" {
            return Err(Error::new(
                Exit::NoConnection,
                "cannot connect with `channel_binding=require`: this build has no TLS",
            )
            .help("leave `channel_binding` out, and connect through an encrypted tunnel"));
        }
    }
    Ok(())
}

/// Fills in what the text left open, in libpq's order: environment, password file, defaults.
fn fill_in(config: &mut Config, environment: &Environment, has_sslmode: bool) -> Result<(), Error> {
    if !has_sslmode {
        refuse_tls(environment.get("PGSSLMODE").map(|mode| ("sslmode", mode)).into_iter())?;
    }
    config.ssl_mode(SslMode::Disable);
    let number = |name: &str| -> Result<Option<u16>, Error> {
        let Some(text) = environment.get(name) else { return Ok(None) };
        let number = text.parse().map_err(|_| usage(&format!("the variable `{name}` is not a number: `{text}`")))?;
        Ok(Some(number))
    };
    if config.get_hosts().is_empty() {
        match environment.get("PGHOST") {
            Some(host) => drop(config.host(host)),
            None => drop(config.host(default_host())),
        }
    }
    if config.get_ports().is_empty()
        && let Some(port) = number("PGPORT")?
    {
        config.port(port);
    }
    if config.get_user().is_none()
        && let Some(user) = environment.get("PGUSER").or(environment.get("USER"))
    {
        config.user(user);
    }
    if config.get_dbname().is_none() {
        let user = config.get_user().unwrap_or_default().to_owned();
        config.dbname(environment.get("PGDATABASE").unwrap_or(&user));
    }
    if config.get_options().is_none()
        && let Some(options) = environment.get("PGOPTIONS")
    {
        config.options(options);
    }
    if config.get_connect_timeout().is_none() {
        let seconds = number("PGCONNECT_TIMEOUT")?.filter(|seconds| *seconds > 0).unwrap_or(15);
        config.connect_timeout(Duration::from_secs(seconds.into()));
    }
    if config.get_password().is_none() {
        let file = environment.get("PGPASSFILE").map(PathBuf::from);
        let file = file.or_else(|| environment.get("HOME").map(|home| PathBuf::from(home).join(".pgpass")));
        let from_file = || file.as_deref().and_then(|file| passfile::password(file, config));
        if let Some(password) = environment.get("PGPASSWORD").map(str::to_owned).or_else(from_file) {
            config.password(password);
        }
    }
    // A server that vanished is noticed within minutes, not hours: the lock must not look held by a dead connection.
    config
        .keepalives(true)
        .keepalives_idle(Duration::from_secs(30))
        .keepalives_interval(Duration::from_secs(10))
        .keepalives_retries(3);
    Ok(())
}

/// The socket directory of Debian's packages, where there is one, else the loopback address.
fn default_host() -> &'static str {
    let directory = "/var/run/postgresql";
    if std::path::Path::new(directory).is_dir() { directory } else { "localhost" }
}

#[cfg(test)]
mod tests;
