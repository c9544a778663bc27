//! Which module of `migrator-build` may use which: layers, and no circle among the files.

use std::collections::{BTreeMap, BTreeSet};

use super::{names_after, sources, without_tests};

const ROOT: &str = "migrator/compile/src/";

/// The modules at the root, each above all that it may use.
const LAYERS: &[&str] = &[
    "embed",
    "generate",
    "load",
    "migration",
    "script",
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
    "hazards",
    "nearest",
];

/// The files of the crate without their tests, by module: `contract::units`.
fn modules() -> BTreeMap<String, String> {
    let inside = |path: &str| Some(path.strip_prefix(ROOT)?.strip_suffix(".rs")?.replace('/', "::"));
    let tests = |module: &str| module.ends_with("tests") || ["properties", "testing"].contains(&module);
    let all = sources(".rs").into_iter().filter_map(|(path, text)| Some((inside(&path)?, text)));
    // The hazards are above and below: they move to a package of their own.
    let own = all.filter(|(module, _)| module != "lib" && !tests(module) && !module.starts_with("hazards"));
    own.map(|(module, text)| (module, without_tests(&text).to_owned())).collect()
}

/// Every path after `crate::`, with the braces of `use` spread out: `contract::units`, `contract::units::control`.
fn paths(text: &str) -> Vec<String> {
    text.split("crate::").skip(1).flat_map(|rest| spread(rest).0).collect()
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
        paths("use crate::a::{self, b::{C, d}, e};\nlet x = crate::f::g(1);"),
        ["a::self", "a::b::C", "a::b::d", "a::e", "f::g"]
    );
}

#[test]
fn no_module_of_the_build_uses_one_above_it() {
    let rank = |module: &str| {
        let root = module.split("::").next().unwrap();
        LAYERS
            .iter()
            .position(|known| *known == root)
            .unwrap_or_else(|| panic!("tell `LAYERS` where `{root}` of {ROOT} is"))
    };
    for (module, text) in modules() {
        for path in paths(&text) {
            assert!(rank(&path) >= rank(&module), "{ROOT}{module}: `{path}` is above it");
        }
    }
}

#[test]
fn no_files_of_the_build_use_each_other() {
    let modules = modules();
    let mut uses: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (module, text) in &modules {
        assert_eq!(names_after(text, "super::"), Vec::<&str>::new(), "{ROOT}{module}: write the path from `crate`");
        // A parent stands on its children, so that a child which uses its parent closes a circle.
        let children = names_after(text, "mod ").into_iter().map(|child| format!("{module}::{child}"));
        let used = paths(text).into_iter().chain(children);
        uses.insert(module, used.filter_map(|path| target(&modules, &path)).filter(|used| used != module).collect());
    }
    // What uses nothing that is left is in no circle.
    while let Some(free) = uses.iter().find(|(_, used)| used.is_empty()).map(|(module, _)| *module) {
        uses.remove(free);
        uses.values_mut().for_each(|used| used.retain(|used| *used != free));
    }
    assert!(uses.is_empty(), "these files of {ROOT} use each other: {uses:#?}");
}

#[test]
fn a_rule_knows_no_other_rule() {
    let modules = modules();
    let is_rule = |text: &str| text.contains("\npub(crate) const RULE: Rule =");
    let rules = || modules.iter().filter(|(module, text)| module.starts_with("contract::") && is_rule(text));
    assert!(rules().count() > 30 || modules.is_empty());
    for (rule, text) in rules() {
        for path in paths(text) {
            let other = target(&modules, &path).filter(|used| rules().any(|(module, _)| module == used));
            assert_eq!(other, None, "{ROOT}{rule}: put what both rules need into a file below them");
        }
    }
}
