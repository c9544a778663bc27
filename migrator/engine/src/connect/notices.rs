//! Where the notices of a connection go.

use std::sync::Arc;

use tokio_postgres::error::DbError;

/// Receives the server's notices and warnings as they arrive.
pub(crate) type NoticeSink = Arc<dyn Fn(&DbError) + Send + Sync>;
