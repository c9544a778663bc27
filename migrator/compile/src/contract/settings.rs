//! M041: an unknown key or an invalid value in `migrator.toml`.

use crate::code::Meaning;
use crate::contract::keys::{Mistake, mistake};
use crate::duration;
use crate::facts::FACT_KINDS;
use crate::nearest::nearest;
use crate::rule::Rule;

pub(crate) const RULE: Rule = Rule::reading(&Meaning::error("M041", "invalid setting"));

pub(crate) fn not_a_duration(key: &str, text: &str) -> Mistake {
    mistake(format!("invalid duration `{text}` for `{key}`"), duration::FORM.to_owned())
}

/// A limit of `[budget]` that is not a duration.
pub(crate) fn not_a_time(key: &str, text: &str) -> Mistake {
    let help = "write a whole number and `ms`, `s`, `min` or `h`, such as `500ms`, `0` for not at all, or leave the key out for no limit";
    mistake(format!("invalid duration `{text}` for `{key}`"), help.to_owned())
}

/// A value that is not one of the choices; `shown` is the value or its type.
pub(crate) fn not_a_choice(key: &str, shown: &str, choices: &[&str]) -> Mistake {
    let help = format!("write one of `\"{}\"`", choices.join("\"`, `\""));
    mistake(format!("invalid value {shown} for `{key}`"), help)
}

/// The name of a schema or table that is longer than `longest` bytes, or that contains a `.` or a quote.
pub(crate) fn not_a_name(key: &str, text: &str, longest: usize) -> Mistake {
    let help = format!("write 1 to {longest} bytes without `.` and `\"`: schema and table have separate keys");
    mistake(format!("invalid name `{text}` for `{key}`"), help)
}

/// An empty text where leaving the key out is meant.
pub(crate) fn empty(key: &str) -> Mistake {
    mistake(format!("empty value for `{key}`"), format!("write a value, or remove `{key}`"))
}

pub(crate) fn not_a_version(text: &str) -> Mistake {
    let help = "write the digits at the start of a file name, such as `\"001\"`".to_owned();
    mistake(format!("invalid version `{text}`"), help)
}

/// A hazard rule that does not exist; `help` says which one may be meant.
pub(crate) fn no_such_rule(rule: &str, help: String) -> Mistake {
    mistake(format!("unknown rule `{rule}`"), help)
}

/// Checks a pattern: one of another form would silently ignore nothing.
pub(crate) fn pattern(pattern: &str) -> Option<Mistake> {
    let kind = pattern.split_once(' ').filter(|(_, name)| !name.trim().is_empty()).map(|(kind, _)| kind);
    if kind == Some("*") || kind.is_some_and(|kind| FACT_KINDS.contains(&kind)) {
        return None;
    }
    let help = match kind.and_then(|kind| nearest(kind, FACT_KINDS.iter().copied())) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => "write the kind of object and its name, such as `\"table core.tmp_*\"`; the lines of `schema.facts.<major>` \
                 show both"
            .to_owned(),
    };
    Some(mistake(format!("pattern `{pattern}` matches nothing that drift compares"), help))
}

#[cfg(test)]
mod tests;
