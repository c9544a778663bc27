//! An error as a program reads it.

use std::error::Error as StdError;

use serde_json::{Map, Value, json};
use tokio_postgres::error::DbError;

use crate::error::{Error, ErrorKind};

/// The object under `error` of a last line. What is not known of it is left out.
pub(crate) fn of(error: &Error) -> Value {
    let mut fields = Fields::default();
    fields.put("code", error.kind().code());
    fields.put("message", error.to_string());
    if let Some(step) = error.account().and_then(|account| account.step.as_ref()) {
        fields.put("step", &*step.name);
        fields.put_some("version", step.version.as_deref());
        fields.put("direction", step.direction.word());
        fields.put_some("statement", step.statement);
    }
    if let Some((file, line, column)) = error.line_and_column() {
        fields.put("file", file);
        fields.put("line", line);
        fields.put("column", column);
    }
    if let ErrorKind::MigrationFailed { sqlstate: Some(sqlstate), .. } = error.kind() {
        fields.put("sqlstate", &**sqlstate);
    }
    if let Some(server) = server(error) {
        put_server(&mut fields, server);
    }
    if let ErrorKind::Diverged { places, .. } = error.kind()
        && !places.is_empty()
    {
        let place = |place: &crate::plan::Divergence| {
            let (message, help) = place.describe();
            json!({ "kind": place.name(), "version": place.version(), "message": message, "help": help })
        };
        fields.put("divergences", places.iter().map(place).collect::<Vec<_>>());
    }
    fields.put_some("holder", error.holder().map(|holder| holder.json()));
    fields.put("notes", error.notes());
    fields.put("help", error.ways_out());
    fields.put_some("true", error.account().map(|account| account.json()));
    Value::Object(fields.0)
}

/// What clap says of an invalid command line, as it says it to people.
pub(crate) fn of_usage(text: &str) -> Value {
    let text = text.trim();
    let (message, rest) = text.split_once("\n\n").unwrap_or((text, ""));
    let lines = || rest.lines().map(str::trim);
    let help: Vec<&str> = lines().filter_map(|line| line.strip_prefix("tip: ")).collect();
    let mut fields = Fields::default();
    fields.put("code", "usage");
    // Without a command, clap prints the whole help.
    let message = message.strip_prefix("error: ").unwrap_or("the command line names no command");
    fields.put("message", message.lines().map(str::trim).collect::<Vec<_>>().join(" "));
    fields.put_some("usage", text.lines().find_map(|line| line.strip_prefix("Usage: ")));
    fields.put("notes", Vec::<String>::new());
    fields.put("help", help);
    Value::Object(fields.0)
}

/// An error that is none of the engine's.
pub(crate) fn of_text(code: &str, message: &str, help: &[String]) -> Value {
    json!({ "code": code, "message": message, "notes": [], "help": help })
}

/// What the server said, wherever it is among the causes.
fn server(error: &Error) -> Option<&DbError> {
    let mut cause = error.source();
    while let Some(error) = cause {
        let server = error.downcast_ref::<tokio_postgres::Error>().and_then(|error| error.as_db_error());
        if server.is_some() {
            return server;
        }
        cause = error.source();
    }
    None
}

fn put_server(fields: &mut Fields, server: &DbError) {
    fields.put("sqlstate", server.code().code());
    fields.put("server_message", server.message());
    let parts = [
        ("detail", server.detail()),
        ("hint", server.hint()),
        ("context", server.where_()),
        ("schema", server.schema()),
        ("table", server.table()),
        ("constraint", server.constraint()),
    ];
    for (name, text) in parts {
        fields.put_some(name, text);
    }
}

/// The fields that are known.
#[derive(Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn put(&mut self, name: &str, value: impl serde::Serialize) {
        self.0.insert(name.to_owned(), json!(value));
    }

    fn put_some(&mut self, name: &str, value: Option<impl serde::Serialize>) {
        if let Some(value) = value {
            self.put(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clap_says_is_taken_apart() {
        let text = "error: unexpected argument '--bar' found\n\n  tip: a similar argument exists: '--baz'\n\n\
                    Usage: migrator up [OPTIONS]\n\nFor more information, try '--help'.\n";
        expect_test::expect![[r#"{"code":"usage","help":["a similar argument exists: '--baz'"],"message":"unexpected argument '--bar' found","notes":[],"usage":"migrator up [OPTIONS]"}"#]]
            .assert_eq(&of_usage(text).to_string());
        let several =
            "error: the following required arguments were not provided:\n  <--to <VERSION>|--all>\n\nUsage: x";
        assert_eq!(
            of_usage(several)["message"],
            "the following required arguments were not provided: <--to <VERSION>|--all>"
        );
        assert_eq!(of_usage("Applies things\n\nUsage: x")["message"], "the command line names no command");
    }
}
