//! Rows as a table, in the form in which a test expects them. Pure.

use migrator_engine::words::cell;

/// So many lines are shown.
const SHOWN: usize = 20;

/// So many characters of a value are shown.
const LONGEST: usize = 60;

/// The names and the rows under each other; the rows that are cut are counted.
pub(super) fn rows(columns: &[String], rows: &[Vec<Option<String>>], count: usize) -> Vec<String> {
    let lines = aligned(columns, rows);
    cut(lines, count + 1)
}

/// The names, what was expected and has not come (`-`), and what has come instead (`+`).
pub(super) fn difference(
    (expected_columns, expected): (&[String], &[Vec<Option<String>>]),
    (columns, returned): (&[String], &[Vec<Option<String>>]),
    count: usize,
) -> Vec<String> {
    if expected_columns != columns {
        let names = |columns: &[String]| columns.iter().map(|name| cell(name)).collect::<Vec<_>>().join(" | ");
        return vec![format!("- {}", names(expected_columns)), format!("+ {}", names(columns))];
    }
    let both = aligned(columns, &[expected, returned].concat());
    let Some((head, lines)) = both.split_first() else { return Vec::new() };
    let (expected, returned) = lines.split_at(expected.len());
    let mut shown = vec![format!("  {head}")];
    for change in similar::capture_diff_slices(similar::Algorithm::Myers, expected, returned) {
        let (tag, old, new) = change.as_tag_tuple();
        if tag == similar::DiffTag::Equal {
            shown.extend(expected[old].iter().map(|line| format!("  {line}")));
        } else {
            shown.extend(expected[old].iter().map(|line| format!("- {line}")));
            shown.extend(returned[new].iter().map(|line| format!("+ {line}")));
        }
    }
    let lines = shown.len() + count.saturating_sub(returned.len());
    cut(shown, lines)
}

fn aligned(columns: &[String], rows: &[Vec<Option<String>>]) -> Vec<String> {
    let names = columns.iter().map(|name| cell(name)).collect();
    let cells: Vec<Vec<String>> =
        std::iter::once(names).chain(rows.iter().map(|row| row.iter().map(value).collect())).collect();
    let width = |column: usize| cells.iter().filter_map(|row| Some(row.get(column)?.chars().count())).max();
    let widths: Vec<usize> = (0..columns.len()).map(|column| width(column).unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let padded = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:<width$}"));
        padded.collect::<Vec<_>>().join(" | ").trim_end().to_owned()
    };
    cells.iter().map(line).collect()
}

/// A value as a test writes it: quoted where it would be read otherwise.
fn value(value: &Option<String>) -> String {
    let Some(text) = value else { return "null".to_owned() };
    let shown = cell(&text.chars().take(LONGEST).collect::<String>());
    let dots = if text.chars().nth(LONGEST).is_some() { "..." } else { "" };
    let is_plain = !text.is_empty() && text != "null" && !text.contains(['|', '\'']) && text.trim() == text;
    if is_plain { format!("{shown}{dots}") } else { format!("'{}'{dots}", shown.replace('\'', "''")) }
}

fn cut(mut lines: Vec<String>, all: usize) -> Vec<String> {
    if lines.len() > SHOWN + 1 {
        lines.truncate(SHOWN + 1);
    }
    if all > lines.len() {
        lines.push(format!("... {} more", all - lines.len()));
    }
    lines
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn some(values: &[&str]) -> Vec<Option<String>> {
        values.iter().map(|value| (*value != "null").then(|| (*value).to_owned())).collect()
    }

    #[test]
    fn a_value_is_shown_as_a_test_writes_it() {
        let columns = ["id".to_owned(), "odd\u{1b}".to_owned()];
        let lines = [some(&["1", "null"]), some(&["2", "it's"]), some(&["3", ""]), some(&["4", "a\nb|c"])];
        expect![[r#"
            id | odd\u{1b}
            1  | null
            2  | 'it''s'
            3  | ''
            4  | 'a\nb|c'"#]]
        .assert_eq(&rows(&columns, &lines, 4).join("\n"));
        let many: Vec<_> = (0..30).map(|n| some(&[&n.to_string(), &"x".repeat(70)])).collect();
        let shown = rows(&columns, &many, 2_000);
        assert_eq!((shown.len(), shown.last().unwrap().as_str()), (22, "... 1980 more"));
    }

    #[test]
    fn a_difference_shows_both_sides() {
        let columns = ["id".to_owned(), "name".to_owned()];
        let (expected, returned) = ([some(&["1", "a"]), some(&["2", "b"])], [some(&["1", "a"]), some(&["2", "null"])]);
        expect![[r#"
              id | name
              1  | a
            - 2  | b
            + 2  | null"#]]
        .assert_eq(&difference((&columns, &expected), (&columns, &returned), 2).join("\n"));
        expect![[r#"
            - id | name
            + id"#]]
        .assert_eq(&difference((&columns, &expected), (&columns[..1], &[some(&["1"])]), 1).join("\n"));
    }
}
