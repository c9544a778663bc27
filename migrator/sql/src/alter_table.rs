//! The actions of `ALTER TABLE`.

use crate::element::Element;
use crate::name::Name;
use crate::words::Words;

/// `ALTER TABLE ...`
#[derive(Debug, Clone)]
pub struct AlterTable<'a> {
    /// The table.
    pub table: Name<'a>,
    /// `ONLY`, which leaves partitions and children alone.
    pub only: bool,
    /// What is done to it, in the order of the text.
    pub actions: Vec<AlterTableAction<'a>>,
}

/// One action of `ALTER TABLE`.
#[derive(Debug, Clone, Copy)]
pub struct AlterTableAction<'a> {
    /// Its tokens.
    pub words: Words<'a>,
    /// What it does.
    pub change: TableChange<'a>,
}

/// What one action of `ALTER TABLE` does.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum TableChange<'a> {
    /// `ADD [COLUMN] ...`, `ADD [CONSTRAINT] ...`
    Add(Element<'a>),
    /// `DROP [COLUMN] ...`
    DropColumn(Name<'a>),
    /// `DROP CONSTRAINT ...`
    DropConstraint(Name<'a>),
    /// `VALIDATE CONSTRAINT ...`
    ValidateConstraint(Name<'a>),
    /// `ALTER [COLUMN] ...`
    AlterColumn {
        /// The column.
        column: Name<'a>,
        /// What becomes of it.
        change: ColumnChange<'a>,
    },
    /// `RENAME TO ...`
    Rename(Name<'a>),
    /// `RENAME [COLUMN] ... TO ...`
    RenameColumn {
        /// The name before.
        from: Name<'a>,
        /// The name after.
        to: Name<'a>,
    },
    /// `RENAME CONSTRAINT ... TO ...`
    RenameConstraint {
        /// The name before.
        from: Name<'a>,
        /// The name after.
        to: Name<'a>,
    },
    /// `ATTACH PARTITION ...`
    AttachPartition {
        /// The table that becomes a partition.
        partition: Name<'a>,
        /// `DEFAULT` instead of bounds.
        default: bool,
    },
    /// `DETACH PARTITION ...`
    DetachPartition {
        /// The partition.
        partition: Name<'a>,
        /// `CONCURRENTLY`
        concurrently: bool,
        /// `FINALIZE`
        finalize: bool,
    },
    /// `ENABLE TRIGGER`, `DISABLE TRIGGER`, in all their forms.
    SwitchTrigger,
    /// `SET LOGGED`, `SET UNLOGGED`, `SET TABLESPACE`, `SET ACCESS METHOD`: the table is written again.
    Rewrite,
    /// `SET (...)` and `RESET (...)` of parameters that say how the table is stored.
    StorageParameters,
    /// `CLUSTER ON ...` and `SET WITHOUT CLUSTER`
    MarkCluster,
    /// Anything else.
    Other,
}

/// What becomes of a column.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum ColumnChange<'a> {
    /// `[SET DATA] TYPE ...`
    Type {
        /// The tokens from the new type on.
        new: Words<'a>,
        /// The tokens that follow `USING`.
        using: Option<Words<'a>>,
    },
    /// `SET NOT NULL`
    SetNotNull,
    /// `DROP NOT NULL`
    DropNotNull,
    /// `SET STATISTICS ...`, `SET (...)` and `RESET (...)`: what the planner is told.
    Statistics,
    /// Anything else.
    Other,
}

impl<'a> AlterTable<'a> {
    /// `words` begin with `ALTER TABLE`.
    pub(crate) fn of(words: &Words<'a>) -> Option<AlterTable<'a>> {
        let at = words.skip(2, &["if", "exists"]);
        let only = words.is(at, "only");
        let (table, end) = Name::read(words, words.skip(at, &["only"]))?;
        let start = if words.at(end) == "*" { end + 1 } else { end };
        let actions = words.elements(start).into_iter().map(AlterTableAction::of).collect();
        Some(AlterTable { table, only, actions })
    }

    /// The action in which a byte of the text is.
    pub fn action_at(&self, at: usize) -> Option<&AlterTableAction<'a>> {
        self.actions.iter().find(|action| action.words.range().contains(&at))
    }
}

impl<'a> AlterTableAction<'a> {
    fn of(words: Words<'a>) -> AlterTableAction<'a> {
        AlterTableAction { words, change: change(&words).unwrap_or(TableChange::Other) }
    }

    /// The column or constraint that is added.
    pub fn added(&self) -> Option<&Element<'a>> {
        match &self.change {
            TableChange::Add(element) => Some(element),
            _ => None,
        }
    }

    /// True if it adds the constraint of this name to the table.
    pub fn adds_constraint(&self, name: &str) -> bool {
        let added = self.added().and_then(Element::constraint_name);
        added.is_some_and(|added| added.object().name == name)
    }
}

fn change<'a>(words: &Words<'a>) -> Option<TableChange<'a>> {
    let name = |index| Name::read(words, index).map(|(name, _)| name);
    Some(match &*words.lower(0) {
        "add" => {
            let start = words.skip(words.skip(1, &["column"]), &["if", "not", "exists"]);
            TableChange::Add(Element::of(Words::new(words.text, words.tokens.get(start..)?)))
        }
        "drop" if words.is(1, "constraint") => TableChange::DropConstraint(name(words.skip(2, &["if", "exists"]))?),
        "drop" => TableChange::DropColumn(name(words.skip(words.skip(1, &["column"]), &["if", "exists"]))?),
        "validate" => TableChange::ValidateConstraint(name(2)?),
        "alter" if !words.is(1, "constraint") => {
            let (column, end) = Name::read(words, words.skip(1, &["column"]))?;
            TableChange::AlterColumn { column, change: column_change(words, end) }
        }
        "rename" => rename(words)?,
        "attach" => {
            TableChange::AttachPartition { partition: name(2)?, default: words.is(words.tokens.len() - 1, "default") }
        }
        "detach" => TableChange::DetachPartition {
            partition: name(2)?,
            concurrently: words.find("concurrently").is_some(),
            finalize: words.find("finalize").is_some(),
        },
        "enable" | "disable" if words.find("trigger").is_some() => TableChange::SwitchTrigger,
        "cluster" => TableChange::MarkCluster,
        "set" if words.is(1, "without") && words.is(2, "cluster") => TableChange::MarkCluster,
        "set" if words.is_any(1, &["logged", "unlogged", "tablespace", "access"]) => TableChange::Rewrite,
        // The parameter of logical decoding says something about the rows.
        "set" | "reset" if words.at(1) == "(" && !words.has("user_catalog_table") => TableChange::StorageParameters,
        _ => return None,
    })
}

/// `RENAME TO`, `RENAME [COLUMN] a TO b`, `RENAME CONSTRAINT a TO b`.
fn rename<'a>(words: &Words<'a>) -> Option<TableChange<'a>> {
    let to_at = (1..words.tokens.len()).rev().find(|&at| words.is(at, "to"))?;
    let name = |index| Name::read(words, index).map(|(name, _)| name);
    let to = name(to_at + 1)?;
    Some(if to_at == 1 {
        TableChange::Rename(to)
    } else if words.is(1, "constraint") {
        TableChange::RenameConstraint { from: name(2)?, to }
    } else {
        TableChange::RenameColumn { from: name(words.skip(1, &["column"]))?, to }
    })
}

fn column_change<'a>(words: &Words<'a>, at: usize) -> ColumnChange<'a> {
    let of_type = words.skip(at, &["set", "data"]);
    let from = |index: usize| Words::new(words.text, words.tokens.get(index..).unwrap_or_default());
    if words.is(of_type, "type") {
        ColumnChange::Type { new: from(of_type + 1), using: words.find("using").map(|using| from(using + 1)) }
    } else if words.is_any(at, &["set", "reset"]) && (words.is(at + 1, "statistics") || words.at(at + 1) == "(") {
        ColumnChange::Statistics
    } else if words.is(at + 1, "not") && words.is(at + 2, "null") {
        if words.is(at, "set") { ColumnChange::SetNotNull } else { ColumnChange::DropNotNull }
    } else {
        ColumnChange::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lexer::lex;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let tokens = lex(text).tokens;
        let altered = AlterTable::of(&Words::new(text, &tokens)).unwrap();
        let name = |name: &Name<'_>| name.object().to_string();
        let shown = altered.actions.iter().map(|action| match &action.change {
            TableChange::Add(element) => match (element.column(), element.constraint()) {
                (Some(column), _) => format!("add column {}", name(&column)),
                (_, Some(kind)) => format!("add {kind:?} {:?}", element.constraint_name().map(|of| name(&of))),
                _ => "add".to_owned(),
            },
            TableChange::DropColumn(column) => format!("drop column {}", name(column)),
            TableChange::DropConstraint(constraint) => format!("drop constraint {}", name(constraint)),
            TableChange::ValidateConstraint(constraint) => format!("validate {}", name(constraint)),
            TableChange::AlterColumn { column, change } => {
                let change = format!("{change:?}");
                format!("alter {} {}", name(column), change.split([' ', '{']).next().unwrap_or_default())
            }
            TableChange::Rename(to) => format!("rename {}", name(to)),
            TableChange::RenameColumn { from, to } => format!("rename column {} {}", name(from), name(to)),
            TableChange::RenameConstraint { from, to } => format!("rename constraint {} {}", name(from), name(to)),
            TableChange::AttachPartition { partition, default } => format!("attach {} {default}", name(partition)),
            TableChange::DetachPartition { partition, concurrently, finalize } => {
                format!("detach {} {concurrently} {finalize}", name(partition))
            }
            other => format!("{other:?}"),
        });
        let shown: Vec<String> = [name(&altered.table)].into_iter().chain(shown).collect();
        assert_eq!(shown, expected, "{text}");
    }

    #[test]
    fn knows_each_action() {
        check(
            "ALTER TABLE IF EXISTS ONLY a.B * ADD c int, ADD COLUMN IF NOT EXISTS \"D\" text CHECK (\"D\" <> ''), ADD CONSTRAINT e UNIQUE (c)",
            &["a.b", "add column c", "add column D", "add Unique Some(\"e\")"],
        );
        check(
            "ALTER TABLE t ADD PRIMARY KEY (a, b), ADD FOREIGN KEY (a) REFERENCES o, ADD CONSTRAINT \"check\" EXCLUDE (a WITH =)",
            &["t", "add PrimaryKey None", "add ForeignKey None", "add Exclude Some(\"check\")"],
        );
        check(
            "ALTER TABLE t DROP a, DROP COLUMN IF EXISTS b CASCADE, DROP CONSTRAINT IF EXISTS c, VALIDATE CONSTRAINT d",
            &["t", "drop column a", "drop column b", "drop constraint c", "validate d"],
        );
        check(
            "ALTER TABLE t ALTER a TYPE int, ALTER COLUMN b SET DATA TYPE numeric(5, 2) USING b::numeric, ALTER c SET NOT NULL,
             ALTER d DROP NOT NULL, ALTER e SET STATISTICS 5, ALTER f RESET (n_distinct), ALTER g SET STORAGE plain, ALTER CONSTRAINT h DEFERRABLE",
            &[
                "t",
                "alter a Type",
                "alter b Type",
                "alter c SetNotNull",
                "alter d DropNotNull",
                "alter e Statistics",
                "alter f Statistics",
                "alter g Other",
                "Other",
            ],
        );
        check("ALTER TABLE t RENAME TO \"to\"", &["t", "rename to"]);
        check("ALTER TABLE t RENAME a TO b", &["t", "rename column a b"]);
        check("ALTER TABLE t RENAME COLUMN a TO b", &["t", "rename column a b"]);
        check("ALTER TABLE t RENAME CONSTRAINT a TO b", &["t", "rename constraint a b"]);
        check("ALTER TABLE p ATTACH PARTITION s.q DEFAULT", &["p", "attach s.q true"]);
        check("ALTER TABLE p DETACH PARTITION q CONCURRENTLY", &["p", "detach q true false"]);
        check(
            "ALTER TABLE t ENABLE ALWAYS TRIGGER x, DISABLE RULE r, SET UNLOGGED, SET (fillfactor = 70), SET (user_catalog_table), CLUSTER ON i, SET SCHEMA s",
            &["t", "SwitchTrigger", "Other", "Rewrite", "StorageParameters", "Other", "MarkCluster", "Other"],
        );
    }
}
