//! M054: files that dbmate applies in another order: it sorts file names as text, and `10_x` comes before `9_y`.

use crate::code::Meaning;
use crate::file::Name;
use crate::problem::Problem;
use crate::rule::Rule;

pub(crate) const RULE: Rule = Rule::names(&Meaning::dbmate("M054", "dbmate: order of files"), check);

/// Reports the first pair.
fn check(names: &[(&Name, &str)], problems: &mut Vec<Problem>) {
    // A duplicate version is an error of its own, and fixing it may change the order.
    if names.windows(2).any(|pair| pair[0].0.number == pair[1].0.number) {
        return;
    }
    let base = |file: &str| file.rsplit('/').next().unwrap_or_default().to_owned();
    let turned = names.windows(2).find(|pair| base(pair[0].1) > base(pair[1].1));
    let Some([(name, earlier), (_, later)]) = turned else { return };
    let message = format!("dbmate applies `{}` before `{}`: it sorts file names as text", base(later), base(earlier));
    let width = names.iter().map(|(name, _)| name.version.len()).max().unwrap_or_default();
    let help = format!(
        "use {width} digits in all versions that have not been applied anywhere: rename `{}` to `{:0width$}_{}.sql`",
        base(earlier),
        name.number,
        name.name
    );
    problems.push(Problem::whole(RULE.code, later, message, help));
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::read::names;

    #[test]
    fn file_names_are_text_to_dbmate() {
        let order = |files: &[&str]| {
            let names: Vec<(Name, String)> = files
                .iter()
                .map(|file| (names::migration(file, file).unwrap(), format!("db/migrations/{file}")))
                .collect();
            let names: Vec<(&Name, &str)> = names.iter().map(|(name, file)| (name, file.as_str())).collect();
            let mut problems = Vec::new();
            check(&names, &mut problems);
            problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
        };
        expect!["db/migrations/10_c.sql: dbmate applies `10_c.sql` before `9_b.sql`: it sorts file names as text [M054]; help: use 3 digits in all versions that have not been applied anywhere: rename `9_b.sql` to `009_b.sql`"].assert_eq(&order(&["8_a.sql", "9_b.sql", "10_c.sql", "100_d.sql"]));
        expect![""].assert_eq(&order(&["01_a.sql", "02_b.sql", "10_c.sql"]));
    }
}
