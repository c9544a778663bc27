//! Lists, counts, durations and text from outside, as parts of a sentence. Pure.

use std::time::Duration;

use migrator_diagnostic::printable;

/// Text from outside as a part of a line.
pub fn cell(text: &str) -> String {
    printable::line(text).replace('\t', " ")
}

/// How many names of a long list are shown.
const SHOWN: usize = 3;

/// `001_a, 002_b`; `001_a, 002_b, 003_c and 196 more`; `none`.
pub fn list<S: AsRef<str>>(names: &[S]) -> String {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    match &*names {
        [] => "none".to_owned(),
        // Cut only where that saves something.
        few if few.len() <= SHOWN + 2 => few.join(", "),
        many => format!("{} and {} more", many[..SHOWN].join(", "), many.len() - SHOWN),
    }
}

/// A number and a noun in the form that it takes: `1 file`, `2 files`, `2 queries`.
pub fn count(number: usize, noun: &str) -> String {
    match noun.strip_suffix('y') {
        _ if number == 1 => format!("1 {noun}"),
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{number} {stem}ies"),
        _ => format!("{number} {noun}s"),
    }
}

/// `412 ms`, `3.2 s`, `2 min 5 s`.
pub fn duration(duration: Duration) -> String {
    match duration.as_millis() {
        ms @ ..1_000 => format!("{ms} ms"),
        ms @ ..60_000 => format!("{:.1} s", ms as f64 / 1_000.0),
        ms => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1_000),
    }
}

/// `0.4 ms`: on an empty table most things take less than a millisecond.
pub fn precise(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1e3;
    if ms < 10.0 { format!("{ms:.1} ms") } else { duration(time) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_is_cut_and_counted() {
        let names = |count: usize| (1..=count).map(|n| format!("{n:03}_t")).collect::<Vec<_>>();
        assert_eq!(list::<&str>(&[]), "none");
        assert_eq!(list(&names(5)), "001_t, 002_t, 003_t, 004_t, 005_t");
        assert_eq!(list(&names(199)), "001_t, 002_t, 003_t and 196 more");
    }
}
