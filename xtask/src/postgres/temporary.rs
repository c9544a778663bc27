//! A throw-away server for tests.

use std::env;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use anyhow::{Context, Result, bail};
use rustix::process::Signal;

use super::binaries::Binaries;
use super::cache;
use super::server::{self, SUPERUSER, Start, encode};
use super::user::{ServerUser, blocked_directory, command, give, spawn_error};

/// `sockaddr_un` holds 104 bytes on macOS, 108 on Linux; `/socket/.s.PGSQL.65535` comes behind the directory.
const LONGEST_DIRECTORY: usize = 80;

/// Speed over safety, as the data is thrown away, and room for many parallel tests. The time zone is not the machine's: whether a
/// column is rewritten, and how a bound is written, depends on it.
const SETTINGS: &[(&str, &str)] = &[
    ("fsync", "off"),
    ("full_page_writes", "off"),
    ("synchronous_commit", "off"),
    ("max_connections", "200"),
    ("timezone", "UTC"),
    ("log_timezone", "UTC"),
];

/// Ends the server when the process that owns it is gone without a word, however it was killed.
///
/// `read` returns at the end of file, that is when the last holder of the pipe's other end, the owner, has ended. A
/// server without data has nothing to save: it is stopped at once.
const WATCHDOG: &str = r#"
read -r word
[ "$word" = done ] && exit 0
pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null)
if [ -n "$pid" ]; then
    kill -QUIT "$pid"
    tries=0
    while kill -0 "$pid" && [ "$tries" -lt 100 ]; do
        sleep 0.1
        tries=$((tries + 1))
    done
fi
rm -rf "$1"
"#;

/// A PostgreSQL server with an empty cluster in a private directory, without durability, without passwords.
///
/// It ends, and its directory disappears, when the value is dropped, and also when the process ends without dropping
/// it (a `static`, a crash, `kill -9`). The first start on a machine runs initdb, which takes half a second or more; what it made is
/// kept in a private directory of the server's user, and each later start copies it.
#[derive(Debug)]
pub struct TemporaryServer {
    binaries: Binaries,
    user: Option<ServerUser>,
    directory: PathBuf,
    settings: Vec<(String, String)>,
    port: u16,
    /// `None` while the server is stopped.
    process: Option<Child>,
    watchdog: Child,
}

/// Settings for a [`TemporaryServer`].
#[derive(Debug, Default)]
pub struct Builder {
    settings: Vec<(String, String)>,
    files: Vec<(String, String)>,
}

impl Builder {
    /// Adds a setting of postgresql.conf, such as `wal_level` and `logical`; the last value of a name counts.
    #[must_use]
    pub fn setting(mut self, name: &str, value: &str) -> Builder {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Puts a file into the data directory before the start: a certificate, a `pg_hba.conf` in place of the one that
    /// trusts everybody. Only the server's user can read it.
    #[must_use]
    pub fn file(mut self, name: &str, text: &str) -> Builder {
        self.files.push((name.to_owned(), text.to_owned()));
        self
    }

    /// Creates and starts the server.
    ///
    /// # Errors
    /// No PostgreSQL is installed (the message says what to install), root has no user to run it as, or it does not
    /// start (the message ends with its log).
    pub fn start(self) -> Result<TemporaryServer> {
        let files = self.files.clone();
        let mut copied_from = None;
        let mut server = self.prepare(|server| {
            let parent = server.directory.parent().unwrap_or(Path::new("/tmp"));
            copied_from = cache::fill(parent, &server.binaries, server.user.as_ref(), &server.data_directory())?;
            Ok(())
        })?;
        let Err(error) = server.start_again() else { return Ok(server) };
        let Some(entry) = copied_from else { return Err(error) };
        // Either the settings are to blame or the copied cluster: one that is made for this server alone tells.
        cache::make(&server.binaries, server.user.as_ref(), &server.data_directory())?;
        server.write_files(&files)?;
        server.start_again()?;
        cache::discard(&entry, server.user.as_ref());
        Ok(server)
    }

    /// Creates the directories and has the cluster put into them.
    fn prepare(self, fill: impl FnOnce(&TemporaryServer) -> Result<()>) -> Result<TemporaryServer> {
        let user = ServerUser::choose()?;
        let binaries = Binaries::find(None, user.as_ref())?;
        let directory = choose_directory(user.as_ref())?;
        let prepared = fill_directory(&directory, user.as_ref()).and_then(|()| watch(&directory, user.as_ref()));
        let watchdog = prepared.inspect_err(|_| {
            // The first error is the one to tell; nothing but empty directories is lost.
            let _ = fs::remove_dir_all(&directory);
        })?;
        let own = SETTINGS.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let mut settings: Vec<_> = own.collect();
        settings.push(("unix_socket_directories".to_owned(), directory.join("socket").display().to_string()));
        settings.extend(self.settings);
        // From here on dropping the value cleans up, also after an error.
        let server = TemporaryServer { binaries, user, directory, settings, port: 0, process: None, watchdog };
        fill(&server)?;
        server.write_files(&self.files)?;
        Ok(server)
    }
}

impl TemporaryServer {
    /// Creates and starts a server with the default settings.
    ///
    /// # Errors
    /// As of [`Builder::start`].
    pub fn start() -> Result<TemporaryServer> {
        TemporaryServer::builder().start()
    }

    /// A server with settings of its own.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Creates and starts a hot standby that follows this server.
    ///
    /// # Errors
    /// The installation has no `pg_basebackup`, the server cannot be copied, the standby does not start.
    pub fn standby(&self) -> Result<TemporaryServer> {
        let copy = |standby: &TemporaryServer| {
            let program = standby.binaries.program("pg_basebackup");
            let mut copy = command(&program, standby.user.as_ref());
            copy.args(["--write-recovery-conf", "--checkpoint=fast", "--no-sync", "--host=127.0.0.1"]);
            copy.arg(format!("--username={SUPERUSER}")).arg(format!("--port={}", self.port));
            copy.arg("--pgdata").arg(standby.data_directory()).stdin(Stdio::null());
            let output = copy.output().map_err(|error| spawn_error(&error, &program, standby.user.as_ref()))?;
            if !output.status.success() {
                let said = String::from_utf8_lossy(&output.stderr);
                bail!("`{}` failed on the server at port {}: {}", program.display(), self.port, said.trim());
            }
            Ok(())
        };
        let mut standby = TemporaryServer::builder().prepare(copy)?;
        standby.start_again()?;
        Ok(standby)
    }

    /// The URL of a database through the Unix socket, as the superuser.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        let socket = encode(&self.socket_directory().to_string_lossy());
        format!("postgresql://{SUPERUSER}@/{}?host={socket}&port={}", encode(database), self.port)
    }

    /// The URL of a database through TCP on 127.0.0.1, as the superuser.
    #[must_use]
    pub fn tcp_url(&self, database: &str) -> String {
        format!("postgresql://{SUPERUSER}@127.0.0.1:{}/{}", self.port, encode(database))
    }

    /// The port on 127.0.0.1; it can change when a stopped server is started again.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The directory of the Unix socket; only the server's user and root can enter it.
    #[must_use]
    pub fn socket_directory(&self) -> PathBuf {
        self.directory.join("socket")
    }

    /// The cluster, as `SHOW data_directory` names it.
    #[must_use]
    pub fn data_directory(&self) -> PathBuf {
        self.directory.join("data")
    }

    /// The server's log so far.
    #[must_use]
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.directory.join("log")).unwrap_or_default()).into_owned()
    }

    /// The directory of the installed programs (`psql`, `pg_dump`, where the package has them).
    #[must_use]
    pub fn program_directory(&self) -> &Path {
        &self.binaries.directory
    }

    /// Ends the server like a crash (every connection breaks, the next start recovers); the data stay.
    ///
    /// The transactions of the last moments are lost, committed or not, unless the server was built with
    /// `synchronous_commit` `on`; with it (`fsync` may stay off) they are there again.
    ///
    /// # Errors
    /// The process cannot be signalled.
    pub fn crash(&mut self) -> Result<()> {
        self.end(Signal::QUIT)
    }

    /// Shuts the server down cleanly, disconnecting every client; the data stay.
    ///
    /// # Errors
    /// The process cannot be signalled.
    pub fn stop(&mut self) -> Result<()> {
        self.end(Signal::INT)
    }

    /// Starts the server again after [`crash`](Self::crash) or [`stop`](Self::stop), on the same port if it is free.
    ///
    /// # Errors
    /// It does not start; the message ends with its log.
    pub fn start_again(&mut self) -> Result<()> {
        if self.process.is_some() {
            return Ok(());
        }
        for attempt in 0..5 {
            if attempt > 0 || self.port == 0 {
                self.port = server::free_port()?;
            }
            let (data, log) = (self.data_directory(), self.directory.join("log"));
            match server::start(&self.binaries, self.user.as_ref(), &data, self.port, &self.settings, &log)? {
                Start::Ready(process) => {
                    self.process = Some(process);
                    return Ok(());
                }
                Start::PortTaken => {}
            }
        }
        bail!("five ports in a row were taken between looking and starting the server")
    }

    fn write_files(&self, files: &[(String, String)]) -> Result<()> {
        for (name, text) in files {
            write_private(&self.data_directory().join(name), text, self.user.as_ref())?;
        }
        Ok(())
    }

    fn end(&mut self, signal: Signal) -> Result<()> {
        let Some(mut process) = self.process.take() else { return Ok(()) };
        rustix::process::kill_process(rustix::process::Pid::from_child(&process), signal)
            .context("failed to stop the temporary server")?;
        process.wait().context("failed to wait for the temporary server")?;
        Ok(())
    }
}

impl Drop for TemporaryServer {
    fn drop(&mut self) {
        // What fails here is left to the watchdog: without the word it does the same from outside.
        let ended = self.end(Signal::QUIT).is_ok() && fs::remove_dir_all(&self.directory).is_ok();
        if let Some(mut pipe) = self.watchdog.stdin.take()
            && ended
        {
            let _ = pipe.write_all(b"done\n");
        }
        let _ = self.watchdog.wait();
    }
}

/// A new name in the first temporary directory that the server's user can enter and that is short enough for a socket.
fn choose_directory(user: Option<&ServerUser>) -> Result<PathBuf> {
    let name = format!("migrator-{}", server::random_hex(6)?);
    let fits = |parent: &PathBuf| {
        parent.is_dir()
            && parent.as_os_str().len() + 1 + name.len() <= LONGEST_DIRECTORY
            && user.is_none_or(|user| blocked_directory(parent, user).is_none())
    };
    let parents = [env::temp_dir(), PathBuf::from("/tmp"), PathBuf::from("/var/tmp")];
    let Some(parent) = parents.iter().filter_map(|parent| fs::canonicalize(parent).ok()).find(fits) else {
        bail!(
            "no temporary directory is fit for a server: `{}`, `/tmp` and `/var/tmp` are missing, private or have a \
             long name\nhelp: set TMPDIR",
            env::temp_dir().display()
        );
    };
    Ok(parent.join(name))
}

/// Creates the private directory with `data`, `socket` and `log` inside, owned by the server's user.
fn fill_directory(directory: &Path, user: Option<&ServerUser>) -> Result<()> {
    for path in [directory, &directory.join("data"), &directory.join("socket")] {
        fs::DirBuilder::new()
            .mode(0o700)
            .create(path)
            .with_context(|| format!("failed to create `{}`", path.display()))?;
    }
    write_private(&directory.join("log"), "", user)?;
    for path in [&directory.join("data"), &directory.join("socket"), directory] {
        give(path, user)?;
    }
    Ok(())
}

/// Writes a file that only the server's user can read.
fn write_private(path: &Path, text: &str, user: Option<&ServerUser>) -> Result<()> {
    fs::write(path, text).with_context(|| format!("failed to write `{}`", path.display()))?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    give(path, user)
}

fn watch(directory: &Path, user: Option<&ServerUser>) -> Result<Child> {
    let mut shell = command("sh", user);
    shell.args(["-c", WATCHDOG, "watchdog"]).arg(directory);
    // Its own process group: Ctrl-C in the terminal must not end the one that cleans up behind us.
    shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    shell.spawn().map_err(|error| spawn_error(&error, Path::new("sh"), user))
}
