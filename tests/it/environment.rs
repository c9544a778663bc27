//! Environments and their policies.

use expect_test::expect;

use crate::support::Project;

/// A project whose environment `production` has a policy.
fn with_policy() -> Project {
    let project = Project::new();
    project.tables(1);
    project
        .file("migrator.toml", "[environments.production]\napproval = true\ndown = false\nseeds = [\"production\"]\n");
    project.file("seeds/development.sql", "SELECT 1;\n").file("seeds/production.sql", "SELECT 1;\n");
    project
}

#[test]
fn the_database_says_which_environment_it_is() {
    let project = with_policy();
    expect![[r#"
        exit 0
        --- stdout
        none recorded
    "#]]
    .assert_eq(&project.run(&["environment"]));
    expect![[r#"
        exit 2
        --- stderr
        error: invalid value 'Production' for '<NAME>': use lowercase letters, digits, `-` and `_`

        For more information, try '--help'.
    "#]]
    .assert_eq(&project.run(&["environment", "set", "Production"]));
    expect![[r#"
        exit 0
        --- stdout
        database `DB` is now marked as `staging`
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
        warning: this binary has no policy for `staging`: see [environments] in db/migrator.toml
    "#]]
    .assert_eq(&project.run(&["environment", "set", "staging"]));
    expect![[r#"
        exit 0
        --- stdout
        database `DB` is now marked as `production`
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X · environment staging
    "#]]
    .assert_eq(&project.run(&["environment", "set", "production"]));
    expect![[r#"
        exit 0
        --- stdout
        production
    "#]]
    .assert_eq(&project.run(&["environment"]));
}

#[test]
fn the_policy_of_the_environment_holds() {
    let project = with_policy();
    project.run(&["environment", "set", "production"]);
    expect![[r#"
        exit 8
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X · environment production
        error: the environment `production` requires an approved plan
          = note: nothing was applied; the digest of this plan is CHECKSUM
          = help: have the output of `migrator plan --sql` approved, then run `up --plan DIGEST --approved-by WHO`
    "#]]
    .assert_eq(&project.run(&["up"]));
    expect![[r#"
        exit 8
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X · environment production
        error: the plan is not the approved one
          = note: nothing was applied
          = note: `beef` is not the digest of a plan
          = note: the digest of this plan is CHECKSUM
          = help: run `migrator plan`, have it approved, and pass its digest
    "#]]
    .assert_eq(&project.run(&["up", "--plan", "beef", "--approved-by", "ada"]));
    let plan = std::process::Command::output(&mut project.command(&["plan"])).unwrap();
    let plan = String::from_utf8(plan.stdout).unwrap();
    let digest = plan.trim().rsplit(' ').next().unwrap();
    expect![[r#"
        exit 0
        --- stdout
        applied 001_t1 (N ms)
        applied 1 migration in N ms; the database is at 001
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X · environment production
    "#]]
    .assert_eq(&project.run(&["up", "--plan", digest, "--approved-by", "ada"]));
    assert_eq!(project.query("SELECT approved_by FROM schema_migration_events WHERE action = 'up'"), "ada\n");
    expect![[r#"
        exit 8
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X · environment production
        error: `down` is forbidden in the environment `production`
          = help: write a new migration instead; the policy is `down = false` in db/migrator.toml
    "#]]
    .assert_eq(&project.run(&["down", "--yes"]));
    expect![[r#"
        exit 8
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X · environment production
        error: the seed `development` is forbidden in the environment `production`
          = help: the policy is `seeds` under that environment in db/migrator.toml
    "#]]
    .assert_eq(&project.run(&["seed"]));
    expect![[r#"
        exit 0
        --- stdout
        seeded production (N ms)
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X · environment production
    "#]]
    .assert_eq(&project.run(&["seed", "production"]));
    expect![[r#"
        exit 8
        --- stderr
        error: cannot drop `postgresql://postgres@SERVER/DB`: it is marked as production
          = help: no flag overrides this; if the mark is wrong, `migrator environment set NAME` corrects it first
    "#]]
    .assert_eq(&project.run(&["drop", "--database", project.database(), "--yes"]));
}

#[test]
fn nothing_but_the_workspaces_own_cluster_is_dropped_without_its_name() {
    let project = Project::new();
    project.tables(1);
    expect![[r#"
        exit 8
        --- stderr
        error: cannot reset `postgresql://postgres@SERVER/DB`: it is not on this workspace's own PostgreSQL
          = help: to go on, type its name: `--database DB`
    "#]]
    .assert_eq(&project.run(&["reset", "--yes"]));
    expect![[r#"
        exit 2
        --- stderr
        error: cannot drop: `--database other` is not the database of the URL, `DB`
          = help: check which server you are connected to
    "#]]
    .assert_eq(&project.run(&["drop", "--yes", "--database", "other"]));
    expect![[r#"
        exit 2
        --- stderr
        error: cannot drop: all data in `DB` on SERVER will be lost, and there is no terminal to ask
          = help: pass --yes
    "#]]
    .assert_eq(&project.run(&["drop", "--database", project.database()]));
    expect![[r#"
        exit 0
        --- stdout
        dropped and created database `DB`
        applied 001_t1 (N ms)
        applied 1 migration in N ms; the database is at 001
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
    "#]]
    .assert_eq(&project.run(&["reset", "--yes", "--database", project.database()]));
    expect![[r#"
        exit 9
        --- stderr
        error: cannot create database `DB`: it exists already
          = help: pass `--if-missing`, or start afresh with `reset`
    "#]]
    .assert_eq(&project.run(&["create"]));
    expect![[r#"
        exit 0
        --- stdout
        dropped database `DB`
    "#]]
    .assert_eq(&project.run(&["drop", "--yes", "--database", project.database()]));
    expect![[r#"
        exit 0
        --- stdout
        created database `DB`
    "#]]
    .assert_eq(&project.run(&["create", "--if-missing"]));
    expect![[r#"
        exit 0
    "#]]
    .assert_eq(&project.run(&["create", "--if-missing"]));
}
