//! A server that is far away: 0, 10 and 50 ms for each round trip, with and without SCRAM and TLS.

use std::time::Duration;

use anyhow::Result;
use migrator_postgres::TemporaryServer;

use super::Bench;
use crate::figures::Figures;
use crate::proxy::Proxy;
use crate::series::order;
use crate::server::{Place, Server};
use crate::tool::Tool;
use crate::workload::{Workload, tables};

/// How long a round trip takes, in milliseconds.
const DELAYS: [u64; 3] = [0, 10, 50];

/// The socket trusts, in a directory that no one else enters; by TCP only who knows the password, and encrypted.
const HBA: &str = "local all postgres trust\nhostssl all postgres 127.0.0.1/32 scram-sha-256\n";

pub(crate) fn run(bench: &Bench, figures: &mut Figures) -> Result<()> {
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()])?;
    let server = Server::start_with(
        TemporaryServer::builder()
            .tcp()
            .setting("ssl", "on")
            .setting("ssl_cert_file", "server.crt")
            .setting("ssl_key_file", "server.key")
            .file("server.crt", &certified.cert.pem())
            .file("server.key", &certified.signing_key.serialize_pem())
            .file("pg_hba.conf", HBA),
    )?;
    for workload in [tables(1), tables(100)] {
        for delay in DELAYS.into_iter().filter(|delay| !bench.options.quick || *delay == 50) {
            for is_secure in [false, true] {
                Far { bench, server: &server, workload: &workload, delay, is_secure }.measure(figures)?;
            }
        }
    }
    Ok(())
}

/// One line to one server.
struct Far<'a> {
    bench: &'a Bench,
    server: &'a Server,
    workload: &'a Workload,
    delay: u64,
    is_secure: bool,
}

impl Far<'_> {
    fn measure(&self, figures: &mut Figures) -> Result<()> {
        self.bench.embed(self.workload)?;
        let how = if self.is_secure { "SCRAM and TLS" } else { "trust" };
        let cases = ["up", "no-op"].map(|what| format!("{what}, {}, {how}, {} ms", self.workload.title, self.delay));
        let mut tools = self.bench.tools(self.server, self.workload, &cases[0], figures);
        tools.retain(|tool| tool.kind.has_history());
        if self.is_secure {
            tools.retain(|tool| !tool.kind.is_floor());
        }
        for round in 0..self.bench.options.rounds(3) {
            for index in order(tools.len(), round) {
                let tool = &tools[index];
                if self.is_long(tool) {
                    let reason = match (self.is_secure, self.bench.options.quick) {
                        (true, _) => Some("as over trust, but for the beginning of the connection"),
                        (false, true) => Some("it takes up to a minute, which is too long for --quick"),
                        (false, false) => None,
                    };
                    if let Some(reason) = reason {
                        figures.leave_out(&cases[0], tool.kind.name(), reason);
                    }
                    if round > 0 || reason.is_some() {
                        continue;
                    }
                }
                if let Err(error) = self.once(tool, &cases, figures) {
                    figures.leave_out(&cases[0], tool.kind.name(), &format!("{error:#}"));
                }
            }
        }
        Ok(())
    }

    /// Some wait for several answers for each migration: that is measured once.
    fn is_long(&self, tool: &Tool) -> bool {
        tool.kind.is_peer() && self.workload.migrations.len() > 1 && self.delay > 0
    }

    fn once(&self, tool: &Tool, cases: &[String; 2], figures: &mut Figures) -> Result<()> {
        let folder = crate::workspace::package(&self.workload.name);
        let local = self.server.database()?;
        let place = if self.is_secure { Place { directory: None, ..local } } else { local };
        for case in cases {
            let proxy = Proxy::before(&place, Duration::from_millis(self.delay))?;
            let taken = self.bench.up(tool, &folder, proxy.place())?;
            let (counted, name) = (proxy.counted(), tool.kind.name());
            figures.add(case, name, "wall s", taken.wall);
            // Those over trust are counted by themselves, and no delay changes them.
            if self.is_secure && self.delay == 50 {
                figures.add(case, name, "round trips", counted.round_trips as f64);
                figures.add(case, name, "connections", counted.connections as f64);
            }
        }
        Ok(())
    }
}
