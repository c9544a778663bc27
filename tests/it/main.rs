//! The binaries against a real PostgreSQL: one file per subject, one database per test.

// The helpers of a test fail as the test itself does.
#![allow(clippy::unwrap_used)]

mod support;

mod accepted;
mod advice;
mod audit;
mod building;
mod codes;
mod concurrency;
mod contract;
mod corpora;
mod dbmate;
mod dbmate_tool;
mod drift;
mod dump;
mod environment;
mod errors;
mod faults;
mod first_run;
mod fixtures;
mod foreign;
mod from_dump;
mod hazards;
mod healing;
mod history;
mod hostile;
mod house;
mod ignored;
mod least_privilege;
mod libpq;
mod locks;
mod locks_of_ddl;
mod majors;
mod malformed;
mod next_release;
mod nontransactional;
mod output;
mod page;
mod plan_locks;
mod planted;
mod pooler;
mod printable;
mod readers;
mod readme;
mod redo;
mod refresh;
mod resume;
mod rights;
mod round_trip;
mod scratch;
mod secrets;
mod session;
mod shipping;
mod signals;
mod silent;
mod strangers;
mod terminal;
mod tls;
mod truth;
mod up;
mod usage;
mod verify;
mod wait;
mod workspace;
