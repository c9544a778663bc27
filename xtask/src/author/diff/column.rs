//! A column, and the statement part that makes it.

use tokio_postgres::SimpleQueryRow;

/// What a column is made of, as text of SQL; empty: the usual.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Column {
    /// Quoted where it has to be.
    pub(crate) name: String,
    /// With its modifier.
    pub(crate) kind: String,
    /// The kind of the type, or of its elements: `e` for an enum.
    pub(crate) typtype: String,
    pub(crate) collation: String,
    pub(crate) required: bool,
    /// `s` stored, `v` virtual.
    pub(crate) generated: String,
    /// The default, or what generates it.
    pub(crate) value: String,
    /// `a` always, `d` by default.
    pub(crate) identity: String,
    /// That it owns.
    pub(crate) sequence: String,
    pub(crate) storage: String,
    pub(crate) stored_otherwise: bool,
    pub(crate) compression: String,
    pub(crate) target: String,
    pub(crate) options: String,
    /// Declared here, not only inherited.
    pub(crate) local: bool,
}

impl Column {
    pub(crate) fn read(row: &SimpleQueryRow) -> Column {
        let text = |name: &str| row.get(name).unwrap_or_default().to_owned();
        let truth = |name: &str| row.get(name) == Some("t");
        Column {
            name: text("name"),
            kind: text("type"),
            typtype: text("typtype"),
            collation: text("collation"),
            required: truth("required"),
            generated: text("generated"),
            value: text("value"),
            identity: text("identity"),
            sequence: text("sequence"),
            storage: text("storage"),
            stored_otherwise: truth("stored_otherwise"),
            compression: text("compression"),
            target: text("target"),
            options: text("options"),
            local: truth("local"),
        }
    }

    pub(crate) fn is_generated(&self) -> bool {
        !self.generated.is_empty()
    }

    /// A row that is there already has no value for it, and needs one.
    pub(crate) fn lacks_value(&self) -> bool {
        self.required && self.value.is_empty() && self.identity.is_empty()
    }

    /// The emptiest value of its type, as SQL; `None`: there is none that is known. `labels`: those of its enum.
    pub(crate) fn empty_value(&self, labels: &[String]) -> Option<String> {
        let text = match self.kind.split('(').next().unwrap_or_default() {
            array if array.ends_with("[]") => "'{}'",
            "text" | "character varying" | "character" | "bytea" | "tsvector" => "''",
            "smallint" | "integer" | "bigint" | "numeric" | "real" | "double precision" => "0",
            "boolean" => "false",
            "date" => "'epoch'",
            timestamp if timestamp.starts_with("timestamp") => "'epoch'",
            "interval" => "'0'",
            "uuid" => "'00000000-0000-0000-0000-000000000000'",
            "json" | "jsonb" => "'{}'",
            "inet" | "cidr" => "'0.0.0.0'",
            _ => return labels.first().map(|label| migrator_engine::client::literal(label)),
        };
        Some(text.to_owned())
    }

    /// Its type with the collation.
    pub(crate) fn typed(&self) -> String {
        match self.collation.is_empty() {
            true => self.kind.clone(),
            false => format!("{} COLLATE {}", self.kind, self.collation),
        }
    }

    /// What follows ADD COLUMN. `identity`: how the dump makes its sequence.
    pub(crate) fn definition(&self, identity: Option<&str>) -> String {
        let mut text = format!("{} {}", self.name, self.typed());
        if self.is_generated() {
            let how = if self.generated == "s" { "STORED" } else { "VIRTUAL" };
            text.push_str(&format!(" GENERATED ALWAYS AS ({}) {how}", self.value));
        } else if let Some(identity) = identity {
            text.push_str(&format!(" {identity}"));
        } else if !self.value.is_empty() {
            text.push_str(&format!(" DEFAULT {}", self.value));
        }
        if self.required {
            text.push_str(" NOT NULL");
        }
        text
    }

    /// What ADD COLUMN does not take: statements that follow it.
    pub(crate) fn afterwards(&self, table: &str) -> Vec<String> {
        let alter = |what: String| format!("ALTER TABLE {table} ALTER COLUMN {} {what}", self.name);
        let mut all = Vec::new();
        if self.stored_otherwise {
            all.push(alter(format!("SET STORAGE {}", self.storage)));
        }
        if !self.compression.is_empty() {
            all.push(alter(format!("SET COMPRESSION {}", self.compression)));
        }
        if !self.target.is_empty() {
            all.push(alter(format!("SET STATISTICS {}", self.target)));
        }
        if !self.options.is_empty() {
            all.push(alter(format!("SET ({})", self.options)));
        }
        all
    }
}
