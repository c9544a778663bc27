//! Code in SQL that the server runs at once.

/// A DO statement of a body that ends with its line, between dollars with a tag that is not in it: a name may hold any.
pub(super) fn block(tag: &str, body: &str) -> String {
    let mut tag = format!("${tag}$");
    while body.contains(&tag) {
        tag.insert(tag.len() - 1, '_');
    }
    format!("DO {tag}\n{body}{tag}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_the_body_ends_it() {
        assert_eq!(block("x", "BEGIN\nEND\n"), "DO $x$\nBEGIN\nEND\n$x$");
        assert_eq!(block("x", "-- $x$ $x_$\n"), "DO $x__$\n-- $x$ $x_$\n$x__$");
    }
}
