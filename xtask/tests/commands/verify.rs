//! `verify`.

use crate::workspace::Workspace;

#[test]
fn verify_runs_the_migrator_on_a_server_of_its_own() {
    let workspace = Workspace::new();
    workspace.write(".env", "DATABASE_URL=postgresql://somebody/elses\n");
    let output = workspace.xtask("verify --json").env("DATABASE_URL", "postgresql://somebody/elses").output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let (arguments, rest) = said.split_once(" | ").unwrap();
    let url = rest.split(" | ").next().unwrap();
    let schema = arguments.strip_prefix("verify --schema ").and_then(|rest| rest.strip_suffix(" --json")).unwrap();
    assert!(schema.contains("there is no db/schema.sql"), "{schema}");
    // What was started for it is gone.
    let socket = url.strip_prefix("postgresql://postgres@%2F").and_then(|rest| rest.strip_suffix(":5432/postgres"));
    let socket = format!("/{}", socket.unwrap_or_else(|| panic!("{url}")).replace("%2F", "/"));
    assert!(!std::path::Path::new(&socket).exists(), "{socket}");
}
