//! Waiting for something that another process does.

use super::Project;

/// Asks again and again until the answer is `t`; panics after a minute, which no machine needs.
pub(crate) fn wait_until(project: &Project, question: &str) {
    for _ in 0..600 {
        if project.query(question) == "t\n" {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("still not so: {question}");
}

/// Waits until a session of the project's database is in `pg_sleep`. Not by the text of its query: a row of the history holds such a text
/// too.
pub(crate) fn wait_until_asleep(project: &Project) {
    wait_until(
        project,
        "SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'",
    );
}
