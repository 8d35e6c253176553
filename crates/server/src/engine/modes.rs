//! Whether the web servers keep sessions where they are told to: each is asked itself, past HAProxy.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use cordee_domain::ids::Host;
use cordee_domain::text;
use cordee_node::names;
use cordee_node::visitor;

use super::{Engine, Sight, paced};

/// Between two questions.
const PACE: Duration = Duration::from_secs(3);

impl Engine {
    /// Starts to ask.
    pub(super) fn ask_modes(&mut self) {
        let (board, out) = (self.parts.board.clone(), self.out.clone());
        self.work.spawn(async move {
            let mut pace = paced(PACE);
            loop {
                pace.tick().await;
                let desired = board.desired();
                let asked = desired.web.servers.iter().filter(|s| !s.stopped()).map(|server| {
                    let (out, name, mode) = (out.clone(), server.name.clone(), desired.session);
                    async move {
                        // Why it does not answer is what HAProxy's checks say.
                        let said = match address(&server.host, server.port).await {
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
