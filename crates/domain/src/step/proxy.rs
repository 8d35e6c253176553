//! Acts on a HAProxy: its files, and what its process is told.

use std::net::SocketAddr;

use strum::IntoStaticStr;

use super::ConfigText;
use crate::haproxy::runtime::State;
use crate::ids::{PoolId, ServerName};
use crate::sessions::Mode;

/// What can be done to a HAProxy.
#[derive(Clone, Debug, PartialEq, Eq, IntoStaticStr)]
pub enum ProxyStep {
    /// Replace a proxy's file, atomically.
    WriteConfig {
        /// Which.
        proxy: PoolId,
        /// The whole text.
        text: ConfigText,
        /// Have HAProxy check it first: a reload follows.
        check: bool,
    },
    /// Replace the file that holds the session mode, which HAProxy `web` reads when it starts.
    WriteSession {
        /// The mode.
        mode: Mode,
    },
    /// Have the running HAProxy `web` tell another session mode.
    SetSession {
        /// The mode.
        mode: Mode,
    },
    /// Have HAProxy read the file on disk and give its place to a new worker; proven by reading the shape back.
    Reload {
        /// Which.
        proxy: PoolId,
        /// The shape that the new worker must show.
        shape: String,
    },
    /// Add a server at run time, without visitors yet.
    AddServer {
        /// To which proxy.
        proxy: PoolId,
        /// Its name.
        name: ServerName,
        /// Its id.
        id: u32,
        /// Its address.
        to: SocketAddr,
        /// Whether it is in maintenance until its process listens.
        out: bool,
    },
    /// Change its address at run time.
    SetAddress {
        /// In which proxy.
        proxy: PoolId,
        /// Which.
        name: ServerName,
        /// The new address.
        to: SocketAddr,
    },
    /// Change its state at run time.
    SetState {
        /// In which proxy.
        proxy: PoolId,
        /// Which.
        name: ServerName,
        /// The new state.
        state: State,
        /// For a database: its state behind the address of the one writer.
        writer: State,
    },
    /// Change its weight at run time.
    SetWeight {
        /// In which proxy.
        proxy: PoolId,
        /// Which.
        name: ServerName,
        /// The new weight.
        weight: u32,
    },
    /// Change at run time how many connections at once go to it.
    SetMost {
        /// In which proxy.
        proxy: PoolId,
        /// Which.
        name: ServerName,
        /// So many; 0: no bound.
        most: u64,
    },
    /// Have a listener take connections again.
    OpenFrontend {
        /// In which proxy.
        proxy: PoolId,
        /// Which.
        name: &'static str,
        /// So many at once.
        most: u64,
        /// It takes none now.
        paused: bool,
    },
    /// Take away the bounds of a whole process that its file does not set.
    LiftLimits {
        /// Which.
        proxy: PoolId,
    },
    /// Delete it at run time.
    DeleteServer {
        /// In which proxy.
        proxy: PoolId,
        /// Which.
        name: ServerName,
    },
}

impl ProxyStep {
    /// The HAProxy that it acts on.
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

    /// Whether it takes a server out of HAProxy altogether.
    pub(crate) const fn takes_out(&self) -> bool {
        matches!(self, Self::SetState { state: State::Maintenance, writer: State::Maintenance, .. })
    }
}
