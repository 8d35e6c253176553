//! HAProxy, text in and text out: its configuration, its runtime commands, its statistics, its log.

pub mod config;
pub mod log;
pub mod runtime;
pub mod stats;
