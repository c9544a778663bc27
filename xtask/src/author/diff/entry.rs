//! The entries of a dump that pg_dump has written with `--verbose`: which object each of them is, what it needs, its statements.

use migrator_sql::{lex, split};

/// One entry of the dump's table of contents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its number in this dump.
    pub(crate) id: u32,
    /// The catalog and the row that it was made of; 0: it says something about another entry, the first of those that it needs.
    pub(crate) class: u32,
    pub(crate) oid: u32,
    /// Numbers of entries.
    pub(crate) needs: Vec<u32>,
    /// pg_dump's word for it: `TABLE`, `FK CONSTRAINT`, ...
    pub(crate) kind: String,
    /// pg_dump's name for it.
    pub(crate) name: String,
    /// Without their semicolons.
    pub(crate) statements: Vec<String>,
}

/// The entries in the order of the dump. Settings of the session are left out.
pub(crate) fn read(dump: &str) -> Vec<Entry> {
    let lexed = lex(dump);
    let mut entries: Vec<Entry> = Vec::new();
    let mut comments = lexed.comments.iter().peekable();
    for words in split(dump, &lexed.tokens) {
        let range = words.range();
        while let Some(comment) = comments.next_if(|comment| comment.range.start < range.end) {
            // A comment within the statement is a line of a body that is no string.
            if comment.range.start < range.start && !comment.block {
                header(dump.get(comment.range.clone()).unwrap_or_default(), &mut entries);
            }
        }
        let is_setting = words.is_any(0, &["set", "reset"]) || words.start_with(&["select", "pg_catalog"]);
        if let (false, Some(entry), Some(text)) = (is_setting, entries.last_mut(), dump.get(range)) {
            // pg_dump fills it after the data; here there is none to wait for.
            let text = match words.start_with(&["create", "materialized", "view"]) {
                true => text.strip_suffix("WITH NO DATA").map_or(text, str::trim_end),
                false => text,
            };
            entry.statements.push(text.to_owned());
        }
    }
    entries
}

/// Takes a line of the comment above an entry.
fn header(line: &str, entries: &mut Vec<Entry>) {
    if let Some(rest) = line.strip_prefix("-- TOC entry ") {
        let mut numbers = rest.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok());
        let mut next = || numbers.next().unwrap_or_default();
        entries.push(Entry { id: next(), class: next(), oid: next(), ..Entry::default() });
    } else if let Some(entry) = entries.last_mut().filter(|entry| entry.statements.is_empty() && entry.kind.is_empty())
    {
        if let Some(needs) = line.strip_prefix("-- Dependencies: ") {
            entry.needs = needs.split(' ').filter_map(|number| number.parse().ok()).collect();
        } else if let Some((name, rest)) = line.strip_prefix("-- Name: ").and_then(|rest| rest.rsplit_once("; Type: "))
        {
            entry.name = name.to_owned();
            entry.kind = rest.split("; Schema: ").next().unwrap_or_default().to_owned();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_knows_its_object_what_it_needs_and_its_statements() {
        let dump = "--\n-- PostgreSQL database dump\n--\n\nSET statement_timeout = 0;\nSELECT pg_catalog.set_config('search_path', '', false);\n\n\
            --\n-- TOC entry 214 (class 1259 OID 16386)\n-- Name: t; Type: TABLE; Schema: public; Owner: postgres\n--\n\n\
            CREATE TABLE public.t (\n    a integer\n);\n\n\n--\n-- TOC entry 3310 (class 0 OID 0)\n-- Dependencies: 214 7\n\
            -- Name: TABLE t; Type: COMMENT; Schema: public; Owner: postgres\n--\n\nCOMMENT ON TABLE public.t IS '\n-- TOC entry 1 (class 2 OID 3)\n';\n\n\
            -- Completed on 2026\n";
        let entries = read(dump);
        let first = Entry {
            id: 214,
            class: 1259,
            oid: 16386,
            needs: Vec::new(),
            kind: "TABLE".into(),
            name: "t".into(),
            statements: vec!["CREATE TABLE public.t (\n    a integer\n)".into()],
        };
        assert_eq!(entries.len(), 2);
        assert_eq!(entries[0], first);
        assert_eq!((entries[1].id, &*entries[1].needs, &*entries[1].kind), (3310, &[214, 7][..], "COMMENT"));
        assert!(entries[1].statements[0].ends_with("OID 3)\n'"));
    }
}
