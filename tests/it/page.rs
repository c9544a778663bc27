//! The pages that `verify --html` and `plan --locks --html` write, as a browser shows them.
#![expect(clippy::print_stderr, reason = "what does not run is said, not passed over in silence")]

use std::fs;
use std::path::Path;
use std::process::Command;

use expect_test::expect;
use serde_json::{Value, json};

use crate::support::{Project, server};

/// Put behind the page: what the browser makes of it.
const PROBE: &str = include_str!("page_probe.js");

/// Put before everything else: nothing that goes wrong may be missed.
const ALARM: &str = r#"<script>
window.errors = [];
window.addEventListener("error", (event) => window.errors.push(String(event.message)), true);
window.addEventListener("unhandledrejection", (event) => window.errors.push(String(event.reason)));
document.addEventListener("securitypolicyviolation", (event) => window.errors.push("refused " + event.blockedURI));
</script>"#;

/// Around the page: writes down what the probe says.
const FRAME: &str = r#"<!DOCTYPE html><iframe src="page.html" style="width: WIDTHpx; height: 900px; border: 0"></iframe><script>
window.addEventListener("message", (event) => {
  const probe = document.createElement("pre");
  probe.id = "probe";
  probe.textContent = event.data;
  document.body.append(probe);
});
</script>"#;

/// Opens the page in a window of that width and returns what the probe has seen. `None`: this is not the place for it.
fn in_browser(page: &Path, width: u32) -> Option<Value> {
    if std::env::var_os("MIGRATOR_TEST_CHROMIUM").is_none() {
        eprintln!("not run: without MIGRATOR_TEST_CHROMIUM=1 no browser is started (.ci/run sets it)");
        return None;
    }
    let text = fs::read_to_string(page).unwrap();
    let text = text
        .replacen("<meta charset", &format!("{ALARM}<meta charset"), 1)
        .replace("</body>", &format!("<script>{PROBE}</script></body>"));
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("page.html"), text).unwrap();
    // No window of a browser is as narrow as a telephone; a frame is.
    let frame = directory.path().join("frame.html");
    fs::write(&frame, FRAME.replace("WIDTH", &width.to_string())).unwrap();
    let mut browser = Command::new("chromium");
    browser.args([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--virtual-time-budget=5000",
        "--dump-dom",
    ]);
    browser.arg("--window-size=1600,1000");
    browser.arg(format!("--user-data-dir={}", directory.path().join("profile").display()));
    let output = browser.arg(format!("file://{}", frame.display())).output().expect("chromium");
    let dom = String::from_utf8_lossy(&output.stdout);
    let json = dom.split_once("<pre id=\"probe\">").and_then(|(_, rest)| rest.split_once("</pre>"));
    let (json, _) =
        json.unwrap_or_else(|| panic!("the probe said nothing: {dom}\n{}", String::from_utf8_lossy(&output.stderr)));
    Some(serde_json::from_str(&json.replace("&gt;", ">").replace("&lt;", "<").replace("&amp;", "&")).unwrap())
}

/// A history with everything that a page can show.
fn shop() -> Project {
    let project = Project::new();
    project
        .migration(
            "001_init",
            "CREATE SCHEMA shop;\nCREATE TABLE shop.orders (id bigint PRIMARY KEY, total int, status text);\n\
             CREATE TABLE shop.customers_of_every_country_that_there_is (id bigint PRIMARY KEY, email text);",
            "DROP SCHEMA shop CASCADE;",
        )
        .migration(
            "002_many",
            "ALTER TABLE shop.orders ALTER COLUMN total TYPE bigint;\n\
             CREATE TABLE shop.notes (id bigint, order_id bigint REFERENCES shop.orders);\n\
             ALTER TABLE shop.customers_of_every_country_that_there_is ALTER COLUMN email SET NOT NULL;\n\
             COMMENT ON TABLE shop.notes IS '</pre><script>document.write(1 < 2)</script> & a line that is much longer than any window that it could be shown in';",
            "DROP TABLE shop.notes;",
        )
        .migration("003_new", "CREATE TABLE shop.new (id int);", "DROP TABLE shop.new;")
        .file(
            "migrations/004_alone.sql",
            "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY orders_status ON shop.orders (status);\n\n-- migrate:down\nDROP INDEX shop.orders_status;\n",
        );
    project
}

#[track_caller]
fn check(page: &Path, migrations: &[&str]) {
    let none = Value::Array(Vec::new());
    for width in [1280, 400] {
        let Some(mut seen) = in_browser(page, width) else { return };
        let bars = seen["bars"].take().as_u64();
        assert!(bars > Some(3), "{bars:?}");
        let expected = json!({
            "width": width, "overflow": false, "cut": none, "wide": none, "errors": none, "requests": none, "bars": null, "red": true,
            "all": migrations, "again": migrations, "found": ["002_many"], "none": none,
            "waiting": ["002_many"], "rows": 1, "said": format!("1 of {}", migrations.len()), "unfolded": true,
        });
        assert_eq!(seen, expected, "{seen:#}");
    }
}

#[test]
fn the_proof_is_a_page_that_fits_the_window_asks_nobody_and_can_be_searched() {
    let project = shop();
    let page = project.db().join("report.html");
    let output = project.run(&["verify", "--html", page.to_str().unwrap()]);
    assert!(output.starts_with("exit 1\n"), "{output}");
    let text = fs::read_to_string(&page).unwrap();
    for part in [
        "Verification of the migrations",
        "1 new migration: +1 index; nothing makes others wait; ",
        "New in this branch",
        "History: 3 migrations",
        "round trip",
        "002_many",
        "ShareUpdateExclusiveLock on shop.orders, scanned",
        "<summary>1 index</summary>",
        "<span class=\"k\">ALTER</span>",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    check(&page, &["004_alone", "001_init", "002_many", "003_new"]);
}

#[test]
fn the_plan_is_a_page_of_what_is_pending() {
    let project = shop();
    let page = project.db().join("plan.html");
    let html = page.to_str().unwrap();
    project.run(&["up", "--to", "1"]);
    let output = project.run(&["plan", "--locks", "--scratch-url", &server().url("postgres"), "--html", html]);
    assert!(output.starts_with("exit 0\n"), "{output}");
    let text = fs::read_to_string(&page).unwrap();
    assert!(text.contains("Migration plan") && !text.contains("001_init"), "{text}");
    check(&page, &["002_many", "003_new", "004_alone"]);
}

#[test]
fn where_the_migrations_do_not_go_up_the_page_has_the_verdicts_and_the_ways_back() {
    let project = Project::new();
    project.migration("001_way_back", "CREATE TABLE t ();", "SELECT 1;").migration("002_bad", "SELECT nothing;", "");
    let page = project.db().join("report.html");
    assert!(project.run(&["verify", "--html", page.to_str().unwrap()]).starts_with("exit 1\n"));
    let text = fs::read_to_string(&page).unwrap();
    let broken = "Rollback: <span class=\"badge bad\">the rollback does not restore the schema</span>";
    let banner = "<section class=\"banner\" role=\"alert\"><div><span class=\"badge bad\">FAILED</span> <strong>up from zero</strong>";
    for part in ["column &quot;nothing&quot; does not exist", "No statement was traced.", broken, "not traced", banner]
    {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

#[test]
fn a_page_that_cannot_be_written_is_refused_before_the_work() {
    let project = shop();
    expect![[r#"
        exit 9
        --- stderr
        error: cannot write the page `/nowhere/report.html`: No such file or directory (os error 2)
          = help: check that the directory exists and that you can write to it
    "#]]
    .assert_eq(&project.run(&["verify", "--html", "/nowhere/report.html"]));
    let directory = project.db().join("taken");
    fs::create_dir(&directory).unwrap();
    let output = project.run(&["verify", "--html", directory.to_str().unwrap()]);
    expect!["error: cannot write the page `DIRECTORY/taken`: is a directory  = help: check that the directory exists and that you can write to it"].assert_eq(
        &output
            .lines()
            .filter(|line| line.contains("cannot") || line.contains("help"))
            .collect::<String>()
            .replace(&project.db().display().to_string(), "DIRECTORY"),
    );
    let left = fs::read_dir(project.db())
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|e| e == "new"));
    assert_eq!(left.count(), 0);
}
