//! Failures, events and results as a program reads them. Pure: [`output`](crate::output) writes the lines.

pub(crate) mod event;
pub(crate) mod failure;
pub(crate) mod report;
