//! What only seems to have gone: asked for on a terminal, never guessed.

use std::io::{self, IsTerminal};

use migrator_engine::output::confirm;

use super::rename::Rename;
use crate::author::diff::Alike;

/// Asks about each pair; what is not on a terminal gets no answer.
pub(super) fn ask(alike: &[Alike]) -> Vec<Rename> {
    let mut renamed: Vec<&Alike> = Vec::new();
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Vec::new();
    }
    for pair in alike {
        // Each has one name.
        if renamed.iter().any(|one| one.old == pair.old || one.now() == pair.now()) {
            continue;
        }
        match confirm(&format!("`{}`: renamed from `{}`?", pair.now(), pair.name())) {
            Some(true) => renamed.push(pair),
            Some(false) => {}
            None => break,
        }
    }
    renamed.into_iter().filter_map(Rename::answered).collect()
}

/// The options that keep what would be dropped, as a shell takes them.
pub(super) fn options(alike: &[Alike], losses: &[String]) -> Vec<String> {
    let lost = alike.iter().filter(|pair| losses.contains(&pair.old));
    let option = |pair: &Alike| {
        let text = format!("{}={}", pair.old, pair.new);
        match text.chars().all(|c| c.is_alphanumeric() || "._=".contains(c)) {
            true => format!("`--renamed {text}`"),
            false => format!("`--renamed '{}'`", text.replace('\'', "'\\''")),
        }
    };
    lost.map(option).collect()
}
