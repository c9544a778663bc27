//! `cargo xtask new`.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};

use crate::output::{self, Usage};
use crate::workspace::{Workspace, shown};

/// The templates that every workspace has; a file of the same name in db/templates takes precedence.
const TEMPLATES: &[(&str, &str)] = &[
    ("versioned", include_str!("templates/versioned.sql")),
    ("repeatable", include_str!("templates/repeatable.sql")),
    ("extension", include_str!("templates/extension.sql")),
    ("index", include_str!("templates/index.sql")),
    ("backfill", include_str!("templates/backfill.sql")),
];

/// The length of `YYYYMMDDHHMMSS`; versions of so many digits are taken for times.
const TIMESTAMP_DIGITS: usize = 14;

/// The width of the first version of an empty directory.
const FIRST_DIGITS: usize = 3;

/// Arguments of `new`.
#[derive(Debug, clap::Args)]
#[command(after_help = "The version continues the numbering in db/migrations, which starts at 001.\n\
                        Templates: versioned, repeatable (into db/repeatable), extension, index (concurrently), backfill \
                        (in batches), and every db/templates/NAME.sql, in which {{name}}, {{purpose}} and {{typed}} are \
                        replaced. A template without `-- migrate:up` makes a repeatable.\n\n\
                        Example: cargo xtask new add_users_locale\n\
                        Example: cargo xtask new orders_status_idx --template index")]
pub struct Args {
    /// What the migration does, in a few words
    name: String,
    /// The template to start from
    #[arg(long, short, default_value = "versioned")]
    template: String,
    /// Use the time (UTC) as the version
    #[arg(long, conflicts_with = "sequential")]
    timestamp: bool,
    /// Use the next number as the version
    #[arg(long)]
    sequential: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Numbering {
    Sequential,
    Timestamp,
}

/// Writes the file and prints its path.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let db = Workspace::locate()?.db();
    let name = clean(&args.name)?;
    let text = fill(&template(&db, &args.template)?, &name, &args.name);
    let path = if text.lines().any(|line| line.starts_with("-- migrate:up")) {
        let numbering = match (args.timestamp, args.sequential) {
            (true, _) => Some(Numbering::Timestamp),
            (_, true) => Some(Numbering::Sequential),
            _ => None,
        };
        let version = next_version(&versions(&db.join("migrations"))?, numbering, now()?)?;
        db.join("migrations").join(format!("{version}_{name}.sql"))
    } else {
        db.join("repeatable").join(format!("{name}.sql"))
    };
    write_new(&path, &text)?;
    output::result(shown(&path).display());
    Ok(ExitCode::SUCCESS)
}

fn write_new(path: &Path, text: &str) -> Result<()> {
    let write = || -> io::Result<()> {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        File::create_new(path)?.write_all(text.as_bytes())
    };
    write().with_context(|| format!("failed to write the new file `{}`", shown(path).display()))
}

/// The workspace's own template of that name, else ours.
fn template(db: &Path, name: &str) -> Result<String> {
    let directory = db.join("templates");
    let is_plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if is_plain {
        let path = directory.join(format!("{name}.sql"));
        let text = migrator_build::read_file(&path).and_then(|bytes| {
            String::from_utf8(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
        });
        match text {
            Ok(text) => return Ok(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(|| format!("failed to read `{}`", shown(&path).display())),
        }
    }
    if let Some((_, text)) = TEMPLATES.iter().find(|(known, _)| *known == name) {
        return Ok((*text).to_owned());
    }
    let mut known: Vec<String> = TEMPLATES.iter().map(|(known, _)| format!("`{known}`")).collect();
    for entry in fs::read_dir(&directory).into_iter().flatten().flatten() {
        if let Some(own) = entry.file_name().to_str().and_then(|file| file.strip_suffix(".sql")) {
            known.push(format!("`{own}`"));
        }
    }
    known.sort();
    known.dedup();
    Err(Usage(format!("unknown template `{name}`\nhelp: the templates are {}", known.join(", "))).into())
}

/// A name that a file can have on every system and that dbmate takes too.
fn clean(typed: &str) -> Result<String> {
    let replaced: String = typed.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let words: Vec<&str> = replaced.split('_').filter(|word| !word.is_empty()).collect();
    if words.is_empty() {
        let message =
            format!("`{typed}` has no letter or digit that a file name can have\nhelp: use A-Z, a-z, 0-9 and _");
        return Err(Usage(message).into());
    }
    Ok(words.join("_"))
}

fn fill(template: &str, name: &str, typed: &str) -> String {
    // Neither a line break nor a quote of the typed name may leave its comment or its identifier.
    let typed: String = typed.trim().chars().filter(|c| !c.is_control() && *c != '"').collect();
    let purpose = typed.replace('_', " ");
    template.replace("{{name}}", name).replace("{{purpose}}", purpose.trim()).replace("{{typed}}", &typed)
}

/// The versions in a directory, as they are written. Other files are left to `check`.
fn versions(directory: &Path) -> Result<Vec<String>> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.with_context(|| format!("failed to read `{}`", shown(directory).display()))?,
    };
    let mut versions = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        let Some((version, _)) = name.to_str().and_then(|name| name.strip_suffix(".sql")?.split_once('_')) else {
            continue;
        };
        if !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit()) {
            versions.push(version.to_owned());
        }
    }
    Ok(versions)
}

/// The version after the newest: in its style and width, unless `numbering` says otherwise; always a greater number.
fn next_version(versions: &[String], numbering: Option<Numbering>, now: u64) -> Result<String> {
    let mut newest: Option<(i64, &str)> = None;
    for version in versions {
        let number = version.parse().with_context(|| format!("the version `{version}` is too large"))?;
        newest = newest.max(Some((number, version)));
    }
    let numbering = numbering.unwrap_or(match newest {
        Some((_, version)) if version.len() >= TIMESTAMP_DIGITS => Numbering::Timestamp,
        _ => Numbering::Sequential,
    });
    let (highest, digits) = newest.map_or((0, FIRST_DIGITS), |(number, version)| (number, version.len()));
    let following = highest.checked_add(1).context("there is no number above the newest version")?;
    Ok(match numbering {
        Numbering::Sequential => format!("{following:0digits$}"),
        // Two in one second, or a colleague's clock that is ahead: the order must hold all the same.
        Numbering::Timestamp => format!("{}", timestamp(now).max(following)),
    })
}

fn now() -> Result<u64> {
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
    use expect_test::expect;

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

    #[test]
    fn goes_on_in_the_style_and_width_of_the_newest() {
        let now = 1_767_225_600;
        let check = |versions: &[&str], numbering, expected: &str| {
            let versions: Vec<String> = versions.iter().map(|version| (*version).to_owned()).collect();
            assert_eq!(next_version(&versions, numbering, now).unwrap(), expected, "{versions:?}");
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
        assert!(next_version(&["9223372036854775807".into()], None, now).is_err());
    }

    #[test]
    fn cleans_a_name_to_what_every_file_system_takes() {
        for (typed, expected) in [
            ("add_users_locale", "add_users_locale"),
            ("add users' locale", "add_users_locale"),
            ("  Größe -- ändern ", "Gr_e_ndern"),
            ("../../etc/passwd", "etc_passwd"),
        ] {
            assert_eq!(clean(typed).unwrap(), expected);
        }
        assert!(clean("äöü").unwrap_err().is::<Usage>());
    }

    #[test]
    fn fills_in_the_name_without_leaving_the_comment_or_the_identifier() {
        let text = fill("-- Purpose: {{purpose}}\nx \"{{typed}}\" {{name}}", "a_b", "a_b\n\"; DROP");
        expect![[r#"
            -- Purpose: a b; DROP
            x "a_b; DROP" a_b"#]]
        .assert_eq(&text);
    }

    #[test]
    fn a_fresh_file_of_every_template_passes_the_build() {
        let folder = tempfile::tempdir().unwrap();
        let db = folder.path().join("db");
        fs::create_dir_all(db.join("migrations")).unwrap();
        for (index, (template, text)) in TEMPLATES.iter().enumerate() {
            let text = fill(text, "uuid_ossp", "uuid-ossp");
            let path = match *template {
                "repeatable" => db.join("repeatable/uuid_ossp.sql"),
                _ => db.join(format!("migrations/{index}_uuid_ossp.sql")),
            };
            write_new(&path, &text).unwrap();
        }
        if let Err(problems) = migrator_build::load(&db) {
            panic!("{problems}");
        }
    }

    #[test]
    fn never_overwrites_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("repeatable/roles.sql");
        write_new(&path, "first").unwrap();
        assert!(write_new(&path, "second").is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "first");
    }

    #[test]
    fn the_workspaces_own_template_takes_precedence() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("templates")).unwrap();
        fs::write(folder.path().join("templates/versioned.sql"), "own").unwrap();
        fs::write(folder.path().join("templates/audit.sql"), "audit").unwrap();
        assert_eq!(template(folder.path(), "versioned").unwrap(), "own");
        assert_eq!(template(folder.path(), "audit").unwrap(), "audit");
        expect![[r#"
            unknown template `../x`
            help: the templates are `audit`, `backfill`, `extension`, `index`, `repeatable`, `versioned`"#]]
        .assert_eq(&template(folder.path(), "../x").unwrap_err().to_string());
    }
}
