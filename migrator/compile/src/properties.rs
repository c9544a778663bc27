//! What is true for every file, however odd: nothing panics, nothing is lost, and what was written is read.

use proptest::prelude::*;

use migrator_model::{Block, Settings};
use migrator_sql::lex;

use crate::file::Folder;
use crate::read::encoding;
use crate::read::names;
use crate::read::settings;
use crate::source::Source;
use crate::{checksum, load_file, migration, script};

/// Everything that happens to a file between its bytes and its problems.
fn read_file(bytes: Vec<u8>) {
    let Ok(source) = encoding::decode("db/migrations/001_x.sql", bytes) else { return };
    let name = names::migration("x", "001_x.sql").unwrap();
    let settings = Settings::new().with_required_headers(vec!["Purpose".into()].into());
    let mut problems = Vec::new();
    settings::read(&source, &[], &mut problems);
    for folder in [Folder::Checks, Folder::Seeds, Folder::Repeatable] {
        script::read("x".to_owned(), source.clone(), folder, &mut problems);
    }
    let text = source.text.clone();
    if let Some(migration) = migration::read(name, source, &settings, &Default::default(), None, &mut problems) {
        assert_complete(&text, &migration.up);
        migration.down.iter().for_each(|down| assert_complete(&text, down));
    }
    for problem in problems {
        assert!(!problem.to_string().contains('\n'), "{problem:?}");
        problem.render(true);
    }
}

/// The statements and the gaps between them are the block, and nothing but semicolons, white space and comments is in
/// the gaps.
fn assert_complete(text: &str, block: &Block) {
    let mut joined = String::new();
    let mut at = block.range.start;
    let gap = |gap: &str| assert!(lex(gap).tokens.iter().all(|token| token.text(gap) == ";"), "{gap:?} in {text:?}");
    for statement in block.statements.iter() {
        gap(&text[at..statement.range.start]);
        let statement_text = &text[statement.range.clone()];
        assert!(!statement_text.starts_with(char::is_whitespace), "{text:?}");
        joined.push_str(&text[at..statement.range.start]);
        joined.push_str(statement_text);
        at = statement.range.end;
    }
    gap(&text[at..block.range.end]);
    joined.push_str(&text[at..block.range.end]);
    assert_eq!(joined, text[block.range.clone()]);
}

/// Pieces of SQL, markers, options, quotes and comments in any order.
fn soup() -> impl Strategy<Value = String> {
    let pieces = [
        r"-- migrate:(up|down|unchecked|Up)",
        r"transaction:false|lock_timeout:5s|statement_timeout:[0-9]{1,12}(ms|s|min|h|d)",
        r"\n|\n--|/\*|\*/|\\|\\\.\n|;",
        r#"[ ;'"$\\éx(){}=\[\]\t\r東-]"#,
        r#"\$a\$|\$\$|E'|U&'|U&"|N'|B'|X'|1\.5e-3|\$1|<=|@-|::"#,
        r"begin |commit |set |role |reset |search_path |create index concurrently |copy |from |stdin|select |with ",
        r"create function |begin atomic |case |end |do |call |temp |table |savepoint |vacuum |into |for update ",
    ];
    let piece = pieces.map(|piece| proptest::string::string_regex(piece).unwrap());
    proptest::collection::vec(proptest::strategy::Union::new(piece), 0..60).prop_map(|pieces| pieces.concat())
}

/// One block of a migration before it is written.
#[derive(Debug, Clone)]
struct Model {
    transaction: bool,
    lock_timeout: Option<(&'static str, u64)>,
    statement_timeout: Option<(&'static str, u64)>,
    /// Each a list of tokens.
    statements: Vec<Vec<String>>,
}

impl Model {
    /// The block as a person may write it: `layout` has what comes between two tokens.
    fn write(&self, marker: &str, layout: &mut impl Iterator<Item = &'static str>) -> String {
        let mut text = marker.to_owned();
        let mut options: Vec<String> = Vec::new();
        options.extend((!self.transaction).then(|| "transaction:false".to_owned()));
        options.extend(self.lock_timeout.map(|(written, _)| format!("lock_timeout:{written}")));
        options.extend(self.statement_timeout.map(|(written, _)| format!("statement_timeout:{written}")));
        for (index, option) in options.iter().enumerate() {
            text.push_str(if index % 2 == 0 { " " } else { "\t  " });
            text.push_str(option);
        }
        text.push('\n');
        for (index, tokens) in self.statements.iter().enumerate() {
            for token in tokens {
                text.push_str(layout.next().unwrap());
                text.push_str(token);
            }
            text.push_str(layout.next().unwrap());
            if index + 1 < self.statements.len() || index % 2 == 0 {
                text.push(';');
            }
        }
        text + "\n"
    }

    fn assert_read(&self, text: &str, block: &Block) {
        assert_eq!(block.options.transaction, self.transaction, "{text}");
        assert_eq!(block.options.lock_timeout_ms, self.lock_timeout.map(|(_, ms)| ms), "{text}");
        assert_eq!(block.options.statement_timeout_ms, self.statement_timeout.map(|(_, ms)| ms), "{text}");
        let tokens = |statement: &str| -> Vec<String> {
            lex(statement).tokens.iter().map(|token| token.text(statement).to_owned()).collect()
        };
        let read: Vec<Vec<String>> =
            block.statements.iter().map(|statement| tokens(&text[statement.range.clone()])).collect();
        assert_eq!(read, self.statements, "{text}");
    }

    /// The checksum of the same tokens with one space between them.
    fn checksum(&self) -> String {
        let plain: Vec<String> = self.statements.iter().map(|tokens| tokens.join(" ")).collect();
        let plain = plain.join(";");
        checksum::statements(&migrator_sql::split(&plain, &lex(&plain).tokens))
    }
}

fn token() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z][a-z0-9_]{0,8}".prop_filter("opens a body", |word| word != "case" && word != "end"),
        r#""[a-zé; \n-]{0,6}""#,
        "'[a-zé; \n-]{0,6}'",
        r"E'([a-z;]|\\'|''){0,4}'",
        r"\$t\$[a-z;' \n-]{0,8}\$t\$",
        r"U&'[a-z;]{0,3}'",
        "[0-9]{1,5}",
        r"\$[1-9]",
        "<=|@>|=|\\*|\\|\\|",
        "[,.]",
    ]
    .prop_map(|token| token)
}

/// Statements, also with semicolons that end no statement: in parentheses and in an atomic body.
fn statement() -> impl Strategy<Value = Vec<String>> {
    let tokens = || proptest::collection::vec(token(), 1..6);
    let between = |before: &str, tokens: Vec<String>, after: &str| -> Vec<String> {
        before.split(' ').map(str::to_owned).chain(tokens).chain(after.split(' ').map(str::to_owned)).collect()
    };
    prop_oneof![
        4 => tokens(),
        1 => tokens().prop_map(move |tokens| between("create rule r do (", tokens, "; a )")),
        1 => tokens().prop_map(move |tokens| between("create function f begin atomic", tokens, "; case x end ; end")),
    ]
}

fn block() -> impl Strategy<Value = Model> {
    let duration = || {
        proptest::option::of(proptest::sample::select(vec![
            ("0", 0),
            ("250ms", 250),
            ("5s", 5_000),
            ("10min", 600_000),
            ("1h", 3_600_000),
        ]))
    };
    (any::<bool>(), duration(), duration(), proptest::collection::vec(statement(), 0..5)).prop_map(
        |(transaction, lock_timeout, statement_timeout, statements)| Model {
            transaction,
            lock_timeout,
            statement_timeout,
            statements,
        },
    )
}

/// What may come between two tokens; not a line end, so that no string continues another.
fn layout() -> impl Strategy<Value = Vec<&'static str>> {
    let between = [" ", "\t", "  ", " /* a; 'b */ ", "/*-- migrate:down*/", " /* /* */ $$ */ "];
    proptest::collection::vec(proptest::sample::select(between.to_vec()), 1..12)
}

proptest! {
    #[test]
    fn takes_any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
        for path in ["migrations/001_x.sql", "seeds/x.sql", "checks/x.sql", "repeatable/x.sql", "migrator.toml"] {
            let _ = load_file(path, &bytes);
        }
        read_file(bytes);
    }

    #[test]
    fn takes_any_text_and_loses_none_of_it(text in soup()) {
        read_file(text.clone().into_bytes());
        read_file(format!("-- migrate:up\n{text}\n-- migrate:down\n{text}").into_bytes());
    }

    #[test]
    fn reads_what_was_written(
        up in block(),
        down in proptest::option::of(block()),
        head in proptest::collection::vec(proptest::sample::select(vec!["\n", " \t\n", "-- Purpose: x\n", "--\n"]), 0..4),
        layout in layout(),
    ) {
        let mut layout = layout.into_iter().cycle();
        let mut text = head.concat();
        text.push_str(&up.write("-- migrate:up", &mut layout));
        if let Some(down) = &down {
            text.push_str(&down.write("--\tmigrate:down", &mut layout));
        }
        let name = names::migration("x", "007_some-name.sql").unwrap();
        let mut problems = Vec::new();
        let migration = migration::read(name, Source::new("x", text.as_str()), &Settings::default(), &Default::default(), None, &mut problems).unwrap();
        prop_assert_eq!((&*migration.version, migration.number, &*migration.name), ("007", 7, "some-name"));
        up.assert_read(&text, &migration.up);
        prop_assert_eq!(migration.checksum, up.checksum());
        let down = down.filter(|down| !down.statements.is_empty());
        prop_assert_eq!(down.is_some(), migration.down.is_some());
        if let (Some(down), Some(read)) = (down, migration.down) {
            down.assert_read(&text, &read);
        }
    }
}
