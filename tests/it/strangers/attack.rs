//! Another user of the machine, who tries to get in while something of ours runs.
//!
//! We say where it runs, as nothing may depend on a name that no one guesses: from /proc, every port and socket on which a process of
//! ours listens, every directory that one of them works in or has a file open in.
#![expect(clippy::print_stdout, reason = "the stranger says what it has tried on its standard output")]

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs;
use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// The roles that servers of the tests have.
const ROLES: [&str; 6] = ["postgres", "certified", "bound", "plain", "deploy", "migrator"];

/// How often we look for something new.
const PAUSE: Duration = Duration::from_millis(50);

/// How long a port is given for its answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// A stranger at work, told of everything that this process and those under it do.
pub(crate) struct Attack {
    stranger: Child,
    over: Arc<AtomicBool>,
    scout: JoinHandle<()>,
    reader: JoinHandle<Vec<String>>,
}

/// What the stranger has tried, and what it got.
#[derive(Debug)]
#[allow(dead_code, reason = "shared by two test targets, of which one asks less")]
pub(crate) struct Report {
    pub(crate) ports: usize,
    pub(crate) sockets: usize,
    pub(crate) directories: usize,
    pub(crate) got: Vec<String>,
}

impl Attack {
    /// Starts the stranger: this program again, with the test of that name, which calls [`be_the_stranger`]. `Err`: why there can be
    /// none.
    pub(crate) fn begin(test: &str) -> Result<Attack, String> {
        let uid = another_user().ok_or("only root can become another user")?;
        // Not by its own name, which may lead through directories of ours.
        let mut stranger = Command::new("/proc/self/exe");
        stranger.args(["--exact", test, "--ignored", "--nocapture"]).current_dir("/").uid(uid).gid(uid).env_clear();
        let stranger = stranger.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut stranger = stranger.map_err(|error| error.to_string())?;
        let (mut tell, said) = (stranger.stdin.take().unwrap(), BufReader::new(stranger.stdout.take().unwrap()));
        let over = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&over);
        let scout = thread::spawn(move || {
            let mut known = BTreeSet::new();
            // Once more behind the end, for what is left behind.
            let mut last = false;
            while !last {
                last = stop.load(Ordering::SeqCst);
                for target in targets() {
                    if !known.contains(&target) {
                        writeln!(tell, "{target}").unwrap();
                        known.insert(target);
                    }
                }
                thread::sleep(PAUSE);
            }
        });
        let reader = thread::spawn(move || said.lines().map(Result::unwrap).collect());
        Ok(Attack { stranger, over, scout, reader })
    }

    /// Ends it.
    pub(crate) fn end(mut self) -> Report {
        self.over.store(true, Ordering::SeqCst);
        self.scout.join().unwrap();
        let lines = self.reader.join().unwrap();
        assert!(self.stranger.wait().unwrap().success(), "{lines:?}");
        let count = |kind: &str| lines.iter().filter(|line| line.starts_with(&format!("tried {kind} "))).count();
        let got = lines.iter().filter_map(|line| line.strip_prefix("GOT ")).map(str::to_owned).collect();
        Report { ports: count("port"), sockets: count("socket"), directories: count("directory"), got }
    }
}

/// `nobody`, or `daemon` where the servers run as `nobody`. `None`: we are not root.
fn another_user() -> Option<u32> {
    let id = |name: &str| {
        let output = Command::new("id").args(["-u", name]).output().ok()?;
        String::from_utf8_lossy(&output.stdout).trim().parse::<u32>().ok()
    };
    let server = std::env::var("PG_OS_USER").unwrap_or_else(|_| "postgres".to_owned());
    let server = id(&server).or_else(|| id("nobody"));
    let is_root = fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
    let names = ["nobody", "daemon"].into_iter().filter(|_| is_root);
    names.filter_map(id).find(|uid| *uid != 0 && Some(*uid) != server)
}

/// `port 1234`, `socket /path`, `directory /path`.
fn targets() -> BTreeSet<String> {
    let (mut sockets, mut directories) = (HashSet::new(), BTreeSet::new());
    for process in ours() {
        let process = PathBuf::from(format!("/proc/{process}"));
        directories.extend(fs::read_link(process.join("cwd")));
        for file in fs::read_dir(process.join("fd")).into_iter().flatten().flatten() {
            let Ok(file) = fs::read_link(file.path()) else { continue };
            match file.to_str().and_then(|name| name.strip_prefix("socket:[")?.strip_suffix(']')?.parse::<u64>().ok()) {
                Some(socket) => drop(sockets.insert(socket)),
                None => directories.extend(file.parent().filter(|_| file.is_absolute()).map(Path::to_owned)),
            }
        }
    }
    let mut found: BTreeSet<String> = listening_ports(&sockets).map(|port| format!("port {port}")).collect();
    for socket in listening_sockets(&sockets) {
        directories.extend(Path::new(&socket).ancestors().skip(1).map(Path::to_owned));
        found.insert(format!("socket {socket}"));
    }
    // The kept clusters lie beside the servers.
    for around in ["/tmp", "/var/tmp"] {
        let entries = fs::read_dir(around).into_iter().flatten().flatten().map(|entry| entry.path());
        directories.extend(entries.filter(|path| path.to_string_lossy().contains("/migrator-clusters-")));
    }
    let is_ours = |path: &PathBuf| {
        // What is everyone's, as /tmp and /dev/shm are, is no directory of ours.
        !path.starts_with("/proc")
            && fs::metadata(path).is_ok_and(|found| found.is_dir() && found.mode() & 0o1002 != 0o1002)
    };
    found.extend(directories.into_iter().filter(is_ours).map(|path| format!("directory {}", path.display())));
    found
}

/// This process and those under it.
fn ours() -> Vec<u32> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let parent = stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(1)?.parse().ok());
        children.entry(parent.unwrap_or(0)).or_default().push(pid);
    }
    let mut all = vec![std::process::id()];
    let mut next = 0;
    while let Some(pid) = all.get(next) {
        all.extend(children.remove(pid).into_iter().flatten());
        next += 1;
    }
    all
}

fn listening_ports(sockets: &HashSet<u64>) -> impl Iterator<Item = u16> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|table| fs::read_to_string(table).unwrap_or_default());
    // `0: 0100007F:A3C1 00000000:0000 0A ... inode`, 0A being `listens`.
    tables.into_iter().flat_map(|table| table.lines().map(str::to_owned).collect::<Vec<_>>()).filter_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let listens = *words.get(3)? == "0A" && sockets.contains(&words.get(9)?.parse().ok()?);
        listens.then(|| u16::from_str_radix(words[1].rsplit_once(':')?.1, 16).ok())?
    })
}

fn listening_sockets(sockets: &HashSet<u64>) -> Vec<String> {
    let table = fs::read_to_string("/proc/net/unix").unwrap_or_default();
    // `0000: 00000002 00000000 00010000 0001 01 inode path`, 00010000 being `listens`.
    let socket = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let listens = *words.get(3)? == "00010000" && sockets.contains(&words.get(6)?.parse().ok()?);
        (listens && words.get(7)?.starts_with('/')).then(|| words[7].to_owned())
    };
    table.lines().filter_map(socket).collect()
}

/// The stranger: tries what it reads about on standard input.
pub(crate) fn be_the_stranger() {
    // Behind the line that the harness has begun.
    println!();
    for line in io::stdin().lines().map(Result::unwrap) {
        match line.split_once(' ') {
            Some(("port", port)) => try_port(port.parse().unwrap()),
            Some(("socket", path)) => try_socket(Path::new(path)),
            Some(("directory", path)) => try_directory(Path::new(path)),
            _ => panic!("{line}"),
        }
        println!("tried {line}");
    }
}

fn try_port(port: u16) {
    for role in ROLES {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let connect = || -> io::Result<bool> {
            let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            is_let_in(stream, role)
        };
        if connect().unwrap_or(false) {
            println!("GOT port {port}: in as {role}");
        }
        // What is refused in plaintext may be let in encrypted.
        let place = format!("host=127.0.0.1 port={port} user={role} dbname=postgres sslmode=require connect_timeout=2");
        let psql = Command::new("/usr/bin/psql").args(["-wXAtc", "SELECT 1", &place]).output();
        if psql.is_ok_and(|output| output.status.success()) {
            println!("GOT port {port}: in as {role}, encrypted");
        }
    }
}

fn try_socket(path: &Path) {
    match UnixStream::connect(path) {
        Ok(stream) => {
            let let_in = stream.set_read_timeout(Some(PATIENCE)).and_then(|()| is_let_in(stream, ROLES[0]));
            println!("GOT socket {}: let in: {let_in:?}", path.display());
        }
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
        // Gone meanwhile.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => println!("GOT socket {}: {error}", path.display()),
    }
}

/// Signs on and asks a question; whether it is answered, if only with an error behind the door. A greeting alone proves nothing: tests
/// have servers that greet everyone and hold no database.
fn is_let_in(mut stream: impl Read + Write, role: &str) -> io::Result<bool> {
    let sign_on = format!("user\0{role}\0database\0postgres\0\0");
    stream.write_all(&[&length(8 + sign_on.len())[..], &196_608_u32.to_be_bytes(), sign_on.as_bytes()].concat())?;
    let mut answer = [0; 9];
    stream.read_exact(&mut answer)?;
    if answer != *b"R\0\0\0\x08\0\0\0\0" {
        return Ok(false);
    }
    let (question, wanted) = ("SELECT 6 * 7 || 'is the answer'\0", b"42is the answer");
    stream.write_all(&[b"Q", &length(4 + question.len())[..], question.as_bytes()].concat())?;
    // Bounded in bytes and in time: one of those servers sends rows without end, and slowly.
    let (until, mut said, mut piece) = (Instant::now() + PATIENCE, Vec::new(), [0; 1 << 12]);
    while Instant::now() < until && said.len() < 1 << 16 {
        match stream.read(&mut piece) {
            Ok(length @ 1..) => said.extend_from_slice(&piece[..length]),
            // The server keeps the connection open, so this may end with the timeout.
            _ => break,
        }
        if said.first() == Some(&b'E') || said.windows(wanted.len()).any(|window| window == wanted) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A length of the protocol.
fn length(bytes: usize) -> [u8; 4] {
    u32::try_from(bytes).unwrap().to_be_bytes()
}

/// Links, files and names, where root or the server would follow them.
fn try_directory(path: &Path) {
    let victim = Path::new("/etc/passwd");
    let got = |what: &str, outcome: io::Result<()>| {
        if outcome.is_ok() {
            println!("GOT directory {}: {what}", path.display());
        }
    };
    let name = path.join(format!("planted-{}", std::process::id()));
    got("a link", symlink(victim, &name));
    got("a file", fs::write(&name, "planted"));
    got("a directory", fs::create_dir(&name));
    for name in ["log", "postmaster.pid", "pg_hba.conf", "postgresql.auto.conf", "data", "socket"] {
        let there = path.join(name);
        got("a file opened", fs::File::options().append(true).open(&there).map(drop));
        got("a file removed", fs::remove_file(&there));
        got("a link put in its place", symlink(victim, &there));
    }
    got("renamed", fs::rename(path, path.with_extension("taken")));
    // Only what is the server's: everyone may read a checkout.
    if ["/tmp/migrator-", "/var/tmp/migrator-"].iter().any(|start| path.to_string_lossy().starts_with(start)) {
        got("listed", fs::read_dir(path).map(drop));
    }
}
