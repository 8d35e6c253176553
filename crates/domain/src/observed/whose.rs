//! A look belongs to the server that was looked at, not to the next server of that name.

use super::Observed;
use crate::desired::{Desired, Server};
use crate::ids::{Millis, ServerName};
use crate::seen::Seen;

impl Observed {
    /// Removes what was seen of an external database that is gone, or whose name another server has now. For
    /// Cordée's own databases that happens with the process.
    pub fn keep_to(&mut self, desired: &Desired, now: Millis) {
        let external = || desired.db.servers.iter().filter(|s| !s.is_ours());
        let same = |name: &ServerName, id| external().any(|s| s.name == *name && s.id == id);
        let known = |s: &&Server| self.whose.get(&s.name).is_some_and(|(id, _)| *id == s.id);
        let gone = self.whose.iter().filter(|(name, (id, _))| !same(name, *id)).map(|(name, _)| name.clone());
        let come = external().filter(|s| !known(s)).map(|s| s.name.clone());
        for name in gone.chain(come).collect::<Vec<_>>() {
            // `open` is kept until a look shows that the database is closed: meanwhile it keeps others closed.
            self.databases.remove(&name);
            self.back.remove(&name);
            self.numbered.remove(&name);
            self.accounts.remove(&name);
            self.beats.remove(&name);
        }
        let since =
            |s: &Server| self.whose.get(&s.name).filter(|(id, _)| *id == s.id).map_or(now, |(_, at)| *at);
        self.whose = external().map(|s| (s.name.clone(), (s.id, since(s)))).collect();
    }

    /// Returns for how many milliseconds that external database has not answered; `None` while it answers, or has
    /// not been asked yet. A database that has never answered counts as silent only since Cordée began to look at
    /// it: this Cordée may have been started a moment ago, and the database with it.
    pub fn silent_for(&self, name: &ServerName, now: Millis) -> Option<Millis> {
        match self.databases.get(name)? {
            Seen::Failed { last, .. } => {
                let since = last.or_else(|| self.whose.get(name).map(|(_, since)| *since))?;
                Some(now.saturating_sub(since))
            }
            Seen::Never | Seen::At(..) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::db::DatabaseSeen;
    use crate::desired::Run;
    use crate::fault::Fault;
    use crate::ids::ServerName;
    use crate::observed::Observed;
    use crate::plan::tests::first;
    use crate::seen::Seen;

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
        seen.keep_to(&desired, 7);
        look(&mut seen, 2);
        seen.open.insert(name.clone());
        seen.keep_to(&desired, 7);
        assert!(seen.databases.contains_key(&name), "it is the same one");
        // Removed and added between two rounds.
        desired.db.servers[1].id = 9;
        seen.keep_to(&desired, 7);
        assert!(!seen.databases.contains_key(&name) && seen.open.contains(&name));
        look(&mut seen, 9);
        desired.db.servers.truncate(1);
        seen.keep_to(&desired, 7);
        assert!(seen.databases.is_empty() && seen.whose.is_empty(), "it is gone");
        // Cordée's own database is known by its process.
        let ours = first();
        look(&mut seen, 2);
        seen.keep_to(&ours, 7);
        assert!(seen.databases.contains_key(&name));
    }
    /// A Cordée that was started a moment ago has not received any answer yet.
    #[test]
    fn one_that_never_answered_is_silent_since_it_is_looked_at() {
        let name = ServerName::parse("db2").expect("a name");
        let mut desired = first();
        desired.db.servers[1].runtime = Run::External;
        let mut seen = Observed::default();
        seen.keep_to(&desired, 1_000);
        assert_eq!(seen.silent_for(&name, 1_100), None, "it was not asked yet");
        seen.databases.insert(name.clone(), Seen::Failed { last: None, why: Fault::Silent });
        assert_eq!(seen.silent_for(&name, 1_100), Some(100));
        seen.keep_to(&desired, 2_000);
        assert_eq!(seen.silent_for(&name, 2_100), Some(1_100), "it is the same one");
        seen.databases.insert(name.clone(), Seen::Failed { last: Some(1_900), why: Fault::Silent });
        assert_eq!(seen.silent_for(&name, 2_100), Some(200), "since its last answer");
        desired.db.servers[1].id = 9;
        seen.keep_to(&desired, 3_000);
        seen.databases.insert(name.clone(), Seen::Failed { last: None, why: Fault::Silent });
        assert_eq!(seen.silent_for(&name, 3_100), Some(100), "another one has its name");
    }
}
