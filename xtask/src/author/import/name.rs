//! The names of another tool's files, and those of ours.

use migrator_model::Direction;

use super::tool::{Names, Version};

/// Longer names do not fit into a file's name with a version.
const LONGEST: usize = 120;

/// What a file's name says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Named<'a> {
    /// The version as it is written; empty if there is none.
    pub(crate) version: &'a str,
    /// What follows it, without the ending.
    pub(crate) name: &'a str,
    pub(crate) direction: Direction,
}

/// Reads a file's name; `None` if the tool does not take it for a migration.
pub(crate) fn split<'a>(file: &'a str, names: &Names) -> Option<Named<'a>> {
    let ending = |endings: &[&'static str]| endings.iter().copied().find(|ending| file.ends_with(ending));
    let (direction, ending) = match ending(names.down) {
        Some(ending) => (Direction::Down, ending),
        None => (Direction::Up, ending(names.up)?),
    };
    let stem = file.strip_suffix(ending)?;
    let digits = |text: &str| text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (version, rest) = match names.version {
        Version::Dotted => dotted(stem),
        _ => stem.split_at(digits(stem)),
    };
    let name = match names.version {
        Version::Underscore => rest.strip_prefix('_')?,
        _ => rest.trim_start_matches(['_', '-', '.', ' ']),
    };
    (!version.is_empty() || names.version == Version::Optional).then_some(Named { version, name, direction })
}

/// `1.10.2` of `v1.10.2_name`.
fn dotted(stem: &str) -> (&str, &str) {
    let stem = match stem.strip_prefix(['v', 'V']) {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_digit()) => rest,
        _ => stem,
    };
    let mut end = 0;
    loop {
        let number = stem[end..].len() - stem[end..].trim_start_matches(|c: char| c.is_ascii_digit()).len();
        if number == 0 {
            // A point with no number after it belongs to the name.
            return stem.split_at(stem[..end].trim_end_matches('.').len());
        }
        end += number;
        if !stem[end..].starts_with('.') {
            return stem.split_at(end);
        }
        end += 1;
    }
}

/// A name that a file of ours can have.
pub(crate) fn clean(name: &str) -> String {
    let plain: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || "_.-".contains(c) { c } else { '_' }).collect();
    let trimmed = plain[..plain.len().min(LONGEST)].trim_matches(['_', '.']);
    if trimmed.is_empty() { "imported".to_owned() } else { trimmed.to_owned() }
}

/// The last component of a path, and what is before it.
pub(crate) fn parent_and_name(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// A name in words: `add_users-locale` is `add users locale`.
pub(crate) fn words(name: &str) -> String {
    let spaced: String = name.chars().map(|c| if c == '_' || c == '-' || c.is_control() { ' ' } else { c }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(file: &str, version: Version) -> String {
        let names = Names { version, up: &[".up.sql", ".sql"], down: &[".down.sql"] };
        split(file, &names)
            .map_or("none".to_owned(), |named| format!("{}|{}|{:?}", named.version, named.name, named.direction))
    }

    #[test]
    fn a_name_has_a_version_a_text_and_a_direction() {
        use Version::{Digits, Dotted, Optional, Underscore};
        let table = [
            ("001_init.sql", Underscore, "001|init|Up"),
            ("001_init.up.sql", Underscore, "001|init|Up"),
            ("001_init.down.sql", Underscore, "001|init|Down"),
            ("001-init.sql", Underscore, "none"),
            ("init.sql", Underscore, "none"),
            ("001_init.sql.bak", Underscore, "none"),
            ("001init.sql", Digits, "001|init|Up"),
            ("init.sql", Digits, "none"),
            ("init.sql", Optional, "|init|Up"),
            ("1.sql", Dotted, "1||Up"),
            ("v1.10.2-add x.sql", Dotted, "1.10.2|add x|Up"),
            ("1.init.sql", Dotted, "1|init|Up"),
            ("vacuum.sql", Dotted, "none"),
        ];
        for (file, version, expected) in table {
            assert_eq!(said(file, version), expected, "{file}");
        }
    }

    #[test]
    fn every_name_becomes_one_of_ours() {
        assert_eq!(clean("add users/größe 2"), "add_users_gr__e_2");
        assert_eq!(clean("__"), "imported");
        assert_eq!(clean(&"x".repeat(300)).len(), LONGEST);
        assert_eq!(words("add_users--locale"), "add users locale");
    }
}
