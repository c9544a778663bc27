//! What a server says of a query, and in what two servers say different things.

use migrator_diagnostic::printable;

use tokio_postgres::error::DbError;
use tokio_postgres::types::Type;

use super::alike::TypeName;
use super::plan::Null;
use migrator_engine::words::count;

/// What came of preparing and planning a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    Works(Description),
    Refused(Refusal),
}

/// The server's refusal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Refusal {
    /// SQLSTATE; empty where the query never reached the server.
    pub(super) code: String,
    pub(super) message: String,
}

impl Refusal {
    /// What the server says.
    pub(super) fn of(server: &DbError) -> Refusal {
        Refusal { code: server.code().code().to_owned(), message: server.message().to_owned() }
    }

    pub(super) fn text(&self) -> String {
        let message = printable::line(&self.message);
        if self.code.is_empty() { message.into_owned() } else { format!("{message} [{}]", self.code) }
    }
}

/// What a client sees of a query that works.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Description {
    pub(super) parameters: Vec<TypeName>,
    /// The same as the protocol has them; unknown where only one database knows the type.
    pub(super) types: Vec<Type>,
    pub(super) columns: Vec<Column>,
    /// Columns that take no NULL, and that an INSERT of it gives none but NULL: `core.users`, `email`.
    pub(super) missing: Vec<(String, String)>,
    /// The columns that an INSERT of it gives none but NULL, whether they take it or not.
    pub(super) nulls: Vec<Null>,
    /// The server has planned it, and so has looked at all that it names.
    pub(super) is_planned: bool,
    /// All columns of a row are one value in it: it may ask for a column without its name.
    pub(super) has_whole_rows: bool,
}

impl Description {
    /// The columns that an INSERT leaves NULL `now`, and that had a default or a value before.
    pub(super) fn newly_null<'n>(&self, now: &'n Description) -> Vec<&'n Null> {
        let is_known = |null: &Null| {
            let same = |known: &Null| (&known.schema, &known.table) == (&null.schema, &null.table);
            // A column that was not there is none of its business.
            self.nulls.iter().any(|known| same(known) && (known.number == null.number || null.number > known.of))
        };
        now.nulls.iter().filter(|null| !is_known(null)).collect()
    }
}

/// A column of the result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) is: TypeName,
    /// Whether the table's column that it comes straight from takes no NULL; `None`: it does not come from a table's column.
    pub(super) not_null: Option<bool>,
    /// It is on the side of an outer join that may have no row.
    pub(super) outer: bool,
}

/// In what a query is no longer what its client was built for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Difference {
    Refused(Refusal),
    ParameterCount { before: usize, now: usize },
    ParameterType { number: usize, before: String, now: String },
    ColumnGone { name: String },
    ColumnMoved { name: String, before: usize, now: usize },
    ColumnType { name: String, before: String, now: String },
    Nullable { name: String, number: usize },
    Required { table: String, column: String },
}

impl Difference {
    /// The kind, as `--json` has it.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Difference::Refused(_) => "refused",
            Difference::ParameterCount { .. } => "parameter-count",
            Difference::ParameterType { .. } => "parameter-type",
            Difference::ColumnGone { .. } => "column-gone",
            Difference::ColumnMoved { .. } => "column-moved",
            Difference::ColumnType { .. } => "column-type",
            Difference::Nullable { .. } => "nullable",
            Difference::Required { .. } => "required",
        }
    }

    /// SQLSTATE, where the server refuses it, or will when it runs.
    pub(super) fn code(&self) -> Option<&str> {
        match self {
            Difference::Refused(refusal) => Some(&refusal.code).filter(|code| !code.is_empty()).map(String::as_str),
            Difference::Required { .. } => Some("23502"),
            _ => None,
        }
    }

    pub(super) fn text(&self) -> String {
        let quoted = |name: &String| format!("`{}`", printable::line(name));
        match self {
            Difference::Refused(refusal) => refusal.text(),
            Difference::ParameterCount { before, now } => format!("takes {}, not {before}", count(*now, "parameter")),
            Difference::ParameterType { number, before, now } => {
                format!("parameter ${number} is {}, not {}", quoted(now), quoted(before))
            }
            Difference::ColumnGone { name } => format!("result column {} is gone", quoted(name)),
            Difference::ColumnMoved { name, before, now } => {
                format!("result column {} is number {now}, not {before}", quoted(name))
            }
            Difference::ColumnType { name, before, now } => {
                format!("result column {} is {}, not {}", quoted(name), quoted(now), quoted(before))
            }
            Difference::Nullable { name, .. } => format!("result column {} may be null now", quoted(name)),
            Difference::Required { table, column } => {
                format!(
                    "gives no value for {} of {}, which takes no null and has no default [23502]",
                    quoted(column),
                    quoted(table)
                )
            }
        }
    }
}

/// In what a query that was right `before` is no longer right `now`; empty: its client sees no difference.
///
/// More columns at the end of a result are no difference: clients read by name, or by number from the front.
pub(super) fn differences(before: &Description, now: &Standing) -> Vec<Difference> {
    let now = match now {
        Standing::Works(now) => now,
        Standing::Refused(refusal) => return vec![Difference::Refused(refusal.clone())],
    };
    let mut found = Vec::new();
    if before.parameters.len() != now.parameters.len() {
        found.push(Difference::ParameterCount { before: before.parameters.len(), now: now.parameters.len() });
    }
    for (index, (was, is)) in before.parameters.iter().zip(&now.parameters).enumerate() {
        if !was.is_alike(is) {
            let (before, now) = (was.name.clone(), is.name.clone());
            found.push(Difference::ParameterType { number: index + 1, before, now });
        }
    }
    found.extend(of_columns(&before.columns, &now.columns));
    let new = now.missing.iter().filter(|(_, column)| !before.missing.iter().any(|(_, known)| known == column));
    found.extend(new.map(|(table, column)| Difference::Required { table: table.clone(), column: column.clone() }));
    found
}

/// What has moved moves all that follow: only the first one is told.
fn of_columns(before: &[Column], now: &[Column]) -> Vec<Difference> {
    let mut found = Vec::new();
    for (index, was) in before.iter().enumerate() {
        let Some(is) = now.get(index).filter(|is| is.name == was.name) else {
            let name = was.name.clone();
            found.push(match now.iter().position(|column| column.name == name) {
                Some(position) => Difference::ColumnMoved { name, before: index + 1, now: position + 1 },
                None => Difference::ColumnGone { name },
            });
            break;
        };
        if !was.is.is_alike(&is.is) {
            let (before, now) = (was.is.name.clone(), is.is.name.clone());
            found.push(Difference::ColumnType { name: was.name.clone(), before, now });
        }
        if was.not_null == Some(true) && is.not_null == Some(false) && !was.outer {
            found.push(Difference::Nullable { name: was.name.clone(), number: index + 1 });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, is: Type, not_null: Option<bool>) -> Column {
        Column { name: name.to_owned(), is: TypeName::of(&is), not_null, outer: false }
    }

    fn of(columns: &[Column]) -> Description {
        Description { columns: columns.to_vec(), ..Description::default() }
    }

    #[track_caller]
    fn check(before: &Description, now: &Description, expected: &[&str]) {
        let found = differences(before, &Standing::Works(now.clone()));
        assert_eq!(found.iter().map(Difference::text).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_column_at_the_end_is_no_difference_and_one_in_the_middle_moves_what_follows() {
        let (a, b, c) = (column("a", Type::INT4, None), column("b", Type::TEXT, None), column("c", Type::TEXT, None));
        let two = of(&[a.clone(), b.clone()]);
        check(&two, &of(&[a.clone(), b.clone(), c.clone()]), &[]);
        check(&two, &of(&[a.clone(), c.clone(), b]), &["result column `b` is number 3, not 2"]);
        check(&two, &of(&[a.clone(), c]), &["result column `b` is gone"]);
        check(&two, &of(&[a]), &["result column `b` is gone"]);
    }

    #[test]
    fn only_a_column_of_a_table_can_be_newly_nullable() {
        let with = |not_null| of(&[column("a", Type::INT4, not_null)]);
        check(&with(Some(true)), &with(Some(false)), &["result column `a` may be null now"]);
        check(&with(Some(true)), &with(None), &[]);
        check(&with(None), &with(Some(false)), &[]);
        check(&with(Some(false)), &with(Some(true)), &[]);
        let mut joined = with(Some(true));
        joined.columns[0].outer = true;
        check(&joined, &with(Some(false)), &[]);
    }

    #[test]
    fn parameters_types_and_required_columns_are_told() {
        let with = |parameters: &[Type], missing: &[(&str, &str)]| Description {
            parameters: parameters.iter().map(TypeName::of).collect(),
            missing: missing.iter().map(|&(table, column)| (table.to_owned(), column.to_owned())).collect(),
            ..Description::default()
        };
        let expected = [
            "parameter $2 is `int8`, not `int4`",
            "gives no value for `b` of `core.t`, which takes no null and has no default [23502]",
        ];
        let before = with(&[Type::TEXT, Type::INT4], &[("core.t", "a")]);
        check(&before, &with(&[Type::VARCHAR, Type::INT8], &[("core.t", "a"), ("core.t", "b")]), &expected);
        check(&before, &with(&[Type::TEXT], &[("core.u", "a")]), &["takes 1 parameter, not 2"]);
    }
}
