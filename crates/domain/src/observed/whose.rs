//! A sight belongs to the server that was looked at, not to whoever has its name next.

use super::Observed;
use crate::desired::Desired;
use crate::ids::ServerName;

impl Observed {
    /// Forgets what was seen of a database of somebody else's that is gone, or whose name another one has by now. With
    /// one of ours that goes with its process.
    pub fn keep_to(&mut self, desired: &Desired) {
        let external = || desired.db.servers.iter().filter(|s| !s.is_ours());
        let same = |name: &ServerName, id| external().any(|s| s.name == *name && s.id == id);
        let gone = self.whose.iter().filter(|(name, id)| !same(name, **id)).map(|(name, _)| name.clone());
        let come = external().filter(|s| self.whose.get(&s.name) != Some(&s.id)).map(|s| s.name.clone());
        for name in gone.chain(come).collect::<Vec<_>>() {
            // Whether it was open stays, until somebody has seen that it is not: it keeps others closed.
            self.databases.remove(&name);
            self.back.remove(&name);
            self.numbered.remove(&name);
            self.accounts.remove(&name);
            self.beats.remove(&name);
        }
        self.whose = external().map(|s| (s.name.clone(), s.id)).collect();
    }
}

#[cfg(test)]
mod tests {
    use crate::db::DatabaseSeen;
    use crate::desired::Run;
    use crate::ids::ServerName;
    use crate::observed::{Observed, Seen};
    use crate::plan::tests::first;

    #[test]
    fn what_was_seen_of_one_says_nothing_of_the_next_by_its_name() {
        let name = ServerName::parse("db2").expect("a name");
        let mut desired = first();
        desired.db.servers[1].runtime = Run::External;
        let mut seen = Observed::default();
        let look = |seen: &mut Observed, id| {
            seen.databases
                .insert(name.clone(), Seen::At(7, DatabaseSeen { server_id: id, ..DatabaseSeen::default() }));
        };
        seen.keep_to(&desired);
        look(&mut seen, 2);
        seen.open.insert(name.clone());
        seen.keep_to(&desired);
        assert!(seen.databases.contains_key(&name), "it is the same one");
        // Removed and added between two rounds.
        desired.db.servers[1].id = 9;
        seen.keep_to(&desired);
        assert!(!seen.databases.contains_key(&name) && seen.open.contains(&name));
        look(&mut seen, 9);
        desired.db.servers.truncate(1);
        seen.keep_to(&desired);
        assert!(seen.databases.is_empty() && seen.whose.is_empty(), "it is gone");
        // One of ours is known by its process.
        let ours = first();
        look(&mut seen, 2);
        seen.keep_to(&ours);
        assert!(seen.databases.contains_key(&name));
    }
}
