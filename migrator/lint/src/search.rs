//! From a set to its hazards.

use std::ops::Range;

use migrator_diagnostic::Source;
use migrator_model::{Migration, Script, Set, Text};
use migrator_sql::{Comment, Sql, Words, lex, parse, split};

use crate::allow;
use crate::hazard::Hazard;
use crate::known::Known;
use crate::linter;
use crate::rule::{Linter, Rule};
use crate::rules::RULES;
use crate::site::{Block, Created, Finding, Site};

/// The hazards in the up blocks of all migrations above `[check] start_after` and above a baseline, by file, line and column.
pub fn search(set: &Set) -> Vec<Hazard> {
    search_in(set, |_| true)
}

/// The same of some migrations: the others are what these follow.
pub fn search_in(set: &Set, is_meant: impl Fn(&Migration) -> bool + Sync) -> Vec<Hazard> {
    let mut hazards = all(set, &is_meant);
    hazards.retain(|hazard| !hazard.allowed);
    hazards
}

/// The names of the rules that a statement on a table in use breaks, where nothing is known of what ran before it.
pub fn broken_by(statement: &str) -> Vec<&'static str> {
    parse::with_deep_stack(|| {
        let lexed = lex(statement);
        let statements = split(statement, &lexed.tokens);
        let found = in_block(statement, &statements, &lexed.comments, true, &mut Known::default());
        found.iter().map(|found| found.rule.name).collect()
    })
}

/// The hazards of some migrations, allowed or not, that take something from the running release ([`Hazard::taken`]).
pub fn taking(set: &Set, is_meant: impl Fn(&Migration) -> bool + Sync) -> Vec<Hazard> {
    let mut hazards = all(set, &is_meant);
    hazards.retain(|hazard| hazard.taken.is_some());
    hazards
}

fn all(set: &Set, is_meant: &(dyn Fn(&Migration) -> bool + Sync)) -> Vec<Hazard> {
    parse::with_deep_stack(|| {
        // What a baseline stands for has run long ago.
        let start_after = set.settings.start_after.max(set.baseline().map(|baseline| baseline.number));
        let mut known = Known::default();
        let mut hazards = Vec::new();
        for migration in set.migrations.iter() {
            let old = start_after.is_some_and(|version| migration.number <= version) || !is_meant(migration);
            of_migration(migration, old, &set.settings.allow, &mut known, &mut hazards);
        }
        set.scripts().for_each(|script| of_script(script, &mut hazards));
        hazards.sort_by(|a, b| (&a.file, a.line, a.column, a.rule).cmp(&(&b.file, b.line, b.column, b.rule)));
        hazards
    })
}

/// `old`: only what later migrations have to know is taken from it.
fn of_migration(migration: &Migration, old: bool, switched_off: &[Text], known: &mut Known, hazards: &mut Vec<Hazard>) {
    let lexed = lex(&migration.text);
    let statements = split(&migration.text, lexed.within(&migration.up.range));
    if old {
        statements.iter().for_each(|words| known.take(&Sql::of(words)));
        return;
    }
    let source = Source::new(&*migration.file, &*migration.text);
    let mut allows = allow::read(&source, &lexed.comments, &statements, hazards);
    let transaction = migration.up.options.transaction;
    for found in in_block(&migration.text, &statements, &lexed.comments, transaction, known) {
        // Both count: what is switched off everywhere may be allowed here as well.
        let silenced = allow::silences(&mut allows, found.rule.name, found.statement);
        let allowed = silenced || switched_off.iter().any(|name| name == found.rule.name);
        let mut hazard = Hazard::new(&source, found.rule, found.finding);
        hazard.allowed = allowed;
        (hazard.places, hazard.edits) = (found.places, found.edits);
        hazards.push(hazard);
    }
    allow::unused(&source, &allows, hazards);
}

/// What a rule has found in a block.
pub(crate) struct Found {
    /// The statement's index.
    pub(crate) statement: usize,
    pub(crate) rule: &'static Rule,
    /// The first finding.
    pub(crate) finding: Finding,
    /// The bytes of all of them.
    pub(crate) places: Vec<usize>,
    /// What squawk would put in place of bytes of the file.
    pub(crate) edits: Vec<(Range<usize>, String)>,
}

/// Everything in a block, each rule once for a statement. Takes note of what the statements change.
pub(crate) fn in_block(
    text: &str,
    statements: &[Words<'_>],
    comments: &[Comment],
    transaction: bool,
    known: &mut Known,
) -> Vec<Found> {
    let block = Block::new(statements, transaction);
    let names = RULES.iter().filter(|rule| rule.linter != Linter::None).map(|rule| rule.name);
    let mut linted = linter::lint(names, &block, text, comments);
    linted.sort();
    let mut found = Vec::new();
    let mut created = Created::default();
    for (index, statement) in block.statements.iter().enumerate() {
        let site = Site::new(&block, index, &created, known);
        let next = block.statements.get(index + 1).map_or(usize::MAX, |next| next.words.start());
        let (from, to) =
            (linted.partition_point(|found| found.at < site.start()), linted.partition_point(|found| found.at < next));
        let is_on_new_objects = site.is_on_new_objects();
        for rule in RULES {
            let passes = rule.linter == Linter::InUse && is_on_new_objects;
            let of_rule: Vec<_> = linted[from..to].iter().filter(|found| !passes && found.rule == rule.name).collect();
            let places: Vec<usize> = of_rule.iter().map(|found| found.at).collect();
            let mut findings = (rule.check)(&site, &places);
            findings.sort_by_key(|finding| finding.at);
            let mut places: Vec<usize> = findings.iter().map(|finding| finding.at).collect();
            places.dedup();
            let edits =
                of_rule.iter().filter(|found| places.contains(&found.at)).flat_map(|found| found.edits()).collect();
            let first = findings.into_iter().next();
            found.extend(first.map(|finding| Found { statement: index, rule, finding, places, edits }));
        }
        known.take(&statement.sql);
        if let Some(object) = statement.sql.created() {
            created.add(object);
        }
    }
    found
}

/// No one looks for hazards there, so there is nothing to silence.
fn of_script(script: &Script, hazards: &mut Vec<Hazard>) {
    if !script.text.contains("migrate:allow") {
        return;
    }
    let source = Source::new(&*script.file, &*script.text);
    let allows = allow::read(&source, &lex(&script.text).comments, &[], hazards);
    allow::unused(&source, &allows, hazards);
}
