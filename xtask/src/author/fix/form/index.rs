//! Indexes: created, dropped and rebuilt `CONCURRENTLY`.

use migrator_sql::{Name, Sql, Words};

use super::name;
use crate::author::fix::edit::{Edit, without};
use crate::author::fix::remedy::{Back, Case, Outcome, Part, Remedy, Stage, Undo};

/// ` CONCURRENTLY`, in the case of the word before it.
fn concurrently(words: &Words<'_>, before: usize) -> &'static str {
    let is_lower = words.at(before).chars().all(|c| c.is_ascii_lowercase());
    if is_lower { " concurrently" } else { " CONCURRENTLY" }
}

pub(super) fn create(case: Case<'_, '_>) -> Outcome {
    let Sql::CreateIndex(index) = &case.statement.sql else { return Err("no index is created here".to_owned()) };
    let table = index.table.ok_or("its table is not named")?;
    if case.tables.get(&table.object()).is_some_and(|table| table.partitioned) {
        return Err("PostgreSQL builds no index of a partitioned table `CONCURRENTLY`".to_owned());
    }
    let words = case.words();
    let at = words.skip(1, &["unique"]);
    let mut edits = vec![Edit::insert(case.end_of(at), concurrently(words, at))];
    let called = match index.name {
        Some(called) => called.as_written(),
        None => {
            let open = (0..words.tokens.len()).find(|&at| words.at(at) == "(").unwrap_or(0);
            let columns = name::columns(words, open).ok_or("it has no name: name it, so that it can be resumed")?;
            let called = name::of_parts(&table, &columns, "idx")?;
            edits.push(Edit::insert(case.end_of(at), format!(" {called}")));
            called
        }
    };
    let object = index
        .name
        .map_or_else(|| table.object().renamed(&migrator_engine::client::unquoted(&called)), |name| name.object());
    let otherwise = format!("DROP INDEX CONCURRENTLY {}", name::beside(&table, &called));
    let back = vec![Back::Take(Undo::DropIndex(object), Some(otherwise))];
    let in_order = index.unique && case.is_relied_on();
    let alone = Some((format!("index_{}", name::in_file_name(&called)), back));
    Ok(Remedy { alone, in_order, ..Remedy::edits(edits) })
}

pub(super) fn drop(case: Case<'_, '_>) -> Outcome {
    let words = case.words();
    let start = words.skip(words.skip(2, &["concurrently"]), &["if", "exists"]);
    let elements = words.elements(start);
    if words.has("cascade") {
        return Err("`DROP INDEX CONCURRENTLY` has no `CASCADE`".to_owned());
    }
    let exists = if words.skip(2, &["if", "exists"]) > 2 { "IF EXISTS " } else { "" };
    let mut all = Vec::new();
    for element in &elements {
        let (called, _) = Name::read(element, 0).ok_or("an index is not named")?;
        let does = format!("drop_{}", name::in_file_name(&called.object().name));
        let up = vec![format!("DROP INDEX CONCURRENTLY {exists}{}", called.as_written())];
        let down = vec![Back::Take(Undo::MakeIndex(called.object()), None)];
        all.push(Part { stage: Stage::Alone, does, up, down });
    }
    // PostgreSQL takes one at a time.
    let ranges: Vec<_> = elements.iter().map(Words::range).collect();
    let mut edits = vec![Edit::insert(case.end_of(1), concurrently(words, 1))];
    edits.extend(without(&ranges, |at| at > 0));
    let mut all = all.into_iter();
    let first = all.next().ok_or("no index is named")?;
    let (alone, in_order) = (Some((first.does, first.down)), case.is_relied_on());
    Ok(Remedy { alone, in_order, parts: all.collect(), ..Remedy::edits(edits) })
}

pub(super) fn rebuild(case: Case<'_, '_>) -> Outcome {
    let Sql::Reindex { name: Some(called), .. } = &case.statement.sql else {
        return Err("what is rebuilt is not named".to_owned());
    };
    let words = case.words();
    let at = words.behind_parentheses(1);
    if words.is(at, "system") {
        return Err("PostgreSQL rebuilds no system catalogs `CONCURRENTLY`".to_owned());
    }
    if words.has("concurrently") {
        return Err("an option says that it is not to be `CONCURRENTLY`".to_owned());
    }
    let does = format!("reindex_{}", name::in_file_name(&called.object().name));
    let edit = Edit::insert(case.end_of(at), concurrently(words, at));
    Ok(Remedy { alone: Some((does, Vec::new())), ..Remedy::edits(vec![edit]) })
}
