//! A workspace that `init` is run in, and what is true of it afterwards.

use std::fs;
use std::path::PathBuf;

use migrator_postgres::Cluster;

use crate::workspace::{Workspace, files, repository};

/// A folder of a workspace, its cargo workspace or not.
pub(super) struct Place {
    pub(super) workspace: Workspace,
    pub(super) folder: &'static str,
}

impl Place {
    pub(super) fn new(name: &str, files: &[(&str, &str)]) -> Place {
        Place::below(name, "", files)
    }

    /// The cargo workspace is in a folder.
    pub(super) fn below(name: &str, folder: &'static str, files: &[(&str, &str)]) -> Place {
        let files: Vec<_> = files.iter().map(|(path, text)| (PathBuf::from(path), text.as_bytes().to_vec())).collect();
        let place = Place { workspace: Workspace::of(name, &files), folder };
        if !folder.is_empty() {
            fs::rename(place.workspace.path("Cargo.lock"), place.path("Cargo.lock")).unwrap();
            Cluster::of_workspace(&place.path("")).unwrap().destroy().unwrap();
        }
        place
    }

    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.workspace.path(self.folder).join(path)
    }

    pub(super) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }

    pub(super) fn init(&self, line: &str) -> String {
        let mut init = self.workspace.program(env!("CARGO_BIN_EXE_xtask"));
        init.arg("init").args(line.split_whitespace()).current_dir(self.path(""));
        let output = self.workspace.run(init.arg("--path").arg(repository()).env_remove("CARGO"));
        // How long the rules are does not matter here.
        let rules = fs::read_to_string(repository().join("db/README.md")).unwrap().lines().count();
        let output = output.replace(&format!("+1,{rules} @@"), "+1,ALL @@");
        let output = output.replace(&format!("... {} more lines", rules - 8), "... REST more lines");
        // An unchanged empty line of a difference is a space.
        output.lines().map(|line| format!("{}\n", line.trim_end())).collect()
    }

    pub(super) fn cargo(&self, line: &str) -> String {
        self.workspace.run(self.workspace.cargo(line).current_dir(self.path("")))
    }

    /// Everything that is there, without what cargo and the server leave.
    pub(super) fn all(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut all = files(&self.workspace.path(""));
        all.retain(|(path, _)| {
            !path.components().any(|part| [".git", ".dev", "target"].iter().any(|left| part.as_os_str() == *left))
        });
        all.sort();
        all
    }

    pub(super) fn git(&self, line: &str) {
        let status = self.workspace.program("git").args(line.split(' ')).current_dir(self.workspace.path("")).status();
        assert!(status.unwrap().success(), "git {line}");
    }

    /// What was written builds, migrates and is checked, and a second run changes nothing.
    pub(super) fn works(&self) {
        let before = self.all();
        let again = self.init("--yes");
        assert!(again.contains("nothing to change"), "{again}");
        assert!(before == self.all(), "a second run changes nothing");
        let up = self.cargo("xtask migrate up");
        assert!(up.starts_with("exit 0") && up.contains("nothing to apply"), "{up}");
        let new = self.cargo("xtask new create_customers");
        assert!(new.contains("db/migrations/001_create_customers.sql"), "{new}");
        let sql = "-- Purpose: customers\n-- migrate:up\nCREATE TABLE customers (id bigint);\n\n-- migrate:down\nDROP TABLE customers;\n";
        fs::write(self.path("db/migrations/001_create_customers.sql"), sql).unwrap();
        let up = self.cargo("xtask migrate up");
        assert!(up.starts_with("exit 0") && up.contains("applied 001_create_customers"), "{up}");
        let check = self.cargo("xtask check");
        assert!(check.starts_with("exit 0") && check.contains("nothing found"), "{check}");
        let before = self.all();
        let again = self.init("--yes");
        assert!(again.starts_with("exit 0") && again.contains("nothing to change"), "{again}");
        assert!(before == self.all(), "a run after the first migration changes nothing");
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.workspace.path(".git"));
        if !self.folder.is_empty() {
            let destroyed = Cluster::of_workspace(&self.path("")).and_then(|cluster| cluster.destroy());
            if !std::thread::panicking() {
                destroyed.unwrap();
            }
        }
    }
}

pub(super) const BACKEND: &str = "[package]\nname = \"backend\"\nversion = \"2.0.0\"\nedition = \"2024\"\n";

/// Without the difference, which the dry run has shown.
pub(super) fn without_diff(output: &str) -> String {
    let (head, rest) = output.split_once("--- stdout\n").unwrap();
    let (_, messages) = rest.split_once("--- stderr\n").unwrap();
    format!("{head}--- stderr\n{messages}")
}
