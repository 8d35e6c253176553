//! The trait for everything that alters the desired state, and how Cordée's own decisions alter it. Each decision is
//! first compared with the state it was made on; a decision that was overtaken alters nothing.

use super::{Database, Desired, Doubt, Membership, Power, Saved, Server};
use crate::change::Request;
use crate::decision::{Basis, Decision, Overtaken};
use crate::ids::{Millis, PoolId, ServerName};
use crate::problem::Problem;
use crate::text::Text;

/// A change that alters the desired state through [`Desired::apply`]: either an operator's request, which is refused
/// with an explanation for the operator, or a decision of Cordée's own, which is refused if it was overtaken.
pub trait Alters: Clone {
    /// The reason why the change is refused.
    type Refused;

    /// Returns the change with every open choice made by Cordée, so that the history holds exactly what is applied.
    fn chosen(&self, desired: &Desired) -> Result<Self, Self::Refused>;

    /// Alters the wish. After a refusal the wish is in an undefined state and must be dropped.
    fn alter(&self, wish: &mut Desired) -> Result<(), Self::Refused>;

    /// Returns the request, if the change is one: who asked for it is kept beside the wish.
    fn request(&self) -> Option<&Request>;

    /// Returns the name of the server or proxy that the change is about.
    fn subject(&self) -> String;

    /// Returns the sentence for the journal.
    fn sentence(&self) -> Text;
}

impl Alters for Request {
    type Refused = Vec<Problem>;

    fn chosen(&self, desired: &Desired) -> Result<Self, Vec<Problem>> {
        desired.chosen(self)
    }

    fn alter(&self, wish: &mut Desired) -> Result<(), Vec<Problem>> {
        wish.ask(self)
    }

    fn request(&self) -> Option<&Request> {
        Some(self)
    }

    fn subject(&self) -> String {
        self.subject()
    }

    fn sentence(&self) -> Text {
        self.sentence()
    }
}

impl Alters for Decision {
    type Refused = Overtaken;

    fn chosen(&self, _: &Desired) -> Result<Self, Overtaken> {
        Ok(self.clone())
    }

    fn alter(&self, wish: &mut Desired) -> Result<(), Overtaken> {
        wish.decide(self)
    }

    fn request(&self) -> Option<&Request> {
        None
    }

    fn subject(&self) -> String {
        self.subject()
    }

    fn sentence(&self) -> Text {
        self.sentence()
    }
}

/// Checks that the membership is still the one on which the decision was made.
fn still(so: bool) -> Result<(), Overtaken> {
    if so { Ok(()) } else { Err(Overtaken::Membership) }
}

/// Returns the membership of a returning database that stays out, or `None` if the database may not be expelled.
fn diverged(database: &Database<'_>) -> Option<Membership> {
    match database.membership {
        Membership::Returning { saved: Some(saved), .. } => Some(Membership::Diverged(saved.clone())),
        // Cordée cannot read the log of an external database: its own transactions stay on it and are not counted.
        Membership::Returning { saved: None, .. } if !database.is_ours() => {
            Some(Membership::Diverged(Saved { count: 0, file: String::new() }))
        }
        _ => None,
    }
}

impl Desired {
    fn decide(&mut self, decision: &Decision) -> Result<(), Overtaken> {
        match decision {
            Decision::SetLogPort { port, was } => {
                if self.visitors.port != *was {
                    return Err(Overtaken::Already);
                }
                self.visitors.port = Some(*port);
            }
            Decision::Depart { name, id } => {
                still(self.meant(PoolId::Web, name, *id)?.leaving())?;
                self.web.servers.retain(|s| s.id != *id);
            }
            Decision::AbandonHandover { of, at, .. } => self.abandon(of, *at)?,
            Decision::Elect { to, id, epoch, limit, asked } => {
                self.elect((to, *id), *epoch, *limit, *asked)?;
            }
            Decision::Admit(of) => {
                still(*self.base_of(of)?.membership == Membership::Joining)?;
                self.becomes(of, Membership::Member);
            }
            Decision::Forget(of) => {
                let database = self.base_of(of)?;
                // An external database is forgotten only after Cordée's channels and accounts were removed from it.
                let last = if database.is_ours() { Membership::Leaving } else { Membership::Released };
                still(*database.membership == last)?;
                self.db.servers.retain(|s| s.id != of.id);
            }
            Decision::Release(of) => {
                let database = self.base_of(of)?;
                still(!database.is_ours() && *database.membership == Membership::Leaving)?;
                self.becomes(of, Membership::Released);
            }
            Decision::LetGo(of) => {
                let database = self.base_of(of)?;
                let leaves = matches!(database.membership, Membership::Leaving | Membership::Released);
                still(!database.is_ours() && leaves)?;
                self.db.servers.retain(|s| s.id != of.id);
            }
            Decision::Recopy(of) => {
                let database = self.base_of(of)?;
                still(database.is_ours() && matches!(database.membership, Membership::Diverged(_)))?;
                self.copied_anew(of.id);
            }
            Decision::Readmit { of, at } => {
                let database = self.base_of(of)?;
                let known = matches!(database.membership, Membership::Returning { saved, .. }
                    if saved.is_some() || !database.is_ours());
                still(known)?;
                self.becomes(of, Membership::Member);
                self.doubt(of.id, Doubt { since: *at, lacks: false });
            }
            Decision::Saved { of, saved } => {
                let Membership::Returning { limit, saved: known } = self.base_of(of)?.membership.clone()
                else {
                    return Err(Overtaken::Membership);
                };
                if known.is_some() {
                    return Err(Overtaken::Already);
                }
                self.becomes(of, Membership::Returning { limit, saved: Some(saved.clone()) });
            }
            Decision::Doubt { of, at, .. } => {
                still(*self.base_of(of)?.membership == Membership::Member)?;
                if self.doubts.get(&of.id).is_some_and(|known| known.lacks && known.since >= *at) {
                    return Err(Overtaken::Already);
                }
                self.doubt(of.id, Doubt { since: *at, lacks: true });
            }
            Decision::Expel { of, .. } => {
                let becomes = diverged(&self.base_of(of)?).ok_or(Overtaken::Membership)?;
                self.becomes(of, becomes);
            }
        }
        Ok(())
    }

    /// Returns the server that was meant: the one with that name and that id.
    fn meant(&self, pool: PoolId, name: &ServerName, id: u32) -> Result<&Server, Overtaken> {
        let mut servers = self.pool(pool).servers.iter();
        servers.find(|s| s.id == id && s.name.same_as(name)).ok_or(Overtaken::Server)
    }

    /// Returns the database that a decision is about, if the decision was made in the present epoch.
    fn base_of(&self, of: &Basis) -> Result<Database<'_>, Overtaken> {
        if of.epoch != self.epoch {
            return Err(Overtaken::Epoch);
        }
        self.meant(PoolId::Db, &of.name, of.id)?.as_database().ok_or(Overtaken::Server)
    }

    /// Sets the database's membership.
    fn becomes(&mut self, of: &Basis, membership: Membership) {
        let found = self.db.servers.iter_mut().find(|s| s.id == of.id);
        if let Some(facts) = found.and_then(Server::database_mut) {
            facts.membership = membership;
        }
    }

    /// Gives up exactly that change of writer. An operator may have asked for another one meanwhile.
    fn abandon(&mut self, of: &Basis, at: Millis) -> Result<(), Overtaken> {
        if of.epoch != self.epoch {
            return Err(Overtaken::Epoch);
        }
        let under_way = self.handover.as_ref().is_some_and(|h| h.to.same_as(&of.name) && h.at == at);
        if !under_way {
            return Err(Overtaken::Handover);
        }
        // The target server is not looked up: it may have been removed, and another server with its name was not asked
        // for.
        self.handover = None;
        Ok(())
    }

    /// Begins the next epoch, with another writer.
    fn elect(
        &mut self,
        (to, id): (&ServerName, u32),
        epoch: u64,
        limit: Option<u64>,
        asked: Option<Millis>,
    ) -> Result<(), Overtaken> {
        if epoch != self.epoch + 1 {
            return Err(Overtaken::Epoch);
        }
        if self.handover.as_ref().map(|h| h.at) != asked {
            return Err(Overtaken::Handover);
        }
        let candidate = self.meant(PoolId::Db, to, id)?.as_database().ok_or(Overtaken::Server)?;
        // An operator may have stopped the candidate meanwhile.
        still(*candidate.membership == Membership::Member && !candidate.stopped())?;
        let to = candidate.name.clone();
        let old = self.writer_server().map(|old| Basis::of(self, &old));
        if let (Some(limit), Some(old)) = (limit, old) {
            self.becomes(&old, Membership::Returning { limit, saved: None });
        }
        self.writer = Some(to);
        self.epoch = epoch;
        self.handover = None;
        Ok(())
    }

    /// Gives the database a fresh copy under a fresh id. The former id is never reused, because MariaDB skips events
    /// that carry the server's own id.
    pub(super) fn copied_anew(&mut self, id: u32) {
        let fresh = self.next_id;
        for server in self.db.servers.iter_mut().filter(|s| s.id == id) {
            server.id = fresh;
            server.set_power(Power::On);
            if let Some(facts) = server.database_mut() {
                facts.membership = Membership::Joining;
            }
            self.next_id += 1;
        }
    }
}

#[cfg(test)]
mod tests;
