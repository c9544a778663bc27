//! What was found, in three forms: as text, as JSON, as annotations of a pull request.

use anstyle::{AnsiColor, Style};
use migrator_build::{Problem, Severity};
use migrator_diagnostic::{Level, printable};
use migrator_engine::words::count;
use migrator_lint::Hazard;
use serde_json::{Value, json};

use crate::prove::compat::{Weighed, Weight};

/// One thing that a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) check: &'static str,
    pub(super) severity: Severity,
    /// The code of a problem with the files, such as `M012`.
    pub(super) code: Option<&'static str>,
    /// The rule of a hazard, which an allow can name.
    pub(super) rule: Option<&'static str>,
    /// The path from the workspace's root, where a file is meant.
    pub(super) file: Option<String>,
    /// From 1; 0: the file as a whole.
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) message: String,
    /// The lock and the reason of a hazard.
    pub(super) notes: [String; 2],
    pub(super) help: String,
    /// With source line and caret, where a check has made it itself.
    pub(super) rendered: Option<String>,
}

impl Finding {
    /// An error without a line.
    pub(super) fn of_check(check: &'static str, file: Option<String>, message: String, help: String) -> Finding {
        Finding {
            check,
            severity: Severity::Error,
            code: None,
            rule: None,
            file,
            line: 0,
            column: 0,
            message,
            notes: [String::new(), String::new()],
            help,
            rendered: None,
        }
    }

    pub(super) fn of_problem(problem: &Problem, color: bool) -> Finding {
        let file = Some(problem.file.clone());
        Finding {
            severity: problem.severity,
            code: Some(problem.code.as_str()),
            line: problem.line,
            column: problem.column,
            rendered: Some(problem.render(color)),
            ..Finding::of_check("contract", file, problem.message.clone(), problem.help.clone())
        }
    }

    pub(super) fn of_hazard(hazard: &Hazard, color: bool) -> Finding {
        Finding {
            rule: Some(hazard.rule),
            line: hazard.line,
            column: hazard.column,
            notes: [hazard.lock.clone(), hazard.reason.to_owned()],
            rendered: Some(hazard.render(color)),
            ..Finding::of_check("hazard", Some(hazard.file.clone()), hazard.message.clone(), hazard.help.clone())
        }
    }

    /// A hazard, and what the queries of the running release say of it.
    pub(super) fn of_weighed(weighed: &Weighed, color: bool) -> Finding {
        let (severity, level) = match weighed.weight {
            Weight::Unneeded => (Severity::Warning, Level::Warning),
            Weight::Breaks(_) | Weight::Unsure(_) => (Severity::Error, Level::Error),
        };
        let plain = Finding::of_hazard(&weighed.hazard, color);
        let [lock, reason] = &plain.notes;
        Finding {
            severity,
            notes: [lock.clone(), format!("{reason}; {}", weighed.sentence)],
            rendered: Some(weighed.hazard.render_as(level, &weighed.sentence, color)),
            ..plain
        }
    }

    /// In the manner of the contract's problems.
    fn text(&self, color: bool) -> String {
        if let Some(rendered) = &self.rendered {
            return rendered.clone();
        }
        let styled = |style: Style| if color { style } else { Style::new() };
        let (red, bold) = (styled(AnsiColor::BrightRed.on_default().bold()), styled(Style::new().bold()));
        let line = if self.line == 0 { String::new() } else { format!(":{}:{}", self.line, self.column) };
        let place = self.file.as_deref().map_or(String::new(), |file| format!("\n--> {}{line}", printable::line(file)));
        format!(
            "{red}error[{}]{red:#}{bold}: {}{bold:#}{place}\n = {bold}help{bold:#}: {}",
            self.check,
            printable::lines(&self.message, "  "),
            printable::lines(&self.help, "         ")
        )
    }

    fn json(&self) -> Value {
        let number = |number: usize| if number == 0 { Value::Null } else { number.into() };
        let note = |text: &str| if text.is_empty() { Value::Null } else { text.into() };
        json!({
            "check": self.check,
            "severity": severity(self.severity),
            "code": self.code,
            "rule": self.rule,
            "file": self.file,
            "line": number(self.line),
            "column": number(self.column),
            "message": self.message,
            "lock": note(&self.notes[0]),
            "reason": note(&self.notes[1]),
            "help": self.help,
        })
    }

    /// A workflow command. `prefix` leads from the root of the repository to the workspace.
    fn annotation(&self, prefix: &str) -> String {
        let mut properties = Vec::new();
        if let Some(file) = &self.file {
            properties.push(format!("file={}", property(&format!("{prefix}{file}"))));
        }
        if self.line > 0 {
            properties.push(format!("line={},col={}", self.line, self.column));
        }
        let name = self.rule.or(self.code).unwrap_or(self.check);
        properties.push(format!("title={}", property(name)));
        let notes = [("lock", &self.notes[0]), ("reason", &self.notes[1]), ("help", &self.help)];
        let notes = notes.iter().filter(|(_, text)| !text.is_empty()).map(|(name, text)| format!("\n{name}: {text}"));
        let message = data(&format!("{}{}", self.message, notes.collect::<String>()));
        format!("::{} {}::{message}", severity(self.severity), properties.join(","))
    }
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

/// A message ends at the line end, and a percent sign begins an escape.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property ends at a comma as well, and the list of them at a colon.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Everything that was found, and what could not be looked at.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) findings: Vec<Finding>,
    pub(super) skipped: Vec<String>,
}

impl Report {
    fn errors(&self) -> usize {
        self.findings.iter().filter(|finding| finding.severity == Severity::Error).count()
    }

    pub(super) fn is_ok(&self) -> bool {
        self.errors() == 0
    }

    /// What could not be looked at, a line each.
    pub(super) fn skipped(&self) -> Vec<String> {
        self.skipped.iter().map(|reason| format!("skipped: {reason}")).collect()
    }

    /// For people.
    pub(super) fn text(&self, color: bool) -> String {
        let mut blocks: Vec<String> = self.findings.iter().map(|finding| finding.text(color)).collect();
        blocks.extend(self.skipped());
        blocks.push(self.count());
        blocks.join("\n\n")
    }

    /// `2 errors, 1 warning`.
    pub(super) fn count(&self) -> String {
        let (errors, warnings) = (self.errors(), self.findings.len() - self.errors());
        match (errors, warnings) {
            (0, 0) => "nothing found".to_owned(),
            _ => format!("{}, {}", count(errors, "error"), count(warnings, "warning")),
        }
    }

    /// One array.
    pub(super) fn json(&self) -> Value {
        self.findings.iter().map(Finding::json).collect()
    }

    /// Annotations, one line each.
    pub(super) fn annotations(&self, prefix: &str) -> Vec<String> {
        self.findings.iter().map(|finding| finding.annotation(prefix)).collect()
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn report() -> Report {
        let file = Some("db/migrations/001_init.sql".into());
        let whole = Finding::of_check("append-only", file, "deleted".into(), "restore it".into());
        let placed = Finding {
            severity: Severity::Warning,
            rule: Some("some-rule"),
            file: Some("db/a,b:c.sql".into()),
            line: 3,
            column: 7,
            message: "100 % wrong".into(),
            notes: ["Share".to_owned(), "slow".to_owned()],
            ..whole.clone()
        };
        Report { findings: vec![whole, placed], skipped: vec!["this and that".into()] }
    }

    #[test]
    fn shows_findings_what_was_left_out_and_a_sum() {
        let mut report = report();
        report.findings.pop();
        expect![[r#"
            error[append-only]: deleted
            --> db/migrations/001_init.sql
             = help: restore it

            skipped: this and that

            1 error, 0 warnings"#]]
        .assert_eq(&report.text(false));
        assert_eq!(Report::default().text(false), "nothing found");
    }

    #[test]
    fn json_is_an_array_in_which_every_finding_has_every_field() {
        expect![[r#"
            [
              {
                "check": "append-only",
                "code": null,
                "column": null,
                "file": "db/migrations/001_init.sql",
                "help": "restore it",
                "line": null,
                "lock": null,
                "message": "deleted",
                "reason": null,
                "rule": null,
                "severity": "error"
              },
              {
                "check": "append-only",
                "code": null,
                "column": 7,
                "file": "db/a,b:c.sql",
                "help": "restore it",
                "line": 3,
                "lock": "Share",
                "message": "100 % wrong",
                "reason": "slow",
                "rule": "some-rule",
                "severity": "warning"
              }
            ]"#]]
        .assert_eq(&serde_json::to_string_pretty(&report().json()).unwrap());
    }

    #[test]
    fn an_annotation_is_one_line_whose_text_cannot_end_it() {
        expect![[r#"
            ::error file=shop/db/migrations/001_init.sql,title=append-only::deleted%0Ahelp: restore it
            ::warning file=shop/db/a%2Cb%3Ac.sql,line=3,col=7,title=some-rule::100 %25 wrong%0Alock: Share%0Areason: slow%0Ahelp: restore it"#]].assert_eq(&report().annotations("shop/").join("\n"));
    }
}
