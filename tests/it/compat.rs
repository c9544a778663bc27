//! `compat`: the queries of a release that runs, on the schema of the next.

use std::fmt::Write as _;

use migrator_postgres::TemporaryServer;
use serde_json::{Value, json};

use crate::support::{Project, schema};

mod breaks;
mod harmless;
mod said;

/// What is there, what is asked, what is done, and what is said of it.
struct Case {
    before: &'static str,
    query: &'static str,
    migration: &'static str,
    /// Part of the difference; empty: there is none.
    said: &'static str,
}

/// Who connects in the cases.
const ROLE: &str = "compat_app";

/// A release whose migrations are those that a project has at this moment, and its queries.
struct Running {
    _before: Project,
    value: Value,
}

impl Running {
    fn of(project: &Project, queries: &[&str]) -> Running {
        let before = project.release("v1");
        let query = |(index, text): (usize, &&str)| asked(&format!("q{index:02}"), text);
        let queries: Vec<_> = queries.iter().enumerate().map(query).collect();
        let value = json!({ "name": "v1.21", "db": before.db(), "queries": queries, "next": null });
        Running { _before: before, value }
    }

    /// Runs `compat` against what the project has now.
    fn compat(&self, project: &Project, arguments: &[&str]) -> String {
        project.run(&self.line(project, arguments))
    }

    /// The same on a server that is this run's alone: settings of roles are the server's.
    fn alone(&self, project: &Project) -> Value {
        let server = TemporaryServer::start().unwrap();
        let (url, directory) = (server.url("postgres"), server.data_directory().display().to_string());
        let variables = [("DATABASE_URL", &*url), ("DIR_MIGRATOR_OWN_DATA_DIRECTORY", &*directory)];
        schema::result(&project.run_with(&self.line(project, &["--json"]), &variables))
    }

    fn json(&self, project: &Project) -> Value {
        schema::result(&self.compat(project, &["--json"]))
    }

    /// Runs `verify` with this release.
    fn verify(&self, project: &Project, arguments: &[&str]) -> String {
        project.run(&self.task("verify", project, arguments))
    }

    fn line<'a>(&self, project: &Project, arguments: &[&'a str]) -> Vec<&'a str> {
        self.task("compat", project, arguments)
    }

    fn task<'a>(&self, task: &'a str, project: &Project, arguments: &[&'a str]) -> Vec<&'a str> {
        let file = project.db().with_file_name("release.json");
        std::fs::write(&file, self.value.to_string()).unwrap();
        let file: &'static str = file.to_str().unwrap().to_owned().leak();
        [&[task, "--release", file], arguments].concat()
    }
}

fn asked(name: &str, text: &str) -> Value {
    json!({ "name": name, "text": text, "file": "src/store.rs", "line": 7 })
}

/// All cases as one release, and each migration of theirs.
fn judge(cases: &[Case]) -> Value {
    let project = Project::new();
    let mut up = format!("CREATE ROLE {ROLE};\nCREATE SCHEMA extra;\n");
    cases.iter().for_each(|case| writeln!(up, "{}", case.before).unwrap());
    let everything = "ALL TABLES IN SCHEMA public, extra";
    writeln!(
        up,
        "GRANT USAGE ON SCHEMA extra TO {ROLE}; GRANT SELECT, INSERT, UPDATE, DELETE ON {everything} TO {ROLE};"
    )
    .unwrap();
    writeln!(up, "ALTER ROLE {ROLE} SET search_path = public, extra;").unwrap();
    project.migration("001_base", &up, "").file("migrator.toml", &format!("[release]\nrole = \"{ROLE}\"\n"));
    let queries: Vec<&str> = cases.iter().map(|case| case.query).collect();
    let running = Running::of(&project, &queries);
    for (index, case) in cases.iter().enumerate() {
        project.migration(&format!("{:03}_case", index + 100), case.migration, "");
    }
    running.alone(&project)
}

/// The queries that break: name, migration, differences.
fn broken(judgement: &Value) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let differences = |found: &Value| {
        let messages = found["differences"].as_array().into_iter().flatten();
        messages.map(|difference| text(&difference["message"])).collect::<Vec<_>>().join("; ")
    };
    let who = |found: &Value| text(if found["function"].is_null() { &found["name"] } else { &found["function"] });
    let breaks = judgement["breaks"].as_array().into_iter().flatten();
    breaks.map(|found| (who(found), text(&found["migration"]), differences(found))).collect()
}

#[test]
fn thirty_migrations_that_each_break_one_query_are_found() {
    let judgement = judge(breaks::CASES);
    assert_eq!(judgement["left_out"], json!([]), "{judgement:#}");
    let found = broken(&judgement);
    for (index, case) in breaks::CASES.iter().enumerate() {
        let (query, migration) = (format!("q{index:02}"), format!("{:03}_case", index + 100));
        let of_query: Vec<_> = found.iter().filter(|(name, ..)| *name == query).collect();
        assert!(!of_query.is_empty(), "not found: {} breaks {}", case.migration, case.query);
        let (_, by, said) = of_query[0];
        assert!(*by == migration && said.contains(case.said), "{}: {by}: {said}", case.migration);
    }
    assert!(breaks::CASES.len() >= 30);
    let functions: Vec<_> = found.iter().filter(|(name, ..)| name.contains('(')).collect();
    assert_eq!(functions.len(), 1, "{functions:?}");
    assert_eq!(found.len(), breaks::CASES.len() + 1, "{found:#?}");
}

#[test]
fn thirty_migrations_that_look_dangerous_and_break_nothing_are_passed() {
    let judgement = judge(harmless::CASES);
    assert_eq!(judgement["left_out"], json!([]), "{judgement:#}");
    assert_eq!(broken(&judgement), []);
    assert!(harmless::CASES.len() >= 30);
}
