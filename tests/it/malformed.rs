//! URLs that fall apart at a character that is not encoded: nothing of the password is in any output, and no host is asked for it.

use std::os::unix::fs::PermissionsExt as _;

use tempfile::TempDir;

use crate::support::Project;

const CANARY: &str = "canary-7f3a9";

/// Commands that connect, that fail before, that show what they were given.
const COMMANDS: [&[&str]; 6] = [
    &["wait", "--timeout", "200ms"],
    &["status", "--verbose"],
    &["plan", "--json"],
    &["up", "--verbose"],
    &["drift"],
    &["create"],
];

#[test]
fn nothing_of_a_password_is_in_a_message_about_a_malformed_url() {
    let home = TempDir::new().unwrap();
    let services = home.path().join("services");
    let lines = format!(
        "[good]\nhost=127.0.0.1\nport=1\npassword={CANARY}\n[bad]\npassword:{CANARY}=1\n[worse]\npassword {CANARY}\n[odd]\npassword=hun\n{CANARY}=1\n"
    );
    std::fs::write(&services, lines).unwrap();
    std::fs::set_permissions(&services, std::fs::Permissions::from_mode(0o600)).unwrap();
    let services = services.to_str().unwrap();
    let refused = [
        "postgresql://deploy:hun@CANARY@127.0.0.1:1/a",
        "postgresql://deploy:CANARY@hun@127.0.0.1:1/a",
        "postgresql://deploy:12/CANARY@127.0.0.1:1/a",
        "postgresql://deploy:CANARY/12@127.0.0.1:1/a",
        "postgresql://deploy:hun@127.0.0.1:1/CANARY@127.0.0.1/a",
        "postgresql://deploy:CANARY",
        "postgresql://127.0.0.1:1/a?user=deploy&password=hun&CANARY=1",
        "postgresql://127.0.0.1:1/a?user=deploy&password=hun&canary_7f3a9=1",
        "postgresql://127.0.0.1:1/a?user=deploy&password=CANARY&schema=public",
        "postgres:/deploy:CANARY@127.0.0.1/a",
        "postgres//deploy:CANARY@127.0.0.1/a",
        "postgresql:deploy:CANARY@127.0.0.1/a",
        "postgresql+asyncpg://deploy:CANARY@127.0.0.1/a",
        "\"postgresql://deploy:CANARY@127.0.0.1/a\"",
        "jdbc:postgresql://127.0.0.1/a?user=deploy&password=CANARY",
        "deploy:CANARY@127.0.0.1",
        "host=127.0.0.1 password=hun CANARY=1",
        "host=127.0.0.1 password='hun CANARY",
        "host=127.0.0.1 password hun CANARY",
        "dbname=postgresql://deploy:CANARY@127.0.0.1/a",
        "host=deploy:CANARY@127.0.0.1",
        "service=bad",
        "service=worse",
        "service=odd",
    ];
    // Well-formed, and nobody is there.
    let unreachable = [
        "postgresql://deploy:CANARY@127.0.0.1:1/a",
        "postgresql://deploy:p?CANARY@127.0.0.1:1/a",
        "postgresql://deploy:p#CANARY@127.0.0.1:1/a",
        "postgresql://deploy:p:CANARY@127.0.0.1:1/a",
        "postgresql://deploy:p%40CANARY@127.0.0.1:1/a",
        "postgresql://127.0.0.1:1/a?user=deploy&password=p@CANARY",
        "host=127.0.0.1 port=1 password='hun CANARY'",
        "host=127.0.0.1 port=1 password=p@CANARY://x",
        "service=good",
    ];
    let project = Project::without_database();
    project.tables(1);
    for (texts, codes) in [(&refused[..], ["exit 2"; 2]), (&unreachable, ["exit 6", "exit 8"])] {
        for text in texts {
            let text = text.replace("CANARY", CANARY);
            for command in COMMANDS {
                let output = project
                    .run_with(command, &[("DATABASE_URL", &text), ("PGSERVICEFILE", services), ("HOME", "/nowhere")]);
                assert!(!output.contains("canary"), "{text} {command:?}: {output}");
                assert!(codes.iter().any(|code| output.starts_with(code)), "{text} {command:?}: {output}");
                // Nobody was asked where half of a password is.
                assert!(!output.contains("lookup"), "{text} {command:?}: {output}");
            }
        }
    }
}

#[test]
fn a_url_in_the_place_of_another_argument_is_not_repeated() {
    let project = Project::without_database();
    let url = format!("postgresql://deploy:{CANARY}@127.0.0.1:1/a");
    let commands: [&[&str]; 11] = [
        &[&url],
        &["up", &url],
        &["up", "--to", &url],
        &["show", &url],
        &["environment", "set", &url],
        &["--color", &url, "up"],
        &["up", "--wait-lock", &url],
        &["seed", "--nonesuch", &url],
        &["create", &url],
        &["plan", "--locks", "--nonesuch", &url],
        &["status", &format!("--databse-url={url}")],
    ];
    for command in commands {
        let output = project.run(command);
        assert!(output.starts_with("exit 2") && !output.contains(CANARY), "{output}");
    }
    for variable in ["MIGRATOR_WAIT_LOCK", "MIGRATOR_QUIET", "MIGRATOR_YES"] {
        let output = project.run_with(&["down"], &[(variable, &url)]);
        assert!(!output.contains(CANARY), "{variable}: {output}");
    }
}
