//! Where a report comes from: the branch, the commit, its base, the time.

use std::time::{SystemTime, UNIX_EPOCH};

use xshell::{Shell, cmd};

use crate::workspace::Workspace;

/// Where a pipeline names the branch that is to be merged: what is checked out there is a commit without a branch.
const BRANCHES: [&str; 3] = ["GITHUB_HEAD_REF", "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "CI_COMMIT_REF_NAME"];

/// Names and values; `base` is where the branch begins. Without git only the time is known.
pub(super) fn about(workspace: &Workspace, base: Option<String>) -> Vec<(&'static str, String)> {
    let mut about = Vec::new();
    if let Ok(shell) = workspace.shell() {
        about.extend(branch(&shell).map(|branch| ("Branch", branch)));
        about.extend(commit(&shell).map(|commit| ("Commit", commit)));
    }
    about.extend(base.map(|base| ("Base", base)));
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    about.push(("Time", moment(seconds)));
    about
}

fn branch(shell: &Shell) -> Option<String> {
    let named = BRANCHES.iter().find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    let from_git = || cmd!(shell, "git symbolic-ref --quiet --short HEAD").quiet().ignore_stderr().read().ok();
    named.or_else(from_git)
}

/// `1a2b3c4d5e6f`, and whether db/ is as it is there.
fn commit(shell: &Shell) -> Option<String> {
    let commit = cmd!(shell, "git rev-parse --short=12 HEAD").quiet().ignore_stderr().read().ok()?;
    let changed = cmd!(shell, "git status --porcelain -- db").quiet().ignore_stderr().read().ok()?;
    Some(if changed.is_empty() { commit } else { format!("{commit}, with changes in db/ that are not committed") })
}

/// Seconds since 1970 as `2026-11-27 14:02 UTC`.
fn moment(seconds: u64) -> String {
    let (mut days, minutes) = (seconds / 86_400, seconds / 60 % 1_440);
    let is_leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let mut year = 1970;
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let february = 28 + u64::from(is_leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    format!("{year}-{month:02}-{:02} {:02}:{:02} UTC", days + 1, minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_date_and_a_time() {
        for (seconds, shown) in [
            (0, "1970-01-01 00:00 UTC"),
            (951_782_399, "2000-02-28 23:59 UTC"),
            (951_782_400, "2000-02-29 00:00 UTC"),
            (1_735_689_599, "2024-12-31 23:59 UTC"),
            (1_795_777_320, "2026-11-27 11:02 UTC"),
            (4_107_542_400, "2100-03-01 00:00 UTC"),
        ] {
            assert_eq!(moment(seconds), shown);
        }
    }
}
