//! What clap says of a command line, fit to be printed. Pure.

use clap::error::{ContextKind, ContextValue};
use migrator_diagnostic::printable;

/// Makes what clap says of a command line fit to be printed: nothing in it commands a terminal, and a word that may be a URL or hold a
/// password is not repeated.
pub fn make_printable(error: &mut clap::Error) {
    let changed: Vec<(ContextKind, ContextValue)> = error
        .context()
        .filter_map(|(kind, value)| match value {
            ContextValue::String(text) => Some((kind, ContextValue::String(shown(text)))),
            ContextValue::Strings(texts) => {
                Some((kind, ContextValue::Strings(texts.iter().map(|text| shown(text)).collect())))
            }
            _ => None,
        })
        .collect();
    for (kind, value) in changed {
        error.insert(kind, value);
    }
}

/// A word that may be a URL or hold a password is not repeated.
pub(super) fn shown(word: &str) -> String {
    let lower = word.to_lowercase();
    // Options are named with their placeholders, `--database-url <URL>`: only given values can contain these.
    if lower.contains("://") || lower.contains("password") || lower.contains('@') {
        return "...".to_owned();
    }
    printable::line(word).into_owned()
}
