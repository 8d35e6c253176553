//! Rules for leaving, stopping, handing over and taking over, and how each of these alters the desired state.

use std::collections::BTreeMap;

use super::{
    Admin, Alters, Asked, AskedOut, Database, Desired, Doubt, Either, Kind, Membership, Power, Run, Server,
    another, ours, unknown,
};
use crate::change::Request;
use crate::ids::{Millis, PoolId, ServerName};
use crate::problem::Problem;
use crate::text;
use crate::text::{Arg, Text};

impl Asked {
    /// Returns the asker in the form used in sentences.
    pub fn who(&self) -> Arg {
        match self.by.split_once(':') {
            Some(("token", token)) => text!("who-token", name = token).into(),
            _ if self.by == "cordee" => text!("who-cordee").into(),
            _ if self.by == "cli" => text!("who-cli").into(),
            _ => self.by.as_str().into(),
        }
    }
}

impl Server {
    /// Prepares a stopped server for being started. The stop ends the draining that led to it, so the server serves
    /// once it is started. Maintenance stays: the server then starts without a visitor.
    pub(super) fn comes_back(&mut self) {
        let stopped = self.stopped();
        if let Some(web) = self.web_mut().filter(|web| stopped && web.admin == Admin::Drain) {
            web.admin = Admin::Ready;
        }
    }

    /// Whether an operator took the server out of service while it keeps running. Only web servers can be taken out
    /// like that.
    fn taken_out(&self) -> bool {
        match &self.kind {
            Kind::Web(web) => web.admin != Admin::Ready,
            Kind::Database(_) => false,
        }
    }

    /// Sets whether the server's process should run. An external server has no process that Cordée could control.
    pub(super) const fn set_power(&mut self, to: Power) {
        match &mut self.runtime {
            Run::External => {}
            Run::Process { power, .. } => *power = to,
        }
    }

    /// Sets whether the present request is carried out even if no other server serves, or waits until another one
    /// serves. Databases never wait.
    pub(super) const fn insist(&mut self, force: bool) {
        match &mut self.kind {
            Kind::Web(web) => web.anyway = force,
            Kind::Database(_) => {}
        }
    }

    /// Asks for another process than the one that runs now.
    pub(super) const fn restart(&mut self, force: bool) {
        match &mut self.runtime {
            Run::External => {}
            Run::Process { power, generation } => {
                *power = Power::On;
                *generation += 1;
            }
        }
        match &mut self.kind {
            Kind::Web(web) => (web.anyway, web.kept) = (force, false),
            Kind::Database(_) => {}
        }
    }
}

impl Desired {
    /// Returns this wish, which `change` has just produced, with the record of who asked for it.
    #[must_use]
    pub fn signed(mut self, change: &impl Alters, by: &str, at: Millis) -> Self {
        let mut all = std::mem::take(&mut self.asked);
        let who = || Some(Asked { by: by.to_owned(), at });
        let mut kept = BTreeMap::new();
        for server in self.servers().filter(|s| !s.wanted()) {
            let pool = server.pool();
            let mut out = all.remove(&server.id).unwrap_or_default();
            match change.request() {
                Some(Request::AddServer { server: new, .. }) if server.name == new.name => out.admin = who(),
                Some(Request::SetAdmin { pool: p, name, .. }) if *p == pool && server.name.same_as(name) => {
                    out.admin = who();
                }
                Some(Request::SetPower { pool: p, name, .. }) if *p == pool && server.name.same_as(name) => {
                    out.power = who();
                }
                Some(Request::RemoveServer { pool: p, name, .. })
                    if *p == pool && server.name.same_as(name) =>
                {
                    out.leaves = who();
                }
                _ => {}
            }
            out.admin = out.admin.filter(|_| server.taken_out());
            out.power = out.power.filter(|_| server.stopped());
            out.leaves = out.leaves.filter(|_| server.leaving());
            if out != AskedOut::default() {
                kept.insert(server.id, out);
            }
        }
        self.asked = kept;
        self
    }

    /// Returns who took that server out of service, if an operator did and it is known who.
    pub fn asked(&self, server: &Server) -> Option<&Asked> {
        let out = self.asked.get(&server.id)?;
        let leaves = out.leaves.as_ref().filter(|_| server.leaving());
        let power = out.power.as_ref().filter(|_| server.stopped());
        leaves.or(power).or_else(|| out.admin.as_ref().filter(|_| server.taken_out()))
    }

    /// Sets whether a web server gets visitors. A stopped server can neither serve nor drain before it is started, but
    /// it can be put into maintenance: it then starts without a visitor.
    pub(super) fn set_admin(
        &mut self,
        pool: PoolId,
        name: &ServerName,
        admin: Admin,
        force: bool,
    ) -> Result<(), Vec<Problem>> {
        match pool {
            PoolId::Web => {}
            PoolId::Db => return Err(vec![Problem::conflict("pool", text!("problem-db-admin"))]),
        }
        if admin != Admin::Ready {
            self.spare_the_last(pool, name, force)?;
        }
        let server = self.find(pool, name)?;
        if server.stopped() && admin != Admin::Maintenance {
            return Err(vec![Problem::conflict(
                "name",
                text!("problem-stopped", name = server.name.as_str()),
            )]);
        }
        let web = self.web_mut(name)?;
        (web.admin, web.anyway) = (admin, force && admin != Admin::Ready);
        Ok(())
    }

    /// Marks a server as leaving, or removes it at once.
    pub(super) fn remove(
        &mut self,
        pool: PoolId,
        name: &ServerName,
        force: bool,
    ) -> Result<(), Vec<Problem>> {
        self.spare_the_last(pool, name, force)?;
        let found = self.find(pool, name)?.clone();
        match found.either() {
            // A web server leaves once others serve its visitors; only the plan knows when that is.
            Either::Web(_) if !force => {
                let web = self.web_mut(name)?;
                (web.leaving, web.anyway) = (true, false);
            }
            Either::Web(_) => self.web.servers.retain(|s| s.id != found.id),
            Either::Database(database) => {
                self.may_leave(database)?;
                self.spare_the_standby(database, force)?;
                if *database.membership == Membership::Member {
                    self.database_mut(name)?.membership = Membership::Leaving;
                } else {
                    match database.runtime {
                        Run::External => self.database_mut(name)?.membership = Membership::Released,
                        Run::Process { .. } => self.db.servers.retain(|s| s.id != found.id),
                    }
                }
            }
        }
        Ok(())
    }

    /// Checks that a database may be stopped or restarted. The writer may not be while another member could take over:
    /// that one must be promoted first. A joining database may not be either: its copy would start from the beginning.
    pub(crate) fn may_stop(&self, pool: PoolId, name: &ServerName) -> Result<(), Vec<Problem>> {
        match pool {
            PoolId::Web => return Ok(()),
            PoolId::Db => {}
        }
        let joins = |s: &Database<'_>| *s.membership == Membership::Joining && !s.stopped();
        if let Some(server) = self.database(name).filter(joins) {
            let text = text!("problem-joining", name = server.name.as_str());
            return Err(vec![Problem::conflict("name", text)]);
        }
        let candidate = self.members().find(|s| !s.stopped() && !s.name.same_as(name));
        match candidate {
            Some(candidate) if self.is_writer(name) => {
                let text = text!("problem-writer", name = name.as_str(), candidate = candidate.name.as_str());
                Err(vec![Problem::conflict("name", text)])
            }
            _ => Ok(()),
        }
    }

    /// Checks that this is not the last server that is to serve: that one leaves or stops only when the operator
    /// forces it. Whether another server serves at this moment is decided by the plan, which makes this one wait.
    pub(super) fn spare_the_last(
        &self,
        pool: PoolId,
        name: &ServerName,
        force: bool,
    ) -> Result<(), Vec<Problem>> {
        let Some(server) = self.pool(pool).server(name).filter(|s| !force && s.wanted()) else {
            return Ok(());
        };
        if self.pool(pool).servers.iter().any(|s| s.id != server.id && s.wanted()) {
            return Ok(());
        }
        let text = match pool {
            PoolId::Web => text!("problem-last-healthy", name = server.name.as_str()),
            PoolId::Db => text!("problem-last-database-stops", name = server.name.as_str()),
        };
        Err(vec![Problem::conflict("force", text)])
    }

    /// Checks that this is not the last database that could take over: that one leaves only when the operator forces
    /// it, because without it a lost writer is lost with its data. A joining database may always leave: nobody depends
    /// on its data yet.
    fn spare_the_standby(&self, server: Database<'_>, force: bool) -> Result<(), Vec<Problem>> {
        let candidate = |s: &Database<'_>| s.id != server.id && !self.is_writer(&s.name) && !s.stopped();
        if force || *server.membership == Membership::Joining || self.members().any(|s| candidate(&s)) {
            return Ok(());
        }
        let text = text!("problem-last-standby", name = server.name.as_str());
        Err(vec![Problem::conflict("force", text)])
    }

    /// Checks that a database may leave: another member must remain, and the writer must hand over first.
    pub(crate) fn may_leave(&self, server: Database<'_>) -> Result<(), Vec<Problem>> {
        let name = server.name.as_str();
        let text = if matches!(server.membership, Membership::Leaving | Membership::Released) {
            text!("problem-leaving", name = name)
        } else if !self.is_writer(&server.name) {
            return Ok(());
        } else if let Some(candidate) = self.members().find(|s| s.name != server.name) {
            text!("problem-writer-leaves", name = name, candidate = candidate.name.as_str())
        } else {
            text!("problem-last-database", name = name)
        };
        Err(vec![Problem::conflict("name", text)])
    }

    /// Gives the same server a fresh copy, under a fresh id.
    pub(super) fn recopy(&mut self, name: &ServerName, id: u32) -> Result<(), Vec<Problem>> {
        if self.is_writer(name) {
            let text = text!("problem-recopy-writer", name = name.as_str());
            return Err(vec![Problem::conflict("name", text)]);
        }
        let server = self.find(PoolId::Db, name)?;
        if server.id != id {
            return Err(vec![another(&server.name)]);
        }
        if server.leaving() {
            return Err(vec![Problem::conflict(
                "name",
                text!("problem-leaving", name = server.name.as_str()),
            )]);
        }
        ours(server)?;
        self.copied_anew(id);
        Ok(())
    }

    /// Puts a database's rows in doubt, and drops the doubts about databases that were removed.
    pub(super) fn doubt(&mut self, id: u32, doubt: Doubt) {
        let servers = &self.db.servers;
        self.doubts.retain(|id, _| servers.iter().any(|s| s.id == *id));
        // A database that may lack rows stays marked so until a comparison proves otherwise, whatever else raises a
        // doubt.
        let known = self.doubts.get(&id);
        let lacks = doubt.lacks || known.is_some_and(|d| d.lacks);
        let since = known.map_or(doubt.since, |d| d.since.max(doubt.since));
        self.doubts.insert(id, Doubt { since, lacks });
    }

    pub(super) fn promote(&self, name: &ServerName, accept_loss: bool) -> Result<ServerName, Vec<Problem>> {
        let problem = |text: Text| Err(vec![Problem::conflict("name", text)]);
        let writer = self.is_writer(name);
        let handover = self.handover.clone();
        let Some(server) = self.database(name) else { return Err(unknown(name)) };
        let (found, name) = (server.name.clone(), server.name.as_str());
        if writer {
            return problem(text!("problem-writer-already", name = name));
        }
        if *server.membership != Membership::Member {
            return problem(text!("problem-not-member", name = name));
        }
        if server.stopped() {
            return problem(text!("problem-promote-stopped", name = name));
        }
        match handover {
            // A request that accepts a loss replaces one that does not.
            Some(under_way) if under_way.accept_loss || !accept_loss => {
                problem(text!("problem-handover", name = under_way.to.as_str()))
            }
            _ => Ok(found),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::Saved;
    use crate::plan::tests::first;
    use crate::problem::Kind;

    fn name(text: &str) -> ServerName {
        ServerName::parse(text).expect("a name")
    }

    fn removal(server: &str, force: bool) -> Request {
        Request::RemoveServer { pool: PoolId::Db, name: name(server), force }
    }

    #[test]
    fn the_last_database_that_could_take_over_leaves_only_when_that_is_said() {
        let memberships = [
            Membership::Member,
            Membership::Returning { limit: 3, saved: None },
            Membership::Diverged(Saved { count: 1, file: "lost/x".to_owned() }),
        ];
        for membership in memberships {
            let mut desired = first();
            desired.db.servers[1].stands(membership.clone());
            let refused = desired.apply(&removal("db2", false)).expect_err("nobody could take over");
            assert_eq!(
                (refused[0].field.as_str(), refused[0].kind),
                ("force", Kind::Conflict),
                "{membership:?}"
            );
            desired.apply(&removal("db2", true)).expect("it was said");
        }
        let mut joining = first();
        joining.db.servers[1].stands(Membership::Joining);
        joining.apply(&removal("db2", false)).expect("nobody waits for what it holds");
    }

    #[test]
    fn who_added_it_in_maintenance_asked_for_that() {
        let raw = crate::change::RawServer {
            name: "web9".to_owned(),
            address: Some("10.0.0.9".to_owned()),
            maintenance: true,
            ..crate::change::RawServer::default()
        };
        let server = raw.parse(|| Ok(Vec::new())).expect("valid");
        let add = Request::AddServer { pool: PoolId::Web, server: server.clone() };
        let desired = first().apply(&add).expect("added").signed(&add, "ada", 7);
        let added = desired.web.server(&name("web9")).expect("there");
        assert_eq!((added.site().admin, added.wanted()), (Admin::Maintenance, false));
        assert_eq!(desired.asked(added), Some(&Asked { by: "ada".to_owned(), at: 7 }));
        let refused =
            first().apply(&Request::AddServer { pool: PoolId::Db, server }).expect_err("no database");
        assert!(refused.iter().any(|p| p.field == "maintenance"), "{refused:?}");
    }

    #[test]
    fn one_of_several_leaves_unasked_unless_the_others_could_not_take_over() {
        let mut desired = first();
        let mut more = desired.db.servers[1].clone();
        (more.id, more.name, more.port) = (9, name("db3"), 8_699);
        desired.db.servers.push(more);
        for server in ["db2", "db3"] {
            desired.apply(&removal(server, false)).expect("the other one stays");
        }
        let mut stopped = desired.clone();
        stopped.db.servers[2].powered(Power::Off);
        let mut joining = desired.clone();
        joining.db.servers[2].stands(Membership::Joining);
        for case in [stopped, joining] {
            assert!(case.apply(&removal("db2", false)).is_err(), "db3 could not take over");
            case.apply(&removal("db3", false)).expect("db2 stays");
        }
    }
}
