//! A host with pull requests that listens on this machine: its comments live in memory, and every request is recorded.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

/// What it was asked.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) headers: Vec<String>,
    pub(super) body: Value,
}

#[derive(Default)]
struct State {
    requests: Vec<Request>,
    /// As the host would list them, oldest first.
    comments: Vec<Value>,
    /// The status with which everything that writes is refused.
    refuses: Option<u16>,
}

/// The host; its thread ends with the process.
pub(super) struct Host {
    pub(super) url: String,
    state: Arc<Mutex<State>>,
}

/// Whose comments are made here.
const AUTHOR: &str = "github-actions[bot]";

impl Host {
    pub(super) fn start() -> Host {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A client that gives up is no reason to stop listening.
                let _ = answer(stream, &shared);
            }
        });
        Host { url, state }
    }

    /// Adds a comment of someone.
    pub(super) fn add(&self, author: &str, body: &str) {
        let mut state = self.state.lock().unwrap();
        let comment = comment(state.comments.len() as u64 + 1, author, body);
        state.comments.push(comment);
    }

    pub(super) fn refuse(&self, status: u16) {
        self.state.lock().unwrap().refuses = Some(status);
    }

    pub(super) fn requests(&self) -> Vec<Request> {
        self.state.lock().unwrap().requests.clone()
    }

    /// The texts of the comments that were made with the token.
    pub(super) fn ours(&self) -> Vec<String> {
        let state = self.state.lock().unwrap();
        let ours = state.comments.iter().filter(|comment| comment["user"]["login"] == AUTHOR);
        ours.map(|comment| comment["body"].as_str().unwrap().to_owned()).collect()
    }
}

/// As both hosts have it.
fn comment(id: u64, author: &str, body: &str) -> Value {
    json!({ "id": id, "user": { "login": author }, "author": { "username": author }, "body": body })
}

fn answer(mut stream: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let request = read(&mut stream)?;
    let mut state = state.lock().unwrap();
    state.requests.push(request.clone());
    let (status, answer) = reply(&mut state, &request);
    let text = answer.to_string();
    write!(
        stream,
        "HTTP/1.1 {status} x\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}",
        text.len()
    )
}

fn read(stream: &mut TcpStream) -> std::io::Result<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (mut headers, mut length) = (Vec::new(), 0);
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let header = header.trim_end().to_owned();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.to_ascii_lowercase().strip_prefix("content-length: ") {
            length = value.parse().unwrap();
        }
        headers.push(header);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Request { method, path, headers, body: serde_json::from_slice(&body).unwrap_or_default() })
}

fn reply(state: &mut State, request: &Request) -> (u16, Value) {
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    let text = request.body["body"].as_str().unwrap_or_default();
    let last = path.rsplit('/').next().unwrap_or_default();
    match (&*request.method, state.refuses) {
        ("GET", _) if last == "user" && path.contains("gitlab") => (200, json!({ "username": AUTHOR })),
        // So a job's own token is answered.
        ("GET", _) if last == "user" => (403, json!({ "message": "Resource not accessible by integration" })),
        ("GET", _) => {
            let page: usize = query.rsplit_once("page=").and_then(|(_, page)| page.parse().ok()).unwrap_or(1);
            (200, state.comments.iter().skip((page - 1) * 100).take(100).cloned().collect())
        }
        (_, Some(status)) => (status, json!({ "message": "no" })),
        ("POST", _) => {
            let comment = comment(state.comments.len() as u64 + 1, AUTHOR, text);
            state.comments.push(comment.clone());
            (201, comment)
        }
        ("PATCH" | "PUT", _) => {
            let found = state.comments.iter_mut().find(|comment| comment["id"].as_u64() == last.parse().ok());
            found.map_or((404, json!({})), |comment| {
                comment["body"] = text.into();
                (200, comment.clone())
            })
        }
        _ => (405, json!({})),
    }
}
