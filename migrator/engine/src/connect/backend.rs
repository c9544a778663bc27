//! Which process of the server a session was told that it has, when it was opened.
//!
//! The client keeps that to itself, but writes it into every request to cancel: here into a stream that ends in memory.

use std::future::ready;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream, ReadBuf};
use tokio_postgres::CancelToken;
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};

/// The code of a request for TLS, in the place of a protocol's version.
const SSL_REQUEST: u32 = 80_877_103;

/// The code of a request to cancel.
const CANCEL_REQUEST: u32 = 80_877_102;

/// The process; `None` where the server has told none.
pub(super) async fn told(token: &CancelToken) -> Option<i32> {
    let (ours, theirs) = tokio::io::duplex(64);
    let (sent, pid) = tokio::join!(token.cancel_query_raw(theirs, Unencrypted), read(ours));
    sent.ok()?;
    pid.ok().flatten().filter(|pid| *pid != 0)
}

/// The server's end: agrees to TLS where it is asked for, and reads the request.
async fn read(mut stream: DuplexStream) -> io::Result<Option<i32>> {
    loop {
        let (length, code) = (stream.read_u32().await?, stream.read_u32().await?);
        match (length, code) {
            (8, SSL_REQUEST) => stream.write_u8(b'S').await?,
            (16, CANCEL_REQUEST) => {
                let (pid, _secret) = (stream.read_i32().await?, stream.read_i32().await?);
                return Ok(Some(pid));
            }
            _ => return Ok(None),
        }
    }
}

/// TLS that encrypts nothing: what is written stays in this process.
struct Unencrypted;

struct Stream(DuplexStream);

impl TlsConnect<DuplexStream> for Unencrypted {
    type Stream = Stream;
    type Error = io::Error;
    type Future = std::future::Ready<io::Result<Stream>>;

    fn connect(self, stream: DuplexStream) -> Self::Future {
        ready(Ok(Stream(stream)))
    }
}

impl TlsStream for Stream {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
