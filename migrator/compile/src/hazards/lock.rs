//! Which lock a statement takes, as PostgreSQL's tables of locks have it, and who waits for it.

use super::block::{Block, Finding};
use super::object::{alter_table, kind_index};
use super::{known, own};
use migrator_sql::{Words, is_concurrently};

/// From the weakest to the strongest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mode {
    AccessShare,
    RowShare,
    RowExclusive,
    ShareUpdateExclusive,
    Share,
    ShareRowExclusive,
    Exclusive,
    AccessExclusive,
}

impl Mode {
    /// Those who want to read or write meanwhile.
    fn waiting(self) -> &'static str {
        match self {
            Mode::AccessExclusive => "readers and writers wait",
            Mode::Share | Mode::ShareRowExclusive | Mode::Exclusive => "writers wait, readers do not",
            _ => "neither readers nor writers wait",
        }
    }

    /// Whether it keeps others from writing.
    pub(crate) fn stops_writers(self) -> bool {
        self >= Mode::Share
    }
}

/// The lock that the statement takes on its targets.
pub(crate) fn of(words: &Words<'_>) -> Option<Mode> {
    if let Some((_, actions)) = alter_table(words) {
        // One lock for all of them, the strongest that one of them needs.
        return actions.iter().map(of_action).max();
    }
    let kind = kind_index(words);
    Some(match words.at(0).to_ascii_lowercase().as_str() {
        "create" if words.is(kind, "index") && is_concurrently(words) => Mode::ShareUpdateExclusive,
        "create" if words.is(kind, "index") => Mode::Share,
        "create" if own::is_trigger(words) => Mode::ShareRowExclusive,
        "create" if words.is_any(kind, &["policy", "rule"]) => Mode::AccessExclusive,
        "drop" if words.is(kind, "index") && is_concurrently(words) => Mode::ShareUpdateExclusive,
        "drop" if words.is_any(kind, &["table", "index", "view", "sequence", "policy", "rule"]) => {
            Mode::AccessExclusive
        }
        "drop" if words.is(kind, "trigger") && !words.is(1, "event") => Mode::AccessExclusive,
        "alter" if words.is(kind, "index") && words.find("rename").is_some() => Mode::ShareUpdateExclusive,
        "alter" if words.is_any(kind, &["index", "view", "sequence", "trigger", "policy"]) => Mode::AccessExclusive,
        "truncate" => Mode::AccessExclusive,
        "lock" => of_lock(words),
        "insert" | "update" | "delete" | "merge" => Mode::RowExclusive,
        "refresh" if is_concurrently(words) => Mode::Exclusive,
        "refresh" | "cluster" => Mode::AccessExclusive,
        "vacuum" if own::is_full_vacuum(words) => Mode::AccessExclusive,
        "vacuum" | "analyze" => Mode::ShareUpdateExclusive,
        "reindex" if is_concurrently(words) => Mode::ShareUpdateExclusive,
        "reindex" => Mode::Share,
        _ => return None,
    })
}

/// What one action of `ALTER TABLE` needs.
fn of_action(action: &Words<'_>) -> Mode {
    // Storage parameters that say how a table is written are the weak ones; those of logical decoding are not.
    let parameters = action.is_any(0, &["set", "reset"]) && action.at(1) == "(" && !action.has("user_catalog_table");
    let of_column = known::altered_column(action).is_some_and(|(_, what)| {
        action.is(what, "set") && action.is(what + 1, "statistics")
            || action.is_any(what, &["set", "reset"]) && action.at(what + 1) == "("
    });
    let clusters = action.start_with(&["cluster", "on"]) || action.start_with(&["set", "without", "cluster"]);
    let detaches = action.is(0, "detach") && (action.has("concurrently") || action.has("finalize"));
    if parameters || of_column || clusters || detaches || action.is_any(0, &["validate", "attach"]) {
        Mode::ShareUpdateExclusive
    } else if action.is_any(0, &["enable", "disable"]) && action.has("trigger") || adds_foreign_key(action) {
        Mode::ShareRowExclusive
    } else {
        Mode::AccessExclusive
    }
}

fn adds_foreign_key(action: &Words<'_>) -> bool {
    let constraint = action.skip(1, &["constraint"]);
    let key = if constraint > 1 { constraint + 1 } else { constraint };
    action.is(0, "add") && action.is(key, "foreign")
}

/// `LOCK [TABLE] ... [IN x MODE]`; without a mode it is the strongest.
fn of_lock(words: &Words<'_>) -> Mode {
    let Some(at) = words.find("in") else { return Mode::AccessExclusive };
    let named = |names: &[&str]| names.iter().enumerate().all(|(offset, name)| words.is(at + 1 + offset, name));
    const MODES: [(&[&str], Mode); 7] = [
        (&["access", "share"], Mode::AccessShare),
        (&["row", "share"], Mode::RowShare),
        (&["row", "exclusive"], Mode::RowExclusive),
        (&["share", "update", "exclusive"], Mode::ShareUpdateExclusive),
        (&["share", "row", "exclusive"], Mode::ShareRowExclusive),
        (&["share"], Mode::Share),
        (&["exclusive"], Mode::Exclusive),
    ];
    MODES.iter().find(|(names, _)| named(names)).map_or(Mode::AccessExclusive, |(_, mode)| *mode)
}

/// The lock of this very statement in words; `None` where it is the one that its rule names.
pub(crate) fn in_words(block: &Block<'_>, finding: &Finding) -> Option<String> {
    const TABLE: &str = "on the table";
    let words = &block.statements[finding.statement];
    match finding.rule {
        "data-while-locked" => {
            let mode = own::locks_before(block, finding.statement).map(|(_, mode)| mode).max()?;
            Some(format!("{mode:?} of the statement before, until this transaction ends: {}", mode.waiting()))
        }
        "validate-in-same-transaction" => {
            let (table, actions) = alter_table(words)?;
            let action = actions.iter().find(|action| action.range().contains(&finding.at))?;
            let name = known::name(action, 2);
            let adding = block.earlier(finding.statement).find(|other| own::adds_constraint(other, &table, &name))?;
            let mode = of(adding)?;
            Some(format!("{mode:?} of `ADD CONSTRAINT`, which is held until this transaction ends: {}", mode.waiting()))
        }
        "adding-foreign-key-constraint" if of(words)? == Mode::AccessExclusive => {
            Some(format!("AccessExclusive {TABLE}, ShareRowExclusive on the referenced one: readers and writers wait"))
        }
        "ban-disable-trigger" => of(words).map(|mode| format!("{mode:?} {TABLE}: {}", mode.waiting())),
        "renaming-object" | "ban-set-schema" => of_kind(words),
        _ => None,
    }
}

/// Of what is renamed or moved: relations are locked, other objects are not.
fn of_kind(words: &Words<'_>) -> Option<String> {
    let kind = kind_index(words);
    if words.is_any(kind, &["table", "trigger", "policy", "rule"]) {
        let mode = of(words).unwrap_or(Mode::AccessExclusive);
        Some(format!("{mode:?} on the table: {}", mode.waiting()))
    } else if words.is_any(kind, &["view", "sequence", "index"]) {
        let mode = of(words)?;
        Some(format!("{mode:?} on the object: {}", mode.waiting()))
    } else {
        Some(super::table::NONE.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use migrator_sql::lex;

    #[test]
    fn knows_the_lock_of_each_statement() {
        for (text, mode) in [
            ("LOCK t", Mode::AccessExclusive),
            ("LOCK TABLE a, b IN SHARE MODE", Mode::Share),
            ("LOCK TABLE a IN ACCESS SHARE MODE NOWAIT", Mode::AccessShare),
            ("LOCK a IN ROW SHARE MODE", Mode::RowShare),
            ("LOCK a IN ROW EXCLUSIVE MODE", Mode::RowExclusive),
            ("LOCK a IN SHARE UPDATE EXCLUSIVE MODE", Mode::ShareUpdateExclusive),
            ("LOCK a IN SHARE ROW EXCLUSIVE MODE", Mode::ShareRowExclusive),
            ("LOCK a IN EXCLUSIVE MODE", Mode::Exclusive),
            ("LOCK a IN ACCESS EXCLUSIVE MODE", Mode::AccessExclusive),
            ("ALTER TABLE t VALIDATE CONSTRAINT c", Mode::ShareUpdateExclusive),
            ("ALTER TABLE t VALIDATE CONSTRAINT c, DROP COLUMN a", Mode::AccessExclusive),
            ("ALTER TABLE t ADD CONSTRAINT c FOREIGN KEY (a) REFERENCES b NOT VALID", Mode::ShareRowExclusive),
            ("ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES b", Mode::ShareRowExclusive),
            ("ALTER TABLE t ADD a int REFERENCES b", Mode::AccessExclusive),
            ("ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID", Mode::AccessExclusive),
            ("ALTER TABLE t ALTER a SET STATISTICS 100", Mode::ShareUpdateExclusive),
            ("ALTER TABLE t ALTER COLUMN a SET (n_distinct = 5)", Mode::ShareUpdateExclusive),
            ("ALTER TABLE t ALTER a SET STORAGE plain", Mode::AccessExclusive),
            ("ALTER TABLE t SET (fillfactor = 70)", Mode::ShareUpdateExclusive),
            ("ALTER TABLE t CLUSTER ON i", Mode::ShareUpdateExclusive),
            ("ALTER TABLE p ATTACH PARTITION q DEFAULT", Mode::ShareUpdateExclusive),
            ("ALTER TABLE p DETACH PARTITION q", Mode::AccessExclusive),
            ("ALTER TABLE p DETACH PARTITION q CONCURRENTLY", Mode::ShareUpdateExclusive),
            ("ALTER TABLE t DISABLE TRIGGER ALL", Mode::ShareRowExclusive),
            ("ALTER TABLE t ENABLE ALWAYS RULE r", Mode::AccessExclusive),
            ("ALTER TABLE t ENABLE ROW LEVEL SECURITY", Mode::AccessExclusive),
            ("CREATE INDEX ON t (a)", Mode::Share),
            ("CREATE INDEX CONCURRENTLY i ON t (a)", Mode::ShareUpdateExclusive),
            ("CREATE CONSTRAINT TRIGGER x AFTER INSERT ON t EXECUTE FUNCTION f()", Mode::ShareRowExclusive),
            ("DROP TRIGGER x ON t", Mode::AccessExclusive),
            ("DROP INDEX CONCURRENTLY i", Mode::ShareUpdateExclusive),
            ("REINDEX TABLE t", Mode::Share),
            ("REINDEX (CONCURRENTLY off) TABLE t", Mode::Share),
            ("REINDEX TABLE CONCURRENTLY t", Mode::ShareUpdateExclusive),
            ("VACUUM (FULL off) t", Mode::ShareUpdateExclusive),
            ("VACUUM (VERBOSE, FULL) t", Mode::AccessExclusive),
            ("REFRESH MATERIALIZED VIEW CONCURRENTLY v", Mode::Exclusive),
            ("UPDATE t SET a = 1", Mode::RowExclusive),
        ] {
            assert_eq!(of(&Words::new(text, &lex(text).tokens)), Some(mode), "{text}");
        }
    }
}
