//! The version of the next migration.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};

/// The length of `YYYYMMDDHHMMSS`; versions of so many digits are taken for times.
const TIMESTAMP_DIGITS: usize = 14;

/// The width of the first version of an empty directory.
const FIRST_DIGITS: usize = 3;

/// How the versions of a directory follow one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Numbering {
    Sequential,
    Timestamp,
}

/// A version as it is written, and as the number that decides the order.
struct Version<'a> {
    number: i64,
    written: &'a str,
}

impl Version<'_> {
    fn numbering(&self) -> Numbering {
        if self.written.len() >= TIMESTAMP_DIGITS { Numbering::Timestamp } else { Numbering::Sequential }
    }
}

/// The version of a new file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Next {
    pub(super) version: String,
    /// The version of a file that is numbered otherwise than the rest and counts as newer than this one.
    pub(super) overtaken_by: Option<String>,
}

/// The version after the newest, in the style and width of most of them, unless `numbering` says otherwise. As many of one style
/// as of the other: the newest one decides.
///
/// One odd file does not change the style: where most are counted, a time among them is left out of account, and named.
pub(super) fn next(versions: &[String], numbering: Option<Numbering>, now: u64) -> Result<Next> {
    let mut all = Vec::new();
    for written in versions {
        let number = written.parse().with_context(|| format!("the version `{written}` is too large"))?;
        all.push(Version { number, written });
    }
    all.sort_by_key(|version| version.number);
    let usual = usual(&all);
    let newest_of = |style: Numbering| all.iter().rfind(|version| version.numbering() == style);
    let last = match (numbering, usual) {
        (None, Numbering::Sequential) => newest_of(Numbering::Sequential),
        _ => all.last(),
    };
    let (highest, digits) = last.map_or((0, FIRST_DIGITS), |version| (version.number, version.written.len()));
    let following = highest.checked_add(1).context("the newest version has the largest number possible")?;
    let number = match numbering.unwrap_or(usual) {
        Numbering::Sequential => following,
        // Two in one second, or a colleague's clock that is ahead: the order must hold all the same.
        Numbering::Timestamp => timestamp(now).max(following),
    };
    let overtaken_by = all.last().filter(|version| version.number > number);
    Ok(Next {
        version: match numbering.unwrap_or(usual) {
            Numbering::Sequential => format!("{number:0digits$}"),
            Numbering::Timestamp => number.to_string(),
        },
        overtaken_by: overtaken_by.map(|version| version.written.to_owned()),
    })
}

/// The style of most of them; `all` are ascending.
fn usual(all: &[Version<'_>]) -> Numbering {
    let times = all.iter().filter(|version| version.numbering() == Numbering::Timestamp).count();
    match times.cmp(&(all.len() - times)) {
        std::cmp::Ordering::Less => Numbering::Sequential,
        std::cmp::Ordering::Greater => Numbering::Timestamp,
        std::cmp::Ordering::Equal => all.last().map_or(Numbering::Sequential, Version::numbering),
    }
}

/// Seconds since 1970.
pub(super) fn now() -> Result<u64> {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is before 1970")?;
    Ok(elapsed.as_secs())
}

/// `YYYYMMDDHHMMSS` in UTC.
///
/// Years are counted from March, so that the leap day is the last one, and in eras of 400 years, which are all equal.
fn timestamp(seconds: u64) -> i64 {
    let (days, second) = ((seconds / 86_400).cast_signed(), (seconds % 86_400).cast_signed());
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    let date = (year * 100 + month) * 100 + day;
    date * 1_000_000 + (second / 3_600) * 10_000 + (second / 60 % 60) * 100 + second % 60
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_time_of_day_leap_days_and_ends_of_years() {
        for (seconds, expected) in [
            (0, "1970-01-01 00:00:00"),
            (951_782_399, "2000-02-28 23:59:59"),
            (951_782_400, "2000-02-29 00:00:00"),
            (951_868_800, "2000-03-01 00:00:00"),
            (1_767_225_599, "2025-12-31 23:59:59"),
            (1_767_225_600, "2026-01-01 00:00:00"),
            (4_107_542_400, "2100-03-01 00:00:00"),
        ] {
            let digits: String = expected.chars().filter(char::is_ascii_digit).collect();
            assert_eq!(timestamp(seconds).to_string(), digits);
        }
    }

    fn owned(versions: &[&str]) -> Vec<String> {
        versions.iter().map(|version| (*version).to_owned()).collect()
    }

    const NOW: u64 = 1_767_225_600;

    #[test]
    fn goes_on_in_the_style_and_width_of_the_newest() {
        let check = |versions: &[&str], numbering, expected: &str| {
            let next = next(&owned(versions), numbering, NOW).unwrap();
            assert_eq!((&*next.version, next.overtaken_by), (expected, None), "{versions:?}");
        };
        check(&[], None, "001");
        check(&[], Some(Numbering::Timestamp), "20260101000000");
        check(&["001", "010", "002"], None, "011");
        check(&["999"], None, "1000");
        check(&["9", "10"], None, "11");
        check(&["0001"], None, "0002");
        check(&["001"], Some(Numbering::Timestamp), "20260101000000");
        check(&["001", "20251231235959"], None, "20260101000000");
        check(&["20260101000000"], None, "20260101000001");
        check(&["20270101000000"], None, "20270101000001");
        check(&["20251231235959"], Some(Numbering::Sequential), "20251231235960");
        assert!(next(&owned(&["9223372036854775807"]), None, NOW).is_err());
    }

    #[test]
    fn one_odd_file_does_not_change_the_style() {
        let counted: Vec<String> = (1..=13).map(|number| format!("{number:03}")).collect();
        let with_a_time = [&counted[..], &owned(&["20251231235959"])].concat();
        let expected = Next { version: "014".into(), overtaken_by: Some("20251231235959".into()) };
        assert_eq!(next(&with_a_time, None, NOW).unwrap(), expected);
        let expected = Next { version: "20251231235960".into(), overtaken_by: None };
        assert_eq!(next(&with_a_time, Some(Numbering::Sequential), NOW).unwrap(), expected);
        let timed = owned(&["014", "20251230000000", "20251231000000"]);
        let expected = Next { version: "20260101000000".into(), overtaken_by: None };
        assert_eq!(next(&timed, None, NOW).unwrap(), expected);
    }
}
