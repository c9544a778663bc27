//! What was measured, and the files that keep it between runs.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use crate::machine::{self, Stamp};
use crate::options::Options;
use crate::stats::median;
use crate::workspace;

/// One series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Figure {
    /// What was done: `W6`.
    pub(crate) case: String,
    /// Who did it.
    pub(crate) tool: String,
    /// What was measured, with its unit: `wall s`.
    pub(crate) metric: String,
    /// One value a round, in the order of the rounds.
    pub(crate) samples: Vec<f64>,
}

/// Something that was not measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Absent {
    pub(crate) case: String,
    pub(crate) tool: String,
    pub(crate) reason: String,
}

/// The figures of one part.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Figures {
    pub(crate) part: String,
    pub(crate) stamp: Stamp,
    pub(crate) figures: Vec<Figure>,
    pub(crate) absent: Vec<Absent>,
}

impl Figures {
    /// None yet.
    pub(crate) fn begin(part: &str, options: &Options) -> Figures {
        Figures { part: part.to_owned(), stamp: machine::stamp(options.line()), ..Figures::default() }
    }

    /// Adds one value.
    pub(crate) fn add(&mut self, case: &str, tool: &str, metric: &str, value: f64) {
        let same = |figure: &&mut Figure| figure.case == case && figure.tool == tool && figure.metric == metric;
        match self.figures.iter_mut().find(same) {
            Some(figure) => figure.samples.push(value),
            None => self.figures.push(Figure {
                case: case.to_owned(),
                tool: tool.to_owned(),
                metric: metric.to_owned(),
                samples: vec![value],
            }),
        }
    }

    /// Says why something was not measured; once.
    pub(crate) fn leave_out(&mut self, case: &str, tool: &str, reason: &str) {
        let absent = Absent { case: case.to_owned(), tool: tool.to_owned(), reason: reason.to_owned() };
        if !self.absent.contains(&absent) {
            eprintln!("not measured: {case}, {tool}: {reason}");
            self.absent.push(absent);
        }
    }

    /// One series.
    pub(crate) fn series(&self, case: &str, tool: &str, metric: &str) -> Option<&[f64]> {
        let same = |figure: &&Figure| figure.case == case && figure.tool == tool && figure.metric == metric;
        self.figures.iter().find(same).map(|figure| figure.samples.as_slice())
    }

    /// Its median.
    pub(crate) fn median(&self, case: &str, tool: &str, metric: &str) -> Option<f64> {
        median(self.series(case, tool, metric)?)
    }

    /// The tools that have figures, in the order in which they were first measured.
    pub(crate) fn tools(&self) -> Vec<&str> {
        in_order(self.figures.iter().map(|figure| figure.tool.as_str()))
    }

    /// The cases, in the same way.
    pub(crate) fn cases(&self) -> Vec<&str> {
        in_order(self.figures.iter().map(|figure| figure.case.as_str()))
    }

    /// Puts them where the page finds them.
    pub(crate) fn save(&self) -> Result<()> {
        let folder = folder();
        fs::create_dir_all(&folder)?;
        let path = folder.join(format!("{}.json", self.part));
        fs::write(&path, serde_json::to_string_pretty(self)?).with_context(|| path.display().to_string())
    }

    /// All that have been put there, in the order of the parts.
    pub(crate) fn load_all() -> Result<Vec<Figures>> {
        let mut all = Vec::new();
        for part in crate::part::ALL {
            let path = folder().join(format!("{}.json", part.name));
            match fs::read_to_string(&path) {
                Ok(text) => all.push(serde_json::from_str(&text).with_context(|| path.display().to_string())?),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(error).with_context(|| path.display().to_string()),
            }
        }
        Ok(all)
    }
}

fn folder() -> PathBuf {
    workspace::folder().join("figures")
}

fn in_order<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut all: Vec<&str> = Vec::new();
    for name in names {
        if !all.contains(&name) {
            all.push(name);
        }
    }
    all
}
