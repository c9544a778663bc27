use expect_test::expect;

use super::*;

/// Each holds the canary where a password that was not encoded falls apart.
const MALFORMED: [&str; 54] = [
    "postgresql://u:hun@canary@host/db",
    "postgresql://u:canary@x@host/db",
    "postgresql://u:pw@@canary@host/db",
    "postgresql://me@canary:pw@host/db",
    "postgresql://u:p@h1,u2:canary@h2/db",
    "postgresql://u:12/canary@host/db",
    "postgresql://u:hun@ter/canary@host/db",
    "postgresql://u:canary/2@host/db",
    "postgresql://u:12?a=canary@host/db",
    "postgresql://u:12?user=canary@host/db",
    "postgresql://u:hun@ter?x=canary@host/db",
    "postgresql://u:hun@ter?application_name=canary@host/db",
    "postgresql://u:12?canary@host/db",
    "postgresql://u:canary:5432/db",
    "postgresql://u%3Acanary%40host/db",
    "postgresql:///u:canary@host/db",
    "postgresql://https://u:canary@host/db",
    "postgresql://u:canary%zz@host/db",
    "postgresql://u:12%/canary@host/db",
    "postgresql://u@host/db?password=12&canary=3",
    "postgresql://u@host/db?password=12&canary",
    "postgresql://u@host/db?password=12&x-canary=1",
    "postgresql://u@host/db?password=canary&sslmode=nonsense",
    "postgresql://u@host/db?password=12&sslmode=a@canary",
    "postgresql://u:canary@host/db?schema=public",
    "postgresql://u:canary@host:99999/db",
    "postgresql://u:canary@[host/db",
    "postgres:/u:canary@host/db",
    "postgres:u:canary@host/db",
    "postgres//u:canary@host/db",
    "postgres:///u:canary@host/db",
    "Postgresql://u:canary@host/db",
    "psql://u:canary@host/db",
    "jdbc:postgresql://host/db?user=u&password=canary",
    "postgresql+psycopg2://u:canary@host/db",
    "\"postgresql://u:canary@host/db\"",
    "u:canary@host/db",
    "u:canary=1@host/db",
    "host=h password='canary",
    "host=h password='12' canary",
    "host=h password=12 canary=3",
    "host=h password=12 canary",
    "host=h password='12'canary='3",
    "host=h password:canary dbname=x",
    "host=h password canary",
    "host=h password=canary\\",
    "host=u:canary@h dbname=x password=1 port=x",
    "host=h port=u:canary@h",
    "host=h hostaddr=u:canary@h",
    "host=h sslmode=u:canary@h",
    "host=h connect_timeout=u:canary@h",
    "host=u:canary@h",
    "dbname=postgresql://u:canary@h/db",
    "service=postgresql://u:canary@h/db",
];

#[test]
fn half_a_password_is_neither_a_host_nor_a_database_nor_a_message() {
    for text in MALFORMED {
        match ConnectionTarget::resolve(Some(text), &environment(&[("HOME", "/nowhere")])) {
            // A `?` or a `#` needs no encoding, to libpq as to us.
            Ok(target) => assert_eq!(target.to_string(), "postgresql://u@host:5432/db", "{text}"),
            Err(error) => {
                let shown = format!("{}\n{error}\n{error:?}", error.render(false));
                assert!(!shown.contains("canary"), "{text}: {shown}");
                assert_eq!(error.exit(), crate::error::Exit::Usage, "{text}: {shown}");
            }
        }
    }
    for (name, value) in [
        ("PGDATABASE", "postgresql://u:canary@h/db"),
        ("PGHOST", "postgresql://u:canary@h/db"),
        ("PGHOST", "u:canary@h"),
        ("PGPORT", "u:canary@h"),
        ("PGHOSTADDR", "u:canary@h"),
        ("PGSSLMODE", "u:canary@h"),
        ("PGSERVICE", "postgresql://u:canary@h/db"),
    ] {
        let mut variables = vec![("HOME", "/nowhere"), (name, value)];
        variables.extend([("PGHOST", "h")].iter().filter(|(given, _)| *given != name));
        let error = ConnectionTarget::resolve(None, &environment(&variables)).unwrap_err();
        assert!(!error.render(false).contains("canary"), "{name}: {}", error.render(false));
    }
}

#[test]
fn an_at_sign_that_is_encoded_or_belongs_to_a_parameter_is_none_too_many() {
    for text in [
        "postgresql://u:hun%40ter2@host/db",
        "postgresql://host/db?user=me@realm&password=p@ss",
        "postgresql://u:p?#:w@host/db",
        "postgresql://u@host/db?application_name=a@b",
        "postgresql://?host=h&user=me@realm",
        "host=h password=p@ss://x user=me@realm",
    ] {
        ConnectionTarget::resolve(Some(text), &environment(&[])).unwrap_or_else(|error| panic!("{text}: {error}"));
    }
}

#[test]
fn a_parameter_of_another_tool_is_named_with_what_to_write_instead() {
    table(
        &[
            "postgresql://db/crm?schema=public",
            "postgresql://db/crm?pgbouncer=true",
            "postgresql://db/crm?connection_limit=5",
            "postgresql://db/crm?sslaccept=strict",
            "postgresql://db/crm?currentSchema=app",
            "postgresql://db/crm?ssl=false",
            "postgresql://db/crm?applicationname=x",
            "postgresql://db/crm?ssl-mode=require",
            "postgresql://db/crm?password=s3cret&lock_timeout=5s",
            "host=db database=crm",
        ],
        expect![[r#"
            postgresql://db/crm?schema=public
              exit 2
              error: the database URL has the parameter `schema`, which belongs to Prisma
                = note: it is neither a libpq parameter nor a server setting
                = help: remove it; to create objects in that schema, write `search_path=NAME`
            postgresql://db/crm?pgbouncer=true
              exit 2
              error: the database URL has the parameter `pgbouncer`, which belongs to Prisma
                = note: it is neither a libpq parameter nor a server setting
                = help: remove it, and connect directly to the server: the migration lock needs a session of its own
            postgresql://db/crm?connection_limit=5
              exit 2
              error: the database URL has the parameter `connection_limit`, which belongs to Prisma
                = note: it is neither a libpq parameter nor a server setting
                = help: remove it: migrator has no connection pool
            postgresql://db/crm?sslaccept=strict
              exit 2
              error: the database URL has the parameter `sslaccept`, which belongs to Prisma
                = note: it is neither a libpq parameter nor a server setting
                = help: write `sslmode=verify-full` for `strict`, `sslmode=require` for `accept_invalid_certs`
            postgresql://db/crm?currentSchema=app
              exit 2
              error: the database URL has the parameter `currentSchema`, which belongs to JDBC
                = note: it is neither a libpq parameter nor a server setting
                = help: write `search_path=NAME`
            postgresql://db/crm?ssl=false
              exit 2
              error: the database URL has the parameter `ssl`, which belongs to other clients
                = note: it is neither a libpq parameter nor a server setting
                = help: write `sslmode=disable`
            postgresql://db/crm?applicationname=x
              exit 2
              error: the database URL has the parameter `ApplicationName`, which belongs to JDBC
                = note: it is neither a libpq parameter nor a server setting
                = help: write `application_name`
            postgresql://db/crm?ssl-mode=require
              exit 2
              error: the database URL has a parameter that is neither a libpq parameter nor a server setting
                = help: did you mean `sslmode`?
                = help: remove it; if it is part of another value, write its `&` as %26
            postgresql://db/crm?password=***&lock_timeout=5s
              postgresql://me@db:5432/crm
              db:5432 with the password
              options -c lock_timeout=5s
            host=db database=crm
              exit 2
              error: the database URL has the parameter `database`, which belongs to other clients
                = note: it is neither a libpq parameter nor a server setting
                = help: write `dbname`
        "#]],
    );
}

#[test]
fn an_empty_url_is_a_mistake_and_not_a_wish() {
    for (text, variables) in [("", &[][..]), (" \n", &[]), ("", &[("PGHOST", "h"), ("PGDATABASE", "crm")])] {
        check(
            Some(text),
            variables,
            expect![[r#"
                exit 2
                error: the database URL is empty
                  = note: it comes from --database-url or the environment variable DATABASE_URL
                  = help: set it to a value, or unset it and set PGHOST and PGDATABASE
            "#]],
        );
    }
}
