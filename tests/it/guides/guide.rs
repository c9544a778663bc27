//! What a guide is made of, and what several of them say.

/// How to move from one tool, and a history of that tool to try it on.
pub(super) struct Guide {
    /// Its name for `import` and `adopt`.
    pub(super) tool: &'static str,
    /// Where its files usually are.
    pub(super) directory: &'static str,
    /// Its commands, and ours.
    pub(super) commands: &'static [(&'static str, &'static str)],
    /// What is different afterwards.
    pub(super) changes: &'static [&'static str],
    /// How to go on with that tool.
    pub(super) back: &'static str,
    /// Two migrations: `one` creates the table `one`, `two` the table `two`.
    pub(super) files: &'static [(&'static str, &'static str)],
    /// Its history after both; empty where the tool keeps none.
    pub(super) history: &'static str,
}

pub(super) const UP: &str = "cargo xtask up";
pub(super) const DOWN: &str = "cargo xtask down";
pub(super) const REDO: &str = "cargo xtask migrate redo";
pub(super) const NEW: &str = "cargo xtask new NAME";
pub(super) const STATUS: &str = "cargo xtask status";
pub(super) const RESET: &str = "cargo xtask reset";
pub(super) const CHECK: &str = "cargo xtask check";
pub(super) const STAMP: &str = "cargo xtask migrate stamp --to V";

pub(super) const ONE: &str = "CREATE TABLE one (id bigint);\n";
pub(super) const TWO: &str = "CREATE TABLE two (id bigint);\n";
pub(super) const NO_ONE: &str = "DROP TABLE one;\n";
pub(super) const NO_TWO: &str = "DROP TABLE two;\n";

pub(super) const OWN_TABLE: &str = "The tool's own table still lists what was applied before the move. Roll back only what you have added since, with \
     `cargo xtask down --to V` where V is the newest migration that was adopted; or keep it, and record it with that tool.";
pub(super) const NOTHING_IN_THE_BACKEND: &str = "nothing: the pipeline runs `migrator up` before the rollout";

pub(super) const TRANSACTION: &str = "Each migration commits together with its row in the history. A statement that cannot run in a transaction is \
     recorded by itself, and an interrupted file resumes there.";
pub(super) const CHECKED: &str =
    "Files are checked when they are built: a syntax error or a misspelled marker fails the build, not the deployment.";
pub(super) const PAIRS: &str = "The two files of a pair become one, with `-- migrate:up` and `-- migrate:down`.";
pub(super) const EDITED: &str = "An applied file whose SQL changes is refused; comments and whitespace may change.";
pub(super) const NO_DOWN: &str =
    "A rollback is SQL in the same file. What is imported has none, and cannot be rolled back until you write one.";
pub(super) const WHOLE_HISTORY: &str = "The history knows every migration, not only the newest one.";
