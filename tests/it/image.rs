//! The image of the Dockerfile: its last stage, with a binary that was built elsewhere, applies db/ as a user without a name.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use migrator_postgres::TemporaryServer;
use serde_json::{Value, json};

use crate::support::query_at;
use crate::workspace::{files, repository};

/// Where the stage that compiles has what the last one copies.
const FROM_BUILD: [&str; 2] = ["src/target/dist/migrator", "etc/ssl/certs/ca-certificates.crt"];

/// buildah with a store of its own.
struct Buildah(tempfile::TempDir);

impl Buildah {
    /// Runs it: whether it went well, what it printed, and what it said.
    fn run(&self, arguments: &[&str]) -> (bool, String, String) {
        let mut buildah = Command::new("buildah");
        for (option, folder) in [("--root", "root"), ("--runroot", "run")] {
            buildah.arg(option).arg(self.0.path().join(folder));
        }
        buildah.args(["--storage-driver", "vfs"]).args(arguments);
        let output = buildah.env("BUILDAH_ISOLATION", "chroot").output().unwrap();
        let [printed, said] = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        (output.status.success(), printed.trim().to_owned(), said)
    }

    /// What it prints where it has to go well.
    fn get(&self, arguments: &[&str]) -> String {
        let (done, printed, said) = self.run(arguments);
        assert!(done, "buildah {arguments:?}: {said}{printed}");
        printed
    }

    /// The Dockerfile's image, whose first stage is one that holds this binary.
    fn image(&self, migrator: &Path) -> &'static str {
        let stage = self.0.path().join("stage");
        let authorities = Path::new("/").join(FROM_BUILD[1]);
        for (from, to) in [migrator, &authorities].into_iter().zip(FROM_BUILD) {
            let to = stage.join(to);
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(from, to).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
        }
        let container = self.get(&["from", "scratch"]);
        self.get(&["copy", "--quiet", &container, stage.to_str().unwrap(), "/"]);
        self.get(&["commit", "--quiet", &container, "localhost/stage"]);
        let context = ["--build-context", "build=container-image://localhost/stage"];
        let repository = repository();
        self.get(&[&["build", "--tag", "image"], &context[..], &[repository.to_str().unwrap()]].concat());
        "image"
    }
}

#[test]
fn the_image_applies_db_as_a_user_without_a_name() {
    let Some(migrator) = std::env::var_os("MIGRATOR_TEST_IMAGE").map(PathBuf::from) else {
        eprintln!("not run: without MIGRATOR_TEST_IMAGE, a static migrator, no image is built (.ci/run sets it)");
        return;
    };
    let buildah = Buildah(tempfile::tempdir().unwrap());
    let image = buildah.image(&migrator);
    let about: Value = serde_json::from_str(&buildah.get(&["inspect", "--type", "image", image])).unwrap();
    let settings = &about["OCIv1"]["config"];
    let started = json!([settings["Entrypoint"], settings["Cmd"], settings["User"]]);
    assert_eq!(started, json!([["/migrator"], ["up"], "65532:65532"]));
    let container = buildah.get(&["from", image]);
    let inside = files(Path::new(&buildah.get(&["mount", &container])));
    let mut names: Vec<String> = inside.iter().map(|(path, _)| path.display().to_string()).collect();
    names.sort();
    assert_eq!(names, [FROM_BUILD[1], "migrator"]);
    // A container has no socket of ours, but the network of this machine.
    let server = TemporaryServer::builder().tcp().start().unwrap();
    query_at(&server.url("postgres"), "CREATE DATABASE crm");
    let url = format!("DATABASE_URL={}", server.tcp_url("crm").unwrap());
    let run = |arguments: &[&str]| {
        buildah.get(&[&["run", "--env", &url, &container, "--", "/migrator"][..], arguments].concat())
    };
    let up = run(&["up"]);
    assert!(up.lines().last().unwrap().starts_with("applied 1"), "{up}");
    assert!(run(&["status", "--check"]).ends_with("up to date"));
    let history: Value = serde_json::from_str(&run(&["history", "--json"])).unwrap();
    let by = history["events"][0]["by"].as_str().unwrap();
    assert_eq!(by.split('@').next(), Some("unknown"), "{by}");
}
