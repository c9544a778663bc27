//! Whether the committed schema is what the migrations give. pg_dump answers that, and this program has none: who called it has
//! asked, and hands over what came out.

use std::time::Duration;

use serde::Deserialize;

use super::{Answer, Verdict};
use crate::error::Error;

/// `{"verdict":"ok|failed|not asked","lines":["..."],"ms":12}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Outcome {
    verdict: Word,
    /// One line, then what belongs to it.
    lines: Vec<String>,
    /// How long it took, in milliseconds.
    ms: u64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    Ok,
    Failed,
    #[serde(rename = "not asked")]
    NotAsked,
}

/// The answer and how long it took to get it.
///
/// # Errors
/// What was handed over is of another form.
pub(super) fn handed_over(outcome: Option<&str>) -> Result<(Answer, Duration), Error> {
    let Some(outcome) = outcome else {
        return Ok(((Verdict::NotAsked, vec!["`cargo xtask verify` asks it".to_owned()]), Duration::ZERO));
    };
    let outcome: Outcome = serde_json::from_str(outcome).map_err(|error| {
        Error::usage(format!("cannot read what `--schema` says of the committed schema: {error}"))
            .help("leave it to `cargo xtask verify`, of the same release as the engine")
    })?;
    let verdict = match outcome.verdict {
        Word::Ok => Verdict::Ok,
        Word::Failed => Verdict::Failed,
        Word::NotAsked => Verdict::NotAsked,
    };
    Ok(((verdict, outcome.lines), Duration::from_millis(outcome.ms)))
}
