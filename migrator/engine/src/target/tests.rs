use expect_test::{Expect, expect};

use super::*;

fn environment(pairs: &[(&str, &str)]) -> Environment {
    Environment { variables: pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect() }
}

fn check(url: Option<&str>, pairs: &[(&str, &str)], expected: Expect) {
    let shown = match ConnectionTarget::resolve(url, &environment(pairs)) {
        Ok(target) => format!("{target}\n{target:?}"),
        Err(error) => format!("exit {}\n{}", error.exit() as u8, error.render(false)),
    };
    assert!(!shown.contains("s3cret"), "a secret is shown: {shown}");
    expected.assert_eq(&shown);
}

#[test]
fn the_password_is_never_shown() {
    check(
        Some("postgresql://deploy:s3cret@db.example:6432/crm?sslmode=disable"),
        &[],
        expect![[r#"
            postgresql://deploy@db.example:6432/crm
            ConnectionTarget(postgresql://deploy@db.example:6432/crm)"#]],
    );
    check(
        Some("postgresql://deploy:x#s3cret@db.example:port/crm"),
        &[],
        expect![[r#"
            exit 2
            error: the database URL cannot be read
              = note: expected `postgresql://user:password@host:5432/database?key=value`
              = help: special characters of the user and the password must be percent-encoded: `@` is %40, `#` is %23, `/` is %2F, `%` is %25"#]],
    );
}

#[test]
fn tls_that_is_asked_for_is_refused_and_not_left_out() {
    check(
        Some("postgresql://deploy:s3cret@db/crm?sslmode=require"),
        &[],
        expect![[r#"
            exit 6
            error: cannot connect with `sslmode=require`: this build has no TLS
              = note: nothing was sent: the connection is not made in plaintext where encryption was asked for
              = help: connect through an encrypted tunnel and `sslmode=disable`, or on the server's own socket"#]],
    );
    for mode in ["require", "verify-ca", "verify-full", "requier"] {
        let key = format!("host=db dbname=crm sslmode={mode}");
        assert!(ConnectionTarget::resolve(Some(&key), &Environment::default()).is_err());
        let variable = environment(&[("PGSSLMODE", mode), ("PGHOST", "db")]);
        assert!(ConnectionTarget::resolve(None, &variable).is_err());
    }
    // What the URL says is stronger than the variable.
    let variable = environment(&[("PGSSLMODE", "require"), ("USER", "me")]);
    assert!(ConnectionTarget::resolve(Some("postgresql://db/crm?sslmode=disable"), &variable).is_ok());
}

#[test]
fn nothing_given_is_an_error_and_not_a_guess() {
    check(
        None,
        &[("USER", "me")],
        expect![[r#"
            exit 2
            error: no database given
              = help: set DATABASE_URL (`postgresql://user@host:5432/database`), pass --database-url, or set PGHOST and PGDATABASE"#]],
    );
    check(
        Some("mysql://root@db/crm"),
        &[],
        expect![[r#"
            exit 2
            error: the database URL must start with `postgresql://`
              = help: only PostgreSQL is supported"#]],
    );
}

#[test]
fn the_environment_fills_in_what_the_url_leaves_open() {
    check(
        Some("postgresql://db"),
        &[("PGUSER", "deploy"), ("PGDATABASE", "crm"), ("PGPORT", "6432"), ("PGPASSWORD", "s3cret")],
        expect![[r#"
            postgresql://deploy@db:5432/crm
            ConnectionTarget(postgresql://deploy@db:5432/crm)"#]],
    );
    check(
        None,
        &[("PGHOST", "/run/pg"), ("USER", "me")],
        expect![[r#"
            postgresql://me@/run/pg:5432/me
            ConnectionTarget(postgresql://me@/run/pg:5432/me)"#]],
    );
    check(
        None,
        &[("PGHOST", "db"), ("PGPORT", "x"), ("USER", "me")],
        expect![[r#"
        exit 2
        error: the variable `PGPORT` is not a number: `x`"#]],
    );
    check(
        None,
        &[("PGSERVICE", "crm"), ("PGHOST", "db")],
        expect![[r#"
        exit 2
        error: the variable `PGSERVICE` is set, but service files are not read
          = help: unset it and set DATABASE_URL, or PGHOST, PGPORT, PGDATABASE and PGUSER"#]],
    );
}

#[test]
fn settings_of_the_session_are_passed_on_as_dbmate_does() {
    let target = ConnectionTarget::resolve(
        Some("postgresql://me@db/crm?search_path=app%2C%20public&application_name=x"),
        &Environment::default(),
    )
    .unwrap();
    assert_eq!(target.config().get_options(), Some(r"-c search_path=app,\ public"));
}
