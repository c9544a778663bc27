//! pg_dump on the source.

use std::path::Path;

use anyhow::{Context, Result, bail};
use migrator_engine::ConnectionTarget;
use migrator_postgres::Installation;

use super::survey::Relation;
use crate::author::pg_dump;
use crate::prove::dump::{clean, refuse_without_pg_dump};

/// Refuses where the local programs do not read a server of that release.
///
/// # Errors
/// They are older than the server, or missing.
pub(crate) fn refuse_newer(installation: &Installation, server: i32) -> Result<()> {
    let Installation { major, directory, .. } = installation;
    refuse_without_pg_dump(directory)?;
    if i64::from(*major) < i64::from(server) {
        bail!(
            "the server is PostgreSQL {server}, and the newest `pg_dump` here is of PostgreSQL {major}, which does not read it\n\
             help: install PostgreSQL {server}, or set PG_BIN to the directory of its programs"
        );
    }
    Ok(())
}

/// The schema as pg_dump writes it, without its noise; without tablespaces, subscriptions and these relations, and with the owners where
/// that is asked for.
///
/// # Errors
/// pg_dump fails; the message is its own.
pub(crate) fn dump(
    target: &ConnectionTarget,
    directory: &Path,
    major: i32,
    without: &[Relation],
    owners: bool,
) -> Result<String> {
    let name = |relation: &Relation| format!("{}.{}", pattern(&relation.schema), pattern(&relation.name));
    let without = without.iter().map(name);
    let dumped = match owners {
        true => pg_dump::schema_with_owners(target, directory, without)?,
        false => pg_dump::schema(target, directory, without, false)?,
    };
    String::from_utf8(clean(&dumped, &major.to_string())).context("the dump is not UTF-8")
}

/// A name that stands for itself in a pattern of pg_dump's.
fn pattern(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn a_newer_server_is_refused_in_a_sentence() {
        let mut installation = Installation::find().unwrap();
        installation.major = 14;
        assert!(refuse_newer(&installation, 14).is_ok());
        expect![[r#"
            the server is PostgreSQL 17, and the newest `pg_dump` here is of PostgreSQL 14, which does not read it
            help: install PostgreSQL 17, or set PG_BIN to the directory of its programs"#]]
        .assert_eq(&refuse_newer(&installation, 17).unwrap_err().to_string());
    }

    #[test]
    fn a_name_is_no_pattern() {
        assert_eq!(pattern("a*\"b"), "\"a*\"\"b\"");
    }
}
