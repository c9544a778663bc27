//! How long each statement of a plan takes on tables as large as `migrator stats` says, and who waits for so long.
//!
//! The plan runs on copies that are filled with invented rows in up to three sizes. The times are fitted by the kind of work that each
//! statement does, put into the target's own speed, and widened by what a small copy cannot show (`interval` has the list).

mod calibrate;
mod fill;
mod fit;
mod interval;
mod judge;
mod measure;
mod outcome;
mod rows;
mod work;

pub(crate) use calibrate::Place;
pub(crate) use measure::measure;
#[cfg(test)]
pub(crate) use outcome::Wait;
pub(crate) use outcome::{Forecast, Step, Time};
