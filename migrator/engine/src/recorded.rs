//! The down block of a migration as the event log keeps it: what was applied can be rolled back by what went with it,
//! although the file has been edited since. Pure.

use serde_json::{Value, json};

use migrator_model::{Block, Migration, Options, ReindexObject, Statement, StatementKind, Text};

/// The text that is recorded when a migration is applied.
pub(crate) fn encode(migration: &Migration) -> String {
    let down = migration.down.as_ref().map(|block| {
        let statements = block.statements.iter().map(|statement| encode_statement(statement, block.range.start));
        let mut down = json!({
            "transaction": block.options.transaction,
            "sql": block.sql(&migration.text),
            "statements": statements.collect::<Vec<_>>(),
            "destroys": &*block.destroys,
        });
        for (name, ms) in block.options.durations() {
            down[format!("{name}_ms")] = ms.into();
        }
        down
    });
    json!({ "empty": migration.up.statements.is_empty(), "down": down }).to_string()
}

fn encode_statement(statement: &Statement, offset: usize) -> Value {
    use StatementKind as K;
    let kind = match &statement.kind {
        // An older release, which may have to roll this back, knows one word for both.
        K::Plain | K::Neutral => json!("plain"),
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

/// Why a recorded text gives no migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unread {
    /// The migration had no down block.
    NoDown,
    /// Nothing of ours has written it, or a release that writes another form.
    OtherForm,
}

/// The migration that a recorded text describes: one that can go down only.
///
/// It lives as long as the process, as everything that is compiled in does; a run reads each at most twice.
///
/// # Errors
/// See [`Unread`].
pub(crate) fn decode(version: &str, name: &str, checksum: &str, text: &str) -> Result<&'static Migration, Unread> {
    let value: Value = serde_json::from_str(text).map_err(|_| Unread::OtherForm)?;
    match (value["empty"].as_bool(), &value["down"]) {
        (None, _) => Err(Unread::OtherForm),
        (Some(false), Value::Null) if value.get("down").is_some() => Err(Unread::NoDown),
        _ => migration([version, name, checksum], &value).ok_or(Unread::OtherForm),
    }
}

fn migration([version, name, checksum]: [&str; 3], value: &Value) -> Option<&'static Migration> {
    let is_empty = value["empty"].as_bool()?;
    let nothing = Block::new(0..0, Options::new(), Vec::new().into());
    let (sql, down) = match &value["down"] {
        // Nothing was done, so there is nothing to undo.
        Value::Null if is_empty => ("", nothing.clone()),
        Value::Null => return None,
        down => {
            let sql = down["sql"].as_str()?;
            let statement = |value: &Value| decode_statement(value, sql);
            let statements: Option<Vec<Statement>> = down["statements"].as_array()?.iter().map(statement).collect();
            let mut options = Options::new().with_transaction(down["transaction"].as_bool()?);
            for (name, _) in Options::names() {
                options.set_duration(name, down[format!("{name}_ms")].as_u64());
            }
            let destroys = match &value["down"]["destroys"] {
                // An older release has not written what it knew nothing of.
                Value::Null if statements.as_ref().is_some_and(|statements| !statements.is_empty()) => {
                    Some(vec![owned("its down block, of which an older release has not recorded what it destroys")])
                }
                Value::Null => Some(Vec::new()),
                list => list.as_array()?.iter().map(|what| what.as_str().map(owned)).collect(),
            };
            let block = Block::new(0..sql.len(), options, statements?.into());
            (sql, block.with_destroys(destroys?.into()))
        }
    };
    let number = version.parse().ok()?;
    let file = format!("the recorded down block of {version}_{name}");
    let migration =
        Migration::new(owned(version), number, owned(name), file.into(), owned(sql), owned(checksum), nothing);
    Some(Box::leak(Box::new(migration.with_down(Some(down)))))
}

fn decode_statement(value: &Value, sql: &str) -> Option<Statement> {
    let (start, end) = (value[0].as_u64()? as usize, value[1].as_u64()? as usize);
    let kind = decode_kind(&value[3])?;
    // Text is cut at these places.
    let written = sql.get(start..end)?;
    if let StatementKind::CreateIndexConcurrently { rest, .. } = kind {
        written.get(rest..)?;
    }
    Some(Statement::new(start..end, kind, owned(value[2].as_str()?)))
}

fn decode_kind(value: &Value) -> Option<StatementKind> {
    use StatementKind as K;
    let text = |name: &str| value[name].as_str().map(owned);
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

fn owned(text: &str) -> Text {
    text.to_owned().into()
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
            K::create_index_concurrently("i".into(), "t".into(), true, 3),
            K::drop_index_concurrently("\"I\"".into()),
            K::reindex_concurrently("s".into(), ReindexObject::Schema),
            K::detach_concurrently("t".into(), "p".into()),
        ];
        let text = "-- migrate:up\nSELECT 'ä';\n-- migrate:down\nSELECT 'ö';\n";
        let start = text.find("SELECT 'ö'").unwrap();
        let statements: Vec<Statement> =
            kinds.into_iter().map(|kind| Statement::new(start..start + 6, kind, "c".into())).collect();
        let options = Options::new().with_transaction(false).with_lock_timeout_ms(5);
        let block = |range, statements: Vec<Statement>| {
            Block::new(range, options, statements.into()).with_destroys(vec!["statement 1: DROP".into()].into())
        };
        let up = block(14..27, statements.clone());
        let mut migration = Migration::new("007".into(), 7, "x".into(), "f".into(), text.into(), "sum".into(), up)
            .with_down(Some(block(start..text.len(), statements)));
        let back = decode("007", "x", "sum", &encode(&migration)).unwrap();
        let (was, is) = (migration.down.as_ref().unwrap(), back.down.as_ref().unwrap());
        assert_eq!(was.sql(&migration.text), is.sql(&back.text));
        assert_eq!(was.options, is.options);
        assert_eq!(was.destroys, is.destroys);
        let shown = |block: &Block, text: &str| {
            block.statements.iter().map(|s| format!("{:?} {}", s.kind, &text[s.range.clone()])).collect::<Vec<_>>()
        };
        assert_eq!(shown(was, &migration.text), shown(is, &back.text));
        migration.up = back.up.clone();
        assert_eq!(encode(back), encode(&migration).replace("\"empty\":false", "\"empty\":true"));
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
            assert!(decode("1", "x", "c", text).is_err(), "{text}");
        }
        assert!(decode("1", "x", "c", "{\"empty\":true,\"down\":null}").is_ok());
        let no_down = decode("1", "x", "c", "{\"empty\":false,\"down\":null}");
        assert_eq!(no_down, Err(Unread::NoDown));
    }
}
