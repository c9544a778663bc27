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
    let reader = ::csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    // All of it is UTF-8, and a record may have any number of fields: nothing is left that can fail.
    let records = reader.into_records().filter_map(Result::ok);
    let record = |record: ::csv::StringRecord| Record {
        line: record.position().map_or(1, |position| position.line() as usize),
        fields: record.iter().map(str::to_owned).collect(),
    };
    records.map(record).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_postgresql_writes() {
        let text = "query,calls\n\"SELECT \"\"a\"\",\n 1\",2\nSELECT 2,\n,\n\"open,\n";
        let records = records(text);
        let fields: Vec<_> = records.iter().map(|record| (record.line, record.fields.join("|"))).collect();
        let expected = [(1, "query|calls"), (2, "SELECT \"a\",\n 1|2"), (4, "SELECT 2|"), (5, "|"), (6, "open,\n")];
        assert_eq!(fields, expected.map(|(line, fields)| (line, fields.to_owned())));
    }
}
