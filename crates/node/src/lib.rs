//! Everything that touches one machine: files, processes, ports and sockets, and the drivers of HAProxy, Apache and
//! MariaDB. It has no opinion and knows no wish: the engine says what, the domain says why.

pub mod backup;
mod below;
pub mod binlog;
pub mod clock;
pub mod datagrams;
pub mod detail;
pub mod dump;
pub mod files;
pub mod handshake;
pub mod haproxy;
pub mod interrupts;
pub mod knock;
pub mod logbook;
pub mod logs;
pub mod mysql;
pub mod net;
pub mod newcomer;
pub mod over;
pub mod paths;
pub mod process;
pub mod random;
pub mod roster;
pub mod secrets;
pub mod sessions;
pub mod surroundings;
pub mod trial;
pub mod trouble;
pub mod users;
pub mod vault;
pub mod verify;
pub mod visitor;
pub mod vital;
pub mod zones;
