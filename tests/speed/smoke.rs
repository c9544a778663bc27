//! The machinery over a few migrations, with the programs of these tests: nothing here looks at a time.
#![expect(clippy::unwrap_used, reason = "a failed step of a test is a failed test, also in its helpers")]

use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;

use crate::figures::Figures;
use crate::options::Options;
use crate::part::Bench;
use crate::proxy::Proxy;
use crate::server::{Place, Server, Session};
use crate::tool::{Kind, Tool};
use crate::workload::{Workload, plain, tables, tiny};
use crate::{layout, page};

/// A folder with all forms of a workload.
fn forms(workload: &Workload) -> TempDir {
    let folder = TempDir::new().unwrap();
    layout::write(folder.path(), &workload.migrations).unwrap();
    folder
}

fn bench() -> Bench {
    Bench::of(Options::default(), env!("CARGO_BIN_EXE_floor").into())
}

fn tool(kind: Kind) -> Tool {
    let program = if kind == Kind::Ours { env!("CARGO_BIN_EXE_dir-migrator") } else { env!("CARGO_BIN_EXE_floor") };
    Tool { kind, program: program.into() }
}

fn count(place: &Place, what: &str) -> String {
    Session::open(&place.url()).unwrap().value(&format!("SELECT count(*) FROM {what}")).unwrap()
}

/// Runs it twice through a proxy, which counts each run.
fn twice(server: &Server, kind: Kind, folder: &Path) -> (Place, [usize; 2]) {
    let place = server.database().unwrap();
    let trips = [0, 1].map(|_| {
        let proxy = Proxy::before(&place, Duration::from_millis(1)).unwrap();
        let taken = bench().up(&tool(kind), folder, proxy.place()).unwrap();
        assert!(taken.wall > 0.0 && taken.processor() >= 0.0 && taken.megabytes() > 1.0, "{taken:?}");
        let counted = proxy.counted();
        assert!(
            counted.connections >= 1 && counted.bytes_to_server > 50 && counted.bytes_to_client > 50,
            "{counted:?}"
        );
        counted.round_trips
    });
    (place, trips)
}

#[test]
fn every_workload_is_applied_once_by_us_and_by_the_floor() {
    let server = Server::start().unwrap();
    for workload in [tables(3), tiny(20), plain(4)] {
        let folder = forms(&workload);
        let migrations = workload.migrations.len().to_string();
        let (place, trips) = twice(&server, Kind::Ours, folder.path());
        assert_eq!(count(&place, "schema_migrations"), migrations);
        assert!(trips[0] > trips[1] && trips[1] >= 2, "{trips:?}");
        for kind in [Kind::FloorExtended, Kind::FloorSimple].into_iter().filter(|_| workload.migrations.len() > 1) {
            let (place, trips) = twice(&server, kind, folder.path());
            assert_eq!(count(&place, "floor_history"), migrations);
            assert_eq!(trips[1], 2);
            assert!((3..6).contains(&trips[0]), "{trips:?}");
        }
    }
    assert!(server.processor_time().unwrap() > 0.0);
}

#[test]
fn a_long_event_log_changes_nothing() {
    let server = Server::start().unwrap();
    let folder = forms(&tables(2));
    let place = server.database().unwrap();
    let up = || bench().up(&tool(Kind::Ours), folder.path(), &place).unwrap();
    up();
    Session::open(&place.url()).unwrap().run(crate::part::noop::EVENTS).unwrap();
    let events = count(&place, "schema_migration_events");
    assert!(events.parse::<u32>().unwrap() >= 202, "{events}");
    up();
    assert_eq!(count(&place, "schema_migration_events"), events);
}

#[test]
fn a_session_holds_2000_locks() {
    let server = Server::start().unwrap();
    let holder = Session::open(&server.database().unwrap().url()).unwrap();
    holder.run(crate::part::fence::LOCKS).unwrap();
    assert_eq!(server.session().value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").unwrap(), "2000");
}

#[test]
fn what_fails_is_an_error_with_its_reason() {
    let server = Server::start().unwrap();
    let folder = forms(&tables(2));
    let place = server.database().unwrap();
    Session::open(&place.url()).unwrap().run("CREATE TABLE t2 (id int)").unwrap();
    for kind in [Kind::Ours, Kind::FloorExtended, Kind::FloorSimple] {
        let error = bench().up(&tool(kind), folder.path(), &place).unwrap_err();
        assert!(format!("{error:#}").contains("already exists"), "{error:#}");
        // What comes before it stays.
        Session::open(&place.url())
            .unwrap()
            .run("DROP TABLE IF EXISTS t1; DROP TABLE IF EXISTS schema_migrations")
            .unwrap();
    }
}

#[test]
fn a_page_can_be_made_of_nothing() {
    let page = page::text(&[]);
    assert!(page.contains("not measured here") && page.contains("Nowhere"), "{page}");
    let mut figures = Figures::begin("many", &Options::default());
    figures.leave_out("10,000 tiny", "sqlx", "not installed");
    assert!(page::text(&[figures]).contains("- sqlx (10,000 tiny): not installed"));
}
