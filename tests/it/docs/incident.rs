//! What happens to the reader of a page: the comments `<!-- drill: ... -->`.

use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::reader::Reader;
use crate::support::{Other, major, server, wait_until};

/// What is going on, and is over when the page is.
#[derive(Default)]
pub(super) struct Incidents {
    session: Option<Other>,
    places: Vec<String>,
}

impl Incidents {
    /// Where servers were said to be, that are somewhere else.
    pub(super) fn places(&self) -> Vec<String> {
        self.places.clone()
    }
}

impl Reader {
    /// Lets something happen.
    pub(super) fn suffer(&mut self, words: &str) {
        let (what, rest) = words.split_once(' ').unwrap_or((words, ""));
        match what {
            // A release of the files as they are.
            "build" => self.build(rest),
            // What `cargo xtask dump` writes for `migrator drift`.
            "facts" => {
                let facts = self.project.command(&["drift", "--facts"]).output().unwrap();
                assert!(facts.status.success(), "{facts:?}");
                self.write(&format!("db/schema.facts.{}", major()), &String::from_utf8(facts.stdout).unwrap());
            }
            // A run of the migrator that the page does not show.
            "run" => {
                let said = self.project.run(&rest.split(' ').collect::<Vec<_>>());
                assert!(said.starts_with("exit 0"), "{words}: {said}");
            }
            // Everything is committed to git, and on the main branch.
            "commit" => {
                let line = "git init --quiet && git add --all && git commit --quiet --message release && git update-ref refs/remotes/origin/main HEAD";
                assert_eq!(self.run(&format!("{line} && echo done")), "done\n");
            }
            // SQL that someone runs who is not on the page.
            "sql" => drop(self.project.query(rest)),
            "until" => wait_until(&self.project, rest),
            // Another session, in which SQL has been run, and which goes on.
            "session" => {
                let session = Other::new(&self.project);
                session.run(rest);
                self.incidents.session = Some(session);
            }
            "session-ends" => self.incidents.session = None,
            "freeze" => self.signal(Signal::STOP),
            "thaw" => self.signal(Signal::CONT),
            "stop" => self.signal(Signal::TERM),
            // The connection is lost after the message that has this in it, and no other one can be made.
            "network-fails-after" => {
                let network = Network::failing(rest);
                self.incidents.places.push(network.place());
                self.network = Some(network);
            }
            "network-has-failed" => {
                let network = self.network.as_ref().unwrap();
                for _ in 0..600 {
                    if network.has_failed.load(Ordering::SeqCst) {
                        // The migrator notices it, and tries to connect again.
                        thread::sleep(Duration::from_millis(1500));
                        return;
                    }
                    thread::sleep(Duration::from_millis(100));
                }
                panic!("the network has not failed");
            }
            "network-is-back" => self.network = None,
            other => panic!("an incident `{other}`"),
        }
    }

    /// Sends a signal to the job.
    fn signal(&self, signal: Signal) {
        let (_, child) = self.job.as_ref().expect("there is no job");
        kill_process(Pid::from_child(child), signal).unwrap();
    }
}

/// A network between the migrator and the server that fails.
pub(super) struct Network {
    /// No one else can enter it.
    directory: TempDir,
    has_failed: Arc<AtomicBool>,
}

impl Network {
    /// One that passes the message on which has these words in it, and nothing after that, in either direction.
    fn failing(words: &str) -> Network {
        // Not in the directory for temporary files, whose name may be too long for a socket.
        let directory = TempDir::with_prefix_in("network-", "/tmp").unwrap();
        let listener = UnixListener::bind(directory.path().join(".s.PGSQL.5432")).unwrap();
        let has_failed = Arc::new(AtomicBool::new(false));
        let (failed, words) = (Arc::clone(&has_failed), words.as_bytes().to_vec());
        // It ends with the process: nothing waits for it.
        thread::spawn(move || {
            for client in listener.incoming() {
                let Ok(client) = client else { continue };
                // A connection that is refused breaks off: the client is dropped.
                if !failed.load(Ordering::SeqCst) {
                    let (failed, words) = (Arc::clone(&failed), words.clone());
                    thread::spawn(move || pass(client, &words, &failed));
                }
            }
        });
        Network { directory, has_failed }
    }

    /// The URL of a database that is reached through it.
    pub(super) fn url(&self, database: &str) -> String {
        let directory = self.directory.path().display().to_string();
        format!("postgresql://postgres@{}:5432/{database}", directory.replace('/', "%2F"))
    }

    /// Where it says that the server is.
    fn place(&self) -> String {
        format!("{}:5432", self.directory.path().display())
    }
}

/// Passes a client's messages on, and the answers back, until the network fails.
fn pass(mut client: UnixStream, words: &[u8], failed: &Arc<AtomicBool>) {
    let socket: PathBuf = server().socket_directory().join(format!(".s.PGSQL.{}", server().port()));
    let mut server = UnixStream::connect(socket).unwrap();
    let (mut answers, mut back) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    let is_cut = Arc::clone(failed);
    let answering = thread::spawn(move || {
        let mut piece = [0; 1 << 16];
        while let Ok(length @ 1..) = answers.read(&mut piece) {
            // What the server says to no one is read all the same, so that it does not stop.
            if !is_cut.load(Ordering::SeqCst) && back.write_all(&piece[..length]).is_err() {
                break;
            }
        }
        let _ = back.shutdown(std::net::Shutdown::Both);
    });
    let (mut piece, mut tail) = ([0; 1 << 16], Vec::new());
    while let Ok(length @ 1..) = client.read(&mut piece) {
        tail.extend_from_slice(&piece[..length]);
        if tail.windows(words.len()).any(|window| window == words) {
            failed.store(true, Ordering::SeqCst);
        }
        let _ = server.write_all(&piece[..length]);
        if failed.load(Ordering::SeqCst) {
            break;
        }
        tail.drain(..tail.len().saturating_sub(words.len()));
    }
    // The server works off what it has; the client sees that the connection is gone.
    let _ = server.shutdown(std::net::Shutdown::Write);
    let _ = client.shutdown(std::net::Shutdown::Both);
    let _ = answering.join();
}
