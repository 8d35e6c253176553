//! What the end-to-end tests are made of: a real cluster of their own, visitors, a person in a real browser.
//!
//! Nothing here knows the product's crates. It is started by its own binary and met through the page, the API,
//! the command line, the site and the files that it promises.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a test ends at the first thing that is not as it should be"
)]

pub mod absence;
pub mod api;
pub mod axe;
pub mod browser;
pub mod callers;
pub mod cluster;
pub mod crowd;
pub mod cuts;
pub mod db;
pub mod debs;
pub mod drill;
pub mod foreign;
pub mod guests;
pub mod haproxy;
pub mod http;
pub mod load;
pub mod looks;
pub mod mesh;
pub mod mortal;
pub mod outage;
pub mod pair;
pub mod person;
pub mod ports;
pub mod prober;
pub mod procs;
pub mod runner;
pub mod scarce;
pub mod stage;
pub mod suite;
pub mod tables;
pub mod tally;
pub mod turns;
pub mod visitors;
pub mod vocabulary;
pub mod wait;
pub mod wanted;
pub mod weight;
pub mod writers;
pub mod zoo;
