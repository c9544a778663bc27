//! One attempt to open a session on one server, encrypted as `sslmode` says.

use std::future::poll_fn;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_postgres::config::{ChannelBinding, SslMode as Negotiation, SslNegotiation};
use tokio_postgres::error::SqlState;
use tokio_postgres::{AsyncMessage, Client, Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::notices::NoticeSink;
use crate::conninfo::ssl::{self, SslMode};
use crate::conninfo::{ConnectionTarget, Host};
use crate::tls::{self, Canceller};

/// Why a session could not be opened.
pub(super) enum Refusal {
    /// What the server or the network said.
    Client(tokio_postgres::Error),
    /// No answer within this time.
    TimedOut(Duration),
}

/// A session, what stops it, and the server's major release.
type Opened = (Client, Canceller, i32);

/// `17.2 (Debian 17.2-1)`, `18beta1`: the digits it begins with; 0 for none.
fn major(version: Option<&str>) -> i32 {
    let version = version.unwrap_or_default();
    let digits = version.find(|c: char| !c.is_ascii_digit()).map_or(version, |end| &version[..end]);
    digits.parse().unwrap_or(0)
}

/// Opens a session; its notices go to `notices`.
pub(super) async fn open(
    target: &ConnectionTarget,
    host: &Host,
    tls: Option<&MakeRustlsConnect>,
    release: &str,
    notices: NoticeSink,
) -> Result<Opened, Refusal> {
    let config = configuration(target, host, release);
    let work = negotiate(target, host, tls, config, notices);
    match target.connect_timeout {
        None => work.await.map_err(Refusal::Client),
        Some(limit) => match tokio::time::timeout(limit, work).await {
            Ok(opened) => opened.map_err(Refusal::Client),
            Err(_) => Err(Refusal::TimedOut(limit)),
        },
    }
}

async fn negotiate(
    target: &ConnectionTarget,
    host: &Host,
    tls: Option<&MakeRustlsConnect>,
    mut config: Config,
    notices: NoticeSink,
) -> Result<Opened, tokio_postgres::Error> {
    // No one can listen on a socket: libpq does not encrypt there either.
    let Some(tls) = tls.filter(|_| !host.is_socket()) else { return plain(&mut config, notices).await };
    match target.ssl.mode {
        SslMode::Disable => plain(&mut config, notices).await,
        SslMode::Allow => match plain(&mut config, notices.clone()).await {
            Err(error) if is_rejected(&error) => encrypted(&mut config, Negotiation::Require, tls, notices).await,
            outcome => outcome,
        },
        SslMode::Prefer => match encrypted(&mut config, Negotiation::Prefer, tls, notices.clone()).await {
            // A wrong password is wrong in plaintext too, and must not be sent there.
            Err(error) if is_rejected(&error) || tls::explain(&error).is_some() => plain(&mut config, notices).await,
            outcome => outcome,
        },
        SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => {
            encrypted(&mut config, Negotiation::Require, tls, notices).await
        }
    }
}

/// The server's pg_hba.conf admits no one this way.
fn is_rejected(error: &tokio_postgres::Error) -> bool {
    error.code() == Some(&SqlState::INVALID_AUTHORIZATION_SPECIFICATION)
}

async fn plain(config: &mut Config, notices: NoticeSink) -> Result<Opened, tokio_postgres::Error> {
    config.ssl_mode(Negotiation::Disable).ssl_negotiation(SslNegotiation::Postgres);
    let (client, connection) = config.connect(NoTls).await?;
    let (token, major) = (client.cancel_token(), major(connection.parameter("server_version")));
    tokio::spawn(drive(connection, notices));
    Ok((client, Canceller { token, tls: None }, major))
}

async fn encrypted(
    config: &mut Config,
    negotiation: Negotiation,
    tls: &MakeRustlsConnect,
    notices: NoticeSink,
) -> Result<Opened, tokio_postgres::Error> {
    config.ssl_mode(negotiation);
    let (client, connection) = config.connect(tls.clone()).await?;
    let (token, major) = (client.cancel_token(), major(connection.parameter("server_version")));
    tokio::spawn(drive(connection, notices));
    Ok((client, Canceller { token, tls: Some(tls.clone()) }, major))
}

/// Ends with the session; what ended it reaches the client as the error of its request.
async fn drive<S, T>(mut connection: tokio_postgres::Connection<S, T>, notices: NoticeSink)
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
        if let AsyncMessage::Notice(notice) = message {
            // The answers before it are with their readers already: they run first, so that the notice is shown under
            // what was running when it was raised.
            tokio::task::yield_now().await;
            notices(&notice);
        }
    }
}

fn configuration(target: &ConnectionTarget, host: &Host, release: &str) -> Config {
    let mut config = Config::new();
    match host.address {
        // Without a name the address is what a certificate must be for.
        Some(address) if host.name.is_empty() => config.host(address.to_string()),
        Some(address) => config.host(&host.name).hostaddr(address),
        None => config.host(&host.name),
    };
    config.port(host.port).dbname(target.database()).user(target.user());
    if let Some(password) = target.password(host) {
        config.password(password);
    }
    if let Some(options) = &target.options {
        config.options(options);
    }
    let name = target.application_name.clone().unwrap_or_else(|| format!("migrator {release}"));
    config.application_name(name);
    let keepalives = &target.keepalives;
    config.keepalives(keepalives.on).keepalives_idle(keepalives.idle).keepalives_interval(keepalives.interval);
    config.keepalives_retries(keepalives.count);
    if let Some(limit) = keepalives.user_timeout {
        config.tcp_user_timeout(limit);
    }
    config.channel_binding(match target.ssl.channel_binding {
        ssl::ChannelBinding::Disable => ChannelBinding::Disable,
        ssl::ChannelBinding::Prefer => ChannelBinding::Prefer,
        ssl::ChannelBinding::Require => ChannelBinding::Require,
    });
    if target.ssl.direct {
        config.ssl_negotiation(SslNegotiation::Direct);
    }
    config
}
