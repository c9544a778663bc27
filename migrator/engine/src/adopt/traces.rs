//! What another tool leaves in a database after its history was adopted: no part of the schema.

use super::tools::of_tool;
use crate::embedded::{Text, Tool};
use crate::history::History;

/// What an event of ours says about where it comes from; `table` as the server quotes it.
pub(crate) fn detail(tool: Tool, table: &str) -> String {
    format!("{}: {table}", tool.name())
}

/// Patterns, as in `[drift] ignore`, for the tables of tools whose history was adopted, and for what these tools keep beside them.
pub(crate) fn traces(history: &History) -> Vec<Text> {
    let adopted = history.events.iter().filter(|event| event.action == "adopt" && event.outcome == "done");
    let mut details: Vec<&str> = adopted.filter_map(|event| event.detail.as_deref()).collect();
    details.sort_unstable();
    details.dedup();
    let parts = details.into_iter().filter_map(|detail| detail.split_once(": "));
    parts
        .filter_map(|(tool, table)| Some((Tool::parse(tool)?, table)))
        .flat_map(|(tool, table)| of_table(tool, table))
        .collect()
}

/// The same for one table of one tool.
pub(crate) fn of_table(tool: Tool, table: &str) -> Vec<Text> {
    let beside = of_tool(tool).map_or(&[][..], |history| history.beside);
    let sequence = match table.strip_suffix('"') {
        Some(open) => format!("sequence {open}_id_seq\""),
        None => format!("sequence {table}_id_seq"),
    };
    let mut patterns = vec![format!("table {table}"), sequence];
    for name in beside {
        match (name.strip_suffix(".*"), table.rsplit_once('.')) {
            (Some(schema), _) => patterns.extend([format!("schema {schema}"), format!("* {name}")]),
            (None, Some((schema, _))) => patterns.push(format!("table {schema}.{name}")),
            (None, None) => {}
        }
    }
    patterns.into_iter().map(Text::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Event;

    #[test]
    fn a_tool_leaves_its_table_and_what_belongs_to_it() {
        let event = |detail: &str| Event {
            action: "adopt".to_owned(),
            outcome: "done".to_owned(),
            detail: Some(detail.to_owned()),
            ..Event::default()
        };
        let details = [
            "goose: public.goose_db_version",
            "goose: public.goose_db_version",
            "liquibase: app.databasechangelog",
            "supabase: supabase_migrations.schema_migrations",
            "goose: public.\"Goose\"",
            "nonsense",
        ];
        let history = History { events: details.map(event).into(), ..History::default() };
        assert_eq!(
            traces(&history),
            [
                "table public.\"Goose\"",
                "sequence public.\"Goose_id_seq\"",
                "table public.goose_db_version",
                "sequence public.goose_db_version_id_seq",
                "table app.databasechangelog",
                "sequence app.databasechangelog_id_seq",
                "table app.databasechangeloglock",
                "table supabase_migrations.schema_migrations",
                "sequence supabase_migrations.schema_migrations_id_seq",
                "schema supabase_migrations",
                "* supabase_migrations.*",
            ]
        );
    }
}
