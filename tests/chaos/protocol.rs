//! As much of the PostgreSQL protocol as is needed to see where a message begins and ends, and what it is.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// What follows the length of a cancel request instead of a protocol version.
const CANCEL: u32 = 80_877_102;

/// A frontend message whose beginning has been read.
#[derive(Debug)]
pub(crate) struct Head {
    /// The type byte; 0: a start-up message, which has none.
    kind: u8,
    /// The message as far as it has been read.
    read: Vec<u8>,
    /// How many bytes of it have not been read yet.
    rest: usize,
}

/// How much of a message is looked at; the rest is passed on in pieces, however long it is.
const LOOKED_AT: usize = 2_048;

impl Head {
    /// Reads the beginning of the next message; `None`: the client has closed the connection.
    pub(crate) async fn read(from: &mut (impl AsyncRead + Unpin), first: bool) -> io::Result<Option<Head>> {
        // A start-up message has no type byte.
        let type_length = usize::from(!first);
        let mut read = vec![0; type_length + 4];
        match from.read_exact(&mut read).await {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            outcome => outcome?,
        };
        let kind = if first { 0 } else { read[0] };
        let length = length(&read[type_length..])?;
        let looked_at = length.min(LOOKED_AT);
        let start = read.len();
        read.resize(start + looked_at, 0);
        from.read_exact(&mut read[start..]).await?;
        Ok(Some(Head { kind, read, rest: length - looked_at }))
    }

    /// Whether it asks to cancel what another connection runs.
    pub(crate) fn is_cancel_request(&self) -> bool {
        self.kind == 0 && self.read[4..].starts_with(&CANCEL.to_be_bytes())
    }

    /// Whether the server answers it with ReadyForQuery: a start-up message, Query, Sync.
    pub(crate) fn is_answered(&self) -> bool {
        matches!(self.kind, 0 | b'Q' | b'S')
    }

    /// The type and the beginning of the text.
    pub(crate) fn label(&self) -> String {
        let text = String::from_utf8_lossy(&self.read[self.read.len().min(5)..]).replace('\0', " ");
        let words: Vec<&str> = text.split_whitespace().collect();
        match self.kind {
            0 => "start-up".to_owned(),
            b'X' => "terminate".to_owned(),
            kind => format!("{} {}", char::from(kind), words.join(" ")),
        }
    }

    /// Passes the whole message on.
    pub(crate) async fn pass_on(
        self,
        from: &mut (impl AsyncRead + Unpin),
        to: &mut (impl AsyncWrite + Unpin),
    ) -> io::Result<()> {
        to.write_all(&self.read).await?;
        tokio::io::copy(&mut from.take(self.rest as u64), to).await?;
        to.flush().await
    }
}

/// The length of a message without its type and the length itself.
fn length(bytes: &[u8]) -> io::Result<usize> {
    let length = bytes.first_chunk().map(|bytes| u32::from_be_bytes(*bytes)).unwrap_or_default();
    let nonsense = || io::Error::new(io::ErrorKind::InvalidData, format!("`{length}` is no length of a message"));
    length.checked_sub(4).map(|length| length as usize).ok_or_else(nonsense)
}

/// What the server says, as far as anybody wants to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Said {
    /// BackendKeyData: the process that serves this connection.
    Process(i32),
    /// ReadyForQuery.
    Ready,
}

/// Finds the backend's messages in a stream that arrives in arbitrary pieces.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    /// The beginning of a message: its header and at most four bytes behind it.
    head: Vec<u8>,
    /// How many bytes of the message are to be skipped.
    skip: usize,
}

impl Answers {
    /// Takes the next piece and returns what is complete with it.
    pub(crate) fn feed(&mut self, mut piece: &[u8]) -> Vec<Said> {
        let mut said = Vec::new();
        while !piece.is_empty() {
            if self.skip > 0 {
                let skipped = self.skip.min(piece.len());
                self.skip -= skipped;
                piece = &piece[skipped..];
                continue;
            }
            let missing = self.wanted() - self.head.len();
            let taken = missing.min(piece.len());
            self.head.extend_from_slice(&piece[..taken]);
            piece = &piece[taken..];
            if self.head.len() < 5 || self.head.len() < self.wanted() {
                continue;
            }
            let length = length(&self.head[1..]).unwrap_or_default();
            match self.head[0] {
                b'K' => said.extend(self.head[5..].first_chunk().map(|pid| Said::Process(i32::from_be_bytes(*pid)))),
                b'Z' => said.push(Said::Ready),
                _ => {}
            }
            self.skip = length - (self.head.len() - 5);
            self.head.clear();
        }
        said
    }

    /// How long the head must be before it can be judged.
    fn wanted(&self) -> usize {
        if self.head.len() < 5 { 5 } else { 5 + length(&self.head[1..]).unwrap_or_default().min(4) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        [&[kind][..], &(body.len() as u32 + 4).to_be_bytes(), body].concat()
    }

    #[test]
    fn finds_the_servers_messages_wherever_the_stream_is_cut() {
        let stream = [
            message(b'R', &[0; 4]),
            message(b'K', &[0, 0, 1, 2, 9, 9, 9, 9]),
            message(b'Z', b"I"),
            message(b'D', &[b'Z'; 100]),
            message(b'I', b""),
            message(b'Z', b"T"),
        ]
        .concat();
        for piece in 1..stream.len() {
            let mut answers = Answers::default();
            let said: Vec<_> = stream.chunks(piece).flat_map(|piece| answers.feed(piece)).collect();
            assert_eq!(said, [Said::Process(258), Said::Ready, Said::Ready], "in pieces of {piece}");
        }
    }

    #[tokio::test]
    async fn reads_and_passes_on_one_message_after_the_other() {
        let start_up = [&12_u32.to_be_bytes()[..], &196_608_u32.to_be_bytes(), &[0; 4]].concat();
        let long = message(b'Q', format!("SELECT  1\n{}\0", " ".repeat(1_000)).as_bytes());
        let stream = [start_up, long, message(b'X', b"")].concat();
        let mut from = &stream[..];
        let (mut to, mut labels, mut answered) = (Vec::new(), Vec::new(), Vec::new());
        while let Some(head) = Head::read(&mut from, labels.is_empty()).await.unwrap() {
            labels.push(head.label());
            answered.push(head.is_answered());
            head.pass_on(&mut from, &mut to).await.unwrap();
        }
        assert_eq!(to, stream);
        assert_eq!(labels, ["start-up", "Q SELECT 1", "terminate"]);
        assert_eq!(answered, [true, true, false]);
        let cancel = [&16_u32.to_be_bytes()[..], &CANCEL.to_be_bytes(), &[0; 8]].concat();
        let head = Head::read(&mut &cancel[..], true).await.unwrap().unwrap();
        assert!(head.is_cancel_request());
    }
}
