//! The files of docs/deploy: they parse, they ask for what the migrator has, and their commands run.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::{Project, not_tested};
use crate::workspace::repository;

fn file(path: &str) -> PathBuf {
    repository().join("docs/deploy").join(path)
}

fn read(path: &str) -> String {
    fs::read_to_string(file(path)).unwrap()
}

/// A text of YAML as JSON; `None` without a parser.
fn yaml(text: &str) -> Option<Value> {
    let script = "import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout)";
    let has_parser = Command::new("python3").args(["-c", "import yaml"]).stderr(Stdio::null()).status();
    if !has_parser.is_ok_and(|status| status.success()) {
        not_tested("python3 has no yaml: the files of docs/deploy are not parsed");
        return None;
    }
    let mut python =
        Command::new("python3").args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut python.stdin.take().unwrap(), text.as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success(), "{text}");
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

/// A template as Helm renders it with these values: their names are the paths, and what depends on an empty one is left out.
fn rendered(template: &str, values: &BTreeMap<String, String>) -> String {
    let (mut out, mut scope) = (String::new(), None::<String>);
    for line in template.lines() {
        let code = line.trim().strip_prefix("{{-").and_then(|code| code.strip_suffix("}}")).map(str::trim);
        match code {
            Some("end") => scope = None,
            Some(code) => scope = Some(values[code.strip_prefix("with ").unwrap()].clone()),
            None if scope.as_deref() == Some("") => {}
            None => {
                let mut line = line.to_owned();
                if let Some(value) = &scope {
                    line = line.replace("{{ . | quote }}", &format!("{value:?}"));
                }
                for (name, value) in values {
                    line = line.replace(&format!("{{{{ {name} }}}}"), value);
                }
                assert!(!line.contains("{{"), "not rendered: {line}");
                out.push_str(&format!("{line}\n"));
            }
        }
    }
    out
}

/// The leaves of the chart's values, by the path that a template names them with.
fn leaves(value: &Value, path: &str, found: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(object) => object.iter().for_each(|(key, value)| leaves(value, &format!("{path}.{key}"), found)),
        value => drop(found.insert(path.to_owned(), value.as_str().unwrap().to_owned())),
    }
}

/// The command and the variables of a Job must be what the migrator knows.
fn check_job(job: &Value) -> Vec<String> {
    assert_eq!((&job["apiVersion"], &job["kind"]), (&"batch/v1".into(), &"Job".into()));
    let pod = &job["spec"]["template"]["spec"];
    assert_eq!(pod["restartPolicy"], "Never");
    let container = &pod["containers"][0];
    let rules = job["spec"]["podFailurePolicy"]["rules"].as_array().unwrap();
    let fails = rules.iter().find(|rule| rule["action"] == "FailJob").unwrap();
    assert_eq!(fails["onExitCodes"]["containerName"], container["name"]);
    assert_eq!(fails["onExitCodes"]["values"], serde_json::json!([2, 4, 7, 8]));
    let arguments: Vec<&str> =
        container["args"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
    check_arguments(&arguments);
    let names =
        container["env"].as_array().unwrap().iter().map(|variable| variable["name"].as_str().unwrap().to_owned());
    names.collect()
}

/// A command line that the migrator takes, on a database where there is nothing to do.
fn check_arguments(arguments: &[&str]) {
    let project = Project::new();
    let said = project.run(arguments);
    assert!(said.starts_with("exit 0\n"), "{arguments:?}: {said}");
}

#[test]
fn the_job_and_the_hook_run_what_the_migrator_has() {
    let Some(job) = yaml(&read("kubernetes/job.yaml")) else { return };
    assert_eq!(check_job(&job), ["DATABASE_URL", "MIGRATOR_ENV"]);
    let mut values = BTreeMap::new();
    leaves(&yaml(&read("helm/values.yaml")).unwrap(), ".Values", &mut values);
    values.extend([(".Release.Name", "crm"), (".Release.Revision", "7")].map(|(a, b)| (a.to_owned(), b.to_owned())));
    let hook =
        |values: &BTreeMap<String, String>| yaml(&rendered(&read("helm/templates/migrate.yaml"), values)).unwrap();
    let plain = hook(&values);
    assert_eq!(plain["metadata"]["name"], "crm-migrate-7");
    assert_eq!(plain["metadata"]["annotations"]["helm.sh/hook"], "pre-install,pre-upgrade");
    // To the migrator an empty variable is a mistake.
    assert_eq!(check_job(&plain), ["DATABASE_URL", "MIGRATOR_ENV"]);
    for name in ["plan", "approvedBy", "backupReference"] {
        values.insert(format!(".Values.migrations.{name}"), format!("a \"{name}\""));
    }
    let full = hook(&values);
    let given = ["DATABASE_URL", "MIGRATOR_ENV", "MIGRATOR_PLAN", "MIGRATOR_APPROVED_BY", "MIGRATOR_BACKUP_REFERENCE"];
    assert_eq!(check_job(&full), given);
    assert_eq!(full["spec"]["template"]["spec"]["containers"][0]["env"][4]["value"], "a \"backupReference\"");
    for variable in &given[2..] {
        let output = Project::new().command(&["up"]).env(variable, "").output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(&format!("the environment variable `{variable}` is empty")), "{said}");
    }
}

#[test]
fn the_unit_is_one_that_systemd_takes() {
    let unit = read("systemd/migrator.service");
    let starts = unit.lines().filter_map(|line| line.strip_prefix("ExecStart").and_then(|line| line.split_once('=')));
    for (_, line) in starts {
        let arguments: Vec<&str> = line.split(' ').skip(1).collect();
        check_arguments(&arguments);
    }
    for line in read("systemd/migrator.env").lines() {
        let (name, value) = line.split_once('=').unwrap();
        assert!(["DATABASE_URL", "MIGRATOR_ENV"].contains(&name) && !value.is_empty(), "{line}");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("migrator.service");
    fs::write(&path, unit.replace("/usr/local/bin/migrator", "/bin/true")).unwrap();
    let verify =
        Command::new("systemd-analyze").args(["verify", "--man=no", "--recursive-errors=no"]).arg(&path).output();
    let Ok(output) = verify else {
        not_tested("there is no systemd-analyze: the unit is not verified");
        return;
    };
    let said = String::from_utf8_lossy(&output.stderr);
    let about_it: Vec<&str> = said.lines().filter(|line| line.contains("migrator.service")).collect();
    assert!(about_it.is_empty(), "{said}");
}

/// The blocks of shell in the README, in order.
fn blocks() -> Vec<String> {
    let text = read("README.md");
    text.split("```sh\n").skip(1).map(|rest| rest.split_once("```").unwrap().0.to_owned()).collect()
}

fn shell(script: &str, directory: &Path, variables: &[(&str, &str)]) -> (bool, String) {
    let mut sh = Command::new("sh");
    sh.args(["-e", "-u", "-c", script]).current_dir(directory).envs(variables.iter().copied());
    let output = sh.output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.success(), said)
}

#[test]
fn the_commands_of_the_readme_run() {
    let blocks = blocks();
    let [install, kubernetes, approve, back] = &blocks[..] else { panic!("{blocks:?}") };
    let folder = tempfile::tempdir().unwrap();
    let made = folder.path().join("target/dist");
    fs::create_dir_all(&made).unwrap();
    fs::create_dir_all(folder.path().join("docs")).unwrap();
    std::os::unix::fs::symlink(file(""), folder.path().join("docs/deploy")).unwrap();
    fs::write(made.join("migrator"), "").unwrap();
    let root = folder.path().join("root");
    let (done, said) = shell(install, folder.path(), &[("ROOT", root.to_str().unwrap())]);
    assert!(done && root.join("etc/systemd/system/migrator.service").exists(), "{said}");
    assert!(kubernetes.contains("docs/deploy/kubernetes/job.yaml") && kubernetes.contains("job/crm-migrate"));
    // The migrator over a project, as one program.
    let project = Project::new().release("1.22.0");
    project.file("migrator.toml", "[environments.production]\napproval = true\nbackup = \"required\"\n").tables(1);
    let older = project.release("1.21.0");
    older.run(&["up"]);
    older.run(&["environment", "set", "production"]);
    project.migration("002_less", "ALTER TABLE t1 ADD note text; DELETE FROM t1;", "ALTER TABLE t1 DROP note;");
    let run = |script: &str, project: &Project, extra: &[(&str, &str)]| {
        let program = folder.path().join("migrator");
        let text =
            format!("#!/bin/sh\nexec {} {} \"$@\"\n", env!("CARGO_BIN_EXE_dir-migrator"), project.db().display());
        fs::write(&program, text).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let url = project.url();
        let mut variables = vec![("MIGRATOR", program.to_str().unwrap()), ("DATABASE_URL", &url)];
        variables.extend(extra);
        shell(script, folder.path(), &variables)
    };
    let (done, said) = run(approve, &project, &[]);
    assert!(done && said.contains("applied 002_less"), "{said}");
    let backup = ("MIGRATOR_BACKUP_REFERENCE", "dump");
    let (done, said) = run(back, &older, &[("VERSION", "001"), backup]);
    assert!(done && said.contains("rolled back 002_less") && said.contains("nothing to apply"), "{said}");
}
