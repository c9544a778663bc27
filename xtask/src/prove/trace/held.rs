//! Which locks a migration holds that make others wait, and from which statement to which. Pure.

use std::ops::Range;

use super::effect::{Statement, Trace};
use migrator_engine::locks::{Effect, Waits};
use migrator_sql::LockMode;

/// A lock that others wait for: it is held to the end of its transaction.
#[derive(Debug)]
pub(crate) struct Held<'t> {
    /// Qualified and quoted.
    pub(crate) relation: &'t str,
    /// The first of the strongest ones.
    pub(crate) lock: LockMode,
    /// Who waits for that.
    pub(crate) waits: Waits,
    /// During which statements of the trace it is held.
    pub(crate) during: Range<usize>,
    /// From which of them on reads wait too.
    pub(crate) blocks_reads_from: Option<usize>,
}

impl Trace {
    /// What is held, in the order in which it is taken; `counted`: the effects of a statement that count.
    pub(crate) fn held<'t>(&'t self, counted: impl Fn(&'t Statement) -> Vec<&'t Effect>) -> Vec<Held<'t>> {
        let (mut all, mut held, mut transaction): (Vec<Held<'t>>, Vec<Held<'t>>, usize) = (Vec::new(), Vec::new(), 0);
        for (at, statement) in self.statements.iter().enumerate() {
            if statement.transaction != transaction {
                transaction = statement.transaction;
                all.append(&mut held);
            }
            for effect in counted(statement).into_iter().filter(|effect| effect.waits() > Waits::Nobody) {
                take(&mut held, effect, at);
            }
            held.iter_mut().for_each(|lock| lock.during.end = at + 1);
        }
        all.append(&mut held);
        all
    }
}

fn take<'t>(held: &mut Vec<Held<'t>>, effect: &'t Effect, at: usize) {
    let (relation, lock, waits) = (effect.relation.as_str(), effect.lock, effect.waits());
    let reads = (waits == Waits::ReadsAndWrites).then_some(at);
    match held.iter_mut().find(|there| there.relation == relation) {
        Some(there) => {
            if there.waits < waits {
                (there.lock, there.waits) = (lock, waits);
            }
            there.blocks_reads_from = there.blocks_reads_from.or(reads);
        }
        None => held.push(Held { relation, lock, waits, during: at..at + 1, blocks_reads_from: reads }),
    }
}
