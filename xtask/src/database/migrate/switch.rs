//! Variables that are switches.

use anyhow::Result;

use crate::output;

/// What a variable says that is a switch, in the words that the migrator's own switches take.
pub(super) fn switched_on(name: &str, value: Option<&str>) -> Result<bool> {
    match value.map(str::to_lowercase).as_deref() {
        None | Some("0" | "false" | "f" | "no" | "n" | "off") => Ok(false),
        Some("1" | "true" | "t" | "yes" | "y" | "on") => Ok(true),
        Some(other) => {
            Err(output::Usage(format!("invalid value `{other}` for `{name}`\nhelp: set it to `true` or `false`"))
                .into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "MIGRATOR_NO_DUMP";

    #[test]
    fn a_switch_in_the_environment_is_on_off_or_an_error() {
        for (value, expected) in [(None, false), (Some("1"), true), (Some("True"), true), (Some("0"), false)] {
            assert_eq!(switched_on(NAME, value).unwrap(), expected, "{value:?}");
        }
        let error = switched_on(NAME, Some("perhaps")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "invalid value `perhaps` for `MIGRATOR_NO_DUMP`\nhelp: set it to `true` or `false`"
        );
        assert!(error.is::<output::Usage>());
    }
}
