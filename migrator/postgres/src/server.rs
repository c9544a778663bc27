//! What both kinds of server share: creating a cluster, starting a postmaster, asking whether it answers, stopping it.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rustix::process::{Pid, Signal, kill_process};

use crate::binaries::Binaries;
use crate::error::{Context, Error, Result};
use crate::files;
use crate::user::{ServerUser, command, owner, spawn_error};

/// Recovery after a crash can take a while; a server that says nothing for longer is broken.
const START_DEADLINE: Duration = Duration::from_secs(60);
const STOP_DEADLINE: Duration = Duration::from_secs(30);
/// How long a question who is there may take.
const ANSWER_DEADLINE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(20);

/// Where a postmaster says that it lives.
const PID_FILE: &str = "postmaster.pid";

/// The superuser of every cluster made here.
pub(crate) const SUPERUSER: &str = "postgres";

/// The C locale sorts alike everywhere; letters beyond ASCII still need a character type that knows them.
pub(crate) const CHARACTER_TYPE: &str =
    if cfg!(target_os = "linux") { "--lc-ctype=C.UTF-8" } else { "--lc-ctype=en_US.UTF-8" };

/// How a starting server ended.
pub(crate) enum Start {
    Ready(Child),
    /// Another program took the port between our look and the server's.
    PortTaken,
}

/// Runs initdb; `options` come on top of what both kinds of cluster have in common.
pub(crate) fn initdb(
    binaries: &Binaries,
    user: Option<&ServerUser>,
    data: &Path,
    options: &[&str],
    setup: impl FnOnce(&mut Command),
) -> Result<()> {
    let program = binaries.program("initdb");
    let mut initdb = command(&program, user);
    initdb.args(["--encoding=UTF8", "--locale=C", CHARACTER_TYPE, "--username", SUPERUSER]).args(options);
    initdb.arg("--pgdata").arg(data).stdin(Stdio::null());
    setup(&mut initdb);
    let output = initdb.output().map_err(|error| spawn_error(error, &program, user))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let action = format!("`{}` failed on `{}`", program.display(), data.display());
        return Err(Error::ProgramFailed { action, said: said.trim().to_owned() });
    }
    Ok(())
}

/// How a postmaster is to run.
pub(crate) struct Postmaster<'a> {
    pub(crate) binaries: &'a Binaries,
    pub(crate) user: Option<&'a ServerUser>,
    pub(crate) data: &'a Path,
    /// A directory that no one but the server's user and root can enter. `None`: no socket.
    pub(crate) socket: Option<&'a Path>,
    /// True: it also listens on 127.0.0.1.
    pub(crate) tcp: bool,
    pub(crate) port: u16,
    pub(crate) settings: &'a [(String, String)],
    /// Opened by us: the server's user gets the open file, not its name.
    pub(crate) log: &'a File,
}

impl Postmaster<'_> {
    /// Starts it and waits until it accepts connections.
    ///
    /// It gets a process group of its own: Ctrl-C in the terminal is for us, not for the server.
    pub(crate) fn start(&self) -> Result<Start> {
        self.log.set_len(0).with_context(|| "failed to empty the server's log")?;
        let program = self.binaries.program("postgres");
        let mut postgres = command(&program, self.user);
        postgres.arg("-D").arg(self.data).arg("-p").arg(self.port.to_string());
        let socket = self.socket.map(|socket| socket.display().to_string()).unwrap_or_default();
        let own = [
            ("listen_addresses", if self.tcp { "127.0.0.1" } else { "" }),
            ("unix_socket_directories", &socket),
            ("logging_collector", "off"),
            ("log_destination", "stderr"),
        ];
        let others = self.settings.iter().map(|(name, value)| (&**name, &**value));
        for (name, value) in own.into_iter().chain(others) {
            postgres.arg("-c").arg(format!("{name}={value}"));
        }
        let output = || self.log.try_clone().with_context(|| "failed to hand the log to the server");
        let (output, errors) = (output()?, output()?);
        postgres.stdin(Stdio::null()).stdout(output).stderr(errors).process_group(0);
        let mut server = postgres.spawn().map_err(|error| spawn_error(error, &program, self.user))?;

        let waiting = || format!("failed to wait for the server on `{}`", self.data.display());
        let began = Instant::now();
        while began.elapsed() < START_DEADLINE {
            if let Some(status) = server.try_wait().with_context(waiting)? {
                let said = tail(self.log);
                if self.tcp && said.contains("could not bind") {
                    return Ok(Start::PortTaken);
                }
                return Err(Error::EndedAtOnce { data: self.data.to_owned(), status, log: said });
            }
            if self.is_ready(&server) {
                return Ok(Start::Ready(server));
            }
            sleep(PAUSE);
        }
        server.kill().and_then(|()| server.wait()).with_context(waiting)?;
        Err(Error::NotReady { data: self.data.to_owned(), after: START_DEADLINE, log: tail(self.log) })
    }

    /// Whether it says so itself, and answers. The answer alone would do for another user's program that has taken the port.
    fn is_ready(&self, server: &Child) -> bool {
        let said = PidFile::read(self.data, self.user);
        said.is_some_and(|said| said.pid == server.id().cast_signed() && said.status == "ready")
            && match self.socket {
                Some(directory) => answers_on_socket(directory, self.port),
                None => accepts_connections(self.port),
            }
    }
}

/// The last lines of the server's log, for a message.
fn tail(log: &File) -> String {
    let text = files::end_of(log);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(10)..].join("\n")
}

/// A port of 127.0.0.1 that is free now.
pub(crate) fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let address = listener.and_then(|listener| listener.local_addr());
    Ok(address.with_context(|| "failed to find a free port on 127.0.0.1")?.port())
}

/// Whether a server on 127.0.0.1 lets anyone in.
pub(crate) fn accepts_connections(port: u16) -> bool {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let ask = || -> io::Result<bool> {
        let stream = TcpStream::connect_timeout(&address, Duration::from_secs(2))?;
        stream.set_read_timeout(Some(ANSWER_DEADLINE))?;
        answers(stream)
    };
    ask().unwrap_or(false)
}

/// The same through the socket in a directory.
fn answers_on_socket(directory: &Path, port: u16) -> bool {
    let ask = || -> io::Result<bool> {
        let stream = UnixStream::connect(directory.join(format!(".s.PGSQL.{port}")))?;
        stream.set_read_timeout(Some(ANSWER_DEADLINE))?;
        answers(stream)
    };
    ask().unwrap_or(false)
}

/// A start-up message is answered by every server that is ready, if only with "who are you"; one that starts or stops
/// says so with SQLSTATE 57P03.
fn answers(mut stream: impl Read + Write) -> io::Result<bool> {
    stream.write_all(&startup_message(SUPERUSER))?;
    let mut answer = [0; 512];
    let length = stream.read(&mut answer)?;
    Ok(means_ready(&answer[..length]))
}

/// Protocol 3.0: length of the whole message, version, pairs of strings, a final zero.
fn startup_message(user: &str) -> Vec<u8> {
    let body = format!("user\0{user}\0database\0postgres\0application_name\0ping\0\0");
    let length = 8 + body.len() as u32;
    [&length.to_be_bytes(), &196_608_u32.to_be_bytes(), body.as_bytes()].concat()
}

/// `R` asks for a password or lets us in; an error is an answer too unless it is 57P03 (field `C` of the message).
fn means_ready(answer: &[u8]) -> bool {
    match answer.first() {
        Some(b'R') => true,
        Some(b'E') => !answer.windows(7).any(|window| window == b"C57P03\0"),
        _ => false,
    }
}

/// What a postmaster says about itself in `postmaster.pid`.
struct PidFile {
    pid: i32,
    port: u16,
    /// Since release 10: `starting`, `ready`, `stopping`.
    status: String,
}

impl PidFile {
    fn read(data: &Path, user: Option<&ServerUser>) -> Option<PidFile> {
        let text = files::read_of(user, data, PID_FILE).ok()?;
        let line = |index| text.lines().nth(index).unwrap_or_default().trim();
        let (pid, port) = (line(0).parse().ok()?, line(3).parse().ok()?);
        Some(PidFile { pid, port, status: line(7).to_owned() })
    }
}

/// The postmaster that `postmaster.pid` in `data` names, if it lives, and its port.
///
/// A process counts only if it is a `postgres` of the server's user and no zombie: after a crash the number may belong to another
/// process, in a container without an init the dead postmaster stays in the table, and the file is that user's, who may write any
/// number there, for us to end.
pub(crate) fn live_postmaster(data: &Path, user: Option<&ServerUser>) -> Option<(Pid, u16)> {
    let PidFile { pid, port, .. } = PidFile::read(data, user)?;
    is_live_postgres(pid, owner(user)).then_some((Pid::from_raw(pid)?, port))
}

fn is_live_postgres(pid: i32, owner: u32) -> bool {
    if cfg!(target_os = "linux") {
        let process = format!("/proc/{pid}");
        let stat = fs::read_to_string(format!("{process}/stat")).unwrap_or_default();
        // `17 (postgres) S 1 ...`
        return fs::metadata(process).is_ok_and(|process| process.uid() == owner)
            && stat
                .split_once('(')
                .and_then(|(_, rest)| rest.rsplit_once(") "))
                .is_some_and(|(name, rest)| name.starts_with("postgres") && !rest.starts_with(['Z', 'X']));
    }
    let Ok(output) = Command::new("ps").args(["-o", "uid=,stat=,comm=", "-p", &pid.to_string()]).output() else {
        return false;
    };
    let line = String::from_utf8_lossy(&output.stdout);
    let mut words = line.split_whitespace();
    words.next() == Some(&*owner.to_string())
        && words.next().is_some_and(|state| !state.starts_with('Z'))
        && words.any(|word| word.contains("postgres"))
}

/// Makes a postmaster.pid that a crash left behind harmless.
///
/// The server itself refuses to start while the process of that number exists, be it a zombie or a stranger. The file
/// stays, with our own number, which the server does not take for a rival since we are its parent: the rest of the file
/// is how it finds old backends that still use the shared memory.
pub(crate) fn disarm_stale_pid_file(data: &Path, user: Option<&ServerUser>) -> Result<()> {
    let Ok(text) = files::read_of(user, data, PID_FILE) else { return Ok(()) };
    let rest = text.split_once('\n').map_or("", |(_, rest)| rest);
    let path = data.join(PID_FILE);
    files::write_as(user, &path, &format!("{}\n{rest}", std::process::id()))
}

/// Ends a postmaster and waits until it is gone: `INT` disconnects the clients and shuts down cleanly, `QUIT` at once.
///
/// # Errors
/// The process may not be signalled, or lives on.
pub(crate) fn stop(data: &Path, user: Option<&ServerUser>, pid: Pid, signal: Signal) -> Result<()> {
    let number = pid.as_raw_nonzero().get();
    kill_process(pid, signal).with_context(|| format!("failed to stop the server, process {number}"))?;
    let began = Instant::now();
    while live_postmaster(data, user).is_some_and(|(living, _)| living == pid) {
        if began.elapsed() > STOP_DEADLINE {
            return Err(Error::NotStopped { data: data.to_owned(), after: STOP_DEADLINE, pid: number });
        }
        sleep(PAUSE);
    }
    Ok(())
}

/// All but the characters that a URL reserves for nothing.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Text for any part of a URL.
pub(crate) fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_ready_when_it_answers_anything_but_wait() {
        for (answer, expected) in [
            (&b"R\0\0\0\x08\0\0\0\0"[..], true),
            (b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0", true),
            (b"E\0\0\0\x50SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0", false),
            (b"E\0\0\0\x50SFATAL\0VFATAL\0C53300\0Msorry, too many clients already\0\0", true),
            (b"HTTP/1.1 400 Bad Request", false),
            (b"", false),
        ] {
            assert_eq!(means_ready(answer), expected, "{}", String::from_utf8_lossy(answer));
        }
    }

    #[test]
    fn the_startup_message_states_its_own_length() {
        let message = startup_message("postgres");
        assert_eq!(message[..4], (message.len() as u32).to_be_bytes());
        assert_eq!(message[4..8], [0, 3, 0, 0]);
        assert!(message.ends_with(b"\0\0"));
    }

    #[test]
    fn only_a_live_postgres_counts_as_postmaster() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(live_postmaster(folder.path(), None), None);
        let write = |pid: u32| {
            fs::write(folder.path().join("postmaster.pid"), format!("{pid}\n/data\n0\n5432\n\n127.0.0.1\n")).unwrap();
        };
        write(std::process::id());
        assert_eq!(live_postmaster(folder.path(), None), None, "this test is no postgres");
        write(999_999_999);
        assert_eq!(live_postmaster(folder.path(), None), None, "no such process");
    }

    #[test]
    fn a_stale_pid_file_keeps_everything_but_the_number() {
        let folder = tempfile::tempdir().unwrap();
        disarm_stale_pid_file(folder.path(), None).unwrap();
        let path = folder.path().join("postmaster.pid");
        assert!(!path.exists());
        fs::write(&path, "17\n/data\n0\n5432\n\n127.0.0.1\n 1234 5\nready\n").unwrap();
        disarm_stale_pid_file(folder.path(), None).unwrap();
        let expected = format!("{}\n/data\n0\n5432\n\n127.0.0.1\n 1234 5\nready\n", std::process::id());
        assert_eq!(fs::read_to_string(&path).unwrap(), expected);
    }

    #[test]
    fn encodes_what_a_url_cannot_hold() {
        assert_eq!(encode("/tmp/a b_c~1.5-x"), "%2Ftmp%2Fa%20b_c~1.5-x");
        assert_eq!(encode("ä"), "%C3%A4");
    }
}
