//! The backend never sees migrations: only the migrator and the tasks depend on the engine.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use cargo_metadata::{DependencyKind, Metadata, Node, NodeDep, PackageId};

use super::report::Finding;

const CHECK: &str = "separation";

/// What no backend may have in it.
const ENGINE: &[&str] = &["migrator-engine", "refinery", "refinery-core"];

/// Looks at the normal and build dependencies of every workspace member; a test may use what it likes.
pub(super) fn check(metadata: &Metadata) -> Vec<Finding> {
    let graph = Graph::read(metadata);
    let mut findings = Vec::new();
    for member in graph.members.iter().filter(|member| !may_depend(graph.name(member))) {
        let Some(path) = graph.path_to_engine(member) else { continue };
        let names: Vec<&str> = path.iter().map(|package| graph.name(package)).collect();
        // The edge to cut is where the path enters what only the migrator and tests may use.
        let Some([user, used]) = names.windows(2).rfind(|pair| !may_depend(pair[0])) else { continue };
        let engine = names[names.len() - 1];
        let message = format!("`{}` depends on `{engine}`: {}", names[0], names.join(" -> "));
        let help = format!(
            "remove `{used}` from the dependencies of `{user}`: only the packages `migrator`, \
             `xtask`, `...-xtask` and `...-tests` may depend on the engine; tests of others may do so through dev-dependencies"
        );
        findings.push(Finding::of_check(CHECK, None, message, help));
    }
    findings
}

fn may_depend(name: &str) -> bool {
    let is_for_developers = name == "xtask" || name.ends_with("-xtask") || name.ends_with("-tests");
    name == crate::workspace::MIGRATOR || is_for_developers || ENGINE.contains(&name)
}

/// Packages by their id.
struct Graph<'a> {
    members: BTreeSet<&'a PackageId>,
    names: BTreeMap<&'a PackageId, &'a str>,
    dependencies: BTreeMap<&'a PackageId, Vec<&'a PackageId>>,
}

impl<'a> Graph<'a> {
    fn read(metadata: &'a Metadata) -> Graph<'a> {
        let counts =
            |dependency: &&'a NodeDep| dependency.dep_kinds.iter().any(|kind| kind.kind != DependencyKind::Development);
        let dependencies = |node: &'a Node| node.deps.iter().filter(counts).map(|dependency| &dependency.pkg).collect();
        let nodes = metadata.resolve.iter().flat_map(|resolve| &resolve.nodes);
        Graph {
            members: metadata.workspace_members.iter().collect(),
            names: metadata.packages.iter().map(|package| (&package.id, package.name.as_str())).collect(),
            dependencies: nodes.map(|node| (&node.id, dependencies(node))).collect(),
        }
    }

    fn name(&self, id: &PackageId) -> &'a str {
        self.names.get(id).copied().unwrap_or_default()
    }

    /// The shortest path from a package to the engine, both included.
    fn path_to_engine(&self, start: &'a PackageId) -> Option<Vec<&'a PackageId>> {
        let mut came_from = BTreeMap::from([(start, None)]);
        let mut queue = VecDeque::from([start]);
        while let Some(package) = queue.pop_front() {
            if ENGINE.contains(&self.name(package)) {
                let mut path: Vec<&PackageId> = std::iter::successors(Some(package), |step| came_from[step]).collect();
                path.reverse();
                return Some(path);
            }
            for dependency in self.dependencies.get(package).into_iter().flatten() {
                came_from.entry(dependency).or_insert_with(|| {
                    queue.push_back(dependency);
                    Some(package)
                });
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use serde_json::{Value, json};

    use super::*;
    use crate::check::testing::{metadata, package};

    /// Edges as `from -> to` or `from -> to (dev)`; members are those of the first list.
    fn check(members: &[&str], edges: &[&str], expected: Expect) {
        let edges: Vec<(&str, &str, Value)> = edges
            .iter()
            .map(|edge| {
                let (from, to) = edge.split_once(" -> ").unwrap();
                let (to, kind) = to.split_once(" (").unwrap_or((to, ""));
                (from, to, if kind.is_empty() { Value::Null } else { kind.trim_end_matches(')').into() })
            })
            .collect();
        let names: BTreeSet<&str> =
            edges.iter().flat_map(|(from, to, _)| [*from, *to]).chain(members.to_vec()).collect();
        let nodes = names.iter().map(|name| {
            let own = edges.iter().filter(|(from, ..)| from == name);
            let deps = own
                .map(|(_, to, kind)| json!({ "name": to, "pkg": to, "dep_kinds": [{ "kind": kind, "target": null }] }));
            json!({ "id": name, "deps": deps.collect::<Vec<_>>(), "dependencies": [] })
        });
        let packages = names.iter().map(|name| package(name, &[])).collect();
        let findings = super::check(&metadata(members, packages, nodes.collect()));
        let lines: Vec<_> =
            findings.into_iter().map(|found| format!("{}\nhelp: {}", found.message, found.help)).collect();
        expected.assert_eq(&lines.join("\n"));
    }

    #[test]
    fn the_migrator_the_tasks_and_test_packages_may_depend_on_the_engine() {
        check(
            &["migrator", "shop-tests", "backend", "xtask"],
            &[
                "migrator -> migrator-engine",
                "shop-tests -> migrator-engine",
                "xtask -> migrator-xtask",
                "migrator-xtask -> migrator-engine",
                "migrator-engine -> refinery",
            ],
            expect![""],
        );
    }

    #[test]
    fn a_backend_may_not_even_through_another_package() {
        check(
            &["backend", "store"],
            &["backend -> store", "store -> migrator-engine", "migrator-engine -> refinery"],
            expect![[r#"
                `backend` depends on `migrator-engine`: backend -> store -> migrator-engine
                help: remove `migrator-engine` from the dependencies of `store`: only the packages `migrator`, `xtask`, `...-xtask` and `...-tests` may depend on the engine; tests of others may do so through dev-dependencies
                `store` depends on `migrator-engine`: store -> migrator-engine
                help: remove `migrator-engine` from the dependencies of `store`: only the packages `migrator`, `xtask`, `...-xtask` and `...-tests` may depend on the engine; tests of others may do so through dev-dependencies"#]],
        );
    }

    #[test]
    fn neither_a_test_package_nor_the_tasks_are_a_way_around() {
        check(
            &["backend"],
            &["backend -> migrator-xtask", "migrator-xtask -> migrator-engine"],
            expect![[r#"
                `backend` depends on `migrator-engine`: backend -> migrator-xtask -> migrator-engine
                help: remove `migrator-xtask` from the dependencies of `backend`: only the packages `migrator`, `xtask`, `...-xtask` and `...-tests` may depend on the engine; tests of others may do so through dev-dependencies"#]],
        );
        check(
            &["backend", "shop-tests"],
            &["backend -> shop-tests (build)", "shop-tests -> refinery"],
            expect![[r#"
                `backend` depends on `refinery`: backend -> shop-tests -> refinery
                help: remove `shop-tests` from the dependencies of `backend`: only the packages `migrator`, `xtask`, `...-xtask` and `...-tests` may depend on the engine; tests of others may do so through dev-dependencies"#]],
        );
    }

    #[test]
    fn a_dev_dependency_is_free_and_so_are_the_builders_of_the_files() {
        check(
            &["backend", "xtask"],
            &[
                "backend -> migrator-engine (dev)",
                "backend -> migrator-postgres (dev)",
                "xtask -> migrator-xtask",
                "migrator-xtask -> migrator-build",
                "migrator-xtask -> migrator-postgres",
            ],
            expect![""],
        );
    }
}
