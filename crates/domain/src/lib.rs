//! The core: the desired state, what is observed, and the plan that leads from one to the other.
//!
//! Everything here consists of plain functions over values. There is no clock (time is an argument), no file, no
//! network and no async, and every iteration has a fixed order, so that a test can replay any situation.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that fails says where"))]

pub mod actions;
pub mod apache;
pub mod attached;
pub mod called;
pub mod causes;
pub mod change;
pub mod check;
pub mod db;
pub mod decision;
pub mod desired;
pub mod diff;
pub mod door;
pub mod drill;
pub mod entries;
pub mod fault;
pub mod figures;
pub mod guesses;
pub mod haproxy;
pub mod ids;
pub mod observed;
pub mod plan;
pub mod problem;
pub mod proof;
pub mod real;
pub mod reason;
pub mod roster;
pub mod scene;
pub mod seen;
pub mod sessions;
#[cfg(test)]
pub mod sim;
pub mod snapshot;
pub mod started;
pub mod state;
pub mod status;
pub mod step;
pub mod text;
pub mod trial;
pub mod untimely;
pub mod visitors;
