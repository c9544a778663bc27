//! "Did you mean".

/// The known name that a wrong one was most likely meant to be.
pub fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wrong = wrong.to_lowercase();
    let distances = known.into_iter().map(|name| (strsim::damerau_levenshtein(&wrong, &name.to_lowercase()), name));
    // A third of the name may differ; more would be a guess.
    distances.filter(|(distance, name)| *distance <= name.len().div_ceil(3)).min().map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_a_typo_and_does_not_guess() {
        let known = ["lock_timeout", "retry_for", "allow"];
        assert_eq!(nearest("lock_timout", known), Some("lock_timeout"));
        assert_eq!(nearest("Retry_For", known), Some("retry_for"));
        assert_eq!(nearest("history", known), None);
    }
}
