//! What a plan was made for: a history as it was then, of one database. Pure.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::history::History;

/// The history and the database that a plan was made for: the second and the third part of its digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Basis {
    /// The number of the newest event that is no failed try, and the beginning of a checksum over its run and the rows.
    history: String,
    /// The OID, the system identifier of the server (0: unknown) and the name of the database.
    database: String,
}

/// How many characters of the checksum of a history are enough: no one chooses what is in it.
const SUM: usize = 16;

impl Basis {
    /// That of a history as it was read.
    pub(crate) fn of(history: &History) -> Basis {
        let mut rows: Vec<String> = history
            .applied
            .iter()
            // Another tool may take a row out and write it again: only the time tells.
            .map(|row| match (&row.checksum, &row.applied_at) {
                (Some(checksum), _) => format!("{} {checksum}\n", row.version),
                (None, at) => format!("{} at {}\n", row.version, at.as_deref().unwrap_or_default()),
            })
            .collect();
        rows.sort_unstable();
        let mut hash = Sha256::new();
        hash.update(format!("{}\n", history.head.1.as_deref().unwrap_or_default()));
        rows.iter().for_each(|row| hash.update(row));
        let sum = hex::encode(hash.finalize());
        let identity = history.identity.clone().unwrap_or_default();
        Basis {
            history: format!("{}-{}", history.head.0, &sum[..SUM]),
            database: format!(
                "{}-{}-{}",
                identity.oid,
                identity.system.as_deref().unwrap_or("0"),
                encode(&identity.name)
            ),
        }
    }
}

impl fmt::Display for Basis {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}", self.history, self.database)
    }
}

/// A name in characters that neither a shell nor the digest gives a meaning.
fn encode(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    let encoded = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("~{byte:02X}") };
    name.bytes().map(encoded).collect()
}

/// In which parts an approved digest is not that of a plan, in words; empty: it is.
pub(crate) fn differences(approved: &str, digest: &str) -> Vec<String> {
    let parts = |digest: &str| -> [String; 3] {
        let mut parts = digest.trim().splitn(3, '.').map(str::to_owned);
        std::array::from_fn(|_| parts.next().unwrap_or_default())
    };
    let ([steps, history, database], [now, here, this]) = (parts(approved), parts(digest));
    if steps.len() != now.len() || !steps.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return vec![format!("`{approved}` is not the digest of a plan")];
    }
    if history.is_empty() || database.is_empty() {
        return vec![
            "the approved digest names neither a history nor a database: an older release has made it".to_owned(),
        ];
    }
    let mut found = Vec::new();
    if !is_same_database(&database, &this) {
        found.push(format!("it was approved for {}, and this is {}", shown(&database), shown(&this)));
    }
    if history != here {
        let event = |part: &str| part.split('-').next().unwrap_or_default().to_owned();
        found.push(match (event(&history), event(&here)) {
            (then, now) if then == now => {
                format!("it was approved for another history, whose newest event has the same number, {now}")
            }
            (then, now) => format!("it was approved at event {then} of the history, whose newest event is {now}"),
        });
    }
    if steps != now {
        found.push("it was approved with other steps".to_owned());
    }
    found
}

/// The system identifier counts where both roles could read it.
fn is_same_database(approved: &str, this: &str) -> bool {
    match (split(approved), split(this)) {
        (Some((oid, system, name)), Some((its_oid, its_system, its_name))) => {
            (oid, name) == (its_oid, its_name) && (system == its_system || [system, its_system].contains(&"0"))
        }
        _ => false,
    }
}

fn split(database: &str) -> Option<(&str, &str, &str)> {
    let mut parts = database.splitn(3, '-');
    Some((parts.next()?, parts.next()?, parts.next()?))
}

fn shown(database: &str) -> String {
    match split(database) {
        Some((oid, "0", name)) => format!("database `{name}` (OID {oid})"),
        Some((oid, system, name)) => {
            format!("database `{name}` (OID {oid}) of the server with the system identifier {system}")
        }
        None => format!("`{database}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{AppliedMigration, Identity};
    use crate::plan::Plan;

    fn history() -> History {
        let row = |version: &str, checksum: Option<&str>| AppliedMigration {
            version: version.to_owned().into(),
            checksum: checksum.map(|sum| sum.to_owned().into()),
            applied_at: checksum.is_none().then(|| "2026-11-20 14:02:31".to_owned()),
            ..AppliedMigration::default()
        };
        History {
            applied: vec![row("1", Some("a")), row("2", None)],
            head: (7, Some("run".to_owned())),
            identity: Some(Identity { name: "crm".into(), oid: "16384".into(), system: Some("730".into()) }),
            ..History::default()
        }
    }

    fn plan(history: &History) -> Plan {
        Plan::default().on(history)
    }

    #[test]
    fn the_same_history_gives_the_same_digest_in_any_order_of_its_rows() {
        let mut other = history();
        other.applied.reverse();
        assert_eq!(plan(&history()).digest(), plan(&other).digest());
        assert!(plan(&history()).digest().ends_with(".16384-730-crm"), "{}", plan(&history()).digest());
        assert!(differences(&plan(&history()).digest(), &plan(&other).digest()).is_empty());
    }

    #[track_caller]
    fn check(change: impl FnOnce(&mut History), expected: &str) {
        let mut other = history();
        change(&mut other);
        assert_eq!(differences(&plan(&history()).digest(), &plan(&other).digest()).join("; "), expected);
    }

    #[test]
    fn every_change_is_told() {
        check(|h| h.head.0 = 9, "it was approved at event 7 of the history, whose newest event is 9");
        let same = "it was approved for another history, whose newest event has the same number, 7";
        check(|h| h.head.1 = Some("other".into()), same);
        check(|h| h.applied[1].applied_at = Some("2026-11-20 14:02:32".into()), same);
        check(|h| h.applied[0].checksum = Some("b".into()), same);
        check(|h| drop(h.applied.pop()), same);
        let identity = |name: &str, oid: &str, system: Option<&str>| {
            Some(Identity { name: name.into(), oid: oid.into(), system: system.map(str::to_owned) })
        };
        check(
            |h| h.identity = identity("a.b c", "16384", Some("731")),
            "it was approved for database `crm` (OID 16384) of the server with the system identifier 730, \
             and this is database `a~2Eb~20c` (OID 16384) of the server with the system identifier 731",
        );
        check(
            |h| h.identity = identity("crm", "16385", None),
            "it was approved for database `crm` (OID 16384) of the server with the system identifier 730, \
             and this is database `crm` (OID 16385)",
        );
        // A role that may not read the identifier is no other database.
        check(|h| h.identity = identity("crm", "16384", None), "");
    }

    #[test]
    fn what_is_no_digest_is_called_so() {
        let digest = plan(&history()).digest();
        assert_eq!(differences("beef", &digest), ["`beef` is not the digest of a plan"]);
        let old = &digest[..64];
        assert!(differences(old, &digest)[0].contains("an older release has made it"));
        let other = format!("{}{}", "0".repeat(64), &digest[64..]);
        assert_eq!(differences(&other, &digest), ["it was approved with other steps"]);
    }
}
