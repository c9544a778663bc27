//! Which paths a pattern means: `*` and `?` within a name, `**` for any number of folders.

use anyhow::{Result, bail};

/// The pattern of a setting.
#[derive(Debug)]
pub(super) struct Glob {
    text: String,
    parts: Vec<String>,
}

impl Glob {
    /// # Errors
    /// It has a form that would be taken for a file's name, or it leaves the workspace.
    pub(super) fn new(text: &str) -> Result<Glob> {
        let parts: Vec<String> = text.trim_start_matches("./").split('/').map(str::to_owned).collect();
        if parts.iter().any(|part| part.is_empty() || part == "..") {
            bail!(
                "invalid pattern `{text}`\nhelp: write a path from the root of the workspace, such as `queries/**/*.sql`"
            );
        }
        if text.contains(['[', ']', '{', '}', '!', '\\']) {
            bail!("invalid pattern `{text}`: `*`, `?` and `**` have a meaning\nhelp: write several patterns instead");
        }
        Ok(Glob { text: text.to_owned(), parts })
    }

    /// As it is written.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether it means this path.
    pub(super) fn matches(&self, path: &str) -> bool {
        let names: Vec<&str> = path.split('/').collect();
        folders(&self.parts, &names)
    }
}

/// Whether the parts of a pattern mean these names.
fn folders(parts: &[String], names: &[&str]) -> bool {
    // The places among the names that the parts so far lead to: never more than there are names, whatever the pattern.
    let mut reached = vec![false; names.len() + 1];
    reached[0] = true;
    for part in parts {
        let mut next = vec![false; names.len() + 1];
        for at in 0..reached.len() {
            if part == "**" {
                next[at] = reached[at] || at > 0 && next[at - 1];
            } else if at > 0 && reached[at - 1] {
                next[at] = name(part, names[at - 1]);
            }
        }
        reached = next;
    }
    reached[names.len()]
}

/// Whether a pattern without `/` means a name.
fn name(pattern: &str, name: &str) -> bool {
    let name: Vec<char> = name.chars().collect();
    let mut reached = vec![false; name.len() + 1];
    reached[0] = true;
    for c in pattern.chars() {
        let mut next = vec![false; name.len() + 1];
        for at in 0..reached.len() {
            if c == '*' {
                next[at] = reached[at] || at > 0 && next[at - 1];
            } else if at > 0 && reached[at - 1] {
                next[at] = c == '?' || c == name[at - 1];
            }
        }
        reached = next;
    }
    reached[name.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, yes: &[&str], no: &[&str]) {
        let glob = Glob::new(pattern).unwrap();
        assert!(yes.iter().all(|path| glob.matches(path)), "{pattern}");
        assert!(!no.iter().any(|path| glob.matches(path)), "{pattern}");
    }

    #[test]
    fn patterns_mean_paths() {
        check(
            "queries/**/*.sql",
            &["queries/a.sql", "queries/a/b/c.sql"],
            &["queries/a.sqlx", "x/queries/a.sql", "queries"],
        );
        check("**/queries/**/*.sql", &["queries/a.sql", "x/y/queries/z/a.sql"], &["x/queries.sql"]);
        check("a?c/*", &["abc/d", "aüc/d.e"], &["abc/d/e", "ac/d"]);
        check("./x/**", &["x/a", "x/a/b"], &["y/a"]);
        check("*a*b*", &["ab", "xaxbx"], &["ba", "a/b"]);
        // Takes no time that grows with every star.
        check(&"*a".repeat(40), &[], &[&"a".repeat(39)]);
        for invalid in ["/a", "a//b", "../a", "a/{b,c}", "[ab]", ""] {
            assert!(Glob::new(invalid).is_err(), "{invalid}");
        }
    }
}
