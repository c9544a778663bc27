//! The questions that follow on a run with a fault: what is true, what was said, and whether the way out that the migrator
//! names leads to the same end as a run without a fault.

use crate::claims::{self, Said, Trial};
use crate::command::{Command, Task};
use crate::facts::{self, Facts};
use crate::migrator;
use crate::oracle;
use crate::point::{Outcome, World};
use crate::scenario::{Effect, MIGRATIONS, Migration, Way};
use crate::server::Session;

/// Who else was at work during a run with a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beside {
    /// At most one that had come to its end before the run went on.
    NoOne,
    /// Another one with the same command.
    Same,
    /// One that undid the work, while the run was frozen.
    Undone,
    /// One that undoes the work, and nothing happened to either.
    Opposed,
}

/// One run with a fault, in its database.
pub(crate) struct Inquiry<'a> {
    pub(crate) world: &'a World,
    /// Past the proxy.
    pub(crate) session: Session,
    pub(crate) database: String,
    pub(crate) command: Command,
    /// What was in the database before the run.
    pub(crate) before: &'a Facts,
    pub(crate) outcome: Outcome,
}

impl Inquiry<'_> {
    fn find(&mut self, wrong: impl IntoIterator<Item = String>) {
        self.outcome.wrong.extend(wrong);
    }

    /// Runs the binary that has this command.
    fn migrator(&mut self, of: Command, arguments: &[&str]) -> Said {
        let said = migrator::run(self.world.db(of), &self.world.server.url(&self.database), arguments);
        self.outcome.log.push_str(&format!("$ {}\n{}", arguments.join(" "), said.text()));
        said
    }

    /// What is true when the run is over and the server has noticed.
    pub(crate) fn first_run(&mut self, said: &Said, others: &[Said], killed: bool, beside: Beside) {
        self.outcome.log.push_str(&format!("$ {:?}, with the fault\n{}", self.command, said.text()));
        for other in others {
            self.outcome.log.push_str(&format!("$ another one\n{}", other.text()));
        }
        let facts = self.rest();
        self.find(oracle::judge(&facts));
        let undone = matches!(beside, Beside::Undone | Beside::Opposed);
        let other = if undone { self.command.opposite() } else { self.command };
        let trial = |command, killed, by_others| Trial {
            command,
            before: self.before,
            after: &facts,
            killed,
            undone,
            by_others,
        };
        let by_others = others.iter().filter(|other| other.exit == Some(0)).count();
        let by_first = usize::from(said.exit == Some(0));
        let (first, second) = (trial(self.command, killed, by_others), trial(other, false, by_first));
        let mut wrong = match beside {
            Beside::NoOne | Beside::Undone => first.judge(said),
            // What it says of its own steps may have been done or undone by the other one meanwhile.
            Beside::Same | Beside::Opposed => first.judge_results(said),
        };
        for other in others {
            wrong.extend(match beside {
                // It rolls back nothing but what it was asked for, and nothing while the first one is at a statement.
                Beside::Same if self.command.way() == Way::Down && matches!(other.exit, Some(5 | 8)) => vec![],
                Beside::Opposed => second.judge_results(other),
                Beside::NoOne | Beside::Same | Beside::Undone => second.judge(other),
            });
            let is_possible = match beside {
                Beside::NoOne => matches!(other.exit, Some(0 | 7)),
                Beside::Same if self.command.way() == Way::Down => matches!(other.exit, Some(0 | 5 | 7 | 8)),
                Beside::Same => matches!(other.exit, Some(0 | 7)),
                // What is half-done must be finished first.
                Beside::Undone => matches!(other.exit, Some(0 | 4)),
                // It was too late, or could not tell what it would do while the first one was at work.
                Beside::Opposed => matches!(other.exit, Some(0 | 5 | 8)) && matches!(said.exit, Some(0)),
            };
            if !is_possible {
                wrong.push(format!("nothing happened to the other one, and it ended with {:?}", other.exit));
            }
        }
        if beside == Beside::Opposed {
            let all: Vec<&Said> = others.iter().chain([said]).collect();
            wrong.extend(miscounted(&all, self.before, &facts));
        }
        self.find(wrong);
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
        let said = self.migrator(self.command, &["status", "--json"]);
        let status: serde_json::Value =
            serde_json::from_str(said.stdout.lines().last().unwrap_or_default()).unwrap_or_default();
        let half_done = facts.half_done();
        // What its binary does not have is ahead, also where its rollback is half-done.
        let known = &MIGRATIONS[..self.command.known()];
        let ahead = facts.applied.len().saturating_sub(known.len());
        let is_known = |of: &Migration| known.iter().any(|migration| migration.version == of.version);
        let half = half_done.filter(|(migration, ..)| is_known(migration));
        let rolling_back = usize::from(half.is_some_and(|(_, way, _)| way == Way::Down));
        let applied = facts.applied.len() - ahead - rolling_back;
        let half = usize::from(half.is_some());
        let pending = known.len() - applied - half;
        let expected = [("applied", applied), ("half-done", half), ("pending", pending), ("ahead", ahead)];
        for (state, count) in expected {
            if status["counts"][state] != count {
                self.find([format!("`status` counts {} {state}, there are {count}", status["counts"][state])]);
            }
        }
        let Some((migration, way, statement)) = half_done else { return };
        let rows = status["migrations"].as_array().cloned().unwrap_or_default();
        let row = rows.into_iter().find(|row| row["version"] == migration.version).unwrap_or_default();
        let half_done = &row["half_done"];
        let state = if is_known(migration) { "half-done" } else { "ahead" };
        if row["state"] != state
            || half_done["direction"] != way.word()
            || statement.is_some_and(|statement| half_done["statement"] != statement)
        {
            self.find([format!("`status` shows {row}, but {} is half-done at {statement:?}", migration.version)]);
        }
    }

    /// Runs the command until everything is done, and decides where it asks, by what is really in the database.
    pub(crate) fn go_on(&mut self) {
        let goal = if matches!(self.command, Command::Resolve(_)) { Command::Up } else { self.command };
        self.run_until_done(goal);
    }

    fn run_until_done(&mut self, goal: Command) {
        let mut command = goal;
        let mut before = Facts::read(&self.session);
        for _ in 0..6 {
            let said = self.migrator(command, &command.arguments());
            let after = self.rest();
            self.find(oracle::judge(&after));
            let diverged = said.exit == Some(4);
            self.find(
                Trial { command, before: &before, after: &after, killed: false, undone: diverged, by_others: 0 }
                    .judge(&said),
            );
            match said.exit {
                Some(0) if command == goal => return,
                Some(0) => command = goal,
                Some(7) => self.decide(command, &said, &after),
                Some(4) if after.half_done().is_some_and(|(_, way, _)| way != command.way()) => {
                    let way_out = format!("run `{}` to finish it first", command.way().other().word());
                    if !said.stderr.contains(&way_out) {
                        self.find([format!("the way out is to {way_out}, which is not said")]);
                    }
                    command = command.opposite();
                }
                code => return self.find([format!("the next `{}` ended with {code:?}", command.arguments()[0])]),
            }
            before = after;
        }
        self.find([format!("six runs of `{}` were not enough", goal.arguments()[0])]);
    }

    fn decide(&mut self, of: Command, said: &Said, facts: &Facts) {
        let Some((version, statement)) = claims::asks_to_resolve(&said.stderr) else {
            return self.find(["exit code 7, but no decision is asked for".to_owned()]);
        };
        let migration = MIGRATIONS.iter().find(|migration| migration.version == version);
        let way = facts.half_done().map_or(Way::Up, |(_, way, _)| way);
        let units = migration.map_or(&[][..], |migration| migration.units(way));
        let Some(unit) = units.iter().find(|unit| unit.statement.to_string() == statement) else {
            return self.find([format!("a decision is asked for about statement {statement} of {version}")]);
        };
        if !matches!(unit.effect, Effect::Ledger(_)) || unit.is_transaction {
            self.find([format!("a person is asked about statement {statement} of {version}, which can be looked up")]);
        }
        let decision = if facts.is_there(&version, way, unit) { "--applied" } else { "--retry" };
        let said = self.migrator(of, &["resolve", &version, "--statement", &statement, decision]);
        self.outcome.decisions += 1;
        if said.exit != Some(0) {
            self.find([format!("`resolve` ended with {:?}", said.exit)]);
        }
    }

    /// Everything is done, exactly as without a fault; what was rolled back can be applied again.
    pub(crate) fn end(&mut self, task: Task) {
        let facts = self.rest();
        match self.command {
            Command::Stamp | Command::Adopt | Command::Down | Command::DownOfNewer => {
                self.find(oracle::judge(&facts));
                self.compare_schema(task);
            }
            _ => self.find(oracle::judge_complete(&facts)),
        }
        match self.command {
            // The repeatables are due.
            Command::Stamp | Command::Adopt => return self.check_status(self.command, 1),
            Command::Down | Command::DownOfNewer => {
                self.check_status(self.command, 1);
                self.run_until_done(Command::Up);
                let facts = self.rest();
                self.find(oracle::judge_complete(&facts));
            }
            Command::Up | Command::Seed | Command::Resolve(_) => {}
        }
        self.compare_schema(Task::Up);
        self.check_status(Command::Up, 0);
    }

    /// Compares the schema with that after a run without a fault.
    fn compare_schema(&mut self, task: Task) {
        let clean = &self.world.clean(task).schema;
        let schema = facts::schema(&self.session);
        for (lines, others, word) in [(clean, &schema, "missing"), (&schema, clean, "too much")] {
            let lines = lines.lines().filter(|line| !others.lines().any(|other| other == *line));
            self.find(lines.map(|line| format!("{word} in the schema: {line}")).collect::<Vec<_>>());
        }
    }

    fn check_status(&mut self, of: Command, exit: i32) {
        let said = self.migrator(of, &["status", "--check"]);
        if said.exit != Some(exit) {
            self.find([format!("`status --check` ended with {:?} instead of {exit}", said.exit)]);
        }
    }
}

/// The steps that were said to be done more often than they were.
pub(crate) fn miscounted(said: &[&Said], before: &Facts, after: &Facts) -> Vec<String> {
    let mut wrong = Vec::new();
    for migration in MIGRATIONS {
        for way in Way::BOTH {
            let told = claims::count_said(said, &migration.label(), way);
            let done = after.went(migration.version, way).len() - before.went(migration.version, way).len();
            if told > done {
                wrong.push(format!(
                    "{} went {} {done} times, and that was said {told} times",
                    migration.label(),
                    way.word()
                ));
            }
        }
    }
    wrong
}
