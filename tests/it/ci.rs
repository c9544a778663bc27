//! docs/ci: the action for GitHub, the template for GitLab and the hook, their shell lines run against a host that the test is.

mod host;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use saphyr::{LoadableYamlNode as _, Yaml};

use crate::support::not_tested;
use crate::workspace::{Workspace, repository};
use host::Host;

/// A file of docs/ci as YAML.
fn yaml(path: &str) -> Yaml<'static> {
    let text: &'static str = fs::read_to_string(repository().join("docs/ci").join(path)).unwrap().leak();
    let mut documents = Yaml::load_from_str(text).unwrap_or_else(|error| panic!("{path}: {error}"));
    assert_eq!(documents.len(), 1, "{path}");
    documents.remove(0)
}

/// What is at a place of a document.
fn at<'y>(node: &'y Yaml<'static>, path: &[&str]) -> &'y Yaml<'static> {
    path.iter().fold(node, |node, key| node.as_mapping_get(key).unwrap_or_else(|| panic!("no `{key}` in {node:?}")))
}

fn text(node: &Yaml<'_>) -> String {
    node.as_str().unwrap_or_else(|| panic!("{node:?} is no text")).to_owned()
}

fn lines(node: &Yaml<'_>) -> Vec<String> {
    node.as_sequence().unwrap_or_else(|| panic!("{node:?} is no list")).iter().map(text).collect()
}

/// The scripts speak to a host with these.
fn can_speak() -> bool {
    let is_there = |program: &&str| Command::new(program).arg("--version").output().is_ok();
    let all = ["bash", "curl", "jq"].iter().all(is_there);
    if !all {
        not_tested("docs/ci: bash, curl and jq are needed");
    }
    all
}

/// A workspace in a git repository, with a branch that adds two migrations to `origin/main`.
fn branch(name: &str) -> Workspace {
    let workspace = Workspace::foreign(name);
    let _ = fs::remove_dir_all(workspace.path(".git"));
    git(&workspace, "init --quiet --initial-branch main");
    git(&workspace, "add --all");
    git(&workspace, "commit --quiet --message begin");
    git(&workspace, "tag v1.0");
    git(&workspace, "update-ref refs/remotes/origin/main HEAD");
    git(&workspace, "checkout --quiet -b isbn");
    migration(
        &workspace,
        "004_add_books_isbn",
        "ALTER TABLE books ADD COLUMN isbn text, ADD COLUMN pages integer;",
        "ALTER TABLE books DROP COLUMN isbn, DROP COLUMN pages;",
    );
    migration(&workspace, "005_index_books_isbn", "CREATE INDEX books_isbn ON books (isbn);", "DROP INDEX books_isbn;");
    git(&workspace, "add --all");
    git(&workspace, "commit --quiet --message isbn");
    workspace
}

fn git(workspace: &Workspace, line: &str) {
    let mut git = workspace.program("git");
    git.args(["-c", "user.name=a", "-c", "user.email=a@localhost", "-c", "commit.gpgsign=false"]).args(line.split(' '));
    let output = git.output().unwrap();
    assert!(output.status.success(), "git {line}: {}", String::from_utf8_lossy(&output.stderr));
}

fn migration(workspace: &Workspace, name: &str, up: &str, down: &str) {
    workspace.write(format!("db/migrations/{name}.sql"), format!("-- migrate:up\n{up}\n\n-- migrate:down\n{down}\n"));
}

/// A shell line in the workspace, as a runner would start it: nothing of the runner that these tests run in.
fn shell(workspace: &Workspace, line: &str, variables: &[(&str, &str)]) -> (String, String) {
    let mut bash = workspace.program("bash");
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("GITHUB_") || name.starts_with("CI_") || name == "CI" || name.starts_with("GITLAB_") {
            bash.env_remove(name);
        }
    }
    bash.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", line]).envs(variables.iter().copied());
    bash.env("MIGRATOR_XTASK", env!("CARGO_BIN_EXE_xtask")).stdin(Stdio::null());
    let output = bash.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code().map_or("killed".to_owned(), |code| code.to_string()), said)
}

/// What a runner puts in place of an expression.
fn evaluated(text: &str, values: &[(&str, &str)]) -> String {
    let mut shown = text.to_owned();
    for (name, value) in values {
        shown = shown.replace(&format!("${{{{ {name} }}}}"), value);
    }
    assert!(!shown.contains("${{"), "{shown}");
    shown
}

/// Runs the steps of the action that are shell lines, one after the other, as GitHub does; what each ended with.
fn action(workspace: &Workspace, host: &Host, event: &Path) -> Vec<(String, String)> {
    let action = yaml("github/action.yml");
    let out = workspace.path(".dev");
    let values = [
        ("inputs.base", ""),
        ("inputs.directory", "."),
        ("inputs.name", ""),
        ("inputs.token", "s3cret"),
        ("runner.temp", out.to_str().unwrap()),
        ("steps.page.outputs.artifact-url", "https://host.example/page"),
    ];
    let folder = repository().join("docs/ci/github");
    let steps = at(&action, &["runs", "steps"]).as_sequence().unwrap();
    let shells = steps.iter().filter(|step| step.as_mapping_get("run").is_some());
    let run = |step: &Yaml<'static>| {
        assert_eq!(text(at(step, &["shell"])), "bash");
        let mut variables: Vec<(String, String)> = at(step, &["env"])
            .as_mapping()
            .unwrap()
            .iter()
            .map(|(name, value)| (text(name), evaluated(&text(value), &values)))
            .collect();
        for (name, value) in [
            ("GITHUB_ACTION_PATH", folder.to_str().unwrap()),
            ("GITHUB_API_URL", &host.url),
            ("GITHUB_REPOSITORY", "us/shop"),
            ("GITHUB_EVENT_PATH", event.to_str().unwrap()),
            ("GITHUB_BASE_REF", "main"),
            ("GITHUB_HEAD_REF", "isbn"),
        ] {
            variables.push((name.to_owned(), value.to_owned()));
        }
        let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (&**name, &**value)).collect();
        shell(workspace, &evaluated(&text(at(step, &["run"])), &values), &variables)
    };
    shells.map(run).collect()
}

fn event(workspace: &Workspace) -> std::path::PathBuf {
    let path = workspace.path(".dev/event.json");
    workspace.write(&path, r#"{"action":"synchronize","number":7,"pull_request":{"number":7}}"#);
    path
}

#[test]
fn a_pull_request_has_one_comment_that_is_updated_and_annotations_on_its_lines() {
    if !can_speak() {
        return;
    }
    let (workspace, host) = (branch("pull-request"), Host::start());
    let event = event(&workspace);
    host.add("someone", "nice\n\n<!-- migrator -->");
    (0..120).for_each(|n| host.add("someone", &format!("comment {n}")));
    let first = action(&workspace, &host, &event);
    assert_eq!(first.len(), 2, "{first:?}");
    // The index is made while writes wait: a hazard.
    assert_eq!((&*first[0].0, &*first[1].0), ("1", "0"), "{first:?}");
    let annotation =
        "::error file=db/migrations/005_index_books_isbn.sql,line=2,col=1,title=require-concurrent-index-creation::";
    assert!(first[0].1.lines().any(|line| line.starts_with(annotation)), "{}", first[0].1);
    let [comment] = &host.ours()[..] else { panic!("{:?}", host.ours()) };
    let head = comment.lines().next().unwrap();
    assert!(
        head.starts_with("2 new migrations: +2 columns, +1 index; 2 statements make writes wait, 1 of them reads too; release <code>v1.0</code> keeps working; "),
        "{head}"
    );
    assert!(
        comment.ends_with("[The page with the locks over time](https://host.example/page)\n\n<!-- migrator -->\n"),
        "{comment}"
    );
    // Mended, and run again.
    workspace.write(
        "db/migrations/005_index_books_isbn.sql",
        "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY books_isbn ON books (isbn);\n\n-- migrate:down transaction:false\nDROP INDEX CONCURRENTLY books_isbn;\n",
    );
    git(&workspace, "commit --quiet --all --message mended");
    let second = action(&workspace, &host, &event);
    assert_eq!((&*second[0].0, &*second[1].0), ("0", "0"), "{second:?}");
    assert!(!second[0].1.contains("::error"), "{second:?}");
    let [comment] = &host.ours()[..] else { panic!("{:?}", host.ours()) };
    assert!(comment.contains("; 1 statement makes reads and writes wait; "), "{comment}");
    assert!(
        fs::read_to_string(workspace.path(".dev/migrator-review/report.html")).unwrap().contains("New in this branch")
    );
    let writes: Vec<String> = host
        .requests()
        .iter()
        .filter(|request| request.method != "GET")
        .map(|request| format!("{} {}", request.method, request.path))
        .collect();
    assert_eq!(writes, ["POST /repos/us/shop/issues/7/comments", "PATCH /repos/us/shop/issues/comments/122"]);
    let has_token = |headers: &[String]| headers.iter().any(|header| header == "Authorization: Bearer s3cret");
    assert!(host.requests().iter().all(|request| has_token(&request.headers)));
}

#[test]
fn a_comment_that_is_refused_fails_no_one_from_a_fork_and_tells_of_everything_else() {
    if !can_speak() {
        return;
    }
    let workspace = Workspace::foreign("refused-comment");
    let event = event(&workspace);
    let file = workspace.path(".dev/comment.md");
    fs::write(&file, "text").unwrap();
    let post = |host: &Host, script: &str| {
        let variables = [
            ("GITHUB_API_URL", &*host.url),
            ("GITHUB_REPOSITORY", "us/shop"),
            ("GITHUB_EVENT_PATH", event.to_str().unwrap()),
            ("GITHUB_TOKEN", "s3cret"),
        ];
        let line = format!("'{}' '{}'", repository().join("docs/ci").join(script).display(), file.display());
        shell(&workspace, &line, &variables)
    };
    let host = Host::start();
    host.refuse(403);
    let (code, said) = post(&host, "comment.sh");
    assert_eq!(code, "0", "{said}");
    assert!(said.contains("::warning::no comment: the token may not post the comment"), "{said}");
    host.refuse(422);
    let (code, said) = post(&host, "comment.sh");
    assert_eq!(code, "1", "{said}");
    assert!(said.contains("error: failed to post the comment: the host answered 422: {\"message\":\"no\"}"), "{said}");
    assert!(!said.contains("s3cret"), "{said}");
    fs::write(&event, r#"{"ref":"refs/heads/main"}"#).unwrap();
    let (code, said) = post(&host, "comment.sh");
    assert_eq!((&*code, said.trim()), ("0", "no comment: this event is not about a pull request"));
}

#[test]
fn a_merge_request_has_one_note_and_a_report_of_the_findings() {
    if !can_speak() {
        return;
    }
    let (workspace, host) = (branch("merge-request"), Host::start());
    let template = yaml("gitlab/migrator.yml");
    let job = at(&template, &["migrator-review"]);
    let (folder, api) = (repository().join("docs/ci"), format!("{}/gitlab/api/v4", host.url));
    let variables = [
        ("MIGRATOR_CI", folder.to_str().unwrap()),
        ("MIGRATOR_OUT", &*text(at(job, &["variables", "MIGRATOR_OUT"]))),
        ("GITLAB_CI", "true"),
        ("CI_API_V4_URL", &api),
        ("CI_PROJECT_ID", "5"),
        ("CI_MERGE_REQUEST_IID", "7"),
        ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main"),
        ("CI_JOB_URL", "https://host.example/job"),
        ("MIGRATOR_GITLAB_TOKEN", "s3cret"),
    ];
    for _ in 0..2 {
        let [script] = &lines(at(job, &["script"]))[..] else { panic!("{job:?}") };
        let (code, said) = shell(&workspace, script, &variables);
        assert_eq!(code, "1", "{said}");
        let [after] = &lines(at(job, &["after_script"]))[..] else { panic!("{job:?}") };
        let (code, said) = shell(&workspace, after, &variables);
        assert_eq!(code, "0", "{said}");
    }
    let [note] = &host.ours()[..] else { panic!("{:?}", host.ours()) };
    assert!(
        note.starts_with("2 new migrations: ") && note.contains("https://host.example/job/artifacts/file/"),
        "{note}"
    );
    let report = text(at(job, &["artifacts", "reports", "codequality"]));
    let report: serde_json::Value = serde_json::from_str(&fs::read_to_string(workspace.path(report)).unwrap()).unwrap();
    let found: Vec<String> = report
        .as_array()
        .unwrap()
        .iter()
        .map(|found| {
            format!("{} {}:{}", found["check_name"], found["location"]["path"], found["location"]["lines"]["begin"])
        })
        .collect();
    assert_eq!(found, [r#""require-concurrent-index-creation" "db/migrations/005_index_books_isbn.sql":2"#]);
}

#[test]
fn a_branch_that_cannot_be_verified_says_so_in_its_comment() {
    if !can_speak() {
        return;
    }
    let workspace = branch("broken-branch");
    workspace.write("db/migrations/006_broken.sql", "ALTER TABLE;\n");
    let script = repository().join("docs/ci/review.sh");
    let (code, said) = shell(&workspace, script.to_str().unwrap(), &[("MIGRATOR_OUT", ".dev/out")]);
    assert_eq!(code, "9", "{said}");
    let comment = fs::read_to_string(workspace.path(".dev/out/comment.md")).unwrap();
    assert_eq!(comment, "The migrations could not be verified: see the log of the pipeline.\n");
}

#[test]
fn the_hook_lets_a_commit_through_that_does_not_touch_the_migrations_and_stops_a_hazard() {
    let workspace = branch("hook");
    let hook = workspace.path(".git/hooks/pre-commit");
    workspace.write(&hook, fs::read(repository().join("docs/ci/pre-commit")).unwrap());
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    let commit = || {
        let line = "git -c user.name=a -c user.email=a@localhost commit --quiet --message x";
        shell(&workspace, &format!("git add --all && {line}"), &[])
    };
    workspace.write("notes.txt", "x");
    assert_eq!(commit().0, "0");
    migration(&workspace, "006_bad", "ALTER TABLE books DROP COLUMN title;", "");
    let (code, said) = commit();
    assert!(code == "1" && said.contains("error[ban-drop-column]"), "{code}: {said}");
}

#[test]
fn what_a_repository_copies_is_whole_and_what_runs_is_executable() {
    let workflow = yaml("github/workflow.yml");
    let steps = at(&workflow, &["jobs", "review", "steps"]).as_sequence().unwrap();
    assert!(steps.iter().any(|step| text(at(step, &["uses"])).ends_with("docs/ci/github@TAG")), "{workflow:?}");
    assert_eq!(text(at(&workflow, &["permissions", "pull-requests"])), "write");
    // No expression is in a shell line: what it becomes would be run.
    let action = yaml("github/action.yml");
    for step in at(&action, &["runs", "steps"]).as_sequence().unwrap() {
        if let Some(line) = step.as_mapping_get("run") {
            assert!(!text(line).contains("${{"), "{line:?}");
        }
    }
    for file in ["review.sh", "comment.sh", "pre-commit"] {
        let mode = fs::metadata(repository().join("docs/ci").join(file)).unwrap().permissions().mode();
        assert!(mode & 0o111 != 0, "{file}: {mode:o}");
    }
}
