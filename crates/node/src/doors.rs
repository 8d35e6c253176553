//! The connections to each database, shared by all parts of the program that query it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use cordee_domain::ids::ServerName;

use crate::mysql::Database;
use crate::over;

/// By name. A different server with a reused name has a different id, and gets connections of its own.
#[derive(Clone, Debug, Default)]
pub struct Doors(Arc<Mutex<BTreeMap<ServerName, (u32, Database)>>>);

impl Doors {
    /// Returns the connections to the server of that name and id; `fresh` makes them if there are none.
    pub fn to(&self, name: &ServerName, id: u32, fresh: impl FnOnce() -> Database) -> Database {
        let mut all = over::hold(&self.0);
        match all.get(name) {
            Some((known, database)) if *known == id => database.clone(),
            _ => {
                let database = fresh();
                all.insert(name.clone(), (id, database.clone()));
                database
            }
        }
    }

    /// Closes the connections to servers that no longer exist. `kept` reports, by name and id, whether a connection
    /// to a server is kept open between two questions; it returns `None` for a server that is gone.
    pub fn keep(&self, kept: impl Fn(&ServerName, u32) -> Option<bool>) {
        let mut all = over::hold(&self.0);
        all.retain(|name, (id, database)| {
            let kept = kept(name, *id);
            database.may_keep(kept.unwrap_or(false));
            kept.is_some()
        });
    }

    /// Closes the kept connections to all databases, and returns once that is done, or soon.
    pub async fn part(&self) {
        let all: Vec<Database> = over::hold(&self.0).values().map(|(_, database)| database.clone()).collect();
        let mut parting = tokio::task::JoinSet::new();
        for database in all {
            parting.spawn(async move { database.part().await });
        }
        parting.join_all().await;
    }

    /// Returns the connections to that server, if there are any.
    pub fn known(&self, name: &ServerName) -> Option<Database> {
        let all = over::hold(&self.0);
        all.get(name).map(|(_, database)| database.clone())
    }
}
