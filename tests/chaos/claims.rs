//! Whether what the migrator said is true. Pure.

use crate::facts::Facts;
use crate::scenario::MIGRATIONS;

/// A run of the migrator that has ended.
#[derive(Debug, Clone, Default)]
pub(crate) struct Said {
    /// `None`: it was killed.
    pub(crate) exit: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Said {
    /// For a report.
    pub(crate) fn text(&self) -> String {
        let exit = self.exit.map_or("killed".to_owned(), |code| code.to_string());
        format!("exit {exit}\n--- stdout\n{}--- stderr\n{}", self.stdout, self.stderr)
    }
}

/// What is untrue of what a run of `up` has said, now that the database has come to rest.
pub(crate) fn judge(said: &Said, facts: &Facts, killed: bool) -> Vec<String> {
    let mut wrong = judge_results(said, facts, killed);
    for line in said.stderr.lines() {
        wrong.extend(claims(line).into_iter().filter_map(|claim| {
            let done = is_done(&claim.step, facts);
            (done != claim.done)
                .then(|| format!("`{}` is done: {done}, but it was said: `{}`", claim.step, line.trim()))
        }));
    }
    wrong
}

/// The same of its exit code and its results alone.
pub(crate) fn judge_results(said: &Said, facts: &Facts, killed: bool) -> Vec<String> {
    let mut wrong = Vec::new();
    match said.exit {
        Some(0) if !facts.is_complete() => {
            wrong.push("exit code 0, but not everything is done".to_owned());
        }
        // 0: it was done in spite of the fault; 6: the connection was lost and the state is reported; 7: in doubt.
        Some(0 | 6 | 7) => {}
        None if killed => {}
        code => wrong.push(format!("exit code {code:?} is not one of those for a lost connection")),
    }
    wrong.extend(said.stdout.lines().filter(|line| !is_true(line, facts)).map(|line| format!("untrue: `{line}`")));
    wrong
}

/// Whether a line of stdout is true; a line that nobody knows is not.
fn is_true(line: &str, facts: &Facts) -> bool {
    if line.starts_with("nothing to apply") {
        return facts.is_complete();
    }
    let Some(rest) = line.strip_prefix("applied ") else { return false };
    let first = rest.split(' ').next().unwrap_or_default();
    if first.bytes().all(|byte| byte.is_ascii_digit()) {
        // The last line: how many, how long, where.
        return facts.is_complete();
    }
    let rest = rest.strip_prefix("repeatable ").unwrap_or(rest);
    rest.split_once(" (").is_some_and(|(step, time)| time.ends_with(')') && is_done(step, facts))
}

/// Whether the step of that label has been done.
fn is_done(label: &str, facts: &Facts) -> bool {
    let migration = MIGRATIONS.iter().find(|migration| migration.label() == label);
    migration.is_some_and(|migration| facts.is_applied(migration.version)) || !facts.repeatable_events(label).is_empty()
}

struct Claim {
    step: String,
    done: bool,
}

/// What a line of stderr says about steps: those of its lists and the one of the headline.
fn claims(line: &str) -> Vec<Claim> {
    let mut claims = Vec::new();
    let mut list = |text: &str, done: bool| {
        // `001_a, 002_b, 003_c and 4 more`: what is not named is not claimed.
        let named = text.split_once(" and ").map_or(text, |(named, _)| named);
        for step in named.split(", ").filter(|step| *step != "none") {
            claims.push(Claim { step: step.to_owned(), done });
        }
    };
    for (begin, end, done) in [(" before it in this run: ", ". Not run: ", true), (". Not run: ", ".", false)] {
        if let Some((_, rest)) = line.split_once(begin)
            && let Some((text, _)) = rest.split_once(end)
        {
            list(text, done);
        }
    }
    for verdict in [" was rolled back", " is unfinished", " is in doubt", " failed"] {
        if let Some((subject, _)) = line.split_once(verdict)
            && let Some(label) =
                subject.strip_prefix("error: migration ").or(subject.strip_prefix("error: repeatable "))
        {
            list(label, false);
        }
    }
    claims
}

/// The decision that the migrator asks for: version and statement.
pub(crate) fn asks_to_resolve(stderr: &str) -> Option<(String, String)> {
    let (_, rest) = stderr.split_once("migrator resolve ")?;
    let mut words = rest.split([' ', '`']);
    let (version, option, statement) = (words.next()?, words.next()?, words.next()?);
    (option == "--statement").then(|| (version.to_owned(), statement.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first two migrations are done.
    fn facts() -> Facts {
        let row = |version: &str| (version.to_owned(), "7".to_owned());
        Facts { applied: vec![row("001"), row("002")], ..Facts::default() }
    }

    fn check(exit: i32, stdout: &str, stderr: &str) -> Vec<String> {
        judge(&Said { exit: Some(exit), stdout: stdout.into(), stderr: stderr.into() }, &facts(), false)
    }

    #[test]
    fn what_is_true_is_accepted() {
        let report = "error: migration 003_rows was rolled back: the connection was lost: closed\n\
             \x20 = note: done before it in this run: 001_accounts, 002_orders. Not run: 004_index, 020_policy.\n";
        assert_eq!(check(6, "applied 001_accounts (3 ms)\napplied 002_orders (4 ms)\n", report), Vec::<String>::new());
        assert_eq!(check(7, "", ""), Vec::<String>::new());
        let cut = "  = note: done before it in this run: 001_accounts. Not run: 004_index, 020_policy and 4 more.\n";
        assert_eq!(check(6, "", cut), Vec::<String>::new());
    }

    #[test]
    fn what_is_untrue_is_noticed() {
        let notices = |exit, stdout, stderr, words: &str| {
            let wrong = check(exit, stdout, stderr).join("\n");
            assert!(wrong.contains(words), "expected `{words}`, got: {wrong}");
        };
        notices(0, "", "", "exit code 0, but not everything is done");
        notices(3, "", "", "exit code Some(3)");
        notices(6, "applied 003_rows (3 ms)\n", "", "untrue: `applied 003_rows");
        notices(6, "applied repeatable 020_policy (3 ms)\n", "", "untrue: `applied repeatable");
        notices(6, "applied 10 migrations in 3 ms; the database is at 010\n", "", "untrue: `applied 10");
        notices(6, "nothing to apply\n", "", "untrue: `nothing");
        notices(6, "all is well\n", "", "untrue: `all is well`");
        notices(6, "", "error: migration 002_orders was rolled back: closed\n", "`002_orders` is done: true");
        notices(6, "", "  = note: done before it in this run: 003_rows. Not run: none.\n", "`003_rows` is done: false");
        notices(
            6,
            "",
            "  = note: done before it in this run: none. Not run: 002_orders.\n",
            "`002_orders` is done: true",
        );
    }

    #[test]
    fn the_decision_that_is_asked_for_is_read() {
        let help =
            "  = help: look whether ..., then run `migrator resolve 006 --statement 2 --applied`, or `--retry` to ...";
        assert_eq!(asks_to_resolve(help), Some(("006".to_owned(), "2".to_owned())));
        assert_eq!(asks_to_resolve("run `migrator resolve`"), None);
    }
}
