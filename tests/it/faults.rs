//! What goes wrong on the server.

use expect_test::expect;

use crate::support::Project;

#[test]
fn a_constraint_that_fails_at_commit_stops_what_is_queued_behind_it() {
    let project = Project::new();
    project.tables(1).migration(
        "002_orders",
        "CREATE TABLE customers (id int PRIMARY KEY);\nCREATE TABLE orders (customer int REFERENCES customers DEFERRABLE INITIALLY DEFERRED);",
        "",
    );
    let orphan = "INSERT INTO orders VALUES (1);";
    project.migration("003_orphan", orphan, "");
    for version in 4..=9 {
        project.migration(&format!("00{version}_later"), &format!("CREATE TABLE later{version} ();"), "");
    }
    expect![[r#"
        exit 3
        --- stdout
        applied 001_t1 (N ms)
        applied 002_orders (N ms)
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
        error: migration 003_orphan failed and was rolled back: at COMMIT: insert or update on table "orders" violates foreign key constraint "orders_customer_fkey" [23503]
          = note: DETAIL: Key (customer)=(1) is not present in table "customers".
          = note: applied before it in this run: 001_t1, 002_orders. Not run: 004_later, 005_later, 006_later and 3 more.
          = help: correct the file (it has never been applied, so it may be edited), build, and run `up` again
    "#]].assert_eq(&project.run(&["up"]));
    assert_eq!(project.query("SELECT string_agg(version, ',' ORDER BY version) FROM schema_migrations"), "001,002\n");
    assert_eq!(project.query("SELECT count(*) FROM pg_class WHERE relname ~ '^later'"), "0\n");
    project.migration("003_orphan", &format!("INSERT INTO customers VALUES (1);\n{orphan}"), "");
    assert!(project.run(&["up"]).starts_with("exit 0"));
}
