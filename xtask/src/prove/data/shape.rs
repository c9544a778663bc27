//! What has to be known of tables to write rows of them: types, defaults, checks, foreign keys.

use std::collections::BTreeMap;

use tokio_postgres::Client;

use super::state::{Oid, text};
use super::values::Type;
use migrator_engine::Error;
use migrator_engine::client::query;

const DOING: &str = "reading what rows a table takes";

/// The columns of a table that a row gives values to, and what it demands of them.
#[derive(Debug, Clone, Default)]
pub(super) struct Shape {
    pub(super) columns: BTreeMap<i32, Wanted>,
    /// The columns of each check, and the check as an expression.
    pub(super) checks: Vec<(Vec<i32>, String)>,
    pub(super) references: Vec<Reference>,
}

/// A column that a row gives a value to.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    pub(super) type_: Type,
    /// Whether a row may do without.
    pub(super) is_optional: bool,
    /// The checks of its domain, of a value called `value`.
    pub(super) domain_checks: Vec<String>,
}

/// A foreign key: columns of this table, the other table, columns of that one.
#[derive(Debug, Clone)]
pub(super) struct Reference {
    pub(super) columns: Vec<i32>,
    pub(super) table: Oid,
    pub(super) others: Vec<i32>,
}

/// The shapes of all tables, by their numbers; `known` are the labels of enums that were there before the migration: the others come
/// first.
///
/// # Errors
/// A lost connection, the server's refusal.
pub(super) async fn read(client: &Client, known: &BTreeMap<Oid, Vec<String>>) -> Result<BTreeMap<Oid, Shape>, Error> {
    let types = types(client, known).await?;
    let mut shapes: BTreeMap<Oid, Shape> = BTreeMap::new();
    // The server numbers what has an identity or takes from a sequence, and computes what is generated.
    let columns = "SELECT a.attrelid, a.attnum, a.atttypid, format_type(a.atttypid, a.atttypmod) AS declared, \
         NOT (a.attnotnull OR t.typnotnull) OR d.oid IS NOT NULL AS optional \
         FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_type t ON t.oid = a.atttypid \
         LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
         WHERE c.relkind = 'r' AND c.relnamespace <> 'pg_catalog'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped \
         AND a.attidentity = '' AND a.attgenerated = '' AND NOT coalesce(pg_get_expr(d.adbin, d.adrelid) ~ '^nextval', false)";
    for row in query(client, DOING, columns).await? {
        let Some(number) = row.get("attnum").and_then(|number| number.parse().ok()) else { continue };
        let Some(known) = types.get(&text(&row, "atttypid")) else { continue };
        let mut type_ = known.type_.clone();
        if type_.declared.is_empty() {
            type_.declared = text(&row, "declared");
        }
        if let Some(element) = &mut type_.element {
            element.declared = type_.declared.trim_end_matches("[]").to_owned();
        }
        let is_optional = row.get("optional") == Some("t");
        let wanted = Wanted { type_, is_optional, domain_checks: known.checks.clone() };
        shapes.entry(text(&row, "attrelid")).or_default().columns.insert(number, wanted);
    }
    let constraints = "SELECT conrelid, contype, conkey, confrelid, confkey, \
         CASE contype WHEN 'c' THEN pg_get_expr(conbin, conrelid) END AS expression \
         FROM pg_constraint WHERE contype IN ('c', 'f') AND conrelid <> 0 AND conparentid = 0 OR contype = 'f' \
         UNION ALL SELECT c.oid, 'c', (SELECT array_agg(DISTINCT own.attnum) FROM pg_partition_ancestors(c.oid) above \
           JOIN pg_partitioned_table p ON p.partrelid = above.relid CROSS JOIN unnest(p.partattrs::int2[]) k \
           JOIN pg_attribute theirs ON theirs.attrelid = p.partrelid AND theirs.attnum = k \
           JOIN pg_attribute own ON own.attrelid = c.oid AND own.attname = theirs.attname), \
         0, NULL, pg_get_partition_constraintdef(c.oid) FROM pg_class c WHERE c.relispartition AND c.relkind = 'r'";
    for row in query(client, DOING, constraints).await? {
        let shape = shapes.entry(text(&row, "conrelid")).or_default();
        let columns = numbers(row.get("conkey"));
        match (row.get("contype"), row.get("expression")) {
            (Some("f"), _) => {
                let (table, others) = (text(&row, "confrelid"), numbers(row.get("confkey")));
                shape.references.push(Reference { columns, table, others });
            }
            (_, Some(expression)) => shape.checks.push((columns, expression.to_owned())),
            _ => {}
        }
    }
    Ok(shapes)
}

/// The numbers of `{1,2}`.
fn numbers(array: Option<&str>) -> Vec<i32> {
    let inside = array.unwrap_or_default().trim_matches(['{', '}']);
    inside.split(',').filter_map(|number| number.parse().ok()).collect()
}

/// A type, and the checks of the domains around it.
struct Known {
    type_: Type,
    checks: Vec<String>,
}

/// All types by their numbers.
async fn types(client: &Client, known: &BTreeMap<Oid, Vec<String>>) -> Result<BTreeMap<Oid, Known>, Error> {
    let labels = "SELECT enumtypid, enumlabel FROM pg_enum ORDER BY enumtypid, enumsortorder";
    let mut enums: BTreeMap<Oid, Vec<String>> = BTreeMap::new();
    for row in query(client, DOING, labels).await? {
        enums.entry(text(&row, "enumtypid")).or_default().push(text(&row, "enumlabel"));
    }
    for (oid, labels) in &mut enums {
        let before = known.get(oid);
        labels.sort_by_key(|label| before.is_some_and(|before| before.contains(label)));
    }
    // Only those that a column of people may have: every domain with its base type, and its checks.
    let statement = "WITH RECURSIVE base AS ( \
           SELECT oid AS typ, oid AS base, NULL::int4 AS typmod, ARRAY[oid] AS chain FROM pg_type \
           UNION ALL SELECT b.typ, t.typbasetype, t.typtypmod, b.chain || t.typbasetype FROM base b JOIN pg_type t ON t.oid = b.base WHERE t.typtype = 'd') \
         SELECT b.typ, t.typname, t.typtype, CASE WHEN t.typcategory = 'A' THEN t.typelem ELSE 0 END AS element, t.oid AS base, \
           CASE WHEN b.typmod IS NOT NULL THEN format_type(t.oid, b.typmod) END AS declared, \
           (SELECT count(*) FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) AS parts, \
           (SELECT string_agg(pg_get_expr(k.conbin, 0), E'\\x01') FROM pg_constraint k WHERE k.contypid = ANY (b.chain) AND k.contype = 'c') AS checks \
         FROM base b JOIN pg_type t ON t.oid = b.base WHERE t.typtype <> 'd'";
    let mut found: BTreeMap<Oid, (Known, Oid)> = BTreeMap::new();
    for row in query(client, DOING, statement).await? {
        let type_ = Type {
            name: text(&row, "typname"),
            declared: text(&row, "declared"),
            kind: text(&row, "typtype"),
            labels: enums.get(&text(&row, "base")).cloned().unwrap_or_default(),
            parts: row.get("parts").and_then(|parts| parts.parse().ok()).unwrap_or(0),
            is_checked: row.get("checks").is_some(),
            element: None,
        };
        let checks =
            row.get("checks").into_iter().flat_map(|checks| checks.split('\u{1}')).map(str::to_owned).collect();
        found.insert(text(&row, "typ"), (Known { type_, checks }, text(&row, "element")));
    }
    let elements: BTreeMap<Oid, Type> =
        found.iter().map(|(oid, (known, _))| (oid.clone(), known.type_.clone())).collect();
    let complete = |(oid, (mut known, element)): (Oid, (Known, Oid))| {
        known.type_.element = elements.get(&element).filter(|_| element != "0").cloned().map(Box::new);
        (oid, known)
    };
    Ok(found.into_iter().map(complete).collect())
}
