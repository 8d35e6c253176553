//! The decision about the writer on canned states: each case says in one line what is true, and what follows.

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
