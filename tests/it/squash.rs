//! `cargo xtask squash`: a baseline for new databases, and the road of those that are older.

mod corpora;
mod judged;
mod older;
mod refused;
mod shop;

use expect_test::expect;
use shop::{Shop, facts};

#[test]
fn a_new_database_begins_with_the_baseline_and_has_the_same_schema() {
    let shop = Shop::of_thirty("squash-new");
    let before = shop.project();
    assert!(before.run(&["up"]).starts_with("exit 0"));
    expect![[r#"
        exit 0
        --- stdout
        db/migrations/020_baseline.sql
        db/squashed.txt
        --- stderr
        moved 20 migrations to db/squashed: databases that are older than 020 still run them
        new databases do without the data of 2 statements
        help: run `cargo xtask verify`, then commit db with all that was moved: `git add --all db`
    "#]]
    .assert_eq(&shop.run("squash --to 020 --drop-data"));
    let new = shop.project();
    let up = new.run(&["up"]);
    assert!(up.starts_with("exit 0") && up.contains("applied 020_baseline"), "{up}");
    assert!(up.contains("applied 11 migrations and 1 repeatable"), "{up}");
    assert_eq!(facts(&new), facts(&before));
    assert!(new.run(&["status", "--check"]).starts_with("exit 0"));
    expect![[r#"
        exit 2
        --- stderr
        error: cannot go to version 007: 020_baseline stands for it, and this database begins there
          = help: go to 020 or a later version; `migrator status` shows them
    "#]]
    .assert_eq(&new.run(&["up", "--to", "7"]));
    expect![[r#"
        exit 2
        --- stderr
        error: cannot go to version 007: 020_baseline stands for it, and this database begins there
          = help: go to 020 or a later version; `migrator status` shows them
    "#]]
    .assert_eq(&new.run(&["down", "--to", "7", "--yes"]));
    expect![[r#"
        exit 8
        --- stderr
        error: cannot roll back 020_baseline: it has no down block
          = note: nothing was rolled back; the file is `db/migrations/020_baseline.sql`
          = help: write its `-- migrate:down` block (you may add it at any time), or write a new migration instead
    "#]]
    .assert_eq(&new.run(&["down", "--to", "0", "--yes"]));
    let list = std::fs::read_to_string(new.db().join("squashed.txt")).unwrap();
    let baseline = std::fs::read_to_string(new.db().join("migrations/020_baseline.sql")).unwrap();
    assert!(!baseline.contains(" OWNER TO "), "the role that applies it owns it: {baseline}");
    assert_eq!(list.lines().filter(|line| !line.starts_with('#')).count(), 20, "{list}");
}

#[test]
fn a_squash_can_be_squashed() {
    let shop = Shop::of_thirty("squash-twice");
    let old = shop.project();
    assert!(old.run(&["up"]).starts_with("exit 0"));
    let at_first = shop.project();
    assert!(at_first.run(&["up", "--to", "6"]).starts_with("exit 0"));
    shop.squash("--to 012 --drop-data");
    let between: Vec<_> = ["12", "17", "24"].map(|version| (version, shop.project())).into();
    for (version, database) in &between {
        assert!(database.run(&["up", "--to", version]).starts_with("exit 0"));
    }
    shop.squash("--to 024 --drop-data");
    let new = shop.project();
    let up = new.run(&["up"]);
    assert!(up.contains("applied 024_baseline") && up.contains("applied 7 migrations"), "{up}");
    assert_eq!(facts(&new), facts(&old));
    for (version, database) in between.iter().chain([&("6", at_first)]) {
        let database = shop.on(database);
        let up = database.run(&["up"]);
        assert!(up.starts_with("exit 0"), "{version}: {up}");
        assert_eq!(facts(&database), facts(&old), "{version}");
        let status = database.run(&["status"]);
        assert!(status.contains("up to date") || status.contains("30 applied"), "{status}");
        assert_eq!(status.contains("012  baseline"), *version != "6", "{status}");
    }
    let on_old = shop.on(&old);
    assert!(on_old.run(&["up"]).contains("nothing to apply"));
    let again = shop.run("squash --to 024");
    assert!(again.starts_with("exit 2") && again.contains("nothing to squash"), "{again}");
    let earlier = shop.run("squash --to 012");
    assert!(earlier.starts_with("exit 2") && earlier.contains("is squashed already"), "{earlier}");
}
