//! The name of a new file.

use anyhow::Result;

use crate::output::Usage;

/// A name that a file can have on every system and that dbmate takes too: letters of other scripts become ASCII.
pub(super) fn clean(typed: &str) -> Result<String> {
    let spelled = deunicode::deunicode(typed);
    let replaced: String = spelled.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let words: Vec<&str> = replaced.split('_').filter(|word| !word.is_empty()).collect();
    if words.is_empty() {
        let message =
            format!("`{typed}` has no letter or digit that a file name can have\nhelp: use A-Z, a-z, 0-9 and _");
        return Err(Usage(message).into());
    }
    Ok(words.join("_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cleans_a_name_to_what_every_file_system_takes() {
        for (typed, expected) in [
            ("add_users_locale", "add_users_locale"),
            ("add users' locale", "add_users_locale"),
            ("  Größe -- ändern ", "Grosse_andern"),
            ("Ügyfél törlése", "Ugyfel_torlese"),
            ("добавить_адрес", "dobavit_adres"),
            ("πελάτες", "pelates"),
            ("添加用户", "Tian_Jia_Yong_Hu"),
            ("../../etc/passwd", "etc_passwd"),
        ] {
            assert_eq!(clean(typed).unwrap(), expected);
        }
        assert!(clean("--\u{200b}..").unwrap_err().is::<Usage>());
    }
}
