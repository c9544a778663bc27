//! Statements that give the rows which are there a value, in batches.

use migrator_engine::client::literal;

use crate::author::code;

/// What the dollars around it say.
const TAG: &str = "backfill";

/// Gives the rows without a value one, so many at a time. `value`: an expression, or DEFAULT.
///
/// Ends also where the value is NULL.
pub(super) fn batches(table: &str, column: &str, value: &str) -> String {
    let body = format!(
        "DECLARE
    changed bigint;
BEGIN
    LOOP
        WITH filled AS (
            UPDATE {table}
            SET {column} = {value}
            WHERE {column} IS NULL AND ctid = ANY (ARRAY(
                SELECT ctid
                FROM {table}
                WHERE {column} IS NULL
                LIMIT 5000
                FOR UPDATE
            ))
            RETURNING {column}
        )
        SELECT count({column}) INTO changed FROM filled;
        COMMIT;
        EXIT WHEN changed = 0;
    END LOOP;
END
"
    );
    code::block(TAG, &body)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_ends_the_body() {
        let text = refusal("core.\"$backfill$\"", "\"it's\"");
        assert!(text.starts_with("DO $backfill_$\n") && text.ends_with("\n$backfill_$"), "{text}");
        assert!(text.contains("'rows of core.\"$backfill$\" have no value for \"it''s\": "), "{text}");
    }
}
