//! What the new migrations take from the release that runs, and whether that is what one of its queries needs.

use std::collections::BTreeMap;

use migrator_diagnostic::printable;
use migrator_engine::embedded::{Embedded, Migration};
use migrator_engine::words::count;
use migrator_lint::{Hazard, Taken, Takes, taking};
use migrator_sql::{Kind, Name, Words, lex};
use serde_json::{Value, json};

use super::description::Difference;
use super::judgement::{Asker, Break, Judgement};
use super::procedures::{has_star, mentions};
use super::query::{Place, Queries, Query};

/// A hazard of a new migration.
#[derive(Debug)]
pub struct Weighed {
    /// What the linter has found.
    pub hazard: Hazard,
    /// What the queries of the release say of it.
    pub weight: Weight,
    /// The same as a sentence.
    pub sentence: String,
}

/// What the queries of a release say of a hazard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Weight {
    /// All of them were looked at, and none needs what is taken: it is none for this release.
    Unneeded,
    /// So many of them break.
    Breaks(usize),
    /// None is known to need it; why that is not certain.
    Unsure(String),
}

/// Weighs what the new migrations take, in the order of their files.
pub(super) fn weigh(embedded: &Embedded, release: &str, queries: &Queries, judgement: &Judgement) -> Vec<Weighed> {
    let is_new = |migration: &&Migration| judgement.steps.contains(&migration.label());
    let new: BTreeMap<&str, String> =
        embedded.migrations.iter().filter(is_new).map(|new| (&*new.file, new.label())).collect();
    if new.is_empty() {
        return Vec::new();
    }
    let hazards = taking(embedded, |migration| new.contains_key(&*migration.file));
    let weighed = |hazard: Hazard| {
        let weight = weight(hazard.taken.as_ref()?, new.get(&*hazard.file)?, queries, judgement);
        let sentence = sentence(&weight, &printable::line(release), queries, judgement);
        Some(Weighed { hazard, weight, sentence })
    };
    hazards.into_iter().filter_map(weighed).collect()
}

impl Weighed {
    /// `db/migrations/013_x.sql:4 ban-drop-column: no query of ...`.
    pub fn line(&self) -> String {
        let Hazard { file, line, rule, allowed, .. } = &self.hazard;
        let allowed = if *allowed { " (allowed)" } else { "" };
        format!("{}:{line} {rule}{allowed}: {}", printable::line(file), self.sentence)
    }

    pub(super) fn json(&self) -> Value {
        let Hazard { file, line, rule, allowed, .. } = &self.hazard;
        let (weight, breaks) = match &self.weight {
            Weight::Unneeded => ("unneeded", 0),
            Weight::Breaks(breaks) => ("breaks", *breaks),
            Weight::Unsure(_) => ("unsure", 0),
        };
        json!({
            "file": file, "line": line, "rule": rule, "allowed": allowed, "weight": weight, "breaks": breaks,
            "message": self.sentence,
        })
    }
}

fn sentence(weight: &Weight, release: &str, queries: &Queries, judgement: &Judgement) -> String {
    let checked = queries.queries.len() - judgement.left_out.len();
    match weight {
        Weight::Unneeded => format!("no query of `{release}` needs it ({checked} checked)"),
        Weight::Breaks(breaks) => format!("breaks {} of `{release}`", count(*breaks, "query")),
        Weight::Unsure(why) if checked == 0 => why.clone(),
        Weight::Unsure(why) => format!("no query of `{release}` is known to need it ({checked} checked), but {why}"),
    }
}

/// `by`: the migration that takes it.
fn weight(taken: &Taken, by: &str, queries: &Queries, judgement: &Judgement) -> Weight {
    let specific = if taken.columns.is_empty() { &taken.objects } else { &taken.columns };
    let by_it = |found: &&Break| found.by.as_deref() == Some(by);
    let breaks = judgement.breaks.iter().filter(by_it).filter(|found| mentions(&text(found, queries), specific));
    match breaks.count() {
        0 => doubt(taken, by, queries, judgement).map_or(Weight::Unneeded, Weight::Unsure),
        breaks => Weight::Breaks(breaks),
    }
}

/// All that is said and asked by what breaks.
fn text(found: &Break, queries: &Queries) -> String {
    let differences = found.differences.iter().map(|difference| difference.text());
    let query = match found.asker {
        Asker::Query(index) => queries.queries.get(index).map(|query| query.text.clone()),
        Asker::Function(_) => None,
    };
    differences.chain(query).collect::<Vec<_>>().join("\n")
}

/// Why it is not certain that nothing needs it.
fn doubt(taken: &Taken, by: &str, queries: &Queries, judgement: &Judgement) -> Option<String> {
    of_reading(queries)
        .or_else(|| of_breaks(taken, by, queries, judgement))
        .or_else(|| of_unjudged(taken, queries, judgement))
        .or_else(|| of_procedures(taken, judgement))
        .or_else(|| match taken.takes {
            Takes::Objects => of_names(taken, queries),
            Takes::Type => Some("the table is rewritten all the same".to_owned()),
            Takes::Default => of_inserts(taken, queries, judgement),
        })
}

/// Not all that the release asks is known.
fn of_reading(queries: &Queries) -> Option<String> {
    if queries.queries.is_empty() {
        return Some("no queries of the release were found".to_owned());
    }
    if !queries.not_literal.is_empty() {
        let calls = queries.not_literal.len();
        return Some(format!("{} not literal", if calls == 1 { "1 is".to_owned() } else { format!("{calls} are") }));
    }
    let file = &queries.unreadable.first()?.0;
    Some(format!("not all could be read: {}", printable::line(file)))
}

/// What breaks before, or by something else in the same migration, may need it too. What breaks later has worked without it.
fn of_breaks(taken: &Taken, by: &str, queries: &Queries, judgement: &Judgement) -> Option<String> {
    let step = |label: &str| judgement.steps.iter().position(|step| step == label);
    let may_need = |found: &&Break| match found.by.as_deref() {
        Some(breaking) if breaking == by => true,
        Some(breaking) if step(breaking) > step(by) => false,
        _ => is_masked(found) && may_ask(found, taken, queries, judgement),
    };
    let breaks = judgement.breaks.iter().filter(may_need).count();
    let verb = if breaks == 1 { "breaks and may need it" } else { "break and may need it" };
    (breaks > 0).then(|| format!("{} {verb}", count(breaks, "query")))
}

/// Whether what breaks was not looked at any more: what works, in whatever form, has all that it names.
fn is_masked(found: &Break) -> bool {
    let masks = |difference: &Difference| {
        matches!(difference, Difference::Refused(_) | Difference::ColumnGone { .. } | Difference::ColumnMoved { .. })
    };
    found.differences.iter().any(masks)
}

/// Whether what breaks asks for what is taken, as far as its text tells.
fn may_ask(found: &Break, taken: &Taken, queries: &Queries, judgement: &Judgement) -> bool {
    // What is in a function is not known here.
    let Asker::Query(index) = found.asker else { return true };
    let text = text(found, queries);
    let names_objects = mentions(&text, &taken.objects);
    if taken.columns.is_empty() {
        return names_objects;
    }
    let takes_rows = has_star(&text) || judgement.whole_rows.contains(&index);
    mentions(&text, &taken.columns) || names_objects && takes_rows
}

/// Queries of which the server has not looked at all that they name.
fn of_unjudged(taken: &Taken, queries: &Queries, judgement: &Judgement) -> Option<String> {
    let query = |index: usize| queries.queries.get(index);
    let left_out = judgement.left_out.iter().map(|(index, _)| *index);
    let unplanned = left_out.chain(judgement.unplanned.iter().copied());
    // A text that is made at run time may name anything.
    let is_block = |text: &str| text.trim_start().get(..2).is_some_and(|word| word.eq_ignore_ascii_case("do"));
    let may_name = |query: &&Query| is_block(&query.text) || mentions(&query.text, &names(taken));
    let unplanned = unplanned.filter_map(query).find(may_name);
    let mut whole = judgement.whole_rows.iter().filter_map(|&index| query(index));
    let whole = whole.find(|query| !taken.columns.is_empty() && mentions(&query.text, &taken.objects));
    let named = || queries.queries.iter().find(|query| is_in_literal(&query.text, &taken.objects));
    let found = unplanned.or(whole).or_else(named)?;
    Some(format!("{} names it where the server does not look", found.places.first().map(place).unwrap_or_default()))
}

/// What names it and works without it may have found something else of that name, or have put its values into other columns.
fn of_names(taken: &Taken, queries: &Queries) -> Option<String> {
    let is_word = |text: &str, word: &str| mentions(text, &[word.to_owned()]);
    let by_position = |text: &str| {
        !taken.columns.is_empty()
            && (is_word(text, "natural") || is_word(text, "insert") && (has_star(text) || !has_columns(text)))
    };
    let is_doubtful = |query: &&Query| {
        let text = &query.text;
        let names_all = taken.columns.is_empty() || mentions(text, &taken.columns);
        mentions(text, &taken.objects) && (names_all || by_position(text))
    };
    let found = queries.queries.iter().find(is_doubtful)?;
    Some(format!("{} names it and works without it", found.places.first().map(place).unwrap_or_default()))
}

/// Whether every INSERT of a text lists the columns that it fills.
fn has_columns(text: &str) -> bool {
    let tokens = lex(text).tokens;
    let words = Words::new(text, &tokens);
    let mut inserts = (0..tokens.len()).filter(|&at| words.is(at, "insert") && words.is(at + 1, "into"));
    inserts.all(|at| {
        let Some((_, end)) = Name::read(&words, at + 2) else { return false };
        let end = if words.is(end, "as") { end + 2 } else { end };
        words.at(end) == "(" && !words.is_any(end + 1, &["select", "with", "values", "table"])
    })
}

fn of_procedures(taken: &Taken, judgement: &Judgement) -> Option<String> {
    let names = names(taken);
    let found = judgement.procedures.iter().find(|procedure| taken.cascades || procedure.may_use(&names))?;
    Some(format!("the function {} may", printable::line(&found.name)))
}

/// INSERTs that relied on the default.
fn of_inserts(taken: &Taken, queries: &Queries, judgement: &Judgement) -> Option<String> {
    let is_table = |table: &str| taken.objects.iter().any(|object| object == table);
    let leave_out = judgement.newly_null.iter().filter(|(_, table)| is_table(table)).count();
    if leave_out > 0 {
        let verb = if leave_out == 1 { "writes" } else { "write" };
        return Some(format!("{} {verb} NULL now", count(leave_out, "query")));
    }
    // No plan shows what a MERGE inserts.
    let merge = ["merge".to_owned()];
    let merges = |text: &str| mentions(text, &merge) && mentions(text, &taken.objects);
    let found = queries.queries.iter().find(|query| merges(&query.text))?;
    Some(format!("the MERGE in {} may", found.places.first().map(place).unwrap_or_default()))
}

fn names(taken: &Taken) -> Vec<String> {
    taken.objects.iter().chain(&taken.columns).cloned().collect()
}

/// Whether a name is in a string, which the server may take for a table's at run time.
fn is_in_literal(text: &str, names: &[String]) -> bool {
    let is_text = |kind: Kind| matches!(kind, Kind::Text | Kind::Escape | Kind::Dollar);
    lex(text).tokens.iter().any(|token| is_text(token.kind) && mentions(token.text(text), names))
}

fn place(place: &Place) -> String {
    format!("{}:{}", printable::line(&place.file), place.line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_insert_lists_its_columns_or_fills_them_by_position() {
        for text in ["INSERT INTO s.t (a, b) VALUES (1, 2)", "INSERT INTO t AS x (a) SELECT 1", "SELECT 1"] {
            assert!(has_columns(text), "{text}");
        }
        for text in
            ["INSERT INTO t VALUES (1)", "INSERT INTO t (SELECT 1)", "WITH x AS (INSERT INTO t SELECT 1) SELECT 1"]
        {
            assert!(!has_columns(text), "{text}");
        }
    }
}
