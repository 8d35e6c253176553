//! HAProxy, text in and text out: its configuration, its runtime commands, its statistics.

pub mod config;
pub mod runtime;
pub mod stats;
