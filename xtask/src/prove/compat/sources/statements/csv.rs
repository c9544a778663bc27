//! CSV as PostgreSQL writes it.

/// One record.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// On which line it begins.
    pub(super) line: usize,
    pub(super) fields: Vec<String>,
}

/// The records of a text. A quote that has no end ends with the text.
pub(super) fn records(text: &str) -> Vec<Record> {
    let (mut records, mut line) = (Vec::new(), 1);
    let mut rest = text;
    while !rest.is_empty() {
        let mut record = Record { line, fields: Vec::new() };
        loop {
            let (field, after) = field(rest);
            line += rest[..rest.len() - after.len()].matches('\n').count();
            record.fields.push(field);
            rest = after;
            match rest.strip_prefix(',') {
                Some(after) => rest = after,
                None => break,
            }
        }
        line += usize::from(rest.starts_with('\n'));
        rest = rest.strip_prefix('\n').unwrap_or(rest);
        records.push(record);
    }
    records
}

/// A field, and what follows it: a comma, a line end, or nothing.
fn field(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut rest = text;
    loop {
        let end = rest.find([',', '\n', '"']).unwrap_or(rest.len());
        value.push_str(&rest[..end]);
        rest = &rest[end..];
        let Some(quoted) = rest.strip_prefix('"') else { return (value, rest) };
        rest = quoted;
        loop {
            let end = rest.find('"').unwrap_or(rest.len());
            value.push_str(&rest[..end]);
            rest = rest.get(end + 1..).unwrap_or_default();
            match rest.strip_prefix('"') {
                Some(after) => {
                    value.push('"');
                    rest = after;
                }
                None => break,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_postgresql_writes() {
        let text = "query,calls\n\"SELECT \"\"a\"\",\n 1\",2\n\nSELECT 2,\n,x\"y,\"z\n\"open,\n";
        let records = records(text);
        let fields: Vec<_> = records.iter().map(|record| (record.line, record.fields.join("|"))).collect();
        let expected =
            [(1, "query|calls"), (2, "SELECT \"a\",\n 1|2"), (4, ""), (5, "SELECT 2|"), (6, "|xy,z"), (7, "open,\n")];
        assert_eq!(fields, expected.map(|(line, fields)| (line, fields.to_owned())));
    }
}
