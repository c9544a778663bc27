//! A throwaway server for tests.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use rustix::process::Signal;

use crate::binaries::Binaries;
use crate::cache;
use crate::error::{Context, Error, Result};
use crate::files;
use crate::place::{choose_directory, fill_directory, watch};
use crate::server::{self, Postmaster, SUPERUSER, Start, encode};
use crate::user::{ServerUser, command, spawn_error};

/// The port of a server that has no port: a part of its socket's name, in a directory of its own.
const SOCKET_PORT: u16 = 5432;

/// Who comes through the socket has been let into its directory, which is the server's user's and root's alone. No one else is let
/// in: what is not in this file is refused.
const THROUGH_THE_SOCKET: &str = "local all all trust\nlocal replication all trust\n";

/// Anyone on this machine can come by TCP.
const BY_TCP: &str = "host all all 127.0.0.1/32 scram-sha-256\n";

/// Speed over safety, as the data is thrown away, and room for many parallel tests. The time zone is not the machine's: whether a
/// column is rewritten, and how a bound is written, depends on it.
const SETTINGS: &[(&str, &str)] = &[
    ("fsync", "off"),
    ("full_page_writes", "off"),
    ("synchronous_commit", "off"),
    ("max_connections", "200"),
    // Before release 14 it is md5.
    ("password_encryption", "scram-sha-256"),
    ("timezone", "UTC"),
    ("log_timezone", "UTC"),
    // What a session runs begins with the fence: cut as usual, it would not show the migration.
    ("track_activity_query_size", "16kB"),
];

/// A PostgreSQL server with an empty cluster in a private directory, without durability.
///
/// It is reached through a Unix socket in a directory that only the server's user and root can enter, without a password, and by no
/// one else; with [`Builder::tcp`], also on 127.0.0.1, with a password that no one else knows.
///
/// It ends, and its directory disappears, when the value is dropped, and also when the process ends without dropping
/// it (a `static`, a crash, `kill -9`). The first start on a machine runs initdb, which takes half a second or more; what it made is
/// kept in a private directory of the server's user, and each later start copies it.
#[derive(Debug)]
pub struct TemporaryServer {
    binaries: Binaries,
    user: Option<ServerUser>,
    /// Ours, with the server's `data` and `socket`, and our `log`, in it.
    directory: PathBuf,
    settings: Vec<(String, String)>,
    files: Vec<(String, String)>,
    log: File,
    /// The superuser's, where it listens on 127.0.0.1.
    password: Option<String>,
    port: u16,
    /// `None` while the server is stopped.
    process: Option<Child>,
    watchdogs: Vec<Child>,
}

/// Settings for a [`TemporaryServer`].
#[derive(Debug, Default)]
pub struct Builder {
    settings: Vec<(String, String)>,
    files: Vec<(String, String)>,
    tcp: bool,
}

impl Builder {
    /// Adds a setting of postgresql.conf, such as `wal_level` and `logical`; the last value of a name counts.
    #[must_use]
    pub fn setting(mut self, name: &str, value: &str) -> Builder {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Also listens on 127.0.0.1, where the superuser needs a password; [`TemporaryServer::tcp_url`] has it.
    #[must_use]
    pub fn tcp(mut self) -> Builder {
        self.tcp = true;
        self
    }

    /// Puts a file into the data directory before the start: a certificate, a `pg_hba.conf` in place of ours. Only the server's user
    /// can read it.
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
        let mut server = self.prepare()?;
        let (parent, data) = (server.directory.parent().unwrap_or(Path::new("/tmp")), server.data_directory());
        let copied_from = cache::fill(parent, &server.binaries, server.user.as_ref(), &data)?;
        server.close_the_cluster()?;
        let Err(error) = server.start_again() else { return Ok(server) };
        let Some(entry) = copied_from else { return Err(error) };
        // Either the settings are to blame or the copied cluster: one that is made for this server alone tells.
        cache::make(&server.binaries, server.user.as_ref(), &data)?;
        server.close_the_cluster()?;
        server.start_again()?;
        entry.discard(server.user.as_ref());
        Ok(server)
    }

    /// Creates the directories, for a cluster to be put into them.
    fn prepare(self) -> Result<TemporaryServer> {
        let user = ServerUser::choose()?;
        let binaries = Binaries::find(None, user.as_ref())?;
        let directory = choose_directory(user.as_ref())?;
        let prepared =
            fill_directory(&directory, user.as_ref()).and_then(|log| Ok((log, watch(&directory, user.as_ref())?)));
        let (log, watchdogs) = prepared.inspect_err(|_| {
            // The first error is the one to tell; nothing but empty directories is lost.
            let _ = fs::remove_dir_all(&directory);
        })?;
        let own = SETTINGS.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let settings = own.chain(self.settings).collect();
        // What is given comes after ours, and replaces it.
        let by_tcp = if self.tcp { BY_TCP } else { "" };
        let mut files = vec![("pg_hba.conf".to_owned(), format!("{THROUGH_THE_SOCKET}{by_tcp}"))];
        files.extend(self.files);
        let password = if self.tcp { Some(files::random_hex(16)?) } else { None };
        // From here on dropping the value cleans up, also after an error.
        let (port, process) = (0, None);
        Ok(TemporaryServer { binaries, user, directory, settings, files, log, password, port, process, watchdogs })
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

    /// Creates and starts a hot standby that follows this server; it has no port on 127.0.0.1.
    ///
    /// # Errors
    /// The installation has no `pg_basebackup`, the server cannot be copied, the standby does not start.
    pub fn standby(&self) -> Result<TemporaryServer> {
        let mut standby = TemporaryServer::builder().prepare()?;
        let program = standby.binaries.program("pg_basebackup");
        let mut copy = command(&program, standby.user.as_ref());
        copy.args(["--write-recovery-conf", "--checkpoint=fast", "--no-sync", "--no-password"]);
        copy.arg("--host").arg(self.socket_directory()).arg(format!("--port={}", self.port));
        copy.arg(format!("--username={SUPERUSER}"));
        copy.arg("--pgdata").arg(standby.data_directory()).stdin(Stdio::null());
        let output = copy.output().map_err(|error| spawn_error(error, &program, standby.user.as_ref()))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let action = format!("`{}` failed on the server in `{}`", program.display(), self.directory.display());
            return Err(Error::ProgramFailed { action, said: said.trim().to_owned() });
        }
        standby.close_the_cluster()?;
        standby.start_again()?;
        Ok(standby)
    }

    /// The URL of a database through the Unix socket, as the superuser.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        let socket = encode(&self.socket_directory().to_string_lossy());
        format!("postgresql://{SUPERUSER}@{socket}:{}/{}", self.port, encode(database))
    }

    /// The URL of a database through TCP on 127.0.0.1, as the superuser, with the password in it. `None`: it was not built with
    /// [`Builder::tcp`].
    #[must_use]
    pub fn tcp_url(&self, database: &str) -> Option<String> {
        let password = self.password.as_ref()?;
        Some(format!("postgresql://{SUPERUSER}:{password}@127.0.0.1:{}/{}", self.port, encode(database)))
    }

    /// The superuser's password on 127.0.0.1. `None`: it was not built with [`Builder::tcp`].
    #[must_use]
    pub fn password(&self) -> Option<&str> {
        self.password.as_deref()
    }

    /// The port in the socket's name, and that on 127.0.0.1, which can change when a stopped server is started again.
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
        let length = self.log.metadata().map_or(0, |log| log.len());
        let mut text = vec![0; usize::try_from(length).unwrap_or_default()];
        let read = self.log.read_at(&mut text, 0).unwrap_or_default();
        String::from_utf8_lossy(&text[..read]).into_owned()
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
        let tcp = self.password.is_some();
        for attempt in 0..5 {
            if attempt > 0 || self.port == 0 {
                self.port = if tcp { server::free_port()? } else { SOCKET_PORT };
            }
            let (data, socket) = (self.data_directory(), self.socket_directory());
            let postmaster = Postmaster {
                binaries: &self.binaries,
                user: self.user.as_ref(),
                data: &data,
                socket: Some(&socket),
                tcp,
                port: self.port,
                settings: &self.settings,
                log: &self.log,
            };
            match postmaster.start()? {
                Start::Ready(process) => {
                    self.process = Some(process);
                    return Ok(());
                }
                Start::PortTaken => {}
            }
        }
        Err(Error::NoPort)
    }

    /// Decides who is let in, before the server starts on a cluster that lets no one in, or the same as the one it is a copy of.
    fn close_the_cluster(&self) -> Result<()> {
        for (name, text) in &self.files {
            files::write_as(self.user.as_ref(), &self.data_directory().join(name), text)?;
        }
        self.password.as_ref().map_or(Ok(()), |password| self.set_password(password))
    }

    /// By a server for one statement, which listens nowhere; the password is in no argument and no variable.
    fn set_password(&self, password: &str) -> Result<()> {
        let program = self.binaries.program("postgres");
        let mut single = command(&program, self.user.as_ref());
        single.arg("--single").args(["-c", "password_encryption=scram-sha-256", "-c", "fsync=off"]);
        single.arg("-D").arg(self.data_directory()).arg("postgres");
        single.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut single = single.spawn().map_err(|error| spawn_error(error, &program, self.user.as_ref()))?;
        let statement = format!("ALTER ROLE {SUPERUSER} PASSWORD '{password}'\n");
        let told = single.stdin.take().map_or(Ok(()), |mut pipe| pipe.write_all(statement.as_bytes()));
        let output = single.wait_with_output().with_context(|| "failed to wait for `postgres --single`")?;
        let said = String::from_utf8_lossy(&output.stderr);
        // It goes on after an error, with the exit code of success.
        if told.is_err() || !output.status.success() || said.contains("ERROR") {
            let action = format!("`{} --single` failed on `{}`", program.display(), self.data_directory().display());
            return Err(Error::ProgramFailed { action, said: said.trim().to_owned() });
        }
        Ok(())
    }

    fn end(&mut self, signal: Signal) -> Result<()> {
        let Some(mut process) = self.process.take() else { return Ok(()) };
        rustix::process::kill_process(rustix::process::Pid::from_child(&process), signal)
            .with_context(|| "failed to stop the temporary server")?;
        process.wait().with_context(|| "failed to wait for the temporary server")?;
        Ok(())
    }
}

impl Drop for TemporaryServer {
    fn drop(&mut self) {
        // The watchdogs clean up; one that gets no word ends the server too.
        let word = if self.end(Signal::QUIT).is_ok() { "done\n" } else { "\n" };
        if let Some(mut pipe) = self.watchdogs.first_mut().and_then(|watchdog| watchdog.stdin.take()) {
            let _ = pipe.write_all(word.as_bytes());
        }
        for watchdog in &mut self.watchdogs {
            let _ = watchdog.wait();
        }
    }
}
