//! What all databases of a server share: roles, memberships, settings, tablespaces, ... A run that makes them in one scratch database
//! would find them there in the next: they are its own, and are gone with the database.

use std::collections::BTreeMap;

use tokio_postgres::Client;

use migrator_engine::Error;
use migrator_engine::client::{literal, query, said};
use migrator_engine::embedded::Embedded;

/// What is there before others: a role cannot go while a database of its own is there.
const INDEPENDENT: [&str; 5] = ["database", "replication slot", "replication origin", "tablespace", "role"];

/// An object or a property of one.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Shared {
    /// Whose it is: a word that a file must say to have made it.
    names: Vec<String>,
    /// Brings it about; empty: it cannot be brought back.
    make: String,
    /// Takes it away; empty: it goes with another.
    unmake: String,
}

/// All of it at one moment, by kind and key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Snapshot(BTreeMap<(String, String), Shared>);

impl Snapshot {
    /// What is there now, as far as this user may see it.
    ///
    /// # Errors
    /// A lost connection, the server's refusal.
    pub(crate) async fn read(client: &Client) -> Result<Snapshot, Error> {
        let doing = "reading what databases share";
        let question = "SELECT has_table_privilege('pg_authid', 'SELECT')::int AS passwords, has_function_privilege('pg_show_all_file_settings()', 'EXECUTE')::int AS files, \
             current_setting('server_version_num') AS version";
        let rows = query(client, doing, question).await?;
        let is = |column: &str| rows.first().and_then(|row| row.get(column)) == Some("1");
        let version: i32 = rows.first().and_then(|row| row.get("version")?.parse().ok()).unwrap_or(0);
        let roles = match is("passwords") {
            true => "*, format(' PASSWORD %L', rolpassword) AS password FROM pg_authid",
            false => "*, '' AS password FROM pg_roles",
        };
        let parameters = match version >= 150_000 {
            true => {
                "UNION ALL SELECT 'PARAMETER', (SELECT string_agg(quote_ident(part), '.' ORDER BY number) \
                 FROM unnest(string_to_array(p.parname, '.')) WITH ORDINALITY parts (part, number)), p.parname, x.* \
                 FROM pg_parameter_acl p CROSS JOIN LATERAL aclexplode(p.paracl) x"
            }
            false => "",
        };
        let system = match is("files") {
            true => {
                "UNION ALL SELECT 'system', name, name, NULL, format('ALTER SYSTEM SET %s = %L', name, setting), format('ALTER SYSTEM RESET %s', name) \
                 FROM pg_file_settings WHERE sourcefile LIKE '%postgresql.auto.conf'"
            }
            false => "",
        };
        let question = include_str!("shared.sql").replace("{roles}", roles).replace("{parameters}", parameters);
        let rows = query(client, doing, &question.replace("{system}", system)).await?;
        let text = |row: &tokio_postgres::SimpleQueryRow, column: &str| row.get(column).unwrap_or_default().to_owned();
        let shared = |row: &tokio_postgres::SimpleQueryRow| {
            let names = ["name", "other"].iter().filter_map(|column| row.get(*column)).map(str::to_owned).collect();
            let key = (text(row, "kind"), text(row, "key"));
            (key, Shared { names, make: text(row, "make"), unmake: text(row, "unmake") })
        };
        Ok(Snapshot(rows.iter().map(shared).collect()))
    }

    /// What is there and was not `before`, or was another: kind, key, and the SQL that brings it about, without passwords.
    pub(crate) fn since(&self, before: &Snapshot) -> Vec<(String, String, String)> {
        let is_new = |(key, shared): &(&(String, String), &Shared)| before.0.get(*key) != Some(*shared);
        let new = self.0.iter().filter(is_new).map(|((kind, key), shared)| {
            // It comes last.
            let make = if kind == "attributes" { shared.make.rsplit_once(" PASSWORD ") } else { None };
            (kind.clone(), key.clone(), make.map_or(&*shared.make, |(make, _)| make).to_owned())
        });
        new.collect()
    }

    /// Brings back what was, as far as it was `ours` to change. Returns what could not be brought back, and why.
    ///
    /// # Errors
    /// A lost connection.
    pub(super) async fn restore(
        &self,
        client: &Client,
        ours: &impl Fn(&[String]) -> bool,
    ) -> Result<Vec<String>, Error> {
        let mut left = Vec::new();
        let mut reload = false;
        // What depends on an object goes and comes with it: only then is it clear what else there is to do.
        for independent in [true, false] {
            let now = Snapshot::read(client).await?;
            for (kind, name, statement) in self.statements(&now, independent, ours) {
                if let Err(error) = client.batch_execute(&statement).await {
                    left.push(format!("the {kind} `{name}`: {}", said(&error)));
                } else {
                    reload |= kind == "system";
                }
            }
        }
        if reload {
            // What was in force is in force again; without the right to say so the file says it at the next start.
            let _ = client.batch_execute("SELECT pg_catalog.pg_reload_conf()").await;
        }
        Ok(left)
    }

    /// What leads back from `now`: kind, key and statement.
    fn statements(
        &self,
        now: &Snapshot,
        independent: bool,
        ours: &impl Fn(&[String]) -> bool,
    ) -> Vec<(String, String, String)> {
        let of_turn = |kind: &str| INDEPENDENT.contains(&kind) == independent;
        let rank = |kind: &str| INDEPENDENT.iter().position(|independent| *independent == kind);
        let mut statements = Vec::new();
        for ((kind, key), shared) in now.0.iter().filter(|((kind, _), _)| of_turn(kind)) {
            let was = self.0.get(&(kind.clone(), key.clone()));
            if was.is_none_or(|was| was.make != shared.make) && !shared.unmake.is_empty() && ours(&shared.names) {
                statements.push((kind.clone(), key.clone(), shared.unmake.clone()));
            }
        }
        statements.sort_by_key(|(kind, ..)| rank(kind));
        for ((kind, key), was) in self.0.iter().filter(|((kind, _), _)| of_turn(kind)) {
            let is = now.0.get(&(kind.clone(), key.clone()));
            if is.is_none_or(|is| is.make != was.make) && !was.make.is_empty() && ours(&was.names) {
                statements.push((kind.clone(), key.clone(), was.make.clone()));
            }
        }
        statements
    }
}

/// Whether one of the files, or a setting of the migrator, says this name as a word: on a server that others use too, nothing else is taken
/// for what the files have made.
pub(super) fn mentioned(embedded: &Embedded, user: &str, name: &str) -> bool {
    let migrations = embedded.migrations.iter().map(|migration| &*migration.text);
    let scripts = embedded.repeatables.iter().chain(embedded.seeds.iter()).map(|script| &*script.text);
    let mut words =
        vec![name.to_lowercase(), name.to_lowercase().replace('"', "\"\""), name.to_lowercase().replace('\'', "''")];
    if name == user {
        words.extend(["current_user", "session_user", "current_role"].map(str::to_owned));
    }
    migrations.chain(scripts).any(|text| {
        let text = text.to_lowercase();
        words.iter().any(|word| says(&text, word))
    })
}

/// Whether the text has the word, and not as a part of a longer one; both in lower case.
pub(in crate::prove) fn says(text: &str, word: &str) -> bool {
    let part = |character: Option<char>| character.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '$'));
    !word.is_empty()
        && text
            .match_indices(word)
            .any(|(at, found)| !part(text[..at].chars().next_back()) && !part(text[at + found.len()..].chars().next()))
}

/// What would differ if anything had been done to it, each with the transaction that wrote it last: what was dropped and made again is
/// not the same. `None`: this user may not see it.
pub(super) async fn fingerprint(client: &Client) -> Option<String> {
    let statement = "SELECT string_agg(line, ' ' ORDER BY line) FROM ( \
         SELECT 'role ' || oid || ' ' || xmin AS line FROM pg_authid \
         UNION ALL SELECT 'member ' || roleid || ' ' || member || ' ' || xmin FROM pg_auth_members \
         UNION ALL SELECT 'setting ' || setrole || ' ' || xmin FROM pg_db_role_setting WHERE setdatabase = 0 \
         UNION ALL SELECT 'comment ' || classoid || ' ' || objoid || ' ' || xmin FROM pg_shdescription WHERE classoid <> 'pg_database'::regclass \
         UNION ALL SELECT 'origin ' || roident || ' ' || xmin FROM pg_replication_origin \
         UNION ALL SELECT 'tablespace ' || oid || ' ' || xmin FROM pg_tablespace) lines";
    let rows = query(client, "reading what databases share", statement).await.ok()?;
    rows.first()?.get(0).map(str::to_owned)
}

/// What keeps a database from being dropped, as statements that end it.
pub(super) struct Blocks {
    /// To be run in another database.
    pub(super) outside: Vec<String>,
    /// To be run in it.
    pub(super) inside: Vec<String>,
}

/// Asks what keeps it: that it is a template, replication slots, subscriptions, prepared transactions. What a subscription has made on
/// another server stays there: nothing but the scratch server is spoken to.
///
/// # Errors
/// A lost connection, the server's refusal.
pub(super) async fn blocks(client: &Client, database: &str) -> Result<Blocks, Error> {
    let name = literal(database);
    let statement = format!(
        "SELECT 'outside' AS side, 0 AS turn, format('ALTER DATABASE %I WITH IS_TEMPLATE false ALLOW_CONNECTIONS true CONNECTION LIMIT -1', datname) AS statement \
         FROM pg_database WHERE datname = {name} \
         UNION ALL SELECT 'outside', 1, format('SELECT pg_catalog.pg_drop_replication_slot(%L)', slot_name) FROM pg_replication_slots WHERE database = {name} \
         UNION ALL SELECT 'inside', 2, format('ROLLBACK PREPARED %L', gid) FROM pg_prepared_xacts WHERE database = {name} \
         UNION ALL SELECT 'inside', turn, format('%s SUBSCRIPTION %I %s', word, subname, rest) FROM pg_subscription, \
         (VALUES (3, 'ALTER', 'DISABLE'), (4, 'ALTER', 'SET (slot_name = NONE)'), (5, 'DROP', '')) steps (turn, word, rest) \
         WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = {name}) ORDER BY 2"
    );
    let rows = query(client, "reading what keeps a database", &statement).await?;
    let of = |side: &str| {
        let rows = rows.iter().filter(|row| row.get("side") == Some(side));
        rows.filter_map(|row| row.get("statement")).map(str::to_owned).collect()
    };
    Ok(Blocks { outside: of("outside"), inside: of("inside") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_said_as_a_word_only() {
        for (text, word, expected) in [
            ("create role reader;", "reader", true),
            ("create role \"reader\";", "reader", true),
            ("create role readers;", "reader", false),
            ("create role a_reader;", "reader", false),
            ("grant x to readers, reader", "reader", true),
            ("anything", "", false),
        ] {
            assert_eq!(says(text, word), expected, "{text} {word}");
        }
    }

    #[test]
    fn what_is_new_goes_what_is_gone_comes_back_and_what_others_did_stays() {
        let shared = |name: &str, make: &str| Shared {
            names: vec![name.to_owned()],
            make: make.to_owned(),
            unmake: format!("un{make}"),
        };
        let snapshot = |entries: &[(&str, &str, &str)]| {
            let entry =
                |(kind, key, make): &(&str, &str, &str)| (((*kind).to_owned(), (*key).to_owned()), shared(key, make));
            Snapshot(entries.iter().map(entry).collect())
        };
        let before = snapshot(&[("role", "gone", "r0"), ("setting", "changed", "s1"), ("setting", "same", "s0")]);
        let now = snapshot(&[
            ("role", "theirs", "r1"),
            ("role", "new", "r2"),
            ("database", "new", "d"),
            ("setting", "changed", "s2"),
            ("setting", "same", "s0"),
        ]);
        let ours = |names: &[String]| names[0] != "theirs";
        let statements = |independent| {
            let statements = before.statements(&now, independent, &ours);
            statements.into_iter().map(|(_, _, statement)| statement).collect::<Vec<_>>()
        };
        assert_eq!(statements(true), ["und", "unr2", "r0"]);
        assert_eq!(statements(false), ["uns2", "s1"]);
    }
}
