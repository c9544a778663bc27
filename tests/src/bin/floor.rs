//! What `cargo xtask bench` measures against, and what it measures with: as small as it can be.
//!
//! `floor up SOCKET DATABASE FILE extended|simple` is a bare pipelined client. It runs the SQL, with a guard and one history row per
//! migration, and nothing else: no lock, no reset, no checksum, no report. All but the last commit are asynchronous.
//!
//! `floor run PROGRAM ARGUMENTS...` runs a program and prints what it took, as JSON. A process of its own, because the peak memory of
//! a child is never below that of its parent when it was started.
#![expect(clippy::print_stdout, reason = "the figures are this program's output")]

use std::collections::HashSet;
use std::io::{BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};

fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match *words.as_slice() {
        ["run", program, ref arguments @ ..] => run(program, arguments),
        ["up", socket, database, file, protocol] => up(socket, database, file, protocol == "extended"),
        _ => bail!("usage: floor up SOCKET DATABASE FILE extended|simple, or floor run PROGRAM ARGUMENTS..."),
    }
}

fn run(program: &str, arguments: &[&str]) -> Result<ExitCode> {
    let begun = Instant::now();
    let mut child = Command::new(program).args(arguments).stdout(Stdio::null()).spawn().context(program.to_owned())?;
    let status = child.wait()?;
    let wall = begun.elapsed().as_secs_f64();
    let usage = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_CHILDREN)?;
    let seconds = |time: nix::sys::time::TimeVal| {
        f64::from(u32::try_from(time.tv_sec()).unwrap_or(u32::MAX))
            + f64::from(u32::try_from(time.tv_usec()).unwrap_or_default()) / 1e6
    };
    // Linux counts kilobytes, macOS bytes.
    let kilobytes = usage.max_rss() / if cfg!(target_os = "macos") { 1_024 } else { 1 };
    println!(
        "{{\"wall\":{wall},\"user\":{},\"system\":{},\"kilobytes\":{kilobytes},\"code\":{}}}",
        seconds(usage.user_time()),
        seconds(usage.system_time()),
        status.code().unwrap_or(-1)
    );
    Ok(ExitCode::SUCCESS)
}

/// One message of the protocol; kind 0: none, the first one.
fn message(out: &mut Vec<u8>, kind: u8, body: &[&[u8]]) {
    if kind != 0 {
        out.push(kind);
    }
    let length = 4 + body.iter().map(|part| part.len()).sum::<usize>();
    out.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    body.iter().for_each(|part| out.extend_from_slice(part));
}

/// Reads answers until the server is ready as often as it was asked; the values of the rows.
fn answers(from: &mut impl Read, mut asked: usize) -> Result<Vec<Vec<u8>>> {
    let mut rows = Vec::new();
    while asked > 0 {
        let mut head = [0; 5];
        from.read_exact(&mut head).context("the server has closed the connection")?;
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
        ensure!(length >= 4, "a message of {length} bytes");
        let mut body = vec![0; length - 4];
        from.read_exact(&mut body)?;
        match head[0] {
            b'E' => bail!("{}", String::from_utf8_lossy(&body).replace('\0', " ")),
            b'R' if body != [0; 4] => bail!("the floor knows no authentication but trust"),
            // A row of one column: its count and its length come first.
            b'D' => rows.push(body.split_off(6.min(body.len()))),
            b'Z' => asked -= 1,
            _ => {}
        }
    }
    Ok(rows)
}

const HISTORY: &str = "CREATE TABLE IF NOT EXISTS floor_history (version text PRIMARY KEY)";

fn up(socket: &str, database: &str, file: &str, is_extended: bool) -> Result<ExitCode> {
    let text = std::fs::read_to_string(file).context(file.to_owned())?;
    let mut server = UnixStream::connect(socket).context(socket.to_owned())?;
    let mut from = BufReader::with_capacity(1 << 16, server.try_clone()?);
    let mut start = Vec::new();
    let user = [b"\0\x03\0\0user\0postgres\0database\0", database.as_bytes(), b"\0\0"];
    message(&mut start, 0, &user);
    server.write_all(&start)?;
    answers(&mut from, 1)?;
    let mut question = Vec::new();
    // One round trip whether the table is there or not.
    message(&mut question, b'Q', &[HISTORY.as_bytes(), b"; SELECT version FROM floor_history\0"]);
    server.write_all(&question)?;
    let applied: HashSet<Vec<u8>> = answers(&mut from, 1)?.into_iter().collect();
    let all = text.split('\0').filter_map(|migration| migration.split_once('\x01'));
    let pending: Vec<(&str, &str)> = all.filter(|(version, _)| !applied.contains(version.as_bytes())).collect();
    if pending.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    let (messages, asked) = if is_extended { extended(&pending) } else { simple(&pending) };
    // Both at once, or each side would wait for the other to read.
    let writer = std::thread::spawn(move || server.write_all(&messages).map(|()| server));
    answers(&mut from, asked)?;
    writer.join().map_err(|_| anyhow::anyhow!("the writer failed"))??;
    Ok(ExitCode::SUCCESS)
}

/// Each migration one message, with the guard that the one before it is recorded: without it, what is behind a failure would run.
fn simple(pending: &[(&str, &str)]) -> (Vec<u8>, usize) {
    let mut out = Vec::new();
    let mut before: Option<&str> = None;
    for (number, (version, statements)) in pending.iter().enumerate() {
        let mode = if number + 1 == pending.len() { "on" } else { "off" };
        let guard = before.map(|before| format!("SELECT 1/count(*) FROM floor_history WHERE version = '{before}';"));
        let sql = format!(
            "BEGIN; SET LOCAL synchronous_commit = {mode}; {} {}; INSERT INTO floor_history VALUES ('{version}'); COMMIT\0",
            guard.unwrap_or_default(),
            statements.replace('\x02', ";")
        );
        message(&mut out, b'Q', &[sql.as_bytes()]);
        before = Some(version);
    }
    (out, pending.len())
}

/// Each statement its own message, and one Sync at the end: the server skips what is behind a failure. The guard is there all the same, so
/// that both protocols prove the same.
fn extended(pending: &[(&str, &str)]) -> (Vec<u8>, usize) {
    let mut out = Vec::new();
    let parse = |out: &mut Vec<u8>, name: &str, sql: &str| {
        message(out, b'P', &[name.as_bytes(), b"\0", sql.as_bytes(), b"\0\0\0"]);
    };
    let execute = |out: &mut Vec<u8>, name: &str, parameter: Option<&str>| {
        let value =
            parameter.map(|value| [&[0, 1][..], &(value.len() as u32).to_be_bytes(), value.as_bytes()].concat());
        let value = value.unwrap_or_else(|| vec![0, 0]);
        message(out, b'B', &[b"\0", name.as_bytes(), b"\0\0\0", &value, b"\0\0"]);
        message(out, b'E', &[b"\0\0\0\0\0"]);
    };
    for (name, sql) in [
        ("begin", "BEGIN"),
        ("commit", "COMMIT"),
        ("guard", "SELECT 1/count(*) FROM floor_history WHERE version = $1"),
        ("row", "INSERT INTO floor_history VALUES ($1)"),
        ("later", "SET synchronous_commit = off"),
        ("now", "SET LOCAL synchronous_commit = on"),
    ] {
        parse(&mut out, name, sql);
    }
    execute(&mut out, "later", None);
    for (number, (version, statements)) in pending.iter().enumerate() {
        execute(&mut out, "begin", None);
        if number + 1 == pending.len() {
            execute(&mut out, "now", None);
        }
        if number > 0 {
            execute(&mut out, "guard", Some(pending[number - 1].0));
        }
        for statement in statements.split('\x02') {
            parse(&mut out, "", statement);
            execute(&mut out, "", None);
        }
        execute(&mut out, "row", Some(version));
        execute(&mut out, "commit", None);
    }
    message(&mut out, b'S', &[]);
    (out, 1)
}
