//! A workspace with migrations in git, and databases over its files.

use std::fs;
use std::process::Command;

use crate::support::Project;
use crate::workspace::{Workspace, files};

/// Everything is committed, and the branch `main` is what production has.
pub(super) struct Shop(pub(super) Workspace);

impl Shop {
    /// Files below db/.
    pub(super) fn new(name: &str, db: &[(String, String)]) -> Shop {
        let mut all = vec![
            ("Cargo.toml".into(), b"[workspace]\nresolver = \"3\"\nmembers = [\"migrator\"]\n".to_vec()),
            (
                "migrator/Cargo.toml".into(),
                b"[package]\nname = \"migrator\"\nversion = \"0.1.0\"\nedition = \"2024\"\n".to_vec(),
            ),
            ("migrator/src/main.rs".into(), b"fn main() {}\n".to_vec()),
        ];
        all.extend(db.iter().map(|(path, text)| (format!("db/{path}").into(), text.as_bytes().to_vec())));
        let shop = Shop(Workspace::of(name, &all));
        let _ = fs::remove_dir_all(shop.0.path(".git"));
        shop.git("init --quiet --initial-branch main");
        shop.commit();
        shop
    }

    /// Thirty migrations of every kind: each tenth writes rows, each third of ten runs outside a transaction.
    pub(super) fn of_thirty(name: &str) -> Shop {
        let mut db: Vec<(String, String)> = (1..=30).map(migration).collect();
        db.push(("migrator.toml".into(), String::new()));
        db.push(("repeatable/all.sql".into(), "CREATE OR REPLACE VIEW all_of_t1 AS SELECT id, note FROM t1;\n".into()));
        Shop::new(name, &db)
    }

    pub(super) fn git(&self, line: &str) {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=a", "-c", "user.email=a@localhost", "-c", "commit.gpgsign=false"]);
        let output = git.args(line.split(' ')).current_dir(self.0.path("")).output().unwrap();
        assert!(output.status.success(), "git {line}: {}", String::from_utf8_lossy(&output.stderr));
    }

    pub(super) fn commit(&self) {
        self.git("add --all --force db migrator Cargo.toml");
        self.git("commit --quiet --allow-empty --message x");
    }

    /// A task, with `main` as the base branch where the task takes one.
    pub(super) fn run(&self, line: &str) -> String {
        let mut xtask = self.0.program(env!("CARGO_BIN_EXE_xtask"));
        let takes_base = ["squash", "check", "verify"].iter().any(|task| line.starts_with(task));
        xtask.args(line.split_whitespace()).args(takes_base.then_some("--base=main"));
        self.0.run(&mut xtask)
    }

    /// Squashes and commits.
    pub(super) fn squash(&self, line: &str) {
        let said = self.run(&format!("squash {line}"));
        assert!(said.starts_with("exit 0"), "{said}");
        self.commit();
    }

    /// A new database with a copy of the files as they are now.
    pub(super) fn project(&self) -> Project {
        Project::of(&self.0.path("db"))
    }

    /// The same database with the files as they are now.
    pub(super) fn on(&self, project: &Project) -> Project {
        let next = project.release("2.0.0");
        fs::remove_dir_all(next.db()).unwrap();
        for (path, bytes) in files(&self.0.path("db")) {
            let path = next.db().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        next
    }
}

/// The facts of the schema that is there; without what is said of the files.
pub(super) fn facts(project: &Project) -> String {
    let facts = project.run(&["drift", "--facts"]);
    let shown = facts.split("--- stderr").next().unwrap_or_default();
    assert!(shown.starts_with("exit 0\n--- stdout"), "{facts}");
    shown.to_owned()
}

fn migration(n: u32) -> (String, String) {
    let t = n - (n - 1) % 10;
    let (mut options, on) = ("", format!("t{t}"));
    let (name, up, down) = match n % 10 {
        1 => (
            "table",
            format!("CREATE TABLE {on} (id bigint PRIMARY KEY, name text NOT NULL DEFAULT 'x');"),
            format!("DROP TABLE {on};"),
        ),
        2 => ("note", format!("ALTER TABLE {on} ADD COLUMN note text;"), format!("ALTER TABLE {on} DROP COLUMN note;")),
        3 => {
            options = " transaction:false";
            let create = format!("CREATE INDEX CONCURRENTLY {on}_note ON {on} (note);");
            ("index", create, format!("DROP INDEX CONCURRENTLY {on}_note;"))
        }
        4 => (
            "state",
            format!(
                "CREATE TYPE {on}_state AS ENUM ('a', 'b');\nALTER TABLE {on} ADD COLUMN state {on}_state NOT NULL DEFAULT 'a';"
            ),
            format!("ALTER TABLE {on} DROP COLUMN state;\nDROP TYPE {on}_state;"),
        ),
        5 => (
            "drop_name",
            format!("ALTER TABLE {on} DROP COLUMN name;"),
            format!("ALTER TABLE {on} ADD COLUMN name text NOT NULL DEFAULT 'x';"),
        ),
        6 => ("view", format!("CREATE VIEW {on}_view AS SELECT id, state FROM {on};"), format!("DROP VIEW {on}_view;")),
        7 => (
            "function",
            format!(
                "CREATE FUNCTION {on}_count() RETURNS bigint LANGUAGE plpgsql AS $$BEGIN RETURN (SELECT count(*) FROM {on}); END$$;"
            ),
            format!("DROP FUNCTION {on}_count();"),
        ),
        8 => (
            "child",
            format!(
                "CREATE TABLE {on}_child (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, parent bigint REFERENCES {on} DEFERRABLE);"
            ),
            format!("DROP TABLE {on}_child;"),
        ),
        9 => (
            "grant",
            format!("COMMENT ON TABLE {on} IS 'it''s {on}';\nGRANT SELECT ON {on} TO PUBLIC;"),
            format!("REVOKE SELECT ON {on} FROM PUBLIC;\nCOMMENT ON TABLE {on} IS NULL;"),
        ),
        _ => ("rows", format!("INSERT INTO {on} (id) VALUES ({n});"), format!("DELETE FROM {on} WHERE id = {n};")),
    };
    let text = format!("-- migrate:up{options}\n{up}\n\n-- migrate:down{options}\n{down}\n");
    (format!("migrations/{n:03}_{name}.sql"), text)
}
