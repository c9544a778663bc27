//! The server of a series: durable, as in production, and quiet beside what is measured.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use migrator_postgres::{Builder, TemporaryServer};
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

/// Where a tool connects.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The directory of a socket; `None`: by TCP on 127.0.0.1, with TLS.
    pub(crate) directory: Option<PathBuf>,
    pub(crate) port: u16,
    pub(crate) database: String,
    /// Of the superuser; empty: none is needed.
    pub(crate) password: String,
}

impl Place {
    /// The socket itself.
    pub(crate) fn socket(&self) -> PathBuf {
        self.directory.clone().unwrap_or_default().join(format!(".s.PGSQL.{}", self.port))
    }

    /// As libpq and we read it.
    pub(crate) fn url(&self) -> String {
        let Place { port, database, password, .. } = self;
        match &self.directory {
            Some(directory) => {
                let directory = directory.display().to_string().replace('/', "%2F");
                format!("postgresql://postgres@{directory}:{port}/{database}")
            }
            None => format!("postgresql://postgres:{password}@127.0.0.1:{port}/{database}?sslmode=require"),
        }
    }

    /// As dbmate writes a socket.
    pub(crate) fn dbmate_url(&self) -> String {
        let Place { port, database, .. } = self;
        match &self.directory {
            Some(directory) => {
                format!("postgres://postgres@/{database}?socket={}&port={port}&sslmode=disable", directory.display())
            }
            None => self.url(),
        }
    }

    /// As sqlx writes a socket.
    pub(crate) fn sqlx_url(&self) -> String {
        let Place { port, database, .. } = self;
        match &self.directory {
            Some(directory) => format!("postgres://postgres@localhost:{port}/{database}?host={}", directory.display()),
            None => self.url(),
        }
    }
}

/// A server with a session of our own beside those of the tools.
pub(crate) struct Server {
    server: TemporaryServer,
    session: Session,
}

impl Server {
    /// Starts one. Its databases are dropped with it and not before: dropping slows the file system that the next run writes to.
    pub(crate) fn start() -> Result<Server> {
        Server::start_with(TemporaryServer::builder())
    }

    /// The same, with further settings.
    pub(crate) fn start_with(builder: Builder) -> Result<Server> {
        let server = builder
            .setting("fsync", "on")
            .setting("synchronous_commit", "on")
            .setting("full_page_writes", "on")
            .setting("max_wal_size", "8GB")
            // Whoever works beside the tools would be measured with them.
            .setting("checkpoint_timeout", "1h")
            .setting("autovacuum", "off")
            .setting("wal_writer_delay", "10s")
            .setting("wal_writer_flush_after", "1GB")
            .setting("shared_buffers", "512MB")
            .start();
        Server::of(server)
    }

    /// One as the developer's tasks start it for their proofs: it flushes nothing.
    pub(crate) fn throwaway() -> Result<Server> {
        Server::of(TemporaryServer::start())
    }

    fn of(server: migrator_postgres::Result<TemporaryServer>) -> Result<Server> {
        let server = server.context("no PostgreSQL to measure with")?;
        let session = Session::open(&server.url("postgres"))?;
        Ok(Server { server, session })
    }

    /// A new database, by the socket.
    pub(crate) fn database(&self) -> Result<Place> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let database = format!("b{}", NEXT.fetch_add(1, Ordering::Relaxed));
        self.session.run(&format!("CREATE DATABASE {database}"))?;
        Ok(Place {
            directory: Some(self.server.socket_directory()),
            port: self.server.port(),
            database,
            password: self.server.password().unwrap_or_default().to_owned(),
        })
    }

    /// Our own session.
    pub(crate) fn session(&self) -> &Session {
        &self.session
    }

    /// The directory of psql.
    pub(crate) fn programs(&self) -> PathBuf {
        self.server.program_directory().to_owned()
    }

    /// The processor time of the server and all that it has started, in seconds, once the sessions of the tools have ended. The system
    /// counts it in hundredths.
    pub(crate) fn processor_time(&self) -> Result<f64> {
        let until = Instant::now() + Duration::from_secs(10);
        let others = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() \
                      AND application_name <> 'bench'";
        while self.session.value(others)? != "0" {
            ensure!(Instant::now() < until, "a session has not ended within ten seconds");
            std::thread::sleep(Duration::from_millis(5));
        }
        let pid = std::fs::read_to_string(self.server.data_directory().join("postmaster.pid"))?;
        let postmaster: u32 = pid.lines().next().unwrap_or_default().trim().parse().context("postmaster.pid")?;
        let mut ticks = 0;
        for (pid, times) in processes()? {
            // Of those that have ended only their parent knows.
            ticks += match pid == postmaster {
                true => times.own + times.ended,
                false if times.parent == postmaster => times.own,
                false => 0,
            };
        }
        Ok(f64::from(u32::try_from(ticks).unwrap_or(u32::MAX)) / 100.0)
    }

    /// How often the log was flushed so far, whoever did it, without the flushes at the end of its segments.
    pub(crate) fn flushes(&self) -> Result<f64> {
        let version: i32 = self
            .session
            .value("SELECT current_setting('server_version_num')::int / 10000")?
            .parse()
            .context("version")?;
        let count = match version {
            ..14 => anyhow::bail!("a server before 14 does not count them"),
            14..18 => "SELECT wal_sync FROM pg_stat_wal",
            18.. => "SELECT sum(fsyncs) FROM pg_stat_io WHERE object = 'wal' AND context = 'normal'",
        };
        // Whoever writes, the end of a segment demands one, and the segments of this server are small.
        let segment = "(SELECT setting::numeric FROM pg_settings WHERE name = 'wal_segment_size')";
        let ends = format!("div(pg_current_wal_insert_lsn() - '0/0', {segment})");
        Ok(self.session.value(&format!("SELECT ({count}) - {ends}"))?.parse()?)
    }
}

struct Times {
    parent: u32,
    own: u64,
    ended: u64,
}

/// The processes of the machine.
fn processes() -> Result<BTreeMap<u32, Times>> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir("/proc").context("the processor time of the server is read from /proc")? {
        let name = entry?.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
        // It may have ended meanwhile.
        let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { continue };
        let Some((_, rest)) = stat.rsplit_once(") ") else { continue };
        let fields: Vec<&str> = rest.split(' ').collect();
        let number = |index: usize| fields.get(index).and_then(|field| field.parse::<u64>().ok()).unwrap_or_default();
        let parent = u32::try_from(number(1)).unwrap_or_default();
        all.insert(pid, Times { parent, own: number(11) + number(12), ended: number(13) + number(14) });
    }
    Ok(all)
}

/// A session that blocks until it has its answer.
pub(crate) struct Session {
    runtime: tokio::runtime::Runtime,
    client: Client,
}

impl Session {
    /// Connects.
    pub(crate) fn open(url: &str) -> Result<Session> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut config: tokio_postgres::Config = url.parse()?;
        config.application_name("bench");
        let (client, connection) = runtime.block_on(config.connect(NoTls))?;
        runtime.spawn(connection);
        Ok(Session { runtime, client })
    }

    /// Runs SQL.
    pub(crate) fn run(&self, sql: &str) -> Result<()> {
        self.runtime.block_on(self.client.batch_execute(sql)).with_context(|| sql.to_owned())
    }

    /// The first column of the first row; empty where there is none.
    pub(crate) fn value(&self, sql: &str) -> Result<String> {
        let messages = self.runtime.block_on(self.client.simple_query(sql)).with_context(|| sql.to_owned())?;
        let value = messages.into_iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        });
        Ok(value.unwrap_or_default())
    }
}
