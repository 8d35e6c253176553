//! The decision about the writer in prepared states: each case states in one line the situation and the decision.

mod foreign;
pub(crate) mod invariants;
mod lost;
mod mended;
mod planned;
mod promised;
mod rounds;
pub(crate) mod scene;
mod several;
mod single;
mod unwritable;
