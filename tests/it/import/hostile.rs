//! Directories of others: links, pipes, names that command a terminal, other encodings, 10,000 files.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::process::Command;

use expect_test::expect;

use super::{Import, tree};

#[test]
fn what_is_no_plain_file_is_named_and_not_followed() {
    let import = Import::of(&[("1_a.sql", "SELECT 1;\n")]);
    let path = |name: &str| import.source.path().join(name);
    std::os::unix::fs::symlink("/etc/passwd", path("2_b.sql")).unwrap();
    std::os::unix::fs::symlink("/", path("root")).unwrap();
    std::os::unix::fs::symlink("gone", path("3_c.sql")).unwrap();
    assert!(Command::new("mkfifo").arg(path("4_d.sql")).status().unwrap().success());
    let _socket = std::os::unix::net::UnixListener::bind(path("5_e.sql")).unwrap();
    fs::create_dir(path("6_f.sql")).unwrap();
    fs::write(path("7_g\n::error::\u{1b}[2J.sql"), "SELECT 1;\n").unwrap();
    fs::write(import.source.path().join(std::ffi::OsStr::from_bytes(b"8_\xff.sql")), "SELECT 1;\n").unwrap();
    fs::File::create(path("9_h.sql")).unwrap().set_len(1 << 30).unwrap();
    expect![[r#"
        exit 1
        --- stderr
        error: 2_b.sql: it is a symbolic link, which is not followed
        error: 3_c.sql: it is a symbolic link, which is not followed
        error: 4_d.sql: it is not a plain file
        error: 5_e.sql: it is not a plain file
        error: 7_g\n::error::\u{1b}[2J.sql: its name is not plain text: rename it
        error: 8_�.sql: its name is not plain text: rename it
        error: 9_h.sql: it is 1 GiB or larger, which is more than the server accepts
        error: root: it is a symbolic link, which is not followed
        error: nothing was imported: 8 errors
        help: change these files, or leave them out with `--skip FILE`
    "#]]
    .assert_eq(&import.run("sqlx", &[]).lines().map(|line| format!("{line}\n")).collect::<String>());
    assert!(tree(&import.project.db()).is_empty());
    // What is left out is told on one line, too.
    let import = Import::of(&[("1_a.sql", "SELECT 1;\n"), (".7_g\nerror: forged", "")]);
    let said = import.run("sqlx", &["--dry-run"]);
    assert!(said.contains("\nleft out: .7_g\\nerror: forged: hidden\n"), "{said}");
    let said = import.run("sqlx", &["--skip", "x\nerror: forged"]);
    assert!(said.contains("error: `--skip x\\nerror: forged`: there is nothing"), "{said}");
}

#[test]
fn other_encodings_are_converted_where_nothing_is_lost() {
    let import = Import::with_database(&[("1_a.sql", "\u{feff}CREATE TABLE \"ä\" (id int);\r\n")]);
    let utf16: Vec<u8> = "\u{feff}ALTER TABLE \"ä\" ADD b int;\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    fs::write(import.source.path().join("2_b.sql"), utf16).unwrap();
    expect![[r#"
        exit 0
        --- stdout
        migrations/1_a.sql <- 1_a.sql
            byte order mark removed
            line ends converted from CRLF to LF
        migrations/2_b.sql <- 2_b.sql
            converted from UTF-16LE to UTF-8
            line ends converted from CRLF to LF
        imported 2 migrations of sqlx; versions kept
        --- stderr
        db/migrator.toml: `[check] start_after = "2"`: hazards are looked for in later migrations only
        next: `cargo xtask verify`; then `migrator adopt sqlx` on every database that sqlx has migrated
    "#]]
    .assert_eq(&import.run("sqlx", &[]));
    assert!(import.project.run(&["up", "--quiet"]).starts_with("exit 0"));
    assert_eq!(
        import.project.query("SELECT count(*) FROM pg_attribute WHERE attrelid = '\"ä\"'::regclass AND attnum > 0"),
        "2\n"
    );
    fs::write(import.source.path().join("3_c.sql"), b"SELECT 1;\nSELECT '\xe4';\n").unwrap();
    fs::write(import.source.path().join("4_d.sql"), b"SELECT 1;\0\n").unwrap();
    let other = Import::of(&[]);
    let said = other.from(import.source.path(), "sqlx", &[]);
    expect![[r#"
        exit 1
        --- stderr
        error: 3_c.sql:2: the byte 0xE4 is not UTF-8, and nothing says which encoding it is
        error: 4_d.sql:1: it has a NUL byte, which PostgreSQL X not accept
        error: nothing was imported: 2 errors
        help: change these files, or leave them out with `--skip FILE`
    "#]]
    .assert_eq(&said);
}

#[test]
fn old_mistakes_are_kept_and_marked() {
    let import = Import::of(&[
        (
            "1_a.up.sql",
            "CREATE TABLE a (id int);\nSELECT * FROM GRAPH_TABLE (g MATCH (a)-[b]->(c) COLUMNS (a.x)) WHERE ;\n",
        ),
        ("1_a.down.sql", "DROP TABLE a CASCAD E;\n"),
        ("2_b.up.sql", "ALTER TABLE a ADD b int;\n-- migrate:down\n"),
        ("2_b.down.sql", "SELECT 'never ended;\n"),
        ("3_c.up.sql", "ALTER TABLE a ADD c int\n"),
        ("3_c.down.sql", "\\echo psql\nROLLBACK;\n"),
    ]);
    let files = import.files("sqlx", &[]);
    let shown: String =
        files.iter().filter(|(path, _)| path.starts_with("migrations/")).map(|(_, text)| text.as_str()).collect();
    expect![[r#"
        -- Imported from sqlx: 1_a.up.sql, 1_a.down.sql
        -- migrate:up
        -- migrate:unchecked sqlx has run it as it is; our parser: expected an expression, found the end of the statement
        CREATE TABLE a (id int);
        SELECT * FROM GRAPH_TABLE (g MATCH (a)-[b]->(c) COLUMNS (a.x)) WHERE ;

        -- migrate:down
        -- migrate:unchecked sqlx has run it as it is; our parser: expected `,`
        DROP TABLE a CASCAD E;
        -- Imported from sqlx: 2_b.up.sql, 2_b.down.sql
        -- migrate:up
        ALTER TABLE a ADD b int;
        -- imported: -- migrate:down

        -- migrate:down
        -- SELECT 'never ended;
        -- Imported from sqlx: 3_c.up.sql, 3_c.down.sql
        -- migrate:up
        ALTER TABLE a ADD c int

        -- migrate:down
        -- \echo psql
        -- ROLLBACK;
    "#]].assert_eq(&shown);
}

#[test]
fn ten_thousand_files_take_seconds() {
    let import = Import::of(&[]);
    for number in 1..=5_000 {
        let name = |direction: &str| import.source.path().join(format!("{number:06}_t{number}.{direction}.sql"));
        fs::write(name("up"), format!("CREATE TABLE t{number} (id bigint PRIMARY KEY, name text NOT NULL);\n"))
            .unwrap();
        fs::write(name("down"), format!("DROP TABLE t{number};\n")).unwrap();
    }
    let said = import.run("sqlx", &[]);
    assert!(
        said.contains("imported 5000 migrations of sqlx; versions kept\n"),
        "{}",
        &said[said.len().saturating_sub(2_000)..]
    );
    assert_eq!(tree(&import.project.db()).len(), 5_002);
}

#[test]
fn a_file_of_forty_thousand_statements_takes_seconds() {
    let text: String = (0..40_000).map(|number| format!("INSERT INTO a VALUES ({number}, 'some text');\n")).collect();
    let import = Import::of(&[("V1__a.sql", &text)]);
    let start = std::time::Instant::now();
    let output = import.run("flyway", &["--dry-run"]);
    assert!(output.contains("would import 1 migration of Flyway"), "{output}");
    // Counting the lines above each statement took minutes.
    assert!(start.elapsed().as_secs() < 30, "{:?}", start.elapsed());
}
