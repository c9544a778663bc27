//! Which objects a statement makes and works on.

use migrator_sql::{Kind, Words};

/// A possibly qualified name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Object {
    schema: Option<String>,
    pub(crate) name: String,
}

impl Object {
    /// The name at an index, and the index behind it.
    pub(crate) fn read(words: &Words<'_>, index: usize) -> Option<(Object, usize)> {
        let part = |index: usize| {
            let token = words.tokens.get(index)?;
            let text = words.at(index);
            match token.kind {
                Kind::Word => Some(text.to_lowercase()),
                Kind::Quoted => Some(text.trim_matches('"').replace("\"\"", "\"")),
                _ => None,
            }
        };
        let end = words.behind_name(index);
        let name = part(end.checked_sub(1)?)?;
        let schema = if end >= index + 3 { part(end - 3) } else { None };
        Some((Object { schema, name }, end))
    }

    /// A name without a schema.
    pub(crate) fn named(name: String) -> Object {
        Object { schema: None, name }
    }

    /// The same with another name, in the same schema.
    pub(crate) fn renamed(&self, name: &str) -> Object {
        Object { schema: self.schema.clone(), name: name.to_owned() }
    }

    /// Whether it is PostgreSQL's own, as far as the name says.
    pub(crate) fn may_be_builtin(&self) -> bool {
        self.schema.as_deref().is_none_or(|schema| schema == "pg_catalog")
    }

    /// True if both can mean the same object: a name without a schema may be in any.
    pub(crate) fn is(&self, other: &Object) -> bool {
        self.name == other.name && (self.schema.is_none() || other.schema.is_none() || self.schema == other.schema)
    }
}

impl std::fmt::Display for Object {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.schema {
            Some(schema) => write!(f, "{schema}.{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// Words between the verb and the kind of object.
const MODIFIERS: &[&str] = &[
    "or",
    "replace",
    "temp",
    "temporary",
    "local",
    "global",
    "unlogged",
    "unique",
    "recursive",
    "constraint",
    "materialized",
    "foreign",
    "event",
];

/// The index of the word for the kind of object behind `CREATE`, `ALTER` or `DROP`.
pub(crate) fn kind_index(words: &Words<'_>) -> usize {
    (1..words.tokens.len()).find(|&index| !words.is_any(index, MODIFIERS)).unwrap_or(words.tokens.len())
}

/// True for `CREATE` (or `ALTER`, `DROP`) of this kind of object.
pub(crate) fn is_kind(words: &Words<'_>, verb: &str, kind: &str) -> bool {
    words.is(0, verb) && words.is(kind_index(words), kind)
}

fn skip_conditions(words: &Words<'_>, mut index: usize) -> usize {
    for optional in [&["concurrently"][..], &["if", "not", "exists"], &["if", "exists"], &["only"]] {
        index = words.skip(index, optional);
    }
    index
}

/// What the statement creates and what did not exist before: `CREATE OR REPLACE` may have found it.
pub(crate) fn created(words: &Words<'_>) -> Option<Object> {
    if words.is_any(1, &["or"]) {
        return None;
    }
    made(words)
}

/// What the statement creates, or replaces.
pub(crate) fn made(words: &Words<'_>) -> Option<Object> {
    if !words.is(0, "create") {
        return None;
    }
    Object::read(words, skip_conditions(words, kind_index(words) + 1)).map(|(object, _)| object)
}

/// The objects that exist already, and which the statement changes, locks or drops.
pub(crate) fn targets(words: &Words<'_>) -> Vec<Object> {
    let first = words.at(0).to_ascii_lowercase();
    match first.as_str() {
        "create" | "alter" | "drop" => of_definition(words, &first),
        "truncate" => list(words, words.skip(words.skip(1, &["table"]), &["only"])),
        "lock" => list(words, words.skip(words.skip(1, &["table"]), &["only"])),
        "update" => one(words, words.skip(1, &["only"])),
        "delete" => one(words, words.skip(2, &["only"])),
        "refresh" => one(words, words.skip(3, &["concurrently"])),
        "cluster" => one(words, words.skip(behind_options(words, 1), &["verbose"])),
        "reindex" => one(words, words.skip(behind_options(words, 1) + 1, &["concurrently"])),
        "vacuum" => {
            let mut index = behind_options(words, 1);
            while words.is_any(index, &["full", "freeze", "verbose", "analyze"]) {
                index += 1;
            }
            list(words, index)
        }
        _ => Vec::new(),
    }
}

fn of_definition(words: &Words<'_>, verb: &str) -> Vec<Object> {
    let kind = kind_index(words);
    if words.is_any(kind, &["trigger", "policy", "rule"]) || verb == "create" && words.is(kind, "index") {
        let before = if words.is(kind, "rule") && verb == "create" { "to" } else { "on" };
        return words.find(before).map_or_else(Vec::new, |on| one(words, words.skip(on + 1, &["only"])));
    }
    match verb {
        "create" => Vec::new(),
        "alter" => one(words, skip_conditions(words, kind + 1)),
        _ => list(words, skip_conditions(words, kind + 1)),
    }
}

/// The index behind parentheses that start at `index`, or `index`.
pub(crate) fn behind_options(words: &Words<'_>, index: usize) -> usize {
    if words.at(index) != "(" {
        return index;
    }
    let mut depth = 0usize;
    for at in index..words.tokens.len() {
        match words.at(at) {
            "(" => depth += 1,
            ")" if depth == 1 => return at + 1,
            ")" => depth -= 1,
            _ => {}
        }
    }
    words.tokens.len()
}

fn one(words: &Words<'_>, index: usize) -> Vec<Object> {
    Object::read(words, index).map(|(object, _)| object).into_iter().collect()
}

fn list(words: &Words<'_>, index: usize) -> Vec<Object> {
    elements(words, index).iter().flat_map(|element| one(element, element.skip(0, &["only"]))).collect()
}

/// What stands between the commas outside parentheses, from an index to the end.
pub(crate) fn elements<'a>(words: &Words<'a>, index: usize) -> Vec<Words<'a>> {
    let mut found = Vec::new();
    let first = index.min(words.tokens.len());
    let (mut start, mut depth) = (first, 0usize);
    for at in first..words.tokens.len() {
        match words.at(at) {
            "(" | "[" => depth += 1,
            ")" | "]" => depth = depth.saturating_sub(1),
            "," if depth == 0 => {
                found.push(Words::new(words.text, &words.tokens[start..at]));
                start = at + 1;
            }
            _ => {}
        }
    }
    found.push(Words::new(words.text, &words.tokens[start..]));
    found
}

/// The table and the actions of an `ALTER TABLE`.
pub(crate) fn alter_table<'a>(words: &Words<'a>) -> Option<(Object, Vec<Words<'a>>)> {
    if !words.start_with(&["alter", "table"]) {
        return None;
    }
    let (table, end) = Object::read(words, skip_conditions(words, 2))?;
    let end = if words.at(end) == "*" { end + 1 } else { end };
    Some((table, elements(words, end)))
}

/// The table and the columns and constraints of a `CREATE TABLE`.
pub(crate) fn create_table<'a>(words: &Words<'a>) -> Option<(Object, Vec<Words<'a>>)> {
    let kind = kind_index(words);
    if !words.is(0, "create") || !words.is(kind, "table") {
        return None;
    }
    let (table, end) = Object::read(words, skip_conditions(words, kind + 1))?;
    if words.at(end) != "(" {
        return Some((table, Vec::new()));
    }
    let inside = Words::new(words.text, &words.tokens[end + 1..behind_options(words, end).max(end + 2) - 1]);
    Some((table, elements(&inside, 0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use migrator_sql::lex;

    #[track_caller]
    fn check(text: &str, created: &str, targets: &[&str]) {
        let lexed = lex(text);
        let words = Words::new(text, &lexed.tokens);
        assert_eq!(super::created(&words).map_or(String::new(), |object| object.to_string()), created, "{text}");
        let found: Vec<String> = super::targets(&words).iter().map(Object::to_string).collect();
        assert_eq!(found, targets, "{text}");
    }

    #[test]
    fn knows_what_a_statement_makes_and_works_on() {
        check("CREATE TABLE IF NOT EXISTS core.Users (id int)", "core.users", &[]);
        check("CREATE OR REPLACE VIEW v AS SELECT 1", "", &[]);
        check("CREATE UNIQUE INDEX CONCURRENTLY i ON ONLY core.t (a)", "i", &["core.t"]);
        check("CREATE TRIGGER x BEFORE UPDATE OF a ON \"T\" FOR EACH ROW EXECUTE FUNCTION f()", "x", &["T"]);
        check("CREATE RULE r AS ON INSERT TO t DO NOTHING", "r", &["t"]);
        check("ALTER TABLE IF EXISTS ONLY a.b ADD c int", "", &["a.b"]);
        check("ALTER MATERIALIZED VIEW m RENAME TO n", "", &["m"]);
        check("DROP TABLE IF EXISTS a, b.c CASCADE", "", &["a", "b.c"]);
        check("DROP FUNCTION f(int, text), g", "", &["f", "g"]);
        check("DROP POLICY p ON t", "", &["t"]);
        check("TRUNCATE TABLE ONLY a, b", "", &["a", "b"]);
        check("UPDATE ONLY t SET a = 1", "", &["t"]);
        check("DELETE FROM t", "", &["t"]);
        check("REFRESH MATERIALIZED VIEW CONCURRENTLY m", "", &["m"]);
        check("VACUUM (FULL) a, b", "", &["a", "b"]);
        check("VACUUM FULL VERBOSE a", "", &["a"]);
        check("REINDEX (VERBOSE) TABLE CONCURRENTLY t", "", &["t"]);
        check("CLUSTER VERBOSE t USING i", "", &["t"]);
        check("SELECT 1", "", &[]);
    }

    #[test]
    fn a_name_without_a_schema_may_be_in_any() {
        let object = |text: &str| {
            let lexed = lex(text);
            Object::read(&Words::new(text, &lexed.tokens), 0).unwrap().0
        };
        assert!(object("core.T").is(&object("t")));
        assert!(!object("core.t").is(&object("app.t")));
        assert!(!object("\"T\"").is(&object("t")));
    }
}
