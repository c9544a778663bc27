//! How `-- migrate:allow` is written.

/// What follows `-- migrate:allow` in a line comment; `None` for other comments.
pub fn allowed(comment: &str) -> Option<&str> {
    let rest = comment.get(2..)?.trim_start_matches([' ', '\t']).strip_prefix("migrate:allow")?;
    (rest.is_empty() || rest.starts_with([' ', '\t'])).then(|| rest.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_followed_by_a_space_or_nothing() {
        assert_eq!(allowed("-- migrate:allow"), Some(""));
        assert_eq!(allowed("--\tmigrate:allow ban-drop-table gone "), Some("ban-drop-table gone"));
        assert_eq!(allowed("-- migrate:allowed x"), None);
        assert_eq!(allowed("-- Migrate:allow x"), None);
    }
}
