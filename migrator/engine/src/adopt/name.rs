//! The name of a table, as a person writes it on a command line.

/// The schema, if there is one, and the table: `app.history`, `"My Schema"."t"`. `None`: it is not a name.
///
/// As in SQL, what is not quoted is in lower case.
pub(crate) fn parse(text: &str) -> Option<(Option<String>, String)> {
    let (first, rest) = part(text)?;
    if rest.is_empty() {
        return Some((None, first));
    }
    let (second, rest) = part(rest.strip_prefix('.')?)?;
    rest.is_empty().then_some((Some(first), second))
}

/// The first part of a name, and what follows it.
fn part(text: &str) -> Option<(String, &str)> {
    let Some(mut rest) = text.strip_prefix('"') else {
        let end = text.find('.').unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        let is_name = !name.is_empty() && !name.contains(['"', '\0']) && name.trim() == name;
        return is_name.then(|| (name.to_lowercase(), rest));
    };
    let mut name = String::new();
    loop {
        let end = rest.find('"')?;
        name.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('"') {
            Some(after) => {
                name.push('"');
                rest = after;
            }
            None => return (!name.is_empty() && !name.contains('\0')).then_some((name, rest)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_or_two_parts_quoted_or_not() {
        let name =
            |schema: &str, table: &str| Some((Some(schema.to_owned()).filter(|s| !s.is_empty()), table.to_owned()));
        for (text, expected) in [
            ("History", name("", "history")),
            ("app.history", name("app", "history")),
            ("\"My \"\"Schema\"\"\".\"a.b\"", name("My \"Schema\"", "a.b")),
            ("app.\"T\"", name("app", "T")),
            ("", None),
            ("a.", None),
            (".a", None),
            ("a.b.c", None),
            ("\"a", None),
            ("\"\"", None),
            ("a\"b", None),
            (" a", None),
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
    }
}
