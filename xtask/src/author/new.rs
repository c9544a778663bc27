//! `cargo xtask new`.

mod editor;
mod name;
mod number;
mod test;

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};

use super::schema::{self, Outcome};
use crate::output::{self, Json, Usage};
use crate::workspace::{Workspace, shown};
use number::{Next, Numbering};

/// The templates that every workspace has; a file of the same name in db/templates takes precedence.
const TEMPLATES: &[(&str, &str)] = &[
    ("versioned", include_str!("templates/versioned.sql")),
    ("repeatable", include_str!("templates/repeatable.sql")),
    ("extension", include_str!("templates/extension.sql")),
    ("index", include_str!("templates/index.sql")),
    ("backfill", include_str!("templates/backfill.sql")),
];

/// Arguments of `new`.
#[derive(Debug, clap::Args)]
#[command(after_help = "The version continues the numbering in db/migrations, which starts at 001.\n\
                        Templates: versioned, repeatable (into db/repeatable), extension, index (concurrently), backfill \
                        (in batches), and every db/templates/NAME.sql, in which {{name}}, {{purpose}} and {{typed}} are \
                        replaced. A template without `-- migrate:up` makes a repeatable.\n\n\
                        Letters of other scripts become ASCII in the name of the file.\n\n\
                        With --from-schema or --from-database the migration is written for you: what makes that schema, up and down, proved on \
                        a throwaway server. Indexes and constraints that would hold up others get files of their own. What cannot be \
                        written is named (exit code 1).\n\n\
                        What has another name is asked for on a terminal. A comment in the schema says it too, above or beside what has \
                        the new name: `full_name text, -- renamed from name`\n\n\
                        Example: cargo xtask new add_users_locale\n\
                        Example: cargo xtask new add_users_locale --with-test\n\
                        Example: cargo xtask new orders_status_idx --template index\n\
                        Example: cargo xtask new add_users_phone --from-schema")]
pub struct Args {
    /// What the migration does, in a few words
    name: String,
    /// The template to start from
    #[arg(long, short, default_value = "versioned")]
    template: String,
    /// Use the time (UTC) as the version
    #[arg(long, conflicts_with = "sequential")]
    timestamp: bool,
    /// Use the next number as the version
    #[arg(long)]
    sequential: bool,
    /// Also write db/tests/VERSION_NAME.sql, a test of what becomes of rows
    #[arg(long, conflicts_with_all = ["from_schema", "from_database"])]
    with_test: bool,
    /// Open the new file in $VISUAL, else in $EDITOR
    #[arg(long, short)]
    edit: bool,
    #[command(flatten)]
    schema: schema::Args,
    #[command(flatten)]
    json: Json,
}

/// Writes the file, prints its path, and opens it where that is asked for.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let editor = args.edit.then(editor::of_user).transpose()?;
    let workspace = Workspace::locate()?;
    let db = workspace.db();
    let name = name::clean(&args.name)?;
    if args.schema.is_asked()? {
        return from_schema(&workspace, args, &name, editor);
    }
    let text = fill(&template(&db, &args.template)?, &name, &args.name);
    let path = if text.lines().any(|line| line.starts_with("-- migrate:up")) {
        let directory = db.join("migrations");
        let files = migrations(&directory)?;
        let next = number::next(&versions(&files), args.numbering(), number::now()?)?;
        tell_of_others(&files, &name, &next);
        directory.join(format!("{}_{name}.sql", next.version))
    } else {
        db.join("repeatable").join(format!("{name}.sql"))
    };
    let test = args.with_test.then(|| test::beside(&db, &path)).transpose()?;
    write_new(&path, &text)?;
    let mut written = vec![shown(&path).display().to_string()];
    if let Some(test) = test {
        write_new(&test, &fill(test::TEMPLATE, &name, &args.name))?;
        written.push(shown(&test).display().to_string());
    }
    output::files(written);
    if let Some(editor) = editor {
        editor.open(&path)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes the files that make a schema, all or none.
fn from_schema(workspace: &Workspace, args: &Args, name: &str, editor: Option<editor::Editor>) -> Result<ExitCode> {
    let directory = workspace.db().join("migrations");
    let files = migrations(&directory)?;
    let mut versions = versions(&files);
    let next = || {
        let next = number::next(&versions, args.numbering(), number::now()?)?.version;
        versions.push(next.clone());
        Ok(next)
    };
    let purpose = fill("{{purpose}}", name, &args.name);
    let made = match schema::make(workspace, &args.schema, (name, &purpose), next)? {
        Outcome::Files(made) => made,
        Outcome::Nothing => {
            output::note("the migrations make this schema already; nothing was written");
            return Ok(ExitCode::SUCCESS);
        }
        Outcome::Refused(partial) => {
            if let Some(partial) = partial {
                let written = partial.write(&workspace.db())?.join(", ");
                output::note(format!(
                    "help: what could be written is in {written}: finish it, move it to db/migrations, and run `cargo xtask verify`"
                ));
            }
            return Ok(ExitCode::from(output::FOUND));
        }
    };
    for (name, text) in &made {
        write_new(&directory.join(name), text)?;
        output::files([shown(&directory.join(name)).display().to_string()]);
    }
    if let (Some(editor), Some((name, _))) = (editor, made.first()) {
        editor.open(&directory.join(name))?;
    }
    Ok(ExitCode::SUCCESS)
}

impl Args {
    fn numbering(&self) -> Option<Numbering> {
        match (self.timestamp, self.sequential) {
            (true, _) => Some(Numbering::Timestamp),
            (_, true) => Some(Numbering::Sequential),
            _ => None,
        }
    }
}

/// A migration that is there.
struct File {
    version: String,
    name: String,
}

impl File {
    fn label(&self) -> String {
        format!("{}_{}.sql", self.version, self.name)
    }
}

/// Says what is doubtful about the new file, and writes it all the same: two migrations may well do the same thing twice.
fn tell_of_others(files: &[File], name: &str, next: &Next) {
    if let Some(same) = files.iter().find(|file| file.name.eq_ignore_ascii_case(name)) {
        output::note(format!("warning: `{}` has the same name", same.label()));
    }
    let odd = next.overtaken_by.as_ref().and_then(|version| files.iter().find(|file| file.version == *version));
    if let Some(odd) = odd {
        output::note(format!(
            "warning: `{}` is numbered otherwise than the other files, and counts as newer than {}\n\
             help: rename it where it has not been applied yet; else `up` refuses {} as out of order, and `cargo xtask new \
             --timestamp` continues after it",
            odd.label(),
            next.version,
            next.version
        ));
    }
}

pub(super) fn write_new(path: &Path, text: &str) -> Result<()> {
    let write = || -> io::Result<()> {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::File::create_new(path)?.write_all(text.as_bytes())
    };
    write().with_context(|| format!("failed to write the new file `{}`", shown(path).display()))
}

/// The workspace's own template of that name, else ours.
fn template(db: &Path, name: &str) -> Result<String> {
    let directory = db.join("templates");
    let is_plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if is_plain {
        let path = directory.join(format!("{name}.sql"));
        let text = migrator_build::read_file(&path).and_then(|bytes| {
            String::from_utf8(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
        });
        match text {
            Ok(text) => return Ok(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(|| format!("failed to read `{}`", shown(&path).display())),
        }
    }
    if let Some((_, text)) = TEMPLATES.iter().find(|(known, _)| *known == name) {
        return Ok((*text).to_owned());
    }
    let mut known: Vec<String> = TEMPLATES.iter().map(|(known, _)| format!("`{known}`")).collect();
    for entry in fs::read_dir(&directory).into_iter().flatten().flatten() {
        if let Some(own) = entry.file_name().to_str().and_then(|file| file.strip_suffix(".sql")) {
            known.push(format!("`{own}`"));
        }
    }
    known.sort();
    known.dedup();
    Err(Usage(format!("unknown template `{name}`\nhelp: the templates are {}", known.join(", "))).into())
}

fn fill(template: &str, name: &str, typed: &str) -> String {
    // Neither a line break nor a quote of the typed name may leave its comment or its identifier.
    let typed: String = typed.trim().chars().filter(|c| !c.is_control() && *c != '"').collect();
    let purpose = typed.replace('_', " ");
    template.replace("{{name}}", name).replace("{{purpose}}", purpose.trim()).replace("{{typed}}", &typed)
}

/// The versions of so many new migrations, in their order.
pub(super) fn next_versions(directory: &Path, count: usize) -> Result<Vec<String>> {
    let mut versions = versions(&migrations(directory)?);
    let had = versions.len();
    for _ in 0..count {
        versions.push(number::next(&versions, None, number::now()?)?.version);
    }
    Ok(versions.split_off(had))
}

/// The migrations in a directory. Other files are left to `check`.
fn migrations(directory: &Path) -> Result<Vec<File>> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.with_context(|| format!("failed to read `{}`", shown(directory).display()))?,
    };
    let mut files = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        let Some((version, name)) = name.to_str().and_then(|name| name.strip_suffix(".sql")?.split_once('_')) else {
            continue;
        };
        if !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit()) {
            files.push(File { version: version.to_owned(), name: name.to_owned() });
        }
    }
    files.sort_by(|one, other| one.version.cmp(&other.version));
    Ok(files)
}

fn versions(files: &[File]) -> Vec<String> {
    files.iter().map(|file| file.version.clone()).collect()
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn fills_in_the_name_without_leaving_the_comment_or_the_identifier() {
        let text = fill("-- Purpose: {{purpose}}\nx \"{{typed}}\" {{name}}", "a_b", "a_b\n\"; DROP");
        expect![[r#"
            -- Purpose: a b; DROP
            x "a_b; DROP" a_b"#]]
        .assert_eq(&text);
    }

    #[test]
    fn a_fresh_file_of_every_template_passes_the_build() {
        let folder = tempfile::tempdir().unwrap();
        let db = folder.path().join("db");
        fs::create_dir_all(db.join("migrations")).unwrap();
        for (index, (template, text)) in TEMPLATES.iter().enumerate() {
            let text = fill(text, "uuid_ossp", "uuid-ossp");
            let path = match *template {
                "repeatable" => db.join("repeatable/uuid_ossp.sql"),
                _ => db.join(format!("migrations/{index}_uuid_ossp.sql")),
            };
            write_new(&path, &text).unwrap();
        }
        if let Err(problems) = migrator_build::load(&db) {
            panic!("{problems}");
        }
    }

    #[test]
    fn never_overwrites_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("repeatable/roles.sql");
        write_new(&path, "first").unwrap();
        assert!(write_new(&path, "second").is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "first");
    }

    #[test]
    fn the_workspaces_own_template_takes_precedence() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("templates")).unwrap();
        fs::write(folder.path().join("templates/versioned.sql"), "own").unwrap();
        fs::write(folder.path().join("templates/audit.sql"), "audit").unwrap();
        assert_eq!(template(folder.path(), "versioned").unwrap(), "own");
        assert_eq!(template(folder.path(), "audit").unwrap(), "audit");
        expect![[r#"
            unknown template `../x`
            help: the templates are `audit`, `backfill`, `extension`, `index`, `repeatable`, `versioned`"#]]
        .assert_eq(&template(folder.path(), "../x").unwrap_err().to_string());
    }
}
