//! The lasting development server of a workspace.

use std::fs::{self, File};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};
use sha2::{Digest, Sha256};

use crate::binaries::Binaries;
use crate::error::{Context, Error, Result};
use crate::files::{self, write_private};
use crate::server::{self, Postmaster, SUPERUSER, Start, encode};
use crate::user::{ServerUser, blocked_directory, give, remove_postgres_variables};

/// How long a server that someone else has started may be silent, for instance while it recovers after a crash.
const PATIENCE: Duration = Duration::from_secs(60);

/// The development server of one workspace: its place on disk and how to start and stop it.
///
/// A plain user's cluster lies in `<workspace>/.dev/postgres` (not in `target`, which `cargo clean` deletes under a
/// living server). Root's lies in `/var/tmp/<database>-<hash of the workspace's path>`, because the server runs as
/// another user there, who often cannot enter root's workspace. It listens on 127.0.0.1 only, on a port of its own,
/// with a generated password that a file readable only by its owner holds.
#[derive(Debug, Clone)]
pub struct Cluster {
    home: PathBuf,
    database: String,
    user: Option<ServerUser>,
}

/// Whether a cluster's server runs.
#[derive(Debug)]
pub enum Status {
    /// There is no cluster yet.
    Absent,
    /// There is a cluster, without a running server.
    Stopped,
    /// The server's process lives but accepts no connections (yet).
    Starting,
    /// The server accepts connections.
    Running(Running),
}

/// A development server that accepts connections. Dropping the value does not stop it.
#[derive(Debug, Clone)]
pub struct Running {
    database: String,
    data: PathBuf,
    port: u16,
    password: String,
}

impl Cluster {
    /// The cluster of the workspace in `root`, which may not exist yet; nothing is created or started.
    ///
    /// # Errors
    /// `root` is not a directory, or root has no user to run the server as.
    pub fn of_workspace(root: &Path) -> Result<Cluster> {
        let root =
            fs::canonicalize(root).with_context(|| format!("failed to find the workspace `{}`", root.display()))?;
        let database = database_name(&root);
        let user = ServerUser::choose()?;
        let home = match &user {
            None => root.join(".dev/postgres"),
            Some(_) => Path::new("/var/tmp").join(format!("{database}-{}", short_hash(&root))),
        };
        Ok(Cluster { home, database, user })
    }

    /// The workspace's database in this cluster: the directory's name in lower case, with `_dev` at the end.
    #[must_use]
    pub fn database(&self) -> &str {
        &self.database
    }

    /// The cluster's data directory, absolute, as `SHOW data_directory` names it.
    #[must_use]
    pub fn data_directory(&self) -> PathBuf {
        self.home.join("data")
    }

    /// The log of the server's current or last run.
    #[must_use]
    pub fn log_file(&self) -> PathBuf {
        self.home.join("log")
    }

    /// Starts the server, creating the cluster first where there is none; does nothing if it runs already.
    ///
    /// It creates no database but `postgres`.
    ///
    /// # Errors
    /// No PostgreSQL is installed (the message says what to install), the place is not ours, or the server does not
    /// start (the message ends with its log).
    pub fn start(&self) -> Result<Running> {
        if !self.home.exists() {
            // Before anything is created: a machine without PostgreSQL keeps no trace.
            Binaries::find(None, self.user.as_ref())?;
        }
        let _lock = self.lock()?;
        if let Some(running) = self.wait_for_living()? {
            return Ok(running);
        }
        let exists = self.data_directory().exists();
        let binaries = Binaries::find(if exists { Some(self.major()?) } else { None }, self.user.as_ref())?;
        if !exists {
            self.create(&binaries)?;
        }
        server::disarm_stale_pid_file(&self.data_directory(), self.user.as_ref())?;
        let (data, log) = (self.data_directory(), files::open_private(&self.log_file())?);
        let mut port = self.last_port().map_or_else(server::free_port, Ok)?;
        for _ in 0..5 {
            let postmaster = Postmaster {
                binaries: &binaries,
                user: self.user.as_ref(),
                data: &data,
                socket: None,
                tcp: true,
                port,
                settings: &[],
                log: &log,
            };
            match postmaster.start()? {
                Start::Ready(_) => {
                    write_private(&self.home.join("port"), &port.to_string())?;
                    return self.running(port);
                }
                Start::PortTaken => port = server::free_port()?,
            }
        }
        Err(Error::NoPort)
    }

    /// Shuts the server down, disconnecting its clients; false if it did not run.
    ///
    /// # Errors
    /// The process cannot be signalled, or lives on for more than 30 seconds.
    pub fn stop(&self) -> Result<bool> {
        if !self.home.exists() {
            return Ok(false);
        }
        let _lock = self.lock()?;
        self.end(Signal::INT)
    }

    /// Checks whether the server runs; starts and changes nothing.
    ///
    /// # Errors
    /// The place is not ours, or the password file of a running server is missing.
    pub fn status(&self) -> Result<Status> {
        if !self.home.exists() {
            return Ok(Status::Absent);
        }
        self.refuse_strangers()?;
        match self.living() {
            Some((_, port)) if server::accepts_connections(port) => Ok(Status::Running(self.running(port)?)),
            Some(_) => Ok(Status::Starting),
            None if self.data_directory().exists() => Ok(Status::Stopped),
            None => Ok(Status::Absent),
        }
    }

    /// Stops the server and removes the cluster with every database in it; false if there was none.
    ///
    /// # Errors
    /// The server does not stop, or a file cannot be removed.
    pub fn destroy(&self) -> Result<bool> {
        if !self.home.exists() {
            return Ok(false);
        }
        let _lock = self.lock()?;
        self.end(Signal::QUIT)?;
        let existed = self.data_directory().exists();
        remove(&self.home, |path| fs::remove_dir_all(path))?;
        Ok(existed)
    }

    /// The lock that everything that changes the cluster holds, in the cluster's own directory.
    fn lock(&self) -> Result<File> {
        let path = self.home.join("lock");
        loop {
            self.create_home()?;
            let file = files::open_private(&path)?;
            file.lock().with_context(|| format!("failed to lock `{}`", path.display()))?;
            // Whoever held it may have destroyed the cluster meanwhile, and the lock with it.
            if fs::metadata(&path).is_ok_and(|now| file.metadata().is_ok_and(|ours| ours.ino() == now.ino())) {
                return Ok(file);
            }
        }
    }

    fn create_home(&self) -> Result<()> {
        let shown = self.home.display();
        if let Some(parent) = self.home.parent() {
            fs::create_dir_all(parent).with_context(|| format!("failed to create `{}`", parent.display()))?;
        }
        // Root's directory is passed by the server's user on the way to the data; no one else has business there.
        let mode = if self.user.is_some() { 0o711 } else { 0o700 };
        match fs::DirBuilder::new().mode(mode).create(&self.home) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            // Whatever our umask is; the directory is ours, and no one can replace it.
            result => result
                .and_then(|()| fs::set_permissions(&self.home, fs::Permissions::from_mode(mode)))
                .with_context(|| format!("failed to create `{shown}`"))?,
        }
        self.refuse_strangers()?;
        // A workspace whose .gitignore does not know `.dev` must not commit a cluster, and a password.
        fs::write(self.home.join(".gitignore"), "*\n").with_context(|| format!("failed to write into `{shown}`"))
    }

    /// Anyone may create directories in /var/tmp, also the one that we would use.
    fn refuse_strangers(&self) -> Result<()> {
        let shown = self.home.display();
        let metadata = fs::symlink_metadata(&self.home).with_context(|| format!("failed to look at `{shown}`"))?;
        let own = rustix::process::geteuid().as_raw();
        if !metadata.is_dir() || metadata.uid() != own || metadata.mode() & 0o022 != 0 {
            return Err(Error::NotPrivate { directory: self.home.clone(), uid: own });
        }
        if let Some((user, blocked)) =
            self.user.as_ref().and_then(|user| Some((user, blocked_directory(&self.home, user)?)))
        {
            return Err(Error::ClusterOutOfReach { user: user.name.clone(), blocked });
        }
        Ok(())
    }

    /// The server that already lives, once it answers.
    fn wait_for_living(&self) -> Result<Option<Running>> {
        let began = Instant::now();
        while let Some((pid, port)) = self.living() {
            if server::accepts_connections(port) {
                return self.running(port).map(Some);
            }
            if began.elapsed() > PATIENCE {
                let (data, log_file) = (self.data_directory(), self.log_file());
                return Err(Error::NotAnswering { data, log_file, pid: pid.as_raw_nonzero().get() });
            }
            sleep(Duration::from_millis(50));
        }
        Ok(None)
    }

    /// initdb into a directory of another name: what a killed initdb leaves behind is never taken for a cluster.
    fn create(&self, binaries: &Binaries) -> Result<()> {
        let user = self.user.as_ref();
        let fresh = self.home.join("data.new");
        remove(&fresh, |path| fs::remove_dir_all(path))?;
        let created = fs::DirBuilder::new().mode(0o700).create(&fresh);
        created.with_context(|| format!("failed to create `{}`", fresh.display()))?;
        give(&fresh, user)?;
        let password = files::random_hex(16)?;
        write_private(&self.home.join("password"), &password)?;
        // The server's user must read it once; ours stays ours.
        let once = self.home.join("password.initdb");
        write_private(&once, &password)?;
        give(&once, user)?;
        let done = server::initdb(binaries, user, &fresh, &["--auth=scram-sha-256"], |initdb| {
            initdb.arg("--pwfile").arg(&once);
        });
        remove(&once, |path| fs::remove_file(path))?;
        done?;
        let data = self.data_directory();
        fs::rename(&fresh, &data).with_context(|| format!("failed to rename `{}` to `data`", fresh.display()))
    }

    fn running(&self, port: u16) -> Result<Running> {
        let path = self.home.join("password");
        let password = fs::read_to_string(&path).map_err(|source| unreadable(&path, source))?;
        Ok(Running { database: self.database.clone(), data: self.data_directory(), port, password })
    }

    fn end(&self, signal: Signal) -> Result<bool> {
        let Some((pid, _)) = self.living() else { return Ok(false) };
        server::stop(&self.data_directory(), self.user.as_ref(), pid, signal)?;
        Ok(true)
    }

    fn living(&self) -> Option<(Pid, u16)> {
        server::live_postmaster(&self.data_directory(), self.user.as_ref())
    }

    fn major(&self) -> Result<u32> {
        let data = self.data_directory();
        let shown = data.join("PG_VERSION");
        let text = files::read_of(self.user.as_ref(), &data, "PG_VERSION");
        let text = text.map_err(|source| unreadable(&shown, source))?;
        text.trim().parse().map_err(|_| Error::BrokenCluster {
            message: format!("`{}` holds no release: `{}`", shown.display(), text.trim()),
            source: None,
        })
    }

    /// Keeping the port keeps the URL that someone has pasted into a tool.
    fn last_port(&self) -> Option<u16> {
        fs::read_to_string(self.home.join("port")).ok()?.trim().parse().ok()
    }
}

impl Running {
    /// The URL of a database as the superuser, with the password in it.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgresql://{SUPERUSER}:{}@127.0.0.1:{}/{}", self.password, self.port, encode(database))
    }

    /// The workspace's database; it need not exist yet.
    #[must_use]
    pub fn database(&self) -> &str {
        &self.database
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The data directory, as `SHOW data_directory` names it.
    #[must_use]
    pub fn data_directory(&self) -> &Path {
        &self.data
    }

    /// `psql` on a database, with the password in the environment instead of the process list.
    #[must_use]
    pub fn psql(&self, database: &str) -> Command {
        // Homebrew keeps it out of the PATH; a server package without a client leaves it to the PATH.
        let beside = ServerUser::choose().and_then(|user| Binaries::find(None, user.as_ref()));
        let beside = beside.map(|binaries| binaries.program("psql")).ok().filter(|path| path.exists());
        let mut psql = Command::new(beside.unwrap_or_else(|| "psql".into()));
        remove_postgres_variables(&mut psql);
        psql.env("PGHOST", "127.0.0.1").env("PGPORT", self.port.to_string());
        psql.env("PGUSER", SUPERUSER).env("PGPASSWORD", &self.password).env("PGDATABASE", database);
        psql
    }
}

/// `/home/me/My-Shop` -> `my_shop_dev`.
fn database_name(root: &Path) -> String {
    let name = root.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let clean = |c: char| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '_' };
    // PostgreSQL cuts names after 63 bytes, in silence.
    let name: String = name.chars().map(clean).take(59).collect();
    format!("{name}_dev")
}

fn short_hash(root: &Path) -> String {
    let hash = Sha256::digest(root.as_os_str().as_encoded_bytes());
    hex::encode(&hash[..6])
}

/// A cluster without this file is of no use.
fn unreadable(path: &Path, source: std::io::Error) -> Error {
    Error::BrokenCluster { message: format!("failed to read `{}`", path.display()), source: Some(source) }
}

/// Of a directory, std removes by descriptor what is in it, and follows no link: what the server's user has put there is safe to
/// be removed by root.
fn remove(path: &Path, how: impl FnOnce(&Path) -> std::io::Result<()>) -> Result<()> {
    match how(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("failed to remove `{}`", path.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_database_after_the_workspace() {
        let long = format!("/srv/{}", "x".repeat(80));
        for (root, expected) in [
            ("/home/me/shop", "shop_dev".to_owned()),
            ("/home/me/My-Shop.v2", "my_shop_v2_dev".to_owned()),
            ("/home/me/Müller & Söhne", "m_ller___s_hne_dev".to_owned()),
            (&long, format!("{}_dev", "x".repeat(59))),
        ] {
            assert_eq!(database_name(Path::new(root)), expected);
        }
    }

    #[test]
    fn two_workspaces_of_one_name_have_two_clusters() {
        assert_ne!(short_hash(Path::new("/a/shop")), short_hash(Path::new("/b/shop")));
        assert_eq!(short_hash(Path::new("/a/shop")).len(), 12);
    }
}
