//! Values that SQL mentions: those in a check that a column may have, and those by which a down block decides which rows it changes.
//! Pure.

use migrator_sql::{Kind, lex};

use super::values::ROWS;

/// The texts and the numbers in the statements of a down block that change rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Words {
    texts: Vec<String>,
    numbers: Vec<String>,
}

fn is_text(name: &str) -> bool {
    matches!(name, "text" | "varchar" | "bpchar" | "citext")
}

fn is_number(name: &str) -> bool {
    matches!(name, "int2" | "int4" | "int8" | "numeric" | "float4" | "float8")
}

/// The values in a check that a column of that type may have, and their neighbours.
pub(super) fn mentioned(check: &str, declared: &str, name: &str) -> Vec<String> {
    let tokens = lex(check).tokens;
    let is_number = is_number(name);
    let declared = declared.split('(').next().unwrap_or_default().trim();
    let mut found = Vec::new();
    for token in &tokens {
        let text = token.text(check);
        match token.kind {
            Kind::Number if is_number => {
                let Ok(number) = text.parse::<i64>() else { continue };
                found.extend([number, number + 1, number - 1, -number].map(|number| number.to_string()));
            }
            Kind::Text => {
                let value = text.trim_matches('\'').replace("''", "'");
                let behind = check[token.end()..].trim_start_matches("::");
                let is_of_type = behind.starts_with(declared) && !declared.is_empty();
                if is_text(name) || is_of_type || is_number && value.parse::<f64>().is_ok() {
                    found.push(value);
                }
            }
            _ => {}
        }
    }
    found
}

impl Words {
    /// Reads them.
    pub(super) fn of_down(down: &str) -> Words {
        let tokens = lex(down).tokens;
        let statements = migrator_sql::split(down, &tokens);
        let first = ["update", "delete", "insert", "with", "merge", "do"];
        let mut found = Words::default();
        for words in statements.iter().filter(|words| words.is_any(0, &first) || words.has("using")) {
            for token in words.tokens {
                let text = token.text(down);
                let (list, value) = match token.kind {
                    Kind::Text => (&mut found.texts, text.trim_matches('\'').replace("''", "'")),
                    Kind::Number => (&mut found.numbers, text.to_owned()),
                    _ => continue,
                };
                if list.len() < ROWS && !list.contains(&value) && value.contains(char::is_alphanumeric) {
                    list.push(value);
                }
            }
        }
        found
    }

    /// Those that a column of that type may have.
    pub(super) fn of(&self, type_name: &str) -> &[String] {
        match is_number(type_name) {
            true => &self.numbers,
            false if is_text(type_name) => &self.texts,
            false => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_gives_values_of_the_type() {
        let check = "((status)::text = ANY (ARRAY['open'::text, 'it''s'::text]))";
        assert_eq!(mentioned(check, "text", "text"), ["open", "it's"]);
        assert_eq!(mentioned("((a >= 7) AND (a < '9'::smallint))", "integer", "int4"), ["7", "8", "6", "-7", "9"]);
        assert_eq!(mentioned("(at >= '2026-01-01'::date)", "date", "date"), ["2026-01-01"]);
        assert_eq!(mentioned("(at >= '2026-01-01'::date)", "time without time zone", "time"), Vec::<String>::new());
    }

    #[test]
    fn only_statements_that_change_rows_have_words() {
        let words =
            Words::of_down("COMMENT ON TABLE t IS 'x';\nDELETE FROM t WHERE a = 'draft' AND b = 7 AND c <> ' ';");
        assert_eq!(words, Words { texts: vec!["draft".to_owned()], numbers: vec!["7".to_owned()] });
    }
}
