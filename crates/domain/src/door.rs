//! Doors: the site's own addresses. Cordée probes them as a visitor or an application would, and evaluates the
//! answers.
//!
//! Nothing that HAProxy or a server reports about itself proves that visitors are served: only an answer at the
//! address does.

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

/// An address at which visitors or applications are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Door {
    /// The visitors' address.
    Site,
    /// The applications' address, which follows the routing.
    Databases,
    /// The applications' address of the one writer.
    Writer,
}

impl Door {
    /// All doors.
    pub const ALL: [Self; 3] = [Self::Site, Self::Databases, Self::Writer];

    /// Returns the HAProxy instance behind the door.
    pub const fn proxy(self) -> PoolId {
        match self {
            Self::Site => PoolId::Web,
            Self::Databases | Self::Writer => PoolId::Db,
        }
    }

    /// Returns the address at which the door is reached from this machine.
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

/// The answer to a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// A page.
    Page,
    /// An error of the site's own, with this status.
    Error(u16),
    /// HAProxy's own answer that no server is available.
    Nobody,
    /// A database accepted the application's account and answered.
    Landed {
        /// The id of that database.
        server_id: u32,
        /// Whether it refuses writes.
        read_only: bool,
    },
    /// All of a database's connections are used.
    Full,
    /// A database refused the login, with this error.
    Denied(u16),
    /// Nothing accepted the connection.
    Refused,
    /// There was no answer in time.
    Silent,
    /// The connection ended without an answer, or with one that cannot be parsed.
    Broken,
}

impl Answer {
    /// Returns what is wrong with the answer, according to the present wish.
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

/// What is known about a door.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DoorSeen {
    /// The last answer and when it came, or why Cordée was unable to ask.
    pub answer: Seen<Answer>,
    /// When that was asked.
    pub asked: Millis,
    /// Since when every answer has been wrong.
    pub wrong_since: Option<Millis>,
    /// When the probe was sent that got the last right answer.
    pub right: Option<Millis>,
    /// The epoch in which the last right answer came.
    pub epoch: u64,
    /// Since when the door should give right answers, according to all other observations.
    pub expected_since: Option<Millis>,
}

impl DoorSeen {
    /// Whether the answer changes no decision: it is right, and the same as the one before.
    pub fn is_as(&self, desired: &Desired, door: Door, answer: Answer) -> bool {
        let waited = self.expected_since.is_some_and(|since| self.right.is_none_or(|right| right < since));
        let known = matches!(self.answer, Seen::At(_, known) if known == answer);
        known && !waited && self.epoch == desired.epoch && answer.wrong(desired, door).is_none()
    }

    /// Records an answer to a probe that was sent at `asked`; the answer came at `at`.
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
            // If Cordée was unable to ask, the answer counts neither as right nor as wrong.
            Err(why) => self.answer = Seen::Failed { last: self.answer.last(), why },
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
