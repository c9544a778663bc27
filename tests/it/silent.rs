//! Servers that are there and say nothing, or never end: every wait has a deadline, and what is read is bounded.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use crate::support::Project;

/// What the server does with the first query.
#[derive(Clone, Copy)]
enum Answer {
    /// It does not even let anybody in.
    Nothing,
    /// It lets everybody in and answers no query.
    Silence,
    /// It sends row after row.
    EndlessRows,
}

/// A server on 127.0.0.1 until the test ends; its port.
fn serve(answer: Answer) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || talk(stream, answer));
        }
    });
    port
}

/// A message of the protocol.
fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
    [&[kind], &length[..], body].concat()
}

fn talk(mut stream: TcpStream, answer: Answer) -> Option<()> {
    let mut buffer = [0; 1 << 16];
    if matches!(answer, Answer::Nothing) {
        // Until the client has gone.
        while stream.read(&mut buffer).ok()? > 0 {}
        return None;
    }
    loop {
        let read = stream.read(&mut buffer).ok()?;
        // An offer of encryption is declined.
        if read == 8 {
            stream.write_all(b"N").ok()?;
            continue;
        }
        break;
    }
    let version = message(b'S', b"server_version\x0015.1\x00");
    let hello = [message(b'R', &[0, 0, 0, 0]), version, message(b'K', &[0; 8]), message(b'Z', b"I")].concat();
    stream.write_all(&hello).ok()?;
    if stream.read(&mut buffer).ok()? == 0 {
        return None;
    }
    if matches!(answer, Answer::EndlessRows) {
        let column = [b"x\x00".as_slice(), &[0; 6], &25_u32.to_be_bytes(), &[0xff; 6], &[0, 0]].concat();
        stream.write_all(&message(b'T', &[&[0, 1], column.as_slice()].concat())).ok()?;
        let value = vec![b'x'; 8192];
        let row = message(b'D', &[&[0, 1], &8192_u32.to_be_bytes()[..], &value].concat());
        loop {
            stream.write_all(&row).ok()?;
        }
    }
    while stream.read(&mut buffer).ok()? > 0 {}
    None
}

/// Runs a command against such a server and demands that it ends, and says so.
fn ends(answer: Answer, arguments: &[&str], said: &str) {
    let project = Project::without_database();
    project.tables(1);
    let url = format!("postgresql://app@127.0.0.1:{}/app?connect_timeout=1", serve(answer));
    let begun = Instant::now();
    let output = project.run_with(arguments, &[("DATABASE_URL", &url)]);
    assert!(output.starts_with("exit 6\n") && output.contains(said), "{output}");
    // Generous: what is held is that it ends at all.
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
}

#[test]
fn a_server_that_lets_no_one_in_is_not_waited_for_without_end() {
    ends(Answer::Nothing, &["status"], "no answer within");
}

#[test]
fn a_server_that_answers_no_query_is_not_waited_for_without_end() {
    ends(Answer::Silence, &["up", "--wait-lock", "1s"], "no answer from the server within");
}

#[test]
fn rows_without_end_do_not_fill_the_memory() {
    ends(Answer::EndlessRows, &["up", "--wait-lock", "1s"], "no answer from the server within");
}
