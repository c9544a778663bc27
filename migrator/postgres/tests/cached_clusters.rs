//! Throw-away servers start from a copy of a cluster that initdb has made once.

#![expect(clippy::unwrap_used, reason = "a failed step of a test is a failed test, also in its helpers")]

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use migrator_postgres::TemporaryServer;
use tempfile::TempDir;

/// Not a test: a process with a directory for temporary files of its own. It says whether its cluster was copied from one that
/// bears our mark, and what its server answers.
#[test]
#[ignore = "started by the other tests"]
fn start_a_server() {
    let mut builder = TemporaryServer::builder();
    if let Ok(value) = std::env::var("CACHED_CLUSTERS_MAX_CONNECTIONS") {
        builder = builder.setting("max_connections", &value);
    }
    match builder.start() {
        Ok(server) => {
            let psql = server.program_directory().join("psql");
            let arguments = ["-XAtc", "SELECT upper('ä')", &server.url("postgres")];
            let answer = Command::new(psql).args(arguments).output().expect("install the PostgreSQL client `psql`");
            let answer = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
            println!(
                "\nsaid: {} answers {answer}",
                if server.data_directory().join("mark").exists() { "copy" } else { "initdb" }
            );
        }
        Err(error) => println!("\nsaid: {}", format!("{error:#}").lines().last().unwrap()),
    }
}

/// A directory in which servers and the kept clusters lie.
struct Place(TempDir);

impl Place {
    fn new() -> Place {
        let directory = tempfile::Builder::new().prefix("kept").tempdir_in("/tmp").unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
        Place(directory)
    }

    fn begin(&self, max_connections: &str) -> Child {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "start_a_server", "--ignored", "--nocapture"]);
        command.env("TMPDIR", self.0.path()).env("CACHED_CLUSTERS_MAX_CONNECTIONS", max_connections);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
    }

    fn start(&self) -> String {
        said(self.begin("20"))
    }

    /// The directory of the kept clusters.
    fn home(&self) -> PathBuf {
        let of_clusters =
            |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().starts_with("migrator-clusters-");
        let homes: Vec<PathBuf> = list(self.0.path()).into_iter().filter(of_clusters).collect();
        assert_eq!(homes.len(), 1, "{homes:?}");
        homes[0].clone()
    }

    /// The one kept cluster; nothing else may be there.
    fn entry(&self) -> PathBuf {
        let entries = list(&self.home());
        assert_eq!(entries.len(), 1, "{entries:?}");
        entries[0].clone()
    }

    /// Two starts: the first has made a cluster to be kept, which is marked.
    fn marked() -> Place {
        let place = Place::new();
        assert_eq!(place.start(), "initdb answers Ä");
        mark(&place.entry());
        place
    }
}

fn list(directory: &Path) -> Vec<PathBuf> {
    fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect()
}

fn said(child: Child) -> String {
    let output = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    let said = output.lines().find_map(|line| line.strip_prefix("said: "));
    said.unwrap_or_else(|| panic!("{output}")).to_owned()
}

/// A file that initdb does not make, for the owner of the cluster to copy.
fn mark(entry: &Path) {
    let owner = fs::metadata(entry).unwrap();
    fs::write(entry.join("mark"), "").unwrap();
    chown(entry.join("mark"), Some(owner.uid()), Some(owner.gid())).unwrap();
}

#[test]
fn the_second_start_copies_what_the_first_has_made() {
    let place = Place::marked();
    assert_eq!(place.start(), "copy answers Ä");
    // The servers have gone, the kept cluster stays, and nothing beside it.
    assert_eq!(list(place.0.path()), [place.home()]);
    place.entry();
}

#[test]
fn only_the_newest_clusters_are_kept() {
    let place = Place::marked();
    let home = place.home();
    let (first, owner) = (place.entry(), fs::metadata(place.entry()).unwrap());
    for age in 1..=20 {
        let older = home.join(format!("15-{age:016x}"));
        fs::create_dir(&older).unwrap();
        chown(&older, Some(owner.uid()), Some(owner.gid())).unwrap();
        File::open(&older).unwrap().set_modified(SystemTime::now() - Duration::from_secs(age * 3600)).unwrap();
    }
    // What is there is looked through when one is made.
    fs::remove_dir_all(&first).unwrap();
    assert_eq!(place.start(), "initdb answers Ä");
    let mut left: Vec<PathBuf> = list(&home);
    left.sort();
    let mut expected: Vec<PathBuf> = (1..=11).map(|age| home.join(format!("15-{age:016x}"))).collect();
    expected.push(first);
    expected.sort();
    assert_eq!(left, expected);
}

#[test]
fn kept_clusters_are_private_to_the_servers_user() {
    let place = Place::marked();
    let (home, cluster) = (fs::metadata(place.home()).unwrap(), fs::metadata(place.entry()).unwrap());
    assert_eq!((home.mode() & 0o777, cluster.mode() & 0o777), (0o700, 0o700));
    assert_eq!(home.uid(), cluster.uid());
    let name = place.home().file_name().unwrap().to_str().unwrap().to_owned();
    assert_eq!(name, format!("migrator-clusters-{}", home.uid()));
}

#[test]
fn a_kept_cluster_lets_no_one_in_and_decides_of_no_server_whom_it_lets_in() {
    let place = Place::marked();
    let kept = place.entry().join("pg_hba.conf");
    let rules = fs::read_to_string(&kept).unwrap();
    let rules: Vec<&str> = rules.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()).collect();
    assert!(!rules.is_empty() && rules.iter().all(|rule| rule.ends_with("reject")), "{rules:?}");
    let owner = fs::metadata(&kept).unwrap();
    fs::write(&kept, "local all all reject\nhost all all all trust\n").unwrap();
    chown(&kept, Some(owner.uid()), Some(owner.gid())).unwrap();
    assert_eq!(place.start(), "copy answers Ä");
}

#[test]
fn a_directory_that_others_can_enter_is_not_used() {
    let place = Place::marked();
    fs::set_permissions(place.home(), fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(place.start(), "initdb answers Ä");
    fs::set_permissions(place.home(), fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(place.start(), "copy answers Ä");
}

#[test]
fn a_link_in_place_of_the_directory_is_not_used() {
    let place = Place::marked();
    let (home, moved) = (place.home(), place.0.path().join("elsewhere"));
    fs::rename(&home, &moved).unwrap();
    std::os::unix::fs::symlink(&moved, &home).unwrap();
    assert_eq!(place.start(), "initdb answers Ä");
}

#[test]
fn another_owners_directory_is_not_used() {
    if !rustix::process::geteuid().is_root() {
        // A plain user owns every directory that it can make: what it must not use is another user's.
        let place = Place::marked();
        let foreign = place.0.path().join(format!("migrator-clusters-{}", rustix::process::geteuid().as_raw()));
        fs::rename(place.home(), place.0.path().join("elsewhere")).unwrap();
        std::os::unix::fs::symlink("/root", foreign).unwrap();
        assert_eq!(place.start(), "initdb answers Ä");
        return;
    }
    let place = Place::marked();
    fs::remove_dir_all(place.entry()).unwrap();
    chown(place.home(), Some(54_321), None).unwrap();
    assert_eq!(place.start(), "initdb answers Ä");
}

#[test]
fn two_first_starts_at_once_leave_one_cluster() {
    let place = Place::new();
    let starts: Vec<Child> = (0..3).map(|_| place.begin("20")).collect();
    for start in starts {
        assert!(said(start).ends_with(" answers Ä"));
    }
    mark(&place.entry());
    assert_eq!(place.start(), "copy answers Ä");
}

#[test]
fn an_incomplete_cluster_is_made_anew() {
    let place = Place::marked();
    fs::remove_file(place.entry().join("PG_VERSION")).unwrap();
    assert_eq!(place.start(), "initdb answers Ä");
    mark(&place.entry());
    assert_eq!(place.start(), "copy answers Ä");
}

#[test]
fn a_cluster_that_does_not_start_is_thrown_away() {
    let place = Place::marked();
    File::options().write(true).truncate(true).open(place.entry().join("global/pg_control")).unwrap();
    assert_eq!(place.start(), "initdb answers Ä");
    assert_eq!(list(&place.home()), Vec::<PathBuf>::new());
    assert_eq!(place.start(), "initdb answers Ä");
    mark(&place.entry());
    assert_eq!(place.start(), "copy answers Ä");
}

#[test]
fn a_setting_that_no_server_starts_with_does_not_cost_the_kept_cluster() {
    let place = Place::marked();
    let message = said(place.begin("many"));
    assert!(message.contains("invalid value for parameter \"max_connections\""), "{message}");
    assert_eq!(place.start(), "copy answers Ä");
}

#[test]
fn what_a_killed_initdb_has_left_is_removed_when_it_is_old() {
    let place = Place::marked();
    let (old, young) = (place.entry().with_extension("01"), place.entry().with_extension("02"));
    for path in [&old, &young] {
        fs::create_dir(path).unwrap();
        let owner = fs::metadata(place.home()).unwrap();
        chown(path, Some(owner.uid()), Some(owner.gid())).unwrap();
    }
    let hour = fs::FileTimes::new().set_modified(SystemTime::now() - Duration::from_secs(3600));
    File::open(&old).unwrap().set_times(hour).unwrap();
    // Looked for when there is something to make.
    let kept = list(&place.home()).into_iter().find(|path| path.extension().is_none()).unwrap();
    fs::remove_dir_all(kept).unwrap();
    assert_eq!(place.start(), "initdb answers Ä");
    assert!(!old.exists() && young.exists());
}
