//! Cordée.
#![allow(dead_code)]
mod board;
mod cli;
mod client;
mod clock;
mod listen;
mod random;
mod store;
mod web;
mod words;
fn main() {}
