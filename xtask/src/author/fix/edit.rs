//! Edits of a text: what is not named stays byte for byte.

use std::ops::Range;

/// Another text in place of a range of bytes; an empty range: what is put in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Edit {
    pub(super) range: Range<usize>,
    pub(super) text: String,
}

impl Edit {
    /// Puts a text in place of a range.
    pub(super) fn replace(range: Range<usize>, text: impl Into<String>) -> Edit {
        Edit { range, text: text.into() }
    }

    /// Puts a text in.
    pub(super) fn insert(at: usize, text: impl Into<String>) -> Edit {
        Edit::replace(at..at, text)
    }

    /// Takes a range away.
    pub(super) fn remove(range: Range<usize>) -> Edit {
        Edit::replace(range, "")
    }
}

/// The text with the edits; `None`: two of them contradict each other.
pub(super) fn apply(text: &str, edits: &[Edit]) -> Option<String> {
    part(text, 0..text.len(), edits)
}

/// A part of the text with the edits that lie in it; `None`: two of them contradict each other.
pub(super) fn part(text: &str, range: Range<usize>, edits: &[Edit]) -> Option<String> {
    let is_inside = |edit: &&Edit| range.start <= edit.range.start && edit.range.end <= range.end;
    let mut inside: Vec<&Edit> = edits.iter().filter(is_inside).collect();
    // Two rules may have the same to say.
    inside.sort_by_key(|edit| (edit.range.start, edit.range.end));
    inside.dedup();
    let mut new = String::new();
    let mut at = range.start;
    for edit in inside {
        new.push_str(text.get(at..edit.range.start)?);
        new.push_str(&edit.text);
        at = edit.range.end;
    }
    new.push_str(text.get(at..range.end)?);
    Some(new)
}

/// What a file says after the edits of its text as the build reads it, with LF at the ends of lines: the file keeps those it has.
pub(super) fn apply_to_file(file: &str, edits: &[Edit]) -> Option<String> {
    // Where each line end of the text is longer in the file.
    let mut longer = Vec::new();
    for (at, _) in file.match_indices("\r\n") {
        longer.push(at - longer.len());
    }
    let place = |at: usize| at + longer.partition_point(|end| *end < at);
    let moved = edits.iter().map(|edit| {
        let text = if longer.is_empty() { edit.text.clone() } else { edit.text.replace('\n', "\r\n") };
        Edit { range: place(edit.range.start)..place(edit.range.end), text }
    });
    apply(file, &moved.collect::<Vec<_>>())
}

/// What has to go from a list with commas, so that the elements at `gone` are not in it any more; some element stays.
pub(super) fn without(elements: &[Range<usize>], gone: impl Fn(usize) -> bool) -> Vec<Edit> {
    let first_kept = (0..elements.len()).find(|&at| !gone(at)).unwrap_or(elements.len());
    let removal = |at: usize| match at < first_kept {
        true => elements[at].start..elements.get(at + 1).map_or(elements[at].end, |next| next.start),
        false => elements[at - 1].end..elements[at].end,
    };
    (0..elements.len()).filter(|&at| gone(at)).map(|at| Edit::remove(removal(at))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_edited_stays() {
        let edits = [Edit::replace(5..6, "B"), Edit::insert(2, "x"), Edit::remove(6..7), Edit::insert(2, "x")];
        assert_eq!(apply("a é b c", &edits), Some("a xé Bc".to_owned()));
        assert_eq!(apply("abc", &[Edit::remove(0..2), Edit::remove(1..3)]), None);
        assert_eq!(part("abcdef", 2..5, &[Edit::insert(0, "x"), Edit::replace(3..4, "D")]), Some("cDe".to_owned()));
    }

    #[test]
    fn a_file_keeps_its_line_ends() {
        let (file, text) = ("a\r\nb\nc\r\nd", "a\nb\nc\nd");
        let at = |what| text.find(what).unwrap();
        let edits = [Edit::replace(at("b")..at("c"), "x\ny\n"), Edit::replace(at("d")..at("d") + 1, "D")];
        assert_eq!(apply_to_file(file, &edits), Some("a\r\nx\r\ny\r\nc\r\nD".to_owned()));
        assert_eq!(apply_to_file(text, &edits), Some("a\nx\ny\nc\nD".to_owned()));
    }

    #[test]
    fn an_element_goes_with_its_comma() {
        let text = "a, b, c, d";
        let elements = [0..1, 3..4, 6..7, 9..10];
        let check = |gone: &[usize], expected: &str| {
            let edits = without(&elements, |at| gone.contains(&at));
            assert_eq!(apply(text, &edits), Some(expected.to_owned()), "{gone:?}");
        };
        check(&[0], "b, c, d");
        check(&[3], "a, b, c");
        check(&[0, 1], "c, d");
        check(&[0, 2], "b, d");
        check(&[1, 2, 3], "a");
        check(&[0, 3], "b, c");
    }
}
