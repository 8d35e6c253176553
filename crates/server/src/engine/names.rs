//! Host names of servers, looked up again from time to time: HAProxy's file holds addresses only.

use std::net::IpAddr;
use std::time::Duration;

use cordee_domain::desired::Desired;
use cordee_domain::ids::{Host, usable};
use cordee_domain::text;
use tokio::time::Instant;

use super::{Engine, Sight};

/// Between two look-ups of a name.
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

/// Why a name leads nowhere.
#[derive(Debug)]
pub(super) enum Nowhere {
    /// Nobody knows it.
    Unknown,
    /// It stands for an address that no server may have.
    Unusable(IpAddr),
}

/// The first address that a name stands for and that a server may have. Who owns a name has it stand for any address,
/// one that cannot be typed as well.
pub(super) async fn address(name: &str) -> Result<IpAddr, Nowhere> {
    let found = tokio::net::lookup_host((name, 0)).await.map_err(|_| Nowhere::Unknown)?;
    let all: Vec<IpAddr> = found.map(|at| at.ip()).collect();
    let first = all.first().copied().ok_or(Nowhere::Unknown)?;
    all.into_iter().find(|ip| usable(*ip)).ok_or(Nowhere::Unusable(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A name that stands for such an address, without anybody to ask: the system reads it as a number.
    #[tokio::test]
    async fn a_name_that_stands_for_a_forbidden_address_leads_nowhere() {
        let found = address("0xa9fea9fe").await;
        assert!(
            matches!(found, Err(Nowhere::Unusable(ip)) if ip.to_string() == "169.254.169.254"),
            "{found:?}"
        );
        assert!(address("0x7f000001").await.is_ok_and(|ip| ip.is_loopback()));
        assert!(matches!(address("a b").await, Err(Nowhere::Unknown)));
    }
}
