//! What alters the wishes, and what Cordée's own decisions make of them. Each is compared with what it was made on
//! first: one that was overtaken alters nothing.

use super::{Database, Desired, Doubt, Membership, Power, Saved, Server};
use crate::change::Request;
use crate::decision::{Basis, Decision, Overtaken};
use crate::ids::{Millis, PoolId, ServerName};
use crate::problem::Problem;
use crate::text::Text;

/// What alters the wishes through [`Desired::apply`]: a person's request, refused in words for that person, or a
/// decision of Cordée's, refused when it was overtaken.
pub trait Alters: Clone {
    /// Why it is refused.
    type Refused;

    /// The same with everything in it that is Cordée's to choose: what is applied is what stands in the history.
    fn chosen(&self, desired: &Desired) -> Result<Self, Self::Refused>;

    /// Does it to the wish. On a refusal the wish is of no use any more.
    fn alter(&self, wish: &mut Desired) -> Result<(), Self::Refused>;

    /// The request, if it is one: who asked for it is kept beside the wish.
    fn request(&self) -> Option<&Request>;

    /// The server or proxy it is about.
    fn subject(&self) -> String;

    /// The sentence that stands in the journal.
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

/// That membership is still what the decision was made on.
fn still(so: bool) -> Result<(), Overtaken> {
    if so { Ok(()) } else { Err(Overtaken::Membership) }
}

/// What it becomes when it stays out, if it is one that may be expelled.
fn diverged(database: &Database<'_>) -> Option<Membership> {
    match database.membership {
        Membership::Returning { saved: Some(saved), .. } => Some(Membership::Diverged(saved.clone())),
        // Its log is not ours to read: what it alone holds stays on it, and is not counted.
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
                // What is ours is taken off somebody else's first.
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

    /// The server that was meant: by that name, and with that id.
    fn meant(&self, pool: PoolId, name: &ServerName, id: u32) -> Result<&Server, Overtaken> {
        let mut servers = self.pool(pool).servers.iter();
        servers.find(|s| s.id == id && s.name.same_as(name)).ok_or(Overtaken::Server)
    }

    /// The database that a decision is about, if it was made in this epoch.
    fn base_of(&self, of: &Basis) -> Result<Database<'_>, Overtaken> {
        if of.epoch != self.epoch {
            return Err(Overtaken::Epoch);
        }
        self.meant(PoolId::Db, &of.name, of.id)?.as_database().ok_or(Overtaken::Server)
    }

    /// Its place among the others from now on.
    fn becomes(&mut self, of: &Basis, membership: Membership) {
        let found = self.db.servers.iter_mut().find(|s| s.id == of.id);
        if let Some(facts) = found.and_then(Server::database_mut) {
            facts.membership = membership;
        }
    }

    /// That very change of writer is given up; a person may have asked for another one meanwhile.
    fn abandon(&mut self, of: &Basis, at: Millis) -> Result<(), Overtaken> {
        if of.epoch != self.epoch {
            return Err(Overtaken::Epoch);
        }
        let under_way = self.handover.as_ref().is_some_and(|h| h.to.same_as(&of.name) && h.at == at);
        if !under_way {
            return Err(Overtaken::Handover);
        }
        // The writer to be may be gone altogether; another one by its name was not asked for.
        self.handover = None;
        Ok(())
    }

    /// The next epoch: another writer.
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
        // Meanwhile a person may have stopped it.
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

    /// A fresh copy under a fresh id: the former one is never used again, because MariaDB skips events that carry its
    /// own.
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
