//! Which paths a pattern means: `*` and `?` within a name, `**` for any number of folders.

use anyhow::{Result, anyhow, bail};
use glob::{MatchOptions, Pattern};

/// The pattern of a setting.
#[derive(Debug)]
pub(super) struct Glob {
    text: String,
    pattern: Pattern,
}

/// A star ends at a folder, and names are what they are.
const OPTIONS: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: false };

impl Glob {
    /// # Errors
    /// It has a form that would be taken for a file's name, or it leaves the workspace.
    pub(super) fn new(text: &str) -> Result<Glob> {
        let path = text.trim_start_matches("./");
        // The crate takes both, and would then match no path at all.
        if path.split('/').any(|part| part.is_empty() || part == "..") {
            bail!(
                "invalid pattern `{text}`\nhelp: write a path from the root of the workspace, such as `queries/**/*.sql`"
            );
        }
        // It has sets of characters, too, but no alternatives: one who writes one of them expects the other.
        if text.contains(['[', ']', '{', '}', '!', '\\']) {
            bail!("invalid pattern `{text}`: `*`, `?` and `**` have a meaning\nhelp: write several patterns instead");
        }
        let invalid = |error: glob::PatternError| {
            anyhow!("invalid pattern `{text}`: {}\nhelp: write `**` alone between two `/`", error.msg)
        };
        Ok(Glob { text: text.to_owned(), pattern: Pattern::new(path).map_err(invalid)? })
    }

    /// As it is written.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether it means this path.
    pub(super) fn matches(&self, path: &str) -> bool {
        self.pattern.matches_with(path, OPTIONS)
    }
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
        for invalid in ["/a", "a//b", "../a", "a/{b,c}", "[ab]", "a**", ""] {
            assert!(Glob::new(invalid).is_err(), "{invalid}");
        }
    }
}
