use std::collections::BTreeMap;

use super::*;

fn write(path: PathBuf, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Every file with its text, every directory without one.
fn tree(root: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            let text = if path.is_dir() { String::new() } else { fs::read_to_string(&path).unwrap() };
            found.insert(path.strip_prefix(root).unwrap().display().to_string(), text);
            folders.extend(path.is_dir().then_some(path));
        }
    }
    found
}

/// What is in the db directory at first; it differs in what an import has to go around.
#[derive(Debug, Clone, Copy)]
struct Case {
    in_place: bool,
    settings: bool,
    repeatable: bool,
    migrations: bool,
}

impl Case {
    fn all() -> impl Iterator<Item = Case> {
        (0..16_u8).map(|bits| Case {
            in_place: bits & 1 > 0,
            settings: bits & 2 > 0,
            repeatable: bits & 4 > 0,
            migrations: bits & 8 > 0,
        })
    }

    fn import(self) -> Import {
        Import { tool: "sqlx".to_owned(), in_place: self.in_place }
    }

    /// A db directory, and a complete stage in it.
    fn make(self) -> (TempDir, TempDir) {
        let db = tempfile::tempdir().unwrap();
        let old = |path: &str| write(db.path().join(path), &format!("old {path}"));
        if self.settings {
            old("migrator.toml");
        }
        if self.repeatable {
            old("repeatable/w.sql");
        }
        if self.migrations || self.in_place {
            ["migrations/.gitkeep", "migrations/README.md", "migrations/notes/a.txt"].into_iter().for_each(old);
        }
        if self.in_place {
            ["migrations/1_a.up.sql", "migrations/1_a.down.sql"].into_iter().for_each(old);
        }
        let stage = tempfile::Builder::new().prefix(STAGE).tempdir_in(db.path()).unwrap();
        for path in ["migrator.toml", "imported.toml", "migrations/1_a.sql", "migrations/2_b.sql", "repeatable/v.sql"] {
            write(stage.path().join("db").join(path), &format!("new {path}"));
        }
        (db, stage)
    }

    /// The db directory without a stage: as it was, and as it has to be.
    fn before_and_after(self) -> [BTreeMap<String, String>; 2] {
        let (db, stage) = self.make();
        drop(stage);
        let before = tree(db.path());
        let (db, stage) = self.make();
        all(stage, db.path(), &self.import()).unwrap();
        [before, tree(db.path())]
    }
}

/// The steps of a case, of which the first `number` are done; then the process is gone.
fn killed_after(case: Case, number: usize) -> (TempDir, PathBuf, Vec<Step>, usize) {
    let (db, stage) = case.make();
    prepare(stage.path(), db.path(), &case.import()).unwrap();
    let stage = stage.keep();
    let mut steps = steps(&stage, db.path(), &case.import()).unwrap();
    let count = steps.len();
    steps.truncate(number);
    let mut done = Vec::new();
    advance(steps, &mut done).unwrap();
    (db, stage, done, count)
}

#[test]
fn an_import_keeps_all_that_was_there() {
    for case in Case::all() {
        let [before, after] = case.before_and_after();
        for (path, text) in &before {
            let moved = case.in_place && path.starts_with("migrations/") && path != "migrations/.gitkeep";
            let path = if moved { path.replace("migrations/", "imported-from-sqlx/") } else { path.clone() };
            let text = if path == "migrator.toml" { "new migrator.toml" } else { text };
            assert_eq!(after.get(&path).map(String::as_str), Some(text), "{case:?}: {path}");
        }
        for path in ["migrator.toml", "imported.toml", "migrations/1_a.sql", "migrations/2_b.sql", "repeatable/v.sql"] {
            assert_eq!(after[path], format!("new {path}"), "{case:?}");
        }
        assert!(after.keys().all(|path| !path.starts_with(STAGE)), "{case:?}: {after:?}");
        assert!(!after.contains_key("imported-from-sqlx/.gitkeep"), "{case:?}: {after:?}");
    }
}

#[test]
fn an_import_that_is_killed_anywhere_is_finished_or_has_not_begun() {
    for case in Case::all() {
        let [before, after] = case.before_and_after();
        let (.., count) = killed_after(case, 0);
        for number in 0..=count {
            let (db, stage, ..) = killed_after(case, number);
            let untouched = tree(db.path());
            assert_eq!(recover(db.path(), true).is_err(), number > 0, "{case:?} {number}");
            assert_eq!(tree(db.path()), untouched, "{case:?} {number}");
            let left = recover(db.path(), false).unwrap();
            let expected = if number == 0 { Left::Removed(stage) } else { Left::Finished(case.import()) };
            assert_eq!(left, expected, "{case:?} {number}");
            assert_eq!(&tree(db.path()), if number == 0 { &before } else { &after }, "{case:?} {number}");
            assert_eq!(recover(db.path(), false).unwrap(), Left::Nothing);
        }
    }
}

#[test]
fn steps_are_taken_back_and_that_may_be_killed_too() {
    for case in Case::all() {
        let [before, after] = case.before_and_after();
        let (.., count) = killed_after(case, 0);
        for number in 0..=count {
            let (db, stage, done, _) = killed_after(case, number);
            undo(&stage, db.path(), &done).unwrap();
            remove(&stage).unwrap();
            assert_eq!(tree(db.path()), before, "{case:?} {number}");
            // Killed before the first step is taken back, and when the old settings are not in place again.
            let (db, _, done, _) = killed_after(case, number);
            for step in done.iter().skip(1).rev() {
                rename(&step.to, &step.from).unwrap();
            }
            if let Some(first) = done.first() {
                let copy = tempfile::tempdir().unwrap();
                assert!(
                    std::process::Command::new("cp")
                        .arg("-a")
                        .arg(db.path())
                        .arg(copy.path())
                        .status()
                        .unwrap()
                        .success()
                );
                let copy = copy.path().join(db.path().file_name().unwrap());
                recover(&copy, false).unwrap();
                assert_eq!(tree(&copy), after, "{case:?} {number}");
                rename(&first.to, &first.from).unwrap();
            }
            recover(db.path(), false).unwrap();
            assert_eq!(tree(db.path()), before, "{case:?} {number}");
        }
    }
}

#[test]
fn what_cannot_be_finished_has_not_begun() {
    for case in Case::all() {
        let [before, _] = case.before_and_after();
        for in_the_way in ["imported.toml", "repeatable/v.sql"] {
            let (db, stage) = case.make();
            let path = db.path().join(in_the_way);
            write(path.clone(), "old");
            let error = all(stage, db.path(), &case.import()).unwrap_err();
            assert!(format!("{error:#}").contains(in_the_way), "{error:#}");
            assert_eq!(fs::read_to_string(&path).unwrap(), "old");
            fs::remove_file(path).unwrap();
            let _ = fs::remove_dir(db.path().join("repeatable"));
            assert_eq!(tree(db.path()), before, "{case:?}");
        }
    }
}

#[test]
fn what_has_come_since_is_neither_replaced_nor_removed() {
    let case = Case { in_place: true, settings: true, repeatable: false, migrations: true };
    // Everything but the new migrations is in place; then the originals are checked out again.
    let (.., count) = killed_after(case, 0);
    let (db, ..) = killed_after(case, count - 1);
    write(db.path().join("migrations/1_a.up.sql"), "again");
    let before = tree(db.path());
    let error = format!("{:#}", recover(db.path(), false).unwrap_err());
    assert!(error.contains("is in the way\nhelp: move it away"), "{error}");
    assert_eq!(tree(db.path()), before);
    // A directory that is only called like a stage is none.
    let db = tempfile::tempdir().unwrap();
    write(db.path().join(".import-abcdef/mine"), "mine");
    write(db.path().join(".import-of-mine/db/x"), "mine");
    assert_eq!(recover(db.path(), false).unwrap(), Left::Nothing);
    assert_eq!(tree(db.path()).len(), 5);
}

#[test]
fn a_stage_may_be_half_removed() {
    let case = Case { in_place: true, settings: true, repeatable: true, migrations: true };
    let [before, after] = case.before_and_after();
    let (.., count) = killed_after(case, 0);
    let (db, stage, ..) = killed_after(case, count);
    fs::remove_dir_all(stage.join("db")).unwrap();
    assert_eq!(recover(db.path(), false).unwrap(), Left::Finished(case.import()));
    assert_eq!(tree(db.path()), after);
    // One that has not begun is without its plan before anything else is gone.
    let (db, stage, ..) = killed_after(case, 0);
    fs::remove_file(stage.join(PLAN)).unwrap();
    fs::remove_dir_all(stage.join("db")).unwrap();
    assert_eq!(recover(db.path(), false).unwrap(), Left::Removed(stage));
    assert_eq!(tree(db.path()), before);
}

#[test]
fn a_stage_without_a_plan_is_removed() {
    let case = Case { in_place: true, settings: true, repeatable: true, migrations: true };
    let [before, _] = case.before_and_after();
    let (db, stage) = case.make();
    let stage = stage.keep();
    assert_eq!(recover(db.path(), false).unwrap(), Left::Removed(stage));
    assert_eq!(tree(db.path()), before);
}

#[test]
fn one_import_at_a_time() {
    let db = tempfile::tempdir().unwrap();
    let first = lock(db.path()).unwrap();
    assert!(lock(db.path()).unwrap_err().to_string().contains("another import"));
    drop(first);
    lock(db.path()).unwrap();
}
