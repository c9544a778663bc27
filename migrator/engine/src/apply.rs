//! Carries a plan out: the only part that changes the database on a migration's behalf.
//!
//! [`steps`] is the loop. Transactional steps are one message each, sent without waiting for one another ([`pipeline`]); a
//! non-transactional migration is run and recorded statement by statement ([`stepwise`]). When the session is lost, a new one reads
//! what is true ([`aftermath`]). What all of them share is [`executor`], [`done`] and [`patience`].

mod advice;
mod aftermath;
mod catalog;
mod done;
mod executor;
mod failure;
mod healing;
mod known;
mod message;
mod monitor;
mod patience;
mod pipeline;
mod report;
mod seed;
mod steps;
mod stepwise;
mod transaction;
mod truth;
mod watch;

pub(crate) use executor::{Beside, Executor, ours as settings_of_ours};
pub(crate) use failure::Place;
pub(crate) use known::Known;
pub(crate) use report::{Subject, describe};
pub(crate) use seed::seed;
pub(crate) use steps::apply;
pub(crate) use transaction::{Body, run_alone};
