//! libpq's password file: `host:port:database:user:password`, `*` for any, `\` before `:` and `\`.

use std::path::Path;

use tokio_postgres::Config;
use tokio_postgres::config::Host;

/// The password of the first line that fits; `None` also for a file that others may read, as libpq has it.
pub(super) fn password(file: &Path, config: &Config) -> Option<String> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        if file.metadata().ok()?.permissions().mode() & 0o077 != 0 {
            return None;
        }
    }
    find(&std::fs::read_to_string(file).ok()?, config)
}

fn find(text: &str, config: &Config) -> Option<String> {
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(name)) => name.clone(),
        _ => "localhost".to_owned(),
    };
    let port = config.get_ports().first().copied().unwrap_or(5432).to_string();
    let wanted = [host.as_str(), &port, config.get_dbname().unwrap_or_default(), config.get_user().unwrap_or_default()];
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
        let config: Config = "host=db port=6432 dbname=crm user=deploy".parse().unwrap();
        let text = "# comment\ndb:5432:*:*:wrong\n*:*:crm:deploy:a\\:b\\\\c:d\ndb:6432:crm:deploy:late\n";
        assert_eq!(find(text, &config).as_deref(), Some("a:b\\c:d"));
        assert_eq!(find("db:6432:other:deploy:x\n", &config), None);
    }
}
