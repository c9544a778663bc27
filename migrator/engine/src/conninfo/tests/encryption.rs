use expect_test::expect;

use super::table;

#[test]
fn encryption_is_as_strong_as_it_was_asked_for() {
    table(
        &[
            "host=db sslmode=disable",
            "host=db sslmode=allow",
            "host=db sslmode=prefer",
            "host=db sslmode=require",
            "host=db sslmode=verify-ca",
            "host=db sslmode=verify-full sslrootcert=/etc/ca.pem",
            "host=db sslmode=require sslrootcert=/etc/ca.pem",
            "host=db sslmode=prefer sslrootcert=/etc/ca.pem",
            "host=db sslrootcert=system",
            "host=db sslmode=require sslrootcert=system",
            "host=db sslmode=requier",
        ],
        expect![[r#"
            host=db sslmode=disable
              postgresql://me@db:5432/me
              ssl Ssl { mode: Disable, roots: None, client: None, direct: false, only_1_3: false, only_1_2: false, channel_binding: Prefer }
            host=db sslmode=allow
              postgresql://me@db:5432/me
              ssl Ssl { mode: Allow, roots: None, client: None, direct: false, only_1_3: false, only_1_2: false, channel_binding: Prefer }
            host=db sslmode=prefer
              postgresql://me@db:5432/me
            host=db sslmode=require
              postgresql://me@db:5432/me
              ssl Ssl { mode: Require, roots: None, client: None, direct: false, only_1_3: false, only_1_2: false, channel_binding: Prefer }
            host=db sslmode=verify-ca
              postgresql://me@db:5432/me
              ssl Ssl { mode: VerifyCa, roots: Some(System), client: None, direct: false, only_1_3: false, only_1_2: false, channel_binding: Prefer }
            host=db sslmode=verify-full sslrootcert=/etc/ca.pem
              postgresql://me@db:5432/me
              ssl Ssl { mode: VerifyFull, roots: Some(File("/etc/ca.pem")), client: None, direct: false, only_1_3: false, only_1_2: false, channel_binding: Prefer }
            host=db sslmode=require sslrootcert=/etc/ca.pem
              postgresql://me@db:5432/me
              ssl Ssl { mode: Require, roots: Some(File("/etc/ca.pem")), client: None, direct: false, only_1_3: false, only_1_2: false, channel_binding: Prefer }
            host=db sslmode=prefer sslrootcert=/etc/ca.pem
              postgresql://me@db:5432/me
            host=db sslrootcert=system
              postgresql://me@db:5432/me
              ssl Ssl { mode: VerifyFull, roots: Some(System), client: None, direct: false, only_1_3: false, only_1_2: false, channel_binding: Prefer }
            host=db sslmode=require sslrootcert=system
              exit 2
              error: `sslmode=require` is too weak for `sslrootcert=system`: anyone can get a certificate from a public authority; use `verify-full`
            host=db sslmode=requier
              exit 2
              error: invalid value `sslmode=requier`: expected one of `disable`, `allow`, `prefer`, `require`, `verify-ca`, `verify-full`
        "#]],
    );
}

#[test]
fn certificates_and_protocols_are_those_of_libpq() {
    table(
        &[
            "host=db sslcert=/c.pem sslkey=/k.pem channel_binding=require",
            "host=db sslcert=/c.pem",
            "host=db sslmode=require sslnegotiation=direct ssl_min_protocol_version=TLSv1.3",
            "host=db sslnegotiation=direct",
            "host=db ssl_max_protocol_version=TLSv1.2",
            "host=db ssl_min_protocol_version=SSLv3",
            "host=db sslpassword=s3cret",
            "host=db sslcrl=/crl.pem",
            "host=db requirepeer=postgres",
            "host=db require_auth=scram-sha-256",
            "host=db gssencmode=require",
        ],
        expect![[r#"
            host=db sslcert=/c.pem sslkey=/k.pem channel_binding=require
              postgresql://me@db:5432/me
              ssl Ssl { mode: Prefer, roots: None, client: Some(("/c.pem", "/k.pem")), direct: false, only_1_3: false, only_1_2: false, channel_binding: Require }
            host=db sslcert=/c.pem
              exit 2
              error: the certificate `/c.pem` has no key: set `sslkey`
            host=db sslmode=require sslnegotiation=direct ssl_min_protocol_version=TLSv1.3
              postgresql://me@db:5432/me
              ssl Ssl { mode: Require, roots: None, client: None, direct: true, only_1_3: true, only_1_2: false, channel_binding: Prefer }
            host=db sslnegotiation=direct
              exit 2
              error: `sslmode=prefer` is too weak for `sslnegotiation=direct`; use `require` or stronger
            host=db ssl_max_protocol_version=TLSv1.2
              postgresql://me@db:5432/me
              ssl Ssl { mode: Prefer, roots: None, client: None, direct: false, only_1_3: false, only_1_2: true, channel_binding: Prefer }
            host=db ssl_min_protocol_version=SSLv3
              exit 2
              error: invalid value `ssl_min_protocol_version=SSLv3`: expected one of `TLSv1`, `TLSv1.1`, `TLSv1.2`, `TLSv1.3`
            host=db sslpassword=***
              exit 2
              error: `sslpassword` is not supported: encrypted keys cannot be read
            host=db sslcrl=/crl.pem
              exit 2
              error: `sslcrl` is not supported
                = help: remove it; the connection then lacks that protection
            host=db requirepeer=postgres
              exit 2
              error: `requirepeer` is not supported
                = help: remove it; the connection then lacks that protection
            host=db require_auth=scram-sha-256
              exit 2
              error: `require_auth` is not supported
                = help: remove it; the connection then lacks that protection
            host=db gssencmode=require
              exit 2
              error: `gssencmode` is not supported
                = help: remove it; the connection then lacks that protection
        "#]],
    );
}
