//! M006: two migrations with the same version, compared as numbers.

use crate::code::Meaning;
use crate::file::Name;
use crate::problem::Problem;
use crate::rule::Rule;

pub(crate) const RULE: Rule = Rule::names(&Meaning::error("M006", "duplicate version"), check);

fn check(names: &[(&Name, &str)], problems: &mut Vec<Problem>) {
    let newest = names.last().map(|(name, _)| name);
    let width = newest.map_or(0, |name| name.version.len());
    let mut free = newest.and_then(|name| name.number.checked_add(1));
    for pair in names.windows(2) {
        let [(a, first), (b, second)] = pair else { continue };
        if a.number != b.number {
            continue;
        }
        let message = if a.version == b.version {
            format!("version `{}` is used by both `{first}` and `{second}`", a.version)
        } else {
            format!("`{}` and `{}` are the same version: `{first}` and `{second}`", a.version, b.version)
        };
        let help = match free {
            Some(free) => format!(
                "rename the one that has not been applied anywhere, for example `{}` to `{free:0width$}_{}.sql`",
                second.rsplit('/').next().unwrap_or_default(),
                b.name
            ),
            None => "rename the one that has not been applied anywhere to another version".to_owned(),
        };
        free = free.and_then(|free| free.checked_add(1));
        problems.push(Problem::whole(RULE.code, second, message, help));
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use crate::testing::{PLAIN, check_directory};

    #[test]
    fn refuses_a_version_used_twice() {
        check_directory(
            &[("db/migrations/001_a.sql", PLAIN), ("db/migrations/001_b.sql", PLAIN), ("db/migrations/1_c.sql", PLAIN)],
            expect![[r#"
                []
                Error db/migrations/001_b.sql: version `001` is used by both `db/migrations/001_a.sql` and `db/migrations/001_b.sql` [M006]; help: rename the one that has not been applied anywhere, for example `001_b.sql` to `2_b.sql`
                Error db/migrations/1_c.sql: `001` and `1` are the same version: `db/migrations/001_b.sql` and `db/migrations/1_c.sql` [M006]; help: rename the one that has not been applied anywhere, for example `1_c.sql` to `3_c.sql`"#]],
        );
    }
}
