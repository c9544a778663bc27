//! The backend on a throwaway server: a dev-dependency on servers is not one on migrations.

use std::process::Command;

use migrator_postgres::TemporaryServer;
use tokio_postgres::NoTls;

#[tokio::test]
async fn prints_the_books_that_are_out() -> Result<(), Box<dyn std::error::Error>> {
    let server = TemporaryServer::start()?;
    let url = server.url("postgres");
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await?;
    tokio::spawn(connection);
    client
        .batch_execute("CREATE VIEW open_loans AS SELECT 'R-2' shelf_mark, 'Bread' title, 'Åsa' reader, '2026-01-02'::date due_on")
        .await?;
    let output = Command::new(env!("CARGO_BIN_EXE_backend")).env("DATABASE_URL", &url).output()?;
    assert_eq!(String::from_utf8(output.stdout)?, "R-2 Bread: Åsa, until 2026-01-02\n");
    Ok(())
}
