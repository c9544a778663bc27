//! Writes what was planned: new files that no one else has created meanwhile, edited ones as a whole.

use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Result, bail};

use super::plan::Change;

/// Writes them in order; returns their names.
///
/// # Errors
/// One cannot be written, or was changed meanwhile; the message says what was written before.
pub(super) fn write(changes: &[Change]) -> Result<Vec<&str>> {
    let mut written = Vec::new();
    for change in changes {
        if let Err(error) = one(change) {
            let before = match written.is_empty() {
                true => "nothing was written".to_owned(),
                false => format!("written before it: {}", written.join(", ")),
            };
            bail!(
                "failed to write `{}`: {error}\n{before}\nhelp: make way for it, and run this again: it goes on with what is \
                 missing",
                change.shown
            );
        }
        written.push(&*change.shown);
    }
    Ok(written)
}

fn one(change: &Change) -> io::Result<()> {
    let Some(old) = &change.old else {
        let directory = change.path.parent().unwrap_or(Path::new("/"));
        fs::create_dir_all(directory)?;
        // Whoever may read what others create there may read it.
        let mode = Permissions::from_mode(0o666);
        let mut whole = beside().permissions(mode).tempfile_in(directory)?;
        whole.write_all(change.new.as_bytes())?;
        whole.persist_noclobber(&change.path)?;
        return Ok(());
    };
    if fs::read(&change.path)? != old.as_bytes() {
        return Err(io::Error::other("it was changed meanwhile"));
    }
    let directory = change.path.parent().unwrap_or(Path::new("/"));
    // Who could read it still can.
    let mut whole = beside().tempfile_in(directory)?;
    whole.write_all(change.new.as_bytes())?;
    whole.as_file().set_permissions(fs::metadata(&change.path)?.permissions())?;
    whole.persist(&change.path)?;
    Ok(())
}

/// A file that is renamed into its place when all of it is written: no one sees half of it, and a kill leaves none there.
fn beside() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".migrator-init.");
    builder
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn change(root: &Path, name: &str, old: Option<&str>, new: &str) -> Change {
        Change { path: root.join(name), shown: name.to_owned(), old: old.map(str::to_owned), new: new.to_owned() }
    }

    #[test]
    fn a_failure_says_what_was_written_before() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::write(root.join("edited"), "old").unwrap();
        fs::set_permissions(root.join("edited"), fs::Permissions::from_mode(0o640)).unwrap();
        let changes = [change(root, "a/b", None, "new"), change(root, "edited", Some("old"), "new")];
        assert_eq!(write(&changes).unwrap(), ["a/b", "edited"]);
        assert_eq!(fs::read_to_string(root.join("edited")).unwrap(), "new");
        assert_eq!(fs::metadata(root.join("edited")).unwrap().permissions().mode() & 0o777, 0o640);
        fs::File::create(root.join("theirs")).unwrap();
        let mode = |name: &str| fs::metadata(root.join(name)).unwrap().permissions().mode();
        assert_eq!(mode("a/b"), mode("theirs"), "as the user's mask says");
        fs::remove_file(root.join("theirs")).unwrap();
        // Both are there now, with something else in them.
        let changes = [change(root, "c", None, ""), change(root, "a/b", None, "newer")];
        expect![[r#"
            failed to write `a/b`: File exists (os error 17)
            written before it: c
            help: make way for it, and run this again: it goes on with what is missing"#]]
        .assert_eq(&write(&changes).unwrap_err().to_string());
        expect![[r#"
            failed to write `edited`: it was changed meanwhile
            nothing was written
            help: make way for it, and run this again: it goes on with what is missing"#]]
        .assert_eq(&write(&[change(root, "edited", Some("old"), "newer")]).unwrap_err().to_string());
        assert_eq!(fs::read_to_string(root.join("edited")).unwrap(), "new");
        assert_eq!(fs::read_dir(root).unwrap().count(), 3, "nothing is left behind");
    }
}
