//! What the contract promises about a file as a whole: its encoding, its size, and what is a marker in it.

use expect_test::expect;
use migrator_build::model::Set;
use migrator_build::{Loaded, Problems, load};
use tempfile::TempDir;

/// Loads a db directory of these files.
fn load_files(files: &[(&str, &[u8])]) -> Result<Loaded, Problems> {
    let root = TempDir::new().unwrap();
    let db = root.path().join("db");
    std::fs::create_dir_all(db.join("migrations")).unwrap();
    for (path, bytes) in files {
        std::fs::create_dir_all(db.join(path).parent().unwrap()).unwrap();
        std::fs::write(db.join(path), bytes).unwrap();
    }
    load(&db)
}

/// The statements of a directory without errors, or what is said about it; warnings stand behind the statements.
fn shown(result: Result<Loaded, Problems>) -> String {
    let said = |problems: &[migrator_build::Problem]| {
        let lines: Vec<String> = problems.iter().map(|problem| problem.to_string()).collect();
        lines.join(" && ")
    };
    match result {
        Ok(Loaded { set, warnings, .. }) => format!("{:?} {}", statements(&set), said(&warnings)).trim_end().to_owned(),
        Err(problems) => said(&problems.0),
    }
}

fn statements(set: &Set) -> Vec<&str> {
    let migrations = set.migrations.iter().flat_map(|migration| {
        let statements = migration.blocks().flat_map(|block| block.statements.iter());
        statements.map(|statement| &migration.text[statement.range.clone()])
    });
    let scripts = set
        .scripts()
        .flat_map(|script| script.statements.iter().map(|statement| &script.text[statement.range.clone()]));
    migrations.chain(scripts).collect()
}

#[test]
fn an_encoding_is_accepted_or_refused_with_the_cure() {
    let text = "-- migrate:up\nSELECT 'é';\n-- migrate:down\nSELECT 2;\n";
    let utf16 = |encode: fn(u16) -> [u8; 2]| -> Vec<u8> { text.encode_utf16().flat_map(encode).collect() };
    let with = |prefix: &[u8], bytes: Vec<u8>| [prefix, &bytes].concat();
    let latin1: Vec<u8> = text.chars().map(|c| c as u8).collect();
    let table: Vec<(&str, Vec<u8>)> = vec![
        ("LF", text.into()),
        ("CRLF", text.replace('\n', "\r\n").into()),
        ("LF and CRLF", text.replacen('\n', "\r\n", 2).into()),
        ("CR", text.replace('\n', "\r").into()),
        ("CR in a literal", text.replace('é', "\r").into()),
        ("CR before CRLF", text.replace('\n', "\r\r\n").into()),
        ("byte order mark", with(b"\xEF\xBB\xBF", text.into())),
        ("byte order mark inside", text.replace('é', "\u{feff}").into()),
        ("NUL", text.replace('é', "\0").into()),
        ("UTF-16 LE", with(b"\xFF\xFE", utf16(u16::to_le_bytes))),
        ("UTF-16 BE", with(b"\xFE\xFF", utf16(u16::to_be_bytes))),
        ("UTF-16 LE, no mark", utf16(u16::to_le_bytes)),
        ("UTF-16 BE, no mark", utf16(u16::to_be_bytes)),
        ("Latin-1", latin1),
        ("cut character", text.replace('é', "").into_bytes().into_iter().chain([0xC3]).collect()),
        (
            "overlong",
            text.replace('é', "?").bytes().flat_map(|b| if b == b'?' { vec![0xC0, 0x80] } else { vec![b] }).collect(),
        ),
        ("no line end", text.trim_end().into()),
        ("empty", Vec::new()),
        ("blanks", b" \t\r\n\n ".to_vec()),
        ("comments", b"-- a\n/* b */\n".to_vec()),
        ("markers alone", b"-- migrate:up\n-- migrate:down".to_vec()),
    ];
    let migrations: String = table
        .iter()
        .map(|(name, bytes)| format!("{name}: {}\n", shown(load_files(&[("migrations/001_x.sql", bytes)]))))
        .collect();
    expect![[r#"
        LF: ["SELECT 'é'", "SELECT 2"]
        CRLF: ["SELECT 'é'", "SELECT 2"]
        LF and CRLF: ["SELECT 'é'", "SELECT 2"]
        CR: db/migrations/001_x.sql:1:14: found a carriage return without a line feed [M007]; help: save the file with LF line endings; in a literal, write `E'\r'`
        CR in a literal: db/migrations/001_x.sql:2:9: found a carriage return without a line feed [M007]; help: save the file with LF line endings; in a literal, write `E'\r'`
        CR before CRLF: db/migrations/001_x.sql:1:14: found a carriage return without a line feed [M007]; help: save the file with LF line endings; in a literal, write `E'\r'`
        byte order mark: db/migrations/001_x.sql: the file starts with a byte order mark [M007]; help: save it as UTF-8 without a byte order mark
        byte order mark inside: ["SELECT '\u{feff}'", "SELECT 2"]
        NUL: db/migrations/001_x.sql:2:9: found a NUL character, which the server cannot store [M007]; help: remove it
        UTF-16 LE: db/migrations/001_x.sql: the file is UTF-16 [M007]; help: save it as UTF-8 without a byte order mark
        UTF-16 BE: db/migrations/001_x.sql: the file is UTF-16 [M007]; help: save it as UTF-8 without a byte order mark
        UTF-16 LE, no mark: db/migrations/001_x.sql: the file is UTF-16 [M007]; help: save it as UTF-8 without a byte order mark
        UTF-16 BE, no mark: db/migrations/001_x.sql: the file is UTF-16 [M007]; help: save it as UTF-8 without a byte order mark
        Latin-1: db/migrations/001_x.sql:2:9: byte 0xE9 is not valid UTF-8 [M007]; help: save it as UTF-8 without a byte order mark
        cut character: db/migrations/001_x.sql:5:1: byte 0xC3 is not valid UTF-8 [M007]; help: save it as UTF-8 without a byte order mark
        overlong: db/migrations/001_x.sql:2:9: byte 0xC0 is not valid UTF-8 [M007]; help: save it as UTF-8 without a byte order mark
        no line end: ["SELECT 'é'", "SELECT 2"]
        empty: db/migrations/001_x.sql: missing `-- migrate:up` [M010]; help: add `-- migrate:up` above the statements, and `-- migrate:down` above those that undo them
        blanks: db/migrations/001_x.sql: missing `-- migrate:up` [M010]; help: add `-- migrate:up` above the statements, and `-- migrate:down` above those that undo them
        comments: db/migrations/001_x.sql: missing `-- migrate:up` [M010]; help: add `-- migrate:up` above the statements, and `-- migrate:down` above those that undo them
        markers alone: [] db/migrations/001_x.sql:1:1: no statement after `-- migrate:up` [M018]; help: add statements on the lines below it, or remove the file if it has never been applied
    "#]].assert_eq(&migrations);
    let seeds: String = table[table.len() - 4..]
        .iter()
        .map(|(name, bytes)| format!("{name}: {}\n", shown(load_files(&[("seeds/test.sql", bytes)]))))
        .collect();
    expect![[r#"
        empty: []
        blanks: []
        comments: []
        markers alone: db/seeds/test.sql:1:1: marker outside `migrations/` [M016]; help: remove it, or move the file to `migrations/` and give it a version && db/seeds/test.sql:2:1: marker outside `migrations/` [M016]; help: remove it, or move the file to `migrations/` and give it a version
    "#]].assert_eq(&seeds);
}

#[test]
fn line_ends_change_neither_statements_nor_checksums() {
    let text = "-- migrate:up\nSELECT 'a\nb', $$c\nd$$;\n-- migrate:down\nSELECT 2;\n";
    let set = |text: &str| load_files(&[("migrations/001_x.sql", text.as_bytes())]).unwrap().set;
    assert_eq!(set(text), set(&text.replace('\n', "\r\n")));
}

#[test]
fn a_file_of_50_megabytes_is_taken() {
    let filler = "it is long, é\n".repeat(25 * 1024 * 1024 / 15);
    let text = format!("-- migrate:up\nSELECT $body${filler}$body$; /*{filler}*/\n-- migrate:down\nSELECT 2;\n");
    let set = load_files(&[("migrations/001_x.sql", text.as_bytes())]).unwrap().set;
    assert_eq!(statements(&set).len(), 2);
    assert_eq!(statements(&set)[1], "SELECT 2");
}

/// `up` holds the look-alike; the real down marker follows. Two statements in all, one of them behind it.
#[track_caller]
fn check_look_alike(name: &str, up: &str) {
    let file = |up: &str| format!("-- migrate:up\n{up}\n-- migrate:down\nSELECT 'down';\n");
    for marker in ["-- migrate:up", "-- migrate:down", "--migrate:down transaction:false", "-- Migrate:Up"] {
        let at_the_start = load_files(&[("migrations/001_x.sql", file(&up.replace("MARKER", marker)).as_bytes())]);
        let Loaded { set, warnings, .. } = at_the_start.unwrap_or_else(|problems| panic!("{name}: {problems}"));
        let found = statements(&set);
        assert_eq!((found.len(), found[1]), (2, "SELECT 'down'"), "{name}: {marker}");
        assert!(found[0].contains(marker), "{name}: {found:?}");
        // dbmate knows no literals, and no marker in another case.
        let codes: Vec<&str> = warnings.iter().map(|problem| problem.code.as_str()).collect();
        let expected: &[&str] = if marker.contains('M') { &[] } else { &["M050"] };
        assert_eq!(codes, expected, "{name}: {marker}");
        let indented = up.replace("MARKER", &format!("  {marker}"));
        let loaded = load_files(&[("migrations/001_x.sql", file(&indented).as_bytes())]).unwrap();
        assert_eq!((statements(&loaded.set).len(), loaded.warnings), (2, vec![]), "{name}: indented {marker}");
    }
}

#[test]
fn a_look_alike_in_a_literal_is_no_marker() {
    for (name, up) in [
        ("string", "SELECT 'a\nMARKER\n';"),
        ("string with doubled quotes", "SELECT 'it''s\nMARKER\n''';"),
        ("string that ends in a backslash", "SELECT 'a\nMARKER\n\\', 'b';"),
        ("continued string", "SELECT 'a'\n'\nMARKER\n';"),
        ("escape string", "SELECT E'a\\'\nMARKER\n\\\\';"),
        ("continued escape string", "SELECT E'a'\n'\\'\nMARKER\n';"),
        ("national string", "SELECT N'a\nMARKER\n';"),
        ("string with Unicode escapes", "SELECT U&'\\00e9\nMARKER\n';"),
        ("string with Unicode escapes of its own", "SELECT U&'!00e9\nMARKER\n' UESCAPE '!';"),
        ("identifier", "SELECT 1 AS \"a\nMARKER\n\";"),
        ("identifier with doubled quotes", "SELECT 1 AS \"a\"\"\nMARKER\n\";"),
        ("identifier with Unicode escapes", "SELECT 1 AS U&\"\\00e9\nMARKER\n\";"),
        ("dollar quotes", "SELECT $$\nMARKER\n$$;"),
        ("dollar quotes with a tag", "SELECT $tag$ $$ $other$\nMARKER\n$tag$;"),
        ("dollar quotes with a tag of other letters", "SELECT $é_1$\nMARKER\n$é_1$;"),
        ("nested dollar quotes", "DO $a$ BEGIN EXECUTE $b$SELECT '\nMARKER\n'$b$; END $a$;"),
        ("block comment", "SELECT /*\nMARKER\n*/ 1;"),
        ("nested block comment", "SELECT /* /*\nMARKER\n*/ MARKER\n*/ 1;"),
        ("block comment with quotes", "SELECT /* ' \" $$\nMARKER\n*/ 1;"),
        (
            "atomic body",
            "CREATE FUNCTION f() RETURNS text BEGIN ATOMIC; SELECT '\nMARKER\n'; SELECT CASE WHEN true THEN 'x' END; END;",
        ),
    ] {
        check_look_alike(name, up);
    }
}

#[test]
fn a_marker_in_code_is_one_wherever_the_code_stands() {
    // Outside of literals a marker counts, also in parentheses and in an atomic body: what follows would be cut off.
    for up in [
        "SELECT (1,\n-- migrate:down\n2);",
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1;\n-- migrate:down\nEND;",
    ] {
        let text = format!("-- migrate:up\n{up}\n-- migrate:down\n");
        let said = shown(load_files(&[("migrations/001_x.sql", text.as_bytes())]));
        assert!(said.contains("duplicate `-- migrate:down`") && said.contains("[M013]"), "{said}");
    }
}
