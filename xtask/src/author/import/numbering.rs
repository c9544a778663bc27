//! The versions of the imported migrations: the tool's own, where they give the same order here.

use super::draft::Draft;

/// The width of a new numbering, as `cargo xtask new` begins one.
const DIGITS: usize = 3;

/// A version for each migration, ascending, and what is to be said of them.
pub(crate) fn versions(drafts: &[Draft], keep_text: bool) -> (Vec<String>, String) {
    let renumbered = |why: &str| {
        let width = DIGITS.max(drafts.len().to_string().len());
        let versions = (1..=drafts.len()).map(|number| format!("{number:0width$}")).collect();
        (versions, format!("renumbered, keeping the tool's order: {why}"))
    };
    let own: Option<Vec<(i64, String)>> =
        drafts.iter().map(|draft| Some((draft.digits.as_deref()?.parse().ok()?, draft.digits.clone()?))).collect();
    let Some(mut own) = own else {
        return renumbered("some are not whole numbers, or are too large");
    };
    if own.windows(2).any(|pair| pair[0].0 == pair[1].0) {
        return renumbered("two have the same number");
    }
    if own.windows(2).any(|pair| pair[0].0 > pair[1].0) {
        return renumbered("it is not the order of the numbers");
    }
    let mut said = "kept".to_owned();
    // `migrator down --to 0` rolls back everything.
    if let Some((0, digits)) = own.first().cloned() {
        if own.get(1).is_some_and(|(second, _)| *second == 1) {
            return renumbered("version 0 cannot be used");
        }
        let one = format!("{:0width$}", 1, width = digits.len());
        said = format!("kept, but for the first: {digits} is {one}, as version 0 cannot be used");
        own[0] = (1, one);
    }
    let versions: Vec<String> = own.into_iter().map(|(_, digits)| digits).collect();
    if keep_text || versions.is_sorted() {
        return (versions, said);
    }
    let width = versions.iter().map(String::len).max().unwrap_or_default();
    let padded = versions.iter().map(|version| format!("{version:0>width$}")).collect();
    (padded, format!("{said}, with zeros in front, so that names have the order of numbers"))
}

#[cfg(test)]
mod tests {
    use super::super::draft::{Key, Part, Row};
    use super::*;

    fn said(digits: &[&str]) -> String {
        let draft = |digits: &&str| Draft {
            files: vec![digits.to_string()],
            key: Key::text(digits),
            digits: (!digits.is_empty()).then(|| digits.to_string()),
            name: "x".to_owned(),
            row: Row::default(),
            head: String::new(),
            up: Part::default(),
            down: None,
            notes: Vec::new(),
        };
        let (versions, how) = versions(&digits.iter().map(draft).collect::<Vec<_>>(), false);
        format!("{} ({})", versions.join(" "), how.split([':', ',']).next().unwrap_or_default())
    }

    #[test]
    fn numbers_are_kept_where_they_can_be() {
        assert_eq!(said(&["001", "002"]), "001 002 (kept)");
        assert_eq!(said(&["1", "2", "10"]), "01 02 10 (kept)");
        assert_eq!(said(&["1", "20230101000000"]), "1 20230101000000 (kept)");
        assert_eq!(said(&["00000000000000", "20230101000000"]), "00000000000001 20230101000000 (kept)");
        assert_eq!(said(&["0", "1"]), "001 002 (renumbered)");
        assert_eq!(said(&["2", "1"]), "001 002 (renumbered)");
        assert_eq!(said(&["1", "1"]), "001 002 (renumbered)");
        assert_eq!(said(&["1", ""]), "001 002 (renumbered)");
        assert_eq!(said(&["99999999999999999999"]), "001 (renumbered)");
        assert_eq!(said(&["202607301400000000", "20260801000000"]), "001 002 (renumbered)");
    }
}
