//! Text from outside in Markdown: nothing of it is markup, mentions anyone, or ends what is around it.
//!
//! Hosts read Markdown first, and then look for names in what it means: so characters are written as entities, which no reader of
//! Markdown takes for its own, and what could be a name is in `<code>`, where no host looks for one.

use migrator_diagnostic::printable;

/// So many characters of one text are shown, and fewer of those that take an entity.
const WIDTH: usize = 300;
const ENTITY: usize = 3;

/// A line of code that is longer than this can hide its end.
const LONG: usize = 160;

/// An invisible space, after which nothing is a name.
const BREAK: &str = "&#8203;";

/// Names, statements and what a server says, in one line.
pub(super) fn code(text: &str) -> String {
    format!("<code>{}</code>", entities(&short(text)))
}

/// A sentence of ours with text from outside in it: what is in backticks is code, and the rest no name either.
pub(super) fn prose(text: &str) -> String {
    let text = short(text);
    let parts: Vec<&str> = text.split('`').collect();
    let mut shown = String::new();
    for (index, part) in parts.iter().enumerate() {
        // The last one is not closed where their number is even.
        let is_code = index % 2 == 1 && index + 1 < parts.len();
        match is_code {
            true if part.is_empty() => {}
            true => shown.push_str(&format!("<code>{}</code>", entities(part))),
            false => shown.push_str(&unnamed(part)),
        }
    }
    shown
}

/// A block of code in a language, in a fence that nothing in it closes.
pub(super) fn fence(language: &str, text: &str) -> String {
    let text = printable::text(text.trim_end_matches(['\r', '\n']));
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{language}\n{text}\n{fence}\n")
}

/// The numbers of the lines whose end is out of sight where lines are not broken.
pub(super) fn long_lines(text: &str) -> Vec<usize> {
    let lines = text.lines().enumerate();
    lines.filter(|(_, line)| line.chars().count() > LONG).map(|(index, _)| index + 1).collect()
}

fn short(text: &str) -> String {
    let text = printable::line(text);
    let mut room = WIDTH;
    for (at, character) in text.char_indices() {
        let width = if character.is_alphanumeric() || matches!(character, ' ' | '_' | '.') { 1 } else { ENTITY };
        if width > room {
            return format!("{}…", &text[..at]);
        }
        room -= width;
    }
    text.into_owned()
}

/// What neither Markdown nor HTML means anything by.
fn is_plain(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, ' ' | ',' | ';' | '/' | '=' | '…') || !character.is_ascii()
}

fn entities(text: &str) -> String {
    let mut shown = String::new();
    let (mut before, mut rest) = (' ', text);
    while let Some(character) = rest.chars().next() {
        rest = &rest[character.len_utf8()..];
        let after = rest.chars().next().unwrap_or(' ');
        // These mean something at the edge of a word only; but for a link, which begins with `www.`.
        let is_inside = before.is_ascii_alphanumeric() && after.is_ascii_alphanumeric();
        let is_link = character == '.' && shown.to_ascii_lowercase().ends_with("www");
        match character {
            '_' | '.' | '-' if is_inside && !is_link => shown.push(character),
            '.' if after == ' ' && before.is_alphabetic() => shown.push('.'),
            character if is_plain(character) => shown.push(character),
            character => shown.push_str(&format!("&#{};", u32::from(character))),
        }
        before = character;
    }
    shown
}

/// The same outside of code, where hosts look for people, issues, merge requests, labels and links.
fn unnamed(text: &str) -> String {
    let mut shown = entities(text);
    for character in ['@', '#', '!', '~', '%', '$', '&', ':', '^', '*'] {
        let entity = format!("&#{};", u32::from(character));
        // A colon before a space ends a part of a sentence.
        shown = match character {
            ':' => shown.replace("&#58; ", ": ").replace(&entity, &format!("{entity}{BREAK}")),
            _ => shown.replace(&entity, &format!("{entity}{BREAK}")),
        };
    }
    for (entity, plain) in [("&#40;", "("), ("&#41;", ")"), ("&#39;", "'"), ("&#34;", "\"")] {
        shown = shown.replace(entity, plain);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "@everyone | </code><img src=x onerror=1> `x` ``` [a](https://b.example) **b** <!-- c --> #12 !3 $x$ www.d.example\n# e";

    #[test]
    fn code_is_text_whatever_it_says() {
        let shown = code(HOSTILE);
        let inside = shown.strip_prefix("<code>").unwrap().strip_suffix("</code>").unwrap();
        for character in ['@', '|', '<', '>', '`', '[', ']', '(', '*', '!', '$', '\n'] {
            assert!(!inside.contains(character), "{character:?} in {inside}");
        }
        assert!(!inside.contains("://") && !inside.contains("www.d") && !inside.contains(" #12"), "{inside}");
        assert!(inside.contains("&#92;n&#35; e"), "{inside}");
        assert_eq!(code("core.users_2 a_b-c"), "<code>core.users_2 a_b-c</code>");
        assert_eq!(code("_x_ __y"), "<code>&#95;x&#95; &#95;&#95;y</code>");
    }

    #[test]
    fn a_sentence_names_no_one() {
        let shown = prose("`@a|b` is @c, #1 and <b>; see https://x.example: ok (\"d\")");
        assert_eq!(
            shown,
            "<code>&#64;a&#124;b</code> is &#64;&#8203;c, &#35;&#8203;1 and &#60;b&#62;; see https&#58;&#8203;//x.example: ok (\"d\")"
        );
        let unclosed = prose("a ` b @c");
        assert_eq!(unclosed, "a  b &#64;&#8203;c");
    }

    #[test]
    fn nothing_closes_the_fence() {
        let shown = fence("sql", "SELECT 1;\n````\n</details>\n```\r\n\u{1b}[2J\u{202e}\n");
        assert_eq!(shown, "`````sql\nSELECT 1;\n````\n</details>\n```\n\\u{1b}[2J\\u{202e}\n`````\n");
        assert_eq!(fence("diff", "+ a"), "```diff\n+ a\n```\n");
        assert_eq!(long_lines(&format!("a\n{}\nb", "x".repeat(200))), [2]);
    }

    #[test]
    fn a_long_text_is_cut() {
        assert!(code(&"x".repeat(1_000)).len() < 400);
    }
}
