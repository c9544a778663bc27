//! A server's log: with log_statement, or with log_min_duration_statement.

use super::recorded::Statement;

/// Whether a line is of a log, and has a statement.
pub(super) fn is_of_log(line: &str) -> bool {
    message(line).and_then(statement).is_some()
}

/// The statements of a log in text; what is not of the first line follows a tab.
pub(super) fn statements(text: &str) -> Vec<Statement> {
    let mut found: Vec<Statement> = Vec::new();
    let mut is_inside = false;
    for (index, line) in text.lines().enumerate() {
        if let Some(more) = line.strip_prefix('\t') {
            if let Some(last) = found.last_mut().filter(|_| is_inside) {
                last.text.push('\n');
                last.text.push_str(more);
            }
            continue;
        }
        let text = message(line).and_then(statement);
        is_inside = text.is_some();
        found.extend(text.map(|text| Statement { text: text.to_owned(), line: index + 1 }));
    }
    found
}

/// What a line says, after its prefix, which every server may have in another form.
fn message(line: &str) -> Option<&str> {
    let (before, message) = line.split_once("LOG:  ")?;
    (before.is_empty() || before.ends_with([' ', ':', ']'])).then_some(message)
}

/// The statement in a message, if it has one.
pub(super) fn statement(message: &str) -> Option<&str> {
    let rest = match message.strip_prefix("duration: ") {
        Some(duration) => duration.split_once(" ms  ")?.1,
        None => message,
    };
    if let Some(text) = rest.strip_prefix("statement: ") {
        return Some(text);
    }
    let prepared = ["execute ", "parse ", "bind "].iter().find_map(|kind| rest.strip_prefix(kind))?;
    Some(prepared.split_once(": ")?.1)
}
