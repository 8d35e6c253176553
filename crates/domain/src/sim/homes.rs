//! The servers' folders, and who was put into one that was another server's.

use std::collections::BTreeMap;

use crate::ids::{PoolId, ServerName};
use crate::observed::Made;

/// What lies under `servers/`.
#[derive(Debug, Default)]
pub(super) struct Homes {
    /// For whom each folder was made.
    pub(super) made: BTreeMap<ServerName, Made>,
    mixed: Vec<String>,
}

impl Homes {
    /// A server starts there, or its data are put there.
    pub(super) fn enter(&mut self, name: &ServerName, pool: PoolId, id: u32) {
        let made = Made { pool: Some(pool), id: Some(id) };
        match self.made.insert(name.clone(), made) {
            Some(before) if before != made => self.mixed.push(format!("{name}: {made:?} with {before:?}")),
            _ => {}
        }
    }
}

impl Homes {
    /// Something was done to a folder that another process has.
    pub(super) fn share(&mut self, what: String) {
        self.mixed.push(what);
    }
}

impl super::World {
    /// Servers that were put into the folder of another one, or had to do with one that another process has.
    pub fn mixed(&self) -> &[String] {
        &self.homes.mixed
    }

    /// For whom the folder of that name was made.
    pub fn home(&self, name: &ServerName) -> Option<Made> {
        self.homes.made.get(name).copied()
    }
}
