//! libpq's password file: `host:port:database:user:password`, `*` for any, `\` before `:` and `\`.

use std::path::Path;

/// The file's text, or why it is not read; `None` if it does not exist.
pub(super) fn read(file: &Path) -> Option<Result<String, String>> {
    let metadata = file.metadata().ok()?;
    if !metadata.is_file() {
        return Some(Err(format!("ignoring the password file `{}`: it is not a plain file", file.display())));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        if metadata.permissions().mode() & 0o077 != 0 {
            return Some(Err(format!(
                "ignoring the password file `{}`: other users can read it; `chmod 600` it",
                file.display()
            )));
        }
    }
    let text = std::fs::read_to_string(file);
    Some(text.map_err(|error| format!("cannot read the password file `{}`: {error}", file.display())))
}

/// The password of the first line that fits host, port, database and user.
pub(super) fn password(text: &str, wanted: [&str; 4]) -> Option<String> {
    text.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let mut fields = split(line);
        let password = if fields.len() == 5 { fields.pop()? } else { return None };
        let fits = fields.iter().zip(wanted).all(|(field, wanted)| field == "*" || field == wanted);
        fits.then_some(password)
    })
}

/// At most five fields: a colon in the password needs no escape.
fn split(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        let character = match character {
            '\\' => characters.next().unwrap_or('\\'),
            ':' if fields.len() < 5 => {
                fields.push(String::new());
                continue;
            }
            other => other,
        };
        if let Some(field) = fields.last_mut() {
            field.push(character);
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_fits_gives_the_password() {
        let wanted = ["db", "6432", "crm", "deploy"];
        let text = "# comment\ndb:5432:*:*:wrong\n*:*:crm:deploy:a\\:b\\\\c:d\ndb:6432:crm:deploy:late\n";
        assert_eq!(password(text, wanted).as_deref(), Some("a:b\\c:d"));
        assert_eq!(password("db:6432:other:deploy:x\n", wanted), None);
    }
}
