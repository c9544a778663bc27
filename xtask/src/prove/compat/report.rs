//! What is said of a judgement: as lines, and as JSON.

use std::collections::BTreeMap;

use migrator_diagnostic::printable;
use serde_json::{Value, json};

use super::allow::Allowed;
use super::hazards::Weighed;
use super::judgement::{Asker, Break, Judgement};
use super::query::{Place, Queries, Query};
use migrator_engine::words::count;

/// So many of a kind are shown; `--json` has all.
const SHOWN: usize = 10;

/// So many characters of a query are shown.
const WIDTH: usize = 100;

/// Something of the release that breaks.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The name that its source gives the query, or the signature of a function.
    pub name: Option<String>,
    /// Where the query is written at the release: `src/users.rs:14`.
    pub places: Vec<String>,
    /// The query.
    pub text: Option<String>,
    /// The SQLSTATEs, where the server refuses it, or will when it runs.
    pub codes: Vec<String>,
    /// The migration or repeatable after which it is so.
    pub migration: Option<String>,
    /// What is different.
    pub sentence: String,
    /// Why it may break; `None`: it may not.
    pub allowed: Option<String>,
}

/// What a judgement is told of.
pub(super) struct Report<'a> {
    /// The release in messages: `v1.21`.
    pub(super) release: &'a str,
    pub(super) queries: &'a Queries,
    /// The queries of the working tree, where they are known.
    pub(super) next: Option<&'a Queries>,
    /// The queries of the working tree that the release does not have, as they were judged.
    pub(super) new: &'a [&'a Query],
    pub(super) judgement: &'a Judgement,
    pub(super) allowed: &'a Allowed,
    /// What the new migrations take.
    pub(super) hazards: &'a [Weighed],
}

impl Report<'_> {
    /// Whether a query breaks that may not.
    pub(super) fn is_failed(&self) -> bool {
        self.judgement.breaks.iter().any(|found| self.reason(found).is_none())
    }

    /// One line, then what belongs to it.
    pub(super) fn lines(&self) -> Vec<String> {
        let (mut broken, mut allowed) = (Vec::new(), Vec::new());
        for found in &self.judgement.breaks {
            match self.reason(found) {
                None => broken.push(found),
                Some(reason) => allowed.push((found, reason)),
            }
        }
        let mut lines = vec![self.head(broken.len())];
        lines.extend(broken.iter().take(SHOWN * 5).map(|found| self.entry(found)));
        lines.extend(more(broken.len(), SHOWN * 5));
        let permitted = |(found, reason): &(&Break, String)| {
            format!("allowed: {}\n    {}", self.entry(found), printable::line(reason))
        };
        lines.extend(allowed.iter().take(SHOWN).map(permitted));
        lines.extend(more(allowed.len(), SHOWN));
        lines.extend(self.left_out());
        lines.extend(self.not_read());
        if self.judgement.grown > 0 {
            let grown = count(self.judgement.grown, "result");
            lines.push(format!(
                "{grown} with more columns at the end: a client that reads by name or from the front sees none of them"
            ));
        }
        lines.extend(self.order());
        lines.extend(self.hazards.iter().take(SHOWN).map(Weighed::line));
        lines.extend(more(self.hazards.len(), SHOWN));
        lines
    }

    fn head(&self, broken: usize) -> String {
        let release = printable::line(self.release);
        let judged = self.queries.queries.len() - self.judgement.left_out.len();
        if self.queries.queries.is_empty() {
            return format!("no queries of `{release}` found");
        }
        let of = count(judged, "query");
        match broken {
            0 => format!("none of {of} of `{release}` breaks on the new schema"),
            1 => format!("1 of {of} of `{release}` breaks on the new schema"),
            several => format!("{several} of {of} of `{release}` break on the new schema"),
        }
    }

    /// Who breaks, why, and by what.
    fn entry(&self, found: &Break) -> String {
        let by = found.by.as_deref().map(|by| format!(" since {}", printable::line(by))).unwrap_or_default();
        let why: Vec<String> = found.differences.iter().map(|difference| difference.text()).collect();
        let (who, text) = match &found.asker {
            Asker::Query(index) => {
                let query = &self.queries.queries[*index];
                (named(query), format!("\n    {}", preview(&query.text)))
            }
            Asker::Function(signature) => (format!("function {}", printable::line(signature)), String::new()),
        };
        let still = if self.is_still_asked(found) { "\n    the working tree still has it" } else { "" };
        format!("{who}{by}: {}{text}{still}", why.join("; "))
    }

    fn is_still_asked(&self, found: &Break) -> bool {
        let (Asker::Query(index), Some(next)) = (&found.asker, self.next) else { return false };
        let text = &self.queries.queries[*index].text;
        next.queries.iter().any(|query| query.text == *text)
    }

    fn left_out(&self) -> Vec<String> {
        let left = &self.judgement.left_out;
        if left.is_empty() {
            return Vec::new();
        }
        let mut groups: BTreeMap<&str, Vec<_>> = BTreeMap::new();
        left.iter().for_each(|(index, refusal)| groups.entry(&refusal.code).or_default().push((*index, refusal)));
        let release = printable::line(self.release);
        let queries =
            if left.len() == 1 { "1 query that fails".to_owned() } else { format!("{} queries that fail", left.len()) };
        let group = |members: &Vec<(usize, &super::description::Refusal)>| {
            let (index, refusal) = members[0];
            format!("\n    {}: {}, in {}", members.len(), refusal.text(), named(&self.queries.queries[index]))
        };
        let shown: String = groups.values().map(group).collect();
        // An undefined function, operator or type.
        let may_be_of_extension = ["42883", "42704"].iter().any(|code| groups.contains_key(code));
        let help = "\n    help: create the extension that has it in a migration: a throwaway server has no other ones";
        let help = if may_be_of_extension { help } else { "" };
        vec![format!("left out: {queries} on the schema of `{release}` itself{shown}{help}")]
    }

    /// What could not be read.
    fn not_read(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(first) = self.queries.not_literal.first() {
            let calls = count(self.queries.not_literal.len(), "call");
            lines.push(format!("not checked: {calls} whose text is not a literal, the first in {}", place(first)));
        }
        for (file, why) in self.queries.unreadable.iter().take(SHOWN) {
            lines.push(format!("not read: {}: {}", printable::line(file), printable::line(why)));
        }
        lines.extend(more(self.queries.unreadable.len(), SHOWN));
        lines
    }

    /// Which of the two goes first: the migrations or the rollout.
    fn order(&self) -> Vec<String> {
        if self.next.is_none() {
            return Vec::new();
        }
        let release = printable::line(self.release);
        let early = &self.judgement.too_early;
        let still = self.judgement.breaks.iter().filter(|found| self.is_still_asked(found)).count();
        if still > 0 {
            let queries = if still == 1 { "1 query that breaks" } else { &format!("{still} queries that break") };
            return vec![format!("no order works: the working tree still has {queries}")];
        }
        let breaks = !self.judgement.breaks.is_empty();
        let head = match (early.is_empty(), breaks) {
            (true, false) => {
                return vec![format!(
                    "either order works: the queries of the working tree run on the schema of `{release}` too"
                )];
            }
            (true, true) => {
                let all = "the queries of the working tree run on both schemas";
                return vec![format!("the rollout has to be complete before the migrations run: {all}")];
            }
            (false, false) => "the migrations have to run before the rollout",
            (false, true) => "no order works: the migrations break the running release, and the new one needs them",
        };
        let entry = |(index, differences): &(usize, Vec<super::description::Difference>)| {
            let why: Vec<String> = differences.iter().map(|difference| difference.text()).collect();
            format!("\n    {}: {}", named(self.new[*index]), why.join("; "))
        };
        let entries: String = early.iter().take(SHOWN).map(entry).collect();
        let rest = more(early.len(), SHOWN).map(|rest| format!("\n    {rest}")).unwrap_or_default();
        vec![format!("{head}; what fails on the schema of `{release}`:{entries}{rest}")]
    }

    fn reason(&self, found: &Break) -> Option<String> {
        let query = match found.asker {
            Asker::Query(index) => self.queries.queries.get(index),
            Asker::Function(_) => None,
        };
        self.allowed.reason(query, found.by.as_deref())
    }

    /// What breaks, allowed or not.
    pub(super) fn findings(&self) -> Vec<Finding> {
        let finding = |found: &Break| {
            let (name, places, text) = match &found.asker {
                Asker::Query(index) => {
                    let query = &self.queries.queries[*index];
                    (query.name.clone(), query.places.iter().map(place).collect(), Some(query.text.clone()))
                }
                Asker::Function(signature) => (Some(signature.clone()), Vec::new(), None),
            };
            let codes = found.differences.iter().filter_map(|difference| difference.code().map(str::to_owned));
            let sentences: Vec<String> = found.differences.iter().map(|difference| difference.text()).collect();
            let (codes, sentence) = (codes.collect(), sentences.join("; "));
            let (migration, allowed) = (found.by.clone(), self.reason(found));
            Finding { name, places, text, codes, migration, sentence, allowed }
        };
        self.judgement.breaks.iter().map(finding).collect()
    }

    /// All of it.
    pub(super) fn json(&self) -> Value {
        let place = |place: &Place| json!({ "file": place.file, "line": place.line });
        let places = |query: &Query| query.places.iter().map(place).collect::<Vec<_>>();
        let of = |query: &Query| json!({ "name": query.name, "text": query.text, "places": places(query) });
        let difference = |difference: &super::description::Difference| json!({ "kind": difference.kind(), "sqlstate": difference.code(), "message": difference.text() });
        let broken = |found: &Break| {
            let mut value = match &found.asker {
                Asker::Query(index) => of(&self.queries.queries[*index]),
                Asker::Function(signature) => json!({ "function": signature }),
            };
            value["differences"] = found.differences.iter().map(difference).collect();
            value["migration"] = json!(found.by);
            value["allowed"] = json!(self.reason(found));
            value["still_asked"] = json!(self.is_still_asked(found));
            value
        };
        let left_out = |(index, refusal): &(usize, super::description::Refusal)| {
            let mut value = of(&self.queries.queries[*index]);
            value["sqlstate"] = json!(refusal.code);
            value["message"] = json!(refusal.message);
            value
        };
        let early = |(index, differences): &(usize, Vec<super::description::Difference>)| {
            let mut value = of(self.new[*index]);
            value["differences"] = differences.iter().map(difference).collect();
            value
        };
        let judgement = self.judgement;
        json!({
            "format": 1,
            "release": self.release,
            "steps": judgement.steps,
            "queries": self.queries.queries.len(),
            "functions": judgement.functions,
            "breaks": judgement.breaks.iter().map(broken).collect::<Vec<_>>(),
            "left_out": judgement.left_out.iter().map(left_out).collect::<Vec<_>>(),
            "hazards": self.hazards.iter().map(Weighed::json).collect::<Vec<_>>(),
            "more_columns": judgement.grown,
            "not_literal": self.queries.not_literal.iter().map(place).collect::<Vec<_>>(),
            "unreadable": self.queries.unreadable.iter().map(|(file, why)| json!({ "file": file, "why": why })).collect::<Vec<_>>(),
            "needs_migrations": self.next.map(|_| judgement.too_early.iter().map(early).collect::<Vec<_>>()),
            "ms": judgement.asked.as_millis() as u64,
        })
    }
}

fn more(all: usize, shown: usize) -> Option<String> {
    (all > shown).then(|| format!("and {} more; `--json` has all of them", all - shown))
}

/// `users_by_name, src/users.rs:14 and 2 other places`.
fn named(query: &Query) -> String {
    let name = query.name.as_ref().map(|name| format!("{}, ", printable::line(name))).unwrap_or_default();
    let places = query.places.first().map(place).unwrap_or_default();
    let others = match query.places.len() {
        0 | 1 => String::new(),
        several => format!(" and {}", count(several - 1, "other place")),
    };
    format!("{name}{places}{others}")
}

fn place(place: &Place) -> String {
    format!("{}:{}", printable::line(&place.file), place.line)
}

/// A query on one line, its beginning.
fn preview(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let cut: String = words.chars().take(WIDTH).collect();
    let dots = if cut.len() < words.len() { " .." } else { "" };
    format!("{}{dots}", printable::line(&cut))
}
