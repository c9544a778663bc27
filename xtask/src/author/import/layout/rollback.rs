//! The rollback of a Liquibase changeset: `--rollback` lines, and `/* liquibase rollback */` comments.

use crate::author::import::draft::Part;

/// What is found of it, line by line.
#[derive(Debug, Default)]
pub(crate) struct Rollback {
    text: String,
    line: usize,
    /// True inside a block comment.
    inside: bool,
    notes: Vec<String>,
}

impl Rollback {
    /// Takes a line that belongs to it.
    pub(crate) fn take(&mut self, line: &str, number: usize) -> bool {
        let bare = line.trim_end();
        if self.inside {
            self.inside = !bare.ends_with("*/");
            self.push(bare.strip_suffix("*/").unwrap_or(bare), number);
            return true;
        }
        let opening = bare.trim_start().strip_prefix("/*").map(|rest| rest.trim().to_lowercase());
        if opening.is_some_and(|rest| rest.split_whitespace().eq(["liquibase", "rollback"])) {
            self.inside = true;
            return true;
        }
        let body = bare.trim_start().strip_prefix("--").map(str::trim_start);
        let Some(rest) = body.and_then(|body| body.split_at_checked("rollback".len())) else { return false };
        if !rest.0.eq_ignore_ascii_case("rollback") || !(rest.1.is_empty() || rest.1.starts_with([' ', '\t'])) {
            return false;
        }
        self.push(rest.1.strip_prefix([' ', '\t']).unwrap_or(rest.1), number);
        true
    }

    fn push(&mut self, text: &str, number: usize) {
        if self.text.is_empty() {
            self.line = number;
        }
        self.text.push_str(text);
        self.text.push('\n');
    }

    /// The down part of a changeset, and what is to be said.
    pub(crate) fn end(mut self, up: &Part) -> (Option<Part>, Vec<String>) {
        let lower = self.text.trim().to_lowercase();
        if lower.is_empty() {
            return (None, self.notes);
        }
        if lower.starts_with("empty") || lower.starts_with("not required") {
            self.notes.push(format!("`--rollback {}`: nothing to undo", self.text.trim()));
            self.text = format!("-- rollback {}\nSELECT 1;\n", self.text.trim());
        } else if lower.contains("changesetid:") {
            self.notes.push(format!("line {}: its rollback is another changeset: kept as a comment", self.line));
            self.text = self.text.lines().map(|line| format!("-- rollback {line}\n")).collect();
        }
        let part = Part { file: up.file.clone(), line: self.line, text: self.text, off: up.off, unchecked: None };
        (Some(part), self.notes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(lines: &str) -> String {
        let mut rollback = Rollback::default();
        let rest: Vec<&str> = lines
            .lines()
            .enumerate()
            .filter(|(index, line)| !rollback.take(line, index + 1))
            .map(|(_, line)| line)
            .collect();
        let (part, notes) = rollback.end(&Part::default());
        format!(
            "{} | {} | {}",
            rest.join(";"),
            part.map_or_else(|| "none".to_owned(), |part| part.text.replace('\n', ";")),
            notes.join(";")
        )
    }

    #[test]
    fn is_taken_out_of_the_changeset() {
        assert_eq!(
            said("a\n--rollback DROP a;\n-- ROLLBACK DROP b;\n--rollbacks"),
            "a;--rollbacks | DROP a;;DROP b;; | "
        );
        assert_eq!(said("a\n/* liquibase rollback\nDROP a;\nDROP b; */\nc"), "a;c | DROP a;;DROP b; ; | ");
        assert_eq!(
            said("a\n--rollback empty"),
            "a | -- rollback empty;SELECT 1;; | `--rollback empty`: nothing to undo"
        );
        assert!(said("--rollback changesetId:1 changesetAuthor:a").contains("-- rollback changesetId:1"));
        assert_eq!(said("a"), "a | none | ");
    }
}
