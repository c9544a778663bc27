//! What two schemas do not have in common.

use migrator_diagnostic::printable;
use serde_json::{Value, json};

use super::set::{Facts, escape, name};

/// A fact that is not the same in both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The object that it belongs to.
    pub object: String,
    /// What kind of fact.
    pub kind: String,
    /// The part of the object; empty for the object itself.
    pub part: String,
    /// How it should be; `None`: it should not be there.
    pub expected: Option<String>,
    /// How it is; `None`: it is missing.
    pub found: Option<String>,
}

impl Difference {
    /// The word for it.
    pub fn word(&self) -> &'static str {
        match (&self.expected, &self.found) {
            (None, _) => "added",
            (_, None) => "removed",
            _ => "changed",
        }
    }

    /// As JSON.
    pub fn json(&self) -> Value {
        json!({
            "object": self.object,
            "kind": self.kind,
            "part": self.part,
            "difference": self.word(),
            "expected": self.expected,
            "found": self.found,
        })
    }
}

/// Compares; the result is ordered by object.
pub fn diff(expected: &Facts, found: &Facts) -> Vec<Difference> {
    let keys: std::collections::BTreeSet<_> = expected.0.keys().chain(found.0.keys()).collect();
    keys.into_iter()
        .filter(|key| expected.0.get(*key) != found.0.get(*key))
        .map(|key @ (object, kind, part)| Difference {
            object: object.clone(),
            kind: kind.clone(),
            part: part.clone(),
            expected: expected.0.get(key).cloned(),
            found: found.0.get(key).cloned(),
        })
        .collect()
}

/// As text: the differences under their objects, and a summary.
pub fn report(differences: &[Difference]) -> String {
    let mut text = String::new();
    let mut object = None;
    let mut objects = 0;
    for difference in differences {
        if object != Some(&difference.object) {
            object = Some(&difference.object);
            objects += 1;
            text.push_str(&format!("{}\n", printable::line(&difference.object)));
        }
        text.push_str(&format!(
            "  {:<7}  {}\n",
            difference.word(),
            printable::line(&name(&difference.kind, &difference.part))
        ));
        for line in changed_lines(difference) {
            text.push_str(format!("           {line}").trim_end());
            text.push('\n');
        }
    }
    let count = |word| differences.iter().filter(|difference| difference.word() == word).count();
    text.push_str(&format!(
        "{objects} object{}: {} added, {} removed, {} changed",
        if objects == 1 { " differs" } else { "s differ" },
        count("added"),
        count("removed"),
        count("changed")
    ));
    text
}

/// The lines of a definition that differ, each with its sign; what a function's body has in common above and below is left out.
fn changed_lines(difference: &Difference) -> Vec<String> {
    let lines = |text: &Option<String>| -> Vec<String> {
        let lines = text.iter().flat_map(|text| text.split('\n'));
        // What cannot be seen is shown as it is written: two lines must not look the same and differ.
        lines
            .map(|line| {
                line.trim_start_matches(' ').escape_debug().to_string().replace("\\'", "'").replace("\\\"", "\"")
            })
            .collect()
    };
    let (expected, found) = (lines(&difference.expected), lines(&difference.found));
    let same = |pairs: &mut dyn Iterator<Item = (&String, &String)>| pairs.take_while(|(a, b)| a == b).count();
    let above = same(&mut expected.iter().zip(&found));
    let below = same(&mut expected[above..].iter().rev().zip(found[above..].iter().rev()));
    let middle = |sign, lines: &[String]| -> Vec<String> {
        lines[above..lines.len() - below]
            .iter()
            .filter(|line| !line.is_empty())
            .map(|line| format!("{sign} {line}"))
            .collect()
    };
    let mut shown = middle('-', &expected);
    shown.extend(middle('+', &found));
    shown
}

impl Facts {
    /// The lines that only one of the two has: `-` for ours, `+` for the other's.
    pub fn differences(&self, other: &Facts) -> Vec<String> {
        let line = |sign, fact: &Difference, definition: &str| {
            format!("{sign} {} {} {}", fact.object, name(&fact.kind, &fact.part), escape(definition))
        };
        let lines = |fact: Difference| {
            let (ours, others) = (fact.expected.clone(), fact.found.clone());
            let ours = ours.map(|definition| line('-', &fact, &definition));
            ours.into_iter().chain(others.map(|definition| line('+', &fact, &definition)))
        };
        diff(self, other).into_iter().flat_map(|fact| lines(fact).collect::<Vec<_>>()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Fact;

    fn facts(lines: &[(&str, &str, &str, &str)]) -> Facts {
        let fact = |(object, kind, part, definition): &(&str, &str, &str, &str)| Fact {
            object: (*object).to_owned(),
            kind: (*kind).to_owned(),
            part: (*part).to_owned(),
            definition: (*definition).to_owned(),
        };
        lines.iter().map(fact).collect()
    }

    #[test]
    fn differences_are_listed_under_their_table_with_the_lines_that_differ() {
        let expected = facts(&[
            ("core.f()", "function", "", "CREATE\nAS $$\n  a;\n  b;\n$$"),
            ("core.users", "column", "email", "#1 text"),
            ("core.users", "column", "gone", "#2 text"),
            ("core.users", "table", "", "LOGGED"),
        ]);
        let found = facts(&[
            ("core.f()", "function", "", "CREATE\nAS $$\n  a;\n  b; \r\n$$"),
            ("core.users", "column", "email", "#1 text NOT NULL"),
            ("core.users", "index", "new", "CREATE INDEX"),
            ("core.users", "table", "", "LOGGED"),
        ]);
        let differences = diff(&expected, &found);
        expect_test::expect![[r#"
            core.f()
              changed  function
                       - b;
                       + b; \r
            core.users
              changed  column email
                       - #1 text
                       + #1 text NOT NULL
              removed  column gone
                       - #2 text
              added    index new
                       + CREATE INDEX
            2 objects differ: 1 added, 1 removed, 2 changed"#]]
        .assert_eq(&report(&differences));
        expect_test::expect![[r##"{"difference":"removed","expected":"#2 text","found":null,"kind":"column","object":"core.users","part":"gone"}"##]]
            .assert_eq(&differences[2].json().to_string());
        assert_eq!(diff(&found, &found), []);
    }
}
