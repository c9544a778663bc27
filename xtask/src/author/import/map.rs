//! db/imported.toml: which of the other tool's migrations each of ours is.

use super::draft::{Draft, Repeatable, Row};
use super::tool::Tool;

/// The file's name in the db directory.
pub(crate) const FILE: &str = "imported.toml";

/// The text of the file.
pub(crate) fn text(tool: &Tool, versions: &[String], drafts: &[Draft], repeatables: &[Repeatable]) -> String {
    let name = tool.name;
    let mut text = format!(
        "# Written by `cargo xtask import {name}`: where each migration comes from. `migrator adopt {name}` reads it.\n\
         # Keep it until every database is adopted; then delete it.\ntool = {}\n",
        quoted(name)
    );
    for (version, draft) in versions.iter().zip(drafts) {
        text.push_str(&format!("\n[[migrations]]\nversion = {}\n", quoted(version)));
        row(&mut text, &draft.row, Some(&draft.row.name), &draft.files[0]);
    }
    for repeatable in repeatables {
        text.push_str(&format!("\n[[repeatables]]\nname = {}\n", quoted(&repeatable.name)));
        row(&mut text, &repeatable.row, None, &repeatable.file);
    }
    text
}

fn row(text: &mut String, row: &Row, name: Option<&str>, file: &str) {
    text.push_str(&format!("source = {}\n", quoted(&row.source)));
    if let Some(name) = name {
        text.push_str(&format!("name = {}\n", quoted(name)));
    }
    let checksums: Vec<String> = row.checksums.iter().map(|sum| quoted(sum)).collect();
    text.push_str(&format!("file = {}\nchecksums = [{}]\n", quoted(file), checksums.join(", ")));
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            _ if character.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(character))),
            _ => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn every_text_is_a_string_of_toml() {
        assert_eq!(quoted("a \"b\" \\ ä\n"), "\"a \\\"b\\\" \\\\ ä\\u000A\"");
    }
}
