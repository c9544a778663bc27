//! New columns that would rewrite the table, or for which its rows have no value: added empty, filled in batches, then required.

use migrator_engine::client::literal;

use super::file::{Block, File};
use super::present::present;
use super::ways::{Ways, keys, name, of, parts, take};
use crate::author::backfill::Backfill;
use crate::author::diff::catalog::Catalog;
use crate::author::diff::column::Column;
use crate::author::diff::key::{Key, pieces};
use crate::author::diff::spell;
use crate::author::diff::work::{Act, Statement};

/// What was taken out of the ways.
#[derive(Default)]
pub(super) struct Filled {
    /// The batches, a file each.
    pub(super) backfills: Vec<File>,
    /// Requires the columns that are filled.
    pub(super) required: Option<File>,
    /// What needs columns that are required.
    pub(super) identities: Vec<File>,
    /// What the reader has to decide.
    pub(super) notes: Vec<String>,
}

/// Where the value of the rows that are there comes from.
enum Source {
    /// The default, which is computed for each row.
    Default,
    /// The sequence of an identity.
    Identity,
    /// The reader. The value stands in for it; `None`: there is none that would do.
    Reader(Option<String>),
}

/// The rule about columns whose values are computed for each row.
const COMPUTED: &str = "adding-field-with-default";

/// Takes out what has to be done in steps.
pub(super) fn take_out(ways: &mut Ways<'_>) -> Filled {
    let mut filled = Filled::default();
    for key in keys(&ways.up, Act::Make).into_iter().filter(|key| key.kind == "column") {
        let Some(column) = ways.to.column(&key.object, &key.part).cloned() else { continue };
        let Some(source) = source(ways, &key, &column) else { continue };
        add_empty(ways, &key, &column);
        let by = ordered_key(ways, &key.object);
        let backfill = |value| Backfill { table: &key.object, column: &key.part, value, key: &by };
        let first = match source {
            Source::Default => {
                alter_behind(ways, &key, format!("SET DEFAULT {}", column.value));
                backfill("DEFAULT").batches()
            }
            Source::Identity => {
                filled.identities.push(identity(ways, &key, &column));
                backfill("DEFAULT").batches()
            }
            Source::Reader(Some(value)) => {
                filled.notes.push(note(&key, Some(&value)));
                format!(
                    "-- Decide what the rows that are there get: {} is only the emptiest value.\n{}",
                    value.replace(['\n', '\r'], " "),
                    backfill(&value).batches()
                )
            }
            Source::Reader(None) => {
                filled.notes.push(note(&key, None));
                format!(
                    "-- Decide what the rows that are there get, and write it here (`cargo xtask new --template backfill`).\n{}",
                    Backfill::refusal(&key.object, &key.part)
                )
            }
        };
        let does = File::called("backfill", &key.part);
        filled.backfills.push(File { does, up: Block::alone(vec![first]), ..File::default() });
        if column.required {
            require(ways, &key, filled.required.get_or_insert_default());
        }
    }
    filled
}

/// Requires a column that is filled: each statement has a transaction of its own.
fn require(ways: &mut Ways<'_>, key: &Key, file: &mut File) {
    let present = present(ways, &key.object, &key.part);
    file.does = "require".to_owned();
    file.up.alone = true;
    file.up.statements.extend([present.add, present.validate]);
    file.up.statements.extend(present.set);
    file.down.statements.insert(0, present.unset);
}

/// Says what was written in the place of what no one but the reader knows.
fn note(key: &Key, value: Option<&str>) -> String {
    let Key { object, part, .. } = key;
    match value {
        Some(value) => format!(
            "`{object}.{part}` is required and has no default: rows that are there get {value}, unless you write another value \
             into its backfill"
        ),
        None => format!(
            "`{object}.{part}` is required and has no default: `up` fails where the table has rows, until you write into its \
             backfill what they get"
        ),
    }
}

/// `None`: it can be added at once, or there is no way around it.
fn source(ways: &Ways<'_>, key: &Key, column: &Column) -> Option<Source> {
    let add = of(&ways.up, key, Act::Make).next()?;
    let is_added = add.sql.contains(" ADD COLUMN ") && ways.stays_whole(&key.object);
    // A constraint that could not be put off needs the values at once.
    let needs_values = |of: &Key| {
        let note = ways.to.note(of);
        !note.starts_with("CHECK ") && !note.starts_with("FOREIGN KEY ") && !note.starts_with("NOT NULL ")
    };
    let constraints = || {
        let dependents = ways.to.dependents(key).iter().map(|(dependent, _)| dependent);
        dependents.filter(|dependent| dependent.kind == "constraint")
    };
    let is_stuck = constraints().any(|one| needs_values(one) && of(&ways.up, one, Act::Make).next().is_some());
    if !is_added || column.is_generated() || is_stuck {
        return None;
    }
    if !column.identity.is_empty() {
        return ways.stays(&key.object).then_some(Source::Identity);
    }
    if !column.value.is_empty() {
        return migrator_lint::broken_by(&add.sql).contains(&COMPUTED).then_some(Source::Default);
    }
    let is_free = || constraints().all(|one| ways.to.note(one).starts_with("NOT NULL "));
    let labels = ways.to.labels.get(&column.kind).map_or(&[][..], Vec::as_slice);
    let value = || column.empty_value(labels).filter(|_| is_free());
    column.lacks_value().then(|| Source::Reader(value()))
}

/// Adds the column without anything that concerns the rows.
fn add_empty(ways: &mut Ways<'_>, key: &Key, column: &Column) {
    let plain = Column { value: String::new(), required: false, identity: String::new(), ..column.clone() };
    let add = ways.up.iter_mut().find(|statement| statement.key == *key && statement.act == Act::Make);
    if let Some(add) = add {
        add.sql = format!("ALTER TABLE {} ADD COLUMN {}", key.object, plain.definition(None));
    }
}

/// Puts a change of the column after the statement that adds it.
fn alter_behind(ways: &mut Ways<'_>, key: &Key, what: String) {
    let place = ways.up.iter().position(|statement| statement.key == *key && statement.act == Act::Make);
    let sql = format!("ALTER TABLE {} ALTER COLUMN {} {what}", key.object, key.part);
    let statement = Statement { key: key.clone(), act: Act::Make, sql };
    ways.up.insert(place.map_or(0, |place| place + 1), statement);
}

/// The columns of the primary key by which the rows can be taken one after the other, before and after; none: there is no such key.
fn ordered_key(ways: &Ways<'_>, table: &str) -> Vec<String> {
    let columns = |of: &Catalog| -> Option<Vec<String>> {
        let is_key = |key: &&Key| key.object == table && key.kind == "constraint";
        let mut notes = of.parts(table).filter(is_key).map(|key| of.note(key));
        let rest = notes.find_map(|note| note.strip_prefix("PRIMARY KEY ("))?;
        let columns = pieces(rest, ")").first().copied().unwrap_or_default();
        // A key without overlaps has an index without an order, and says more than the name of a column.
        let columns: Vec<String> = pieces(columns, ", ").into_iter().map(str::to_owned).collect();
        let is_ordered = columns.iter().all(|name| of.column(table, name).is_some());
        is_ordered.then_some(columns)
    };
    let (before, after) = (columns(ways.from), columns(ways.to));
    let is_kept = |name: &String| !ways.up.iter().any(|one| one.key == Key::new(table, "column", name));
    before.filter(|key| after.as_ref() == Some(key) && key.iter().all(is_kept)).unwrap_or_default()
}

/// An identity needs values first: until it is there a sequence of its own counts. Returns the file in which it takes that one's place.
fn identity(ways: &mut Ways<'_>, key: &Key, column: &Column) -> File {
    let Key { object, part, .. } = key;
    let (schema, table) = parts(object);
    let counter = format!("{schema}.{}", name(&[table, part], "_fill"));
    let options = ways.to.relations.get(&column.sequence).map_or("", |sequence| &sequence.sequence);
    let create = format!("CREATE SEQUENCE {counter} {options}");
    let next = format!("SET DEFAULT nextval({}::regclass)", literal(&counter));
    let alter = |what: &str| format!("ALTER TABLE {object} ALTER COLUMN {part} {what}");
    let go_on = |to: &str, from: &str| {
        format!("SELECT pg_catalog.setval({}::regclass, nextval({}::regclass))", literal(to), literal(from))
    };
    let identity = spell::identity(ways.to, object, part).unwrap_or_default();
    let sequence = column.sequence.clone();
    // What is said of the sequence is said when it is there.
    let beside = take(&mut ways.up, |statement| statement.key.object == sequence);
    alter_behind(ways, key, next.clone());
    let before = Statement { key: key.clone(), act: Act::Prepare, sql: create.clone() };
    let place = ways.up.iter().position(|statement| statement.key == *key).unwrap_or_default();
    ways.up.insert(place, before);
    let gone = Statement { key: key.clone(), act: Act::Drop, sql: format!("DROP SEQUENCE {counter}") };
    ways.down.push(gone);
    let mut up = vec![alter("DROP DEFAULT"), alter(&format!("ADD {identity}")), go_on(&sequence, &counter)];
    up.extend(beside);
    up.push(format!("DROP SEQUENCE {counter}"));
    let down = vec![create, go_on(&counter, &sequence), alter("DROP IDENTITY"), alter(&next)];
    File {
        does: File::called("identity", part),
        up: Block::together(up),
        down: Block::together(down),
        harmless: Some("the identity takes its place in the same transaction"),
    }
}
