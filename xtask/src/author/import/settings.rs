//! Changes values in db/migrator.toml, and leaves every other character as it is.

/// The text with `key = "value"` in the table `section`.
pub(crate) fn set(text: &str, section: &str, key: &str, value: &str) -> String {
    if text.contains("\r\n") {
        return set(&text.replace("\r\n", "\n"), section, key, value).replace('\n', "\r\n");
    }
    let entry = format!("{key} = \"{value}\"");
    let lines: Vec<&str> = text.lines().collect();
    let header = format!("[{section}]");
    let is_header = |line: &&str| line.split('#').next().unwrap_or_default().trim() == header;
    let Some(start) = lines.iter().position(is_header) else {
        let gap = if text.is_empty() || text.ends_with("\n\n") { "" } else { "\n" };
        let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        return format!("{text}{end}{gap}{header}\n{entry}\n");
    };
    let end = lines
        .iter()
        .skip(start + 1)
        .position(|line| line.trim_start().starts_with('['))
        .map_or(lines.len(), |at| start + 1 + at);
    let sets = |line: &str, prefix: &str| {
        let rest = line.trim_start().strip_prefix(prefix).map(str::trim_start);
        rest.and_then(|rest| rest.strip_prefix(key)).is_some_and(|rest| rest.trim_start().starts_with('='))
    };
    let inside = || lines.iter().enumerate().take(end).skip(start + 1);
    let mut changed: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    if let Some((at, line)) = inside().find(|(_, line)| sets(line, "")) {
        // A comment after the value stays.
        let comment = line.split_once(" #").map(|(_, comment)| format!(" #{comment}")).unwrap_or_default();
        changed[at] = format!("{entry}{comment}");
    } else {
        // The commented default is the place for it.
        let after = inside().find(|(_, line)| sets(line, "#")).map_or(start, |(at, _)| at);
        changed.insert(after + 1, entry);
    }
    changed.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::set;

    #[test]
    fn only_the_one_value_changes() {
        let said = |text: &str| set(text, "check", "start_after", "007");
        assert_eq!(said(""), "[check]\nstart_after = \"007\"\n");
        assert_eq!(said("[drift]\nowners = true"), "[drift]\nowners = true\n\n[check]\nstart_after = \"007\"\n");
        assert_eq!(
            said("[check]\nstart_after='1' # old\n[drift]\n"),
            "[check]\nstart_after = \"007\" # old\n[drift]\n"
        );
        assert_eq!(
            said(
                "# a\n[check] # b\n# Default: none.\n# start_after = \"001\"\n# allow = []\n\n[drift]\n# start_after = 1\n"
            ),
            "# a\n[check] # b\n# Default: none.\n# start_after = \"001\"\nstart_after = \"007\"\n# allow = []\n\n[drift]\n# start_after = 1\n"
        );
        assert_eq!(said("[check]\r\n"), "[check]\r\nstart_after = \"007\"\r\n");
        assert_eq!(said("[check]\nallow = []\n"), "[check]\nstart_after = \"007\"\nallow = []\n");
    }
}
