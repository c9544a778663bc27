//! Whether what the migrator said is true. Pure.

use crate::command::{Command, version_of};
use crate::facts::Facts;
use crate::scenario::{SEED, Way};

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

/// A run, and what is in the database before and after it.
pub(crate) struct Trial<'a> {
    pub(crate) command: Command,
    pub(crate) before: &'a Facts,
    pub(crate) after: &'a Facts,
    /// Whether it was killed.
    pub(crate) killed: bool,
    /// Whether another migrator has undone meanwhile what this one has done, or some of it.
    pub(crate) undone: bool,
    /// How many others have done the same meanwhile: of seeds each counts.
    pub(crate) by_others: usize,
}

impl Trial<'_> {
    /// What is untrue of what was said, now that the database has come to rest.
    pub(crate) fn judge(&self, said: &Said) -> Vec<String> {
        let mut wrong = self.judge_results(said);
        for line in said.stderr.lines() {
            let untrue = claims(line).into_iter().filter(|claim| !self.holds(claim));
            wrong.extend(untrue.map(|claim| format!("{claim:?} is untrue, but it was said: `{}`", line.trim())));
        }
        wrong
    }

    /// The same of its exit code and its results alone.
    pub(crate) fn judge_results(&self, said: &Said) -> Vec<String> {
        let mut wrong = Vec::new();
        match said.exit {
            Some(0) if !self.undone && !self.is_done() => {
                wrong.push("exit code 0, but not everything is done".to_owned());
            }
            // 0: it was done in spite of the fault; 6: the connection was lost and the state is reported; 7: in doubt.
            Some(0 | 6 | 7) => {}
            // The other one was first, or has left something half-done.
            Some(4 | 5 | 8) if self.undone => {}
            None if self.killed => {}
            code => wrong.push(format!("exit code {code:?} is not one of those for a lost connection")),
        }
        let untrue = said.stdout.lines().filter(|line| !self.is_true(line));
        wrong.extend(untrue.map(|line| format!("untrue: `{line}`")));
        wrong
    }

    fn is_done(&self) -> bool {
        match self.command {
            Command::Seed => self.after.seed_events().len() > self.before.seed_events().len() + self.by_others,
            command => command.is_done(self.before, self.after),
        }
    }

    /// Whether a line of stdout is true; an unknown line is not.
    fn is_true(&self, line: &str) -> bool {
        let (word, rest) = line.split_once(' ').unwrap_or_default();
        let is_total =
            |rest: &str| rest.split(' ').next().is_some_and(|first| first.bytes().all(|b| b.is_ascii_digit()));
        let timed =
            |rest: &str| rest.split_once(" (").filter(|(_, time)| time.ends_with(')')).map(|(step, _)| step.to_owned());
        match (self.command, word) {
            (Command::Up, "nothing") => line.starts_with("nothing to apply") && (self.undone || self.is_done()),
            (Command::Down | Command::DownOfNewer, "nothing") => {
                line == "nothing to roll back" && (self.undone || self.is_done())
            }
            (Command::Stamp, "nothing") => line == "nothing to stamp" && self.is_done(),
            // The last line: how many, how long, where.
            (Command::Up, "applied") if is_total(rest) => self.undone || self.is_done(),
            (Command::Up, "applied") => {
                let rest = rest.strip_prefix("repeatable ").unwrap_or(rest);
                timed(rest).is_some_and(|step| self.was_done(&step, Way::Up))
            }
            (Command::Down | Command::DownOfNewer, "rolled") => {
                let rest = rest.strip_prefix("back ").unwrap_or_default();
                match is_total(rest) {
                    true => self.undone || self.is_done(),
                    false => timed(rest).is_some_and(|step| self.was_done(&step, Way::Down)),
                }
            }
            (Command::Seed, "seeded") => timed(rest).is_some_and(|step| step == SEED && self.is_done()),
            (Command::Stamp, "stamped") => is_total(rest) && self.is_done(),
            (Command::Adopt, "nothing") => line.starts_with("nothing to adopt: ") && self.is_done(),
            (Command::Adopt, "adopted") => rest.contains(" without running: ") && self.is_done(),
            (Command::Adopt, "`public.goose_db_version`") => rest.starts_with("was left as it is") && self.is_done(),
            (Command::Adopt, "Next:") => self.is_done(),
            (Command::Resolve(decision), "statement") => {
                let next = if decision == "--applied" { "counts as applied" } else { "will be run again" };
                rest.contains(next) && self.is_done()
            }
            _ => false,
        }
    }

    /// Whether the step of that label is as that way leaves it; where another migrator undoes that: whether it was.
    fn was_done(&self, label: &str, way: Way) -> bool {
        if !self.undone {
            return is_so(label, way, self.after);
        }
        let count = |facts: &Facts| match version_of(label) {
            Some(version) => facts.went(version, way).len(),
            None => facts.repeatable_events(label).len(),
        };
        count(self.after) > count(self.before)
    }

    fn holds(&self, claim: &Claim) -> bool {
        let way = self.command.way();
        match claim {
            Claim::Done(label) => self.was_done(label, way),
            Claim::NotDone(label) if self.command == Command::Seed => *label == SEED && !self.is_done(),
            Claim::NotDone(label) => !is_so(label, way, self.after),
            Claim::HalfDone(label, statement) => {
                let Some((migration, half, open)) = self.after.half_done() else { return false };
                migration.label() == *label && half == way && statement.is_none_or(|number| open == Some(number))
            }
        }
    }
}

/// Whether the step of that label is as that way leaves it.
fn is_so(label: &str, way: Way, facts: &Facts) -> bool {
    match version_of(label) {
        Some(version) => facts.is_applied(version) == (way == Way::Up),
        None => facts.is_current(label),
    }
}

/// What is said about a step, whichever way it goes.
#[derive(Debug, PartialEq, Eq)]
enum Claim {
    Done(String),
    NotDone(String),
    /// And which statement it is whose end is not known.
    HalfDone(String, Option<i32>),
}

/// The lists of steps: what comes before them, what comes after, whether its steps are done.
const LISTS: [(&str, &str, bool); 3] = [
    (" before it in this run: ", ". Not run: ", true),
    (". Not run: ", ".", false),
    ("done by another migrator meanwhile: ", "", true),
];

/// The words after a step's label in a headline: whether it is done; `None`: it is half-done.
const VERDICTS: [(&str, Option<bool>); 10] = [
    (" was not committed by this run", Some(false)),
    (" failed here, but another migrator has completed it", Some(true)),
    (" failed half-done", None),
    (" is not applied", Some(false)),
    (" is still applied", Some(false)),
    (" is unfinished", None),
    (" is in doubt", None),
    (" failed; the migration is still applied", Some(false)),
    (" failed and was rolled back", Some(false)),
    (" failed", Some(false)),
];

/// What a line of stderr says about steps: those of its lists and the one of the headline.
fn claims(line: &str) -> Vec<Claim> {
    let mut claims = Vec::new();
    for (begin, end, done) in LISTS {
        let Some((_, rest)) = line.split_once(begin) else { continue };
        let text = if end.is_empty() { Some(rest) } else { rest.split_once(end).map(|(text, _)| text) };
        // `001_a, 002_b, 003_c and 4 more`: what is not named is not claimed.
        let named = text.map(|text| text.split_once(" and ").map_or(text, |(named, _)| named)).unwrap_or_default();
        let steps = named.split(", ").filter(|step| !step.is_empty() && *step != "none").map(str::to_owned);
        claims.extend(steps.map(|step| if done { Claim::Done(step) } else { Claim::NotDone(step) }));
    }
    let Some(headline) = line.strip_prefix("error: ") else { return claims };
    let headline = headline.strip_prefix("rollback of ").unwrap_or(headline);
    if let Some((_, rest)) = headline.split_once("the connection was lost while statement ")
        && let Some((number, rest)) = rest.split_once(" of migration ")
        && let Some((label, _)) = rest.split_once(" ran")
    {
        claims.push(Claim::HalfDone(label.to_owned(), number.parse().ok()));
    }
    let step = ["migration ", "repeatable ", "seed "].iter().find_map(|kind| headline.strip_prefix(kind));
    // A label has no spaces: `failed; the migration is still applied` is not what is said of a step named `003_rows failed and`.
    let verdict = |words: &str| step?.split_once(words).filter(|(label, _)| !label.contains(' '));
    let found = VERDICTS.iter().find_map(|(words, done)| Some((verdict(words)?, done)));
    let Some(((label, rest), done)) = found else { return claims };
    let label = label.to_owned();
    claims.push(match done {
        Some(true) => Claim::Done(label),
        Some(false) => Claim::NotDone(label),
        None => {
            let number = rest.split_once(": statement ").and_then(|(_, rest)| rest.split(' ').next());
            Claim::HalfDone(label, number.and_then(|number| number.parse().ok()))
        }
    });
    claims
}

/// The lines of stdout by which a run says that it has taken a migration that way.
pub(crate) fn count_said(said: &[&Said], label: &str, way: Way) -> usize {
    let words = if way == Way::Up { "applied" } else { "rolled back" };
    let begin = format!("{words} {label} (");
    said.iter().flat_map(|said| said.stdout.lines()).filter(|line| line.starts_with(&begin)).count()
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
    use crate::facts::Event;

    /// The first two migrations are done.
    fn facts() -> Facts {
        let row = |version: &str| (version.to_owned(), "7".to_owned());
        Facts { applied: vec![row("001"), row("002")], ..Facts::default() }
    }

    /// The same, and of the sixth the third statement was begun, that way.
    fn half_done(way: Way) -> Facts {
        let mut facts = facts();
        facts.events.push(Event {
            action: way.word().into(),
            version: Some("006".into()),
            statement: Some(10),
            outcome: "started".into(),
            ..Event::default()
        });
        facts
    }

    fn of(command: Command, after: &Facts, (exit, stdout, stderr): (i32, &str, &str)) -> Vec<String> {
        let trial = Trial { command, before: &Facts::default(), after, killed: false, undone: false, by_others: 0 };
        trial.judge(&Said { exit: Some(exit), stdout: stdout.into(), stderr: stderr.into() })
    }

    fn check(exit: i32, stdout: &str, stderr: &str) -> Vec<String> {
        of(Command::Up, &facts(), (exit, stdout, stderr))
    }

    fn is_noticed(wrong: &[String], words: &str) {
        let wrong = wrong.join("\n");
        assert!(wrong.contains(words), "expected `{words}`, got: {wrong}");
    }

    #[test]
    fn what_is_true_is_accepted() {
        let report = "error: migration 003_rows is not applied: the connection was lost: closed\n\
             \x20 = note: done before it in this run: 001_accounts, 002_orders. Not run: 004_index, 020_policy.\n";
        assert_eq!(check(6, "applied 001_accounts (3 ms)\napplied 002_orders (4 ms)\n", report), Vec::<String>::new());
        assert_eq!(check(7, "", ""), Vec::<String>::new());
        let cut = "  = note: done before it in this run: 001_accounts. Not run: 004_index, 020_policy and 4 more.\n";
        assert_eq!(check(6, "", cut), Vec::<String>::new());
        let by_another = "warning: the rest was done by another migrator meanwhile: 001_accounts, 002_orders\n";
        assert_eq!(check(6, "", by_another), Vec::<String>::new());
    }

    #[test]
    fn what_is_true_of_a_rollback_is_accepted() {
        let down = |stdout: &str, stderr: &str| of(Command::Down, &facts(), (6, stdout, stderr));
        let report = "error: migration 002_orders is still applied: the connection was lost: closed\n\
             \x20 = note: done before it in this run: 004_index, 003_rows. Not run: 001_accounts.\n";
        assert_eq!(down("rolled back 004_index (3 ms)\nrolled back 003_rows (4 ms)\n", report), Vec::<String>::new());
        let failed = "error: rollback of migration 002_orders failed; the migration is still applied: boom\n\
             \x20 = note: rolled back before it in this run: 003_rows. Not run: 001_accounts.\n";
        assert_eq!(down("", failed), Vec::<String>::new());
        is_noticed(&down("rolled back 002_orders (3 ms)\n", ""), "untrue: `rolled back 002_orders");
        is_noticed(&down("", &failed.replace("002_orders", "003_rows")), "NotDone(\"003_rows\") is untrue");
        let wrong = report.replace("002_orders", "005_state").replace("003_rows", "001_accounts");
        is_noticed(&down("", &wrong), "NotDone(\"005_state\") is untrue");
        is_noticed(&down("", &wrong), "Done(\"001_accounts\") is untrue");
        is_noticed(&down("nothing to roll back\n", ""), "untrue: `nothing to roll back`");
        is_noticed(&down("rolled back 4 migrations in 3 ms; the database is at 001\n", ""), "untrue: `rolled back 4");
        is_noticed(&of(Command::Down, &facts(), (0, "", "")), "exit code 0");
    }

    #[test]
    fn what_is_untrue_is_noticed() {
        let notices = |exit, stdout, stderr, words: &str| is_noticed(&check(exit, stdout, stderr), words);
        notices(0, "", "", "exit code 0, but not everything is done");
        notices(3, "", "", "exit code Some(3)");
        notices(6, "applied 003_rows (3 ms)\n", "", "untrue: `applied 003_rows");
        notices(6, "applied repeatable 020_policy (3 ms)\n", "", "untrue: `applied repeatable");
        notices(6, "applied 10 migrations in 3 ms; the database is at 010\n", "", "untrue: `applied 10");
        notices(6, "nothing to apply\n", "", "untrue: `nothing");
        notices(6, "all is well\n", "", "untrue: `all is well`");
        notices(6, "rolled back 003_rows (3 ms)\n", "", "untrue: `rolled back 003_rows");
        let claims = [
            ("error: migration 002_orders is not applied: closed", "NotDone(\"002_orders\")"),
            ("error: migration 002_orders failed and was rolled back", "NotDone(\"002_orders\")"),
            ("error: migration 002_orders failed at statement 2 of 3", "NotDone(\"002_orders\")"),
            ("error: migration 003_rows failed here, but another migrator has completed it", "Done(\"003_rows\")"),
            ("error: migration 002_orders is unfinished: closed", "HalfDone(\"002_orders\", None)"),
            ("  = note: done before it in this run: 003_rows. Not run: none.", "Done(\"003_rows\")"),
            ("  = note: done before it in this run: none. Not run: 002_orders.", "NotDone(\"002_orders\")"),
            ("  = note: done by another migrator meanwhile: 003_rows", "Done(\"003_rows\")"),
        ];
        for (line, words) in claims {
            notices(6, "", line, words);
        }
    }

    #[test]
    fn what_is_said_of_a_statement_is_compared_with_the_events() {
        let lost = "error: the connection was lost while statement 10 of migration 006_mixed ran: closed\n";
        let doubt = "error: migration 006_mixed is in doubt: statement 10 was started, and its outcome is unknown\n";
        for (line, way, command) in
            [lost, doubt].into_iter().flat_map(|line| [(line, Way::Up, Command::Up), (line, Way::Down, Command::Down)])
        {
            assert_eq!(of(command, &half_done(way), (7, "", line)), Vec::<String>::new());
            is_noticed(&of(command, &half_done(way), (7, "", &line.replace("10", "9"))), "HalfDone");
            is_noticed(&of(command, &half_done(way.other()), (7, "", line)), "HalfDone");
            is_noticed(&of(command, &facts(), (7, "", line)), "HalfDone");
        }
    }

    #[test]
    fn what_other_commands_say_is_judged_too() {
        for (command, line) in [
            (Command::Seed, "seeded test (3 ms)"),
            (Command::Stamp, "stamped 10 without running: 001_accounts, 002_orders, 003_rows and 7 more"),
            (Command::Stamp, "nothing to stamp"),
            (Command::Adopt, "adopted from `public.goose_db_version` of goose: 10 without running: 001_accounts"),
            (Command::Adopt, "nothing to adopt: our history has all 10 of `public.goose_db_version` already"),
            (Command::Resolve("--retry"), "statement 10 of 006_mixed will be run again; `migrator up` continues"),
        ] {
            is_noticed(&of(command, &facts(), (6, line, "")), "untrue");
            is_noticed(&of(command, &facts(), (0, "", "")), "exit code 0");
        }
        let mut seeded = facts();
        seeded.events.push(Event {
            action: "seed".into(),
            name: Some(SEED.into()),
            outcome: "done".into(),
            ..Event::default()
        });
        assert_eq!(of(Command::Seed, &seeded, (0, "seeded test (3 ms)", "")), Vec::<String>::new());
    }

    #[test]
    fn the_decision_that_is_asked_for_is_read() {
        let help =
            "  = help: look whether ..., then run `migrator resolve 006 --statement 2 --applied`, or `--retry` to ...";
        assert_eq!(asks_to_resolve(help), Some(("006".to_owned(), "2".to_owned())));
        assert_eq!(asks_to_resolve("run `migrator resolve`"), None);
    }
}
