//! Checks that the web servers keep sessions where they are told to: each one is asked directly, not through
//! HAProxy.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use cordee_domain::desired::{Desired, Server};
use cordee_domain::ids::Host;
use cordee_domain::sessions::{ASKED_AT_ONCE, ASKED_EVERY, Mode};
use cordee_domain::text;
use cordee_node::names;
use cordee_node::visitor;
use tokio::time::timeout;

use super::{Engine, Sight, paced};

/// Time between two rounds; some of the servers are asked in each.
const PACE: Duration = Duration::from_millis(ASKED_EVERY);

/// Time limit for a resolver: one that hangs must not keep the other servers from being asked.
const RESOLVES: Duration = Duration::from_secs(1);

/// In which turn each server was asked last, by the servers' ids.
#[derive(Debug, Default)]
struct Turns {
    mode: Option<Mode>,
    asked: BTreeMap<u32, u64>,
    turn: u64,
}

impl Turns {
    /// Returns the servers to ask now: first those not yet asked under this mode, then those asked longest ago.
    fn next<'a>(&mut self, desired: &'a Desired) -> Vec<&'a Server> {
        if self.mode.replace(desired.session) != Some(desired.session) {
            self.asked.clear();
        }
        self.turn += 1;
        let mut all: Vec<&Server> = desired.web.servers.iter().filter(|s| !s.stopped()).collect();
        all.sort_by_key(|s| self.asked.get(&s.id));
        all.truncate(ASKED_AT_ONCE);
        let there: BTreeSet<u32> = desired.web.servers.iter().map(|s| s.id).collect();
        self.asked.retain(|id, _| there.contains(id));
        self.asked.extend(all.iter().map(|s| (s.id, self.turn)));
        all
    }
}

impl Engine {
    /// Starts to ask.
    pub(super) fn ask_modes(&mut self) {
        let (board, out) = (self.parts.board.clone(), self.out.clone());
        self.work.spawn(async move {
            let (mut pace, mut turns) = (paced(PACE), Turns::default());
            loop {
                pace.tick().await;
                let desired = board.desired();
                let asked = turns.next(&desired).into_iter().map(|server| {
                    let (out, name, mode) = (out.clone(), server.name.clone(), desired.session);
                    async move {
                        // Why a server does not answer is reported by HAProxy's checks.
                        let to = timeout(RESOLVES, address(&server.host, server.port)).await;
                        let said = match to.ok().flatten() {
                            Some(to) => visitor::ask_mode(to, mode).await.ok(),
                            None => None,
                        };
                        let said = said.ok_or_else(|| text!("reason-not-http").into());
                        let _ = out.send(Sight::Mode { name, said }).await;
                    }
                });
                futures_util::future::join_all(asked).await;
            }
        });
    }
}

async fn address(host: &Host, port: u16) -> Option<SocketAddr> {
    let ip: IpAddr = match host {
        Host::Ip(ip) => *ip,
        Host::Name(name) => names::address(name).await.ok()?,
    };
    Some(SocketAddr::new(ip, port))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed expectation is how a test ends")]

    use std::collections::BTreeSet;

    use cordee_domain::change::{RawServer, Request};
    use cordee_domain::desired::{Addresses, Desired};
    use cordee_domain::ids::PoolId;
    use cordee_domain::sessions::{ASKED_AT_ONCE, Mode};

    use super::Turns;

    fn with(servers: usize) -> Desired {
        let at = |port| ([127, 0, 0, 1], port).into();
        let (page, site, db, writer) = (at(8600), at(8080), at(3307), at(3308));
        let addresses = Addresses { page, names: Vec::new(), site, db, writer, ports: (8610, 8699) };
        let mut desired = Desired::first(&addresses, |_| true).unwrap();
        while desired.web.servers.len() < servers {
            let n = desired.web.servers.len();
            let (name, address) = (format!("far{n}"), Some(format!("10.0.{}.{}", n / 250, 1 + n % 250)));
            let raw = RawServer { name, address, ..RawServer::default() };
            let server = raw.parse(|| Ok(Vec::new())).unwrap();
            desired = desired.apply(&Request::AddServer { pool: PoolId::Web, server }).unwrap();
        }
        desired
    }

    #[test]
    fn few_are_all_asked_each_time() {
        let (desired, mut turns) = (with(ASKED_AT_ONCE), Turns::default());
        for _ in 0..3 {
            assert_eq!(turns.next(&desired).len(), ASKED_AT_ONCE);
        }
    }

    #[test]
    fn of_many_each_has_its_turn_and_a_new_one_is_next() {
        let (desired, mut turns) = (with(3 * ASKED_AT_ONCE - 7), Turns::default());
        let mut all = BTreeSet::new();
        for _ in 0..3 {
            all.extend(turns.next(&desired).iter().map(|s| s.id));
        }
        assert_eq!(all.len(), desired.web.servers.len());
        let added = with(desired.web.servers.len() + 1);
        let new = added.web.servers.last().unwrap().id;
        assert_eq!(turns.next(&added)[0].id, new);
        assert_ne!(turns.next(&added)[0].id, new);
    }

    #[test]
    fn a_new_mode_is_asked_of_everybody_anew() {
        let (mut desired, mut turns) = (with(2 * ASKED_AT_ONCE), Turns::default());
        let first: Vec<u32> = turns.next(&desired).iter().map(|s| s.id).collect();
        desired.session = Mode::Database;
        assert_eq!(turns.next(&desired).iter().map(|s| s.id).collect::<Vec<_>>(), first);
    }
}
