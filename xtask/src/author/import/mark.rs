//! The lines by which tools divide a file, each as the tool itself reads it.

/// What a line says to the tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mark {
    /// Nothing: it is text.
    Text,
    Up {
        off: bool,
    },
    Down {
        off: bool,
    },
    /// The file as a whole, or the part that it is in, runs without a transaction.
    Off {
        file: bool,
    },
    StatementBegin,
    StatementEnd,
    /// From here on variables of the environment are put in, or no longer.
    Environment(bool),
    /// It looks like a marker and is a comment to the tool; what it says is told.
    Ignored(&'static str),
}

/// `^--\s*migrate:up(\s*$|\s+\S+)`, case-sensitive, at the start of a line. Of the options only `transaction:false` counts.
pub(crate) fn dbmate(line: &str) -> Mark {
    let Some(comment) = line.strip_prefix("--") else { return Mark::Text };
    let body = comment.trim_start();
    let after =
        |word: &str| body.strip_prefix(word).filter(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace));
    let off = |options: &str| {
        let mut read = options.split_whitespace().filter_map(|option| option.split_once(':'));
        let last = read.rfind(|(name, value)| *name == "transaction" && !value.contains(':'));
        last.is_some_and(|(_, value)| value == "false")
    };
    if let Some(options) = after("migrate:up") {
        Mark::Up { off: off(options) }
    } else if let Some(options) = after("migrate:down") {
        Mark::Down { off: off(options) }
    } else {
        Mark::Text
    }
}

/// `-- +goose Up`: at the start of a line, any case, any spaces.
pub(crate) fn goose(line: &str) -> Mark {
    let Some(comment) = line.strip_prefix("--") else { return Mark::Text };
    let words: Vec<String> = comment.split_whitespace().map(str::to_lowercase).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["+goose", "up"] => Mark::Up { off: false },
        ["+goose", "down"] => Mark::Down { off: false },
        ["+goose", "statementbegin"] => Mark::StatementBegin,
        ["+goose", "statementend"] => Mark::StatementEnd,
        ["+goose", "no", "transaction"] => Mark::Off { file: true },
        ["+goose", "envsub" | "envsubst", on] => Mark::Environment(*on == "on"),
        ["+goose", ..] => Mark::Ignored("goose knows no such annotation"),
        _ => Mark::Text,
    }
}

/// `-- +migrate Up notransaction`: exactly so, at the start of a line.
pub(crate) fn sql_migrate(line: &str) -> Mark {
    let Some(command) = line.strip_prefix("-- +migrate ") else { return Mark::Text };
    let mut words = command.split_whitespace();
    let name = words.next();
    let off = words.any(|word| word == "notransaction");
    match name {
        Some("Up") => Mark::Up { off },
        Some("Down") => Mark::Down { off },
        Some("StatementBegin") => Mark::StatementBegin,
        Some("StatementEnd") => Mark::StatementEnd,
        _ => Mark::Ignored("sql-migrate knows no such command"),
    }
}

/// `---- create above / drop below ----`; a version 2 also knows `---- tern: disable-tx ----`, which counts for its part.
pub(crate) fn tern(line: &str) -> Mark {
    match line.trim() {
        "---- create above / drop below ----" => Mark::Down { off: false },
        "---- tern: disable-tx ----" if line.trim_end() == "---- tern: disable-tx ----" => Mark::Off { file: false },
        _ => Mark::Text,
    }
}

/// `^\s*--[\s-]*up\s+migration`, in any case, whatever follows.
pub(crate) fn node_pg_migrate(line: &str) -> Mark {
    let Some(comment) = line.trim_start().strip_prefix("--") else { return Mark::Text };
    let body = comment.trim_start_matches(|c: char| c.is_whitespace() || c == '-').to_lowercase();
    let after = |word: &str| {
        body.strip_prefix(word)
            .is_some_and(|rest| rest.starts_with(char::is_whitespace) && rest.trim_start().starts_with("migration"))
    };
    if after("up") {
        Mark::Up { off: false }
    } else if after("down") {
        Mark::Down { off: false }
    } else {
        Mark::Text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_are_those_that_the_tool_takes() {
        let up = |off| Mark::Up { off };
        type Case = (fn(&str) -> Mark, &'static str, Mark);
        let table: &[Case] = &[
            (dbmate, "-- migrate:up", up(false)),
            (dbmate, "--migrate:up\ttransaction:false", up(true)),
            (dbmate, "-- migrate:up -- transaction:false", up(true)),
            (dbmate, "-- migrate:up transaction:FALSE", up(false)),
            (dbmate, "-- migrate:up transaction:false transaction:true", up(false)),
            (dbmate, "-- migrate:up transaction: false", up(false)),
            (dbmate, "-- Migrate:Up", Mark::Text),
            (dbmate, " -- migrate:up", Mark::Text),
            (dbmate, "-- migrate:upgrade", Mark::Text),
            (goose, "-- +goose Up", up(false)),
            (goose, "--+GOOSE   down", Mark::Down { off: false }),
            (goose, " -- +goose Up", Mark::Text),
            (goose, "-- +goose NO TRANSACTION", Mark::Off { file: true }),
            (goose, "-- +goose ENVSUB ON", Mark::Environment(true)),
            (sql_migrate, "-- +migrate Up notransaction", up(true)),
            (sql_migrate, "-- +migrate StatementEnd", Mark::StatementEnd),
            (sql_migrate, "--+migrate Up", Mark::Text),
            (tern, "---- create above / drop below ----", Mark::Down { off: false }),
            (tern, "---- tern: disable-tx ----", Mark::Off { file: false }),
            (node_pg_migrate, "-- Up Migration", up(false)),
            (node_pg_migrate, "  ----- DOWN  migration: drops it", Mark::Down { off: false }),
            (node_pg_migrate, "-- update migration", Mark::Text),
        ];
        for (read, line, mark) in table {
            assert_eq!(read(line), *mark, "{line}");
        }
    }
}
