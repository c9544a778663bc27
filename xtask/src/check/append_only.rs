//! No migration that the base branch has may change: it may have been applied.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use migrator_build::model::Set;
use xshell::{Shell, cmd};

use super::report::Finding;
use crate::base::{self, Base, Commit};
use crate::workspace::Workspace;

const CHECK: &str = "append-only";

/// The list of what a baseline stands for.
const SQUASHED: &str = "db/squashed.txt";

/// The folder of the workspace that is compared.
const MIGRATIONS: &str = "db/migrations";

pub(super) enum Outcome {
    Checked(Vec<Finding>),
    /// Why there is no history to compare with.
    Skipped(String),
}

/// The migrations of one side, by the number of the version.
type Side = BTreeMap<i64, File>;

#[derive(Debug, Clone, PartialEq, Eq)]
struct File {
    name: String,
    text: String,
    /// Of the up block; `None` where the directory has errors.
    checksum: Option<String>,
}

/// Compares the working tree with the commit where it left the base branch.
///
/// # Errors
/// A base was named that does not exist, the histories have nothing in common (a shallow clone), or git fails.
pub(super) fn check(workspace: &Workspace, base: Option<&str>, loaded: Option<&Set>) -> Result<Outcome> {
    let shell = workspace.shell()?;
    let Commit { name, tip, merge_base } = match base::find(workspace, &shell, base)? {
        Base::Found(commit) => commit,
        Base::None(reason) => return Ok(Outcome::Skipped(format!("append-only, because {reason}"))),
    };
    let mut now = side(&workspace.db().join("migrations"), loaded)?;
    let before = side_of_commit(&shell, &merge_base, &now)?;
    let list = list_of_commit(&shell, &merge_base)?;
    if let Some(set) = loaded {
        add_squashed(&mut now, &before, set);
    }
    let tip = names_of_commit(&shell, &tip)?;
    let mut findings = compare(&before, &now, &name);
    findings.extend(out_of_order(&before, &tip, &now, &name));
    findings.extend(compare_lists(&list, loaded, &name));
    Ok(Outcome::Checked(findings))
}

/// What the base branch has among its migrations and this one has squashed is where it was: databases that have run it still know it.
fn add_squashed(now: &mut Side, before: &Side, set: &Set) {
    for migration in set.squashed.iter().map(|squashed| &squashed.migration) {
        let name = format!("{}.sql", migration.label());
        let Some(old) = before.get(&migration.number).filter(|old| old.name == name) else { continue };
        // Where nothing but the checksum is left, there is no text to compare.
        let text = if migration.has_text() { migration.text.to_string() } else { old.text.clone() };
        now.insert(migration.number, File { name, text, checksum: Some(migration.checksum.to_string()) });
    }
}

/// The lines of the list in a commit.
fn list_of_commit(shell: &Shell, commit: &str) -> Result<Vec<String>> {
    let files = base::files(shell, commit, "db")?;
    let list = files.iter().find(|file| SQUASHED.strip_prefix("db/") == Some(&*file.name));
    let text = list.map(|list| base::text(shell, list)).transpose()?.unwrap_or_default();
    Ok(text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect())
}

/// A line that is gone would make a database unknown that has run it.
fn compare_lists(before: &[String], now: Option<&Set>, base: &str) -> Vec<Finding> {
    let Some(set) = now else { return Vec::new() };
    let known = |line: &String| {
        let mut words = line.split(' ');
        let (version, name, checksum) = (words.next(), words.next(), words.next());
        set.squashed.iter().map(|squashed| &squashed.migration).any(|migration| {
            (Some(&*migration.version), Some(&*migration.name), Some(&*migration.checksum)) == (version, name, checksum)
        })
    };
    let is_lost = |line: &&String| !line.is_empty() && !known(line);
    let lost = before.iter().filter(is_lost).map(|line| {
        let label = line.split(' ').take(2).collect::<Vec<_>>().join("_");
        let message = format!("`{label}` is squashed in `{base}`, and its line was changed or removed");
        let help = format!("restore the list with `git checkout {base} -- {SQUASHED}`: databases may have run it");
        Finding::of_check(CHECK, Some(SQUASHED.to_owned()), message, help)
    });
    lost.collect()
}

/// The migrations of a commit. Those that git calls unchanged are taken from `now`.
fn side_of_commit(shell: &Shell, commit: &str, now: &Side) -> Result<Side> {
    let changed = cmd!(shell, "git diff --name-only --no-renames --diff-filter=a {commit} -- db/migrations").quiet();
    if changed.read()?.is_empty() {
        let names = names_of_commit(shell, commit)?;
        let same = names
            .iter()
            .map(|(number, name)| Some((*number, now.get(number).filter(|file| file.name == *name)?.clone())));
        if let Some(side) = same.collect() {
            return Ok(side);
        }
    }
    written_side(shell, commit, now)
}

/// The migrations of a commit, written into a temporary directory with an index of its own: two processes for any
/// number of files, and the user's index stays as it is. They are parsed only where one of them differs from what is there
/// `now`.
fn written_side(shell: &Shell, commit: &str, now: &Side) -> Result<Side> {
    let Some(tree) = base::tree(shell, commit, MIGRATIONS)? else { return Ok(Side::new()) };
    let temporary = shell.create_temp_dir()?;
    let migrations = temporary.path().join("db/migrations");
    fs::create_dir_all(&migrations)?;
    let _index = shell.push_env("GIT_INDEX_FILE", temporary.path().join("index"));
    let target = format!("--prefix={}/", migrations.display());
    cmd!(shell, "git read-tree {tree}").quiet().run()?;
    cmd!(shell, "git checkout-index --all --quiet {target}").quiet().run()?;
    let before = side(&migrations, None)?;
    let same = |(number, old): (&i64, &File)| now.get(number).is_some_and(|new| new.text == old.text);
    if before.iter().all(same) {
        return Ok(before);
    }
    let loaded = migrator_build::load(&temporary.path().join("db")).ok();
    side(&migrations, loaded.as_ref().map(|loaded| &loaded.set))
}

/// The file names of a commit's migrations, by the number of the version.
fn names_of_commit(shell: &Shell, commit: &str) -> Result<BTreeMap<i64, String>> {
    let Some(tree) = base::tree(shell, commit, MIGRATIONS)? else { return Ok(BTreeMap::new()) };
    let names = cmd!(shell, "git ls-tree --full-tree --name-only {tree}").quiet().read()?;
    Ok(names.lines().filter_map(|name| Some((number(name)?, name.to_owned()))).collect())
}

/// The version of a migration's file name; `None` for other files.
fn number(name: &str) -> Option<i64> {
    let digits: String = name.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok().filter(|_| name.ends_with(".sql"))
}

fn side(directory: &Path, set: Option<&Set>) -> Result<Side> {
    let mut side = Side::new();
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(side),
        entries => entries.with_context(|| format!("failed to read `{}`", directory.display()))?,
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(number) = number(&name) else { continue };
        let path = entry.path();
        let text = migrator_build::read_file(&path).with_context(|| format!("failed to read `{}`", path.display()))?;
        let text = String::from_utf8_lossy(&text).replace("\r\n", "\n");
        let known = set.and_then(|set| set.migrations.iter().find(|migration| migration.number == number));
        side.insert(number, File { name, text, checksum: known.map(|migration| migration.checksum.to_string()) });
    }
    Ok(side)
}

fn finding(name: &str, message: String, help: String) -> Finding {
    Finding::of_check(CHECK, Some(format!("db/migrations/{name}")), message, help)
}

/// New files that the base branch has overtaken: their numbers are taken, or lie below one that may have been applied.
/// `tip` are the file names at its end.
fn out_of_order(before: &Side, tip: &BTreeMap<i64, String>, now: &Side, base: &str) -> Vec<Finding> {
    let Some((newest, last)) = tip.last_key_value() else { return Vec::new() };
    let is_new = |number: &i64, file: &File| !before.contains_key(number) && moved_from(before, now, file).is_none();
    let found = now.iter().filter(|(number, file)| is_new(number, file)).filter_map(|(number, file)| {
        let name = &file.name;
        let message = match tip.get(number) {
            Some(other) if other == name => return None,
            Some(other) => format!("`{name}` has the number of `{other}` in `{base}`"),
            None if number < newest => format!("`{name}` is out of order: `{base}` is already at `{last}`"),
            None => return None,
        };
        let help = format!("a database that has the newer one refuses it: give it a higher number than `{last}`");
        Some(finding(name, message, help))
    });
    found.collect()
}

/// The file of the base branch that has another number now.
fn moved_from<'a>(before: &'a Side, now: &Side, new: &File) -> Option<&'a File> {
    let gone = before.iter().filter(|(number, _)| !now.contains_key(number)).map(|(_, old)| old);
    let mut same = gone.filter(|old| match (&old.checksum, &new.checksum) {
        (Some(old), Some(new)) => old == new,
        _ => old.text == new.text,
    });
    same.next()
}

fn compare(before: &Side, now: &Side, base: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, old) in before {
        let name = &old.name;
        let Some(new) = now.get(number) else {
            let added = now.iter().filter(|(number, _)| !before.contains_key(number)).map(|(_, new)| new);
            if let Some(new) = added.into_iter().find(|new| moved_from(before, now, new) == Some(old)) {
                findings.push(finding(
                    &new.name,
                    format!("`{name}` is in `{base}` and was moved to `{}`", new.name),
                    "restore its number: a database that has it would run it again".to_owned(),
                ));
                continue;
            }
            findings.push(finding(
                name,
                format!("`{name}` is in `{base}` and was deleted"),
                format!(
                    "restore it with `git checkout {base} -- db/migrations/{name}`; undo its changes in a new migration"
                ),
            ));
            continue;
        };
        if new.name != *name {
            findings.push(finding(
                &new.name,
                format!("`{name}` is in `{base}` and was renamed to `{}`", new.name),
                "restore its name, and give a new migration a number of its own".to_owned(),
            ));
        }
        let (changed, why) = match (&old.checksum, &new.checksum) {
            (Some(old), Some(new)) => (old != new, "what its up block executes was changed"),
            // Comments would be free to change, but only a directory without errors can tell them from the rest.
            _ => (old.text != new.text, "its text was changed"),
        };
        if changed {
            findings.push(finding(
                &new.name,
                format!("`{name}` is in `{base}` and {why}"),
                "it may have been applied somewhere: restore it, and make the change in a new migration".to_owned(),
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(before: &[(&str, &str, Option<&str>)], now: &[(&str, &str, Option<&str>)], expected: Expect) {
        let side = |files: &[(&str, &str, Option<&str>)]| -> Side {
            let file = |(name, text, checksum): &(&str, &str, Option<&str>)| {
                let number = name[..3].parse().unwrap();
                let checksum = checksum.map(str::to_owned);
                (number, File { name: (*name).to_owned(), text: (*text).to_owned(), checksum })
            };
            files.iter().map(file).collect()
        };
        let findings = compare(&side(before), &side(now), "origin/main");
        let lines: Vec<_> =
            findings.into_iter().map(|found| format!("{}: {}", found.file.unwrap(), found.message)).collect();
        expected.assert_eq(&lines.join("\n"));
    }

    #[test]
    fn new_migrations_and_new_comments_are_free() {
        let before = [("001_a.sql", "-- x", Some("1"))];
        check(&before, &[("001_a.sql", "-- y", Some("1")), ("002_b.sql", "", Some("2"))], expect![""]);
    }

    #[test]
    fn finds_what_was_deleted_renamed_or_changed() {
        let before = [("001_a.sql", "", Some("1")), ("002_b.sql", "", Some("2")), ("003_c.sql", "", Some("3"))];
        let now = [("002_z.sql", "", Some("2")), ("003_c.sql", "", Some("4"))];
        check(
            &before,
            &now,
            expect![[r#"
                db/migrations/001_a.sql: `001_a.sql` is in `origin/main` and was deleted
                db/migrations/002_z.sql: `002_b.sql` is in `origin/main` and was renamed to `002_z.sql`
                db/migrations/003_c.sql: `003_c.sql` is in `origin/main` and what its up block executes was changed"#]],
        );
    }

    #[test]
    fn finds_what_was_moved_to_another_number() {
        let before = [("001_a.sql", "", Some("1")), ("002_b.sql", "", Some("2")), ("003_c.sql", "", Some("3"))];
        check(
            &before,
            &[("001_a.sql", "", Some("1")), ("003_c.sql", "", Some("3")), ("004_b.sql", "", Some("2"))],
            expect!["db/migrations/004_b.sql: `002_b.sql` is in `origin/main` and was moved to `004_b.sql`"],
        );
        // Two that change places have each other's content.
        check(
            &before,
            &[("001_a.sql", "", Some("1")), ("002_c.sql", "", Some("3")), ("003_b.sql", "", Some("2"))],
            expect![[r#"
                db/migrations/002_c.sql: `002_b.sql` is in `origin/main` and was renamed to `002_c.sql`
                db/migrations/002_c.sql: `002_b.sql` is in `origin/main` and what its up block executes was changed
                db/migrations/003_b.sql: `003_c.sql` is in `origin/main` and was renamed to `003_b.sql`
                db/migrations/003_b.sql: `003_c.sql` is in `origin/main` and what its up block executes was changed"#]],
        );
    }

    #[test]
    fn finds_new_files_that_the_base_branch_has_overtaken() {
        let file = |name: &str| File { name: name.to_owned(), text: name.to_owned(), checksum: Some(name.to_owned()) };
        let side =
            |names: &[&str]| -> Side { names.iter().map(|name| (name[..3].parse().unwrap(), file(name))).collect() };
        let check = |tip: &[&str], now: &[&str], expected: Expect| {
            let names = tip.iter().map(|name| (number(name).unwrap(), (*name).to_owned())).collect();
            let found = out_of_order(&side(&["001_a.sql"]), &names, &side(now), "origin/main");
            let lines: Vec<_> =
                found.into_iter().map(|found| format!("{}; help: {}", found.message, found.help)).collect();
            expected.assert_eq(&lines.join("\n"));
        };
        check(&["001_a.sql"], &["001_a.sql", "002_b.sql"], expect![""]);
        check(
            &["001_a.sql", "003_c.sql"],
            &["001_a.sql", "002_b.sql", "004_d.sql"],
            expect![[r#"
                `002_b.sql` is out of order: `origin/main` is already at `003_c.sql`; help: a database that has the newer one refuses it: give it a higher number than `003_c.sql`"#]],
        );
        check(
            &["001_a.sql", "002_c.sql"],
            &["001_a.sql", "002_b.sql"],
            expect![[r#"
                `002_b.sql` has the number of `002_c.sql` in `origin/main`; help: a database that has the newer one refuses it: give it a higher number than `002_c.sql`"#]],
        );
        // What was taken over from the base branch is not out of order.
        check(&["001_a.sql", "002_b.sql", "003_c.sql"], &["001_a.sql", "002_b.sql"], expect![""]);
    }

    #[test]
    fn compares_the_text_where_a_side_has_errors() {
        let before = [("001_a.sql", "x", Some("1")), ("002_b.sql", "y", Some("2"))];
        let now = [("001_a.sql", "x", None), ("002_b.sql", "z", None)];
        check(
            &before,
            &now,
            expect!["db/migrations/002_b.sql: `002_b.sql` is in `origin/main` and its text was changed"],
        );
    }
}
