//! Steps on a HAProxy instance: on its files, and commands to its process.

use std::net::SocketAddr;

use strum::IntoStaticStr;

use super::ConfigText;
use crate::haproxy::runtime::State;
use crate::ids::{PoolId, ServerName};
use crate::sessions::Mode;

/// A step on a HAProxy instance.
#[derive(Clone, Debug, PartialEq, Eq, IntoStaticStr)]
pub enum ProxyStep {
    /// Replace a proxy's file, atomically.
    WriteConfig {
        /// The proxy.
        proxy: PoolId,
        /// The whole text of the file.
        text: ConfigText,
        /// Have HAProxy check the file first: a reload follows.
        check: bool,
    },
    /// Replace the file that holds the session mode, which HAProxy `web` reads when it starts.
    WriteSession {
        /// The mode.
        mode: Mode,
    },
    /// Tell the running HAProxy `web` another session mode.
    SetSession {
        /// The mode.
        mode: Mode,
    },
    /// Have HAProxy read the file on disk and replace its worker. The new worker must then report the expected shape.
    Reload {
        /// The proxy.
        proxy: PoolId,
        /// The shape that the new worker must report.
        shape: String,
    },
    /// Add a server at run time, without visitors yet.
    AddServer {
        /// The proxy.
        proxy: PoolId,
        /// The server's name.
        name: ServerName,
        /// The server's id.
        id: u32,
        /// The server's address.
        to: SocketAddr,
        /// Whether the server stays in maintenance until its process listens.
        out: bool,
    },
    /// Change a server's address at run time.
    SetAddress {
        /// The proxy.
        proxy: PoolId,
        /// The server.
        name: ServerName,
        /// The new address.
        to: SocketAddr,
    },
    /// Change a server's state at run time.
    SetState {
        /// The proxy.
        proxy: PoolId,
        /// The server.
        name: ServerName,
        /// The new state.
        state: State,
        /// For a database: its state behind the address that leads to the one writer.
        writer: State,
    },
    /// Change a server's weight at run time.
    SetWeight {
        /// The proxy.
        proxy: PoolId,
        /// The server.
        name: ServerName,
        /// The new weight.
        weight: u32,
    },
    /// Change a server's connection limit at run time.
    SetMost {
        /// The proxy.
        proxy: PoolId,
        /// The server.
        name: ServerName,
        /// The limit; 0 means none.
        most: u64,
    },
    /// Make a listener accept connections again.
    OpenFrontend {
        /// The proxy.
        proxy: PoolId,
        /// The listener.
        name: &'static str,
        /// The listener's connection limit.
        most: u64,
        /// Whether the listener is paused now.
        paused: bool,
    },
    /// Remove process-wide limits that the file does not set.
    LiftLimits {
        /// The proxy.
        proxy: PoolId,
    },
    /// Delete a server at run time.
    DeleteServer {
        /// The proxy.
        proxy: PoolId,
        /// The server.
        name: ServerName,
    },
}

impl ProxyStep {
    /// Returns the proxy that the step acts on.
    pub const fn proxy(&self) -> PoolId {
        match self {
            Self::WriteConfig { proxy, .. }
            | Self::Reload { proxy, .. }
            | Self::AddServer { proxy, .. }
            | Self::SetAddress { proxy, .. }
            | Self::SetState { proxy, .. }
            | Self::SetWeight { proxy, .. }
            | Self::SetMost { proxy, .. }
            | Self::OpenFrontend { proxy, .. }
            | Self::LiftLimits { proxy }
            | Self::DeleteServer { proxy, .. } => *proxy,
            Self::WriteSession { .. } | Self::SetSession { .. } => PoolId::Web,
        }
    }

    /// Whether the step takes a server out of HAProxy altogether.
    pub(crate) const fn takes_out(&self) -> bool {
        matches!(self, Self::SetState { state: State::Maintenance, writer: State::Maintenance, .. })
    }
}
