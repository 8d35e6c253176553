//! The site's own addresses, asked as a visitor and as an application would ask, and what the answers say.
//!
//! Nothing that HAProxy or a server says of itself proves that somebody is served: only an answer at the address does.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use serde::{Deserialize, Serialize};

use crate::desired::{Desired, Routing};
use crate::fault::Fault;
use crate::ids::{Millis, PoolId};
use crate::seen::Seen;
use crate::text;
use crate::text::Text;

mod expected;
mod finding;

pub use finding::{Finding, GRACE, finding};

/// An address at which somebody is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Door {
    /// The visitors' one.
    Site,
    /// The applications', as the routing says.
    Databases,
    /// The applications', to the one writer.
    Writer,
}

impl Door {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Site, Self::Databases, Self::Writer];

    /// The HAProxy behind it.
    pub const fn proxy(self) -> PoolId {
        match self {
            Self::Site => PoolId::Web,
            Self::Databases | Self::Writer => PoolId::Db,
        }
    }

    /// The address at which it is reached from this machine.
    pub const fn address(self, desired: &Desired) -> SocketAddr {
        let listen = match self {
            Self::Site => desired.web.listen,
            Self::Databases => desired.db.listen,
            Self::Writer => desired.writer_listen,
        };
        let ip = match listen.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            ip => ip,
        };
        SocketAddr::new(ip, listen.port())
    }
}

/// What came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// A page.
    Page,
    /// The site's own word that it has none to give: its status.
    Error(u16),
    /// HAProxy's own word that nobody serves.
    Nobody,
    /// A database took the application's account and answered.
    Landed {
        /// Which one.
        server_id: u32,
        /// It takes no writes.
        read_only: bool,
    },
    /// All of a database's connections are used.
    Full,
    /// A database refused, with that error.
    Denied(u16),
    /// Nobody took the connection.
    Refused,
    /// No answer in time.
    Silent,
    /// The connection ended without an answer, or with none that can be read.
    Broken,
}

impl Answer {
    /// What is wrong with it, by what is wished now.
    pub fn wrong(self, desired: &Desired, door: Door) -> Option<Text> {
        let address = door.address(desired).to_string();
        let alone = door == Door::Writer || desired.routing == Routing::OneWriter;
        let writer = desired.writer_server();
        Some(match self {
            Self::Page => return None,
            Self::Landed { server_id, read_only } => match writer {
                Some(writer) if alone && writer.id != server_id => {
                    text!("door-elsewhere", address = address, name = &writer.name)
                }
                _ if read_only => text!("door-closed", address = address),
                _ => return None,
            },
            Self::Error(status) => text!("door-error", address = address, status = status),
            Self::Nobody => text!("door-nobody", address = address),
            Self::Full => text!("door-full", address = address),
            Self::Denied(code) => text!("door-denied", address = address, code = code),
            Self::Refused => text!("door-refused", address = address),
            Self::Silent => text!("door-silent", address = address),
            Self::Broken => text!("door-broken", address = address),
        })
    }
}

/// What is known of one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DoorSeen {
    /// The last answer, when it came; or why Cordée could not ask.
    pub answer: Seen<Answer>,
    /// When that was asked.
    pub asked: Millis,
    /// Since when every answer has been wrong.
    pub wrong_since: Option<Millis>,
    /// When the last right answer was asked for.
    pub right: Option<Millis>,
    /// The epoch in which that came.
    pub epoch: u64,
    /// Since when it should be a right one, as far as everything else is seen.
    pub expected_since: Option<Millis>,
}

impl DoorSeen {
    /// Whether nothing is decided otherwise for that answer: it is right, as the one before was.
    pub fn is_as(&self, desired: &Desired, door: Door, answer: Answer) -> bool {
        let waited = self.expected_since.is_some_and(|since| self.right.is_none_or(|right| right < since));
        let known = matches!(self.answer, Seen::At(_, known) if known == answer);
        known && !waited && self.epoch == desired.epoch && answer.wrong(desired, door).is_none()
    }

    /// Takes in an answer that was asked for at `asked` and came at `at`.
    pub fn take(
        &mut self,
        desired: &Desired,
        door: Door,
        (asked, at): (Millis, Millis),
        got: Result<Answer, Fault>,
    ) {
        self.asked = asked;
        match got {
            Ok(answer) => {
                if answer.wrong(desired, door).is_some() {
                    self.wrong_since.get_or_insert(asked);
                } else {
                    (self.wrong_since, self.right) = (None, Some(asked));
                    self.epoch = desired.epoch;
                }
                self.answer = Seen::At(at, answer);
            }
            // Not to know is no answer, neither right nor wrong.
            Err(why) => self.answer = Seen::Failed { last: self.answer.last(), why },
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
