//! What a tool leaves out by its ignore file: never something that git tracks.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use crate::workspace::{repository, tracked};

/// The patterns of a `.dockerignore`, by Docker's rules as far as they are used here.
struct DockerIgnore(Vec<(bool, Vec<String>)>);

impl DockerIgnore {
    fn parse(text: &str) -> DockerIgnore {
        let rule = |line: &str| {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                return None;
            }
            assert!(!line.contains(['[', ']', '\\']), "`{line}`: this reader does not know character classes");
            let (excludes, pattern) = line.strip_prefix('!').map_or((true, line), |pattern| (false, pattern));
            // Every pattern is relative to the context's root, with or without the slash.
            let parts = pattern.split('/').filter(|part| !part.is_empty() && *part != ".").map(str::to_owned);
            Some((excludes, parts.collect()))
        };
        DockerIgnore(text.lines().filter_map(rule).collect())
    }

    /// The last pattern that matches the path or a directory above it decides.
    fn excludes(&self, path: &str) -> bool {
        let path: Vec<&str> = path.split('/').collect();
        let matches = |pattern: &[String]| (1..=path.len()).any(|depth| matches_path(pattern, &path[..depth]));
        self.0.iter().rfind(|(_, pattern)| matches(pattern)).is_some_and(|(excludes, _)| *excludes)
    }
}

fn matches_path(pattern: &[String], path: &[&str]) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (None, _) => path.is_empty(),
        (Some((first, rest)), _) if first == "**" => (0..=path.len()).any(|from| matches_path(rest, &path[from..])),
        (Some((first, rest)), Some((name, below))) => matches_name(first, name) && matches_path(rest, below),
        (Some(_), None) => false,
    }
}

fn matches_name(pattern: &str, name: &str) -> bool {
    let Some(first) = pattern.chars().next() else { return name.is_empty() };
    let rest = &pattern[first.len_utf8()..];
    if first == '*' {
        return name.char_indices().map(|(at, _)| at).chain([name.len()]).any(|at| matches_name(rest, &name[at..]));
    }
    name.chars().next().is_some_and(|c| (first == '?' || first == c) && matches_name(rest, &name[c.len_utf8()..]))
}

#[test]
fn the_reader_of_dockerignore_knows_dockers_rules() {
    for (rules, path, excluded) in [
        ("**/target", "library/src/target/uri.rs", true),
        ("**/target", "target/debug/migrator", true),
        ("**/target", "library/src/target.rs", false),
        ("target", "target/debug/migrator", true),
        ("target", "library/src/target/uri.rs", false),
        ("/target/", "target/debug/migrator", true),
        ("/.env.*", ".env.test", true),
        ("/.env.*", ".environment", false),
        ("*", ".env", true),
        ("*\n!db", "db/migrations/001_init.sql", false),
        ("!db\n*", "db/migrations/001_init.sql", true),
        ("# db\n\n", "db/migrations/001_init.sql", false),
        ("db/**/*.sql", "db/migrations/001_init.sql", true),
        ("db/*.sql", "db/migrations/001_init.sql", false),
        ("d?", "db/schema.sql", true),
    ] {
        assert_eq!(DockerIgnore::parse(rules).excludes(path), excluded, "`{path}` under {rules:?}");
    }
}

#[test]
fn the_images_context_holds_every_file_that_git_tracks() {
    let Some(tracked) = tracked() else {
        eprintln!("not run: git cannot read this tree");
        return;
    };
    let ignore = DockerIgnore::parse(&fs::read_to_string(repository().join(".dockerignore")).unwrap());
    let missing: Vec<&String> = tracked.iter().filter(|path| ignore.excludes(path)).collect();
    assert_eq!(
        missing,
        Vec::<&String>::new(),
        "git tracks these, and `.dockerignore` keeps them out of the image's build"
    );
    // `dist` asks git for the commit that the binary names.
    assert!(!ignore.excludes(".git/HEAD"));
}

/// A line of an ignore file that is neither empty nor a comment.
fn patterns(path: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(repository().join(path)).unwrap();
    let (folder, _) = path.rsplit_once('/').map_or(("", path), |(folder, name)| (folder, name));
    let rule = |line: &&str| !line.trim().is_empty() && !line.starts_with('#');
    let anchored = |line: &str| {
        assert!(line.starts_with('/'), "`{path}`: `{line}` also means what is deeper down; begin it with a slash");
        if folder.is_empty() { line.to_owned() } else { format!("/{folder}{line}") }
    };
    text.lines().filter(rule).map(anchored).collect()
}

#[test]
fn what_git_ignores_is_not_in_the_images_context_and_nothing_else() {
    let mut by_git = patterns(".gitignore");
    by_git.extend(patterns("tests/foreign/.gitignore"));
    assert_eq!(patterns(".dockerignore"), by_git, "`.dockerignore`, and the `.gitignore` files");
}

#[test]
fn git_ignores_no_file_that_it_tracks() {
    let mut git = Command::new("git");
    git.args(["-c", "safe.directory=*", "ls-files", "--cached", "--ignored", "--exclude-standard"]);
    let output = git.current_dir(repository()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "", "tracked and ignored at once");
}

/// Cargo's own list of what a crate from the registry would hold; a package inside another one's folder is not part of that.
#[test]
fn a_published_crate_would_hold_every_file_of_its_folder() {
    let Some(tracked) = tracked() else {
        eprintln!("not run: git cannot read this tree");
        return;
    };
    let folders: Vec<&str> = tracked.iter().filter_map(|path| path.strip_suffix("Cargo.toml")).collect();
    for folder in [
        "migrator/compile/",
        "migrator/diagnostic/",
        "migrator/engine/",
        "migrator/lint/",
        "migrator/model/",
        "migrator/postgres/",
        "migrator/sql/",
        "xtask/",
    ] {
        let nested = |path: &str| folders.iter().any(|other| other.len() > folder.len() && path.starts_with(*other));
        let wanted = tracked.iter().filter(|path| !nested(path)).filter_map(|path| path.strip_prefix(folder));
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(["package", "--list", "--allow-dirty", "--offline", "--manifest-path"]);
        let output = cargo.arg(repository().join(folder).join("Cargo.toml")).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let listed = String::from_utf8(output.stdout).unwrap();
        let listed: BTreeSet<&str> = listed.lines().collect();
        let missing: Vec<&str> = wanted.filter(|path| !listed.contains(path)).collect();
        assert_eq!(missing, Vec::<&str>::new(), "`cargo package` leaves these out of `{folder}`");
    }
}
