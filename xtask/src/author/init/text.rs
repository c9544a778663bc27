//! Texts that are edited as others have written them: line ends and a byte order mark stay.

const MARK: &str = "\u{feff}";

/// Edits a text whose lines end in LF, without a byte order mark, and gives what the edit leaves alone back byte for byte.
///
/// # Errors
/// Those of the edit.
pub(super) fn edited<E>(text: &str, edit: impl FnOnce(&str) -> Result<String, E>) -> Result<String, E> {
    let (mark, body) = text.strip_prefix(MARK).map_or(("", text), |body| (MARK, body));
    let plain = body.replace("\r\n", "\n");
    Ok(format!("{mark}{}", with_ends_of(body, &edit(&plain)?)))
}

/// A new text, in which the lines at the beginning and the end that are those of the old one keep its line ends; what is between them
/// gets the more frequent one.
fn with_ends_of(old: &str, new: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.split_inclusive('\n').collect(), new.split_inclusive('\n').collect());
    let same = |pair: &(&&str, &&str)| pair.0.replace("\r\n", "\n") == **pair.1;
    let above = old.iter().zip(&new).take_while(same).count();
    let below = old[above..].iter().rev().zip(new[above..].iter().rev()).take_while(same).count();
    let carriage = old.iter().filter(|line| line.ends_with("\r\n")).count();
    let ended = old.iter().filter(|line| line.ends_with('\n')).count();
    let end = if 2 * carriage > ended { "\r\n" } else { "\n" };
    let middle = new[above..new.len() - below].iter().map(|line| line.replace('\n', end));
    let kept = |lines: &[&str]| lines.concat();
    format!("{}{}{}", kept(&old[..above]), middle.collect::<String>(), kept(&old[old.len() - below..]))
}

/// A text with these lines at its end, those that it does not have.
pub(super) fn with_lines(text: &str, lines: &[&str]) -> String {
    let missing = lines.iter().filter(|line| !text.lines().any(|known| known.trim_end() == **line));
    let added: String = missing.map(|line| format!("{line}\n")).collect();
    let end = if text.is_empty() || text.ends_with('\n') || added.is_empty() { "" } else { "\n" };
    format!("{text}{end}{added}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, from: &str, to: &str, expected: &str) {
        let edited = edited(text, |plain| Ok::<_, ()>(plain.replacen(from, to, 1))).unwrap();
        assert_eq!(edited, expected);
    }

    #[test]
    fn an_edit_leaves_line_ends_and_the_mark_alone() {
        check("a\r\nb\r\nc", "b\n", "b\nd\n", "a\r\nb\r\nd\r\nc");
        check("\u{feff}a\r\nb\n", "b\n", "b\nd\n", "\u{feff}a\r\nb\nd\n");
        check("a\nb\r\nc\r\nd\n", "d\n", "e\n", "a\nb\r\nc\r\ne\n");
        check("a\r\na\r\n", "x", "y", "a\r\na\r\n");
        check("", "", "a\n", "a\n");
        check("a\r\nb", "b", "b\nc\n", "a\r\nb\r\nc\r\n");
    }

    #[test]
    fn lines_are_added_once() {
        assert_eq!(with_lines("", &["/target", "/.dev"]), "/target\n/.dev\n");
        assert_eq!(with_lines("x\n/target \ny", &["/target", "/.dev"]), "x\n/target \ny\n/.dev\n");
        assert_eq!(with_lines("/target", &["/target"]), "/target");
    }
}
