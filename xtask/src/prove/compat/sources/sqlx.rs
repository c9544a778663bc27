//! What sqlx keeps of its checked queries: `.sqlx/query-<hash>.json`, and the `sqlx-data.json` of its earlier releases.

use serde_json::Value;

use super::found::{Found, Harvest};
use crate::prove::compat::query::{Column, Declared, Place};

/// Whether a path is a file of sqlx.
pub(super) fn is_metadata(path: &str) -> bool {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let is_query = name.starts_with("query-") && name.ends_with(".json");
    is_query && (folder == ".sqlx" || folder.ends_with("/.sqlx")) || name == "sqlx-data.json"
}

/// The query or the queries of a file. Those of other databases are none of ours.
pub(super) fn read(file: &str, text: &str, harvest: &mut Harvest) {
    let content: Value = match serde_json::from_str(text) {
        Ok(content) => content,
        Err(error) => return harvest.unreadable(file, format!("it is not valid JSON: {error}")),
    };
    let is_ours = |value: &Value| value.as_str().is_none_or(|name| name == "PostgreSQL");
    if !["db_name", "db"].iter().all(|key| is_ours(&content[*key])) {
        return;
    }
    let is_collection = file.rsplit('/').next() == Some("sqlx-data.json");
    let several = content.as_object().filter(|_| is_collection);
    let entries: Vec<&Value> = match several {
        Some(entries) => entries.iter().filter(|(key, _)| *key != "db").map(|(_, entry)| entry).collect(),
        None => vec![&content],
    };
    for entry in entries {
        let (Some(text), Some(declared)) = (entry["query"].as_str(), declared(&entry["describe"])) else {
            harvest.unreadable(file, "it has no `query` with a `describe`, as sqlx writes them");
            continue;
        };
        harvest.query(Found {
            // As a file that `query_file!` names is read.
            text: text.replace("\r\n", "\n"),
            name: None,
            place: Place { file: file.to_owned(), line: 1 },
            declared: Some(declared),
        });
    }
}

/// What sqlx has learned from the server. A parameter of which it knows only that there is one has an empty name.
fn declared(describe: &Value) -> Option<Declared> {
    let parameters = &describe["parameters"];
    let parameters = match (parameters["Left"].as_array(), parameters["Right"].as_u64()) {
        (Some(types), _) => types.iter().map(type_name).collect::<Option<_>>()?,
        // More than the protocol has is not a count.
        (None, Some(count)) => vec![String::new(); usize::from(u16::try_from(count).ok()?)],
        (None, None) => Vec::new(),
    };
    let nullable = describe["nullable"].as_array();
    let column = |(index, column): (usize, &Value)| {
        let nullable = nullable.and_then(|all| all.get(index)?.as_bool());
        let name = column["name"].as_str()?.to_owned();
        Some(Column { name, type_name: type_name(&column["type_info"])?, nullable })
    };
    let columns = describe["columns"].as_array()?.iter().enumerate().map(column).collect::<Option<_>>()?;
    Some(Declared { parameters, columns })
}

/// `"Int4"`, or the name within `{"Custom": {"name": "mood", "kind": ..}}`.
fn type_name(info: &Value) -> Option<String> {
    let custom = || info["Custom"]["name"].as_str().or_else(|| info["DeclareWithName"].as_str());
    let name = info.as_str().or_else(custom).map(str::to_owned);
    // A form that is not known here is told as it is.
    name.or_else(|| info.is_object().then(|| info.to_string()))
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    #[track_caller]
    fn check(file: &str, text: &str, expected: Expect) {
        let mut harvest = Harvest::default();
        read(file, text, &mut harvest);
        let found = harvest.merged();
        let queries =
            found.queries.iter().map(|query| format!("{:?} {:?}", query.text, query.declared.as_ref().unwrap()));
        let unreadable = found.unreadable.iter().map(|(file, why)| format!("{file}: {why}"));
        expected.assert_eq(&queries.chain(unreadable).collect::<Vec<_>>().join("\n"));
    }

    #[test]
    fn a_query_with_its_types() {
        check(
            ".sqlx/query-a.json",
            r#"{"db_name":"PostgreSQL","query":"SELECT a, b\nFROM t WHERE c = $1","describe":{"columns":[
                {"ordinal":0,"name":"a","type_info":"Int4"},
                {"ordinal":1,"name":"b","type_info":{"Custom":{"name":"mood","kind":{"Enum":["sad","ok"]}}}}],
                "parameters":{"Left":["Text",{"Custom":{"name":"_mood","kind":{"Array":"Text"}}},{"Other":1}]},
                "nullable":[false,null]},"hash":"a"}"#,
            expect![[
                r#""SELECT a, b\nFROM t WHERE c = $1" Declared { parameters: ["Text", "_mood", "{\"Other\":1}"], columns: [Column { name: "a", type_name: "Int4", nullable: Some(false) }, Column { name: "b", type_name: "mood", nullable: None }] }"#
            ]],
        );
        check(
            ".sqlx/query-b.json",
            r#"{"query":"DELETE FROM t","describe":{"columns":[],"parameters":{"Right":2},"nullable":[]}}"#,
            expect![[r#""DELETE FROM t" Declared { parameters: ["", ""], columns: [] }"#]],
        );
    }

    #[test]
    fn the_queries_of_earlier_releases_are_in_one_file() {
        check(
            "a/sqlx-data.json",
            r#"{"db":"PostgreSQL","x":{"describe":{"columns":[],"nullable":[],"parameters":{"Left":["Int8"]}},"query":"SELECT 1"},
                "y":{"describe":{"columns":[],"nullable":[],"parameters":{"Left":[]}},"query":"SELECT 2"}}"#,
            expect![[r#"
                "SELECT 1" Declared { parameters: ["Int8"], columns: [] }
                "SELECT 2" Declared { parameters: [], columns: [] }"#]],
        );
    }

    #[test]
    fn what_is_not_of_sqlx_is_told() {
        check(
            ".sqlx/query-a.json",
            "{",
            expect![".sqlx/query-a.json: it is not valid JSON: EOF while parsing an object at line 1 column 1"],
        );
        let form = || expect![".sqlx/query-a.json: it has no `query` with a `describe`, as sqlx writes them"];
        for text in ["[]", "1", "{}", r#"{"query":1}"#, r#"{"query":"SELECT 1","describe":{"columns":[{}]}}"#] {
            check(".sqlx/query-a.json", text, form());
        }
        check(
            ".sqlx/query-a.json",
            r#"{"query":"SELECT 1","describe":{"columns":[],"parameters":{"Right":99999999999}}}"#,
            form(),
        );
        check(".sqlx/query-a.json", r#"{"db_name":"SQLite","query":"SELECT 1"}"#, expect![""]);
        check(
            ".sqlx/query-a.json",
            r#"{"query":"SELECT '\u0000'","describe":{"columns":[]}}"#,
            expect![".sqlx/query-a.json: line 1: a query has a NUL character"],
        );
    }

    #[test]
    fn only_files_of_sqlx_are_read() {
        for path in [".sqlx/query-a.json", "a/b/.sqlx/query-.json", "sqlx-data.json", "a/sqlx-data.json"] {
            assert!(is_metadata(path), "{path}");
        }
        for path in ["query-a.json", "x.sqlx/query-a.json", ".sqlx/a/query-a.json", ".sqlx/a.json", ".sqlx/query-a.txt"]
        {
            assert!(!is_metadata(path), "{path}");
        }
    }
}
