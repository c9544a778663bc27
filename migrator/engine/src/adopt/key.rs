//! When two ways to write it mean the same migration.

/// How a tool names its migrations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    /// A number: `001` and `1` are the same.
    Number,
    /// Numbers with dots between them: `1.0` and `1` are the same.
    Dotted,
    /// A text.
    Text,
    /// `file::id::author`; the file may be known by a shorter or a longer path.
    Changeset,
}

impl Key {
    /// The form in which two names of one migration are equal.
    pub(crate) fn normal(self, name: &str) -> String {
        match self {
            Key::Text => name.to_owned(),
            Key::Number => match name.trim() {
                number if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) => {
                    without_zeros(number).to_owned()
                }
                text => text.to_owned(),
            },
            Key::Dotted => {
                let mut parts: Vec<&str> = name.trim().split(['.', '_']).map(without_zeros).collect();
                while parts.len() > 1 && parts.last() == Some(&"0") {
                    parts.pop();
                }
                parts.join(".")
            }
            Key::Changeset => {
                let (file, changeset) = name.split_once("::").unwrap_or(("", name));
                format!("{}::{changeset}", file.strip_prefix("classpath:").unwrap_or(file).trim_start_matches("./"))
            }
        }
    }

    /// Whether a version is at or below another one; both in their normal form.
    pub(crate) fn is_at_most(self, version: &str, limit: &str) -> bool {
        let parts = |text: &str| text.split('.').map(|part| part.parse::<u128>().ok()).collect::<Option<Vec<_>>>();
        match (parts(version), parts(limit)) {
            (Some(version), Some(limit)) => version <= limit,
            _ => version == limit,
        }
    }
}

/// Digits without zeros in front; what is not digits stays as it is.
fn without_zeros(part: &str) -> &str {
    let significant = part.trim_start_matches('0');
    match significant.bytes().next() {
        None if !part.is_empty() => "0",
        Some(b'0'..=b'9') => significant,
        _ => part,
    }
}

/// Whether one path is the end of the other: `db/changelog/001.sql` and `changelog/001.sql`.
pub(crate) fn is_same_file(one: &str, other: &str) -> bool {
    let (long, short) = if one.len() >= other.len() { (one, other) } else { (other, one) };
    long.strip_suffix(short).is_some_and(|before| before.is_empty() || before.ends_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_has_one_normal_form() {
        for (key, one, other, same) in [
            (Key::Number, "001", "1", true),
            (Key::Number, "0", "00000000000000", true),
            (Key::Number, "10", "1", false),
            (Key::Number, "1a", "1a", true),
            (Key::Dotted, "1.0", "1", true),
            (Key::Dotted, "1_2", "01.2.0", true),
            (Key::Dotted, "1.10", "1.1", false),
            (Key::Text, "001", "1", false),
            (Key::Changeset, "classpath:a.sql::1::me", "./a.sql::1::me", true),
        ] {
            assert_eq!(key.normal(one) == key.normal(other), same, "{one} {other}");
        }
    }

    #[test]
    fn versions_are_ordered_by_their_parts() {
        for (version, limit, expected) in
            [("1", "1", true), ("1.2", "1.10", true), ("2", "1.9", false), ("1", "1.1", true), ("x", "1", false)]
        {
            assert_eq!(Key::Dotted.is_at_most(version, limit), expected, "{version} {limit}");
        }
    }

    #[test]
    fn a_file_may_be_known_by_a_longer_path() {
        assert!(is_same_file("db/changelog/001.sql", "changelog/001.sql"));
        assert!(!is_same_file("db/mychangelog/001.sql", "changelog/001.sql"));
    }
}
