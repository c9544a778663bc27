//! `cargo xtask check`: everything that can be proved without a database.

mod append_only;
mod separation;

use std::process::ExitCode;

use anyhow::Result;
use migrator_build::{Problem, Severity};
use serde_json::{Value, json};

use crate::output;
use crate::workspace::Workspace;

/// Arguments of `check`.
#[derive(Debug, Default, clap::Args)]
#[command(
    after_help = "The rules of the db directory; no migration of the base branch is changed, renamed or deleted; \
                        no package but the migrator depends on the engine. Exit code 1: something was found.\n\n\
                        Example: cargo xtask check\n\
                        Example: cargo xtask check --base origin/release-2 --json"
)]
pub struct Args {
    /// The branch whose migrations are history [default: origin/main, where it exists]
    #[arg(long, value_name = "REF")]
    base: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Something that a check of ours found; the contract's problems come from migrator-build.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    check: &'static str,
    /// The path from the workspace's root, where a file is meant.
    file: Option<String>,
    message: String,
    help: String,
}

/// Everything that was found, and what could not be looked at.
#[derive(Debug, Default)]
struct Report {
    problems: Vec<Problem>,
    findings: Vec<Finding>,
    skipped: Vec<String>,
}

/// Runs every check, also when one has found something.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let workspace = Workspace::locate()?;
    let mut report = Report::default();
    let loaded = match migrator_build::load(&workspace.db()) {
        Ok(loaded) => {
            report.problems = loaded.warnings;
            Some(loaded.set)
        }
        Err(problems) => {
            report.problems = problems.0;
            None
        }
    };
    match append_only::check(&workspace, args.base.as_deref(), loaded.as_ref())? {
        append_only::Outcome::Checked(findings) => report.findings.extend(findings),
        append_only::Outcome::Skipped(reason) => report.skipped.push(reason),
    }
    report.findings.extend(separation::check(&workspace.metadata()?));

    if args.json {
        output::result(report.json());
    } else {
        output::result(report.text(output::color()));
    }
    Ok(if report.is_ok() { ExitCode::SUCCESS } else { ExitCode::from(output::FOUND) })
}

impl Report {
    fn errors(&self) -> usize {
        let errors = self.problems.iter().filter(|problem| problem.severity == Severity::Error).count();
        errors + self.findings.len()
    }

    fn is_ok(&self) -> bool {
        self.errors() == 0
    }

    fn text(&self, color: bool) -> String {
        let mut blocks: Vec<String> = self.problems.iter().map(|problem| problem.render(color)).collect();
        blocks.extend(self.findings.iter().map(|finding| finding.render(color)));
        blocks.extend(self.skipped.iter().map(|reason| format!("not checked: {reason}")));
        let (errors, warnings) = (self.errors(), self.problems.len() + self.findings.len() - self.errors());
        let count = |number: usize, what: &str| format!("{number} {what}{}", if number == 1 { "" } else { "s" });
        blocks.push(match (errors, warnings) {
            (0, 0) => "nothing found".to_owned(),
            _ => format!("{}, {}", count(errors, "error"), count(warnings, "warning")),
        });
        blocks.join("\n\n")
    }

    fn json(&self) -> Value {
        let problem = |problem: &Problem| {
            json!({
                "check": "contract",
                "severity": if problem.severity == Severity::Error { "error" } else { "warning" },
                "code": problem.code.to_string(),
                "file": problem.file,
                "line": problem.line,
                "column": problem.column,
                "message": problem.message,
                "help": problem.help,
            })
        };
        let finding = |finding: &Finding| {
            json!({
                "check": finding.check,
                "severity": "error",
                "file": finding.file,
                "message": finding.message,
                "help": finding.help,
            })
        };
        let findings: Vec<Value> = self.problems.iter().map(problem).chain(self.findings.iter().map(finding)).collect();
        json!({ "ok": self.is_ok(), "findings": findings, "skipped": self.skipped })
    }
}

impl Finding {
    /// In the manner of the contract's problems.
    fn render(&self, color: bool) -> String {
        let (red, bold, plain) = if color { ("\x1b[1;91m", "\x1b[1m", "\x1b[0m") } else { ("", "", "") };
        let place = self.file.as_deref().map_or(String::new(), |file| format!("\n--> {file}"));
        format!(
            "{red}error[{}]{plain}{bold}: {}{plain}{place}\n = {bold}help{plain}: {}",
            self.check, self.message, self.help
        )
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn report() -> Report {
        let finding = Finding {
            check: "append-only",
            file: Some("db/migrations/001_init.sql".into()),
            message: "deleted".into(),
            help: "restore it".into(),
        };
        Report { problems: Vec::new(), findings: vec![finding], skipped: vec!["this and that".into()] }
    }

    #[test]
    fn shows_findings_what_was_left_out_and_a_sum() {
        expect![[r#"
            error[append-only]: deleted
            --> db/migrations/001_init.sql
             = help: restore it

            not checked: this and that

            1 error, 0 warnings"#]]
        .assert_eq(&report().text(false));
        assert_eq!(Report::default().text(false), "nothing found");
    }

    #[test]
    fn json_has_the_same() {
        let expected = json!({
            "ok": false,
            "findings": [{
                "check": "append-only",
                "severity": "error",
                "file": "db/migrations/001_init.sql",
                "message": "deleted",
                "help": "restore it",
            }],
            "skipped": ["this and that"],
        });
        assert_eq!(report().json(), expected);
    }
}
