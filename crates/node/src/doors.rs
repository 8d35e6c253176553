//! The connections to each database, shared by all who ask it something.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use cordee_domain::ids::ServerName;

use crate::mysql::Database;
use crate::over;

/// By name; another server under a name that was used before has another id, and gets connections of its own.
#[derive(Clone, Debug, Default)]
pub struct Doors(Arc<Mutex<BTreeMap<ServerName, (u32, Database)>>>);

impl Doors {
    /// The connections to the server of that name and id; `fresh` makes them where there are none.
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

    /// Closes those to servers that are not to be kept, by name and id.
    pub fn keep(&self, kept: impl Fn(&ServerName, u32) -> bool) {
        let mut all = over::hold(&self.0);
        all.retain(|name, (id, _)| kept(name, *id));
    }

    /// The connections to that server, if it has any.
    pub fn known(&self, name: &ServerName) -> Option<Database> {
        let all = over::hold(&self.0);
        all.get(name).map(|(_, database)| database.clone())
    }
}
