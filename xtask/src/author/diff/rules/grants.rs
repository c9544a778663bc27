//! Privileges as the facts write them, and the statements from one set of them to another.

use std::collections::{BTreeMap, BTreeSet};

/// By grantee.
type Grants = BTreeMap<String, BTreeSet<String>>;

/// What a fact says; the owner's are called `OWNER`.
fn parse(definition: &str) -> Grants {
    let entries = definition.split("; ").filter_map(|entry| entry.split_once(": "));
    let privileges = |text: &str| text.split(", ").map(str::to_owned).collect();
    entries.map(|(grantee, text)| (grantee.to_owned(), privileges(text))).collect()
}

/// GRANT and REVOKE from one fact to another; `None` for what holds without any, which is `default`. `on`: what follows the privileges.
pub(super) fn between(from: Option<&str>, to: Option<&str>, default: &str, columns: &str, on: &str) -> Vec<String> {
    let (before, after) = (parse(from.unwrap_or(default)), parse(to.unwrap_or(default)));
    let none = BTreeSet::new();
    let mut all = Vec::new();
    let grantees: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for grantee in grantees {
        let (had, has) = (before.get(grantee).unwrap_or(&none), after.get(grantee).unwrap_or(&none));
        let role = if grantee == "OWNER" { "CURRENT_USER" } else { grantee };
        if grantee == "OWNER" && (from.is_none() || to.is_none()) {
            // What an owner has without any GRANT is everything, which differs between releases.
            match (from, to) {
                (Some(_), None) if columns.is_empty() => all.push(format!("GRANT ALL {on} TO {role}")),
                (None, Some(_)) if columns.is_empty() => {
                    all.push(format!("REVOKE ALL {on} FROM {role}"));
                    all.extend(has.iter().map(|one| format!("GRANT {one} {on} TO {role}")));
                }
                _ => {}
            }
            continue;
        }
        let plain = |one: &String| one.trim_end_matches(" WITH GRANT OPTION").to_owned();
        let list = |some: Vec<String>| some.iter().map(|one| format!("{one}{columns}")).collect::<Vec<_>>().join(", ");
        let lost: Vec<String> = had.difference(has).map(plain).collect();
        if !lost.is_empty() {
            all.push(format!("REVOKE {} {on} FROM {role}", list(lost)));
        }
        let (with, without): (Vec<&String>, Vec<&String>) =
            has.difference(had).partition(|one| one.ends_with(" WITH GRANT OPTION"));
        for (some, option) in [(without, ""), (with, " WITH GRANT OPTION")] {
            if !some.is_empty() {
                all.push(format!("GRANT {} {on} TO {role}{option}", list(some.into_iter().map(plain).collect())));
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn privileges_are_given_and_taken_where_they_differ() {
        let check = |from, to, expected: &[&str]| {
            assert_eq!(between(from, to, "PUBLIC: EXECUTE", "", "ON FUNCTION f()"), expected, "{from:?} {to:?}");
        };
        check(None, None, &[]);
        check(
            None,
            Some("OWNER: EXECUTE; app: EXECUTE"),
            &[
                "REVOKE ALL ON FUNCTION f() FROM CURRENT_USER",
                "GRANT EXECUTE ON FUNCTION f() TO CURRENT_USER",
                "REVOKE EXECUTE ON FUNCTION f() FROM PUBLIC",
                "GRANT EXECUTE ON FUNCTION f() TO app",
            ],
        );
        check(
            Some("OWNER: EXECUTE; app: EXECUTE"),
            Some("OWNER: EXECUTE; app: EXECUTE WITH GRANT OPTION"),
            &["REVOKE EXECUTE ON FUNCTION f() FROM app", "GRANT EXECUTE ON FUNCTION f() TO app WITH GRANT OPTION"],
        );
    }
}
