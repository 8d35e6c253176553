//! Host names of servers, resolved again from time to time: HAProxy's file holds addresses only.

use std::time::Duration;

use cordee_domain::desired::Desired;
use cordee_domain::ids::Host;
use cordee_domain::text;
use cordee_node::names::{Nowhere, address};
use tokio::time::Instant;

use super::{Engine, Sight};

/// Time between two look-ups of a name.
const NAME_PACE: Duration = Duration::from_millis(cordee_domain::figures::NAME_LOOK);

impl Engine {
    /// Starts the look-ups that are due.
    pub(super) fn look_up_names(&mut self, desired: &Desired, time: Instant) {
        for server in desired.servers() {
            let Host::Name(host) = &server.host else { continue };
            let due = self.names_due.entry(host.clone()).or_insert(time);
            if *due > time {
                continue;
            }
            *due = time + NAME_PACE;
            let (host, out) = (host.clone(), self.out.clone());
            self.work.spawn(async move {
                let found = address(&host).await.map_err(|nowhere| match nowhere {
                    Nowhere::Unknown => text!("reason-name", name = host.as_str()).into(),
                    Nowhere::Unusable(ip) => {
                        text!("reason-name-unusable", name = host.as_str(), address = ip.to_string()).into()
                    }
                });
                let _ = out.send(Sight::Name { host, found }).await;
            });
        }
    }
}
