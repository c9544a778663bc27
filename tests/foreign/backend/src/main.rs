//! Prints which books are out. It reads tables, and creates or changes none.

use tokio_postgres::{Client, Error, NoTls};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::var("DATABASE_URL").map_err(|_| "DATABASE_URL is not set")?;
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await?;
    tokio::spawn(connection);
    for line in open_loans(&client).await? {
        println!("{line}");
    }
    Ok(())
}

async fn open_loans(client: &Client) -> Result<Vec<String>, Error> {
    let query = "SELECT shelf_mark, title, reader, due_on::text FROM open_loans ORDER BY due_on, shelf_mark";
    let rows = client.query(query, &[]).await?;
    let line = |row: &tokio_postgres::Row| {
        let [shelf_mark, title, reader, due_on] = [0, 1, 2, 3].map(|column| row.get::<_, String>(column));
        format!("{shelf_mark} {title}: {reader}, until {due_on}")
    };
    Ok(rows.iter().map(line).collect())
}
