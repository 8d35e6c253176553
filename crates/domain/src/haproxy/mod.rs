//! HAProxy, text in and text out: its configuration, its runtime commands, its statistics, its log.

pub mod config;
pub mod drift;
pub mod foreign;
pub mod line;
pub mod log;
pub mod runtime;
mod sections;
pub mod setting;
pub mod stats;
