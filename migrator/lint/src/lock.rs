//! Which locks a statement takes on which objects, as PostgreSQL's tables of locks have it, and who waits for them.
//!
//! The one place that knows: rules ask, and say at most more closely who waits.

use migrator_sql::{
    AlterTable, AlterTableAction, ColumnChange, ConstraintKind, CreateTable, Drop, LockMode, Name, Object, ObjectKind,
    Sql, TableChange,
};

/// One lock that a statement takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lock {
    /// What the locked object is to the statement.
    pub(crate) on: On,
    /// The object as the statement names it.
    pub(crate) object: Object,
    pub(crate) mode: LockMode,
}

/// What is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum On {
    Table,
    /// The other table of a foreign key.
    Referenced,
    Parent,
    Partition,
    /// The index itself; its table is [`On::Table`].
    Index,
    View,
    Sequence,
    Type,
    Domain,
    /// Every table with a column of the domain.
    UsersOfDomain,
    ContentsOfSchema,
    MembersOfExtension,
}

impl On {
    fn words(self) -> &'static str {
        match self {
            On::Table => "the table",
            On::Referenced => "the referenced table",
            On::Parent => "the parent",
            On::Partition => "the partition",
            On::Index => "the index",
            On::View => "the view",
            On::Sequence => "the sequence",
            On::Type => "the type",
            On::Domain => "the domain",
            On::UsersOfDomain => "every table that uses the domain",
            On::ContentsOfSchema => "everything in it",
            On::MembersOfExtension => "everything that belongs to it",
        }
    }
}

/// The locks that a statement takes on objects that were there before it, and keeps to the end of the transaction.
pub(crate) fn of(sql: &Sql<'_>) -> Vec<Lock> {
    use LockMode::{AccessExclusive, Exclusive, RowExclusive, Share, ShareRowExclusive, ShareUpdateExclusive};
    let either = |weak: bool, mode| if weak { ShareUpdateExclusive } else { mode };
    let (on, mode) = match sql {
        Sql::AlterTable(altered) => return of_alter_table(altered),
        Sql::CreateTable(created) => return of_create_table(created),
        Sql::With { main, .. } => return main.as_deref().map(of).unwrap_or_default(),
        Sql::Reindex { name: Some(name), concurrently, .. } => {
            let on_index = locks(On::Index, &[*name], AccessExclusive).into_iter().filter(|_| !concurrently);
            return locks(On::Table, &[*name], either(*concurrently, Share)).into_iter().chain(on_index).collect();
        }
        Sql::CreateIndex(index) => (On::Table, either(index.concurrently, Share)),
        Sql::CreateOnTable(made) if made.kind == ObjectKind::Trigger => (On::Table, ShareRowExclusive),
        Sql::CreateOnTable(_) | Sql::Truncate { .. } | Sql::Cluster { .. } => (On::Table, AccessExclusive),
        Sql::Drop(dropped) if dropped.concurrently => (On::Table, ShareUpdateExclusive),
        Sql::Drop(Drop { kind, .. }) => match of_dropped(*kind) {
            Some(on) => (on, AccessExclusive),
            None => return Vec::new(),
        },
        Sql::Alter { kind: ObjectKind::Index, renames, .. } => (On::Index, either(*renames, AccessExclusive)),
        Sql::Alter { kind, .. } => match of_altered(*kind) {
            Some(on) => (on, AccessExclusive),
            None => return Vec::new(),
        },
        Sql::AlterDomain { constrains: true, not_valid: false, .. } => (On::UsersOfDomain, Share),
        Sql::Lock { mode, .. } => (On::Table, *mode),
        Sql::Insert(_) | Sql::Update(_) | Sql::Delete(_) | Sql::Merge { .. } => (On::Table, RowExclusive),
        Sql::Refresh { concurrently, .. } => (On::View, if *concurrently { Exclusive } else { AccessExclusive }),
        Sql::Vacuum { full, .. } => (On::Table, either(!full, AccessExclusive)),
        _ => return Vec::new(),
    };
    sql.targets().into_iter().map(|object| Lock { on, object, mode }).collect()
}

/// The mode in which a statement locks what it names first, the table of an `ALTER TABLE` for example.
pub(crate) fn on_target(sql: &Sql<'_>) -> Option<LockMode> {
    let targets = sql.targets();
    let target = targets.first()?;
    of(sql).into_iter().filter(|lock| lock.object == *target && lock.on != On::Index).map(|lock| lock.mode).next()
}

fn locks(on: On, names: &[Name<'_>], mode: LockMode) -> Vec<Lock> {
    names.iter().map(|name| Lock { on, object: name.object(), mode }).collect()
}

fn of_dropped(kind: ObjectKind) -> Option<On> {
    Some(match kind {
        ObjectKind::Type => On::Type,
        ObjectKind::Domain => On::Domain,
        ObjectKind::Schema => On::ContentsOfSchema,
        ObjectKind::Extension => On::MembersOfExtension,
        ObjectKind::Index => On::Table,
        _ => return of_altered(kind),
    })
}

/// Relations are locked as they are changed, and tables with what belongs to them; other objects are not.
fn of_altered(kind: ObjectKind) -> Option<On> {
    Some(match kind {
        ObjectKind::Table | ObjectKind::ForeignTable => On::Table,
        ObjectKind::Trigger | ObjectKind::Policy | ObjectKind::Rule => On::Table,
        ObjectKind::View | ObjectKind::MaterializedView => On::View,
        ObjectKind::Sequence => On::Sequence,
        _ => return None,
    })
}

fn of_alter_table(altered: &AlterTable<'_>) -> Vec<Lock> {
    // One lock for all actions, the strongest that one of them needs.
    let mode = altered.actions.iter().map(of_action).max().unwrap_or(LockMode::AccessExclusive);
    let on_table = |on| locks(on, &[altered.table], mode);
    let mut found = Vec::new();
    for action in &altered.actions {
        match action.change {
            TableChange::AttachPartition { partition, .. } => {
                found.extend(locks(On::Partition, &[partition], LockMode::AccessExclusive));
                found.extend(on_table(On::Parent));
            }
            TableChange::DetachPartition { partition, .. } => {
                found.extend(on_table(On::Parent));
                found.extend(locks(On::Partition, &[partition], mode));
            }
            TableChange::Add(element) => {
                found.extend(locks(On::Referenced, element.references().as_slice(), LockMode::ShareRowExclusive));
            }
            _ => {}
        }
    }
    if !found.iter().any(|lock| lock.on == On::Parent) {
        found.splice(0..0, on_table(On::Table));
    }
    found
}

/// What one action of `ALTER TABLE` needs on its table.
fn of_action(action: &AlterTableAction<'_>) -> LockMode {
    match &action.change {
        TableChange::ValidateConstraint(_)
        | TableChange::AttachPartition { .. }
        | TableChange::DetachPartition { concurrently: true, .. }
        | TableChange::DetachPartition { finalize: true, .. }
        | TableChange::StorageParameters
        | TableChange::MarkCluster
        | TableChange::AlterColumn { change: ColumnChange::Statistics, .. } => LockMode::ShareUpdateExclusive,
        TableChange::SwitchTrigger => LockMode::ShareRowExclusive,
        TableChange::Add(element) if element.constraint() == Some(ConstraintKind::ForeignKey) => {
            LockMode::ShareRowExclusive
        }
        _ => LockMode::AccessExclusive,
    }
}

fn of_create_table(created: &CreateTable<'_>) -> Vec<Lock> {
    let own = created.name.object();
    let referenced = created.elements.iter().filter_map(|element| element.references());
    let referenced: Vec<Name<'_>> = referenced.filter(|name| !name.object().is(&own)).collect();
    let parent = locks(On::Parent, created.partition_of.as_slice(), LockMode::AccessExclusive);
    let inherited = locks(On::Parent, created.inherits.as_slice(), LockMode::ShareUpdateExclusive);
    let keys = locks(On::Referenced, &referenced, LockMode::ShareRowExclusive);
    parent.into_iter().chain(inherited).chain(keys).collect()
}

/// Who waits for a mode.
pub(crate) fn waiting(mode: LockMode) -> &'static str {
    match (mode.blocks_reads(), mode.blocks_writes()) {
        (true, _) => "readers and writers wait",
        (false, true) => "writers wait, readers do not",
        (false, false) => "neither readers nor writers wait",
    }
}

/// The locks and who waits for them, for people.
pub(crate) fn sentence(locks: &[Lock]) -> String {
    let Some(strongest) = locks.iter().max_by_key(|lock| lock.mode) else { return "none that lasts".to_owned() };
    let waits = match (strongest.on, strongest.mode) {
        (On::Type | On::Domain | On::Sequence | On::ContentsOfSchema | On::MembersOfExtension, _) => {
            return places(locks);
        }
        (On::View, LockMode::AccessExclusive) => "readers wait",
        (On::UsersOfDomain, LockMode::Share) => "writers wait",
        (_, LockMode::ShareRowExclusive) if is_both_tables(locks) => "their writers wait, readers do not",
        (_, mode) => waiting(mode),
    };
    sentence_with(locks, waits)
}

/// The same where more is known about who waits.
pub(crate) fn sentence_with(locks: &[Lock], waits: &str) -> String {
    if locks.is_empty() { sentence(locks) } else { format!("{}: {waits}", places(locks)) }
}

/// The same for what locks rows beside the table.
pub(crate) fn with_rows(locks: &[Lock]) -> String {
    let places = places(locks);
    format!("{places}, and every row until this transaction ends: other writers of the same row wait")
}

/// The two tables of a foreign key under the same lock.
fn is_both_tables(locks: &[Lock]) -> bool {
    let on = |on: On| locks.iter().find(|lock| lock.on == on).map(|lock| lock.mode);
    on(On::Table).is_some() && on(On::Table) == on(On::Referenced)
}

/// `AccessExclusive on the partition, ShareUpdateExclusive on the parent`
fn places(locks: &[Lock]) -> String {
    if is_both_tables(locks) {
        return format!("{} on both tables", locks[0].mode.name());
    }
    let mut groups: Vec<(LockMode, Vec<&str>)> = Vec::new();
    for lock in locks {
        let on = match lock.on {
            On::Referenced if groups.iter().any(|(_, places)| places.contains(&On::Table.words())) => {
                "the referenced one"
            }
            on => on.words(),
        };
        match groups.iter_mut().find(|(mode, _)| *mode == lock.mode) {
            Some((_, places)) if places.contains(&on) => {}
            Some((_, places)) => places.push(on),
            None => groups.push((lock.mode, vec![on])),
        }
    }
    let groups = groups.iter().map(|(mode, places)| format!("{} on {}", mode.name(), places.join(" and ")));
    groups.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
