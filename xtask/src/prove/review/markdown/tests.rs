use std::time::Duration;

use migrator_engine::facts::Difference;

use super::*;
use crate::prove::review::parts::{Losses, Release, RolledBack};
use crate::prove::trace::Waits;

const HOSTILE: &str = "@team | `x`\n```\n</details><script>alert(1)</script> <!-- [a](javascript:b) ![i](https://c.example/d.png) #7 \u{202e}";

fn step(label: &str, sql: &'static str) -> Step {
    let wait = Wait {
        statement: 1,
        line: 2,
        waits: Waits::ReadsAndWrites,
        words: format!("AccessExclusiveLock on {HOSTILE}"),
    };
    let fact = Difference {
        object: HOSTILE.to_owned(),
        kind: "column".to_owned(),
        part: HOSTILE.to_owned(),
        expected: None,
        found: Some(HOSTILE.to_owned()),
    };
    Step {
        label: label.to_owned(),
        file: "db/migrations/002_@x|y`.sql",
        how: "in one transaction".to_owned(),
        sql,
        waits: Some(vec![wait]),
        forecast: None,
        found: Vec::new(),
        accepted: vec![(3, HOSTILE.to_owned())],
        breaks: vec![finding(label)],
        losses: Some(Losses { any: true, lines: vec![HOSTILE.to_owned()] }),
        schema: Schema::Differs(vec![fact]),
        rollback: Some(RolledBack { mark: Mark::Bad, what: "the rollback fails", lines: vec![HOSTILE.to_owned()] }),
    }
}

fn finding(by: &str) -> Finding {
    Finding {
        name: Some(HOSTILE.to_owned()),
        places: vec![HOSTILE.to_owned()],
        text: None,
        codes: vec!["42703".to_owned()],
        migration: Some(by.to_owned()),
        sentence: HOSTILE.to_owned(),
        allowed: None,
    }
}

fn review(steps: Vec<Step>) -> Review {
    let verdict = Verdict {
        name: "round trip",
        mark: Mark::Bad,
        word: "FAILED",
        lines: vec![HOSTILE.to_owned(), HOSTILE.to_owned()],
        time: Duration::ZERO,
    };
    let release = Release { name: HOSTILE.to_owned(), is_empty: false, findings: vec![finding("elsewhere")] };
    let repeatable =
        Repeatable { name: HOSTILE.to_owned(), file: HOSTILE.to_owned(), sql: HOSTILE.to_owned(), is_new: false };
    Review {
        about: vec![("Branch", HOSTILE.to_owned())],
        verdicts: vec![verdict],
        release: Some(release),
        steps,
        repeatables: vec![repeatable],
        limit: 0.5,
    }
}

/// What a host reads as Markdown: without the fences and what is in them. Panics where a fence is not closed.
fn outside_of_fences(text: &str) -> String {
    let (mut outside, mut open) = (String::new(), None::<String>);
    for line in text.lines() {
        let ticks: String = line.chars().take_while(|c| *c == '`').collect();
        match &open {
            Some(fence) if ticks.len() >= fence.len() && ticks.len() == line.trim_end().len() => open = None,
            Some(_) => {}
            None if ticks.len() >= 3 => open = Some(ticks),
            None => outside.push_str(&format!("{line}\n")),
        }
    }
    assert_eq!(open, None, "{text}");
    outside
}

#[test]
fn nothing_from_outside_is_markup_or_a_name() {
    let text = review(vec![step(HOSTILE, HOSTILE)]).markdown();
    let outside = outside_of_fences(&text);
    for hostile in ["@team", "<script", "</details><s", "<!--", "](", "| ", "#7", "://c", "\u{202e}", "`"] {
        assert!(!outside.contains(hostile), "{hostile} in {outside}");
    }
    // Neither is what would be a name once a host has read the entities, unless it is code.
    let without_code: String = outside
        .split("<code>")
        .enumerate()
        .map(|(at, part)| if at == 0 { part } else { part.split_once("</code>").unwrap().1 })
        .collect();
    assert!(!without_code.contains("&#64;t") && !without_code.contains("&#35;7"), "{without_code}");
    for tag in ["<details>", "<summary>"] {
        let closing = tag.replace('<', "</");
        assert_eq!(outside.matches(tag).count(), outside.matches(&closing).count(), "{outside}");
    }
    assert!(!text.contains('\u{202e}'), "{text}");
    assert!(text.starts_with("1 new migration: +1 column; 1 repeatable changed: <code>"), "{text}");
}

#[test]
fn a_whole_review_is_within_the_limit_and_says_what_it_leaves_out() {
    let sql: &'static str = Box::leak("ALTER TABLE core.users ADD COLUMN x text; -- @x\n".repeat(200).into_boxed_str());
    let steps =
        |count: usize| (1..=count).map(|n| step(&format!("{n:03}_add_a_column_with_a_long_name"), sql)).collect();
    let text = review(steps(200)).markdown();
    assert!(text.len() <= LIMIT - OTHERS, "{}", text.len());
    assert!(text.starts_with("200 new migrations: "), "{text}");
    assert!(text.contains("001_add") && text.contains("200_add"), "{text}");
    let said = "**Left out**, since a comment has at most 65,536 characters: ";
    let said = text.lines().find_map(|line| line.strip_prefix(said)).unwrap_or_else(|| panic!("{text}"));
    assert!(said.starts_with("the details of ") && said.contains(", the SQL of "), "{said}");
    let text = review(steps(5_000)).markdown();
    assert!(text.len() <= LIMIT - OTHERS && text.contains(" of 5001 files altogether"), "{}", text.len());
    outside_of_fences(&text);
    assert!(!review(steps(2)).markdown().contains("Left out"));
}

#[test]
fn even_the_worst_texts_leave_room() {
    let bad: String = "@&#`|<>*".repeat(20_000);
    let mut review = review(Vec::new());
    for verdict in 0..14 {
        let lines = vec![bad.clone(); 300 + verdict];
        review.verdicts.push(Verdict { name: "locks", mark: Mark::Bad, word: "FAILED", lines, time: Duration::ZERO });
    }
    let findings = (0..500).map(|_| Finding { sentence: bad.clone(), name: Some(bad.clone()), ..finding("elsewhere") });
    review.release = Some(Release { name: bad.clone(), is_empty: false, findings: findings.collect() });
    review.repeatables =
        (0..50).map(|_| Repeatable { name: bad.clone(), file: bad.clone(), sql: bad.clone(), is_new: true }).collect();
    let text = review.markdown();
    assert!(text.len() <= LIMIT - OTHERS, "{}", text.len());
    outside_of_fences(&text);
}

#[test]
fn a_review_without_anything_new_says_so() {
    let review = Review { limit: 0.5, ..Review::default() };
    assert_eq!(review.markdown(), "no new migration\n\n");
}
