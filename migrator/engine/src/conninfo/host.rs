//! The servers of a target, as libpq pairs names, addresses and ports.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use super::parameters::{Parameters, quotable};
use super::ssl::one_of;

/// One server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Host {
    /// A name, an address, or the directory of a socket; empty if only the address is given.
    pub(crate) name: String,
    /// The address to go to, whatever the name resolves to.
    pub(crate) address: Option<IpAddr>,
    /// The port.
    pub(crate) port: u16,
}

impl Host {
    /// True for the directory of a Unix socket.
    pub(crate) fn is_socket(&self) -> bool {
        self.name.starts_with('/') && self.address.is_none()
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            Some(address) if self.name.is_empty() => write!(f, "{}", SocketAddr::new(address, self.port)),
            _ if self.name.contains(':') => write!(f, "[{}]:{}", self.name, self.port),
            _ => write!(f, "{}:{}", self.name, self.port),
        }
    }
}

/// The hosts with their ports, as libpq pairs them: one port serves all of them.
pub(super) fn hosts(parameters: &Parameters) -> Result<Vec<Host>, String> {
    let list = |key: &str| parameters.get(key).map(|text| text.split(',').collect::<Vec<_>>()).unwrap_or_default();
    let (names, addresses, ports) = (list("host"), list("hostaddr"), list("port"));
    let count = names.len().max(addresses.len()).max(1);
    if !names.is_empty() && !addresses.is_empty() && names.len() != addresses.len() {
        return Err(format!("`host` has {} names, but `hostaddr` has {} addresses", names.len(), addresses.len()));
    }
    if ports.len() > 1 && ports.len() != count {
        return Err(format!("there are {} ports for {count} hosts", ports.len()));
    }
    let host = |index: usize| {
        let port = ports.get(index).or(ports.first()).copied().filter(|port| !port.is_empty()).unwrap_or("5432");
        let port = port
            .parse()
            .ok()
            .filter(|port| *port != 0)
            .ok_or(format!("the port `{}` is not a number from 1 to 65535", quotable(port)))?;
        let address = match addresses.get(index).filter(|address| !address.is_empty()) {
            Some(text) => {
                Some(text.parse().map_err(|_| format!("`hostaddr={}` is not an IP address", quotable(text)))?)
            }
            None => None,
        };
        let name = names.get(index).copied().filter(|name| !name.is_empty());
        if name.is_some_and(|name| name.contains('@') || name.contains("://")) {
            return Err("a host contains a user or is a URL".to_owned());
        }
        let name = match (name, address) {
            (None, None) => default_host(),
            (name, _) => name.unwrap_or_default(),
        };
        Ok(Host { name: name.to_owned(), address, port })
    };
    let mut hosts = (0..count).map(host).collect::<Result<Vec<_>, String>>()?;
    let balance = parameters.get("load_balance_hosts").unwrap_or("disable");
    if one_of("load_balance_hosts", balance, &[("disable", false), ("random", true)])? {
        let start = std::process::id() as usize % hosts.len();
        hosts.rotate_left(start);
    }
    Ok(hosts)
}

/// The socket directory of Debian's packages, where there is one, else the loopback address.
fn default_host() -> &'static str {
    let directory = "/var/run/postgresql";
    if Path::new(directory).is_dir() { directory } else { "localhost" }
}

/// The password file calls the default socket `localhost`.
pub(super) fn is_default_socket(directory: &str) -> bool {
    matches!(directory, "/var/run/postgresql" | "/run/postgresql" | "/tmp")
}
