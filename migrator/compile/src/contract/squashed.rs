//! M048: `squashed.txt`, `squashed/` and `migrations/` do not fit together: a database that has begun with a squashed migration would
//! meet another one.

use migrator_model::Migration;

use crate::code::Meaning;
use crate::problem::Problem;
use crate::rule::Rule;
use crate::source::Source;

pub(crate) const RULE: Rule = Rule::reading(&Meaning::error("M048", "invalid squashed migrations"));

const RESTORE: &str = "restore the file with git: only `cargo xtask squash` writes it";

/// The last line of the list.
pub(crate) struct Last<'a> {
    pub(crate) version: &'a str,
    pub(crate) number: i64,
    pub(crate) name: &'a str,
}

/// A line at `at` that has another form.
pub(crate) fn no_line(source: &Source, at: usize) -> Problem {
    let message = "this line is not a version, a name and a checksum, with `baseline` behind those of a baseline";
    source.problem(RULE.code, at, message, RESTORE)
}

/// A line at `at` that does not come after the one before it.
pub(crate) fn out_of_order(source: &Source, at: usize) -> Problem {
    let message =
        "this line is out of order: versions ascend, and a baseline follows the migration that has its version";
    source.problem(RULE.code, at, message, RESTORE)
}

/// Checks the migrations against the last line of the list, which has the version of the baseline.
pub(crate) fn check(source: &Source, last: Option<Last<'_>>, migrations: &[Migration], problems: &mut Vec<Problem>) {
    let Some(last) = last else {
        problems.push(Problem::whole(RULE.code, &source.file, "the list is empty", RESTORE));
        return;
    };
    if !migrations.iter().any(|migration| migration.version == last.version) {
        let message = format!("no migration has the version `{}`, the last of the list", last.version);
        let help = "restore the baseline with git: it stands for the squashed migrations in new databases";
        problems.push(Problem::whole(RULE.code, &source.file, message, help));
    }
    for migration in migrations.iter().filter(|migration| migration.number <= last.number) {
        let message = if migration.number < last.number {
            format!("version {} is below {}, that of the baseline", migration.version, last.version)
        } else if migration.name == last.name {
            format!("`{}` is squashed, and not the baseline", migration.label())
        } else {
            continue;
        };
        let help = format!(
            "give it a version above {}, unless it is in {} already: then delete this file",
            last.version, source.file
        );
        problems.push(Problem::whole(RULE.code, &migration.file, message, help));
    }
}

/// A file of `squashed/` without a line.
pub(crate) fn not_listed(label: &str, path: &str) -> Problem {
    let message = format!("`{path}` is not in {label}/squashed.txt");
    let help = format!("move it to {label}/migrations and give it a new version, or delete it");
    Problem::whole(RULE.code, path, message, help)
}

/// A file of `squashed/` where there is no list.
pub(crate) fn without_list(label: &str, path: &str) -> Problem {
    let message = format!("`{path}` is squashed, and there is no {label}/squashed.txt");
    Problem::whole(RULE.code, path, message, "restore the list with git: only `cargo xtask squash` writes it")
}

/// A file of `squashed/` with another checksum than its line.
pub(crate) fn changed(path: &str) -> Problem {
    let message = "its up block is not the one that was squashed: the checksum differs from the list";
    let help = "restore it with git: databases have run it, and others will";
    Problem::whole(RULE.code, path, message, help)
}
