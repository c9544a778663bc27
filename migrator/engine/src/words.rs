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

/// `812 bytes`, `96 kB`, `1.2 GB`: by 1,024, as PostgreSQL counts.
pub fn bytes(bytes: i64) -> String {
    let (mut size, mut unit) = (bytes as f64, "bytes");
    for larger in ["kB", "MB", "GB", "TB"] {
        if size < 1_023.5 {
            break;
        }
        (size, unit) = (size / 1_024.0, larger);
    }
    if unit != "bytes" && size < 9.95 { format!("{size:.1} {unit}") } else { format!("{size:.0} {unit}") }
}

/// `3,400,000`.
pub fn thousands(count: i64) -> String {
    let digits = count.unsigned_abs().to_string();
    let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().filter_map(|group| str::from_utf8(group).ok()).collect();
    format!("{}{}", if count < 0 { "-" } else { "" }, groups.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_counts_are_short() {
        let sizes = [0, 812, 8_192, 98_304, 1_048_000, 1_288_490_189, 17_179_869_184, i64::MAX];
        let shown = ["0 bytes", "812 bytes", "8.0 kB", "96 kB", "1023 kB", "1.2 GB", "16 GB", "8388608 TB"];
        assert_eq!(sizes.map(bytes), shown);
        assert_eq!([0, 999, 1_000, 3_400_000, -12_345].map(thousands), ["0", "999", "1,000", "3,400,000", "-12,345"]);
    }

    #[test]
    fn a_long_list_is_cut_and_counted() {
        let names = |count: usize| (1..=count).map(|n| format!("{n:03}_t")).collect::<Vec<_>>();
        assert_eq!(list::<&str>(&[]), "none");
        assert_eq!(list(&names(5)), "001_t, 002_t, 003_t, 004_t, 005_t");
        assert_eq!(list(&names(199)), "001_t, 002_t, 003_t and 196 more");
    }
}
