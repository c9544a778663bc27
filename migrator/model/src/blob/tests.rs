use super::*;
use crate::{
    Block, Budget, Environment, Imported, Level, LockTraces, Migration, Options, Origin, ReindexObject, SchemaFacts,
    Script, Settings, Squashed, Statement, StatementKind, Tool,
};

/// Numbers that look random, from a seed.
struct Dice(u64);

impl Dice {
    /// One of `0..end`.
    fn roll(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }

    fn flip(&mut self) -> bool {
        self.roll(2) == 0
    }

    /// A number with any count of digits.
    fn number(&mut self) -> u64 {
        let bits = self.roll(64);
        self.roll(1 << bits)
    }

    fn text(&mut self) -> Text {
        let length = self.roll(9);
        let characters = ['a', '\n', 'ä', '🙂', '"', '\0', ' ', '\u{202e}'];
        (0..length).map(|_| characters[self.roll(8) as usize]).collect::<String>().into()
    }

    fn checksum(&mut self) -> Text {
        match self.roll(4) {
            0 => self.text(),
            1 => "0123456789ABCDEF".repeat(4).into(),
            _ => (0..64).map(|_| char::from(b"0123456789abcdef"[self.roll(16) as usize])).collect::<String>().into(),
        }
    }

    fn list<T: Clone>(&mut self, one: fn(&mut Dice) -> T) -> crate::List<T> {
        let length = self.roll(4);
        (0..length).map(|_| one(self)).collect()
    }

    fn option<T>(&mut self, one: fn(&mut Dice) -> T) -> Option<T> {
        self.flip().then(|| one(self))
    }

    fn range(&mut self) -> std::ops::Range<usize> {
        let (start, length) = (self.roll(1 << 40) as usize, self.roll(300) as usize);
        start..start + length
    }

    fn statement(&mut self) -> Statement {
        let objects = [ReindexObject::Index, ReindexObject::Table, ReindexObject::Schema, ReindexObject::Database];
        let kind = match self.roll(14) {
            0 => StatementKind::Plain,
            1 => StatementKind::Begin,
            2 => StatementKind::Commit,
            3 => StatementKind::Set,
            4 => StatementKind::SetTransaction,
            5 => StatementKind::Alone,
            6 => StatementKind::MayCommit,
            7 => {
                StatementKind::create_index_concurrently(self.text(), self.text(), self.flip(), self.roll(999) as usize)
            }
            8 => StatementKind::drop_index_concurrently(self.text()),
            9 => StatementKind::reindex_concurrently(self.text(), objects[self.roll(4) as usize]),
            10 => StatementKind::detach_concurrently(self.text(), self.text()),
            11 => StatementKind::Idempotent,
            12 => StatementKind::Neutral,
            _ => StatementKind::Concurrently,
        };
        Statement::new(self.range(), kind, self.checksum())
    }

    fn block(&mut self) -> Block {
        let mut options = Options::new().with_transaction(self.flip());
        for name in ["lock_timeout", "statement_timeout"] {
            assert!(options.set_duration(name, self.option(Dice::number)));
        }
        Block::new(self.range(), options, self.list(Dice::statement)).with_destroys(self.list(Dice::text))
    }

    fn migration(&mut self) -> Migration {
        let (number, name, file) = (self.number().cast_signed(), self.text(), self.text());
        let (version, text, checksum) = (self.text(), self.text(), self.checksum());
        Migration::new(version, number, name, file, text, checksum, self.block()).with_down(self.option(Dice::block))
    }

    fn script(&mut self) -> Script {
        Script::new(self.text(), self.text(), self.text(), self.checksum(), self.list(Dice::statement))
            .with_destroys(self.list(Dice::text))
    }

    fn facts(&mut self) -> SchemaFacts {
        SchemaFacts::new(self.roll(99) as i32 - 9, self.text(), self.text())
    }

    fn locks(&mut self) -> LockTraces {
        LockTraces::new(self.roll(99) as i32 - 9, self.text(), self.text())
    }

    fn environment(&mut self) -> Environment {
        let seeds = self.option(|dice| dice.list(Dice::text));
        Environment::new(self.text())
            .with_approval(self.flip())
            .with_backup(self.flip())
            .with_down(self.flip())
            .with_seeds(seeds)
    }

    fn budget(&mut self) -> Budget {
        Budget::new()
            .with_blocks_writes_ms(self.option(Dice::number))
            .with_blocks_reads_ms(self.option(Dice::number))
            .with_rewrites(self.option(Dice::number))
    }

    fn settings(&mut self) -> Settings {
        Settings::new()
            .with_history_schema(self.text())
            .with_history_table(self.text())
            .with_history_writers(self.list(Dice::text))
            .with_lock_timeout_ms(self.number())
            .with_retry_for_ms(self.number())
            .with_statement_timeout_ms(self.number())
            .with_required_headers(self.list(Dice::text))
            .with_start_after(self.option(|dice| dice.number().cast_signed()))
            .with_allow(self.list(Dice::text))
            .with_dbmate([Level::Allow, Level::Warn, Level::Deny][self.roll(3) as usize])
            .with_refuse_ahead(self.flip())
            .with_drift_owners(self.flip())
            .with_drift_ignore(self.list(Dice::text))
            .with_release_tag_pattern(self.option(Dice::text))
            .with_release_queries(self.list(Dice::text))
            .with_release_allow(self.list(Dice::text))
            .with_release_role(self.option(Dice::text))
            .with_budget(self.budget())
            .with_environments(self.list(Dice::environment))
    }

    fn imported(&mut self) -> Imported {
        Imported::new(self.text(), self.text(), self.text(), self.text()).with_checksums(self.list(Dice::text))
    }

    fn origin(&mut self) -> Origin {
        Origin::new(Tool::ALL[self.roll(16) as usize])
            .with_migrations(self.list(Dice::imported))
            .with_repeatables(self.list(Dice::imported))
    }

    fn squashed(&mut self) -> Squashed {
        Squashed::new(self.migration()).with_baseline(self.flip())
    }

    fn set(&mut self) -> Set {
        Set::new(self.checksum())
            .with_migrations(self.list(Dice::migration))
            .with_repeatables(self.list(Dice::script))
            .with_seeds(self.list(Dice::script))
            .with_checks(self.list(Dice::script))
            .with_facts(self.list(Dice::facts))
            .with_locks(self.list(Dice::locks))
            .with_settings(self.settings())
            .with_origin(self.option(Dice::origin))
            .with_squashed(self.list(Dice::squashed))
    }
}

fn blob(table: &[u8], texts: &str) -> &'static Blob {
    Box::leak(Box::new(Blob::new(table.to_vec().leak(), texts.to_owned().leak())))
}

#[test]
fn any_set_is_read_as_it_was_written() {
    for seed in 1..2_000_u64 {
        let set = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)).set();
        let (table, texts) = Blob::write(&set);
        let blob = blob(&table, &texts);
        assert_eq!(blob.set(), Ok(&set), "seed {seed}");
        assert_eq!(blob.summary(), Ok(Summary::of(&set)), "seed {seed}");
    }
}

#[test]
fn what_is_not_whole_is_an_error() {
    let (table, texts) = Blob::write(&Dice(7).set());
    for end in 0..table.len() {
        let error = blob(&table[..end], &texts).set().expect_err("the table is cut");
        assert_eq!(blob(&table[..end], &texts).summary(), Err(error));
    }
    let shorter = |blob: &'static Blob| blob.set().expect_err("it is cut").to_string();
    let cut = shorter(blob(&table[..table.len() - 1], &texts));
    assert!(cut.ends_with(" bytes of their table are there"), "{cut}");
    assert_eq!(
        shorter(blob(&table, "x")),
        format!("the embedded migrations cannot be read: 1 of {} bytes of their texts are there", texts.len())
    );
    assert_eq!(shorter(blob(b"", "")), "the embedded migrations cannot be read: their table does not begin as one");
}

#[test]
fn another_release_is_named() {
    let (mut table, texts) = Blob::write(&Set::new("d".into()));
    let at = MAGIC.len() + 1;
    table[at..at + 5].copy_from_slice(b"9.9.9");
    assert_eq!(
        blob(&table, &texts).set().expect_err("another release").to_string(),
        format!(
            "the embedded migrations cannot be read: migrator-build 9.9.9 has written them, and this is migrator-engine {RELEASE}"
        )
    );
}

#[test]
fn a_byte_that_has_changed_is_noticed() {
    let (table, texts) = Blob::write(&Dice(11).set());
    let mut dice = Dice(13);
    for at in 0..table.len() {
        let mut table = table.clone();
        table[at] ^= 1 + dice.roll(255) as u8;
        assert!(blob(&table, &texts).set().is_err(), "byte {at}");
    }
}

#[test]
fn every_length_of_a_number_is_read() {
    for number in (0..64).map(|bits| 1_u64 << bits).flat_map(|power| [power - 1, power]).chain([u64::MAX]) {
        let mut out = Writer::default();
        number.write(&mut out);
        let source: &'static Source = Box::leak(Box::new(Source { table: out.table.leak(), texts: "" }));
        let mut reader = Reader::new(source);
        assert_eq!(reader.number(), Ok(number));
        assert!(reader.is_at_end());
        assert!(reader.number().is_err());
    }
}
