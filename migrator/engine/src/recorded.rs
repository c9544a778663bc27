//! The down block of a migration as the event log keeps it: what was applied can be rolled back by what went with it,
//! although the file has been edited since. Pure.

use serde_json::{Value, json};

use crate::embedded::{Block, Migration, ReindexObject, Statement, StatementKind};

/// What is recorded when a migration is applied.
pub(crate) fn encode(migration: &Migration) -> String {
    let down = migration.down.as_ref().map(|block| {
        json!({
            "transaction": block.transaction,
            "lock_timeout_ms": block.lock_timeout_ms,
            "statement_timeout_ms": block.statement_timeout_ms,
            "sql": block.sql(migration.text),
            "statements": block.statements.iter().map(|statement| encode_statement(statement, block.range.start)).collect::<Vec<_>>(),
        })
    });
    json!({ "empty": migration.up.statements.is_empty(), "down": down }).to_string()
}

fn encode_statement(statement: &Statement, offset: usize) -> Value {
    use StatementKind as K;
    let kind = match &statement.kind {
        K::Plain => json!("plain"),
        K::Alone => json!("alone"),
        K::Begin => json!("begin"),
        K::Commit => json!("commit"),
        K::Set => json!("set"),
        K::SetTransaction => json!("set_transaction"),
        K::MayCommit => json!("may_commit"),
        K::Idempotent => json!("idempotent"),
        K::Concurrently => json!("concurrently"),
        K::CreateIndexConcurrently { index, table, unique, rest } => {
            json!({ "create_index": index, "table": table, "unique": unique, "rest": rest })
        }
        K::DropIndexConcurrently { index } => json!({ "drop_index": index }),
        K::ReindexConcurrently { object, name } => json!({ "reindex": name, "object": object_word(*object) }),
        K::DetachConcurrently { table, partition } => json!({ "detach": partition, "table": table }),
    };
    json!([statement.range.start - offset, statement.range.end - offset, statement.checksum, kind])
}

const OBJECTS: [(ReindexObject, &str); 4] = [
    (ReindexObject::Index, "index"),
    (ReindexObject::Table, "table"),
    (ReindexObject::Schema, "schema"),
    (ReindexObject::Database, "database"),
];

fn object_word(object: ReindexObject) -> &'static str {
    OBJECTS.iter().find(|(known, _)| *known == object).map_or("", |(_, word)| word)
}

/// The migration that a recorded text stands for: one that can go down only. `None` for a text that nothing of ours has
/// written, or without a rollback in it.
///
/// It lives as long as the process, as everything that is compiled in does; a run reads each at most once.
pub(crate) fn decode(version: &str, name: &str, checksum: &str, text: &str) -> Option<&'static Migration> {
    let value: Value = serde_json::from_str(text).ok()?;
    let is_empty = value["empty"].as_bool()?;
    let nothing =
        Block { range: 0..0, transaction: true, lock_timeout_ms: None, statement_timeout_ms: None, statements: &[] };
    let (sql, down) = match &value["down"] {
        // Nothing was done: nothing has to be undone.
        Value::Null if is_empty => ("", nothing.clone()),
        Value::Null => return None,
        down => {
            let sql: &'static str = leak(down["sql"].as_str()?);
            let statement = |value: &Value| decode_statement(value, sql);
            let statements: Option<Vec<Statement>> = down["statements"].as_array()?.iter().map(statement).collect();
            let block = Block {
                range: 0..sql.len(),
                transaction: down["transaction"].as_bool()?,
                lock_timeout_ms: down["lock_timeout_ms"].as_u64(),
                statement_timeout_ms: down["statement_timeout_ms"].as_u64(),
                statements: Box::leak(statements?.into_boxed_slice()),
            };
            (sql, block)
        }
    };
    let migration = Migration {
        version: leak(version),
        number: version.parse().ok()?,
        name: leak(name),
        file: leak(&format!("the down block of {version}_{name} as it was applied")),
        text: sql,
        checksum: leak(checksum),
        up: nothing,
        down: Some(down),
    };
    Some(Box::leak(Box::new(migration)))
}

fn decode_statement(value: &Value, sql: &str) -> Option<Statement> {
    let (start, end) = (value[0].as_u64()? as usize, value[1].as_u64()? as usize);
    let kind = decode_kind(&value[3])?;
    // Text is cut at these places.
    let written = sql.get(start..end)?;
    if let StatementKind::CreateIndexConcurrently { rest, .. } = kind {
        written.get(rest..)?;
    }
    Some(Statement { range: start..end, kind, checksum: leak(value[2].as_str()?) })
}

fn decode_kind(value: &Value) -> Option<StatementKind> {
    use StatementKind as K;
    let text = |name: &str| value[name].as_str().map(leak);
    if let Some(word) = value.as_str() {
        return Some(match word {
            "plain" => K::Plain,
            "alone" => K::Alone,
            "begin" => K::Begin,
            "commit" => K::Commit,
            "set" => K::Set,
            "set_transaction" => K::SetTransaction,
            "may_commit" => K::MayCommit,
            "idempotent" => K::Idempotent,
            "concurrently" => K::Concurrently,
            _ => return None,
        });
    }
    if let Some(index) = text("create_index") {
        let (unique, rest) = (value["unique"].as_bool()?, value["rest"].as_u64()? as usize);
        return Some(K::CreateIndexConcurrently { index, table: text("table")?, unique, rest });
    }
    if let Some(index) = text("drop_index") {
        return Some(K::DropIndexConcurrently { index });
    }
    if let Some(name) = text("reindex") {
        let object = OBJECTS.iter().find(|(_, word)| value["object"] == *word).map(|(object, _)| *object)?;
        return Some(K::ReindexConcurrently { object, name });
    }
    Some(K::DetachConcurrently { partition: text("detach")?, table: text("table")? })
}

fn leak(text: &str) -> &'static str {
    Box::leak(text.to_owned().into_boxed_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recorded_down_block_reads_back_as_it_was() {
        use StatementKind as K;
        let kinds = [
            K::Plain,
            K::Alone,
            K::Begin,
            K::Commit,
            K::Set,
            K::SetTransaction,
            K::MayCommit,
            K::Idempotent,
            K::Concurrently,
            K::CreateIndexConcurrently { index: "i", table: "t", unique: true, rest: 3 },
            K::DropIndexConcurrently { index: "\"I\"" },
            K::ReindexConcurrently { object: ReindexObject::Schema, name: "s" },
            K::DetachConcurrently { table: "t", partition: "p" },
        ];
        let text = "-- migrate:up\nSELECT 'ä';\n-- migrate:down\nSELECT 'ö';\n";
        let start = text.find("SELECT 'ö'").unwrap();
        let statements: Vec<Statement> =
            kinds.into_iter().map(|kind| Statement { range: start..start + 6, kind, checksum: "c" }).collect();
        let block = |range, statements: Vec<Statement>| Block {
            range,
            transaction: false,
            lock_timeout_ms: Some(5),
            statement_timeout_ms: None,
            statements: Box::leak(statements.into_boxed_slice()),
        };
        let migration = Migration {
            version: "007",
            number: 7,
            name: "x",
            file: "f",
            text,
            checksum: "sum",
            up: block(14..27, statements.clone()),
            down: Some(block(start..text.len(), statements)),
        };
        let back = decode("007", "x", "sum", &encode(&migration)).unwrap();
        let (was, is) = (migration.down.as_ref().unwrap(), back.down.as_ref().unwrap());
        assert_eq!(was.sql(migration.text), is.sql(back.text));
        assert_eq!(
            (was.transaction, was.lock_timeout_ms, was.statement_timeout_ms),
            (is.transaction, is.lock_timeout_ms, is.statement_timeout_ms)
        );
        let shown = |block: &Block, text: &str| {
            block.statements.iter().map(|s| format!("{:?} {}", s.kind, &text[s.range.clone()])).collect::<Vec<_>>()
        };
        assert_eq!(shown(was, migration.text), shown(is, back.text));
        assert_eq!(
            encode(back),
            encode(&Migration { up: back.up.clone(), ..migration }).replace("\"empty\":false", "\"empty\":true")
        );
    }

    #[test]
    fn what_another_hand_has_written_is_no_rollback() {
        for text in [
            "",
            "{}",
            "[]",
            "{\"empty\":false,\"down\":null}",
            "{\"empty\":false,\"down\":{\"sql\":\"x\",\"transaction\":true,\"statements\":[[0,9,\"c\",\"plain\"]]}}",
        ] {
            assert!(decode("1", "x", "c", text).is_none(), "{text}");
        }
        assert!(decode("1", "x", "c", "{\"empty\":true,\"down\":null}").is_some());
    }
}
