use expect_test::{Expect, expect};

use super::*;

mod encryption;
mod environment;
mod malformed;

fn environment(pairs: &[(&str, &str)]) -> Environment {
    let account = [("account", "me")];
    let pairs = account.iter().chain(pairs);
    Environment { variables: pairs.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect() }
}

/// The target on the first line, then whatever is not the default.
fn settings(target: &ConnectionTarget) -> String {
    let mut lines = vec![target.to_string()];
    for host in target.hosts() {
        if let Some(address) = host.address {
            lines.push(format!("{host} at {address}"));
        }
        match target.password(host) {
            Some(password) if password == "s3cret" => lines.push(format!("{host} with the password")),
            Some(_) => lines.push(format!("{host} with another password")),
            None => {}
        }
    }
    let mut say = |name: &str, value: Option<String>| lines.extend(value.map(|value| format!("{name} {value}")));
    say("options", target.options.clone());
    say("application_name", target.application_name.clone());
    let timeout = target.connect_timeout.map(|limit| format!("{limit:?}"));
    say("connect_timeout", Some(timeout.unwrap_or("none".to_owned())).filter(|limit| limit != "10s"));
    say("session", Some(format!("{:?}", target.session)).filter(|session| session != "Any"));
    let standard = ConnectionTarget::resolve(Some("host=h"), &environment(&[])).unwrap();
    say("keepalives", (target.keepalives != standard.keepalives).then(|| format!("{:?}", target.keepalives)));
    say("ssl", (target.ssl != standard.ssl).then(|| format!("{:?}", target.ssl)));
    for warning in &target.warnings {
        say("warning", Some(warning.clone()));
    }
    lines.join("\n") + "\n"
}

fn shown(text: Option<&str>, pairs: &[(&str, &str)]) -> String {
    let shown = match ConnectionTarget::resolve(text, &environment(pairs)) {
        Ok(target) => {
            settings(&target) + &format!("{target:?}\n").replace(&format!("ConnectionTarget({target})\n"), "")
        }
        Err(error) => format!("exit {}\n{}\n", error.exit() as u8, error.render(false)),
    };
    assert!(!shown.contains("s3cret"), "a secret is shown: {shown}");
    shown
}

#[track_caller]
fn check(text: Option<&str>, pairs: &[(&str, &str)], expected: Expect) {
    expected.assert_eq(&shown(text, pairs));
}

/// Each text, and what comes out of it.
#[track_caller]
fn table(texts: &[&str], expected: Expect) {
    expected.assert_eq(
        &texts
            .iter()
            .map(|text| {
                format!(
                    "{}\n  {}\n",
                    text.replace("s3cret", "***"),
                    shown(Some(text), &[]).trim_end().replace('\n', "\n  ")
                )
            })
            .collect::<String>(),
    );
}

#[test]
fn urls_are_read_as_libpq_reads_them() {
    table(
        &[
            "postgresql://deploy:s3cret@db.example:6432/crm?sslmode=disable",
            "postgres://db",
            "postgresql://db/",
            "postgresql://deploy@db/crm",
            "postgresql:///crm?host=%2Frun%2Fpg&port=6543",
            "postgresql://%2Frun%2Fpg:6543/crm",
            "postgresql:///crm?socket=/run/pg",
            "postgresql://[::1]:6432/crm",
            "postgresql://a%40b:x%2Fs3cret@db/c%20rm",
            "postgresql://a:1,b:2,c/crm?target_session_attrs=read-write",
            "postgresql://a,b:6432/crm",
            "postgresql://db/crm?hostaddr=10.0.0.7",
        ],
        expect![[r#"
            postgresql://deploy:***@db.example:6432/crm?sslmode=disable
              postgresql://deploy@db.example:6432/crm
              db.example:6432 with the password
              ssl Ssl { mode: Disable, roots: None, client: None, direct: false, only_1_3: false, only_1_2: false, channel_binding: Prefer }
            postgres://db
              postgresql://me@db:5432/me
            postgresql://db/
              postgresql://me@db:5432/me
            postgresql://deploy@db/crm
              postgresql://deploy@db:5432/crm
            postgresql:///crm?host=%2Frun%2Fpg&port=6543
              postgresql://me@/run/pg:6543/crm
            postgresql://%2Frun%2Fpg:6543/crm
              postgresql://me@/run/pg:6543/crm
            postgresql:///crm?socket=/run/pg
              postgresql://me@/run/pg:5432/crm
            postgresql://[::1]:6432/crm
              postgresql://me@[::1]:6432/crm
            postgresql://a%40b:x%2F***@db/c%20rm
              postgresql://a@b@db:5432/c rm
              db:5432 with another password
            postgresql://a:1,b:2,c/crm?target_session_attrs=read-write
              postgresql://me@a:1,b:2,c:5432/crm
              session ReadWrite
            postgresql://a,b:6432/crm
              postgresql://me@a:5432,b:6432/crm
            postgresql://db/crm?hostaddr=10.0.0.7
              postgresql://me@db:5432/crm
              db:5432 at 10.0.0.7
        "#]],
    );
}

#[test]
fn parameters_of_a_url_are_read_as_libpq_reads_them() {
    table(
        &[
            "postgresql://db/crm?password=s3cret&user=deploy",
            "postgresql://db/crm?options=-c%20a%3Db&application_name=x&connect_timeout=3",
            "postgresql://db/crm?connect_timeout=0&keepalives=0&tcp_user_timeout=500",
            "postgresql://db/crm?connect_timeout=1&keepalives_idle=5&keepalives_interval=6&keepalives_count=7",
            "postgresql://db/crm?ssl=true",
            "postgresql://db/crm?client_encoding=utf8&gssencmode=prefer&sslcompression=0",
        ],
        expect![[r#"
            postgresql://db/crm?password=***&user=deploy
              postgresql://deploy@db:5432/crm
              db:5432 with the password
            postgresql://db/crm?options=-c%20a%3Db&application_name=x&connect_timeout=3
              postgresql://me@db:5432/crm
              options -c a=b
              application_name x
              connect_timeout 3s
            postgresql://db/crm?connect_timeout=0&keepalives=0&tcp_user_timeout=500
              postgresql://me@db:5432/crm
              connect_timeout none
              keepalives Keepalives { on: false, idle: 30s, interval: 10s, count: 3, user_timeout: Some(500ms) }
            postgresql://db/crm?connect_timeout=1&keepalives_idle=5&keepalives_interval=6&keepalives_count=7
              postgresql://me@db:5432/crm
              connect_timeout 2s
              keepalives Keepalives { on: true, idle: 5s, interval: 6s, count: 7, user_timeout: None }
            postgresql://db/crm?ssl=true
              postgresql://me@db:5432/crm
              ssl Ssl { mode: Require, roots: None, client: None, direct: false, only_1_3: false, only_1_2: false, channel_binding: Prefer }
            postgresql://db/crm?client_encoding=utf8&gssencmode=prefer&sslcompression=0
              postgresql://me@db:5432/crm
        "#]],
    );
}

#[test]
fn settings_of_the_session_are_passed_on_as_dbmate_does() {
    table(
        &[
            "postgresql://me@db/crm?search_path=app%2C%20public&application_name=x",
            "postgresql://me@db/crm?options=-c%20x%3D1&lock_timeout=5s",
        ],
        expect![[r#"
            postgresql://me@db/crm?search_path=app%2C%20public&application_name=x
              postgresql://me@db:5432/crm
              options -c search_path=app,\ public
              application_name x
            postgresql://me@db/crm?options=-c%20x%3D1&lock_timeout=5s
              postgresql://me@db:5432/crm
              options -c x=1 -c lock_timeout=5s
        "#]],
    );
}

#[test]
fn keyword_strings_are_read_as_libpq_reads_them() {
    table(
        &[
            "host=db port=6432 dbname=crm user=deploy password=s3cret",
            "host = 'db'  dbname='c r\\'m' user=a\\ b",
            "host=a,b port=1,2 hostaddr=10.0.0.1,10.0.0.2",
            "hostaddr=::1 dbname=crm",
            "host=/run/pg dbname=crm sslmode=verify-full",
            "dbname='' host=db",
        ],
        expect![[r#"
            host=db port=6432 dbname=crm user=deploy password=***
              postgresql://deploy@db:6432/crm
              db:6432 with the password
            host = 'db'  dbname='c r\'m' user=a\ b
              postgresql://a b@db:5432/c r'm
            host=a,b port=1,2 hostaddr=10.0.0.1,10.0.0.2
              postgresql://me@a:1,b:2/me
              a:1 at 10.0.0.1
              b:2 at 10.0.0.2
            hostaddr=::1 dbname=crm
              postgresql://me@[::1]:5432/crm
              [::1]:5432 at ::1
            host=/run/pg dbname=crm sslmode=verify-full
              postgresql://me@/run/pg:5432/crm
              ssl Ssl { mode: VerifyFull, roots: Some(System), client: None, direct: false, only_1_3: false, only_1_2: false, channel_binding: Prefer }
            dbname='' host=db
              postgresql://me@db:5432/me
        "#]],
    );
}

#[test]
fn what_cannot_be_read_says_so_without_quoting_it() {
    table(
        &[
            "postgresql://deploy:x#s3cret@db.example:port/crm",
            "postgresql://deploy:%s3cret@db/crm",
            "postgresql://deploy:s3cret%00@db/crm",
            "postgresql://[::1/crm",
            "postgresql://db/crm?sslmode",
            "mysql://root@db/crm",
            "crm",
            "host=db password='s3cret",
        ],
        expect![[r#"
            postgresql://deploy:x#***@db.example:port/crm
              exit 2
              error: cannot read the database URL: a port is not a number
                = note: expected `postgresql://user:password@host:5432/database?key=value`
                = help: special characters in the user and the password must be percent-encoded: `@` is %40, `:` is %3A, `/` is %2F, `?` is %3F, `#` is %23, `&` is %26, `%` is %25
            postgresql://deploy:%***@db/crm
              exit 2
              error: cannot read the database URL: a `%` is not followed by two hexadecimal digits that give a character
                = note: expected `postgresql://user:password@host:5432/database?key=value`
                = help: special characters in the user and the password must be percent-encoded: `@` is %40, `:` is %3A, `/` is %2F, `?` is %3F, `#` is %23, `&` is %26, `%` is %25
            postgresql://deploy:***%00@db/crm
              exit 2
              error: cannot read the database URL: a `%` is not followed by two hexadecimal digits that give a character
                = note: expected `postgresql://user:password@host:5432/database?key=value`
                = help: special characters in the user and the password must be percent-encoded: `@` is %40, `:` is %3A, `/` is %2F, `?` is %3F, `#` is %23, `&` is %26, `%` is %25
            postgresql://[::1/crm
              exit 2
              error: cannot read the database URL: a `[` is unterminated
                = note: expected `postgresql://user:password@host:5432/database?key=value`
                = help: special characters in the user and the password must be percent-encoded: `@` is %40, `:` is %3A, `/` is %2F, `?` is %3F, `#` is %23, `&` is %26, `%` is %25
            postgresql://db/crm?sslmode
              exit 2
              error: cannot read the database URL: a parameter after the `?` has no `=value`
                = note: expected `postgresql://user:password@host:5432/database?key=value`
                = help: special characters in the user and the password must be percent-encoded: `@` is %40, `:` is %3A, `/` is %2F, `?` is %3F, `#` is %23, `&` is %26, `%` is %25
            mysql://root@db/crm
              exit 2
              error: the database URL must start with `postgresql://`
                = help: only PostgreSQL is supported
            crm
              exit 2
              error: cannot read the database URL: it is not a URL, and one of its keywords has no `=value`
                = note: expected `postgresql://user:password@host:5432/database?key=value`, or `host=... dbname=...`
                = help: in the second form, quote a value with spaces, and write a quote in it as \': password='it\'s two words'
            host=db password='***
              exit 2
              error: cannot read the database URL: a quote is unterminated
                = note: expected `postgresql://user:password@host:5432/database?key=value`, or `host=... dbname=...`
                = help: in the second form, quote a value with spaces, and write a quote in it as \': password='it\'s two words'
        "#]],
    );
}

#[test]
fn a_value_that_cannot_be_read_says_so() {
    table(
        &[
            "host=db dbnme=crm",
            "host=db port=0",
            "host=db port=x",
            "host=a,b,c port=1,2",
            "host=a,b hostaddr=10.0.0.1",
            "hostaddr=db",
            "host=db connect_timeout=soon",
            "host=db target_session_attrs=writable",
            "host=db load_balance_hosts=yes",
        ],
        expect![[r#"
            host=db dbnme=crm
              exit 2
              error: the connection string has a parameter that libpq does not know
                = help: did you mean `dbname`?
                = help: use the parameters of libpq: host, port, dbname, user, password, sslmode, ...; quote a value with spaces: password='two words'
            host=db port=0
              exit 2
              error: the port `0` is not a number from 1 to 65535
            host=db port=x
              exit 2
              error: the port `x` is not a number from 1 to 65535
            host=a,b,c port=1,2
              exit 2
              error: there are 2 ports for 3 hosts
            host=a,b hostaddr=10.0.0.1
              exit 2
              error: `host` has 2 names, but `hostaddr` has 1 addresses
            hostaddr=db
              exit 2
              error: `hostaddr=db` is not an IP address
            host=db connect_timeout=soon
              exit 2
              error: `connect_timeout=soon` is not a number
            host=db target_session_attrs=writable
              exit 2
              error: invalid value `target_session_attrs=writable`: expected one of `any`, `read-write`, `read-only`, `primary`, `standby`, `prefer-standby`
            host=db load_balance_hosts=yes
              exit 2
              error: invalid value `load_balance_hosts=yes`: expected one of `disable`, `random`
        "#]],
    );
}

#[test]
fn a_program_with_libpq_is_led_to_the_same_place() {
    let variables = |text: &str| {
        let target = ConnectionTarget::read(Some(text), |_| None).unwrap();
        let pairs = target.variables().into_iter().map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join("\n")
    };
    expect_test::expect![[r#"
        PGHOST=a,b
        PGPORT=1,2
        PGDATABASE=d
        PGUSER=u
        PGCONNECT_TIMEOUT=10
        PGTARGETSESSIONATTRS=read-write
        PGPASSWORD=p@ss
        PGOPTIONS=-c search_path=app
        PGSSLMODE=require
        PGCHANNELBINDING=prefer"#]]
    .assert_eq(&variables(
        "postgresql://u:p%40ss@a:1,b:2/d?target_session_attrs=read-write&sslmode=require&search_path=app",
    ));
    expect_test::expect![[r#"
        PGHOST=db
        PGPORT=5432
        PGHOSTADDR=10.0.0.1
        PGDATABASE=d
        PGUSER=u
        PGCONNECT_TIMEOUT=0
        PGTARGETSESSIONATTRS=any
        PGSSLMODE=verify-full
        PGSSLROOTCERT=/ca.pem
        PGSSLCERT=/c
        PGSSLKEY=/k
        PGCHANNELBINDING=prefer"#]].assert_eq(&variables("host=db hostaddr=10.0.0.1 user=u dbname=d sslmode=verify-full sslrootcert=/ca.pem sslcert=/c sslkey=/k connect_timeout=0"));
}
