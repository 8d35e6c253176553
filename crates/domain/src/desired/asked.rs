//! Applies the operator's requests to the desired state.

use std::net::{IpAddr, Ipv4Addr};

use super::{
    Admin, CookieChoice, DatabaseFacts, Desired, Handover, Kind, Membership, Power, Run, Runtime, Server,
    WebFacts, here, ours, reaches,
};
use crate::change::{NewServer, PortChoice, Request};
use crate::ids::{Host, PoolId};
use crate::problem::Problem;
use crate::text;
use crate::visitors::Keeping;

impl Desired {
    /// Returns the request with every open choice made by Cordée, so that the history holds exactly what is applied.
    pub fn chosen(&self, change: &Request) -> Result<Request, Vec<Problem>> {
        match change {
            Request::AddServer { pool, server } => {
                let port = PortChoice::Given(self.port_of(&server.port).map_err(|p| vec![p])?);
                Ok(Request::AddServer { pool: *pool, server: NewServer { port, ..server.clone() } })
            }
            other => Ok(other.clone()),
        }
    }

    fn port_of(&self, choice: &PortChoice) -> Result<u16, Problem> {
        match choice {
            PortChoice::Given(port) => Ok(*port),
            PortChoice::AnyOf(free) => self.choose_port(free.iter().copied()),
        }
    }

    /// Applies an operator's request.
    pub(super) fn ask(&mut self, change: &Request) -> Result<(), Vec<Problem>> {
        let next = self;
        match change {
            Request::AddServer { pool, server } => next.add(*pool, server)?,
            Request::RemoveServer { pool, name, force } => next.remove(*pool, name, *force)?,
            Request::SetAdmin { pool, name, admin, force } => next.set_admin(*pool, name, *admin, *force)?,
            Request::SetPower { pool, name, power, force } => {
                if *power == Power::Off {
                    next.may_stop(*pool, name)?;
                    next.spare_the_last(*pool, name, *force)?;
                }
                let server = next.find(*pool, name)?;
                ours(server)?;
                if *power == Power::On {
                    server.comes_back();
                }
                server.set_power(*power);
                server.insist(*force && *power == Power::Off);
            }
            Request::Restart { pool, name, force } => {
                next.may_stop(*pool, name)?;
                next.spare_the_last(*pool, name, *force)?;
                let server = next.find(*pool, name)?;
                ours(server)?;
                server.comes_back();
                server.restart(*force);
            }
            Request::Insist { name } => next.web_mut(name)?.anyway = true,
            Request::Withdraw { name } => {
                let web = next.web_mut(name)?;
                (web.admin, web.leaving, web.anyway, web.kept) = (Admin::Ready, false, false, true);
                next.find(PoolId::Web, name)?.set_power(Power::On);
            }
            Request::SetAddresses { page, names, site, db, writer, ports } => {
                next.page = *page;
                next.names.clone_from(names);
                next.web.listen = *site;
                next.db.listen = *db;
                next.writer_listen = *writer;
                next.ports = *ports;
                next.distinct()?;
            }
            Request::SetKeeping { days, shorten, trusted } => {
                let trusted = trusted.clone();
                next.visitors = Keeping { port: next.visitors.port, days: *days, shorten: *shorten, trusted };
            }
            Request::Reload { proxy } => next.pool_mut(*proxy).generation += 1,
            Request::SetRouting { routing } => next.routing = *routing,
            Request::SetSession { mode } => next.session = *mode,
            Request::Promote { name, at, accept_loss } => {
                let to = next.promote(name, *accept_loss)?;
                next.handover = Some(Handover { to, at: *at, accept_loss: *accept_loss });
            }
            Request::Recopy { name, id } => next.recopy(name, *id)?,
        }
        Ok(())
    }

    fn add(&mut self, pool: PoolId, new: &NewServer) -> Result<(), Vec<Problem>> {
        let mut problems = Vec::new();
        let kind = match pool {
            PoolId::Web => {
                Some(Kind::Web(WebFacts { admin: new.admin, ..WebFacts::ready(new.cookie.clone()) }))
            }
            PoolId::Db => self.new_database(new, &mut problems),
        };
        if self.servers().any(|s| s.name.same_as(&new.name)) {
            let text = text!("problem-name-taken", name = new.name.as_str());
            problems.push(Problem::conflict("name", text));
        }
        let host = match new.runtime {
            Runtime::Process => Host::Ip(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            Runtime::External => new.host.clone(),
        };
        let own = [self.page, self.web.listen, self.db.listen, self.writer_listen];
        let port = self.port_of(&new.port).map_err(|p| vec![p])?;
        if own.iter().any(|a| reaches(&host, port, *a)) {
            problems.push(Problem::conflict("address", text!("problem-address-own")));
        } else if let Some(other) = self.servers().find(|s| s.port == port && s.host.same_as(&host)) {
            let text = text!("problem-address-taken", name = other.name.as_str());
            problems.push(Problem::conflict("address", text));
        }
        if let CookieChoice::Chosen(_) = &new.cookie
            && let Some(other) = self.web_servers().find(|s| *s.cookie == new.cookie)
        {
            let text = text!("problem-cookie-taken", name = other.name.as_str());
            problems.push(Problem::conflict("cookie", text));
        }
        let Some(kind) = kind.filter(|_| problems.is_empty()) else { return Err(problems) };
        let runtime = Run::new(new.runtime);
        let server = Server { id: self.next_id, name: new.name.clone(), host, port, kind, runtime };
        self.next_id += 1;
        self.pool_mut(pool).servers.push(server);
        Ok(())
    }

    /// Returns the facts of a new database, or `None` after adding the problems that stand against it.
    fn new_database(&self, new: &NewServer, problems: &mut Vec<Problem>) -> Option<Kind> {
        if new.runtime == Runtime::External && !here(&new.host) {
            problems.push(Problem::conflict("address", text!("problem-db-elsewhere")));
        }
        if new.admin != Admin::Ready {
            problems.push(Problem::conflict("maintenance", text!("problem-db-admin")));
        }
        let slot = self.free_slot().map_err(|p| problems.push(p)).ok()?;
        Some(Kind::Database(DatabaseFacts { slot, membership: Membership::Joining }))
    }
}
