//! Who runs what.

use sha2::{Digest as _, Sha256};

/// Who runs what: the columns that all events of a run share.
#[derive(Debug, Clone, Default)]
pub(crate) struct Run {
    /// Random, one per run.
    pub id: String,
    /// `user@host` of the process.
    pub actor: String,
    /// The person who approved it, if any.
    pub approved_by: Option<String>,
    /// The backup that was made before it, and where it is, if anyone has said so.
    pub backup_reference: Option<String>,
    /// The digest of the plan.
    pub plan_digest: Option<String>,
    /// The release of the binary.
    pub release: String,
    /// The process on the server that has taken the lock.
    pub backend: i32,
}

impl Run {
    /// A run of this process, whose lock that process on the server has taken.
    pub(crate) fn new(release: &str, backend: i32) -> Run {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let seed = format!("{} {} {:p}", now.as_nanos(), std::process::id(), &now);
        // A pipeline says who it is; else the account does, unless a container runs as a user that it does not know.
        let user = std::env::var("USER").or_else(|_| whoami::username()).unwrap_or_else(|_| "unknown".into());
        let host = whoami::hostname().unwrap_or_else(|_| "unknown".into());
        Run {
            id: hex::encode(&Sha256::digest(seed)[..8]),
            actor: format!("{user}@{host}"),
            release: release.to_owned(),
            backend,
            ..Run::default()
        }
    }
}
