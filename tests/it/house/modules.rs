//! Which module may use which: the layers of a package, and no circle among its files.

use std::collections::{BTreeMap, BTreeSet};

use super::{names_after, sources, without_tests};

/// The sources of a package, and its modules at the root, each above all that it may use. Without an order there is still one, since no
/// files use each other.
const PACKAGES: &[(&str, &[&str])] = &[
    (
        "migrator/compile/src/",
        &[
            "embed",
            "load",
            "squashed",
            "migration",
            "data_test",
            "script",
            "loss",
            "read",
            "contract",
            "rule",
            "file",
            "procedures",
            "source",
            "problem",
            "code",
            "checksum",
            "duration",
            "facts",
            "nearest",
        ],
    ),
    ("migrator/diagnostic/src/", &[]),
    ("migrator/engine/src/", &[]),
    (
        "migrator/lint/src/",
        &[
            "search", "linter", "allow", "hazard", "names", "marker", "rules", "rule", "held", "site", "taken", "lock",
            "known", "types", "steady",
        ],
    ),
    ("migrator/model/src/", &[]),
    ("migrator/postgres/src/", &[]),
    (
        "migrator/sql/src/",
        &[
            "destroys",
            "classify",
            "needs",
            "role",
            "neutral",
            "sql",
            "drop",
            "create",
            "alter_table",
            "element",
            "setting",
            "rows",
            "object_kind",
            "name",
            "flags",
            "parse",
            "dialect",
            "shapes",
            "wording",
            "statements",
            "words",
            "lexer",
        ],
    ),
    (
        "xtask/src/",
        &[
            "cli",
            "release",
            "docs",
            "author",
            "database",
            "check",
            "prove",
            "base",
            "manual",
            "maintenance",
            "developer",
            "migrator",
            "unchanged",
            "workspace",
            "building",
            "signals",
            "child",
            "environment",
            "usage",
            "output",
        ],
    ),
];

/// Files of the package without their tests, by module: `contract::units`.
fn modules(root: &str) -> BTreeMap<String, String> {
    let inside = |path: &str| Some(path.strip_prefix(root)?.strip_suffix(".rs")?.replace('/', "::"));
    let is_test = |module: &str| module.split("::").any(|name| ["tests", "properties", "testing"].contains(&name));
    let all = sources(".rs").into_iter().filter_map(|(path, text)| Some((inside(&path)?, text)));
    let own = all.filter(|(module, _)| !["lib", "main"].contains(&module.as_str()) && !is_test(module));
    own.map(|(module, text)| (module, without_tests(&text).to_owned())).collect()
}

/// Every path after `crate::` and `super::`, with the braces of `use` spread out: `contract::units`, `contract::units::control`.
fn paths(module: &str, text: &str) -> Vec<String> {
    // A visibility uses nothing.
    let text = text.replace("pub(in crate::", "");
    let from_root = text.split("crate::").skip(1).flat_map(|rest| spread(rest).0);
    let parent = module.rsplit_once("::").map_or(String::new(), |(parent, _)| format!("{parent}::"));
    let beside = text.split("super::").skip(1).flat_map(|rest| spread(rest).0);
    from_root.chain(beside.map(|path| format!("{parent}{path}"))).collect()
}
/// The paths that a text begins with, and what follows them.
fn spread(text: &str) -> (Vec<String>, &str) {
    let Some(mut rest) = text.strip_prefix('{') else {
        let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        let Some(inner) = rest.strip_prefix("::") else { return (vec![name.to_owned()], rest) };
        let (below, rest) = spread(inner);
        return (below.iter().map(|path| format!("{name}::{path}")).collect(), rest);
    };
    let mut all = Vec::new();
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
        match rest.strip_prefix('}') {
            Some(after) => return (all, after),
            None if rest.is_empty() => return (all, rest),
            None => {}
        }
        let (paths, after) = spread(rest);
        all.extend(paths);
        rest = after;
    }
}

/// The module that a path leads to: the longest beginning that is one.
fn target<'a>(modules: &'a BTreeMap<String, String>, path: &str) -> Option<&'a str> {
    let ends = path.match_indices("::").map(|(at, _)| at).chain([path.len()]);
    ends.filter_map(|end| modules.get_key_value(&path[..end])).map(|(module, _)| module.as_str()).last()
}

#[test]
fn use_trees_are_spread_out() {
    assert_eq!(
        paths("m::n", "use crate::a::{self, b::{C, d}, e};\nlet x = crate::f::g(1);\nuse super::o;"),
        ["a::self", "a::b::C", "a::b::d", "a::e", "f::g", "m::o"]
    );
}

#[test]
fn no_module_uses_one_above_it() {
    for (root, layers) in PACKAGES.iter().filter(|(_, layers)| !layers.is_empty()) {
        let rank = |module: &str| {
            let first = module.split("::").next().unwrap();
            let known = layers.iter().position(|known| *known == first);
            known.unwrap_or_else(|| panic!("tell `PACKAGES` where `{first}` of {root} is"))
        };
        for (module, text) in modules(root) {
            for path in paths(&module, &text) {
                assert!(rank(&path) >= rank(&module), "{root}{module}: `{path}` is above it");
            }
        }
    }
}

#[test]
fn no_files_use_each_other() {
    for (root, _) in PACKAGES {
        let modules = modules(root);
        let mut uses: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (module, text) in &modules {
            // A parent is built on its children, so that a child which uses its parent closes a circle.
            let children = names_after(text, "mod ").into_iter().map(|child| format!("{module}::{child}"));
            let used = paths(module, text).into_iter().chain(children);
            uses.insert(
                module,
                used.filter_map(|path| target(&modules, &path)).filter(|used| used != module).collect(),
            );
        }
        // What uses nothing that is left is in no circle.
        while let Some(free) = uses.iter().find(|(_, used)| used.is_empty()).map(|(module, _)| *module) {
            uses.remove(free);
            uses.values_mut().for_each(|used| used.retain(|used| *used != free));
        }
        assert!(uses.is_empty(), "these files of {root} use each other: {uses:#?}");
    }
}

#[test]
fn a_rule_knows_no_other_rule() {
    for root in ["migrator/compile/src/", "migrator/lint/src/"] {
        let modules = modules(root);
        let is_rule = |text: &str| text.contains("const RULE: Rule =");
        let rules: Vec<&str> = modules.iter().filter(|(_, text)| is_rule(text)).map(|(module, _)| &**module).collect();
        assert!(rules.len() > 30 || modules.is_empty(), "{root}: {rules:?}");
        for rule in &rules {
            for path in paths(rule, &modules[*rule]) {
                let other = target(&modules, &path).filter(|used| rules.contains(used));
                assert_eq!(other, None, "{root}{rule}: put what both rules need into a file below them");
            }
        }
    }
}
