//! The desired state of a new installation: the cluster of the first start.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::{CookieChoice, DatabaseFacts, Desired, Kind, Membership, Pool, Routing, Run, Server, WebFacts};
use crate::ids::{Cookie, Host, ServerName};
use crate::problem::Problem;
use crate::sessions::Mode;
use crate::text;
use crate::visitors::Keeping;

/// The addresses at which the cluster listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// The address of the page.
    pub page: SocketAddr,
    /// Host names by which the page may be called.
    pub names: Vec<Host>,
    /// The address of HAProxy `web`.
    pub site: SocketAddr,
    /// The address of HAProxy `db` that follows the routing.
    pub db: SocketAddr,
    /// The address of HAProxy `db` that always leads to the writer.
    pub writer: SocketAddr,
    /// First and last port for servers started on this machine.
    pub ports: (u16, u16),
}

impl Desired {
    /// Returns the cluster of the first start: two web servers with the cookies S1 and S2, and two databases.
    ///
    /// Every server's port is chosen here, once, among those that `free` accepts.
    pub fn first(addresses: &Addresses, free: impl Fn(u16) -> bool) -> Result<Self, Vec<Problem>> {
        let pool = |listen| Pool { listen, generation: 0, servers: Vec::new() };
        let mut desired = Self {
            revision: 1,
            page: addresses.page,
            names: addresses.names.clone(),
            web: pool(addresses.site),
            db: pool(addresses.db),
            writer_listen: addresses.writer,
            writer: None,
            epoch: 1,
            routing: Routing::OneWriter,
            session: Mode::Proxy,
            handover: None,
            next_id: 1,
            ports: addresses.ports,
            visitors: Keeping::default(),
            doubts: BTreeMap::new(),
            asked: BTreeMap::new(),
        };
        desired.distinct()?;
        let database = |slot| Kind::Database(DatabaseFacts { slot, membership: Membership::Member });
        let web = |cookie| -> Result<Kind, Vec<Problem>> {
            let cookie = Cookie::parse(cookie).map_err(|why| vec![why.into()])?;
            Ok(Kind::Web(WebFacts::ready(CookieChoice::Chosen(cookie))))
        };
        for (name, kind) in
            [("db1", database(1)), ("db2", database(2)), ("web1", web("S1")?), ("web2", web("S2")?)]
        {
            let server = Server {
                id: desired.next_id,
                name: ServerName::parse(name).map_err(|why| vec![why.into()])?,
                host: Host::Ip(IpAddr::V4(Ipv4Addr::LOCALHOST)),
                port: desired.pick_port(&free).map_err(|p| vec![p])?,
                kind,
                runtime: Run::STARTED,
            };
            desired.next_id += 1;
            if desired.writer.is_none() && server.as_database().is_some() {
                desired.writer = Some(server.name.clone());
            }
            desired.pool_mut(server.pool()).servers.push(server);
        }
        Ok(desired)
    }

    /// Returns the first port for a new server on this machine that nothing in the cluster uses and that `free`
    /// accepts.
    fn pick_port(&self, free: impl Fn(u16) -> bool) -> Result<u16, Problem> {
        self.choose_port(self.open_ports().filter(|p| free(*p)))
    }

    /// Returns the ports for a new server on this machine that `free` accepts. Another server may have taken one of
    /// them by the time a port is chosen; `choose_port` checks that.
    pub fn free_ports(&self, free: impl Fn(u16) -> bool) -> Vec<u16> {
        self.open_ports().filter(|p| free(*p)).collect()
    }

    /// Returns the ports of the configured range that nothing in the cluster uses. Used ports are left out before
    /// `free` is asked: `free` tries to bind the port, and a server that is being started at that moment would find
    /// its own port taken.
    fn open_ports(&self) -> impl Iterator<Item = u16> {
        let listens = [self.page, self.web.listen, self.db.listen, self.writer_listen].map(|a| a.port());
        let own: BTreeSet<u16> = self.servers().map(|s| s.port).chain(listens).collect();
        (self.ports.0..=self.ports.1).filter(move |p| !own.contains(p))
    }

    /// Returns the first of these ports that no server has.
    pub(super) fn choose_port(&self, among: impl IntoIterator<Item = u16>) -> Result<u16, Problem> {
        among.into_iter().find(|p| self.servers().all(|s| s.port != *p)).ok_or_else(|| {
            let (first, last) = self.ports;
            Problem::conflict("port", text!("problem-ports-full", first = first, last = last))
        })
    }
}
