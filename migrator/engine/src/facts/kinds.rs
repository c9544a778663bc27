//! Kinds of objects that the facts do not know, as a newer major release may have. They are told apart from all known
//! kinds, so that none of them silently passes for equal.

use crate::error::Error;
use crate::sql::literal;

/// A catalog whose rows are of several kinds.
struct Kinds {
    /// The catalog, as `x`, with the objects that count.
    from: &'static str,
    catalog: &'static str,
    column: &'static str,
    /// A letter for each.
    known: &'static str,
}

const KINDS: &[Kinds] = &[
    // With what belongs to a table and is named there: indexes, also partitioned ones, and TOAST tables.
    Kinds {
        from: "pg_class x JOIN space s ON s.oid = x.relnamespace",
        catalog: "pg_class",
        column: "relkind",
        known: "rpvmfcSiIt",
    },
    Kinds {
        from: "pg_proc x JOIN space s ON s.oid = x.pronamespace",
        catalog: "pg_proc",
        column: "prokind",
        known: "fpaw",
    },
    Kinds {
        from: "pg_type x JOIN space s ON s.oid = x.typnamespace",
        catalog: "pg_type",
        column: "typtype",
        known: "bcdemrp",
    },
    Kinds {
        from: "pg_constraint x JOIN relation r ON r.oid = x.conrelid",
        catalog: "pg_constraint",
        column: "contype",
        known: "cfputxn",
    },
    Kinds {
        from: "pg_constraint x JOIN type t ON t.oid = x.contypid",
        catalog: "pg_constraint",
        column: "contype",
        known: "cn",
    },
];

/// The catalogs whose objects are facts, parts of facts, or not part of a schema: large objects are data.
const CATALOGS: &[&str] = &[
    "pg_am",
    "pg_amop",
    "pg_amproc",
    "pg_attrdef",
    "pg_cast",
    "pg_class",
    "pg_collation",
    "pg_constraint",
    "pg_conversion",
    "pg_default_acl",
    "pg_event_trigger",
    "pg_extension",
    "pg_foreign_data_wrapper",
    "pg_foreign_server",
    "pg_language",
    "pg_largeobject",
    "pg_namespace",
    "pg_opclass",
    "pg_operator",
    "pg_opfamily",
    "pg_policy",
    "pg_proc",
    "pg_publication",
    "pg_publication_namespace",
    "pg_publication_rel",
    "pg_rewrite",
    "pg_statistic_ext",
    "pg_subscription",
    "pg_transform",
    "pg_trigger",
    "pg_ts_config",
    "pg_ts_dict",
    "pg_ts_parser",
    "pg_ts_template",
    "pg_type",
    "pg_user_mapping",
];

/// The kind of the rows below. No file of facts can hold one.
pub(super) const UNKNOWN: &str = "unknown";

/// Rows of the same columns as the facts: the object as the server identifies it, and what kind it is of.
///
/// Nothing that belongs to an extension or is in a schema of the system is among them.
pub(super) fn query() -> String {
    let of_kind = |Kinds { from, catalog, column, known }: &Kinds| {
        format!(
            "SELECT '{catalog}'::regclass AS classid, x.oid AS objid, '{column} ' || x.{column}::text AS kind \
             FROM {from} WHERE strpos({}, x.{column}::text) = 0",
            literal(known)
        )
    };
    let mut parts: Vec<String> = KINDS.iter().map(of_kind).collect();
    let names: Vec<String> = CATALOGS.iter().map(|name| literal(name)).collect();
    let known = format!(
        "SELECT c.oid FROM pg_class c WHERE c.relnamespace = 'pg_catalog'::regnamespace AND c.relname IN ({})",
        names.join(", ")
    );
    // Whatever has an owner, a schema or anything else that it needs is in one of the two.
    for depend in [
        "pg_depend d WHERE d.deptype NOT IN ('e', 'x')",
        "pg_shdepend d WHERE d.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())",
    ] {
        parts.push(format!(
            "SELECT d.classid, d.objid, 'catalog ' || d.classid::regclass FROM {depend} \
             AND d.objid >= 16384 AND d.classid NOT IN ({known})"
        ));
    }
    format!(
        "SELECT coalesce(i.identity, u.kind || ' ' || u.objid) AS object, '{UNKNOWN}' AS kind, '' AS part, \
         concat(i.type, ' (', u.kind, ')') AS definition FROM ({}) u \
         CROSS JOIN LATERAL pg_identify_object(u.classid, u.objid, 0) i \
         WHERE (u.classid, u.objid) NOT IN (SELECT classid, objid FROM extension_member) \
         AND NOT EXISTS (SELECT FROM pg_depend p JOIN extension_member m ON m.classid = p.refclassid AND m.objid = p.refobjid \
             WHERE p.classid = u.classid AND p.objid = u.objid AND p.deptype IN ('a', 'i')) \
         AND coalesce(i.schema, '') !~ '^pg_' AND coalesce(i.schema, '') <> 'information_schema'\n",
        parts.join(" UNION ")
    )
}

/// How many objects an error names.
const NAMED: usize = 10;

/// Objects and their kinds in the server's words; none: no error.
pub(super) fn refuse<'a>(unknown: impl Iterator<Item = (&'a str, &'a str)>) -> Result<(), Error> {
    let unknown: Vec<(&str, &str)> = unknown.collect();
    let Some((first, _)) = unknown.first() else { return Ok(()) };
    let message = format!("cannot describe the schema: this migrator does not know what kind of object `{first}` is");
    let mut error = Error::usage(message);
    for (object, kind) in unknown.iter().take(NAMED) {
        error = error.note(format!("`{object}`: {kind}"));
    }
    if unknown.len() > NAMED {
        error = error.note(format!("and {} more", unknown.len() - NAMED));
    }
    Err(error.help(format!(
        "use a release of the migrator that knows it, or ignore it: `ignore = [\"* {first}\"]` under [drift] of db/migrator.toml"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_object_of_an_unknown_kind_is_named_up_to_a_limit() {
        assert!(refuse(std::iter::empty()).is_ok());
        let names: Vec<String> = (1..=12).map(|number| format!("app.g{number}")).collect();
        let error = |count: usize| {
            refuse(names[..count].iter().map(|name| (&**name, "property graph (relkind g)"))).unwrap_err().render(false)
        };
        expect_test::expect![[r#"
            error: cannot describe the schema: this migrator does not know what kind of object `app.g1` is
              = note: `app.g1`: property graph (relkind g)
              = note: `app.g2`: property graph (relkind g)
              = help: use a release of the migrator that knows it, or ignore it: `ignore = ["* app.g1"]` under [drift] of db/migrator.toml"#]]
        .assert_eq(&error(2));
        assert!(error(12).contains("`app.g10`: property"), "{}", error(12));
        assert!(!error(12).contains("`app.g11`"), "{}", error(12));
        assert!(error(12).contains("= note: and 2 more"), "{}", error(12));
    }

    /// The letters of pg_class.h, pg_proc.h, pg_type.h and pg_constraint.h of PostgreSQL 13 to 18.
    #[test]
    fn each_kind_that_13_to_18_have_is_known_and_no_other() {
        let question = query();
        for (column, known) in [
            ("relkind", "rpvmfcSiIt"),
            ("prokind", "fpaw"),
            ("typtype", "bcdemrp"),
            ("contype", "cfputxn"),
            ("contype", "cn"),
        ] {
            let condition = format!("WHERE strpos('{known}', x.{column}::text) = 0");
            assert_eq!(question.matches(&condition).count(), 1, "{condition} in {question}");
        }
        assert!(CATALOGS.is_sorted());
    }
}
