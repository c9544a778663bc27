//! A role with the rights that the README lists, and no other, can do everything.

use crate::dump::major;
use crate::support::Project;
use crate::workspace::section;

/// The README's block, for this database and a role of its own.
fn grants(project: &Project, role: &str) -> String {
    let section = section("### Required privileges");
    let (_, rest) = section.split_once("```sql\n").unwrap();
    let sql = rest.split_once("```").unwrap().0;
    sql.replace("DATABASE crm", &format!("DATABASE {}", project.database())).replace("deploy", role)
}

/// The README's settings.
fn settings() -> String {
    let section = section("### Required privileges");
    let (_, rest) = section.split_once("```toml\n").unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

/// Every kind of file, all of it in the schema `app`.
fn project() -> Project {
    let project = Project::new();
    project.file("migrator.toml", &settings());
    project.migration(
        "001_users",
        "CREATE TABLE app.users (id int PRIMARY KEY, name text);",
        "DROP VIEW IF EXISTS app.names; DROP TABLE app.users;",
    );
    project.file(
        "migrations/002_users_name.sql",
        "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY users_name ON app.users (name);\n\
         -- migrate:down transaction:false\nDROP INDEX CONCURRENTLY app.users_name;\n",
    );
    project.file("repeatable/views.sql", "CREATE OR REPLACE VIEW app.names AS SELECT name FROM app.users;\n");
    project.file("seeds/development.sql", "INSERT INTO app.users VALUES (1, 'a') ON CONFLICT DO NOTHING;\n");
    project.file("checks/nameless.sql", "SELECT id FROM app.users WHERE name IS NULL\n");
    // Nothing that every role has by default, and nothing in the schema that all share for the owner of the database either.
    let database = project.database();
    project.query(&format!("REVOKE ALL ON DATABASE {database} FROM PUBLIC"));
    project.query("ALTER SCHEMA public OWNER TO postgres; REVOKE ALL ON SCHEMA public FROM PUBLIC");
    project
}

/// Runs a command as the role and demands how it ends.
fn expect_exit(project: &Project, role: &str, arguments: &[&str], code: u8) -> String {
    let said = project.run_as(role, arguments);
    assert!(said.starts_with(&format!("exit {code}\n")), "`{}` as {role}: {said}", arguments.join(" "));
    said
}

fn does_everything(project: &Project, role: &str) {
    let done = |line: &str| expect_exit(project, role, &line.split(' ').collect::<Vec<_>>(), 0);
    let refused = "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR has_schema_privilege(rolname, 'public', 'CREATE') FROM pg_roles";
    assert_eq!(project.query(&format!("{refused} WHERE rolname = '{role}'")), "f\n");
    expect_exit(project, role, &["status", "--check"], 1);
    done("wait --timeout 10s");
    done("plan");
    done("up --dry-run");
    done("up");
    done("drift --facts");
    let url = project.url().replace("postgres@", &format!("{role}@"));
    let facts = project.command(&["drift", "--facts"]).env("DATABASE_URL", url).output().unwrap().stdout;
    project.file(&format!("schema.facts.{}", major()), &String::from_utf8(facts).unwrap());
    done("drift");
    done("up --check-drift --audit");
    done("status --check");
    done("seed");
    done("audit");
    done("environment set staging");
    assert!(done("environment").contains("staging"));
    done("down --yes");
    done("down --to 0 --yes");
    assert_eq!(project.query("SELECT to_regclass('app.users') IS NULL"), "t\n");
    // Taken over as it is: the administrator has made the table.
    project.query(&format!("SET ROLE {role}; CREATE TABLE app.users (id int PRIMARY KEY, name text)"));
    done("stamp --to 001");
    done("up");
    project.file(
        "migrations/003_gate.sql",
        "-- migrate:up transaction:false\nDO $$ BEGIN PERFORM FROM app.gate; END $$;\n-- migrate:down\nSELECT 1;\n",
    );
    expect_exit(project, role, &["up"], 7);
    done("resolve 3 --statement 1 --applied");
    done("up");
    // Taken over from another tool that had the same rights.
    project.query(&format!(
        "SET ROLE {role}; DROP TABLE app.schema_migrations, app.schema_migration_events; \
         CREATE TABLE app.goose_db_version (id serial PRIMARY KEY, version_id bigint NOT NULL, is_applied boolean NOT NULL); \
         INSERT INTO app.goose_db_version (version_id, is_applied) VALUES (0, true), (1, true), (2, true), (3, true)"
    ));
    done("adopt goose --dry-run");
    done("adopt goose");
    done("up");
    done("status --check");
    let tables = "SELECT n.nspname, c.relname, pg_get_userbyid(c.relowner) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
                  WHERE c.relkind = 'r' AND c.relname LIKE 'schema\\_migration%' ORDER BY 2";
    let expected = format!("app|schema_migration_events|{role}\napp|schema_migrations|{role}\n");
    assert_eq!(project.query(tables), expected, "the history is in the role's own schema, and nowhere else");
}

#[test]
fn a_role_that_owns_one_schema_can_do_everything() {
    let project = project();
    project.query(&grants(&project, "deploy_schema"));
    does_everything(&project, "deploy_schema");
}

#[test]
fn a_role_that_owns_the_database_can_do_everything() {
    let project = project();
    project.query(&grants(&project, "deploy_database"));
    project.query(&format!("ALTER DATABASE {} OWNER TO deploy_database", project.database()));
    does_everything(&project, "deploy_database");
}

/// Each of them is needed: a list that is longer than that is not the least.
#[test]
fn without_one_of_the_rights_the_first_run_is_refused() {
    let project = project();
    let all = grants(&project, "deploy_less");
    let statements: Vec<&str> = all.lines().filter(|line| !line.is_empty() && !line.starts_with("--")).collect();
    project.query(statements.iter().find(|line| line.starts_with("CREATE ROLE")).unwrap());
    for statement in statements.iter().filter(|line| !line.starts_with("CREATE ROLE")) {
        let said = project.run_as("deploy_less", &["up"]);
        assert!(
            said.starts_with("exit 6\n") || said.starts_with("exit 8\n") || said.starts_with("exit 3\n"),
            "before `{statement}`: {said}"
        );
        project.query(statement);
    }
    expect_exit(&project, "deploy_less", &["up"], 0);
}
