//! What a rule is.

use std::fmt;

use migrator_sql::{Rows, Sql};

use crate::lock;
use crate::site::{Finding, Site};
use crate::taken::{Taken, Takes};

/// One hazard that is looked for.
#[derive(Clone, Copy)]
pub struct Rule {
    /// The name that `-- migrate:allow` and `[check] allow` take.
    pub name: &'static str,
    /// What is wrong; `{}` stands for the object in backticks.
    pub message: &'static str,
    /// Why it is dangerous.
    pub reason: &'static str,
    /// The safe way to write it.
    pub help: &'static str,
    /// Whether squawk-linter has a rule of this name.
    pub(crate) linter: Linter,
    /// Finds it in one statement: where, on what, under which lock. Gets the bytes at which squawk's rule of the same name has
    /// found something, none of them a false alarm as far as [`Rule::linter`] can tell.
    pub(crate) check: fn(&Site<'_>, linted: &[usize]) -> Vec<Finding>,
}

/// Which findings of squawk's rule of the same name a rule gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Linter {
    /// None: squawk has no such rule, or ours looks closer.
    None,
    /// Those about objects that are in use. What the same file has created is in no one's way.
    InUse,
    /// All of them: a matter of style, also in a new table.
    All,
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rule({})", self.name)
    }
}

/// Of rules that find just what squawk's do.
pub(crate) fn as_linted(site: &Site<'_>, linted: &[usize]) -> Vec<Finding> {
    linted.iter().map(|&at| site.finding(at)).collect()
}

/// Of rules about what the running release may ask for: a server can say whether it does.
pub(crate) fn taking(site: &Site<'_>, takes: Takes, findings: Vec<Finding>) -> Vec<Finding> {
    findings.into_iter().map(|finding| finding.taking(Taken::of(site.sql(), site.words(), takes))).collect()
}

/// Of rules that let some of squawk's findings pass.
pub(crate) fn except(site: &Site<'_>, linted: &[usize], is_harmless: impl Fn(usize) -> bool) -> Vec<Finding> {
    linted.iter().filter(|&&at| !is_harmless(at)).map(|&at| site.finding(at)).collect()
}

/// Of rules about a column's type: a column that keeps its rows has the type already, but for its length.
pub(crate) fn unless_rows_stay(site: &Site<'_>, linted: &[usize]) -> Vec<Finding> {
    except(site, linted, |at| {
        site.action_at(at).is_some_and(|(table, action)| site.known.keeps_rows(&table, &action.change))
    })
}

/// Of rules about what is dropped: created again in the same transaction, no one sees it missing.
pub(crate) fn unless_made_again(site: &Site<'_>, linted: &[usize]) -> Vec<Finding> {
    except(site, linted, |_| site.makes_again_what_it_drops())
}

/// Of rules about a constraint that builds a unique index. On a partitioned table alone there is nothing to build it from.
pub(crate) fn building_a_unique_index(site: &Site<'_>, linted: &[usize]) -> Vec<Finding> {
    let Sql::AlterTable(altered) = site.sql() else { return as_linted(site, linted) };
    let partitioned = site.known.is_partitioned(&altered.table.object());
    if altered.only && partitioned {
        return Vec::new();
    }
    let help = partitioned.then_some(PARTITIONED_UNIQUE);
    linted.iter().map(|&at| site.finding(at).with_help(help)).collect()
}

/// Of rules about statements that change every row of a live table: `rows` are those of the statement, also after `WITH`.
pub(crate) fn of_every_row<'s>(site: &Site<'s>, rows: impl Fn(&Sql<'s>) -> Option<Rows<'s>>) -> Vec<Finding> {
    let main = match site.sql() {
        Sql::With { main: Some(main), .. } => main,
        sql => sql,
    };
    let Some(rows) = rows(main) else { return Vec::new() };
    let table = rows.table.filter(|_| !rows.are_filtered()).map(|table| table.object());
    let Some(table) = table.filter(|table| site.is_live(table)) else { return Vec::new() };
    vec![site.finding(site.start()).about(table).under(lock::with_rows(&site.locks()))]
}

pub(crate) const OLD_RELEASE: &str = "the release that is still running uses it until the last machine has the new one";

/// The way out of both rules about unique indexes of a partitioned table.
const PARTITIONED_UNIQUE: &str = "`ALTER TABLE ONLY` the parent `ADD CONSTRAINT`; `CREATE UNIQUE INDEX CONCURRENTLY` on each \
     partition and `ADD CONSTRAINT ... USING INDEX` there; then `ALTER INDEX ... ATTACH PARTITION` for each";
