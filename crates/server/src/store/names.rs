//! Two names for one server: the name is resolved before the server is added.

use std::net::{IpAddr, ToSocketAddrs as _};
use std::sync::mpsc;
use std::time::Duration;

use cordee_domain::change::{NewServer, PortChoice};
use cordee_domain::desired::{Desired, Runtime};
use cordee_domain::ids::{Host, plain};
use cordee_domain::problem::Problem;
use cordee_domain::text;

/// Time limit for a resolver, so that the operator need not wait for one that does not answer. The engine resolves
/// the names again later, and a server that is in the list twice is then shown as such.
const DEADLINE: Duration = Duration::from_secs(2);

/// Refuses a server whose host name resolves to the address of a known server, or the reverse.
pub(super) fn unlike(desired: &Desired, new: &NewServer) -> Result<(), Problem> {
    let PortChoice::Given(port) = new.port else { return Ok(()) };
    if new.runtime == Runtime::Process {
        return Ok(());
    }
    let mut its = None;
    for other in desired.servers().filter(|s| s.port == port) {
        if matches!((&new.host, &other.host), (Host::Ip(_), Host::Ip(_))) {
            continue;
        }
        let its = its.get_or_insert_with(|| means(&new.host));
        if means(&other.host).iter().any(|ip| its.contains(ip)) {
            let text = text!("problem-address-taken", name = other.name.as_str());
            return Err(Problem::conflict("address", text));
        }
    }
    Ok(())
}

/// Returns every address that a host resolves to now; none when the resolver does not answer.
fn means(host: &Host) -> Vec<IpAddr> {
    let name = match (host.plain(), host) {
        (Some(ip), _) => return vec![ip],
        (None, Host::Ip(ip)) => return vec![plain(*ip)],
        (None, Host::Name(name)) => name.clone(),
    };
    let (out, found) = mpsc::channel();
    // The resolver has a timeout of its own and cannot be interrupted: the thread ends with it.
    std::thread::spawn(move || {
        let all = (name.as_str(), 0).to_socket_addrs();
        let _ = out.send(all.map(|all| all.map(|a| plain(a.ip())).collect()).unwrap_or_default());
    });
    found.recv_timeout(DEADLINE).unwrap_or_default()
}
