//! What a plan (`EXPLAIN (VERBOSE, FORMAT JSON)`) shows beside its cost: which columns an INSERT leaves null, and which columns of a result
//! an outer join may leave null.

use serde_json::Value;

/// A column of a table that an INSERT writes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Null {
    pub(super) schema: String,
    pub(super) table: String,
    /// As `pg_attribute.attnum`.
    pub(super) number: usize,
    /// How many columns the plan has for the table, dropped ones included.
    pub(super) of: usize,
}

/// What says more than that the server can plan it.
const TELLING: [&str; 4] =
    [r#""Operation": "Insert""#, r#""Join Type": "Left""#, r#""Join Type": "Right""#, r#""Join Type": "Full""#];

/// Nodes that give no row where their input gives none.
const KEEPING: [&str; 6] = ["Subquery Scan", "Sort", "Incremental Sort", "Limit", "Unique", "LockRows"];

/// A plan as the server writes it; `None`: it tells nothing. Reading all of them would take longer than planning.
pub(super) fn read(text: &str) -> Option<Value> {
    let tells = TELLING.iter().any(|telling| text.contains(telling));
    tells.then(|| serde_json::from_str(text).ok()).flatten()
}

/// Whether a plan uses all columns of a row as one value, which shows in no type: `to_jsonb(t.*)`.
pub(super) fn has_whole_rows(text: &str) -> bool {
    text.contains(".*")
}

/// Whether a plan gives no row, whatever is in the tables.
pub(super) fn is_empty(text: &str) -> bool {
    let Ok(plan) = serde_json::from_str::<Value>(text) else { return false };
    let mut node = &plan[0]["Plan"];
    while KEEPING.contains(&self::text(node, "Node Type")) {
        let is_input = |child: &&Value| ["Outer", "Subquery"].contains(&self::text(child, "Parent Relationship"));
        let Some(input) = children(node).find(is_input) else { return false };
        node = input;
    }
    self::text(node, "Node Type") == "Result" && self::text(node, "One-Time Filter") == "false"
}

/// The columns for which the INSERTs of a statement, those in WITH and those of a rule included, have nothing but NULL: the node below
/// `ModifyTable` has one expression for each column of the table.
pub(super) fn nulls(plan: &Value) -> Vec<Null> {
    let mut found = Vec::new();
    every_node(plan, &mut |node| {
        if text(node, "Node Type") != "ModifyTable" || text(node, "Operation") != "Insert" {
            return;
        }
        let source = children(node).find(|child| text(child, "Parent Relationship") == "Outer");
        let outputs = source.map(|source| outputs(source).collect::<Vec<_>>()).unwrap_or_default();
        for (index, _) in outputs.iter().enumerate().filter(|(_, output)| is_null(output)) {
            let (schema, table) = (text(node, "Schema").to_owned(), text(node, "Relation Name").to_owned());
            found.push(Null { schema, table, number: index + 1, of: outputs.len() });
        }
    });
    found
}

/// Which columns of the result are on the side of an outer join that may have no row.
pub(super) fn outer(plan: &Value) -> Vec<bool> {
    let mut nullable = Vec::new();
    every_node(plan, &mut |node| {
        let sides: &[&str] = match text(node, "Join Type") {
            "Left" => &["Inner"],
            "Right" => &["Outer"],
            "Full" => &["Inner", "Outer"],
            _ => return,
        };
        let optional = children(node).filter(|child| sides.contains(&text(child, "Parent Relationship")));
        nullable.extend(optional.flat_map(outputs).map(bare));
    });
    let top = plan.as_array().and_then(|plans| plans.last()).map(|last| &last["Plan"]);
    top.map(|top| outputs(top).map(|output| nullable.contains(&bare(output))).collect()).unwrap_or_default()
}

/// Of every plan that a statement has: a rule makes several of one.
fn every_node<'p>(plan: &'p Value, see: &mut impl FnMut(&'p Value)) {
    let mut left: Vec<&Value> = plan.as_array().into_iter().flatten().map(|plan| &plan["Plan"]).collect();
    while let Some(node) = left.pop() {
        see(node);
        left.extend(children(node));
    }
}

fn children(node: &Value) -> impl Iterator<Item = &Value> {
    node["Plans"].as_array().into_iter().flatten()
}

fn outputs(node: &Value) -> impl Iterator<Item = &str> {
    node["Output"].as_array().into_iter().flatten().filter_map(Value::as_str)
}

fn text<'v>(node: &'v Value, key: &str) -> &'v str {
    node[key].as_str().unwrap_or_default()
}

/// Without the parentheses around what a node below has computed.
fn bare(output: &str) -> &str {
    output.strip_prefix('(').and_then(|output| output.strip_suffix(')')).unwrap_or(output)
}

/// The constant, of whatever type: `NULL::text`, and not `NULL::text || 'x'`, which is longer.
fn is_null(output: &str) -> bool {
    let Some(rest) = bare(output).strip_prefix("NULL") else { return false };
    let of_type = |c: char| c.is_alphanumeric() || "_ .\"()[],".contains(c);
    rest.is_empty() || rest.strip_prefix("::").is_some_and(|name| name.chars().all(of_type))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_columns_that_an_insert_leaves_null() {
        let values = json!({ "Node Type": "Result", "Parent Relationship": "Outer",
            "Output": ["nextval('t_id_seq')", "$1", "NULL::integer", "(NULL::\"my type\")", "NULL::text || 'x'"] });
        let inner = json!({ "Node Type": "ModifyTable", "Operation": "Insert", "Parent Relationship": "InitPlan",
            "Relation Name": "t", "Schema": "core", "Plans": [values] });
        let source = json!({ "Node Type": "Subquery Scan", "Parent Relationship": "Outer", "Output": ["x.id", "NULL::numeric(10,2)"] });
        let plan = json!([{ "Plan": { "Node Type": "ModifyTable", "Operation": "Insert", "Relation Name": "p", "Schema": "core",
            "Plans": [inner, source] } }]);
        let found: Vec<_> = nulls(&plan).into_iter().map(|null| (null.table, null.number, null.of)).collect();
        assert_eq!(found, [("p".to_owned(), 2, 2), ("t".to_owned(), 3, 5), ("t".to_owned(), 4, 5)]);
        let update = json!([{ "Plan": { "Node Type": "ModifyTable", "Operation": "Update", "Plans":
            [{ "Parent Relationship": "Outer", "Output": ["NULL::text", "ctid"] }] } }]);
        assert_eq!(nulls(&update), []);
    }

    #[test]
    fn the_columns_that_an_outer_join_leaves_null() {
        let plan = json!([{ "Plan": { "Node Type": "Hash Join", "Join Type": "Left", "Output": ["a.x", "b.y"], "Plans": [
            { "Parent Relationship": "Outer", "Output": ["a.x"] }, { "Parent Relationship": "Inner", "Output": ["b.y"] }] } }]);
        assert_eq!(outer(&plan), [false, true]);
        assert!(outer(&json!([])).is_empty());
    }

    #[test]
    fn a_plan_is_read_where_it_tells_something() {
        assert_eq!(read(r#"[{"Plan": {"Node Type": "Seq Scan"}}]"#), None);
        assert!(read(r#"[{"Plan": {"Join Type": "Left"}}]"#).is_some());
        assert!(has_whole_rows(r#""Output": ["to_jsonb(t.*)"]"#));
        assert!(is_empty(r#"[{"Plan": {"Node Type": "Result", "One-Time Filter": "false"}}]"#));
        assert!(!is_empty(r#"[{"Plan": {"Node Type": "Result", "One-Time Filter": "$1"}}]"#));
    }
}
