//! Where a message of the protocol begins and ends, as far as is needed to count how often a client waits. Pure.

/// The question for TLS and the one for GSS encryption, which are answered with one byte.
const QUESTIONS: [u32; 2] = [80_877_103, 80_877_104];

/// Follows one direction of a connection, whatever pieces it comes in.
#[derive(Debug)]
pub(crate) struct Messages {
    is_client: bool,
    /// The first message of a client has no type byte.
    is_first: bool,
    /// The header as far as it has come.
    head: Vec<u8>,
    /// How much of a message is still to come.
    rest: usize,
}

/// What a message means for the one who counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Said {
    /// The client asks whether the server knows TLS or GSS.
    Question,
    /// The client sends something that is answered: a start-up message, a query, a Sync.
    Asked,
    /// The client answers the server's question for a password, and is answered in its turn.
    Password,
    /// The server is ready for the next one.
    Ready,
}

impl Messages {
    /// Of a client.
    pub(crate) fn of_client() -> Messages {
        Messages { is_client: true, is_first: true, head: Vec::new(), rest: 0 }
    }

    /// Of a server.
    pub(crate) fn of_server() -> Messages {
        Messages { is_client: false, is_first: false, head: Vec::new(), rest: 0 }
    }

    /// What a piece says.
    pub(crate) fn feed(&mut self, mut piece: &[u8]) -> Vec<Said> {
        let mut all = Vec::new();
        while !piece.is_empty() {
            if self.rest > 0 {
                let passed = self.rest.min(piece.len());
                self.rest -= passed;
                piece = &piece[passed..];
                continue;
            }
            // Of the first message also what comes instead of a version.
            let wanted = if self.is_first { 8 } else { 5 };
            let taken = (wanted - self.head.len()).min(piece.len());
            self.head.extend_from_slice(&piece[..taken]);
            piece = &piece[taken..];
            if self.head.len() == wanted {
                all.extend(self.begin());
            }
        }
        all
    }

    fn begin(&mut self) -> Option<Said> {
        let number = |at: usize| self.head[at..at + 4].iter().fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte));
        let (length, said) = match self.is_first {
            true if QUESTIONS.contains(&number(4)) => (8, Some(Said::Question)),
            true => (number(0), Some(Said::Asked)),
            false => {
                let said = match (self.is_client, self.head[0]) {
                    (true, b'Q' | b'S' | b'F') => Some(Said::Asked),
                    (true, b'p') => Some(Said::Password),
                    (false, b'Z') => Some(Said::Ready),
                    _ => None,
                };
                (number(1), said)
            }
        };
        self.rest = usize::try_from(length).unwrap_or_default().saturating_sub(if self.is_first { 8 } else { 4 });
        self.is_first = self.is_first && said == Some(Said::Question);
        self.head.clear();
        said
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_counted_in_whatever_pieces_they_come() {
        let mut all = Vec::new();
        all.extend_from_slice(&[0, 0, 0, 8, 4, 210, 22, 47]);
        all.extend_from_slice(b"\0\0\0\x11\0\x03\0\0user\0me\0\0");
        all.extend_from_slice(b"P\0\0\0\x08Q\0\0\0Q\0\0\0\x06;\0S\0\0\0\x04X\0\0\0\x04");
        for size in [1, 3, 100] {
            let mut client = Messages::of_client();
            let said: Vec<Said> = all.chunks(size).flat_map(|piece| client.feed(piece)).collect();
            assert_eq!(said, [Said::Question, Said::Asked, Said::Asked, Said::Asked], "{size}");
        }
        let mut server = Messages::of_server();
        assert_eq!(server.feed(b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05IZ\0\0\0\x05T"), [Said::Ready, Said::Ready]);
    }
}
