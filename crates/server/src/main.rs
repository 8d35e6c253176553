//! Cordée.
#![allow(dead_code)]
mod board;
mod clock;
mod config;
mod engine;
mod hands;
mod paths;
mod random;
mod secrets;
mod store;
mod web;
mod words;
fn main() {}
