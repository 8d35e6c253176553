//! Everything about HAProxy that is text: its configuration, its runtime commands, its statistics and its log.

pub mod config;
pub mod drift;
pub mod foreign;
pub mod line;
pub mod log;
pub mod runtime;
mod sections;
pub mod setting;
pub mod stats;
