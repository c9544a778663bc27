//! What other tools call our commands.

use super::unknown::Elsewhere;

/// Those names, and the commands to type instead.
pub(super) const ELSEWHERE: &[Elsewhere] = &[
    (&["rollback", "revert", "undo", "downgrade", "back"], "`migrator down` rolls back the newest migration"),
    (
        &["migrate", "apply", "run", "upgrade", "latest", "deploy", "forward", "update"],
        "`migrator up` applies what is pending",
    ),
    (&["info", "state", "current", "pending"], "`migrator status` shows what is applied and what is not"),
    (&["log", "events"], "`migrator history` shows what was done, when, and by whom"),
    (&["settings", "configuration"], "`migrator config` shows the settings in force"),
    (&["completion"], "`migrator completions SHELL` prints the completions for a shell"),
    (
        &["check", "validate"],
        "`migrator status --check` compares the database with this binary; `cargo xtask check` checks the files",
    ),
    (&["diff"], "`migrator drift` compares the live schema with the compiled one"),
    (&["baseline", "fake", "mark"], "`migrator stamp` records migrations as applied without running them"),
    (
        &["repair", "fix", "force"],
        "`migrator status` shows what is wrong; `migrator resolve` settles a statement in doubt",
    ),
    (&["new", "add", "generate", "make"], "`cargo xtask new NAME` writes a new migration"),
    (&["create"], "`cargo xtask new NAME` writes a new migration; `cargo xtask migrate create` creates the database"),
    (&["dump", "load"], "`cargo xtask dump` writes db/schema.sql"),
    (&["fresh", "refresh", "setup", "clean"], "`cargo xtask reset` begins with an empty database, in development"),
    (&["drop", "reset"], "`cargo xtask migrate COMMAND` does it, for developers only"),
    (&["init", "import", "squash", "verify", "compat"], "`cargo xtask COMMAND` does it, for developers only"),
    (&["env"], "`migrator environment` shows or records the environment of the database"),
    (&["ls"], "`migrator list` lists the migrations in this binary"),
    (&["sql"], "`migrator plan --sql` prints the SQL of what is pending, `migrator show VERSION` that of a migration"),
    (&["ping", "ready"], "`migrator wait` waits until the server accepts connections"),
];
