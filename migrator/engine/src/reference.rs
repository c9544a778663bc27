//! What a command line says of itself: completions, man pages, help, and the meaning of its codes. Pure.

use clap::builder::StyledStr;
use clap::{Command, ValueEnum as _};
use clap_complete::{Generator as _, Shell};
use clap_mangen::Man;

/// The script with which a shell completes that program's command line.
pub fn completions(mut command: Command, program: &str, shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, program, &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// The scripts of all shells: the names under which these look for them, `_migrator`, and their texts.
pub fn all_completions(command: &Command, program: &str) -> Vec<(String, String)> {
    let script = |shell: &Shell| (shell.file_name(program), completions(command.clone(), program, *shell));
    Shell::value_variants().iter().map(script).collect()
}

/// The man pages of a program and of each of its commands: their names, `migrator-up.1`, and their texts.
pub fn pages(mut command: Command, program: &'static str) -> Vec<(String, String)> {
    command = command.name(program).bin_name(program).disable_help_subcommand(true);
    command.build();
    let mut all = Vec::new();
    add_pages(&command, program, &mut all);
    all
}

fn add_pages(command: &Command, name: &str, all: &mut Vec<(String, String)>) {
    let mut page = Vec::new();
    let shown = command.clone().display_name(name.to_owned());
    // Writing to memory cannot fail.
    if Man::new(shown).render(&mut page).is_ok() {
        all.push((format!("{name}.1"), String::from_utf8_lossy(&page).into_owned()));
    }
    for below in command.get_subcommands().filter(|below| !below.is_hide_set() && below.get_name() != "help") {
        add_pages(below, &format!("{name}-{}", below.get_name()), all);
    }
}

/// The long help of the command that these words name; `None`: there is none.
pub fn help(mut command: Command, words: &[String]) -> Option<StyledStr> {
    command.build();
    let mut found = &mut command;
    for word in words {
        found = found.find_subcommand_mut(word)?;
    }
    Some(found.render_long_help())
}

/// What is known of codes and hazards, by their names: db/README.md, which the tests compare with the rules.
const README: &str = include_str!("codes.md");

/// The paragraph of a problem's code (`M012`) or of a hazard (`ban-drop-column`), as text; `None`: there is none of that name.
pub fn code(name: &str) -> Option<String> {
    let name = name.to_ascii_lowercase();
    let behind = |heading: &str| README.split_once(&format!("\n## {heading}\n")).map(|(_, behind)| behind);
    let section = |heading: &str| behind(heading).and_then(|behind| behind.split("\n## ").next());
    let codes = section("Problems and their codes")?.split("\n### ").skip(1);
    let is_meant =
        |paragraph: &&str| paragraph.split_once(' ').is_some_and(|(code, _)| code.to_ascii_lowercase() == name);
    if let Some(paragraph) = codes.clone().find(is_meant) {
        return Some(plain(paragraph));
    }
    section("Hazards")?.lines().find_map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [rule, lock, way] = cells[..] else { return None };
        (rule == format!("`{name}`")).then(|| {
            format!(
                "{name}\n\nA hazard: a statement that is correct and still dangerous.\n\nLock: {lock}\n\nThe safe way: {way}\n\nTo allow it, write \
                 above the statement:\n\n    -- migrate:allow {name} the reason"
            )
        })
    })
}

/// The names that [`code`] knows.
pub fn codes() -> Vec<String> {
    let codes = README.lines().filter_map(|line| line.strip_prefix("### M")?.split(' ').next());
    let codes = codes.filter(|digits| digits.len() == 3).map(|digits| format!("M{digits}"));
    let rules = README.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | ")).map(|(rule, _)| rule);
    let is_rule = |rule: &&str| rule.contains('-') && rule.chars().all(|c| c.is_ascii_lowercase() || c == '-');
    codes.chain(rules.filter(is_rule).map(str::to_owned)).filter(|name| code(name).is_some()).collect()
}

/// Markdown as it reads in a terminal: a line is a paragraph, fences are indented, a link is its words.
fn plain(markdown: &str) -> String {
    let (mut lines, mut fenced): (Vec<String>, bool) = (Vec::new(), false);
    for line in markdown.trim().lines() {
        if line.starts_with("```") {
            fenced = !fenced;
            continue;
        }
        let joins = |before: &&mut String| !before.is_empty() && !before.starts_with(' ') && !line.is_empty();
        match lines.last_mut().filter(joins) {
            _ if fenced => lines.push(format!("    {line}").trim_end().to_owned()),
            Some(before) => {
                before.push(' ');
                before.push_str(line);
            }
            None => lines.push(line.to_owned()),
        }
    }
    lines.iter().map(|line| without_links(line)).collect::<Vec<_>>().join("\n")
}

/// `[words](place)` is `words`.
fn without_links(line: &str) -> String {
    let (mut text, mut rest) = (String::new(), line);
    while let Some((before, behind)) = rest.split_once('[') {
        text.push_str(before);
        let link = behind.split_once("](").and_then(|(words, place)| Some((words, place.split_once(')')?.1)));
        match link.filter(|(words, _)| !words.contains('[')) {
            Some((words, after)) => {
                text.push_str(words);
                rest = after;
            }
            None => {
                text.push('[');
                rest = behind;
            }
        }
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_and_a_hazard_have_a_paragraph() {
        let misspelled = code("m012").unwrap();
        assert!(misspelled.starts_with("M012 misspelled marker\n\nAn error. "), "{misspelled}");
        assert!(misspelled.contains("\n    -- Migrate:Down\n") && !misspelled.contains("```"), "{misspelled}");
        let hazard = code("ban-drop-column").unwrap();
        assert!(hazard.contains("AccessExclusive") && hazard.contains("-- migrate:allow ban-drop-column"), "{hazard}");
        assert!([code("M999"), code(""), code("rule")].iter().all(Option::is_none));
        assert!(codes().len() > 80, "{:?}", codes());
    }

    #[test]
    fn a_link_is_its_words() {
        assert_eq!(without_links("see [M010](#m010) and [x] or a[1](b"), "see M010 and [x] or a[1](b");
    }
}
