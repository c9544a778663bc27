//! `db/locks.<major>`: what was seen when the migrations were dumped, and what `migrator plan` says of it on another database.

use expect_test::expect;

use crate::support::{Other, Project, fingerprint, major};

const BASE: &str = "CREATE SCHEMA core; CREATE TABLE core.orders (id int PRIMARY KEY, n int, t text);
CREATE INDEX orders_n ON core.orders (n);
CREATE TABLE core.\"odd.name\" (id int) PARTITION BY RANGE (id);
CREATE TABLE core.part1 PARTITION OF core.\"odd.name\" FOR VALUES FROM (0) TO (9000);
CREATE TABLE core.part2 PARTITION OF core.\"odd.name\" FOR VALUES FROM (9000) TO (99999);";

/// A project whose first migration is applied, with 10,000 rows, and whose other ones are pending.
fn project() -> Project {
    let project = Project::new();
    project.file("migrator.toml", "[check]\ndbmate = \"allow\"\n").migration("001_base", BASE, "");
    project.run(&["up"]);
    project.query(
        "INSERT INTO core.orders SELECT n, n, 'x' FROM generate_series(1, 10000) n; \
         INSERT INTO core.\"odd.name\" SELECT generate_series(1, 10000); ANALYZE core.orders; ANALYZE core.part1; ANALYZE core.part2",
    );
    project
        .migration("002_retype", "ALTER TABLE core.orders ALTER COLUMN n TYPE bigint;", "")
        .migration(
            "003_check",
            "ALTER TABLE core.orders ADD CONSTRAINT small CHECK (n < 99999) NOT VALID;\nALTER TABLE core.orders VALIDATE CONSTRAINT small;\n\
             ALTER TABLE core.\"odd.name\" ADD COLUMN x int;",
            "",
        )
        .file(
            "migrations/004_alone.sql",
            "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY orders_t ON core.orders (t);\nVACUUM FULL core.orders;\n\n-- migrate:down\n",
        )
        .migration("005_new", "CREATE TABLE core.fresh (id int);", "")
        .migration("006_on_new", "ALTER TABLE core.fresh ADD COLUMN x int;", "");
    project
}

/// The locks as a dump writes them, in an empty database of their own.
fn locks(project: &Project) -> String {
    let empty = Project::of(&project.db());
    let output = empty.command(&["locks"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn with_locks(project: &Project) -> String {
    let locks = locks(project);
    project.file(&format!("locks.{}", major()), &locks);
    locks
}

/// Without the sizes, which differ from release to release.
fn sizeless(output: &str) -> String {
    let mut text = output.to_owned();
    while let Some(at) = text.find(" kB") {
        let start = text[..at].rfind('(').unwrap();
        text.replace_range(start + 1..at + 3, "SIZE");
    }
    text
}

#[test]
fn every_effect_has_its_line_and_none_depends_on_chance() {
    let project = project();
    let first = locks(&project);
    assert_eq!(first, locks(&project), "two traces of the same migrations differ");
    let text: Vec<String> = first
        .lines()
        .map(|line| match line.split_once('\t') {
            Some((version, rest)) if rest.len() == 64 => format!("{version}\tCHECKSUM"),
            _ => line.replace(&format!("PostgreSQL {}", major()), "PostgreSQL MAJOR"),
        })
        .collect();
    expect![[r##"
        # locks of PostgreSQL MAJOR, format 1; written by `cargo xtask dump`, shown by `migrator plan`
        001	CHECKSUM
        002	CHECKSUM
        002	1	2	AccessExclusiveLock	taken	rewritten,scanned	core.orders
        002	1	2	AccessExclusiveLock	taken	index,rewritten	core.orders_pkey
        002	1	2	AccessExclusiveLock	taken	index,rewritten	core.orders_n
        003	CHECKSUM
        003	1	2	AccessExclusiveLock	taken	-	core.orders
        003	2	3	AccessExclusiveLock	held	scanned	core.orders	small
        003	3	4	AccessExclusiveLock	taken	-	core."odd.name"
        003	3	4	AccessExclusiveLock	taken	-	core.part1
        003	3	4	AccessExclusiveLock	taken	-	core.part2
        004	CHECKSUM
        004	1	2	ShareUpdateExclusiveLock	taken	scanned	core.orders
        004	2	3	AccessExclusiveLock	taken	rewritten	core.orders
        004	2	3	AccessExclusiveLock	taken	index,rewritten	core.orders_n
        004	2	3	AccessExclusiveLock	taken	index,rewritten	core.orders_pkey
        005	CHECKSUM
        006	CHECKSUM
        006	1	2	AccessExclusiveLock	taken	-	core.fresh"##]]
    .assert_eq(&text.join("\n"));
}

/// What a migration seems to do to new tables only is looked at once, at its end; if it has locked others, it starts over.
#[test]
fn what_the_text_does_not_say_is_seen_all_the_same() {
    let project = Project::new();
    project
        .file("migrator.toml", "[check]\ndbmate = \"allow\"\n")
        .migration("001_base", BASE, "")
        .migration("002_there", "CREATE TABLE IF NOT EXISTS core.orders (id int); CREATE INDEX more ON core.orders (t);", "")
        .migration("003_rename", "ALTER SCHEMA core RENAME TO heart;", "")
        .migration("004_comment", "CREATE TABLE heart.fresh (id int); COMMENT ON TABLE heart.orders IS 'x';", "")
        .migration("005_read", "CREATE TABLE heart.copy AS SELECT * FROM heart.orders;", "")
        .migration("006_column", "ALTER TABLE heart.orders ADD COLUMN x int; ALTER TABLE heart.copy ADD COLUMN x int NOT NULL;", "")
        .migration(
            "007_trigger",
            "CREATE FUNCTION heart.f() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN LOCK TABLE heart.orders IN SHARE MODE; END$$; \
             CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION heart.f();",
            "",
        )
        .migration("008_triggered", "CREATE TABLE heart.last (id int);", "")
        .migration("009_plain", "DROP EVENT TRIGGER e;", "")
        .migration("010_new", "CREATE TABLE heart.one (id int PRIMARY KEY); CREATE TABLE heart.two (id int REFERENCES heart.one);", "")
        .migration("011_deferred", "ALTER TABLE heart.two ADD UNIQUE (id) DEFERRABLE INITIALLY DEFERRED; INSERT INTO heart.one VALUES (1); INSERT INTO heart.two VALUES (1);", "");
    let text = locks(&project);
    let effects: Vec<&str> = text.lines().filter(|line| line.matches('\t').count() > 1).collect();
    expect![[r#"
        002	2	2	ShareLock	taken	scanned	core.orders
        004	2	2	ShareUpdateExclusiveLock	taken	-	heart.orders
        006	1	2	AccessExclusiveLock	taken	-	heart.orders
        006	2	2	AccessExclusiveLock	taken	scanned	heart.copy	NOT NULL of x
        008	1	2	ShareLock	taken	-	heart.orders
        011	1	2	AccessExclusiveLock	taken	scanned	heart.two
        011	2	2	RowExclusiveLock	taken	-	heart.one"#]]
    .assert_eq(&effects.join("\n"));
}

#[test]
fn a_plan_says_what_waits_and_for_how_much_without_a_scratch_server() {
    let project = project();
    let without = project.run(&["plan"]);
    with_locks(&project);
    let before = fingerprint(&project);
    let output = project.run(&["plan"]);
    expect![[r#"
        exit 0
        --- stdout
        would apply 002_retype
            statement 1: AccessExclusiveLock on core.orders (SIZE, 10,000 rows), rewritten, scanned: reads and writes wait
            statement 1: AccessExclusiveLock on core.orders_pkey (SIZE), rewritten: reads and writes wait
            statement 1: AccessExclusiveLock on core.orders_n (SIZE), rewritten: reads and writes wait
        would apply 003_check
            statement 1: AccessExclusiveLock on core.orders (SIZE, 10,000 rows): reads and writes wait
            statement 2: AccessExclusiveLock still held on core.orders (SIZE, 10,000 rows), scanned, validates small: reads and writes wait
            statement 3: AccessExclusiveLock on core."odd.name" (SIZE, 10,000 rows): reads and writes wait
            statement 3: AccessExclusiveLock on core.part1 (SIZE, 8,999 rows): reads and writes wait
            statement 3: AccessExclusiveLock on core.part2 (SIZE, 1,001 rows): reads and writes wait
        would apply 004_alone (outside a transaction)
            statement 1: ShareUpdateExclusiveLock on core.orders (SIZE, 10,000 rows), scanned: no one waits
            statement 2: AccessExclusiveLock on core.orders (SIZE, 10,000 rows), rewritten: reads and writes wait
            statement 2: AccessExclusiveLock on core.orders_n (SIZE), rewritten: reads and writes wait
            statement 2: AccessExclusiveLock on core.orders_pkey (SIZE), rewritten: reads and writes wait
        would apply 005_new
            no one waits for an existing relation
        would apply 006_on_new
            no one waits for an existing relation
        plan digest: CHECKSUM
    "#]].assert_eq(&sizeless(&output));
    assert!(output.contains("core.orders (") && output.contains(", 10,000 rows), rewritten"), "{output}");
    assert_eq!(output.lines().last(), without.lines().last(), "the digest is the same");
    assert_eq!(fingerprint(&project), before);
    assert_eq!(project.run(&["up", "--dry-run"]), output);
    let sql = project.run(&["plan", "--sql"]);
    assert!(sql.contains("\n--     statement 1: AccessExclusiveLock on core.orders ("), "{sql}");
}

#[test]
fn programs_read_the_locks_with_the_sizes() {
    let project = project();
    with_locks(&project);
    let output = project.run(&["plan", "--json"]);
    let json = crate::support::schema::result(&output);
    let effect = &json["steps"][0]["statements"][0]["effects"][0];
    assert_eq!((effect["relation"].as_str(), effect["rows"].as_i64()), (Some("core.orders"), Some(10_000)), "{effect}");
    assert!(effect["bytes"].as_i64().is_some_and(|bytes| bytes > 100_000) && effect["rewritten"] == true, "{effect}");
    assert_eq!(json["locks"]["postgresql"], major());
    assert_eq!(json["steps"][3]["statements"], serde_json::json!([]));
}

#[test]
fn a_file_that_does_not_fit_is_named_and_the_plan_is_shown_all_the_same() {
    let project = project();
    let text = with_locks(&project);
    let file = format!("locks.{}", major());
    let said = |project: &Project| {
        let output = project.run(&["plan"]).replace(&file, "locks.MAJOR");
        let (stdout, stderr) = output.split_once("--- stderr\n").unwrap_or((&output, ""));
        assert!(stdout.starts_with("exit 0\n"), "{output}");
        stderr.replace(&format!("locks.{}", major() + 1), "locks.NEXT")
    };
    project.migration("002_retype", "ALTER TABLE core.orders ALTER COLUMN n TYPE numeric;", "");
    expect![[r#"
        the locks of 002_retype, 003_check, 004_alone, 005_new, 006_on_new are not in db/locks.MAJOR, or were seen before one of the migrations up to there was changed: run `cargo xtask dump`, and build again
    "#]].assert_eq(&said(&project));
    project.migration("002_retype", "ALTER TABLE core.orders ALTER COLUMN n TYPE bigint;", "");
    let other = text.replace(&format!("PostgreSQL {}", major()), &format!("PostgreSQL {}", major() + 1));
    project.remove(&file).file(&format!("locks.{}", major() + 1), &other);
    assert!(
        said(&project).starts_with("the locks were seen on PostgreSQL X this is PostgreSQL X"),
        "{}",
        said(&project)
    );
    assert!(project.run(&["plan"]).contains("AccessExclusiveLock on core.orders ("));
}

#[test]
fn a_locked_table_is_not_waited_for() {
    let project = project();
    with_locks(&project);
    let other = Other::new(&project);
    other.run("BEGIN; LOCK TABLE core.orders");
    let begun = std::time::Instant::now();
    let output = project.run(&["plan"]);
    assert!(output.contains("core.orders ("), "{output}");
    assert!(begun.elapsed().as_secs() < 20, "it has waited for the lock");
}

#[test]
fn no_one_waits_for_what_is_not_there() {
    let project = project();
    with_locks(&project);
    let empty = Project::of(&project.db());
    let output = empty.run(&["plan"]);
    assert_eq!(output.matches("no one waits for an existing relation").count(), 6, "{output}");
    project.run(&["up"]);
    assert_eq!(project.run(&["plan"]), "exit 0\n--- stdout\nnothing to apply\n");
}

#[test]
fn of_a_half_done_migration_only_the_rest_is_shown() {
    let project = project();
    let up = |second: &str| {
        format!(
            "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY orders_x ON core.orders (t);\n{second};\n\n-- migrate:down\n"
        )
    };
    for name in ["002_retype", "003_check", "004_alone", "005_new", "006_on_new"] {
        project.remove(&format!("migrations/{name}.sql"));
    }
    project.file("migrations/002_half.sql", &up("ALTER TABLE core.orders ADD COLUMN n int"));
    assert!(project.run(&["up"]).starts_with("exit 3\n"));
    project.file("migrations/002_half.sql", &up("ALTER TABLE core.orders ADD COLUMN m int"));
    with_locks(&project);
    let output = project.run(&["plan"]);
    assert!(output.contains("statement 2: AccessExclusiveLock") && !output.contains("statement 1:"), "{output}");
}
