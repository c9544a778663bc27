//! From what is to become of the statements to files.

mod back;
mod group;
mod step;

use migrator_sql::Sql;

use super::edit::Edit;
use super::remedy::Remedy;
use super::source::Source;
use back::{Downs, NOTHING};
use group::Group;
use step::Plan;

/// A rewritten migration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Draft {
    /// What is changed in its file.
    pub(super) edits: Vec<Edit>,
    /// Further files: what each is called after the migration, and its text.
    pub(super) files: Vec<(String, String)>,
}

/// Puts the statements into files. `remedies`: the places of statements in the up block, and what is to become of them. `in_order`:
/// what follows a statement in the migration also follows all that further files do about it.
///
/// # Errors
/// Why that is not possible.
pub(super) fn lay_out(source: &Source<'_>, remedies: &[(usize, Remedy)], in_order: bool) -> Result<Draft, String> {
    let plan = Plan::of(source, remedies, in_order)?;
    if !source.up.transaction {
        return inline(source, &plan);
    }
    let groups = group::all(source, &plan)?;
    if groups.len() > 1 || groups.first().is_some_and(|group| group.alone) {
        refuse_session_state(source)?;
    }
    let (main, further) = groups.split_first().ok_or("nothing is left of the migration")?;
    let mut edits = up_of_main(source, &plan, main)?;
    let mut downs = Downs::of(source, &plan, &groups);
    let files = further.iter().map(|group| (group.does.clone(), text(source, group, &mut downs)));
    let files = files.collect();
    edits.extend(downs.of_main(main));
    Ok(Draft { edits, files })
}

/// A block without a transaction stays one file: each statement commits by itself.
fn inline(source: &Source<'_>, plan: &Plan) -> Result<Draft, String> {
    if source.up.statements.iter().any(|statement| matches!(statement.sql, Sql::Begin | Sql::Commit)) {
        return Err("the block begins and ends its transactions itself".to_owned());
    }
    let mut edits = Vec::new();
    for (at, step) in plan.steps.iter().enumerate() {
        let statement = &source.up.statements[at];
        let mut after: Vec<String> = step.after.clone();
        let mut parts: Vec<_> = step.parts.iter().collect();
        parts.sort_by_key(|part| part.stage);
        after.extend(parts.iter().flat_map(|part| part.up.clone()));
        edits.extend(step.edits.clone());
        let end = statement.words.range().end;
        if step.stays(statement) || step.alone.is_some() {
            edits.extend(step.removals(source, statement)?);
            edits.extend((!after.is_empty()).then(|| Edit::insert(end, format!(";\n\n{}", after.join(";\n\n")))));
        } else {
            edits.push(Edit::replace(statement.words.range(), after.join(";\n\n")));
        }
    }
    Ok(Draft { edits, files: Vec::new() })
}

/// A file of its own has none of what the block sets for itself.
fn refuse_session_state(source: &Source<'_>) -> Result<(), String> {
    let state = source.up.statements.iter().find_map(|statement| match &statement.sql {
        Sql::Set(_) | Sql::Reset(_) => Some("sets something for its session"),
        Sql::Load | Sql::Discard { .. } => Some("changes its session"),
        Sql::Lock { .. } => Some("locks tables until its transaction ends"),
        Sql::CreateTable(_) | Sql::Create(_)
            if statement.words.is_any(1, &["temp", "temporary", "local", "global"]) =>
        {
            Some("makes something temporary")
        }
        _ => None,
    });
    match state {
        Some(state) => Err(format!("the migration {state}, which further files would lack")),
        None => Ok(()),
    }
}

fn up_of_main(source: &Source<'_>, plan: &Plan, main: &Group) -> Result<Vec<Edit>, String> {
    let mut edits = Vec::new();
    let host = main.statements.iter().next().copied().filter(|_| !main.is_segment);
    for (at, step) in plan.steps.iter().enumerate() {
        let statement = &source.up.statements[at];
        if host == Some(at) {
            let up = main.up.join(";\n\n");
            let up = up.strip_prefix(&source.comments_of(statement)).unwrap_or(&up);
            edits.push(Edit::replace(statement.words.range(), up));
        } else if main.is_segment && main.statements.contains(&at) {
            edits.extend(step.edits.clone());
            edits.extend(step.removals(source, statement)?);
            let after = step.after.iter().map(|after| format!(";\n\n{after}")).collect::<String>();
            edits.extend((!after.is_empty()).then(|| Edit::insert(statement.words.range().end, after)));
        } else {
            edits.push(Edit::remove(statement.removal.clone()));
        }
    }
    if main.alone {
        edits.push(Edit::insert(source.up.marker.end, " transaction:false"));
    }
    Ok(edits)
}

/// A further file.
fn text(source: &Source<'_>, group: &Group, downs: &mut Downs<'_, '_>) -> String {
    let marker = |direction: &str, options: &str, alone: bool| {
        let option = if alone { " transaction:false" } else { "" };
        format!("-- migrate:{direction}{options}{option}\n")
    };
    let finished = |statements: &[String]| {
        // A statement that comes with its comments has its semicolon.
        let one = |text: &String| if group::is_finished(text) { format!("{text}\n") } else { format!("{text};\n") };
        statements.iter().map(one).collect::<Vec<_>>().join("\n")
    };
    let options = source.options(&source.up);
    let mut text = format!("{}{}", source.header(), marker("up", &options, group.alone));
    text.push_str(&source.unchecked);
    text.push_str(&finished(&group.up));
    if !source.has_down_marker() {
        return text;
    }
    let Some(down) = &source.down else {
        text.push_str("\n-- migrate:down\n");
        return text;
    };
    let statements = downs.of_group(group);
    let alone = statements.iter().any(|statement| statement.contains(" CONCURRENTLY "));
    text.push_str(&format!("\n{}", marker("down", &source.options(down), alone)));
    text.push_str(&match statements.is_empty() {
        true => format!("{NOTHING};\n"),
        false => finished(&statements),
    });
    text
}
