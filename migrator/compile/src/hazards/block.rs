//! The up block of one migration: what is found in it, without the false alarms.

use super::known::{self, Known};
use super::object::{self, Object, alter_table, create_table, targets};
use super::steady::has_steady_default;
use super::{advice, linter, lock, own, table, types};
use migrator_sql::{Comment, Words, parse};

/// Rules about how something is written, also in a new table, which nobody uses yet.
const STYLE: &[&str] =
    &["identifier-too-long", "prefer-bigint-over-int", "prefer-identity", "prefer-timestamp-tz", "ban-char-field"];

/// Dropped and created again in the same transaction: nobody sees it missing.
const REPLACEABLE: &[&str] = &["ban-drop-view", "ban-drop-function", "ban-drop-trigger", "ban-drop-policy"];

/// One finding in a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// The statement's index.
    pub(crate) statement: usize,
    pub(crate) rule: &'static str,
    /// The byte of the file.
    pub(crate) at: usize,
    /// The object that is meant, or nothing.
    pub(crate) subject: String,
    /// The lock of this statement, where it is another one than the rule's.
    pub(crate) lock: Option<String>,
    /// The way out for this statement, where the rule's is none.
    pub(crate) help: Option<&'static str>,
}

impl Finding {
    pub(crate) fn new(statement: usize, rule: &'static str, at: usize, subject: String) -> Finding {
        Finding { statement, rule, at, subject, lock: None, help: None }
    }
}

/// The statements of a block, and what is known before the one that is looked at.
pub(crate) struct Block<'a> {
    pub(crate) statements: &'a [Words<'a>],
    /// For each statement the transaction it runs in, if any.
    transactions: Vec<Option<usize>>,
    /// What the statements before have created.
    created: Vec<Object>,
    pub(crate) known: &'a mut Known,
}

impl<'a> Block<'a> {
    /// `transaction` is false for `transaction:false`.
    pub(crate) fn new(statements: &'a [Words<'a>], transaction: bool, known: &'a mut Known) -> Block<'a> {
        let mut current = transaction.then_some(0);
        let transactions = statements.iter().enumerate().map(|(index, words)| {
            if !transaction {
                if words.is_any(0, &["begin", "start"]) {
                    current = Some(index);
                } else if words.is_any(0, &["commit", "end"]) {
                    current = None;
                }
            }
            current
        });
        Block { transactions: transactions.collect(), statements, created: Vec::new(), known }
    }

    /// Everything that is found, in the order of the text, and each rule once for a statement.
    pub(crate) fn check(&mut self, text: &str, comments: &[Comment]) -> Vec<Finding> {
        let Some(first) = self.statements.first() else { return Vec::new() };
        let linted = linter::lint(&self.linted_text(text, comments));
        let linted: Vec<Finding> = linted
            .into_iter()
            .filter_map(|(at, rule)| {
                let at = first.start() + at;
                let index = self.statements.partition_point(|words| words.start() <= at).saturating_sub(1);
                Some(Finding::new(index, table::find(&rule)?.name, at, self.subject(index)))
            })
            .collect();
        let mut found: Vec<Finding> = Vec::new();
        for (index, words) in self.statements.iter().enumerate() {
            let of_linter = linted.iter().filter(|finding| finding.statement == index);
            let mut here: Vec<Finding> = of_linter.filter(|finding| !self.is_false_alarm(finding)).cloned().collect();
            here.extend(own::check(self, index));
            here.sort_by_key(|finding| finding.at);
            for mut finding in here {
                finding.lock = lock::in_words(self, &finding);
                finding.help = advice::help(self, &finding);
                if !found.iter().any(|other| other.statement == index && other.rule == finding.rule) {
                    found.push(finding);
                }
            }
            self.known.take(words);
            self.created.extend(object::created(words));
        }
        found
    }

    /// The text from the first statement to the last, byte for byte, without comments, and without statements on which the
    /// linter has no rule: rows can be many, and what is nested too deeply would exhaust the stack.
    fn linted_text(&self, text: &str, comments: &[Comment]) -> String {
        let (Some(first), Some(last)) = (self.statements.first(), self.statements.last()) else { return String::new() };
        let (start, end) = (first.start(), last.range().end);
        let mut linted = parse::without_continued_escapes(&text[start..end], start, self.statements).into_owned();
        let without_rule = |words: &&Words<'_>| {
            let skipped = ["insert", "copy", "select", "do", "with", "values", "update", "delete", "comment", "merge"];
            words.is_any(0, &skipped) || parse::is_too_deep(words)
        };
        let statements = self.statements.iter().filter(without_rule).map(Words::range);
        let comments = comments.iter().map(|comment| comment.range.clone());
        for range in statements.chain(comments.filter(|range| range.start >= start && range.end <= end)) {
            linted.replace_range(range.start - start..range.end - start, &" ".repeat(range.len()));
        }
        linted
    }

    /// True unless a statement before has created it.
    pub(crate) fn is_live(&self, object: &Object) -> bool {
        !self.created.iter().any(|created| created.is(object))
    }

    /// The statements before this one in the same transaction.
    pub(crate) fn earlier(&self, index: usize) -> impl Iterator<Item = &Words<'a>> {
        (0..index).filter(move |&other| self.is_together(index, other)).map(|other| &self.statements[other])
    }

    /// The statements behind this one in the same transaction.
    pub(crate) fn later(&self, index: usize) -> impl Iterator<Item = &Words<'a>> {
        let behind = index + 1..self.statements.len();
        behind.filter(move |&other| self.is_together(index, other)).map(|other| &self.statements[other])
    }

    fn is_together(&self, index: usize, other: usize) -> bool {
        self.transactions[index].is_some() && self.transactions[index] == self.transactions[other]
    }

    /// What the finding is about.
    fn subject(&self, index: usize) -> String {
        let words = &self.statements[index];
        let object = targets(words).into_iter().next().or_else(|| object::made(words));
        object.map_or(String::new(), |object| object.to_string())
    }

    fn is_false_alarm(&self, finding: &Finding) -> bool {
        let words = &self.statements[finding.statement];
        let objects = targets(words);
        let new = !objects.is_empty() && objects.iter().all(|object| !self.is_live(object));
        if new && !STYLE.contains(&finding.rule) {
            return true;
        }
        if REPLACEABLE.contains(&finding.rule) {
            return self.is_replaced(finding.statement);
        }
        match finding.rule {
            "prefer-bigint-over-int" => !is_key(words, finding.at),
            "prefer-timestamp-tz" | "ban-char-field" => self.keeps_type(words, finding.at),
            // Nobody names an index in a query.
            "renaming-object" => words.is(1, "index"),
            "ban-revoke" => words.start_with(&["alter", "default"]) || self.is_about_new(finding.statement),
            // Only the parent, whose partitions are told of it one by one.
            "require-concurrent-index-creation" => {
                let only = words.find("on").is_some_and(|on| words.is(on + 1, "only"));
                only && objects.iter().all(|table| !self.known.is_plain(table))
            }
            "ban-alter-domain-with-add-constraint" => known::is_not_valid(words),
            "disallowed-unique-constraint" | "adding-serial-primary-key-field"
                if words.is(words.skip(2, &["if", "exists"]), "only") =>
            {
                objects.iter().all(|table| self.known.is_partitioned(table))
            }
            _ => alter_table(words).is_some_and(|(table, actions)| {
                let action = actions.iter().find(|action| action.range().contains(&finding.at));
                action.is_some_and(|action| self.is_harmless(finding, &table, action))
            }),
        }
    }

    /// True if the action at a byte changes a column to a type that it has already but for its length.
    fn keeps_type(&self, words: &Words<'_>, at: usize) -> bool {
        let Some((table, actions)) = alter_table(words) else { return false };
        let action = actions.iter().find(|action| action.range().contains(&at));
        action.is_some_and(|action| self.keeps_rows(&table, action))
    }

    /// True if the action changes a type and PostgreSQL changes the catalog alone.
    fn keeps_rows(&self, table: &Object, action: &Words<'_>) -> bool {
        known::altered_column(action).is_some_and(|(column, what)| {
            let new = known::new_type(action, what).map(|at| types::column_type(action, at));
            let plain = !action.has("collate") && known::casts_alone(action, &column);
            plain && new.is_some_and(|new| self.known.keeps_rows(table, &column, &new))
        })
    }

    /// An action of `ALTER TABLE` that the linter takes for worse than it is.
    fn is_harmless(&self, finding: &Finding, table: &Object, action: &Words<'_>) -> bool {
        match finding.rule {
            // Foreign keys, unique constraints and validations have rules of their own.
            "constraint-missing-not-valid" => known::added(action).is_none_or(|added| added.find("check").is_none()),
            // Every row has NULL there, so nothing has to be looked up.
            "adding-foreign-key-constraint" => {
                !action.is(1, "constraint") && !action.is(1, "foreign") && !action.has("default")
            }
            "adding-field-with-default" => action.has("virtual") || has_steady_default(action, self.known),
            "changing-column-type" => self.keeps_rows(table, action),
            "ban-drop-constraint" => {
                let name = known::name(action, action.skip(2, &["if", "exists"]));
                self.known.is_spare(table, &name) || self.is_constraint_added_again(finding.statement, &name)
            }
            _ => false,
        }
    }

    fn is_constraint_added_again(&self, index: usize, name: &str) -> bool {
        let adds = |words: &Words<'_>| {
            alter_table(words).is_some_and(|(_, actions)| {
                actions.iter().any(|action| action.start_with(&["add", "constraint"]) && known::name(action, 2) == name)
            })
        };
        adds(&self.statements[index]) || self.later(index).any(adds)
    }

    /// True if a statement behind it creates everything again that it drops.
    fn is_replaced(&self, index: usize) -> bool {
        let words = &self.statements[index];
        let kind = object::kind_index(words);
        let of_table = words.is_any(kind, &["trigger", "policy", "rule"]);
        let named = Object::read(words, words.skip(kind + 1, &["if", "exists"])).map(|(object, _)| object);
        let dropped = if of_table { named.into_iter().collect() } else { targets(words) };
        let made = |object: &Object| self.later(index).filter_map(object::made).any(|other| other.is(object));
        !dropped.is_empty() && dropped.iter().all(made)
    }

    /// True for rights on what this block creates, in whatever transaction: no release has used them yet.
    fn is_about_new(&self, index: usize) -> bool {
        let words = &self.statements[index];
        let named = |made: &Object| {
            (1..words.tokens.len()).any(|at| Object::read(words, at).is_some_and(|(object, _)| object.is(made)))
        };
        self.statements[..index].iter().filter_map(object::made).any(|made| named(&made))
    }
}

/// True if the column at a byte is a key, or counts up.
fn is_key(words: &Words<'_>, at: usize) -> bool {
    let counts = |column: &Words<'_>| {
        column.find("primary").is_some()
            || column.find("identity").is_some()
            || column.at(1).to_lowercase().contains("serial")
    };
    if let Some((_, elements)) = create_table(words) {
        let Some(column) = elements.iter().find(|element| element.range().contains(&at)) else { return false };
        let name = known::name(column, 0);
        let keys =
            elements.iter().filter(|element| element.find("primary").is_some_and(|at| element.is(at + 1, "key")));
        let alone = |key: &Words<'_>| {
            let open = key.find("key").map_or(0, |at| at + 1);
            key.at(open) == "(" && known::name(key, open + 1) == name && key.at(open + 2) == ")"
        };
        return counts(column) || keys.into_iter().any(alone);
    }
    alter_table(words).is_some_and(|(_, actions)| {
        let column = actions.iter().find(|action| action.range().contains(&at)).and_then(known::added);
        column.is_some_and(|column| counts(&column))
    })
}
