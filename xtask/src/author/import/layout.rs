//! The readers: one for each way in which tools lay out their files.

mod alembic;
mod changelog;
mod committed;
mod directories;
mod files;
mod lettered;
mod liquibase;
mod marked;
mod placeholder;
mod rollback;
mod shared;

pub(crate) use shared::as_comments;

use anyhow::Result;

use super::draft::Found;
use super::tool::{Layout, Tool};
use super::tree::Tree;

/// Reads all migrations of a tool, and says of every other file why it is none. They are in the tool's order.
///
/// # Errors
/// A value is not `name=text`, or nothing is replaced by it.
pub(crate) fn read(tool: &Tool, values: &[String], tree: &mut Tree, found: &mut Found) -> Result<()> {
    match &tool.layout {
        Layout::Marked { mark, names, without_mark } => marked::read(tool, *mark, names, *without_mark, tree, found),
        Layout::Files(names) => files::read(tool, names, tree, found),
        Layout::Directories { up, down } => directories::read(tool, up, down, tree, found),
        Layout::Lettered(letters) => lettered::read(tool, *letters, tree, found),
        Layout::Changesets => liquibase::read(tree, found),
        Layout::Committed => committed::read(tree, found),
        Layout::Offline => alembic::read(tree, found),
    }
    shared::sort(tool, found);
    shared::leave_the_rest(tool, tree, found);
    placeholder::put(tool, values, found)?;
    placeholder::refuse(tool, values, found);
    Ok(())
}
