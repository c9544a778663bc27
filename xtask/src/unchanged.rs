//! Whether the migrator is still the one that cargo would build: to ask cargo takes longer than most of what the migrator does.
//!
//! A mark beside the migrator says when cargo was last asked, and which two programs it left. Cargo has just looked at the one that we
//! are, which is made of the same libraries: were one of them, the lock file or the compiler another, it would be new. What is left are
//! the files that cargo names beside the migrator, and the manifests and settings around them. Where anything is unclear, cargo is asked.

use std::collections::BTreeSet;
use std::env;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How coarse the times of a file system may be.
const COARSE: Duration = Duration::from_secs(2);

/// The migrator of a workspace beside the program that we are.
#[derive(Debug)]
pub(crate) struct Beside<'w> {
    root: &'w Path,
    own: PathBuf,
    migrator: PathBuf,
}

impl<'w> Beside<'w> {
    /// `None`: it is unknown who we are.
    pub(crate) fn of(root: &'w Path) -> Option<Beside<'w>> {
        let own = env::current_exe().ok()?;
        let migrator = own.with_file_name(format!("{}{}", crate::workspace::MIGRATOR, env::consts::EXE_SUFFIX));
        Some(Beside { root, own, migrator })
    }

    /// The migrator, if nothing that it is made of is newer than the last mark; the SQL inside is for the caller to compare.
    pub(crate) fn unchanged(&self) -> Option<&Path> {
        let mark = fs::read_to_string(self.mark()).ok()?;
        let (asked, programs) = mark.split_once('\n')?;
        let asked = UNIX_EPOCH + Duration::from_nanos(asked.parse().ok()?);
        let limit = asked.checked_sub(COARSE)?;
        let is_older = |path: &Path| is_older(path, limit);
        let is_unchanged = programs == self.programs()? && self.inputs()?.iter().all(|path| is_older(path));
        is_unchanged.then_some(&self.migrator)
    }

    /// Keeps that cargo has left `executable` as it should be; `asked`: when it was asked.
    pub(crate) fn keep(&self, executable: &Path, asked: SystemTime) {
        let Ok(since) = asked.duration_since(UNIX_EPOCH) else { return };
        if let Some(programs) = self.programs().filter(|_| executable == self.migrator) {
            // Without a mark cargo is asked each time.
            let _ = fs::write(self.mark(), format!("{}\n{programs}", since.as_nanos()));
        }
    }

    fn mark(&self) -> PathBuf {
        self.migrator.with_extension("asked")
    }

    /// The workspace, and what tells the two programs from others.
    fn programs(&self) -> Option<String> {
        let [own, migrator] = [&self.own, &self.migrator].map(|path| fs::metadata(path).ok());
        Some(format!("{}\n{}\n{}\n", self.root.display(), identity(&own?)?, identity(&migrator?)?))
    }

    /// What the migrator was made of.
    fn inputs(&self) -> Option<BTreeSet<PathBuf>> {
        let named = fs::read_to_string(self.migrator.with_extension("d")).ok()?;
        let mut inputs = BTreeSet::from([self.root.join("Cargo.lock")]);
        let mut folders = BTreeSet::from([self.root.to_owned()]);
        // What a build script has written is no older than the build.
        let made = self.migrator.parent()?;
        for input in inputs_of(&named)?.into_iter().filter(|input| !input.starts_with(made)) {
            folders.extend(input.ancestors().skip(1).map(Path::to_owned));
            inputs.insert(input);
        }
        let settings = ["Cargo.toml", ".cargo/config.toml", ".cargo/config", "rust-toolchain.toml", "rust-toolchain"];
        for folder in folders {
            inputs.extend(settings.iter().map(|name| folder.join(name)).filter(|path| path.exists()));
        }
        Some(inputs)
    }
}

fn identity(metadata: &Metadata) -> Option<String> {
    let modified = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(format!("{} {}", modified.as_nanos(), metadata.len()))
}

/// Whether a file, or a directory with all that is in it, was last changed before that moment.
fn is_older(path: &Path, limit: SystemTime) -> bool {
    let is_older_itself = |metadata: &Metadata| metadata.modified().is_ok_and(|modified| modified < limit);
    let Ok(metadata) = fs::metadata(path) else { return false };
    if !metadata.is_dir() {
        return is_older_itself(&metadata);
    }
    let entries = fs::read_dir(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    is_older_itself(&metadata) && entries.is_ok_and(|all| all.iter().all(|entry| is_older(&entry.path(), limit)))
}

/// The paths in cargo's file of dependencies, which is a rule of make: `None` unless all of them are absolute.
fn inputs_of(rule: &str) -> Option<Vec<PathBuf>> {
    let (_, named) = rule.trim_end().split_once(": ")?;
    // A space in a path has a backslash before it.
    let marked = named.replace("\\ ", "\0");
    let paths = marked.split(' ').filter(|path| !path.is_empty()).map(|path| PathBuf::from(path.replace('\0', " ")));
    let paths: Vec<PathBuf> = paths.collect();
    (!paths.is_empty() && paths.iter().all(|path| path.is_absolute())).then_some(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);

    fn age(path: &Path, time: SystemTime) {
        fs::File::open(path).unwrap().set_modified(time).unwrap();
    }

    #[test]
    fn any_newer_input_and_any_other_program_asks_cargo() {
        let folder = tempfile::tempdir().unwrap();
        let root = &folder.path().canonicalize().unwrap();
        let at = |name: &str| root.join(name);
        for name in ["db/deep", "migrator", "target"] {
            fs::create_dir_all(at(name)).unwrap();
        }
        let files = ["Cargo.toml", "Cargo.lock", "migrator/Cargo.toml", "migrator/main.rs", "db/deep/a.sql"];
        for name in files.into_iter().chain(["target/xtask", "target/migrator"]) {
            fs::write(at(name), name).unwrap();
        }
        let rule = "{0}/target/migrator: {0}/migrator/main.rs {0}/migrator/../db {0}/target/build/out/made.rs\n";
        fs::write(at("target/migrator.d"), rule.replace("{0}", &root.display().to_string())).unwrap();
        let beside = Beside { root, own: at("target/xtask"), migrator: at("target/migrator") };
        let now = SystemTime::now();
        let settle = || {
            for name in files.into_iter().chain(["db", "db/deep"]) {
                age(&at(name), now - HOUR);
            }
            beside.keep(&at("target/migrator"), now);
            assert_eq!(beside.unchanged(), Some(&*at("target/migrator")));
        };
        assert_eq!(beside.unchanged(), None, "there is no mark");
        for name in files.into_iter().chain(["db", "db/deep"]) {
            settle();
            age(&at(name), now);
            assert_eq!(beside.unchanged(), None, "{name}");
        }
        for name in ["target/xtask", "target/migrator"] {
            settle();
            fs::write(at(name), "another").unwrap();
            assert_eq!(beside.unchanged(), None, "{name}");
        }
        settle();
        fs::write(at("rust-toolchain.toml"), "").unwrap();
        assert_eq!(beside.unchanged(), None, "a new setting");
        fs::remove_file(at("rust-toolchain.toml")).unwrap();
        settle();
        fs::remove_file(at("migrator/main.rs")).unwrap();
        assert_eq!(beside.unchanged(), None, "a file that is gone");
        beside.keep(&at("target/other"), now + HOUR);
        assert_eq!(beside.unchanged(), None, "a migrator elsewhere");
    }

    #[test]
    fn a_rule_is_read_as_make_reads_it() {
        let paths = |rule| inputs_of(rule).map(|paths| paths.iter().map(|path| path.display().to_string()).collect());
        assert_eq!(paths("/t/m: /a /b\\ c/d\n"), Some(vec!["/a".to_owned(), "/b c/d".to_owned()]));
        for unclear in ["", "/t/m:", "/t/m: a /b\n"] {
            assert_eq!(paths(unclear), None::<Vec<String>>, "{unclear}");
        }
    }
}
