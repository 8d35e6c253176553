//! Hands: bytes out, bytes in. They decide nothing; the engine says what, the domain says why.

pub mod backup;
mod below;
pub mod binlog;
pub mod datagrams;
pub mod detail;
pub mod dump;
pub mod files;
pub mod handshake;
pub mod haproxy;
pub mod knock;
pub mod logs;
pub mod mysql;
pub mod net;
pub mod newcomer;
pub mod process;
pub mod roster;
pub mod sessions;
pub mod trial;
pub mod trouble;
pub mod verify;
pub mod visitor;
pub mod zones;
