//! Privileges as the facts write them, and the statements from one set of them to another.

use std::collections::{BTreeMap, BTreeSet};

use crate::author::diff::key::pieces;

/// By grantee.
type Grants = BTreeMap<String, BTreeSet<String>>;

/// What a fact says; the owner's are called `OWNER`.
fn parse(definition: &str) -> Grants {
    let entry = |entry: &str| {
        let grantee = pieces(entry, ": ").first().copied()?.to_owned();
        let privileges = entry.strip_prefix(&grantee)?.strip_prefix(": ")?;
        Some((grantee, privileges.split(", ").map(str::to_owned).collect()))
    };
    pieces(definition, "; ").into_iter().filter_map(entry).collect()
}

/// What privileges are given on, and what holds there without any GRANT.
pub(super) struct On<'a> {
    /// What follows the privileges: `ON TABLE core.users`.
    pub(super) what: String,
    /// In parentheses, where they are about columns only.
    pub(super) columns: String,
    /// As a fact would write it.
    pub(super) default: &'a str,
    /// What an owner may do; `None`: there is none.
    pub(super) everything: Option<&'a BTreeSet<String>>,
    /// Whom a statement names for the owner.
    pub(super) owner: &'a str,
}

impl On<'_> {
    /// GRANT and REVOKE from one fact to another; `None` for what holds without any.
    pub(super) fn between(&self, from: Option<&str>, to: Option<&str>) -> Vec<String> {
        let read = |fact: Option<&str>| {
            let mut grants = parse(fact.unwrap_or(self.default));
            if let (None, Some(everything)) = (fact, self.everything) {
                grants.insert("OWNER".to_owned(), everything.clone());
            }
            grants
        };
        let (before, after) = (read(from), read(to));
        let none = BTreeSet::new();
        let grantees: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        let mut all = Vec::new();
        for grantee in grantees {
            let (had, has) = (before.get(grantee).unwrap_or(&none), after.get(grantee).unwrap_or(&none));
            all.extend(self.revoke(grantee, had.difference(has)));
            all.extend(self.grant(grantee, has.difference(had)));
        }
        all
    }

    /// What an object gets when it is made, by what is granted in all schemas and in its own, and should not have; and what it should
    /// have without any GRANT, and does not get.
    pub(super) fn corrected(&self, global: Option<&str>, local: Option<&str>, wanted: Option<&str>) -> Vec<String> {
        let (by_default, wanted) = (parse(self.default), parse(wanted.unwrap_or(self.default)));
        let mut given = parse(global.unwrap_or(self.default));
        for (grantee, privileges) in parse(local.unwrap_or_default()) {
            given.entry(grantee).or_default().extend(privileges);
        }
        let none = BTreeSet::new();
        let mut all = Vec::new();
        for (grantee, given) in given.iter().filter(|(grantee, _)| *grantee != "OWNER") {
            all.extend(self.revoke(grantee, given.difference(wanted.get(grantee).unwrap_or(&none))));
        }
        for (grantee, privileges) in &by_default {
            let missing = privileges.difference(given.get(grantee).unwrap_or(&none));
            let wanted = wanted.get(grantee).unwrap_or(&none);
            all.extend(self.grant(grantee, missing.filter(|one| wanted.contains(*one))));
        }
        all
    }

    fn role<'r>(&'r self, grantee: &'r str) -> &'r str {
        if grantee == "OWNER" { self.owner } else { grantee }
    }

    fn listed<'p>(&self, privileges: impl Iterator<Item = &'p String>) -> String {
        let one = |one: &String| format!("{}{}", one.trim_end_matches(GRANTABLE), self.columns);
        privileges.map(one).collect::<Vec<_>>().join(", ")
    }

    fn revoke<'p>(&self, grantee: &str, lost: impl Iterator<Item = &'p String>) -> Option<String> {
        let lost = self.listed(lost);
        (!lost.is_empty()).then(|| format!("REVOKE {lost} {} FROM {}", self.what, self.role(grantee)))
    }

    fn grant<'p>(&self, grantee: &str, gained: impl Iterator<Item = &'p String>) -> Vec<String> {
        let (with, without): (Vec<&String>, Vec<&String>) = gained.partition(|one| one.ends_with(GRANTABLE));
        let some = [(without, ""), (with, GRANTABLE)].into_iter().filter(|(some, _)| !some.is_empty());
        let role = self.role(grantee);
        some.map(|(some, option)| format!("GRANT {} {} TO {role}{option}", self.listed(some.into_iter()), self.what))
            .collect()
    }
}

const GRANTABLE: &str = " WITH GRANT OPTION";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn privileges_are_given_and_taken_where_they_differ() {
        let everything = BTreeSet::from(["EXECUTE".to_owned()]);
        let on = On {
            what: "ON FUNCTION f()".to_owned(),
            columns: String::new(),
            default: "PUBLIC: EXECUTE",
            everything: Some(&everything),
            owner: "CURRENT_USER",
        };
        let check = |from, to, expected: &[&str]| assert_eq!(on.between(from, to), expected, "{from:?} {to:?}");
        check(None, None, &[]);
        check(
            None,
            Some("OWNER: EXECUTE; \"a: b; c\": EXECUTE"),
            &["GRANT EXECUTE ON FUNCTION f() TO \"a: b; c\"", "REVOKE EXECUTE ON FUNCTION f() FROM PUBLIC"],
        );
        check(
            Some("OWNER: EXECUTE; app: EXECUTE"),
            Some("OWNER: EXECUTE; app: EXECUTE WITH GRANT OPTION"),
            &["REVOKE EXECUTE ON FUNCTION f() FROM app", "GRANT EXECUTE ON FUNCTION f() TO app WITH GRANT OPTION"],
        );
        let nothing = "REVOKE EXECUTE ON FUNCTION f() FROM CURRENT_USER";
        check(None, Some("none"), &[nothing, "REVOKE EXECUTE ON FUNCTION f() FROM PUBLIC"]);
        check(Some("PUBLIC: EXECUTE"), None, &["GRANT EXECUTE ON FUNCTION f() TO CURRENT_USER"]);
    }

    #[test]
    fn a_new_object_gets_by_default_what_it_should_not_have() {
        let on = On {
            what: "ON FUNCTION f()".to_owned(),
            columns: String::new(),
            default: "PUBLIC: EXECUTE",
            everything: None,
            owner: "CURRENT_USER",
        };
        let check = |global, local, wanted, expected: &[&str]| {
            assert_eq!(on.corrected(global, local, wanted), expected, "{global:?} {local:?} {wanted:?}");
        };
        check(None, None, None, &[]);
        check(None, Some("app: EXECUTE"), None, &["REVOKE EXECUTE ON FUNCTION f() FROM app"]);
        check(
            None,
            Some("app: EXECUTE"),
            Some("OWNER: EXECUTE; app: EXECUTE"),
            &["REVOKE EXECUTE ON FUNCTION f() FROM PUBLIC"],
        );
        check(Some("OWNER: EXECUTE"), None, None, &["GRANT EXECUTE ON FUNCTION f() TO PUBLIC"]);
    }
}
