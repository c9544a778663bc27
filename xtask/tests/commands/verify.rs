//! `verify`.

use xshell::cmd;

use crate::workspace::{Workspace, last_line};

/// The answers of a run, by the name of their question.
fn answers(workspace: &Workspace, line: &str) -> serde_json::Map<String, serde_json::Value> {
    let mut command = workspace.xtask(line);
    // What is set for another database reaches no throwaway server.
    command.env("DATABASE_URL", "postgresql://another/database").env("PGOPTIONS", "-c nonsense=1");
    let output = command.env("MIGRATOR_ENV", "production").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report = last_line(&output.stdout);
    let answers = report["findings"].as_array().unwrap().iter();
    answers.map(|answer| (answer["name"].as_str().unwrap().to_owned(), answer.clone())).collect()
}

#[test]
fn verify_asks_every_question_on_a_server_of_its_own() {
    let workspace = Workspace::new();
    workspace.write(".env", "DATABASE_URL=postgresql://another/database\n");
    let answers = answers(&workspace, "verify --json");
    assert_eq!(answers["up from zero"]["verdict"], "ok");
    assert_eq!(answers["schema"]["verdict"], "skipped");
    assert_eq!(answers["schema"]["lines"][0], "there is no db/schema.sql; `cargo xtask dump` writes it");
    assert_eq!(answers["locks"]["verdict"], "ok");
    let next = answers["next release"]["lines"].to_string();
    assert!(next.contains("this is not a git repository"), "{next}");
}

#[test]
fn verify_begins_at_the_base_branch() {
    let workspace = Workspace::new();
    workspace.migration("002_more", "SELECT 1;");
    let workspace = workspace.with_git();
    cmd!(workspace.shell, "git update-ref refs/remotes/origin/main HEAD").run().unwrap();
    workspace.migration("003_new", "SELECT 1;");
    let next = |line: &str| answers(&workspace, line)["next release"]["lines"].to_string();
    let said = next("verify --json");
    assert!(said.contains("003_new on `origin/main`"), "{said}");
    workspace.commit();
    let said = next("verify --json --base HEAD");
    assert!(said.contains("nothing new on `HEAD`"), "{said}");
}
