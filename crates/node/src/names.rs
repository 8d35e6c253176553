//! Resolving host names.

use std::net::IpAddr;

use cordee_domain::ids::usable;

/// Why a name does not resolve to a usable address.
#[derive(Debug)]
pub enum Nowhere {
    /// The name does not resolve.
    Unknown,
    /// The name resolves to an address that no server may have.
    Unusable(IpAddr),
}

/// Returns the first address of a name that a server may have. The owner of a name can point it to any address,
/// including one that Cordée would not accept as typed input.
pub async fn address(name: &str) -> Result<IpAddr, Nowhere> {
    let found = tokio::net::lookup_host((name, 0)).await.map_err(|_| Nowhere::Unknown)?;
    let all: Vec<IpAddr> = found.map(|at| at.ip()).collect();
    let first = all.first().copied().ok_or(Nowhere::Unknown)?;
    all.into_iter().find(|ip| usable(*ip)).ok_or(Nowhere::Unusable(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A name that resolves to such an address without DNS: the system reads it as a number.
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
