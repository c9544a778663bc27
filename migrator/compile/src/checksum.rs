//! Checksums of SQL that ignore formatting and comments, and nothing else.

use sha2::{Digest, Sha256};

use migrator_sql::{Token, Words};

/// The checksum of one statement: SHA-256 in hexadecimal over its tokens, each as its kind (one byte), its length in
/// bytes (eight, big-endian) and its bytes.
///
/// White space and comments are not tokens. Operators are split as the server splits them: `a @-1` and `a @ -1`, which the
/// server executes differently, have different checksums.
pub(crate) fn statement(statement: &Words<'_>) -> String {
    let mut hash = Sha256::new();
    add_tokens(&mut hash, statement);
    hex::encode(hash.finalize())
}

/// The checksum of a block or script: as for a statement, with one byte 0 between two statements.
///
/// That byte represents the semicolons. Their number, and a semicolon after the last statement, make no difference: the
/// server executes the same statements.
pub(crate) fn statements(statements: &[Words<'_>]) -> String {
    let mut hash = Sha256::new();
    for (index, statement) in statements.iter().enumerate() {
        if index > 0 {
            // No token has the kind 0.
            hash.update([0]);
        }
        add_tokens(&mut hash, statement);
    }
    hex::encode(hash.finalize())
}

/// The checksum of named texts, each as length and bytes of its name, then of its content.
pub(crate) fn texts<'a>(texts: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut hash = Sha256::new();
    for (name, content) in texts {
        add_bytes(&mut hash, name.as_bytes());
        add_bytes(&mut hash, content.as_bytes());
    }
    hex::encode(hash.finalize())
}

fn add_tokens(hash: &mut Sha256, statement: &Words<'_>) {
    for token in statement.tokens {
        add_token(hash, *token, statement.text);
    }
}

fn add_token(hash: &mut Sha256, token: Token, text: &str) {
    hash.update([token.kind as u8]);
    add_bytes(hash, token.text(text).as_bytes());
}

fn add_bytes(hash: &mut Sha256, bytes: &[u8]) {
    hash.update((bytes.len() as u64).to_be_bytes());
    hash.update(bytes);
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use migrator_sql::{lex, split};

    fn of(text: &str) -> String {
        statements(&split(text, &lex(text).tokens))
    }

    #[track_caller]
    fn check(text: &str, expect: Expect) {
        expect.assert_eq(&of(text));
    }

    #[test]
    fn golden_values_never_change() {
        check("", expect!["e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"]);
        check("SELECT 1;", expect!["3a1d5c31bf31c335998b7436a3a0dda8712d55401d23d025694c7e9f65f041e2"]);
        check(
            "CREATE TABLE \"T\" (a int DEFAULT -1, b text DEFAULT E'\\'x' || $$y$$); SELECT U&'z' @> $1 <= 1.5 \\",
            expect!["464273536323dd8b4494ae70dfe4d1ec4cdcc0b911e8247a733180b503fd046c"],
        );
    }

    #[test]
    fn formatting_changes_nothing() {
        let plain = of("CREATE TABLE t (a int); SELECT a*-1");
        for same in [
            "CREATE TABLE t(a int);SELECT a * - 1;",
            "-- why\nCREATE /* a */ TABLE t (\n\ta int\n);\n\nSELECT a*-1;;\n-- end",
            ";CREATE TABLE t (a int);;SELECT a*-1",
        ] {
            assert_eq!(of(same), plain, "{same}");
        }
    }

    #[test]
    fn what_the_server_would_execute_differently_changes_it() {
        let different = [
            "SELECT 'a b'",
            "SELECT 'a  b'",
            "SELECT 'a' b",
            "SELECT \"a b\"",
            "SELECT E'a b'",
            "SELECT $$a b$$",
            "SELECT; 'a b'",
            "SELECT '-- x\na b'",
            "select 'a b'",
            "SELECT a@-1",
            "SELECT a@ -1",
            "SELECT 1.5",
            "SELECT 1 .5",
            "SELECT ab",
            "SELECT a b",
            "",
        ];
        let mut sums: Vec<String> = different.iter().map(|text| of(text)).collect();
        sums.sort();
        sums.dedup();
        assert_eq!(sums.len(), different.len());
    }

    #[test]
    fn the_only_statement_has_the_checksum_of_its_block() {
        let text = "SELECT 1;";
        assert_eq!(statement(&split(text, &lex(text).tokens)[0]), of(text));
    }
}
