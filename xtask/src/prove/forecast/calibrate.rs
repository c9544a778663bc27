//! How fast a server computes, so that times of one say something about another. Reads no table, writes nothing, takes a second at most.

use std::time::{Duration, Instant};

use tokio_postgres::Client;

use crate::prove::scratch::Database;
use migrator_engine::Error;
use migrator_engine::client::{failed, query, rows};
use migrator_engine::stats::Stats;

const DOING: &str = "measuring the speed of a server";

/// What is timed: hashes, an aggregate of hashes and a sort of texts, on one processor and in memory. The server takes its own time, so
/// that the way there does not count.
const QUESTION: &str = "SELECT extract(epoch FROM clock_timestamp() - statement_timestamp()) AS seconds FROM (SELECT count(*), min(m) FROM \
     (SELECT m, count(*) FROM (SELECT md5((g % 20000)::text) AS m FROM generate_series(1, 40000) g) h GROUP BY m ORDER BY m DESC OFFSET 0) s) t";

/// In one transaction that ends without a trace.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY; SET LOCAL search_path = pg_catalog, pg_temp; SET LOCAL statement_timeout = '400ms'; \
     SET LOCAL work_mem = '32MB'; SET LOCAL jit = off; SET LOCAL max_parallel_workers_per_gather = 0";

/// It is repeated for so long; the quickest counts.
const LONGEST: Duration = Duration::from_millis(500);

/// The place for which the times are meant.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Place {
    /// Its speed was measured: seconds for the question, and the bytes that it keeps in memory.
    Measured { seconds: f64, cache: f64 },
    /// Nothing is known of it but the statistics, and why.
    Unknown(String),
}

/// What the two servers' speeds say of each other.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Calibration {
    /// How much slower the target is.
    pub(crate) ratio: Option<f64>,
    /// The bytes that the target keeps in memory.
    pub(crate) cache: f64,
    /// How it was found, as a sentence.
    pub(crate) note: String,
}

/// The speed of a server; `None`: too slow for the time that is given to it.
async fn seconds(client: &Client) -> Result<Option<f64>, tokio_postgres::Error> {
    client.batch_execute(BEGIN).await?;
    let begun = Instant::now();
    let mut quickest: Option<f64> = None;
    while begun.elapsed() < LONGEST {
        let Ok(messages) = client.simple_query(QUESTION).await else { break };
        let took = rows(messages).first().and_then(|row| row.get("seconds")?.parse::<f64>().ok());
        quickest = took.map(|took| quickest.map_or(took, |least| least.min(took))).or(quickest);
    }
    client.batch_execute("ROLLBACK").await?;
    Ok(quickest)
}

impl Place {
    /// Measures the target, if the statistics are of that database; `is_own`: it is the workspace's own server.
    ///
    /// # Errors
    /// A lost connection.
    pub(crate) async fn of(client: &Client, stats: &Stats, is_own: bool) -> Result<Place, Error> {
        if is_own {
            return Ok(Place::Unknown("the workspace's own server is not where the statistics come from".to_owned()));
        }
        let question = "SELECT current_database() AS database, current_setting('server_version') AS server, \
             pg_size_bytes(current_setting('effective_cache_size'))::text AS cache";
        let found = query(client, DOING, question).await?;
        let of = |column: &str| found.first().and_then(|row| row.get(column)).unwrap_or_default().to_owned();
        if (of("database"), of("server")) != (stats.database.clone(), stats.server.clone()) {
            return Ok(Place::Unknown(format!(
                "the statistics are of `{}` on PostgreSQL {}, the connection is to `{}` on {}",
                stats.database,
                stats.server,
                of("database"),
                of("server")
            )));
        }
        Ok(match seconds(client).await.map_err(|error| failed(DOING, error))? {
            Some(seconds) => Place::Measured { seconds, cache: of("cache").parse().unwrap_or(0.0) },
            None => Place::Unknown("the server did not answer the question for its speed in 400 ms".to_owned()),
        })
    }

    /// Compares it with the scratch server.
    ///
    /// # Errors
    /// A lost connection.
    pub(super) async fn compare(&self, scratch: &Database) -> Result<Calibration, Error> {
        let own = seconds(scratch.locked.client()).await.map_err(|error| failed(DOING, error))?;
        let not = |reason: &str| Calibration {
            ratio: None,
            // As a small server has it.
            cache: 1e9,
            note: format!("not calibrated ({reason}): the intervals are twice as wide on each side"),
        };
        Ok(match (self, own) {
            (Place::Unknown(reason), _) => not(reason),
            (Place::Measured { .. }, None) => not("the scratch server is too slow to be measured"),
            (Place::Measured { seconds, cache }, Some(own)) => {
                let ratio = (seconds / own.max(1e-6)).clamp(0.02, 50.0);
                let words = match ratio {
                    ratio if ratio >= 1.0 => format!("{ratio:.2} times slower than the scratch server"),
                    ratio => format!("{:.2} times faster than the scratch server", 1.0 / ratio),
                };
                Calibration { ratio: Some(ratio), cache: *cache, note: format!("calibrated: the target is {words}") }
            }
        })
    }
}
