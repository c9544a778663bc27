//! The files of a commit, read from git's object store: the working tree and the index stay as they are.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, bail};
use xshell::{Shell, cmd};

use super::tree::{Content, LARGEST, Tree, names};
use crate::base;

/// A commit's files.
pub(crate) struct CommitTree {
    paths: Vec<String>,
    unnamed: Vec<String>,
    /// What git calls their contents, by path.
    blobs: HashMap<String, String>,
    reader: RefCell<Reader>,
}

impl CommitTree {
    /// Lists the files of a commit below the folder of the workspace, which is where the shell is.
    ///
    /// # Errors
    /// The commit does not have this folder, or git fails.
    pub(crate) fn open(shell: &Shell, commit: &str) -> Result<CommitTree> {
        let tree = base::tree(shell, commit, "")?;
        let tree = tree.with_context(|| format!("`{commit}` does not have the folder of this workspace"))?;
        // Without `--full-tree` git looks for the current folder in that tree.
        let listed = cmd!(shell, "git ls-tree --full-tree -r -z {tree}").quiet().output();
        let listed = listed.with_context(|| format!("failed to list the files of `{commit}`"))?.stdout;
        let files = listed.split(|byte| *byte == 0).filter_map(plain_file);
        let files: Vec<(&str, &[u8])> = files.collect();
        let (paths, unnamed) = names(files.iter().map(|(_, name)| *name));
        let named = files.iter().filter_map(|(blob, name)| Some((str::from_utf8(name).ok()?, *blob)));
        let blobs = named.map(|(name, blob)| (name.to_owned(), blob.to_owned())).collect();
        Ok(CommitTree { paths, unnamed, blobs, reader: RefCell::new(Reader::start(shell)?) })
    }
}

/// The blob and the name of an entry, unless it is a link or a submodule.
fn plain_file(entry: &[u8]) -> Option<(&str, &[u8])> {
    let tab = entry.iter().position(|byte| *byte == b'\t')?;
    let mut about = str::from_utf8(&entry[..tab]).ok()?.split(' ');
    let (mode, kind, blob) = (about.next()?, about.next()?, about.next()?);
    (mode.starts_with("100") && kind == "blob").then_some((blob, &entry[tab + 1..]))
}

impl Tree for CommitTree {
    fn paths(&self) -> &[String] {
        &self.paths
    }

    fn unnamed(&self) -> &[String] {
        &self.unnamed
    }

    fn read(&self, path: &str) -> Result<Content> {
        let Some(blob) = self.blobs.get(path) else { return Ok(Content::Gone) };
        self.reader.borrow_mut().read(blob).with_context(|| format!("failed to read `{path}` from git"))
    }
}

/// One `git cat-file` for all files: a process for each would take seconds.
struct Reader {
    git: Child,
    ask: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Reader {
    fn start(shell: &Shell) -> Result<Reader> {
        let mut command = Command::new("git");
        command.args(["cat-file", "--batch"]).current_dir(shell.current_dir());
        let mut git = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("failed to run `git`")?;
        let (ask, answers) = (git.stdin.take(), git.stdout.take());
        let (Some(ask), Some(answers)) = (ask, answers) else { bail!("failed to speak with `git cat-file`") };
        Ok(Reader { git, ask, answers: BufReader::new(answers) })
    }

    fn read(&mut self, blob: &str) -> Result<Content> {
        writeln!(self.ask, "{blob}")?;
        let mut header = String::new();
        self.answers.read_line(&mut header)?;
        let header = header.trim_end();
        let size = header.strip_prefix(blob).and_then(|rest| rest.strip_prefix(" blob ")?.parse::<u64>().ok());
        let Some(size) = size else { bail!("git says `{header}`") };
        // A line end follows the content.
        let mut content = (&mut self.answers).take(size + 1);
        if size > LARGEST {
            std::io::copy(&mut content, &mut std::io::sink())?;
            return Ok(Content::too_large(size));
        }
        let mut bytes = Vec::with_capacity(size as usize + 1);
        content.read_to_end(&mut bytes)?;
        if bytes.len() as u64 != size + 1 {
            bail!("git ended early");
        }
        bytes.pop();
        Ok(Content::of(bytes))
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // It only reads: there is nothing that it could leave half done.
        let _ = self.git.kill();
        let _ = self.git.wait();
    }
}
