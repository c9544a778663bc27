//! Statements that give the rows which are there a value, in batches.

use migrator_engine::client::literal;

use super::code;

/// What the dollars around it say.
const TAG: &str = "backfill";

/// How many rows a transaction changes.
const BATCH: usize = 5000;

/// A column whose rows have no value yet. Names are written as SQL has them.
pub(super) struct Backfill<'a> {
    pub(super) table: &'a str,
    pub(super) column: &'a str,
    /// An expression, or DEFAULT.
    pub(super) value: &'a str,
    /// The columns of the primary key; none: it has no key with an order.
    pub(super) key: &'a [String],
}

impl Backfill<'_> {
    /// Gives the rows without a value one, each batch in a transaction of its own. What has one is left out, so that an interrupted run
    /// goes on where it stopped; it also ends where the value is NULL.
    pub(super) fn batches(&self) -> String {
        code::block(TAG, &if self.key.is_empty() { self.by_place() } else { self.by_key() })
    }

    /// In the order of the key: each batch begins where the last one ended. The first row goes alone, so that every range has a beginning
    /// and the server needs nothing but the key's index to find it.
    fn by_key(&self) -> String {
        let Backfill { table, column, value, key } = self;
        let (done, end) = (self.variables("done_to"), self.variables("batch_end"));
        let declared: String = key
            .iter()
            .zip(done.iter().zip(&end))
            .map(|(name, (done, end))| format!("    {done} {table}.{name}%TYPE;\n    {end} {table}.{name}%TYPE;\n"))
            .collect();
        let advance: String = done.iter().zip(&end).map(|(done, end)| format!("        {done} := {end};\n")).collect();
        let (columns, into_done, into_end) = (key.join(", "), done.join(", "), end.join(", "));
        let backwards = key.iter().map(|name| format!("{name} DESC")).collect::<Vec<_>>().join(", ");
        let (row, done_row, end_row) = (row(key), row(&done), row(&end));
        let first_end = end.first().map_or("", String::as_str);
        format!(
            "DECLARE
{declared}BEGIN
    SELECT {columns} INTO {into_done} FROM {table} WHERE {column} IS NULL ORDER BY {columns} LIMIT 1;
    UPDATE {table} SET {column} = {value} WHERE {column} IS NULL AND {row} = {done_row};
    LOOP
        SELECT {columns} INTO {into_end}
        FROM (
            SELECT {columns} FROM {table} WHERE {column} IS NULL AND {row} > {done_row} ORDER BY {columns} LIMIT {BATCH}
        ) AS batch
        ORDER BY {backwards}
        LIMIT 1;
        EXIT WHEN {first_end} IS NULL;
        UPDATE {table}
        SET {column} = {value}
        WHERE {column} IS NULL AND {row} > {done_row} AND {row} <= {end_row};
        COMMIT;
{advance}    END LOOP;
END
"
        )
    }

    /// Wherever the rows are: without a key each batch looks for rows from the beginning.
    fn by_place(&self) -> String {
        let Backfill { table, column, value, .. } = self;
        let changed = self.variable("changed");
        format!(
            "DECLARE
    {changed} bigint;
BEGIN
    LOOP
        WITH filled AS (
            UPDATE {table}
            SET {column} = {value}
            WHERE {column} IS NULL AND ctid = ANY (ARRAY(
                SELECT ctid
                FROM {table}
                WHERE {column} IS NULL
                LIMIT {BATCH}
                FOR UPDATE
            ))
            RETURNING {column}
        )
        SELECT count({column}) INTO {changed} FROM filled;
        COMMIT;
        EXIT WHEN {changed} = 0;
    END LOOP;
END
"
        )
    }

    /// Fails where a row has no value.
    pub(super) fn refusal(table: &str, column: &str) -> String {
        let message = literal(&format!("rows of {table} have no value for {column}: say in this file what it is"));
        let body = format!(
            "BEGIN
    IF EXISTS (SELECT FROM {table} WHERE {column} IS NULL) THEN
        RAISE EXCEPTION USING MESSAGE = {message};
    END IF;
END
"
        );
        code::block(TAG, &body)
    }

    /// A variable for each column of the key.
    fn variables(&self, name: &str) -> Vec<String> {
        let name = self.variable(name);
        match self.key.len() {
            1 => vec![name],
            count => (1..=count).map(|number| format!("{name}_{number}")).collect(),
        }
    }

    /// A name that no column in the statements begins with: the server would not know which of the two is meant.
    fn variable(&self, name: &str) -> String {
        let mut name = name.to_owned();
        let names = || self.key.iter().map(String::as_str).chain([self.column]);
        while names().any(|one| one.trim_start_matches('"').starts_with(&name)) {
            name.insert(0, '_');
        }
        name
    }
}

/// Columns as one value that has an order.
fn row(names: &[String]) -> String {
    match names {
        [only] => only.clone(),
        _ => format!("({})", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_ends_the_body() {
        let text = Backfill::refusal("core.\"$backfill$\"", "\"it's\"");
        assert!(text.starts_with("DO $backfill_$\n") && text.ends_with("\n$backfill_$"), "{text}");
        assert!(text.contains("'rows of core.\"$backfill$\" have no value for \"it''s\": "), "{text}");
    }

    #[test]
    fn a_variable_is_called_as_no_column_is() {
        let key = ["done_to".to_owned(), "\"batch_end_1\"".to_owned()];
        let text = Backfill { table: "t", column: "changed", value: "DEFAULT", key: &key }.batches();
        assert!(text.contains("\n    _done_to_1 t.done_to%TYPE;\n    _batch_end_1 t.done_to%TYPE;\n"), "{text}");
        assert!(text.contains("(done_to, \"batch_end_1\") > (_done_to_1, _done_to_2)"), "{text}");
        let text = Backfill { table: "t", column: "changed", value: "DEFAULT", key: &[] }.batches();
        assert!(text.contains("\n    _changed bigint;\n"), "{text}");
    }
}
