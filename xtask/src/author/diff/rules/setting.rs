//! A setting of the database, whose name no file knows.

use migrator_engine::client::{identifier, literal, unquoted};
use migrator_engine::facts::Difference;

use crate::author::diff::key::{Key, pieces};
use crate::author::diff::work::Work;

/// Settings whose value is a list of names, which the server keeps in quotes where they need some.
const LISTS: &[&str] = &[
    "local_preload_libraries",
    "search_path",
    "session_preload_libraries",
    "shared_preload_libraries",
    "temp_tablespaces",
    "unix_socket_directories",
];

pub(super) fn differs(work: &mut Work<'_>, key: &Key, difference: &Difference) {
    let (whose, name) = key.part.rsplit_once(' ').unwrap_or(("", &key.part));
    let of = match whose.strip_prefix("FOR ROLE ") {
        Some(role) => format!("ALTER ROLE {} IN DATABASE %I", role.replace('%', "%%")),
        None => "ALTER DATABASE %I".to_owned(),
    };
    let change = match &difference.found {
        Some(value) => format!("SET {} = {}", identifier(name), written(name, value)).replace('%', "%%"),
        None => format!("RESET {}", identifier(name)).replace('%', "%%"),
    };
    let text = literal(&format!("{of} {change}"));
    // A value may hold what would end the block.
    let tag = (0..).map(|number| format!("$setting{}$", if number == 0 { String::new() } else { number.to_string() }));
    let tag = tag.into_iter().find(|tag| !text.contains(tag.as_str())).unwrap_or_default();
    let sql = format!("DO {tag}\nBEGIN\n    EXECUTE format({}, current_database());\nEND;\n{tag}", text.trim_start());
    work.finish.push((key.clone(), sql));
}

fn written(name: &str, value: &str) -> String {
    match LISTS.contains(&name) {
        true if !value.is_empty() => {
            pieces(value, ",").into_iter().map(|one| literal(&unquoted(one.trim()))).collect::<Vec<_>>().join(", ")
        }
        _ => literal(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_names_stays_one() {
        let check = |name, value, expected: &str| assert_eq!(written(name, value), expected);
        check("search_path", "app, \"Odd, one\", \"$user\"", "'app', 'Odd, one', '$user'");
        check("search_path", "\"\"", "''");
        check("datestyle", "ISO, DMY", "'ISO, DMY'");
    }
}
