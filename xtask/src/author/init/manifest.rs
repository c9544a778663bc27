//! Edits of manifests and of cargo's configuration, which keep everything around the edit as it is.

use anyhow::{Context, Result, bail};
use toml_edit::{Array, DocumentMut, Item, Table, TableLike, Value, value};

/// A manifest with these members in its workspace; where it has no workspace, one is begun.
///
/// # Errors
/// It is not valid TOML, or `workspace.members` is not a list.
pub(super) fn with_members(manifest: &str, wanted: &[&str]) -> Result<String> {
    let mut document: DocumentMut = manifest.parse().context("invalid TOML")?;
    let workspace = document.entry("workspace").or_insert_with(|| Item::Table(Table::new()));
    let workspace = workspace.as_table_like_mut().context("`workspace` is not a table")?;
    let members = workspace.entry("members").or_insert_with(|| value(Array::new()));
    let members = members.as_array_mut().context("`workspace.members` is not a list")?;
    let covered = |name: &str| members.iter().filter_map(Value::as_str).any(|pattern| covers(pattern, name));
    let missing: Vec<&str> = wanted.iter().copied().filter(|name| !covered(name)).collect();
    if missing.is_empty() {
        return Ok(manifest.to_owned());
    }
    missing.into_iter().for_each(|name| push(members, name));
    Ok(document.to_string())
}

/// Whether a pattern of members stands for the folder of that name in the root.
fn covers(pattern: &str, name: &str) -> bool {
    let pattern = pattern.trim_start_matches("./").trim_end_matches('/');
    !pattern.contains('/') && matches(pattern, name)
}

/// `*` stands for any text, `?` for one character.
fn matches(pattern: &str, name: &str) -> bool {
    let Some(first) = pattern.chars().next() else { return name.is_empty() };
    let rest = &pattern[first.len_utf8()..];
    let mut characters = name.chars();
    match (first, characters.next()) {
        ('*', _) => {
            let ends = name.char_indices().map(|(at, _)| at).chain([name.len()]);
            ends.into_iter().any(|at| matches(rest, &name[at..]))
        }
        (_, None) => false,
        (first, Some(next)) => (first == '?' || first == next) && matches(rest, characters.as_str()),
    }
}

/// Adds a member in the form that the list has: on a line of its own, where the others are.
fn push(members: &mut Array, name: &str) {
    let before = members.iter().last().and_then(|last| last.decor().prefix()?.as_str()).map(str::to_owned);
    let indentation = before.as_deref().and_then(|prefix| prefix.rsplit_once('\n')).map(|(_, indentation)| indentation);
    let mut member = Value::from(name);
    match indentation {
        Some(indentation) => {
            // A comment after the last member stays beside it.
            let trailing = take_end(members);
            let comment = trailing.trim_end();
            member.decor_mut().set_prefix(format!("{comment}\n{indentation}"));
            let last = match trailing.rsplit_once('\n') {
                Some((_, rest)) => format!("\n{rest}"),
                None => "\n".to_owned(),
            };
            members.push_formatted(member);
            members.set_trailing(last);
            members.set_trailing_comma(true);
        }
        None if members.is_empty() => members.push_formatted(member),
        None => {
            member.decor_mut().set_prefix(" ");
            members.push_formatted(member);
        }
    }
}

/// What is between the last member and the bracket.
fn take_end(members: &mut Array) -> String {
    if members.trailing_comma() {
        return members.trailing().as_str().unwrap_or_default().to_owned();
    }
    // Without a comma it belongs to the member.
    let last = members.len().checked_sub(1).and_then(|last| members.get_mut(last));
    let Some(decor) = last.map(Value::decor_mut) else { return String::new() };
    let end = decor.suffix().and_then(|end| end.as_str()).unwrap_or_default().to_owned();
    decor.set_suffix("");
    end
}

/// A manifest with this dependency, a line as it stands in a manifest.
///
/// # Errors
/// It is not valid TOML, or its dependencies are not a table.
pub(super) fn with_dependency(manifest: &str, line: &str) -> Result<String> {
    let mut document: DocumentMut = manifest.parse().context("invalid TOML")?;
    let added: DocumentMut = line.parse().context("invalid dependency")?;
    let Some((name, item)) = added.iter().next() else { bail!("invalid dependency") };
    let dependencies = document.entry("dependencies").or_insert_with(|| Item::Table(Table::new()));
    let dependencies = dependencies.as_table_like_mut().context("`dependencies` is not a table")?;
    if dependencies.contains_key(name) {
        return Ok(manifest.to_owned());
    }
    dependencies.insert(name, item.clone());
    Ok(document.to_string())
}

/// The settings of a db directory with a version above which hazards are looked for, where none is set.
///
/// # Errors
/// They are not valid TOML, or `check` is not a table.
pub(super) fn with_start(settings: &str, version: &str) -> Result<String> {
    let mut document: DocumentMut = settings.parse().context("invalid TOML")?;
    let check = document.entry("check").or_insert_with(|| Item::Table(Table::new()));
    let check = check.as_table_like_mut().context("`check` is not a table")?;
    if check.contains_key("start_after") {
        return Ok(settings.to_owned());
    }
    check.insert("start_after", value(version));
    Ok(document.to_string())
}

/// What cargo's configuration runs for `cargo xtask`; `None`: it has no such alias.
///
/// # Errors
/// It is not valid TOML.
pub(super) fn alias(configuration: &str) -> Result<Option<Vec<String>>> {
    let document: DocumentMut = configuration.parse().context("invalid TOML")?;
    let Some(alias) = table(&document, "alias").and_then(|alias| alias.get("xtask")) else { return Ok(None) };
    let words = match alias.as_array() {
        Some(words) => words.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        None => alias.as_str().unwrap_or_default().split_whitespace().map(str::to_owned).collect(),
    };
    Ok(Some(words))
}

/// Cargo's configuration with the alias `xtask` for that package.
///
/// # Errors
/// It is not valid TOML, or `alias` is not a table.
pub(super) fn with_alias(configuration: &str, package: &str) -> Result<String> {
    let mut document: DocumentMut = configuration.parse().context("invalid TOML")?;
    let alias = document.entry("alias").or_insert_with(|| Item::Table(Table::new()));
    let alias = alias.as_table_like_mut().context("`alias` is not a table")?;
    alias.insert("xtask", value(format!("run --package {package} --")));
    Ok(document.to_string())
}

/// Whether the packages of a workspace take their version from it.
pub(super) fn has_version(manifest: &str) -> bool {
    let Ok(document) = manifest.parse::<DocumentMut>() else { return false };
    let package = table(&document, "workspace").and_then(|workspace| workspace.get("package")?.as_table_like());
    package.is_some_and(|package| package.contains_key("version"))
}

/// The table of that name at the top.
pub(super) fn table<'d>(document: &'d DocumentMut, name: &str) -> Option<&'d dyn TableLike> {
    document.get(name)?.as_table_like()
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn members(manifest: &str, expected: Expect) {
        let edited = with_members(manifest, &["migrator", "xtask"]).unwrap();
        expected.assert_eq(&edited);
        assert_eq!(with_members(&edited, &["migrator", "xtask"]).unwrap(), edited, "once is enough");
    }

    #[test]
    fn members_are_added_in_the_form_of_the_list() {
        members(
            "# ours\n[workspace]\nmembers = [\"a\", \"b\"] # all\n\n[profile.dev]\ndebug = 0\n",
            expect![[r##"
            # ours
            [workspace]
            members = ["a", "b", "migrator", "xtask"] # all

            [profile.dev]
            debug = 0
        "##]],
        );
        members(
            "[workspace]\nmembers = [\n  \"a\", # first\n  \"b\", # last\n  # no more\n]\n",
            expect![[r#"
            [workspace]
            members = [
              "a", # first
              "b", # last
              # no more
              "migrator",
              "xtask",
            ]
        "#]],
        );
        members(
            "[workspace]\nmembers = [\n\t\"a\",\n\t\"b\"\n]\n",
            expect![[r#"
            [workspace]
            members = [
            	"a",
            	"b",
            	"migrator",
            	"xtask",
            ]
        "#]],
        );
        members(
            "[workspace]\nmembers = []\nexclude = [\"x\"]\n",
            expect![[r#"
            [workspace]
            members = ["migrator", "xtask"]
            exclude = ["x"]
        "#]],
        );
    }

    #[test]
    fn a_manifest_without_a_list_gets_one() {
        members(
            "[package]\nname = \"a\" # b\n\n[dependencies]\n",
            expect![[r#"
            [package]
            name = "a" # b

            [dependencies]

            [workspace]
            members = ["migrator", "xtask"]
        "#]],
        );
        members(
            "[package]\nname = \"a\"\n[workspace]\n# none yet\n[lints]\n",
            expect![[r#"
            [package]
            name = "a"
            [workspace]
            members = ["migrator", "xtask"]
            # none yet
            [lints]
        "#]],
        );
        members(
            "workspace.members = ['a']\nworkspace.resolver = '3'\n",
            expect![[r#"
            workspace.members = ['a', "migrator", "xtask"]
            workspace.resolver = '3'
        "#]],
        );
        members(
            "workspace = { members = ['xtask'] }\n",
            expect![[r#"
            workspace = { members = ['xtask', "migrator"] }
        "#]],
        );
        members(
            "",
            expect![[r#"
            [workspace]
            members = ["migrator", "xtask"]
        "#]],
        );
    }

    #[test]
    fn a_pattern_that_covers_them_is_enough() {
        for pattern in ["*", "./*", "?*/"] {
            let manifest = format!("[workspace]\nmembers = [\"{pattern}\"]\n");
            assert_eq!(with_members(&manifest, &["migrator", "xtask"]).unwrap(), manifest);
        }
        for (pattern, covered) in [("mig*", true), ("crates/*", false), ("migrator2", false), ("*r?", false)] {
            assert_eq!(covers(pattern, "migrator"), covered, "{pattern}");
        }
    }

    #[test]
    fn what_cannot_be_edited_is_an_error() {
        for manifest in ["[workspace", "workspace = 1", "[workspace]\nmembers = 1"] {
            assert!(with_members(manifest, &["a"]).is_err(), "{manifest}");
        }
    }

    #[test]
    fn a_dependency_is_added_once_and_never_changed() {
        let line = "migrator-xtask = { path = \"../m\" }";
        let edited =
            with_dependency("[package]\nname = \"x\"\n\n[dependencies]\n# best\nclap = \"4\"\n", line).unwrap();
        expect![[r#"
            [package]
            name = "x"

            [dependencies]
            # best
            clap = "4"
            migrator-xtask = { path = "../m" }
        "#]]
        .assert_eq(&edited);
        assert_eq!(with_dependency(&edited, "migrator-xtask = \"1\"").unwrap(), edited);
        expect![[r#"
            [package]
            name = "x"

            [dependencies]
            migrator-xtask = { path = "../m" }
        "#]]
        .assert_eq(&with_dependency("[package]\nname = \"x\"\n", line).unwrap());
    }

    #[test]
    fn the_alias_is_read_in_both_forms() {
        let words = |text: &str| alias(text).unwrap().map(|words| words.join(" "));
        assert_eq!(words("[alias]\nxtask = \"run  -p x --\"\n").as_deref(), Some("run -p x --"));
        assert_eq!(words("alias.xtask = [\"run\", \"-p\", \"x\"]\n").as_deref(), Some("run -p x"));
        assert_eq!(words("[build]\njobs = 1\n"), None);
        expect![[r#"
            [build]
            jobs = 1

            [alias]
            xtask = "run --package xtask --"
        "#]]
        .assert_eq(&with_alias("[build]\njobs = 1\n", "xtask").unwrap());
    }

    #[test]
    fn the_start_of_the_hazards_is_set_once() {
        let settings = include_str!("files/migrator.toml");
        let edited = with_start(settings, "001").unwrap();
        expect![[r##"
            # Settings of this db directory, compiled into the migrator. Every key is optional; README.md lists them with their defaults.
            #:schema https://example.com/migrator/docs/schema/migrator.toml.json

            [check]
            # Comment headers that every migration must have above its up marker.
            required_headers = ["Purpose"]
            start_after = "001"
        "##]].assert_eq(&edited);
        assert_eq!(with_start(&edited, "002").unwrap(), edited);
    }

    #[test]
    fn a_version_of_the_workspace_is_found() {
        assert!(has_version("[workspace.package]\nversion = \"1.2.3\"\n"));
        assert!(has_version("[workspace]\npackage = { version = \"1\" }\n"));
        assert!(!has_version("[workspace]\nmembers = []\n"));
    }
}
