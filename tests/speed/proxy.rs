//! A proxy between a tool and the server that counts what passes and may hold it back, as a long line does.
//!
//! It passes pieces on as they come. On a socket it is in a directory of its own, because the server that it leads to trusts who comes; by TCP
//! it is open to anyone on the machine, and the server asks for a password.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Result;
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::server::Place;
use crate::wire::{Messages, Said};

/// What has passed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) connections: usize,
    /// How often a client sent something that is answered when all that it had sent before was answered. What is encrypted cannot be
    /// read: there, how often it sent something after the server had.
    pub(crate) round_trips: usize,
    pub(crate) bytes_to_server: usize,
    pub(crate) bytes_to_client: usize,
}

/// A running proxy; it ends with the value.
pub(crate) struct Proxy {
    place: Place,
    _directory: Option<TempDir>,
    counted: Arc<Mutex<Counted>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Where it listens, and where it connects.
enum Ends {
    Sockets(std::os::unix::net::UnixListener, PathBuf),
    Ports(std::net::TcpListener, u16),
}

impl Proxy {
    /// Starts one before a place, of the same kind. `delay` is added to every round trip; the beginning of a TCP connection, another
    /// round trip on a real line, is not held back.
    pub(crate) fn before(place: &Place, delay: Duration) -> Result<Proxy> {
        let mut own = place.clone();
        let (ends, directory) = match &place.directory {
            Some(_) => {
                // Not in the directory for temporary files, whose name may be too long for a socket.
                let directory = TempDir::with_prefix_in("proxy-", "/tmp")?;
                own.directory = Some(directory.path().to_owned());
                let listener = std::os::unix::net::UnixListener::bind(own.socket())?;
                listener.set_nonblocking(true)?;
                (Ends::Sockets(listener, place.socket()), Some(directory))
            }
            None => {
                let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
                listener.set_nonblocking(true)?;
                own.port = listener.local_addr()?.port();
                (Ends::Ports(listener, place.port), None)
            }
        };
        let counted = Arc::new(Mutex::new(Counted::default()));
        let (stop, stopped) = oneshot::channel();
        let counts = Arc::clone(&counted);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = accept(ends, counts, delay) => {}
                    _ = stopped => {}
                }
            });
        });
        Ok(Proxy { place: own, _directory: directory, counted, stop: Some(stop), thread: Some(thread) })
    }

    /// Where a tool connects instead.
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// What has passed so far.
    pub(crate) fn counted(&self) -> Counted {
        *lock(&self.counted)
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept(ends: Ends, counted: Arc<Mutex<Counted>>, delay: Duration) -> io::Result<()> {
    match ends {
        Ends::Sockets(listener, socket) => {
            let listener = UnixListener::from_std(listener)?;
            loop {
                let (client, _) = listener.accept().await?;
                let (socket, counted) = (socket.clone(), Arc::clone(&counted));
                tokio::spawn(async move {
                    if let Ok(server) = UnixStream::connect(socket).await {
                        serve(client.into_split(), server.into_split(), counted, delay).await;
                    }
                });
            }
        }
        Ends::Ports(listener, port) => {
            let listener = TcpListener::from_std(listener)?;
            loop {
                let (client, _) = listener.accept().await?;
                let counted = Arc::clone(&counted);
                tokio::spawn(async move {
                    let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await else { return };
                    let _ = (client.set_nodelay(true), server.set_nodelay(true));
                    serve(client.into_split(), server.into_split(), counted, delay).await;
                });
            }
        }
    }
}

/// One connection.
struct Line {
    counted: Arc<Mutex<Counted>>,
    client: Messages,
    server: Messages,
    asked: usize,
    ready: usize,
    /// The server's next byte answers the question for TLS.
    is_questioned: bool,
    is_encrypted: bool,
    /// The server has said something since the client has.
    is_server_last: bool,
}

impl Line {
    fn client_said(&mut self, piece: &[u8]) {
        let mut trips = 0;
        if self.is_encrypted {
            trips += usize::from(self.is_server_last);
        } else {
            for said in self.client.feed(piece) {
                trips += usize::from(said != Said::Asked || self.asked == self.ready);
                self.asked += usize::from(said == Said::Asked);
                self.is_questioned |= said == Said::Question;
            }
        }
        self.is_server_last = false;
        let mut counted = lock(&self.counted);
        counted.round_trips += trips;
        counted.bytes_to_server += piece.len();
    }

    fn server_said(&mut self, mut piece: &[u8]) {
        lock(&self.counted).bytes_to_client += piece.len();
        self.is_server_last = true;
        if std::mem::take(&mut self.is_questioned) {
            self.is_encrypted = piece.first() == Some(&b'S');
            piece = piece.get(1..).unwrap_or_default();
        }
        if !self.is_encrypted {
            self.ready += self.server.feed(piece).into_iter().filter(|said| *said == Said::Ready).count();
        }
    }
}

async fn serve<R, W, S, T>(client: (R, W), server: (S, T), counted: Arc<Mutex<Counted>>, delay: Duration)
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
    S: AsyncRead + Unpin,
    T: AsyncWrite + Unpin,
{
    lock(&counted).connections += 1;
    let line = Mutex::new(Line {
        counted,
        client: Messages::of_client(),
        server: Messages::of_server(),
        asked: 0,
        ready: 0,
        is_questioned: false,
        is_encrypted: false,
        is_server_last: false,
    });
    let (held, holds) = mpsc::unbounded_channel();
    // A whole round trip is lost on the way to the server, so that one figure says what it costs.
    tokio::join!(
        read(
            client.0,
            |piece| {
                lock(&line).client_said(piece);
                let _ = held.send((Instant::now() + delay, piece.to_vec()));
            },
            held.clone()
        ),
        write(server.1, holds),
        pass_on(server.0, client.1, &line),
    );
}

type Held = (Instant, Vec<u8>);

/// Takes what the client sends; at its end an empty piece says so.
async fn read(mut from: impl AsyncRead + Unpin, mut take: impl FnMut(&[u8]), held: mpsc::UnboundedSender<Held>) {
    let mut piece = vec![0; 1 << 16];
    while let Ok(length @ 1..) = from.read(&mut piece).await {
        take(&piece[..length]);
    }
    let _ = held.send((Instant::now(), Vec::new()));
}

async fn write(mut to: impl AsyncWrite + Unpin, mut holds: mpsc::UnboundedReceiver<Held>) {
    while let Some((when, piece)) = holds.recv().await {
        if when > Instant::now() {
            tokio::time::sleep_until(when).await;
        }
        if piece.is_empty() || to.write_all(&piece).await.is_err() {
            break;
        }
    }
    let _ = to.shutdown().await;
}

async fn pass_on(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, line: &Mutex<Line>) {
    let mut piece = vec![0; 1 << 16];
    while let Ok(length @ 1..) = from.read(&mut piece).await {
        lock(line).server_said(&piece[..length]);
        if to.write_all(&piece[..length]).await.is_err() {
            break;
        }
    }
    let _ = to.shutdown().await;
}
