//! Whether migrations do under weaker locks what others do, as both were traced.

use std::collections::BTreeMap;

use migrator_engine::Error;
use migrator_engine::embedded::Migration;
use migrator_sql::LockMode;

use super::scratch::Database;
use super::trace::{Subject, Trace, Tracer, Waits};
use crate::developer::Context;

/// How a relation is held over a series of migrations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Grip {
    /// The strongest lock.
    lock: LockMode,
    /// Who waits while rows are read or written.
    work: Waits,
    /// During how many statements anyone waits.
    statements: usize,
}

/// How each relation is held that was there before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Grips(BTreeMap<String, Grip>);

/// What is different about other migrations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// No relation is locked more, and one less, or not as long.
    Weaker,
    /// Everything is locked as it was.
    Same,
    /// This relation is locked more.
    Stronger(String),
}

const LOOSE: Grip = Grip { lock: LockMode::AccessShare, work: Waits::Nobody, statements: 0 };

impl Grips {
    /// What is held until the end of each transaction, and what is done meanwhile.
    pub(crate) fn of(traces: &[Trace]) -> Grips {
        let mut grips = Grips::default();
        for trace in traces {
            let (mut held, mut transaction): (BTreeMap<&str, LockMode>, Option<usize>) = (BTreeMap::new(), None);
            for statement in &trace.statements {
                if transaction != Some(statement.transaction) {
                    transaction = Some(statement.transaction);
                    held.clear();
                }
                let effects = statement.certain();
                for effect in effects.iter().filter(|effect| !trace.new_relations.contains(&effect.relation)) {
                    let lock = held.entry(&effect.relation).or_insert(effect.lock);
                    *lock = (*lock).max(effect.lock);
                }
                let works =
                    effects.iter().any(|effect| effect.rewritten || effect.scanned || !effect.validated.is_empty());
                for (relation, lock) in &held {
                    grips.hold(relation, *lock, works);
                }
            }
        }
        grips
    }

    fn hold(&mut self, relation: &str, lock: LockMode, works: bool) {
        let waits = Waits::of(lock);
        let grip = self.0.entry(relation.to_owned()).or_insert(LOOSE);
        grip.lock = grip.lock.max(lock);
        grip.statements += usize::from(waits > Waits::Nobody);
        grip.work = grip.work.max(if works { waits } else { Waits::Nobody });
    }

    /// Compares it with what was there before.
    pub(crate) fn beside(&self, before: &Grips) -> Verdict {
        let mut less = false;
        let (mut shorter, mut longer) = (false, false);
        for relation in self.0.keys().chain(before.0.keys()) {
            let of = |grips: &Grips| grips.0.get(relation).copied().unwrap_or(LOOSE);
            let (new, old) = (of(self), of(before));
            let (new_waits, old_waits) = (Waits::of(new.lock), Waits::of(old.lock));
            let is_stronger = new_waits > old_waits || new_waits > Waits::Nobody && new.lock > old.lock;
            if is_stronger || new.work > old.work {
                return Verdict::Stronger(relation.clone());
            }
            less |= new_waits < old_waits || new.lock < old.lock && old_waits > Waits::Nobody || new.work < old.work;
            shorter |= new.statements < old.statements;
            longer |= new.statements > old.statements;
        }
        if less || shorter && !longer { Verdict::Weaker } else { Verdict::Same }
    }
}

/// Runs migrations one after the other, in a database in which the ones before them are applied.
///
/// # Errors
/// The first statement that fails; a lost connection.
pub(crate) async fn trace(context: &Context, migrations: &'static [Migration]) -> Result<Grips, Error> {
    let database = Database::open(context.clone()).await?;
    let mut traces = Vec::new();
    let mut tracer = Tracer::new(&database.locked).await?;
    for migration in migrations {
        traces.push(tracer.run_new(Subject::Migration(migration)).await?);
    }
    database.close().await;
    Ok(Grips::of(&traces))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Grip = Grip { lock: LockMode::AccessExclusive, work: Waits::Nobody, statements: 1 };
    const LONG: Grip = Grip { lock: LockMode::AccessExclusive, work: Waits::ReadsAndWrites, statements: 1 };
    const SHARE: Grip = Grip { lock: LockMode::Share, work: Waits::Writes, statements: 1 };

    #[track_caller]
    fn check(old: &[(&str, Grip)], new: &[(&str, Grip)], expected: Verdict) {
        let of = |grips: &[(&str, Grip)]| Grips(grips.iter().map(|(name, grip)| ((*name).to_owned(), *grip)).collect());
        assert_eq!(of(new).beside(&of(old)), expected);
    }

    #[test]
    fn no_relation_may_be_locked_more() {
        let none = || Verdict::Stronger("a".to_owned());
        check(&[("a", SHORT)], &[("a", SHORT)], Verdict::Same);
        check(&[("a", LONG)], &[("a", SHORT)], Verdict::Weaker);
        check(&[("a", LONG)], &[("a", Grip { statements: 3, ..SHORT })], Verdict::Weaker);
        check(&[("a", SHORT)], &[("a", LONG)], none());
        check(&[("a", SHARE)], &[], Verdict::Weaker);
        check(&[("a", SHARE)], &[("a", SHORT)], none());
        check(&[("b", LONG)], &[("a", SHARE)], none());
        // Of two that no one waits for, none is weaker.
        let quiet = |lock| Grip { lock, ..LOOSE };
        check(&[("a", quiet(LockMode::RowShare))], &[("a", quiet(LockMode::ShareUpdateExclusive))], Verdict::Same);
    }

    #[test]
    fn a_lock_may_also_be_held_not_as_long() {
        let long = Grip { statements: 4, ..SHORT };
        check(&[("a", long)], &[("a", SHORT)], Verdict::Weaker);
        check(&[("a", long), ("b", SHORT)], &[("a", SHORT), ("b", long)], Verdict::Same);
    }
}
