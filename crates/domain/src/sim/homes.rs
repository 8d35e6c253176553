//! The servers' folders, and conflicts over them.

use std::collections::BTreeMap;

use crate::ids::{PoolId, ServerName};
use crate::observed::Made;

/// The folders under `servers/`.
#[derive(Debug, Default)]
pub(super) struct Homes {
    /// The server that each folder was created for.
    pub(super) made: BTreeMap<ServerName, Made>,
    mixed: Vec<String>,
}

impl Homes {
    /// Records that a server starts in the folder, or that its data are put there.
    pub(super) fn enter(&mut self, name: &ServerName, pool: PoolId, id: u32) {
        let made = Made { pool: Some(pool), id: Some(id) };
        match self.made.insert(name.clone(), made) {
            Some(before) if before != made => self.mixed.push(format!("{name}: {made:?} with {before:?}")),
            _ => {}
        }
    }
}

impl Homes {
    /// Records that something was done to a folder that another process uses.
    pub(super) fn share(&mut self, what: String) {
        self.mixed.push(what);
    }
}

impl super::World {
    /// Returns the cases in which a server used a folder of another server, or one that another process uses.
    pub fn mixed(&self) -> &[String] {
        &self.homes.mixed
    }

    /// Returns the server that the folder of that name was created for.
    pub fn home(&self, name: &ServerName) -> Option<Made> {
        self.homes.made.get(name).copied()
    }
}
