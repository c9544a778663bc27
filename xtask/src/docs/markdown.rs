//! As much of Markdown as links and headings are made of. Pure.

use std::collections::{BTreeMap, BTreeSet};

/// Where a page leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Link {
    /// From 1.
    pub(super) line: usize,
    /// As it is written: `../README.md#start`.
    pub(super) target: String,
}

/// The text with everything that is code blanked out, in which no link is one; lines stay where they are.
fn prose(text: &str) -> String {
    let mut fence: Option<&str> = None;
    let mut before_is_blank = true;
    let mut lines = Vec::new();
    for line in text.lines() {
        let trimmed = line.trim_start();
        let marker = ["```", "~~~"].into_iter().find(|marker| trimmed.starts_with(marker));
        let is_code = match (fence, marker) {
            (Some(open), Some(marker)) if open == marker => {
                fence = None;
                true
            }
            (Some(_), _) => true,
            (None, Some(marker)) => {
                fence = Some(marker);
                true
            }
            // An indented block; the second paragraph of an item of a list is indented by less.
            (None, None) => line.starts_with("    ") && before_is_blank,
        };
        // A block goes on over its lines.
        before_is_blank = trimmed.is_empty() || (is_code && fence.is_none() && marker.is_none());
        lines.push(if is_code { "" } else { line });
    }
    without_spans(&lines.join("\n"))
}

/// Blanks out what is between backticks. A span ends with as many of them as it begins with, in the same paragraph.
fn without_spans(text: &str) -> String {
    let (mut clean, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(start) = rest.find('`') {
        let length = rest[start..].bytes().take_while(|byte| *byte == b'`').count();
        let (before, span) = rest.split_at(start);
        let inner = &span[length..];
        clean.push_str(before);
        let paragraph = inner.find("\n\n").unwrap_or(inner.len());
        match closing(&inner[..paragraph], length) {
            Some(end) => {
                clean.extend(inner[..end].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
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
    let inline = prose.match_indices("](").filter_map(|(at, found)| {
        let line = prose[..at].matches('\n').count() + 1;
        Some(Link { line, target: destination(&prose[at + found.len()..])? })
    });
    let defined = prose.lines().enumerate().filter_map(|(index, line)| {
        let (_, target) = line.trim_start().strip_prefix('[')?.split_once("]: ")?;
        Some(Link { line: index + 1, target: destination(target)? })
    });
    inline.chain(defined).collect()
}

/// What a link leads to, from behind its bracket; a title behind it is left out.
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
    let lines = text.lines().zip(blocks.lines().chain(std::iter::repeat("")));
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
    while let Some((before, behind)) = rest.split_once("](") {
        text.push_str(&before.replacen('[', "", 1));
        rest = behind.split_once(')').map_or("", |(_, after)| after);
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
    }

    #[test]
    fn a_heading_has_the_anchor_that_hosts_give_it() {
        let text = "# `cargo xtask`: for developers, from *any* folder\n## A [link](x.md)!\n## A link\n```\n# no\n```\n## Ü_1 ##\n<a id=\"own\"></a>\n";
        let expected = ["cargo-xtask-for-developers-from-any-folder", "a-link", "a-link-1", "ü_1", "own"];
        assert_eq!(anchors(text), expected.map(str::to_owned).into());
        assert_eq!(title(text).as_deref(), Some("cargo xtask: for developers, from any folder"));
        assert_eq!(title("no heading"), None);
    }
}
