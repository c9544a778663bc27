//! Liquibase's changelogs in XML, YAML and JSON: which SQL files they include, and in which order.

use serde_json::Value;

use crate::author::import::draft::Found;
use crate::author::import::name;
use crate::author::import::text::line_of;
use crate::author::import::tree::Tree;

/// A file of SQL that is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Included {
    /// Its path in the imported directory.
    pub(crate) path: String,
    /// What the history calls it.
    pub(crate) filename: String,
}

/// One thing in a changelog.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    File {
        name: String,
        relative: bool,
    },
    All {
        folder: String,
        relative: bool,
    },
    /// A changeset that is no SQL file.
    ChangeSet,
    Property,
}

/// A changelog, with the lines of its items; 0: not known.
struct Changelog {
    path: String,
    items: Vec<(usize, Item)>,
}

/// The files in the order in which Liquibase runs them, or `None` if there is no changelog but the files themselves.
pub(crate) fn order(tree: &mut Tree, found: &mut Found) -> Option<Vec<Included>> {
    let mut changelogs = Vec::new();
    for path in tree.files() {
        let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
        let read: fn(&str) -> Vec<(usize, Item)> = match ending {
            "xml" => xml,
            "yaml" | "yml" => yaml,
            "json" => json,
            _ => continue,
        };
        let mut more = Found::default();
        let Some(content) = tree.read(&path, &mut more) else {
            found.troubles.append(&mut more.troubles);
            continue;
        };
        if content.text.contains("databaseChangeLog") {
            changelogs.push(Changelog { items: read(&content.text), path });
        } else {
            found.leave(&path, "not a changelog");
        }
    }
    let included: Vec<String> = changelogs.iter().flat_map(|log| targets(log, &changelogs)).collect();
    let roots: Vec<&Changelog> = changelogs.iter().filter(|log| !included.contains(&log.path)).collect();
    let root = match roots.as_slice() {
        [] if changelogs.is_empty() => return None,
        [root] => *root,
        [] => {
            found.refuse(&changelogs[0].path, 0, "the changelogs include each other");
            return Some(Vec::new());
        }
        [first, second, ..] => {
            let message = format!(
                "nothing includes it, nor `{}`: leave out with --skip all but the changelog that Liquibase is given",
                second.path
            );
            found.refuse(&first.path, 0, message);
            return Some(Vec::new());
        }
    };
    let mut files = Vec::new();
    let mut expansion = Expansion { changelogs: &changelogs, files: &mut files, tree, found };
    expansion.of(root, &root.path, 0);
    for log in &changelogs {
        found.leave(&log.path, "says which files are run, and in which order");
    }
    Some(files)
}

/// The changelogs that a changelog includes.
fn targets(log: &Changelog, all: &[Changelog]) -> Vec<String> {
    let folder = name::parent_and_name(&log.path).0;
    let of_item = |item: &Item| -> Vec<String> {
        match item {
            Item::File { name, relative } => {
                let wanted = resolve(name, *relative, folder);
                let known = |path: &str| all.iter().any(|log| log.path == path);
                suffixes(&wanted, *relative).find(|path| known(path)).map(str::to_owned).into_iter().collect()
            }
            Item::All { folder: below, relative } => {
                let wanted = resolve(below, *relative, folder);
                let inside = |path: &&str| suffixes(&wanted, *relative).any(|folder| is_below(path, folder));
                all.iter()
                    .map(|log| log.path.as_str())
                    .filter(inside)
                    .filter(|path| *path != log.path)
                    .map(str::to_owned)
                    .collect()
            }
            Item::ChangeSet | Item::Property => Vec::new(),
        }
    };
    log.items.iter().flat_map(|(_, item)| of_item(item)).collect()
}

struct Expansion<'a> {
    changelogs: &'a [Changelog],
    files: &'a mut Vec<Included>,
    tree: &'a mut Tree,
    found: &'a mut Found,
}

impl Expansion<'_> {
    /// `filename`: what the history calls the changelog.
    fn of(&mut self, log: &Changelog, filename: &str, depth: usize) {
        if depth > 32 {
            return self.found.refuse(&log.path, 0, "it includes itself");
        }
        let folder = name::parent_and_name(&log.path).0;
        let named_in = name::parent_and_name(filename).0;
        for (line, item) in &log.items {
            match item {
                Item::File { name, relative } => {
                    let wanted = resolve(name, *relative, folder);
                    let called = resolve(name, *relative, named_in);
                    let path = suffixes(&wanted, *relative).find(|path| self.is_known(path)).map(str::to_owned);
                    match path {
                        Some(path) => self.file(path, &called, depth),
                        None => self.found.refuse(
                            &log.path,
                            *line,
                            format!("it includes `{name}`, which is not in this directory"),
                        ),
                    }
                }
                Item::All { folder: below, relative } => {
                    let wanted = resolve(below, *relative, folder);
                    let called = resolve(below, *relative, named_in);
                    self.all(log, *line, &wanted, &called, *relative, depth);
                }
                Item::ChangeSet => {
                    let message = "a changeset that is not formatted SQL: put what it does into an SQL file";
                    self.found.refuse(&log.path, *line, message);
                }
                Item::Property => {}
            }
        }
    }

    fn is_known(&self, path: &str) -> bool {
        self.tree.has(path) || self.changelogs.iter().any(|log| log.path == path)
    }

    fn file(&mut self, path: String, called: &str, depth: usize) {
        match self.changelogs.iter().find(|log| log.path == path) {
            Some(log) => self.of(log, called, depth + 1),
            None if self.files.iter().any(|file| file.path == path) => {}
            None => self.files.push(Included { path, filename: called.to_owned() }),
        }
    }

    /// All files below a folder, in the order of their paths.
    fn all(&mut self, log: &Changelog, line: usize, wanted: &str, called: &str, relative: bool, depth: usize) {
        let mut paths = self.tree.files();
        paths.extend(self.changelogs.iter().map(|log| log.path.clone()).filter(|path| *path != log.path));
        paths.sort();
        let below = |folder: &str| paths.iter().filter(|path| is_below(path, folder)).cloned().collect::<Vec<_>>();
        let folder = suffixes(wanted, relative).find(|folder| !below(folder).is_empty()).map(str::to_owned);
        let Some(folder) = folder else {
            return self.found.refuse(&log.path, line, format!("it includes all of `{called}`, and there is nothing"));
        };
        for path in below(&folder) {
            if path.ends_with(".sql") || self.changelogs.iter().any(|log| log.path == path) {
                let inside = path[folder.len()..].trim_start_matches('/');
                let called = format!("{}/{inside}", called.trim_end_matches('/'));
                self.file(path, called.trim_start_matches('/'), depth);
            }
        }
    }
}

fn is_below(path: &str, folder: &str) -> bool {
    folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// A path as the history has it: below the folder of the changelog, or from where Liquibase searches.
fn resolve(name: &str, relative: bool, folder: &str) -> String {
    let name = name.strip_prefix("classpath:").unwrap_or(name).replace('\\', "/");
    let joined = if relative { format!("{folder}/{name}") } else { name };
    let mut parts: Vec<&str> = Vec::new();
    for part in joined.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// A path from where Liquibase searches may begin above the imported directory: what is left without its first components.
fn suffixes(path: &str, relative: bool) -> impl Iterator<Item = &str> {
    let cuts = path.match_indices('/').map(|(at, _)| at + 1).filter(move |_| !relative);
    [0].into_iter().chain(cuts).map(|at| &path[at..]).chain((!relative && path.is_empty()).then_some(""))
}

fn xml(text: &str) -> Vec<(usize, Item)> {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("<!--") {
        let end = rest[start..].find("-->").map_or(rest.len(), |end| start + end + 3);
        plain.push_str(&rest[..start]);
        plain.extend(rest[start..end].chars().filter(|c| *c == '\n'));
        rest = &rest[end..];
    }
    plain.push_str(rest);
    let mut items = Vec::new();
    for (at, _) in plain.match_indices('<') {
        let tag = &plain[at + 1..];
        let tag = &tag[..tag.find('>').unwrap_or(tag.len())];
        let name = tag.split(|c: char| c.is_whitespace() || c == '/').next().unwrap_or_default();
        let attribute = |name: &str| {
            let (_, after) = tag.split_once(&format!("{name}="))?;
            let quote = after.chars().next().filter(|c| ['"', '\''].contains(c))?;
            after[1..].split_once(quote).map(|(value, _)| value.to_owned())
        };
        let relative = attribute("relativeToChangelogFile").is_some_and(|value| value == "true");
        let item = match name.rsplit(':').next().unwrap_or_default() {
            "include" => attribute("file").map(|name| Item::File { name, relative }),
            "includeAll" => attribute("path").map(|folder| Item::All { folder, relative }),
            "changeSet" => Some(Item::ChangeSet),
            "property" => Some(Item::Property),
            _ => None,
        };
        items.extend(item.map(|item| (line_of(&plain, at), item)));
    }
    items
}

/// The few forms in which changelogs include files.
fn yaml(text: &str) -> Vec<(usize, Item)> {
    let mut items: Vec<(usize, Item)> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let bare = line.split(" #").next().unwrap_or_default().trim().trim_start_matches("- ").trim();
        if bare.starts_with('#') {
            continue;
        }
        let (key, value) = bare.split_once(':').unwrap_or((bare, ""));
        let flow = value.trim().trim_start_matches('{').trim_end_matches('}');
        match key.trim() {
            "include" => items.push((index + 1, Item::File { name: String::new(), relative: false })),
            "includeAll" => items.push((index + 1, Item::All { folder: String::new(), relative: false })),
            "changeSet" => items.push((index + 1, Item::ChangeSet)),
            "property" => items.push((index + 1, Item::Property)),
            key => items.last_mut().into_iter().for_each(|(_, item)| field(item, key, value)),
        }
        for (key, value) in flow.split(',').filter_map(|pair| pair.split_once(':')) {
            items.last_mut().into_iter().for_each(|(_, item)| field(item, key.trim(), value));
        }
    }
    items
}

fn field(item: &mut Item, key: &str, value: &str) {
    let value = value.trim().trim_matches(['"', '\'']);
    match (item, key) {
        (Item::File { name, .. }, "file") => value.clone_into(name),
        (Item::All { folder, .. }, "path") => value.clone_into(folder),
        (Item::File { relative, .. } | Item::All { relative, .. }, "relativeToChangelogFile") => {
            *relative = value == "true"
        }
        _ => {}
    }
}

fn json(text: &str) -> Vec<(usize, Item)> {
    let value: Value = serde_json::from_str(text).unwrap_or_default();
    let list = value["databaseChangeLog"].as_array().cloned().unwrap_or_default();
    let item = |entry: &Value| {
        let relative =
            |value: &Value| value["relativeToChangelogFile"] == true || value["relativeToChangelogFile"] == "true";
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        if let Some(include) = entry.get("include") {
            Some(Item::File { name: text(&include["file"]), relative: relative(include) })
        } else if let Some(include) = entry.get("includeAll") {
            Some(Item::All { folder: text(&include["path"]), relative: relative(include) })
        } else {
            entry.get("changeSet").map(|_| Item::ChangeSet)
        }
    };
    list.iter().filter_map(item).map(|item| (0, item)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_say_the_same() {
        let file = |name: &str, relative| Item::File { name: name.to_owned(), relative };
        let all = |folder: &str, relative| Item::All { folder: folder.to_owned(), relative };
        let expected = vec![file("a.sql", true), file("db/b.sql", false), all("more/", true), Item::ChangeSet];
        let items = |items: Vec<(usize, Item)>| items.into_iter().map(|(_, item)| item).collect::<Vec<_>>();
        let as_xml = "<databaseChangeLog>\n<include file=\"a.sql\" relativeToChangelogFile=\"true\"/>\n<!-- <include file='x'/> -->\n\
                      <include file='db/b.sql'/><includeAll path=\"more/\" relativeToChangelogFile=\"true\" />\n<changeSet id=\"1\" author=\"a\">";
        assert_eq!(items(xml(as_xml)), expected);
        let as_yaml = "databaseChangeLog:\n  - include:\n      file: a.sql\n      relativeToChangelogFile: true\n  # - include:\n  \
                       - include: { file: \"db/b.sql\" }\n  - includeAll:\n      path: more/\n      relativeToChangelogFile: true\n  - changeSet:\n      id: 1\n";
        assert_eq!(items(yaml(as_yaml)), expected);
        let as_json = r#"{"databaseChangeLog":[{"include":{"file":"a.sql","relativeToChangelogFile":true}},{"include":{"file":"db/b.sql"}},
                          {"includeAll":{"path":"more/","relativeToChangelogFile":"true"}},{"changeSet":{"id":"1"}}]}"#;
        assert_eq!(items(json(as_json)), expected);
    }

    #[test]
    fn paths_are_those_of_the_history() {
        assert_eq!(resolve("classpath:/db/a.sql", false, "x"), "db/a.sql");
        assert_eq!(resolve("../sql/a.sql", true, "db/changelog"), "db/sql/a.sql");
        assert_eq!(
            suffixes("db/changelog/a.sql", false).collect::<Vec<_>>(),
            ["db/changelog/a.sql", "changelog/a.sql", "a.sql"]
        );
        assert_eq!(suffixes("db/a.sql", true).collect::<Vec<_>>(), ["db/a.sql"]);
    }
}
