//! What the tests share with `dir-migrator`: a db directory, loaded at run time, in the form that is embedded otherwise.
//!
//! The same reader and the same checks as in a build; only the last step differs: instead of being written as Rust and
//! compiled, the set is leaked, which gives the same `'static` data.

use std::path::Path;

use migrator_build::set;
use migrator_engine::embedded as engine;

/// Loads a db directory; warnings are returned beside the set.
///
/// # Errors
/// Every problem of the directory.
pub fn load(
    directory: &Path,
) -> Result<(&'static engine::Embedded, Vec<migrator_build::Problem>), migrator_build::Problems> {
    let loaded = migrator_build::load(directory)?;
    Ok((Box::leak(Box::new(embedded(loaded.set))), loaded.warnings))
}

fn embedded(set: set::Set) -> engine::Embedded {
    engine::Embedded {
        migrations: list(set.migrations, migration),
        repeatables: list(set.repeatables, script),
        seeds: list(set.seeds, script),
        checks: list(set.checks, script),
        facts: list(set.facts, |facts| engine::SchemaFacts {
            major: facts.major,
            file: text(facts.file),
            text: text(facts.text),
        }),
        settings: settings(set.settings),
        digest: text(set.digest),
    }
}

fn migration(migration: set::Migration) -> engine::Migration {
    engine::Migration {
        version: text(migration.version),
        number: migration.number,
        name: text(migration.name),
        file: text(migration.file),
        text: text(migration.text),
        checksum: text(migration.checksum),
        up: block(migration.up),
        down: migration.down.map(block),
    }
}

fn block(block: set::Block) -> engine::Block {
    engine::Block {
        range: block.range,
        transaction: block.transaction,
        lock_timeout_ms: block.lock_timeout_ms,
        statement_timeout_ms: block.statement_timeout_ms,
        statements: list(block.statements, statement),
    }
}

fn statement(statement: set::Statement) -> engine::Statement {
    use set::StatementKind as From;
    let kind = match statement.kind {
        From::Plain => engine::StatementKind::Plain,
        From::Begin => engine::StatementKind::Begin,
        From::Commit => engine::StatementKind::Commit,
        From::Set => engine::StatementKind::Set,
        From::SetTransaction => engine::StatementKind::SetTransaction,
        From::Alone => engine::StatementKind::Alone,
        From::MayCommit => engine::StatementKind::MayCommit,
        From::CreateIndexConcurrently { index, table, unique, rest } => {
            engine::StatementKind::CreateIndexConcurrently { index: text(index), table: text(table), unique, rest }
        }
        From::DropIndexConcurrently { index } => engine::StatementKind::DropIndexConcurrently { index: text(index) },
        From::ReindexConcurrently { object, name } => {
            engine::StatementKind::ReindexConcurrently { object: reindex_object(object), name: text(name) }
        }
        From::DetachConcurrently { table, partition } => {
            engine::StatementKind::DetachConcurrently { table: text(table), partition: text(partition) }
        }
        From::Idempotent => engine::StatementKind::Idempotent,
        From::Concurrently => engine::StatementKind::Concurrently,
    };
    engine::Statement { range: statement.range, kind, checksum: text(statement.checksum) }
}

fn reindex_object(object: set::ReindexObject) -> engine::ReindexObject {
    match object {
        set::ReindexObject::Index => engine::ReindexObject::Index,
        set::ReindexObject::Table => engine::ReindexObject::Table,
        set::ReindexObject::Schema => engine::ReindexObject::Schema,
        set::ReindexObject::Database => engine::ReindexObject::Database,
    }
}

fn script(script: set::Script) -> engine::Script {
    engine::Script {
        name: text(script.name),
        file: text(script.file),
        text: text(script.text),
        checksum: text(script.checksum),
        statements: list(script.statements, statement),
    }
}

fn settings(settings: set::Settings) -> engine::Settings {
    engine::Settings {
        history_schema: text(settings.history_schema),
        history_table: text(settings.history_table),
        history_writers: list(settings.history_writers, text),
        start_after: settings.start_after.and_then(|version| version.parse().ok()),
        lock_timeout_ms: settings.lock_timeout_ms,
        retry_for_ms: settings.retry_for_ms,
        statement_timeout_ms: settings.statement_timeout_ms,
        refuse_ahead: settings.refuse_ahead,
        drift_owners: settings.drift_owners,
        drift_ignore: list(settings.drift_ignore, text),
        environments: list(settings.environments, |environment| engine::Environment {
            name: text(environment.name),
            approval: environment.approval,
            down: environment.down,
            seeds: environment.seeds.map(|seeds| list(seeds, text)),
        }),
    }
}

fn text(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

fn list<T, U>(items: Vec<T>, convert: impl Fn(T) -> U) -> &'static [U] {
    Box::leak(items.into_iter().map(convert).collect())
}
