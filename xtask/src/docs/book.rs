//! The site: the pages where they are in the repository, so that every link between them leads somewhere, made by mdBook.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};

use super::files::{Files, Found, MANIFEST, resolve};
use super::links::{divide, is_elsewhere};
use super::markdown::{links, title};
use super::summary::{SUMMARY, listed};
use crate::output;
use crate::workspace::{Workspace, shown};

/// The release of mdBook that the pages were looked at with.
const VERSION: &str = "0.5.4";

/// What the site looks like.
const THEME: &str = "docs/theme/";

/// What the site is made of.
#[derive(Debug, Default, PartialEq, Eq)]
struct Site {
    /// Its list of pages.
    summary: String,
    /// Files that are copied as they are.
    copied: BTreeSet<String>,
    /// Folders that a page links to and that have no page of their own: the site lists their files.
    folders: BTreeSet<String>,
}

/// Makes the site; what is in `out` is replaced.
pub(super) fn make(workspace: &Workspace, files: &Files, out: &Path, open: bool) -> Result<ExitCode> {
    let source = workspace.root.join("target/book-source");
    let site = site(files);
    write(workspace, files, &site, &source)?;
    let out = std::path::absolute(out)?;
    let program = std::env::var_os("MDBOOK").unwrap_or_else(|| OsString::from("mdbook"));
    let mut mdbook = Command::new(&program);
    mdbook.arg("build").arg(&source).arg("--dest-dir").arg(&out).args(open.then_some("--open"));
    let made = mdbook.stdin(Stdio::null()).output();
    let made = match made {
        // Permission is denied also where this user may not look into a folder of PATH, and the program is in none of the others.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied) => bail!(
            "failed to run `{}`: {error}\nhelp: install it with `cargo install mdbook --version {VERSION} --locked`, or from its releases; \
             MDBOOK names it where it is not on the PATH; `cargo xtask docs --check` needs none",
            program.display()
        ),
        made => made.with_context(|| format!("failed to run `{}`", program.display()))?,
    };
    let said = String::from_utf8_lossy(&made.stdout) + String::from_utf8_lossy(&made.stderr);
    output::note(said.trim_end());
    if !made.status.success() {
        bail!("mdBook failed");
    }
    output::result(shown(&out.join("index.html")).display());
    let has_warned = said.lines().any(|line| line.contains("WARN ") || line.contains("ERROR "));
    Ok(if has_warned { ExitCode::from(output::FOUND) } else { ExitCode::SUCCESS })
}

/// The pages that the summary lists, and whatever they lead to.
fn site(files: &Files) -> Site {
    let mut site = Site::default();
    let in_summary: BTreeSet<String> = listed(files).into_iter().map(|(_, path)| path).collect();
    let mut pages: BTreeSet<String> = in_summary.clone();
    let mut next: Vec<String> = pages.iter().cloned().collect();
    while let Some(page) = next.pop() {
        for link in links(files.page(&page).unwrap_or_default()) {
            let (path, _) = divide(&link.target);
            let Some(path) = resolve(&page, &path).filter(|_| !path.is_empty() && !is_elsewhere(&link.target)) else {
                continue;
            };
            match files.find(&path) {
                Some(Found::File(found)) if found.ends_with(".md") => {
                    let is_new = pages.insert(found.to_owned());
                    next.extend(is_new.then(|| found.to_owned()));
                }
                Some(Found::File(found)) => drop(site.copied.insert(found.to_owned())),
                Some(Found::Folder) => {
                    site.copied.extend(files.below(&format!("{path}/")).map(str::to_owned));
                    site.folders.insert(path);
                }
                None => {}
            }
        }
    }
    site.summary = summary(files, pages.difference(&in_summary));
    site.copied.retain(|path| !pages.contains(path));
    site
}

/// The list of docs/ from the root, with the page of the root before it and the other pages outside of docs/ after it.
fn summary<'a>(files: &Files, outside: impl Iterator<Item = &'a String>) -> String {
    let chapter = |path: &str| {
        let name = files.page(path).and_then(title).unwrap_or_else(|| path.to_owned());
        format!("[{name}]({})", in_site(path).replace(' ', "%20"))
    };
    let own = relinked(SUMMARY, files.page(SUMMARY).unwrap_or_default(), files);
    let own = own.split_once('\n').map_or(own.as_str(), |(_, rest)| rest).replace("](", "](docs/");
    let (root, others): (Vec<&String>, Vec<&String>) = outside.partition(|path| *path == "README.md");
    let root: String = root.iter().map(|path| format!("{}\n", chapter(path))).collect();
    let mut text = format!("# Summary\n\n{root}{own}");
    if !others.is_empty() {
        text.push_str("\n# The repository\n\n");
        others.iter().for_each(|path| text.push_str(&format!("- {}\n", chapter(path))));
    }
    text
}

/// The page of a folder, here and in the site, where mdBook makes index.html of it and of nothing else.
const README: &str = "README.md";
const INDEX: &str = "index.md";

/// Where a page is in the source of the site.
fn in_site(path: &str) -> String {
    let is_readme = path == README || path.ends_with("/README.md");
    if is_readme { format!("{}{INDEX}", &path[..path.len() - README.len()]) } else { path.to_owned() }
}

/// A page whose links to folders and to their READMEs lead to what the site has there.
fn relinked(page: &str, text: &str, files: &Files) -> String {
    let mut text = text.to_owned();
    let mut links = links(&text);
    links.sort_by_key(|link| std::cmp::Reverse(link.at));
    for link in links.iter().filter(|link| !is_elsewhere(&link.target)) {
        let (path, anchor) = divide(&link.target);
        let Some(found) = resolve(page, &path).filter(|_| !path.is_empty()).and_then(|path| files.find(&path)) else {
            continue;
        };
        let folder = path.trim_end_matches('/');
        let path = match found {
            Found::File(_) if path.ends_with(README) => in_site(&path),
            Found::File(file) if file.ends_with(README) => format!("{folder}/{INDEX}"),
            Found::File(_) => continue,
            Found::Folder => format!("{folder}/index.html"),
        };
        let anchor = anchor.map(|anchor| format!("#{anchor}")).unwrap_or_default();
        text.replace_range(link.at..link.at + link.target.len(), &format!("{}{anchor}", path.replace(' ', "%20")));
    }
    text
}

/// Writes the source of the site anew.
fn write(workspace: &Workspace, files: &Files, site: &Site, to: &Path) -> Result<()> {
    let failed = |path: &Path| format!("failed to write `{}`", path.display());
    if to.exists() {
        fs::remove_dir_all(to).with_context(|| failed(to))?;
    }
    let place = |path: &str| -> Result<PathBuf> {
        let path = to.join(path);
        let folder = path.parent().unwrap_or(to);
        fs::create_dir_all(folder).with_context(|| failed(folder))?;
        Ok(path)
    };
    let pages = files.pages().filter(|(path, _)| *path != SUMMARY);
    let pages = pages.map(|(path, text)| (in_site(path), relinked(path, text, files)));
    for (path, text) in pages.chain([("SUMMARY.md".to_owned(), site.summary.clone())]) {
        let target = place(&path)?;
        fs::write(&target, text).with_context(|| failed(&target))?;
    }
    for path in site.copied.iter().map(String::as_str) {
        let target = place(path)?;
        fs::copy(workspace.root.join(path), &target).with_context(|| failed(&target))?;
    }
    // What the manifest names is beside it.
    for path in files.below(THEME) {
        let target = place(&path["docs/".len()..])?;
        fs::copy(workspace.root.join(path), &target).with_context(|| failed(&target))?;
    }
    for folder in &site.folders {
        let target = place(&format!("{folder}/index.html"))?;
        fs::write(&target, index(folder, files)).with_context(|| failed(&target))?;
    }
    let manifest = to.join("book.toml");
    fs::copy(workspace.root.join(MANIFEST), &manifest).with_context(|| failed(&manifest))?;
    Ok(())
}

/// A page that lists the files below a folder.
fn index(folder: &str, files: &Files) -> String {
    let prefix = format!("{folder}/");
    let names = files.below(&prefix).map(|path| &path[prefix.len()..]);
    let page = maud::html! {
        (maud::DOCTYPE)
        html lang="en" {
            head { meta charset="utf-8"; meta name="viewport" content="width=device-width"; title { (folder) } }
            body { h1 { (folder) } ul { @for name in names { li { a href=(name) { (name) } } } } }
        }
    };
    page.into_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_site_has_what_its_pages_lead_to_where_it_is_in_the_repository() {
        let mut files = Files::default();
        let page = |text: &str| Some(text.to_owned());
        files.add(SUMMARY, page("# Summary\n\n[Docs](README.md)\n- [A](guide/a.md)\n"));
        files.add("docs/README.md", page("# Docs\n[up](../README.md)"));
        files.add("docs/guide/a.md", page("# A\n[schema](../schema) [db](../../db/README.md#x)"));
        files.add("README.md", page("# `migrator`\n[licence](LICENSE)"));
        files.add("db/README.md", page("# The db directory\n"));
        files.add("other/README.md", page("# Not linked\n"));
        files.add("LICENSE", None);
        files.add("docs/schema/up.json", None);
        let site = site(&files);
        assert_eq!(
            site.summary,
            "# Summary\n\n[migrator](index.md)\n\n[Docs](docs/index.md)\n- [A](docs/guide/a.md)\n\n# The repository\n\n\
             - [The db directory](db/index.md)\n"
        );
        assert_eq!(site.copied, ["LICENSE", "docs/schema/up.json"].map(str::to_owned).into());
        assert_eq!(site.folders, ["docs/schema".to_owned()].into());
        assert_eq!(
            relinked("docs/guide/a.md", files.page("docs/guide/a.md").unwrap(), &files),
            "# A\n[schema](../schema/index.html) [db](../../db/index.md#x)"
        );
        assert!(index("docs/schema", &files).contains("<a href=\"up.json\">up.json</a>"));
    }
}
