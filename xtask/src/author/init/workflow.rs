//! A workflow that checks every change.

use anyhow::Result;

use super::place::Place;
use super::plan::Plan;
use super::source::Source;
use super::tasks::Taken;

/// For whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Ci {
    /// Write .github/workflows/migrations.yml
    Github,
    /// Write none
    None,
}

const FILE: &str = ".github/workflows/migrations.yml";

/// Plans it in the root of the repository: where that has a `.github` and the dependencies are at hand, or where it is asked for.
///
/// # Errors
/// The file cannot be read.
pub(super) fn plan(plan: &mut Plan, place: &Place, ci: Option<Ci>, source: &Source, taken: &Taken) -> Result<()> {
    let top = place.repository.as_deref().unwrap_or(&place.root);
    let wanted = match ci {
        Some(ci) => ci == Ci::Github,
        None => top.join(".github").is_dir(),
    };
    if !wanted {
        return Ok(());
    }
    if let Some(outside) = source.of_workspace(place).outside(top) {
        let why = format!(
            "the dependencies are in `{}`, outside of the repository, which is all that a workflow checks out",
            outside.display()
        );
        let help = "help: depend on them with `--git` or `--registry`, or keep the clone in the repository";
        if ci.is_none() {
            // One that is there was asked for.
            if !top.join(FILE).exists() {
                plan.note(format!("left out: {FILE}: {why}\n{help}; `--ci github` writes it all the same"));
            }
            return Ok(());
        }
        plan.note(format!("warning: {FILE} will fail: {why}\n{help}"));
    }
    let folder = place.root.strip_prefix(top).unwrap_or(&place.root).to_string_lossy();
    let text = text(&folder, &place.main_branch(), taken);
    let up: String = folder.split('/').filter(|part| !part.is_empty()).map(|_| "../").collect();
    plan.create_in(top, FILE, &format!("{up}{FILE}"), &text)
}

/// `folder`: the way from the repository's root to the workspace, empty where they are the same.
fn text(folder: &str, branch: &str, taken: &Taken) -> String {
    let directory = match folder {
        "" => String::new(),
        folder => format!("    defaults:\n      run:\n        working-directory: '{}'\n", folder.replace('\'', "''")),
    };
    include_str!("files/migrations.yml")
        .replace("{branch}", branch)
        .replace("{directory}", &directory)
        .replace("{check}", &taken.call("check"))
        .replace("{verify}", &taken.call("verify"))
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn the_workflow_runs_where_the_workspace_is() {
        let text = text("services/shop's", "trunk", &Taken::default());
        expect![[r##"
            # Written by `migrator-xtask init`; yours to change.
            name: migrations

            on:
              pull_request:
              push:
                branches: [trunk]

            permissions:
              contents: read

            jobs:
              migrations:
                runs-on: ubuntu-latest
                env:
                  BASE: origin/${{ github.base_ref || 'trunk' }}
                defaults:
                  run:
                    working-directory: 'services/shop''s'
                steps:
                  - uses: actions/checkout@v4
                    with:
                      # What is on the base branch must not change: its history is needed.
                      fetch-depth: 0
                  - name: Check the files
                    run: cargo xtask check --base "$BASE" --format github
                  # On a PostgreSQL of its own: the runner has the server's programs.
                  - name: Prove the migrations
                    run: cargo xtask verify --base "$BASE"
        "##]]
        .assert_eq(&text);
        assert!(!super::text("", "main", &Taken::default()).contains("defaults"));
    }
}
