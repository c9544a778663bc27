//! Which links lead nowhere. Pure.

use super::files::{Files, Found, resolve};
use super::markdown::{Link, anchors, links, unknown_tags};

/// Every link that leads nowhere, and every text that a browser would take for a tag, as `page:line: link: why`.
pub(super) fn broken(files: &Files) -> Vec<String> {
    let of_page = |(page, text): (&str, &str)| {
        let page = page.to_owned();
        let wrong = |link: Link| {
            let why = why_broken(files, &page, &link.target)?;
            Some(format!("{page}:{}: `{}`: {why}", link.line, link.target))
        };
        let mut found: Vec<String> = links(text).into_iter().filter_map(wrong).collect();
        let tags = unknown_tags(text).into_iter();
        found.extend(
            tags.map(|(line, name)| format!("{page}:{line}: `<{name}>`: write it as code, or it is taken for a tag")),
        );
        found
    };
    files.pages().flat_map(of_page).collect()
}

/// How many links there are within the repository.
pub(super) fn count(files: &Files) -> usize {
    files.pages().flat_map(|(_, text)| links(text)).filter(|link| !is_elsewhere(&link.target)).count()
}

/// Whether a link leads to another host, or to a mailbox: `https://...`.
pub(super) fn is_elsewhere(target: &str) -> bool {
    target.split_once(':').is_some_and(|(scheme, _)| {
        scheme.len() > 1 && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    })
}

/// The path and the anchor of a link, without what a URL escapes.
pub(super) fn divide(target: &str) -> (String, Option<&str>) {
    let (path, anchor) = target.split_once('#').map_or((target, None), |(path, anchor)| (path, Some(anchor)));
    (decoded(path), anchor)
}

/// A part of a URL without its escapes: `%20` is a space.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let digits = after.get(..2).filter(|_| *first == b'%').and_then(|two| str::from_utf8(two).ok());
        match digits.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn why_broken(files: &Files, page: &str, target: &str) -> Option<String> {
    if is_elsewhere(target) {
        return None;
    }
    if target.starts_with('/') {
        return Some("begin it where the page is, not with a slash".to_owned());
    }
    let (path, anchor) = divide(target);
    let found = match path.is_empty() {
        true => Found::File(page),
        false => {
            let Some(path) = resolve(page, &path) else { return Some("it leaves the repository".to_owned()) };
            match files.find(&path) {
                Some(found) => found,
                None => return Some("no such file".to_owned()),
            }
        }
    };
    let anchor = anchor?;
    let Found::File(file) = found else { return Some("a folder has no headings".to_owned()) };
    let text = files.page(file)?;
    (!anchors(text).contains(&decoded(anchor))).then(|| format!("{file} has no heading with this anchor"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_of_a_url_are_what_they_stand_for() {
        assert_eq!(divide("a%20b/%C3%BC.md#x%20y"), ("a b/ü.md".to_owned(), Some("x%20y")));
        assert_eq!(decoded("100%, %zz %4"), "100%, %zz %4");
    }

    #[test]
    fn what_leads_nowhere_is_named_with_its_line() {
        let mut files = Files::default();
        let text = "# A\n[1](b.md) [2](b.md#there) [3](#a) [4](c.md)\n[5](b.md#no) [6](#no) [7](/b.md) [8](../../x)\n\
                    [9](schema) [10](schema#x) [11](https://example.com/no) [12](x.svg#no) [13](mailto:a@b) [14](..) <tool>\n";
        files.add("docs/a.md", Some(text.to_owned()));
        files.add("docs/b.md", Some("## There\n".to_owned()));
        files.add("docs/schema/up.json", None);
        files.add("docs/x.svg", None);
        assert_eq!(
            broken(&files),
            [
                "docs/a.md:2: `c.md`: no such file",
                "docs/a.md:3: `b.md#no`: docs/b.md has no heading with this anchor",
                "docs/a.md:3: `#no`: docs/a.md has no heading with this anchor",
                "docs/a.md:3: `/b.md`: begin it where the page is, not with a slash",
                "docs/a.md:3: `../../x`: it leaves the repository",
                "docs/a.md:4: `schema#x`: a folder has no headings",
                "docs/a.md:4: `<tool>`: write it as code, or it is taken for a tag",
            ]
        );
        assert_eq!(count(&files), 12);
    }
}
