//! Statements that give the rows which are there a value, in batches.

use migrator_engine::client::literal;

/// Gives the rows without a value one, so many at a time. `value`: an expression, or DEFAULT.
///
/// Ends also where the value is NULL.
pub(super) fn batches(table: &str, column: &str, value: &str) -> String {
    quoted(&format!(
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
END"
    ))
}

/// Fails where a row has no value.
pub(super) fn refusal(table: &str, column: &str) -> String {
    let message = literal(&format!("rows of {table} have no value for {column}: say in this file what it is"));
    quoted(&format!(
        "BEGIN
    IF EXISTS (SELECT FROM {table} WHERE {column} IS NULL) THEN
        RAISE EXCEPTION USING MESSAGE = {message};
    END IF;
END"
    ))
}

/// A DO statement. A name may have in it what would end the body.
fn quoted(body: &str) -> String {
    let mut tag = "$backfill$".to_owned();
    while body.contains(&tag) {
        tag = tag.replacen("backfill", "backfill_", 1);
    }
    format!("DO {tag}\n{body}\n{tag}")
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
