//! The parts of a run, and what all of them work with.

mod builds;
mod counts;
mod delay;
pub(crate) mod fence;
mod histories;
mod library;
mod many;
pub(crate) mod noop;
mod objects;
mod plain;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Result;

use crate::figures::Figures;
use crate::layout;
use crate::machine::said;
use crate::options::Options;
use crate::peers::{self, Found};
use crate::run::{Taken, run};
use crate::server::{Place, Server};
use crate::tool::{Kind, Tool};
use crate::workload::Workload;
use crate::workspace;

/// One question, and the figures that answer it.
pub(crate) struct Part {
    pub(crate) name: &'static str,
    /// It takes seconds, not minutes.
    pub(crate) is_quick: bool,
    pub(crate) run: fn(&Bench, &mut Figures) -> Result<()>,
}

/// In the order of the page.
pub(crate) const ALL: &[Part] = &[
    Part { name: "many", is_quick: true, run: many::run },
    Part { name: "noop", is_quick: true, run: noop::run_part },
    Part { name: "counts", is_quick: true, run: counts::run },
    Part { name: "delay", is_quick: true, run: delay::run },
    Part { name: "plain", is_quick: true, run: plain::run },
    Part { name: "histories", is_quick: false, run: histories::run_part },
    Part { name: "fence", is_quick: true, run: fence::run },
    Part { name: "library", is_quick: false, run: library::run },
    Part { name: "builds", is_quick: false, run: builds::run_part },
    Part { name: "objects", is_quick: false, run: objects::run_part },
];

/// What a run works with.
pub(crate) struct Bench {
    pub(crate) options: Options,
    /// The stopwatch, and the bare client.
    pub(crate) floor: PathBuf,
    pub(crate) found: Found,
    /// What is compared, one a line.
    pub(crate) versions: Vec<String>,
    /// Our migrators, by workload.
    ours: RefCell<BTreeMap<String, PathBuf>>,
}

impl Bench {
    /// Builds the floor and finds the peers.
    pub(crate) fn prepare(options: &Options) -> Result<Bench> {
        workspace::add_floor()?;
        let floor = workspace::build("floor")?;
        let found = peers::find(options.peers);
        let mut versions = vec![format!("PostgreSQL {}", Server::start()?.session().value("SHOW server_version")?)];
        versions.extend(found.tools.iter().map(peers::version));
        versions.push(said("rustc", &["--version"]));
        Ok(Bench { options: options.clone(), floor, found, versions, ours: RefCell::default() })
    }

    /// With programs that are built already, and no peers.
    pub(crate) fn of(options: Options, floor: PathBuf) -> Bench {
        Bench { options, floor, found: Found::default(), versions: Vec::new(), ours: RefCell::default() }
    }

    /// Writes a workload in all forms and embeds it; returns its folder.
    pub(crate) fn embed(&self, workload: &Workload) -> Result<PathBuf> {
        let folder = workspace::package(&workload.name);
        if self.ours.borrow().contains_key(&workload.name) {
            return Ok(folder);
        }
        layout::write(&folder, &workload.migrations)?;
        let program = self.embed_folder(&workload.name)?;
        self.set_ours(&workload.name, program);
        Ok(folder)
    }

    /// A release migrator with the `db` of a folder of the workspace in it.
    pub(crate) fn embed_folder(&self, name: &str) -> Result<PathBuf> {
        workspace::add_migrator(name)?;
        workspace::build(name)
    }

    /// The migrator that is to run a workload.
    pub(crate) fn set_ours(&self, workload: &str, program: PathBuf) {
        self.ours.borrow_mut().insert(workload.to_owned(), program);
    }

    /// Our migrator over a workload.
    pub(crate) fn us(&self, workload: &Workload) -> Tool {
        let program = self.ours.borrow().get(&workload.name).cloned().unwrap_or_default();
        Tool { kind: Kind::Ours, program }
    }

    /// All that run a workload, we first; what is missing is said in the figures.
    pub(crate) fn tools(&self, server: &Server, workload: &Workload, case: &str, figures: &mut Figures) -> Vec<Tool> {
        let mut tools = vec![self.us(workload)];
        for kind in [Kind::FloorExtended, Kind::FloorSimple] {
            tools.push(Tool { kind, program: self.floor.clone() });
        }
        let psql = server.programs().join("psql");
        match psql.is_file() {
            true => tools.push(Tool { kind: Kind::Psql, program: psql }),
            false => figures.leave_out(case, Kind::Psql.name(), "this PostgreSQL has no psql"),
        }
        tools.extend(self.found.tools.iter().cloned());
        for (kind, reason) in &self.found.absent {
            figures.leave_out(case, kind.name(), reason);
        }
        tools
    }

    /// Runs a tool over a folder of forms.
    pub(crate) fn up(&self, tool: &Tool, folder: &std::path::Path, place: &Place) -> Result<Taken> {
        run(&self.floor, &tool.up(folder, place, None))
    }
}
