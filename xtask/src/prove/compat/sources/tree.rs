//! The files of a release, wherever they are.

use anyhow::Result;

/// The largest file that is read, in bytes: no source is as large, and a mistake of that size must not cost minutes.
pub(super) const LARGEST: u64 = 4 << 20;

/// What has files by name: a commit, or the working tree.
pub(crate) trait Tree {
    /// Every plain file by its path from the root of the workspace, with `/`, in order. Links and submodules are left out.
    fn paths(&self) -> &[String];

    /// The names that are not UTF-8, as far as they can be shown: such files cannot be read.
    fn unnamed(&self) -> &[String];

    /// What is in one of the files.
    ///
    /// # Errors
    /// It exists and cannot be read.
    fn read(&self, path: &str) -> Result<Content>;
}

/// What is in a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// Without a byte order mark, its lines ended by `\n`.
    Text(String),
    /// Why it is not read.
    Unreadable(String),
    /// It is not there any more, or it is not a plain file.
    Gone,
}

impl Content {
    pub(super) fn of(bytes: Vec<u8>) -> Content {
        let Ok(mut text) = String::from_utf8(bytes) else { return Content::Unreadable("it is not UTF-8".to_owned()) };
        if text.starts_with('\u{feff}') {
            text.drain(..'\u{feff}'.len_utf8());
        }
        Content::Text(if text.contains('\r') { text.replace("\r\n", "\n") } else { text })
    }

    pub(super) fn too_large(bytes: u64) -> Content {
        Content::Unreadable(format!("it has {} MiB; {} MiB are read", bytes >> 20, LARGEST >> 20))
    }
}

/// The paths in order, and the names that are not UTF-8, from what git lists with `-z`.
pub(super) fn names<'a>(listed: impl Iterator<Item = &'a [u8]>) -> (Vec<String>, Vec<String>) {
    let (mut paths, mut unnamed) = (Vec::new(), Vec::new());
    for name in listed.filter(|name| !name.is_empty()) {
        match str::from_utf8(name) {
            Ok(name) => paths.push(name.to_owned()),
            Err(_) => unnamed.push(String::from_utf8_lossy(name).into_owned()),
        }
    }
    paths.sort_unstable();
    paths.dedup();
    (paths, unnamed)
}
