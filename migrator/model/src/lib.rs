//! What a db directory of PostgreSQL migrations holds.
//!
//! One definition for both ends: `migrator-build` reads files into it, owned, and writes it as a [`Blob`]; in the binary the same
//! types borrow the blob's texts, so that no SQL is parsed or copied when it starts.
//!
//! Types that can grow are built by `new` and `with_...` only, all of them `const`: a field that is added later breaks no code that was
//! written without it. The embedded form of a type is beside it, one line with all of its fields.

use std::borrow::Cow;

mod blob;
mod block;
mod coded;
pub mod keys;
mod lock_mode;
mod origin;
mod set;
mod settings;
mod squashed;
mod statement;
mod statements;

pub use blob::{Blob, Summary};
pub use block::{Block, Options};
pub use coded::Corrupt;
pub use lock_mode::LockMode;
pub use origin::{Imported, Origin, Tool};
pub use set::{Direction, LockTraces, Migration, Release, SchemaFacts, Script, Set};
pub use settings::{Budget, Environment, Level, Settings};
pub use squashed::Squashed;
pub use statement::{ReindexObject, Statement, StatementKind};
pub use statements::Statements;

/// Text that is owned at build time and `'static` in the binary.
pub type Text = Cow<'static, str>;

/// A list that is owned at build time and `'static` in the binary.
pub type List<T> = Cow<'static, [T]>;

/// Assigns in a `const fn`, which cannot drop: what was in the place is forgotten. Builders start from defaults, which own nothing.
const fn put<T>(place: &mut T, value: T) {
    std::mem::forget(std::mem::replace(place, value));
}

/// `const` methods that give the value back with one field replaced.
macro_rules! builders {
    ($type:ident { $($method:ident: $field:ident: $value:ty,)* }) => {
        impl $type {
            $(
                #[doc = concat!("The same with [`", stringify!($field), "`](Self::", stringify!($field), ") replaced.")]
                #[must_use]
                pub const fn $method(mut self, value: $value) -> $type {
                    $crate::put(&mut self.$field, value);
                    self
                }
            )*
        }
    };
}
use builders;
