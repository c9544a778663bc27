//! What differs from run to run in what a page shows, and what stands for it there.

use crate::support::{INDEX_BUILD, normalise_line};

/// Texts of this machine, and what a reader has in their place.
pub(super) type Names = Vec<(String, &'static str)>;

/// What was said, as a page can show it.
pub(super) fn presentable(said: &str, names: &Names) -> String {
    let text = names.iter().fold(said.to_owned(), |text, (own, theirs)| text.replace(own, theirs));
    // On a slow machine it has waited, or built, long enough to say so.
    let lines = text.lines().filter(|line| !line.contains(INDEX_BUILD) && !line.contains(": waits for a lock: "));
    lines.map(|line| without_actor(line).trim_end().to_owned() + "\n").collect()
}

/// Who runs the tests, and where, is `deploy@ci`, or shorter.
fn without_actor(line: &str) -> String {
    // In a line with a date; elsewhere it may be an address.
    if !line.split(' ').any(|word| word.len() == 10 && word.split('-').map(str::len).eq([4, 2, 2])) {
        return line.to_owned();
    }
    let is_actor = |word: &&str| {
        word.split_once('@')
            .is_some_and(|(user, host)| !user.is_empty() && !host.is_empty() && !word.contains(['/', ':']))
    };
    match line.split(' ').find(is_actor) {
        // As long as it is, so that a table stays one.
        Some(actor) => {
            let stands =
                ["deploy@ci", "ada@ci", "a@b"].into_iter().find(|name| name.len() <= actor.len()).unwrap_or("a@b");
            line.replace(actor, &format!("{stands:<0$}", actor.len()))
        }
        None => line.to_owned(),
    }
}

/// Whether two outputs are of the same kind of run: times, process numbers, checksums and releases of the server may differ.
pub(super) fn are_alike(shown: &str, said: &str) -> bool {
    normalised(shown) == normalised(said)
}

fn normalised(text: &str) -> Vec<String> {
    let known = |line: &str| spaced(&normalise_line(&without_id(&without_actor(line))));
    let mut lines: Vec<String> = text.lines().map(known).collect();
    // Names of another length.
    lines
        .iter_mut()
        .for_each(|line| *line = line.replace("deploy@ci", "WHO").replace("ada@ci", "WHO").replace("a@b", "WHO"));
    // How often it was tried depends on how long it took.
    lines.dedup_by(|line, before| line == before && line.contains("retrying in"));
    lines
}

/// The width of a column follows what was replaced.
fn spaced(line: &str) -> String {
    let indent = line.len() - line.trim_start().len();
    let words: Vec<&str> = line.split_whitespace().collect();
    format!("{}{}", &line[..indent], words.join(" "))
}

/// The release of the server in the name of a file, and the digits of a run and of a plan.
fn without_id(line: &str) -> String {
    // Who notices first that a session is gone, the client or the server, depends on the moment.
    let line = line.replace("terminating connection due to administrator command [57P01]", "connection closed");
    let is_id = |word: &str| {
        [8, 12].contains(&word.len())
            && word.bytes().all(|b| b.is_ascii_hexdigit())
            && word.bytes().any(|b| b.is_ascii_digit())
    };
    let word = |word: &str| match word.split_once("facts.") {
        Some((before, _)) => format!("{before}facts.MAJOR"),
        None if is_id(word) => "ID".to_owned(),
        None => word.to_owned(),
    };
    line.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

#[test]
fn only_what_may_differ_is_overlooked() {
    assert!(are_alike("applied 001_a (4 ms)\nheld by pid 17 (x)", "applied 001_a (12 ms)\nheld by pid 4711 (x)"));
    assert!(are_alike("retrying in 100 ms\ndone", "retrying in 200 ms\nretrying in 400 ms\ndone"));
    assert!(are_alike(
        "001  a  applied  2026-11-20 14:02:31 UTC  4 ms",
        "001  a  applied  2026-11-27 15:12:01 UTC  1.2 s"
    ));
    for said in ["applied 002_a (4 ms)", "applied 001_a (4 ms)\nmore", ""] {
        assert!(!are_alike("applied 001_a (4 ms)", said), "{said}");
    }
    let names = vec![("/tmp/x:5433".to_owned(), "db1:5432")];
    assert_eq!(
        presentable("/tmp/x:5433 is here \nto ada@example.com", &names),
        "db1:5432 is here\nto ada@example.com\n"
    );
    assert_eq!(presentable("2026-11-27 14:02 UTC by root@vm  x", &names), "2026-11-27 14:02 UTC by ada@ci   x\n");
}
