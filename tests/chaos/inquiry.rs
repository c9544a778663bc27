//! The questions that follow on a run with a fault: what is true, what was said, and whether the way out that the migrator
//! names leads to the same end as a run without a fault.

use crate::claims::{self, Said};
use crate::facts::{self, Facts};
use crate::migrator;
use crate::oracle;
use crate::point::{Clean, Outcome, World};
use crate::scenario::{Effect, MIGRATIONS};
use crate::server::Session;

/// One run with a fault, in its database.
pub(crate) struct Inquiry<'a> {
    pub(crate) world: &'a World,
    /// Past the proxy.
    pub(crate) session: Session,
    pub(crate) database: String,
    pub(crate) outcome: Outcome,
}

impl Inquiry<'_> {
    fn find(&mut self, wrong: impl IntoIterator<Item = String>) {
        self.outcome.wrong.extend(wrong);
    }

    fn migrator(&mut self, arguments: &[&str]) -> Said {
        let said = migrator::run(&self.world.db, &self.world.server.url(&self.database), arguments);
        self.outcome.log.push_str(&format!("$ {}\n{}", arguments.join(" "), said.text()));
        said
    }

    /// What is true when the run is over and the server has noticed.
    pub(crate) fn first_run(&mut self, said: &Said, rival: Option<&Said>, killed: bool) {
        self.outcome.log.push_str(&format!("$ up, with the fault\n{}", said.text()));
        let facts = self.rest();
        self.find(oracle::judge(&facts));
        match rival {
            None => self.find(claims::judge(said, &facts, killed)),
            Some(rival) => {
                self.outcome.log.push_str(&format!("$ up, the other one\n{}", rival.text()));
                // What the first one says of its own steps may have been done by the other one meanwhile.
                self.find(claims::judge_results(said, &facts, killed));
                self.find(claims::judge(rival, &facts, false));
                if !matches!(rival.exit, Some(0 | 7)) {
                    self.find([format!("nothing happened to the other one, and it ended with {:?}", rival.exit)]);
                }
            }
        }
        self.status(&facts);
    }

    /// The facts when nobody is in the database any more.
    fn rest(&mut self) -> Facts {
        let others = facts::wait_for_quiet(&self.session);
        self.find(others.into_iter().map(|other| format!("still connected: {other}")));
        let left = facts::left_behind(&self.session);
        self.find(left.into_iter().map(|what| format!("left behind: {what}")));
        Facts::read(&self.session)
    }

    fn status(&mut self, facts: &Facts) {
        let said = self.migrator(&["status", "--json"]);
        let status: serde_json::Value = serde_json::from_str(&said.stdout).unwrap_or_default();
        let half_done = facts.half_done();
        let applied = facts.applied.len();
        let half = usize::from(half_done.is_some());
        let expected = [("applied", applied), ("half-done", half), ("pending", MIGRATIONS.len() - applied - half)];
        for (state, count) in expected {
            if status["counts"][state] != count {
                self.find([format!("`status` counts {} {state}, there are {count}", status["counts"][state])]);
            }
        }
        let Some((migration, statement)) = half_done else { return };
        let rows = status["migrations"].as_array().cloned().unwrap_or_default();
        let row = rows.into_iter().find(|row| row["version"] == migration.version).unwrap_or_default();
        if row["state"] != "half-done" || statement.is_some_and(|statement| row["half_done"]["statement"] != statement)
        {
            self.find([format!("`status` shows {row}, but {} is half-done at {statement:?}", migration.version)]);
        }
    }

    /// Runs `up` until everything is done, and decides where it asks, by what is really in the database.
    pub(crate) fn go_on(&mut self) {
        for _ in 0..4 {
            let said = self.migrator(&["up"]);
            let facts = self.rest();
            self.find(oracle::judge(&facts));
            self.find(claims::judge(&said, &facts, false));
            match said.exit {
                Some(0) => return,
                Some(7) => self.decide(&said, &facts),
                code => return self.find([format!("the next `up` ended with {code:?}")]),
            }
        }
        self.find(["four runs of `up` were not enough".to_owned()]);
    }

    fn decide(&mut self, said: &Said, facts: &Facts) {
        let Some((version, statement)) = claims::asks_to_resolve(&said.stderr) else {
            return self.find(["exit code 7, but no decision is asked for".to_owned()]);
        };
        let migration = MIGRATIONS.iter().find(|migration| migration.version == version);
        let units = migration.map_or(&[][..], |migration| migration.units);
        let Some(unit) = units.iter().find(|unit| unit.statement.to_string() == statement) else {
            return self.find([format!("a decision is asked for about statement {statement} of {version}")]);
        };
        if !matches!(unit.effect, Effect::Ledger(_)) || unit.is_transaction {
            self.find([format!("a person is asked about statement {statement} of {version}, which can be looked up")]);
        }
        let decision = if facts.is_there(unit.effect) { "--applied" } else { "--retry" };
        let said = self.migrator(&["resolve", &version, "--statement", &statement, decision]);
        self.outcome.decisions += 1;
        if said.exit != Some(0) {
            self.find([format!("`resolve` ended with {:?}", said.exit)]);
        }
    }

    /// Everything is done, exactly as without a fault.
    pub(crate) fn end(&mut self, clean: &Clean) {
        let facts = self.rest();
        self.find(oracle::judge_complete(&facts));
        let schema = facts::schema(&self.session);
        for (lines, others, word) in [(&clean.schema, &schema, "missing"), (&schema, &clean.schema, "too much")] {
            let lines = lines.lines().filter(|line| !others.lines().any(|other| other == *line));
            self.find(lines.map(|line| format!("{word} in the schema: {line}")).collect::<Vec<_>>());
        }
        let said = self.migrator(&["status", "--check"]);
        if said.exit != Some(0) {
            self.find([format!("`status --check` ended with {:?}", said.exit)]);
        }
    }
}
