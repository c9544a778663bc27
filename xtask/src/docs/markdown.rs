//! As much of Markdown as links and headings are made of. Pure.

use std::collections::{BTreeMap, BTreeSet};

/// Where a page leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Link {
    /// From 1.
    pub(super) line: usize,
    /// As it is written: `../README.md#start`.
    pub(super) target: String,
    /// Where that begins in the text, in bytes.
    pub(super) at: usize,
}

/// The text with everything that is code blanked out, in which no link is one; what is left stays where it is.
fn prose(text: &str) -> String {
    let mut fence: Option<(char, usize)> = None;
    let mut before_is_blank = true;
    let mut lines = Vec::new();
    for line in text.split('\n') {
        let is_code = match (fence, run(line)) {
            (Some((mark, length)), Some((other, longer, is_bare))) if other == mark && longer >= length && is_bare => {
                fence = None;
                true
            }
            (Some(_), _) => true,
            (None, Some((mark, length, _))) => {
                fence = Some((mark, length));
                true
            }
            // An indented block; the second paragraph of an item of a list is indented by less.
            (None, None) => line.starts_with("    ") && before_is_blank,
        };
        // A block goes on over its lines.
        before_is_blank = line.trim().is_empty() || (is_code && fence.is_none() && run(line).is_none());
        lines.push(if is_code { " ".repeat(line.len()) } else { line.to_owned() });
    }
    without_spans(&lines.join("\n"))
}

/// What a line that may begin or end a block of code has in front: its mark, how many of them, and whether nothing follows.
fn run(line: &str) -> Option<(char, usize, bool)> {
    let line = line.trim_start();
    let mark = line.chars().next().filter(|mark| ['`', '~'].contains(mark))?;
    let length = line.chars().take_while(|c| *c == mark).count();
    let after = line[length..].trim();
    // A backtick after the first ones makes a span of it.
    (length >= 3 && !(mark == '`' && after.contains('`'))).then_some((mark, length, after.is_empty()))
}

/// Blanks out what is between backticks. A span ends with as many of them as it begins with, in the same paragraph.
fn without_spans(text: &str) -> String {
    let (mut clean, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(start) = rest.find('`') {
        let length = rest[start..].bytes().take_while(|byte| *byte == b'`').count();
        let (before, span) = rest.split_at(start);
        let inner = &span[length..];
        clean.push_str(before);
        clean.push_str(&" ".repeat(length));
        let paragraph = inner.find("\n\n").unwrap_or(inner.len());
        match closing(&inner[..paragraph], length) {
            Some(end) => {
                clean.extend(inner[..end].bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }));
                clean.push_str(&" ".repeat(length));
                rest = &inner[end + length..];
            }
            None => rest = inner,
        }
    }
    clean.push_str(rest);
    clean
}

/// Where the run of exactly so many backticks begins.
fn closing(text: &str, length: usize) -> Option<usize> {
    let mut from = 0;
    while let Some(start) = text[from..].find('`').map(|at| at + from) {
        let run = text[start..].bytes().take_while(|byte| *byte == b'`').count();
        if run == length {
            return Some(start);
        }
        from = start + run;
    }
    None
}

/// The links of a page, images and definitions included.
pub(super) fn links(text: &str) -> Vec<Link> {
    let prose = prose(text);
    let inline = prose.match_indices("](").filter_map(|(at, found)| link(&prose, at + found.len()));
    let starts = prose.match_indices('\n').map(|(at, _)| at + 1);
    let defined = std::iter::once(0).chain(starts).filter_map(|start| {
        let line = prose[start..].split('\n').next()?;
        let at = line.trim_start().strip_prefix('[').and(line.find("]: "))?;
        link(&prose, start + at + "]: ".len())
    });
    let attributes = ["href=\"", "src=\""].into_iter().flat_map(|name| prose.match_indices(name));
    let in_tags = attributes.filter_map(|(at, name)| {
        let at = at + name.len();
        let target = prose[at..].split(['"', '\n']).next().filter(|target| !target.is_empty())?;
        Some(Link { line: line_of(&prose, at), target: target.to_owned(), at })
    });
    inline.chain(defined).chain(in_tags).collect()
}

/// The number of the line that a place in a text is in.
fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// The link whose destination begins there, perhaps in angle brackets.
fn link(prose: &str, at: usize) -> Option<Link> {
    let target = destination(&prose[at..])?;
    let at = at + usize::from(prose[at..].starts_with('<'));
    Some(Link { line: line_of(prose, at), target, at })
}

/// What a terminal would take for text and a browser for markup: the names in angle brackets that HTML does not have, with their lines.
pub(super) fn unknown_tags(text: &str) -> Vec<(usize, String)> {
    let prose = prose(text);
    let tag = |(at, _): (usize, &str)| {
        let rest = prose[at + 1..].trim_start_matches('/');
        let name: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
        let ends = rest[name.len()..].starts_with(['>', ' ', '/', '_', '-']);
        let is_tag = name.starts_with(|c: char| c.is_ascii_alphabetic()) && ends;
        let is_known = HTML.contains(&name.to_ascii_lowercase().as_str());
        (is_tag && !is_known).then(|| (line_of(&prose, at), name))
    };
    prose.match_indices('<').filter_map(tag).collect()
}

/// The elements that a page may have.
const HTML: &[&str] = &[
    "a", "b", "br", "code", "details", "div", "em", "hr", "i", "img", "kbd", "p", "picture", "pre", "source", "span",
    "strong", "sub", "summary", "sup",
];

/// What a link leads to, from after its bracket; a title that follows is left out.
fn destination(text: &str) -> Option<String> {
    if let Some(bracketed) = text.strip_prefix('<') {
        return bracketed.split(['>', '\n']).next().map(str::to_owned);
    }
    let mut open = 0_usize;
    let end = text.find(|c: char| {
        match c {
            '(' => open += 1,
            ')' if open == 0 => return true,
            ')' => open -= 1,
            _ => {}
        }
        c.is_whitespace()
    });
    Some(text[..end.unwrap_or(text.len())].to_owned()).filter(|target| !target.is_empty())
}

/// The headings of a page: their depth and their words.
fn headings(text: &str) -> Vec<(usize, String)> {
    // Code in a heading is part of it, hence only the blocks are left out.
    let blocks = prose(text);
    let lines = text.split('\n').zip(blocks.split('\n'));
    let heading = |(line, prose): (&str, &str)| {
        let depth = prose.bytes().take_while(|byte| *byte == b'#').count();
        let words = line.get(depth..)?.strip_prefix(' ')?;
        (1..=6).contains(&depth).then(|| (depth, words.trim().trim_end_matches('#').trim_end().to_owned()))
    };
    lines.filter_map(heading).collect()
}

/// The first heading, as text.
pub(super) fn title(text: &str) -> Option<String> {
    headings(text).into_iter().next().map(|(_, words)| plain(&words))
}

/// The anchors that a page has: those of its headings as hosts and mdBook make them, and those that it names itself.
pub(super) fn anchors(text: &str) -> BTreeSet<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut anchors: BTreeSet<String> = BTreeSet::new();
    for (_, words) in headings(text) {
        let slug = slug(&plain(&words));
        let count = seen.entry(slug.clone()).or_default();
        anchors.insert(if *count == 0 { slug } else { format!("{slug}-{count}") });
        *count += 1;
    }
    for attribute in ["id=\"", "name=\""] {
        let named = text.split(attribute).skip(1).filter_map(|rest| rest.split('"').next());
        anchors.extend(named.map(str::to_owned));
    }
    anchors
}

/// A heading without its markup: a link is its words.
fn plain(words: &str) -> String {
    let (mut text, mut rest) = (String::new(), words);
    while let Some((before, after)) = rest.split_once("](") {
        text.push_str(&before.replacen('[', "", 1));
        rest = after.split_once(')').map_or("", |(_, after)| after);
    }
    (text + rest).replace(['`', '*'], "")
}

/// `Where to connect?` is `where-to-connect`.
fn slug(words: &str) -> String {
    let kept = words.chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets(text: &str) -> Vec<String> {
        links(text).into_iter().map(|link| format!("{}:{}", link.line, link.target)).collect()
    }

    #[test]
    fn links_are_found_where_they_are_links() {
        let text = "[a](a.md) and ![b](b.svg \"title\")\n\n```sh\n[no](no.md)\n```\n`[no](no.md)` [c](<c d.md>)\n\n    [no](no.md)\n\n- x\n  [e](e(1).md#f)\n\n[d]: d.md\n";
        assert_eq!(targets(text), ["1:a.md", "1:b.svg", "6:c d.md", "11:e(1).md#f", "13:d.md"]);
    }

    #[test]
    fn a_code_span_may_break_a_line_and_ends_with_its_paragraph() {
        assert_eq!(targets("`a\n[no](no.md)` [b](b.md)\n\nan `open one\n\n[c](c.md)"), ["2:b.md", "6:c.md"]);
        assert_eq!(targets("``[no](no.md) ` `` [a](a.md)"), ["1:a.md"]);
        assert_eq!(targets("~~~\n```\n[no](no.md)\n~~~\n[a](a.md)"), ["5:a.md"]);
        assert_eq!(targets("````md\n```\n[no](no.md)\n```sh\n```\n[no](no.md)\n````\n[a](a.md)"), ["8:a.md"]);
        assert_eq!(targets("```span` [no](no.md)``` [a](a.md)"), ["1:a.md"]);
        assert_eq!(targets("<a href=\"a.md\"><img src=\"b.svg\"></a>"), ["1:a.md", "1:b.svg"]);
    }

    #[test]
    fn a_heading_has_the_anchor_that_hosts_give_it() {
        let text = "# `cargo xtask`: for developers, from *any* folder\n## A [link](x.md)!\n## A link\n```\n# no\n```\n## Ü_1 ##\n<a id=\"own\"></a>\n";
        let expected = ["cargo-xtask-for-developers-from-any-folder", "a-link", "a-link-1", "ü_1", "own"];
        assert_eq!(anchors(text), expected.map(str::to_owned).into());
        assert_eq!(title(text).as_deref(), Some("cargo xtask: for developers, from any folder"));
        assert_eq!(title("no heading"), None);
    }

    #[test]
    fn a_link_is_where_it_says_and_a_placeholder_is_no_tag() {
        let text = "`é` [x](../a.md)\r\n```\n<no>\n```\n[y](<b c.md>) <https://x.y> a<b <major> `<no>` <br> </tool> <!-- no -->\n";
        for link in links(text) {
            assert!(text[link.at..].starts_with(&link.target), "{link:?}");
        }
        assert_eq!(links(text).len(), 2);
        assert_eq!(unknown_tags(text), [(5, "major".to_owned()), (5, "tool".to_owned())]);
    }
}
