//! Types of columns as they are written, and which change of one leaves the rows alone.

use std::collections::HashMap;

use migrator_sql::{Kind, ObjectKind, Sql, Words};

/// The domains that migrations have made, by name.
#[derive(Debug, Default)]
pub(crate) struct Domains(HashMap<String, Domain>);

#[derive(Debug)]
struct Domain {
    base: String,
    /// It has a constraint: each row has to be looked at.
    constrained: bool,
}

impl Domains {
    /// Takes note of `CREATE DOMAIN`, `ALTER DOMAIN` and `DROP DOMAIN`.
    pub(crate) fn take(&mut self, sql: &Sql<'_>) {
        match sql {
            Sql::CreateDomain(made) => {
                let domain = Domain { base: column_type(&made.base), constrained: made.constrained };
                self.0.insert(made.name.object().name, domain);
            }
            Sql::AlterDomain { name, constrains: true, .. } => {
                self.0.entry(name.object().name).and_modify(|domain| domain.constrained = true);
            }
            Sql::Drop(dropped) if dropped.kind == ObjectKind::Domain => {
                dropped.names.iter().for_each(|name| drop(self.0.remove(&name.object().name)));
            }
            _ => {}
        }
    }

    /// True where PostgreSQL changes the catalog alone: the values of the old type are values of the new one as they lie
    /// there.
    pub(crate) fn keeps_rows(&self, old: &str, new: &str) -> bool {
        if old == new {
            return true;
        }
        // A value of a domain is one of its base type; the other way round only if the domain demands nothing.
        if self.0.get(new).is_some_and(|domain| domain.constrained) {
            return false;
        }
        let same_length = !self.0.contains_key(old) || !new.contains('(');
        same_length && keeps_rows(self.base(old), self.base(new))
    }

    /// What a domain is made of, at the end of a chain of them.
    fn base<'t>(&'t self, name: &'t str) -> &'t str {
        let mut base = name;
        // A chain has no circle, but what was read may have been dropped and made anew.
        for _ in 0..self.0.len() {
            match self.0.get(base) {
                Some(domain) if !domain.constrained || base == name => base = &domain.base,
                _ => break,
            }
        }
        base
    }
}

/// The type of a column with which tokens begin: lower case, without spaces, under one name where it has several.
pub(crate) fn column_type(words: &Words<'_>) -> String {
    const END: &[&str] = &[
        "not",
        "null",
        "default",
        "primary",
        "unique",
        "references",
        "check",
        "constraint",
        "collate",
        "generated",
        "storage",
        "compression",
        "using",
        "options",
    ];
    let mut text = String::new();
    let mut depth = 0usize;
    for at in 0..words.tokens.len() {
        match words.at(at) {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ if depth == 0 && words.is_any(at, END) => break,
            _ => {}
        }
        let word = words.tokens[at].kind == Kind::Word;
        if word && text.ends_with(|last: char| last.is_alphanumeric() || last == ')') {
            text.push(' ');
        }
        text.push_str(&words.at(at).to_lowercase());
    }
    normal(&text)
}

/// One name for each type: `integer` for `int4`, `timestamptz(3)` for `timestamp(3) with time zone`.
fn normal(text: &str) -> String {
    let text = text.strip_prefix("pg_catalog.").unwrap_or(text);
    let (text, array) = match text.find(['[']).or_else(|| text.find(" array")) {
        Some(at) => (&text[..at], "[]"),
        None => (text, ""),
    };
    let (base, numbers) = match text.split_once('(') {
        Some((base, rest)) => {
            let (numbers, behind) = rest.split_once(')').unwrap_or((rest, ""));
            (format!("{}{behind}", base.trim_end()), format!("({numbers})"))
        }
        None => (text.to_owned(), String::new()),
    };
    let base = match base.trim() {
        "int" | "int4" | "serial" | "serial4" => "integer",
        "int8" | "bigserial" | "serial8" => "bigint",
        "int2" | "smallserial" | "serial2" => "smallint",
        "bool" => "boolean",
        "float4" => "real",
        "float" if matches!(numbers.trim_matches(['(', ')']).parse(), Ok(1..=24)) => return format!("real{array}"),
        "float8" | "float" => return format!("double precision{array}"),
        "decimal" | "dec" => "numeric",
        "character varying" | "char varying" | "national character varying" | "nchar varying" => "varchar",
        "character" | "char" | "national character" | "nchar" if numbers.is_empty() => {
            return format!("bpchar(1){array}");
        }
        "character" | "char" | "national character" | "nchar" => "bpchar",
        "bit" if numbers.is_empty() => return format!("bit(1){array}"),
        "bit varying" => "varbit",
        "timestamp without time zone" => "timestamp",
        "timestamp with time zone" => "timestamptz",
        "time without time zone" => "time",
        "time with time zone" => "timetz",
        other => other,
    };
    format!("{base}{numbers}{array}")
}

fn keeps_rows(old: &str, new: &str) -> bool {
    let (old_base, old_numbers) = parts(old);
    let (new_base, new_numbers) = parts(new);
    // The finest there is: a type without a precision, or with this one.
    let precision = |numbers: &[u32]| numbers.first().copied().unwrap_or(6).min(6);
    match (old_base, new_base) {
        ("varchar" | "text", "text") => new_numbers.is_empty(),
        ("varchar" | "text", "varchar") if new_numbers.is_empty() => true,
        ("varchar", "varchar") | ("varbit", "varbit") => {
            new_numbers.is_empty() || !old_numbers.is_empty() && old_numbers <= new_numbers
        }
        ("numeric", "numeric") if new_numbers.is_empty() => true,
        ("numeric", "numeric") => {
            let scale = |numbers: &[u32]| numbers.get(1).copied().unwrap_or(0);
            !old_numbers.is_empty() && old_numbers[0] <= new_numbers[0] && scale(&old_numbers) == scale(&new_numbers)
        }
        ("timestamp", "timestamp")
        | ("timestamptz", "timestamptz")
        | ("time", "time")
        | ("timetz", "timetz")
        | ("interval", "interval") => precision(&old_numbers) <= precision(&new_numbers),
        ("bpchar", "bpchar") | ("cidr", "inet") | ("xml", "text") | ("xml", "varchar") => new_numbers.is_empty(),
        (old_base, "interval") if old_base.starts_with("interval ") => new_numbers.is_empty(),
        _ => old == new,
    }
}

/// `numeric(10,2)` as `numeric` and its numbers.
fn parts(text: &str) -> (&str, Vec<u32>) {
    match text.split_once('(') {
        Some((base, rest)) if rest.ends_with(')') => {
            (base, rest.trim_end_matches(')').split(',').filter_map(|number| number.parse().ok()).collect())
        }
        _ => (text, Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use migrator_sql::{lex, split};

    #[test]
    fn says_of_a_change_of_type_what_the_server_does() {
        let text = "CREATE DOMAIN app.dom AS bytea; CREATE DOMAIN domc bytea CHECK (value IS NOT NULL);
                    CREATE DOMAIN dv AS varchar(20); CREATE DOMAIN dd dom; CREATE DOMAIN late text;
                    ALTER DOMAIN late ADD CONSTRAINT c CHECK (value <> '')";
        let mut domains = Domains::default();
        split(text, &lex(text).tokens).iter().for_each(|words| domains.take(&Sql::of(words)));
        let type_of = |text: &str| column_type(&Words::new(text, &lex(text).tokens));
        // Each was tried on a server of 15: the same file after ALTER COLUMN TYPE, or another one.
        for (old, new, keeps) in [
            ("timestamp(3)", "timestamp", true),
            ("timestamp(3)", "timestamp(6)", true),
            ("timestamp", "timestamp(6)", true),
            ("timestamp(6)", "timestamp(3)", false),
            ("timestamp(3) with time zone", "timestamptz", true),
            ("timestamp without time zone", "pg_catalog.timestamp", true),
            ("time(2)", "time(3)", true),
            ("timetz(2)", "time with time zone", true),
            ("interval(2)", "interval", true),
            ("interval(3)", "interval(2)", false),
            ("interval year", "interval", true),
            ("int", "integer", true),
            ("serial", "int4", true),
            ("int", "bigint", false),
            ("float", "float8", true),
            ("float(10)", "real", true),
            ("float(30)", "real", false),
            ("bool", "boolean", true),
            ("char", "character(1)", true),
            ("char(3)", "bpchar", true),
            ("char(3)", "char(5)", false),
            ("char(3)", "text", false),
            ("varchar(10)", "character varying(20)", true),
            ("varchar(10)", "text", true),
            ("text", "varchar", true),
            ("text", "varchar(10)", false),
            ("bytea", "dom", true),
            ("bytea", "dd", true),
            ("bytea", "domc", false),
            ("dom", "bytea", true),
            ("domc", "bytea", true),
            ("domc", "dom", true),
            ("varchar(10)", "dv", true),
            ("varchar(30)", "dv", false),
            ("dv", "text", true),
            ("dv", "varchar(30)", false),
            ("text", "late", false),
            ("varbit(3)", "bit varying(5)", true),
            ("bit", "bit(1)", true),
            ("bit(3)", "bit(5)", false),
            ("cidr", "inet", true),
            ("inet", "cidr", false),
            ("xml", "text", true),
            ("varchar(5)[]", "text[]", false),
            ("int[]", "integer ARRAY", true),
            ("numeric(5,2)", "decimal", true),
            ("numeric(5)", "numeric(7,0)", true),
            ("numeric(5,2)", "numeric(7,3)", false),
            ("timestamp", "timestamptz", false),
        ] {
            assert_eq!(domains.keeps_rows(&type_of(old), &type_of(new)), keeps, "{old} to {new}");
        }
    }
}
