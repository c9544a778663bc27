//! What both kinds of server share: creating a cluster, starting a postmaster, asking whether it answers, stopping it.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use rustix::fs::OFlags;
use rustix::process::{Pid, Signal, kill_process};

use super::binaries::Binaries;
use super::user::{ServerUser, command, spawn_error};

/// Recovery after a crash can take a while; a server that says nothing for longer is broken.
const START_DEADLINE: Duration = Duration::from_secs(60);
const STOP_DEADLINE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(20);

/// The superuser of every cluster made here.
pub(super) const SUPERUSER: &str = "postgres";

/// The C locale sorts alike everywhere; letters beyond ASCII still need a character type that knows them.
pub(super) const CHARACTER_TYPE: &str =
    if cfg!(target_os = "linux") { "--lc-ctype=C.UTF-8" } else { "--lc-ctype=en_US.UTF-8" };

/// How a starting server ended.
pub(super) enum Start {
    Ready(Child),
    /// Somebody else took the port between our look and the server's.
    PortTaken,
}

/// Runs initdb; `options` come on top of what both kinds of cluster have in common.
pub(super) fn initdb(
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
    let output = initdb.output().map_err(|error| spawn_error(&error, &program, user))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("`{}` failed on `{}`: {}", program.display(), data.display(), said.trim());
    }
    Ok(())
}

/// Starts a postmaster on 127.0.0.1:`port` and waits until it accepts connections.
///
/// It gets a process group of its own: Ctrl-C in the terminal is for us, not for the server.
pub(super) fn start(
    binaries: &Binaries,
    user: Option<&ServerUser>,
    data: &Path,
    port: u16,
    settings: &[(String, String)],
    log: &Path,
) -> Result<Start> {
    let open = || File::create(log).with_context(|| format!("failed to write the server's log `{}`", log.display()));
    let output = open()?;
    let program = binaries.program("postgres");
    let mut postgres = command(&program, user);
    postgres.arg("-D").arg(data).arg("-p").arg(port.to_string());
    postgres.args(["-c", "listen_addresses=127.0.0.1", "-c", "logging_collector=off", "-c", "log_destination=stderr"]);
    for (name, value) in settings {
        postgres.arg("-c").arg(format!("{name}={value}"));
    }
    postgres.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output).process_group(0);
    let mut server = postgres.spawn().map_err(|error| spawn_error(&error, &program, user))?;

    let began = Instant::now();
    while began.elapsed() < START_DEADLINE {
        if let Some(status) = server.try_wait()? {
            let said = tail(log);
            if said.contains("could not bind") {
                return Ok(Start::PortTaken);
            }
            bail!("the server on `{}` ended at once ({status}); its log says:\n{said}", data.display());
        }
        if accepts_connections(port) {
            return Ok(Start::Ready(server));
        }
        sleep(PAUSE);
    }
    server.kill()?;
    server.wait()?;
    bail!("the server on `{}` did not answer within {START_DEADLINE:?}; its log says:\n{}", data.display(), tail(log))
}

/// The last lines of the server's log, for a message.
fn tail(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(10)..].join("\n")
}

/// A port of 127.0.0.1 that is free now.
pub(super) fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("failed to find a free port on 127.0.0.1")?;
    Ok(listener.local_addr()?.port())
}

/// Whether a server on 127.0.0.1 lets somebody in.
///
/// A start-up message is answered by every server that is ready, if only with "who are you"; one that starts or stops
/// says so with SQLSTATE 57P03.
pub(super) fn accepts_connections(port: u16) -> bool {
    let ask = || -> io::Result<bool> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(2))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(&startup_message(SUPERUSER))?;
        let mut answer = [0; 512];
        let length = stream.read(&mut answer)?;
        Ok(means_ready(&answer[..length]))
    };
    ask().unwrap_or(false)
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

/// The postmaster that `postmaster.pid` in `data` names, if it lives, and its port.
///
/// A process counts only if it is a `postgres` and no zombie: after a crash the number may belong to somebody else, and
/// in a container without an init the dead postmaster stays in the table.
pub(super) fn live_postmaster(data: &Path) -> Option<(Pid, u16)> {
    let text = fs::read_to_string(data.join("postmaster.pid")).ok()?;
    let mut lines = text.lines();
    let pid: i32 = lines.next()?.trim().parse().ok()?;
    let port = lines.nth(2)?.trim().parse().ok()?;
    is_live_postgres(pid).then_some((Pid::from_raw(pid)?, port))
}

fn is_live_postgres(pid: i32) -> bool {
    if cfg!(target_os = "linux") {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // `17 (postgres) S 1 ...`
        return stat
            .split_once('(')
            .and_then(|(_, rest)| rest.rsplit_once(") "))
            .is_some_and(|(name, rest)| name.starts_with("postgres") && !rest.starts_with(['Z', 'X']));
    }
    let Ok(output) = Command::new("ps").args(["-o", "stat=,comm=", "-p", &pid.to_string()]).output() else {
        return false;
    };
    let line = String::from_utf8_lossy(&output.stdout);
    line.contains("postgres") && !line.trim_start().starts_with('Z')
}

/// Makes a postmaster.pid that a crash left behind harmless.
///
/// The server itself refuses to start while the process of that number exists, be it a zombie or a stranger. The file
/// stays, with our own number, which the server does not take for a rival since we are its parent: the rest of the file
/// is how it finds old backends that still use the shared memory.
pub(super) fn disarm_stale_pid_file(data: &Path) -> Result<()> {
    let path = data.join("postmaster.pid");
    let Ok(text) = fs::read_to_string(&path) else { return Ok(()) };
    let rest = text.split_once('\n').map_or("", |(_, rest)| rest);
    let write = || -> io::Result<()> {
        // The directory is the server's, we may be root: a link in it must not lead us to another file.
        let no_link = OFlags::NOFOLLOW.bits().cast_signed();
        let mut file = File::options().write(true).truncate(true).custom_flags(no_link).open(&path)?;
        write!(file, "{}\n{rest}", std::process::id())
    };
    write().with_context(|| format!("failed to take over the stale `{}`", path.display()))
}

/// Ends a postmaster and waits until it is gone: `INT` disconnects the clients and shuts down cleanly, `QUIT` at once.
///
/// # Errors
/// The process may not be signalled, or lives on.
pub(super) fn stop(data: &Path, pid: Pid, signal: Signal) -> Result<()> {
    kill_process(pid, signal).map_err(|error| anyhow!("failed to stop the server, process {pid:?}: {error}"))?;
    let began = Instant::now();
    while live_postmaster(data).is_some_and(|(living, _)| living == pid) {
        if began.elapsed() > STOP_DEADLINE {
            bail!(
                "the server on `{}` did not stop within {STOP_DEADLINE:?}\nhelp: see what it waits for in its log, \
                 or end process {pid:?}",
                data.display()
            );
        }
        sleep(PAUSE);
    }
    Ok(())
}

/// `bytes` random bytes in hexadecimal.
pub(super) fn random_hex(bytes: usize) -> Result<String> {
    let mut buffer = vec![0; bytes];
    let mut source = File::open("/dev/urandom").context("failed to open `/dev/urandom`")?;
    source.read_exact(&mut buffer).context("failed to read `/dev/urandom`")?;
    Ok(buffer.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Text for any part of a URL: everything but unreserved characters is percent-encoded.
pub(super) fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
        encoded
    })
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
        assert_eq!(live_postmaster(folder.path()), None);
        let write = |pid: u32| {
            fs::write(folder.path().join("postmaster.pid"), format!("{pid}\n/data\n0\n5432\n\n127.0.0.1\n")).unwrap();
        };
        write(std::process::id());
        assert_eq!(live_postmaster(folder.path()), None, "this test is no postgres");
        write(999_999_999);
        assert_eq!(live_postmaster(folder.path()), None, "no such process");
    }

    #[test]
    fn a_stale_pid_file_keeps_everything_but_the_number() {
        let folder = tempfile::tempdir().unwrap();
        disarm_stale_pid_file(folder.path()).unwrap();
        let path = folder.path().join("postmaster.pid");
        assert!(!path.exists());
        fs::write(&path, "17\n/data\n0\n5432\n\n127.0.0.1\n 1234 5\nready\n").unwrap();
        disarm_stale_pid_file(folder.path()).unwrap();
        let expected = format!("{}\n/data\n0\n5432\n\n127.0.0.1\n 1234 5\nready\n", std::process::id());
        assert_eq!(fs::read_to_string(&path).unwrap(), expected);
    }

    #[test]
    fn encodes_what_a_url_cannot_hold() {
        assert_eq!(encode("/tmp/a b_c~1.5-x"), "%2Ftmp%2Fa%20b_c~1.5-x");
        assert_eq!(encode("ä"), "%C3%A4");
    }
}
