//! A proxy between the migrator and the server that counts the client's messages and does harm at a chosen one.
//!
//! A point is (connection, message), both from 0, the start-up message being number 0. Connections are numbered in the
//! order in which they arrive: 0 migrates, 1 watches it, those behind them are made after a loss. Within a connection the
//! order of the messages is the same in every run; over all connections together it is not, because the first two talk
//! at the same time. Cancel requests are connections of another kind and have no number.
//!
//! It listens on a socket in a directory of its own: behind it is a server that trusts who comes to it, and on a port anyone on the
//! machine could come. So no client asks for TLS, which is one round trip less for each connection.

use std::io;
use std::os::unix::net::UnixListener as StdListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{oneshot, watch};

use crate::protocol::{Answers, Head, Said};
use crate::server::Address;

/// What happens at a point.
pub(crate) enum Harm {
    /// The connection ends before the message is passed on. What was passed on before it is still worked off, as with
    /// a client that has gone.
    Cut,
    /// The message is passed on and worked off, but the connection ends instead of the answer.
    LoseReply,
    /// Something happens outside; nothing is passed on meanwhile.
    Strike(Strike),
}

/// Something that happens outside.
pub(crate) struct Strike {
    /// True: right behind the message. False: before it, when everything before it has been answered.
    pub(crate) behind: bool,
    /// True: nothing more is passed on. Of a client that is killed, what it had sent ahead is lost too.
    pub(crate) ends: bool,
    /// It is told the process that serves the connection.
    pub(crate) act: Arc<dyn Fn(i32) + Send + Sync>,
}

/// Where it happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) connection: usize,
    pub(crate) message: usize,
}

/// What a connection's client has sent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Traffic {
    /// One label for each message.
    pub(crate) messages: Vec<String>,
    /// Round trips: how often it sent something that demands an answer when every answer before it had arrived.
    pub(crate) round_trips: usize,
}

/// Settings of a proxy.
struct Settings {
    server: Address,
    harms: Vec<(Place, Harm)>,
    /// For so long every answer is held back, as a network does: what the client sends together is together then, however late it is let
    /// run between two messages.
    latency: Duration,
}

/// A running proxy; it ends with the value.
pub(crate) struct Proxy {
    /// No one else can enter it.
    directory: TempDir,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    settings: Settings,
    traffic: Mutex<Vec<Traffic>>,
    /// How many harms have been done.
    done: AtomicUsize,
}

impl Proxy {
    /// Counts, and does no harm.
    pub(crate) fn watching(server: Address) -> Proxy {
        Proxy::harming(server, Vec::new())
    }

    /// The same, in front of a server that is so far away.
    pub(crate) fn distant(server: Address, latency: Duration) -> Proxy {
        Proxy::start(Settings { server, harms: Vec::new(), latency })
    }

    /// Does harm in these places.
    pub(crate) fn harming(server: Address, harms: Vec<(Place, Harm)>) -> Proxy {
        Proxy::start(Settings { server, harms, latency: Duration::ZERO })
    }

    /// Starts it on a socket of its own.
    fn start(settings: Settings) -> Proxy {
        // Not in the directory for temporary files, whose name may be too long for a socket.
        let directory = TempDir::with_prefix_in("proxy-", "/tmp").unwrap();
        let listener = StdListener::bind(directory.path().join(".s.PGSQL.5432")).unwrap();
        listener.set_nonblocking(true).unwrap();
        let shared = Arc::new(Shared { settings, traffic: Mutex::default(), done: AtomicUsize::new(0) });
        let (stop, stopped) = oneshot::channel();
        let serving = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                tokio::select! {
                    () = accept(serving, listener) => {}
                    _ = stopped => {}
                }
            });
        });
        Proxy { directory, shared, stop: Some(stop), thread: Some(thread) }
    }

    /// The URL of a database through the proxy.
    pub(crate) fn url(&self, database: &str) -> String {
        format!(
            "postgresql://postgres@{}:5432/{database}",
            self.directory.path().display().to_string().replace('/', "%2F")
        )
    }

    /// What was sent, connection by connection.
    pub(crate) fn traffic(&self) -> Vec<Traffic> {
        self.shared.traffic().clone()
    }

    /// How many of the harms have been done.
    pub(crate) fn harms_done(&self) -> usize {
        self.shared.done.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn traffic(&self) -> MutexGuard<'_, Vec<Traffic>> {
        self.traffic.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> usize {
        let mut traffic = self.traffic();
        traffic.push(Traffic::default());
        traffic.len() - 1
    }

    /// Writes a message down and returns its number.
    fn count(&self, connection: usize, label: String, round_trip: bool) -> usize {
        let traffic = &mut self.traffic()[connection];
        traffic.messages.push(label);
        traffic.round_trips += usize::from(round_trip);
        traffic.messages.len() - 1
    }

    /// The harm to be done at this message.
    fn harm(&self, connection: usize, message: usize) -> Option<&Harm> {
        let at = Place { connection, message };
        self.settings.harms.iter().find(|(place, _)| *place == at).map(|(_, harm)| harm)
    }

    async fn server(&self) -> io::Result<UnixStream> {
        let socket = self.settings.server.lock().unwrap_or_else(PoisonError::into_inner).clone();
        UnixStream::connect(socket).await
    }
}

async fn accept(shared: Arc<Shared>, listener: StdListener) {
    let listener = UnixListener::from_std(listener).unwrap();
    loop {
        let Ok((client, _)) = listener.accept().await else { continue };
        let shared = Arc::clone(&shared);
        // A connection that breaks is what this proxy is for.
        tokio::spawn(async move {
            let _ = serve(&shared, client).await;
        });
    }
}

async fn serve(shared: &Arc<Shared>, client: UnixStream) -> io::Result<()> {
    let (from, to) = client.into_split();
    let mut from = BufReader::with_capacity(1 << 16, from);
    let Some(head) = Head::read(&mut from, true).await? else { return Ok(()) };
    if head.is_cancel_request() {
        let mut server = shared.server().await?;
        head.pass_on(&mut from, &mut server).await?;
        // The server closes the connection when it has passed the request on; it says nothing.
        let _ = server.read(&mut [0]).await?;
        return Ok(());
    }
    let (server_from, server) = shared.server().await?.into_split();
    let (order, orders) = watch::channel(Order::PassOn);
    let (answered, answers) = watch::channel(State::default());
    tokio::spawn(pass_answers(server_from, to, shared.settings.latency, orders, answered));
    let connection = shared.open();
    let mut frontend = Frontend { shared, connection, from, server, order, answers, asked: 0 };
    let outcome = frontend.run(head).await;
    // What the server says from now on is read and thrown away: closing a socket with unread bytes would make the
    // system forget what the server has not read yet.
    let _ = frontend.order.send(Order::HangUp);
    let _ = frontend.server.shutdown().await;
    let _ = frontend.answers.wait_for(|state| state.closed).await;
    outcome
}

/// What is to be done with the server's answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    PassOn,
    /// Read them and keep the client waiting.
    Swallow,
    /// Read them, with the client's connection closed.
    HangUp,
}

/// How far the server's answers have come.
#[derive(Debug, Clone, Copy, Default)]
struct State {
    process: Option<i32>,
    /// How often it was ready for the next query.
    ready: usize,
    closed: bool,
}

async fn pass_answers(
    mut from: OwnedReadHalf,
    to: OwnedWriteHalf,
    latency: Duration,
    mut orders: watch::Receiver<Order>,
    state: watch::Sender<State>,
) {
    let mut to = Some(to);
    let mut answers = Answers::default();
    let mut piece = vec![0; 1 << 16];
    loop {
        let length = tokio::select! {
            length = from.read(&mut piece) => length.unwrap_or(0),
            Ok(()) = orders.changed(), if to.is_some() => {
                if *orders.borrow_and_update() == Order::HangUp {
                    to = None;
                }
                continue;
            }
        };
        if length == 0 {
            break;
        }
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        if let Some(client) = &mut to
            && *orders.borrow() == Order::PassOn
            && client.write_all(&piece[..length]).await.is_err()
        {
            to = None;
        }
        for said in answers.feed(&piece[..length]) {
            state.send_modify(|state| match said {
                Said::Process(process) => state.process = Some(process),
                Said::Ready => state.ready += 1,
            });
        }
    }
    drop(to);
    state.send_modify(|state| state.closed = true);
}

struct Frontend<'a> {
    shared: &'a Arc<Shared>,
    connection: usize,
    from: BufReader<OwnedReadHalf>,
    server: OwnedWriteHalf,
    order: watch::Sender<Order>,
    answers: watch::Receiver<State>,
    /// How many messages were passed on that demand an answer.
    asked: usize,
}

impl Frontend<'_> {
    /// Passes messages on until the client hangs up or a harm ends the connection.
    async fn run(&mut self, first: Head) -> io::Result<()> {
        let mut next = Some(first);
        while let Some(head) = next {
            let round_trip = head.is_answered() && self.answers.borrow().ready == self.asked;
            let number = self.shared.count(self.connection, head.label(), round_trip);
            let shared = Arc::clone(self.shared);
            match shared.harm(self.connection, number) {
                None => self.pass_on(head).await?,
                Some(harm) => {
                    shared.done.fetch_add(1, Ordering::SeqCst);
                    if !self.suffer(head, harm).await? {
                        return Ok(());
                    }
                }
            }
            next = Head::read(&mut self.from, false).await?;
        }
        Ok(())
    }

    async fn pass_on(&mut self, head: Head) -> io::Result<()> {
        self.asked += usize::from(head.is_answered());
        head.pass_on(&mut self.from, &mut self.server).await
    }

    /// Returns whether the connection goes on.
    async fn suffer(&mut self, head: Head, harm: &Harm) -> io::Result<bool> {
        match harm {
            Harm::Cut => Ok(false),
            Harm::LoseReply => {
                self.all_answered().await;
                let _ = self.order.send(Order::Swallow);
                self.pass_on(head).await?;
                self.all_answered().await;
                Ok(false)
            }
            // Nobody serves the connection before its first message.
            Harm::Strike(strike) if strike.behind || self.asked == 0 => {
                self.pass_on(head).await?;
                self.strike(strike).await;
                Ok(!strike.ends)
            }
            Harm::Strike(strike) => {
                self.all_answered().await;
                self.strike(strike).await;
                if !strike.ends {
                    self.pass_on(head).await?;
                }
                Ok(!strike.ends)
            }
        }
    }

    async fn all_answered(&mut self) {
        let asked = self.asked;
        let _ = self.answers.wait_for(|state| state.closed || state.ready >= asked).await;
    }

    async fn strike(&mut self, strike: &Strike) {
        let process = match self.answers.wait_for(|state| state.closed || state.process.is_some()).await {
            Ok(state) => state.process,
            Err(_) => None,
        };
        if let Some(process) = process {
            let act = Arc::clone(&strike.act);
            let _ = tokio::task::spawn_blocking(move || act(process)).await;
        }
    }
}
