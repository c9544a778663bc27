//! Reads the result as the build will, before anything of it is written: what the parser does not know is marked, old down blocks
//! that no build takes become comments, and everything else is reported.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use migrator_build::{Problem, Severity};
use migrator_model::{Direction, Settings};

use super::compose::{self, Composed};
use super::draft::{Found, Part, Trouble};
use super::tool::Tool;

/// A file may need its up text marked, its down text, and its down text set aside.
const MOST_TURNS: usize = 6;

/// Where a problem is.
enum Place {
    Migration(usize, Direction),
    Repeatable(usize),
}

/// Composes all files in `directory`, which is not there yet, until reading them finds nothing more that can be helped, and returns them.
pub(crate) fn run(
    tool: &Tool,
    versions: &[String],
    found: &mut Found,
    settings: (&Settings, &str),
    directory: &Path,
) -> Result<Vec<Composed>> {
    let (settings, toml) = settings;
    let compose = |found: &Found| -> Vec<Composed> {
        let migrations = versions
            .iter()
            .zip(&found.drafts)
            .map(|(version, draft)| compose::migration(tool, version, draft, settings));
        migrations.chain(found.repeatables.iter().map(|repeatable| compose::repeatable(tool, repeatable))).collect()
    };
    let mut files = compose(found);
    write(directory, "migrator.toml", toml)?;
    for file in &files {
        write(directory, &file.path, &file.text)?;
    }
    for _ in 0..MOST_TURNS {
        let problems = match migrator_build::load(directory) {
            Ok(loaded) => loaded.warnings,
            Err(problems) => problems.0,
        };
        let mut troubles = help(tool, &problems, &files, found);
        let again = compose(found);
        let changed: Vec<&Composed> =
            again.iter().zip(&files).filter(|(a, b)| a.text != b.text).map(|(a, _)| a).collect();
        if changed.is_empty() {
            // What follows from a mistake that is known already is not told.
            troubles.retain(|trouble| !found.troubles.iter().any(|known| known.file == trouble.file));
            found.troubles.append(&mut troubles);
            return Ok(files);
        }
        for file in changed {
            write(directory, &file.path, &file.text)?;
        }
        files = again;
    }
    found.refuse("", 0, "the build refuses the result, whatever is changed");
    Ok(files)
}

fn write(directory: &Path, path: &str, text: &str) -> Result<()> {
    let path = directory.join(path);
    let write = || {
        fs::create_dir_all(path.parent().unwrap_or(directory))?;
        fs::write(&path, text)
    };
    write().with_context(|| format!("failed to write `{}`", path.display()))
}

/// Changes what can be changed, and returns the rest.
fn help(tool: &Tool, problems: &[Problem], files: &[Composed], found: &mut Found) -> Vec<Trouble> {
    let migrations = found.drafts.len();
    let by_path: HashMap<&str, usize> = files.iter().enumerate().map(|(at, file)| (file.path.as_str(), at)).collect();
    let mut troubles = Vec::new();
    for problem in problems {
        let path = problem.file.split_once('/').map_or("", |(_, path)| path);
        let is_error = problem.severity == Severity::Error;
        let is_variable = problem.code.as_str() == "M020" && problem.message.contains("psql variable");
        let is_syntax = problem.code.as_str() == "M020" && !is_variable;
        // What the tool replaces looks like a variable of psql.
        if is_variable && found.placeholders.iter().any(|shown| problem.message.starts_with(&format!("`{shown}`"))) {
            continue;
        }
        let Some(&at) = by_path.get(path) else {
            if is_error {
                troubles.push(Trouble { file: problem.file.clone(), line: problem.line, message: said(problem) });
            }
            continue;
        };
        let file = &files[at];
        let is_down = file.down_line > 0 && problem.line >= file.down_line;
        let (start, place) = match at.checked_sub(migrations) {
            Some(at) => (file.up_line, Place::Repeatable(at)),
            None if is_down => (file.down_line, Place::Migration(at, Direction::Down)),
            None => (file.up_line, Place::Migration(at, Direction::Up)),
        };
        let part = match place {
            Place::Migration(at, Direction::Up) => Some(&mut found.drafts[at].up),
            Place::Migration(at, Direction::Down) => found.drafts[at].down.as_mut(),
            Place::Repeatable(at) => Some(&mut found.repeatables[at].part),
        };
        let Some(part) = part else { continue };
        let line = part.line + problem.line.saturating_sub(start);
        let source = part.file.clone();
        if is_syntax && part.unchecked.is_none() {
            part.unchecked =
                Some(format!("{} has run it as it is; our parser: {}", tool.title, problem.message.replace('\n', " ")));
            let note = format!("{source}:{line}: `-- migrate:unchecked`: {}", problem.message);
            notes(found, &place).push(note);
        } else if is_error && !is_syntax {
            match place {
                Place::Migration(at, Direction::Down) if !is_set_aside(&found.drafts[at].down) => {
                    compose::set_aside(&mut found.drafts[at], line, &problem.message);
                }
                _ => troubles.push(Trouble {
                    file: source,
                    line: if problem.line == 0 { 0 } else { line },
                    message: said(problem),
                }),
            }
        }
    }
    troubles
}

fn notes<'a>(found: &'a mut Found, place: &Place) -> &'a mut Vec<String> {
    match place {
        Place::Migration(at, _) => &mut found.drafts[*at].notes,
        Place::Repeatable(at) => &mut found.repeatables[*at].notes,
    }
}

fn is_set_aside(down: &Option<Part>) -> bool {
    down.as_ref().is_none_or(|down| down.text.lines().all(|line| line.is_empty() || line.starts_with("--")))
}

fn said(problem: &Problem) -> String {
    format!("{} [{}]; help: {}", problem.message, problem.code, problem.help)
}
