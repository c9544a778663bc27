//! What has to be known of the source before its schema is dumped.

use migrator_engine::Error;
use migrator_engine::client::{Connection, Tables, history_tables, literal, query};

/// What tools whose history cannot be adopted keep beside it.
const BESIDE: [&str; 2] = ["knex_migrations_lock", "ar_internal_metadata"];

/// Every answer but the facts.
pub(crate) struct Survey {
    /// The owner of the database.
    pub(crate) owner: String,
    /// What belongs to another tool, or to us.
    pub(crate) histories: Vec<Relation>,
    /// Tables that this role may not read.
    pub(crate) unreadable: Vec<String>,
    /// Roles that privileges and policies name.
    pub(crate) roles: Vec<String>,
    /// Extensions whose comment is their own.
    pub(crate) commented: Vec<String>,
}

/// A table or a sequence.
pub(crate) struct Relation {
    pub(crate) schema: String,
    pub(crate) name: String,
    /// Qualified and quoted.
    pub(crate) shown: String,
    /// Whose history it is; `None`: it is ours, or belongs to another one of these.
    pub(crate) tool: Option<&'static str>,
}

impl Survey {
    /// Asks; writes nothing.
    ///
    /// # Errors
    /// A lost connection, a catalog that the role may not read.
    pub(crate) async fn of(connection: &Connection, tables: &Tables) -> Result<Survey, Error> {
        let ask = async |statement: &str| {
            let rows = query(connection.client(), "looking at the database", statement).await?;
            let texts = rows.iter().map(|row| row.get(0).unwrap_or_default().to_owned());
            Ok::<_, Error>(texts.collect::<Vec<_>>())
        };
        let owner =
            "SELECT rolname FROM pg_database d JOIN pg_roles r ON r.oid = d.datdba WHERE datname = current_database()";
        let roles = "SELECT DISTINCT r.rolname FROM pg_shdepend d JOIN pg_roles r ON r.oid = d.refobjid \
             WHERE d.refclassid = 'pg_authid'::regclass AND d.dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) \
             AND (d.deptype IN ('a', 'r') OR d.classid IN ('pg_default_acl'::regclass, 'pg_user_mapping'::regclass)) ORDER BY 1";
        let commented = "SELECT quote_ident(e.extname) FROM pg_extension e LEFT JOIN pg_available_extensions a ON a.name = e.extname \
             WHERE obj_description(e.oid, 'pg_extension') IS DISTINCT FROM a.comment";
        let histories = histories(connection, tables).await?;
        let known: Vec<String> = histories.iter().map(|relation| literal(&relation.shown)).collect();
        let unreadable = format!(
            "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' \
             AND (NOT has_schema_privilege(n.oid, 'USAGE') OR NOT has_table_privilege(c.oid, 'SELECT')) \
             AND format('%I.%I', n.nspname, c.relname) NOT IN ('', {}) \
             AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e') \
             ORDER BY 1",
            if known.is_empty() { "''".to_owned() } else { known.join(", ") }
        );
        Ok(Survey {
            owner: ask(owner).await?.into_iter().next().unwrap_or_default(),
            unreadable: ask(&unreadable).await?,
            roles: ask(roles).await?,
            commented: ask(commented).await?,
            histories,
        })
    }
}

/// The tables of histories, with the sequences that belong to them. In a schema that a tool has for itself, all tables are.
async fn histories(connection: &Connection, tables: &Tables) -> Result<Vec<Relation>, Error> {
    let known = history_tables();
    let names = known.iter().map(|(name, _)| *name).chain(BESIDE);
    let (qualified, plain): (Vec<&str>, Vec<&str>) = names.partition(|name| name.contains('.'));
    let schemas = qualified.iter().filter_map(|name| name.split_once('.')).map(|(schema, _)| schema);
    let list = |names: Vec<&str>| names.into_iter().map(literal).collect::<Vec<_>>().join(", ");
    let statement = format!(
        "WITH history AS (SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND (lower(c.relname) IN ({}) OR n.nspname IN ({}) \
         OR c.oid IN (to_regclass({}), to_regclass({})))), \
         all_of_it AS (SELECT oid FROM history UNION SELECT d.objid FROM pg_depend d JOIN history h ON h.oid = d.refobjid \
         JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S' \
         WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')) \
         SELECT n.nspname, c.relname, format('%I.%I', n.nspname, c.relname) AS shown, c.oid IN (to_regclass({}), to_regclass({})) AS ours \
         FROM all_of_it JOIN pg_class c USING (oid) JOIN pg_namespace n ON n.oid = c.relnamespace ORDER BY 1, 2",
        list(plain),
        list(schemas.collect()),
        literal(&tables.state),
        literal(&tables.events),
        literal(&tables.state),
        literal(&tables.events),
    );
    let rows = query(connection.client(), "looking for histories", &statement).await?;
    let relation = |row: &tokio_postgres::SimpleQueryRow| {
        let text = |column: &str| row.get(column).unwrap_or_default().to_owned();
        let (schema, name) = (text("nspname"), text("relname"));
        let (plain, qualified) = (name.to_lowercase(), format!("{schema}.{name}").to_lowercase());
        let tool = known.iter().find(|(table, _)| *table == plain || *table == qualified).and_then(|(_, tool)| *tool);
        let tool = tool.filter(|_| row.get("ours") != Some("t"));
        Relation { schema, name, shown: text("shown"), tool }
    };
    Ok(rows.iter().map(relation).collect())
}
