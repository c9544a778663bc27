//! The profile that the tasks and the migrator's build script share.

use anyhow::{Context, Result};
use toml_edit::{DocumentMut, Item, Table, TableLike, value};

use super::manifest::table;

/// Stands above the profile.
const WHY: &str = "\n# What the tasks and the migrator's build script share is compiled once, not once for each.\n";

/// A manifest whose build scripts get the debug information that everything else gets.
///
/// By default they get none, and cargo compiles a crate once for each set of options. A manifest that decides about build scripts
/// itself stays as it is, and so does one with options under which nothing is shared anyway.
///
/// # Errors
/// It is not valid TOML, or one of the tables on the way is not a table.
pub(super) fn with_shared_builds(manifest: &str) -> Result<String> {
    let mut document: DocumentMut = manifest.parse().context("invalid TOML")?;
    let Some(debug) = missing(&document) else { return Ok(manifest.to_owned()) };
    let profile = below(document.as_table_mut(), "profile").context("`profile` is not a table")?;
    let dev = below(profile, "dev").context("`profile.dev` is not a table")?;
    let mut scripts = Table::new();
    scripts.insert("debug", debug);
    scripts.decor_mut().set_prefix(WHY);
    dev.insert("build-override", Item::Table(scripts));
    Ok(document.to_string())
}

/// The debug information that build scripts do not get and everything else gets; `None`: nothing is to be added.
fn missing(manifest: &DocumentMut) -> Option<Item> {
    let dev = table(manifest, "profile").and_then(|profile| profile.get("dev")?.as_table_like());
    let Some(dev) = dev else { return Some(value(true)) };
    // As [`with_shared_builds`] says; `package."*"` holds for build scripts too.
    let decides = ["build-override", "codegen-units", "opt-level"].iter().any(|key| dev.contains_key(key))
        || dev.get("package").and_then(Item::as_table_like).is_some_and(|packages| packages.contains_key("*"));
    if decides {
        return None;
    }
    let Some(debug) = dev.get("debug").and_then(Item::as_value) else { return Some(value(true)) };
    let is_none = debug.as_bool() == Some(false) || debug.as_integer() == Some(0) || debug.as_str() == Some("none");
    (!is_none).then(|| value(debug.clone().decorated(" ", "")))
}

/// The table of that name; begun where there is none, without a heading of its own.
fn below<'t>(table: &'t mut dyn TableLike, name: &str) -> Option<&'t mut dyn TableLike> {
    if !table.contains_key(name) {
        let mut new = Table::new();
        new.set_implicit(true);
        table.insert(name, Item::Table(new));
    }
    table.get_mut(name)?.as_table_like_mut()
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn shared(manifest: &str, expected: Expect) {
        let edited = with_shared_builds(manifest).unwrap();
        expected.assert_eq(&edited);
        assert_eq!(with_shared_builds(&edited).unwrap(), edited, "once is enough");
    }

    #[test]
    fn build_scripts_get_what_everything_else_gets() {
        shared(
            "[workspace]\nmembers = []\n",
            expect![[r##"
            [workspace]
            members = []

            # What the tasks and the migrator's build script share is compiled once, not once for each.
            [profile.dev.build-override]
            debug = true
        "##]],
        );
        shared(
            "[profile.dev]\ndebug = \"line-tables-only\" # short\n\n[profile.release]\nlto = true\n",
            expect![[r##"
            [profile.dev]
            debug = "line-tables-only" # short

            # What the tasks and the migrator's build script share is compiled once, not once for each.
            [profile.dev.build-override]
            debug = "line-tables-only"

            [profile.release]
            lto = true
        "##]],
        );
        shared(
            "[profile]\ndev = { panic = 'abort' }\n",
            expect![[r#"
            [profile]
            dev = { panic = 'abort' , build-override = { debug = true } }
        "#]],
        );
        shared(
            "profile.dev.debug = 1\n",
            expect![[r#"
                profile.dev.debug = 1

                # What the tasks and the migrator's build script share is compiled once, not once for each.
                [profile.dev.build-override]
                debug = 1
            "#]],
        );
    }

    #[test]
    fn a_manifest_that_decides_itself_stays_as_it_is() {
        for dev in [
            "debug = false",
            "debug = 0",
            "debug = \"none\"",
            "opt-level = 1",
            "codegen-units = 4",
            "build-override.opt-level = 3",
            "package.\"*\".debug = false",
        ] {
            let manifest = format!("[profile.dev]\n{dev}\n");
            assert_eq!(with_shared_builds(&manifest).unwrap(), manifest);
        }
    }

    #[test]
    fn what_cannot_be_edited_is_an_error() {
        for manifest in ["[workspace", "profile = 1", "profile.dev = 1"] {
            assert!(with_shared_builds(manifest).is_err(), "{manifest}");
        }
    }
}
