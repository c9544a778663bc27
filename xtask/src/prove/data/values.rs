//! Values of a type that a row may hold, each unlike those of other columns. Pure.

/// What has to be known of a type to write a value of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Type {
    /// Its plain name: `int4`, `varchar`; that of the base type for a domain.
    pub(super) name: String,
    /// As it is declared, without a domain around it: `numeric(10,2)`.
    pub(super) declared: String,
    /// `e` enum, `c` composite, `r` range, `m` multirange, else a base type.
    pub(super) kind: String,
    /// The labels of an enum, new ones first.
    pub(super) labels: Vec<String>,
    /// How many parts a composite has.
    pub(super) parts: usize,
    /// A domain around it has checks.
    pub(super) is_checked: bool,
    /// What an array is made of.
    pub(super) element: Option<Box<Type>>,
}

/// A column for which values are wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) type_: &'a Type,
    pub(super) column: &'a str,
    /// Unlike that of every other column of the database.
    pub(super) number: usize,
    /// Whether values may be as large as the type takes.
    pub(super) is_large: bool,
}

/// How many rows a table gets.
pub(super) const ROWS: usize = 3;

/// The longest text.
const LONG: usize = 240;

/// Values as text, the best first: those of the first rows are distinct where the type allows it.
pub(super) fn candidates(wanted: Wanted<'_>) -> Vec<String> {
    let Wanted { type_, .. } = wanted;
    if let Some(element) = &type_.element {
        if element.is_checked {
            // What an element must be is not asked.
            return vec!["{}".to_owned()];
        }
        let of_elements = candidates(Wanted { type_: element, ..wanted });
        let quoted = |value: &String| format!("{{\"{}\"}}", value.replace('\\', "\\\\").replace('"', "\\\""));
        return of_elements.iter().map(quoted).collect();
    }
    match type_.kind.as_str() {
        "e" => type_.labels.clone(),
        "c" => vec![format!("({})", ",".repeat(type_.parts.saturating_sub(1)))],
        "r" => ranges(&type_.name, wanted),
        "m" => ranges(&type_.name.replace("multirange", "range"), wanted)
            .iter()
            .map(|range| format!("{{{range}}}"))
            .collect(),
        // More than the first rows need: a down block may ask for others.
        _ => (0..2 * ROWS).filter_map(|row| of_base(row, wanted)).chain(others(&type_.name)).collect(),
    }
}

/// The value of a row, where the type is known.
fn of_base(row: usize, wanted: Wanted<'_>) -> Option<String> {
    let Wanted { type_, number, is_large, .. } = wanted;
    let whole = 1_000 + number % 900 * 10 + row;
    let day = 1 + (number * ROWS + row) % 28;
    let small = 1 + (number * ROWS + row) % 250;
    Some(match type_.name.as_str() {
        "text" | "varchar" | "bpchar" | "citext" | "name" => text(row, wanted),
        "char" => char::from(b'a' + (row % 26) as u8).to_string(),
        "int8" if is_large && row == 0 => (3_000_000_000 + whole).to_string(),
        "int2" | "int4" | "int8" | "oid" => whole.to_string(),
        "numeric" => numeric(&type_.declared, whole, row),
        "float4" | "float8" => format!("{whole}.125"),
        "money" => format!("{whole}.25"),
        "bool" => row.is_multiple_of(2).to_string(),
        "date" => format!("2026-01-{day:02}"),
        "timestamp" => format!("2026-01-{day:02} 12:34:56.789"),
        "timestamptz" => format!("2026-01-{day:02} 12:34:56.789+00"),
        "time" => format!("12:{:02}:56.5", small % 60),
        "timetz" => format!("12:{:02}:56.5+00", small % 60),
        "interval" => format!("{small} days 02:03:04"),
        "uuid" => format!("00000000-0000-4000-8000-{number:010}{row:02}"),
        "json" | "jsonb" => format!("{{\"key\": \"{}\"}}", token(row, wanted)),
        "xml" => format!("<a>{}</a>", token(row, wanted)),
        "bytea" => format!("\\x{number:08x}{row:02x}"),
        "inet" => format!("192.0.2.{small}"),
        "cidr" => format!("192.0.2.{small}/32"),
        "macaddr" => format!("08:00:2b:01:{:02x}:{small:02x}", number % 256),
        "macaddr8" => format!("08:00:2b:01:02:03:{:02x}:{small:02x}", number % 256),
        "bit" => bits(&type_.declared, row),
        "varbit" => format!("{:b}", 1 + row),
        "point" => format!("({number},{row})"),
        "line" => format!("{{1,2,{row}}}"),
        "lseg" => format!("[(0,0),({number},{row})]"),
        "box" => format!("({},{}),(0,0)", number + 1, row + 1),
        "path" => format!("[(0,0),({number},{row})]"),
        "polygon" => format!("((0,0),({},{row}),(1,0))", number + 1),
        "circle" => format!("<(0,{number}),{}>", row + 1),
        "tsvector" => format!("'{}':1", token(row, wanted)),
        "tsquery" => format!("'{}'", token(row, wanted)),
        "pg_lsn" => format!("0/{whole:X}"),
        "hstore" => format!("key=>{}", token(row, wanted)),
        "ltree" => format!("a.{}", token(row, wanted)),
        "regclass" => "pg_catalog.pg_class".to_owned(),
        "regtype" => "pg_catalog.int4".to_owned(),
        "regrole" => return None,
        _ => return None,
    })
}

/// A word that no other column holds.
fn token(row: usize, Wanted { column, number, .. }: Wanted<'_>) -> String {
    let plain: String = column.chars().filter(char::is_ascii_alphanumeric).take(12).collect();
    let letter = char::from(b'a' + (row % 26) as u8);
    format!("{}{number}{letter}", plain.to_ascii_lowercase())
}

fn text(row: usize, wanted: Wanted<'_>) -> String {
    let token = token(row, wanted);
    let limit = match wanted.type_.name.as_str() {
        "name" => 63,
        _ => in_parentheses(&wanted.type_.declared).and_then(|limit| limit.parse().ok()).unwrap_or(LONG),
    };
    if token.len() > limit {
        return token[token.len() - limit..].to_owned();
    }
    match wanted.is_large && row == 0 {
        true => format!("{token}{}", "x".repeat(limit.min(LONG) - token.len())),
        false => token,
    }
}

fn in_parentheses(declared: &str) -> Option<&str> {
    declared.split_once('(')?.1.split_once(')').map(|(inside, _)| inside)
}

/// With every digit after the point that it may have.
fn numeric(declared: &str, whole: usize, row: usize) -> String {
    let Some(inside) = in_parentheses(declared) else { return format!("{whole}.125") };
    let (digits, scale) = inside.split_once(',').unwrap_or((inside, "0"));
    let (Ok(digits), Ok(scale)) = (digits.parse::<usize>(), scale.parse::<usize>()) else {
        return (row + 1).to_string();
    };
    let before = digits.saturating_sub(scale);
    let whole = match before {
        0 => 0,
        1 => row + 1,
        2 | 3 => 10 + whole % 90,
        _ => whole,
    };
    let fraction: String = (row + 1).to_string().chars().chain("25".chars().cycle()).take(scale).collect();
    if scale == 0 { whole.to_string() } else { format!("{whole}.{fraction}") }
}

fn bits(declared: &str, row: usize) -> String {
    let length: usize = in_parentheses(declared).and_then(|length| length.parse().ok()).unwrap_or(1);
    (0..length).map(|at| if (at + row).is_multiple_of(2) { '1' } else { '0' }).collect()
}

fn ranges(name: &str, wanted: Wanted<'_>) -> Vec<String> {
    let subtype = match name {
        "int4range" => "int4",
        "int8range" => "int4",
        "numrange" => "numeric",
        "daterange" => "date",
        "tsrange" => "timestamp",
        "tstzrange" => "timestamptz",
        _ => return vec!["empty".to_owned()],
    };
    let subtype = Type { name: subtype.to_owned(), ..Type::default() };
    let from = |row| of_base(row, Wanted { type_: &subtype, ..wanted });
    (0..ROWS).filter_map(from).map(|from| format!("[{from},)")).collect()
}

/// What a check may ask for where a word of ours does not pass.
fn others(name: &str) -> Vec<String> {
    let others: &[&str] = match name {
        "text" | "varchar" | "bpchar" | "citext" => &[
            "ABC",
            "DEF",
            "GHI",
            "en",
            "de",
            "fr",
            "EN",
            "DE",
            "FR",
            "a",
            "b",
            "c",
            "A",
            "B",
            "C",
            "1",
            "2",
            "3",
            "12",
            "123",
            "1234",
            "12345",
            "1234567890",
            "a@example.com",
            "b@example.com",
            "c@example.com",
            "https://example.com/a",
            "https://example.com/b",
            "https://example.com/c",
            "a-b",
            "a-c",
            "a_b",
            "a.b",
            "2026-01-01",
            "12:34",
            "00000000-0000-4000-8000-000000000001",
            "192.0.2.1",
            "#aabbcc",
            "#abcdef",
            "+491234567",
            "+491234568",
            "en-GB",
            "DE89370400440532013000",
            "A1",
            "AB-123",
            "",
        ],
        "int2" | "int4" | "int8" | "numeric" | "float4" | "float8" => {
            &["1", "2", "3", "10", "50", "100", "0", "-1", "2026"]
        }
        "date" => &["2000-01-01", "2100-01-01"],
        "timestamp" | "timestamptz" => &["2000-01-01 00:00:00+00", "2100-01-01 00:00:00+00"],
        "json" | "jsonb" => &["{}", "[]", "\"a\"", "1"],
        _ => &[],
    };
    others.iter().map(|&other| other.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(name: &str, declared: &str) -> Vec<String> {
        let type_ = Type { name: name.to_owned(), declared: declared.to_owned(), ..Type::default() };
        let wanted = Wanted { type_: &type_, column: "Full Name", number: 7, is_large: true };
        candidates(wanted).into_iter().take(ROWS).collect()
    }

    #[test]
    fn values_fit_their_type() {
        assert_eq!(values("varchar", "character varying(4)"), ["me7a", "me7b", "me7c"]);
        assert_eq!(values("varchar", "character varying(12)"), ["fullname7axx", "fullname7b", "fullname7c"]);
        assert_eq!(values("text", "text")[0].len(), LONG);
        assert_eq!(values("numeric", "numeric(4,2)"), ["90.12", "91.22", "92.32"]);
        assert_eq!(values("numeric", "numeric"), ["1070.125", "1071.125", "1072.125"]);
        assert_eq!(values("int8", "bigint"), ["3000001070", "1071", "1072"]);
        assert_eq!(values("bit", "bit(3)"), ["101", "010", "101"]);
        let element = Type { name: "text".to_owned(), ..Type::default() };
        let array = Type { element: Some(Box::new(element)), ..Type::default() };
        let wanted = Wanted { type_: &array, column: "tags", number: 1, is_large: false };
        assert_eq!(candidates(wanted)[0], "{\"tags1a\"}");
    }
}
