//! Roles that migrations make: they belong to the server, so that no dump of a database has them. Pure.

use migrator_engine::client::literal;

use crate::author::code;

/// What a baseline has to say of roles.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Roles {
    /// Before the schema, which names them.
    pub(super) before: Vec<String>,
    /// After it.
    pub(super) after: Vec<String>,
}

/// Of what the migrations have made that all databases share (kind, key, and the SQL that makes it), what a baseline can make too. The
/// rest belongs to one database by name, or changes what was there.
pub(super) fn roles(shared: &[(String, String, String)]) -> Roles {
    let of = |kind: &'static str| shared.iter().filter(move |entry| entry.0 == kind);
    let mut roles = Roles::default();
    for (_, name, create) in of("role") {
        let attributes = of("attributes").find(|(_, key, _)| key == name).map(|(.., make)| &**make);
        roles.before.push(created(name, create, attributes));
    }
    roles.before.extend(of("membership").map(|(.., make)| format!("{};", portable(make))));
    for (_, key, make) in of("setting").filter(|(_, key, _)| key.starts_with("ALTER ROLE ")) {
        if let Some((set, alter)) = make.split_once("; ").filter(|_| !key.contains(" IN DATABASE ")) {
            roles.after.extend(setting(set, alter));
        }
    }
    let is_new = |what: &str| of("role").any(|(.., create)| create.strip_prefix("CREATE ") == Some(what));
    roles.after.extend(of("comment").filter(|(_, what, _)| is_new(what)).map(|(.., make)| format!("{make};")));
    roles
}

/// Creates a role where it is missing, and leaves one that is there as it is.
fn created(name: &str, create: &str, attributes: Option<&str>) -> String {
    let alter = attributes.map(|alter| format!("\n        {alter};")).unwrap_or_default();
    let body = format!(
        "BEGIN\n    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {}) THEN\n        {create};{alter}\n    END IF;\n\
         EXCEPTION\n    WHEN duplicate_object OR unique_violation THEN\n        RAISE NOTICE 'a role was created meanwhile';\nEND;\n",
        literal(name)
    );
    block(&body)
}

/// A membership without what only one release knows, or only one server: who has granted it, and options that are the default.
fn portable(grant: &str) -> String {
    let grant = grant.rsplit_once(" GRANTED BY ").map_or(grant, |(grant, _)| grant);
    match grant.strip_suffix(" WITH ADMIN false, INHERIT true, SET true") {
        Some(plain) => plain.to_owned(),
        None => grant.replace(" WITH ADMIN true, INHERIT true, SET true", " WITH ADMIN OPTION"),
    }
}

/// `set` gives the session a value, which `alter` takes; the session gets its own back.
fn setting(set: &str, alter: &str) -> Option<String> {
    let call = set.strip_prefix("SELECT pg_catalog.set_config(")?.strip_suffix(", true)")?;
    // The name is a literal without a quote inside: the server accepts no other.
    let name = call.get(..call.get(1..)?.find('\'')? + 2)?;
    Some(block(&format!(
        "DECLARE\n    before text := pg_catalog.current_setting({name}, true);\nBEGIN\n    PERFORM pg_catalog.set_config({call}, true);\n    \
         {alter};\n    PERFORM pg_catalog.set_config({name}, before, true);\nEND;\n"
    )))
}

fn block(body: &str) -> String {
    format!("{};", code::block("roles", body))
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn entries(all: &[(&str, &str, &str)]) -> Vec<(String, String, String)> {
        all.iter().map(|(kind, key, make)| ((*kind).to_owned(), (*key).to_owned(), (*make).to_owned())).collect()
    }

    #[test]
    fn roles_come_before_what_names_them_and_stay_as_they_are() {
        let roles = roles(&entries(&[
            ("role", "it's $roles$", "CREATE ROLE \"it's $roles$\""),
            ("attributes", "it's $roles$", "ALTER ROLE \"it's $roles$\" WITH LOGIN"),
            ("attributes", "postgres", "ALTER ROLE postgres WITH NOLOGIN"),
            ("membership", "a/b", "GRANT a TO b WITH ADMIN false, INHERIT true, SET true GRANTED BY postgres"),
            ("membership", "a/c", "GRANT a TO c WITH ADMIN OPTION"),
            (
                "setting",
                "ALTER ROLE a/search_path",
                "SELECT pg_catalog.set_config('search_path', 'x', true); ALTER ROLE a SET search_path FROM CURRENT",
            ),
            (
                "setting",
                "ALTER DATABASE d/work_mem",
                "SELECT pg_catalog.set_config('work_mem', '1', true); ALTER DATABASE d SET work_mem FROM CURRENT",
            ),
            ("comment", "ROLE \"it's $roles$\"", "COMMENT ON ROLE \"it's $roles$\" IS 'x'"),
            ("comment", "DATABASE d", "COMMENT ON DATABASE d IS 'x'"),
        ]));
        expect![[r#"
            DO $roles_$
            BEGIN
                IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'it''s $roles$') THEN
                    CREATE ROLE "it's $roles$";
                    ALTER ROLE "it's $roles$" WITH LOGIN;
                END IF;
            EXCEPTION
                WHEN duplicate_object OR unique_violation THEN
                    RAISE NOTICE 'a role was created meanwhile';
            END;
            $roles_$;
            GRANT a TO b;
            GRANT a TO c WITH ADMIN OPTION;
            ---
            DO $roles$
            DECLARE
                before text := pg_catalog.current_setting('search_path', true);
            BEGIN
                PERFORM pg_catalog.set_config('search_path', 'x', true);
                ALTER ROLE a SET search_path FROM CURRENT;
                PERFORM pg_catalog.set_config('search_path', before, true);
            END;
            $roles$;
            COMMENT ON ROLE "it's $roles$" IS 'x';"#]]
        .assert_eq(&format!("{}\n---\n{}", roles.before.join("\n"), roles.after.join("\n")));
    }
}
