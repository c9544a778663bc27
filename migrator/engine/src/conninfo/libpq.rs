//! Servers and encryption for a program that uses libpq, such as pg_dump: as variables, which no other user of the machine sees.

use std::path::Path;

use super::host::Host;
use super::ssl::{ChannelBinding, Roots, Ssl};

/// A variable and its value.
type Variable = (&'static str, String);

/// The servers, in their order.
pub(super) fn of_hosts(hosts: &[Host]) -> Vec<Variable> {
    let list = |part: fn(&Host) -> String| hosts.iter().map(part).collect::<Vec<_>>().join(",");
    let addresses = list(|host| host.address.map(|address| address.to_string()).unwrap_or_default());
    let mut variables =
        vec![("PGHOST", list(|host| host.name.clone())), ("PGPORT", list(|host| host.port.to_string()))];
    if addresses.chars().any(|c| c != ',') {
        variables.push(("PGHOSTADDR", addresses));
    }
    variables
}

/// How the connection is encrypted.
pub(super) fn of_ssl(ssl: &Ssl) -> Vec<Variable> {
    let path = |path: &Path| path.to_string_lossy().into_owned();
    let mut variables = vec![("PGSSLMODE", ssl.mode.word().to_owned())];
    variables.extend(ssl.roots.as_ref().map(|roots| {
        let file = match roots {
            Roots::System => "system".to_owned(),
            Roots::File(file) => path(file),
        };
        ("PGSSLROOTCERT", file)
    }));
    if let Some((certificate, key)) = &ssl.client {
        variables.extend([("PGSSLCERT", path(certificate)), ("PGSSLKEY", path(key))]);
    }
    if ssl.direct {
        variables.push(("PGSSLNEGOTIATION", "direct".to_owned()));
    }
    if ssl.only_1_3 {
        variables.push(("PGSSLMINPROTOCOLVERSION", "TLSv1.3".to_owned()));
    }
    if ssl.only_1_2 {
        variables.push(("PGSSLMAXPROTOCOLVERSION", "TLSv1.2".to_owned()));
    }
    let binding = match ssl.channel_binding {
        ChannelBinding::Disable => "disable",
        ChannelBinding::Prefer => "prefer",
        ChannelBinding::Require => "require",
    };
    variables.push(("PGCHANNELBINDING", binding.to_owned()));
    variables
}
