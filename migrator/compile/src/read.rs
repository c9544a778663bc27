//! From the bytes of a db directory to texts, names, blocks and settings.

pub(crate) mod bytes;
pub(crate) mod document;
pub(crate) mod encoding;
pub(crate) mod folder;
pub(crate) mod foreign;
pub(crate) mod keys;
pub(crate) mod markers;
pub(crate) mod names;
pub(crate) mod options;
pub(crate) mod origin;
pub(crate) mod settings;
pub(crate) mod squashed;
