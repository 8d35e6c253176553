//! The accounts with which databases that exist already are administered. They are stored encrypted only, and
//! deleted with their server.

use cordee_domain::desired::Desired;
use cordee_domain::problem::Problem;
use cordee_domain::text;
use cordee_node::vault::{Login, Vault};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{CommitError, Store, StoreError};

impl Store {
    /// Sets the key to the logins.
    pub fn give_key(&self, vault: Vault) {
        let _ = self.vault.set(vault);
    }

    /// Returns the login of the server with that id.
    pub fn login(&self, server: u32) -> Result<Login, StoreError> {
        let sealed: Option<Vec<u8>> = self
            .lock()
            .query_row("SELECT sealed FROM login WHERE server = ?1", params![server], |row| row.get(0))
            .optional()?;
        let vault = self.vault.get().ok_or(StoreError::Login)?;
        sealed.and_then(|sealed| vault.open(server, &sealed)).ok_or(StoreError::Login)
    }

    /// Stores the login of the database that was just added, if one was.
    pub(super) fn keep_login(
        &self,
        transaction: &Connection,
        current: &Desired,
        next: &Desired,
        login: Option<(u32, &Login)>,
    ) -> Result<(), CommitError> {
        let added = next.db.servers.iter().find(|s| !s.is_ours() && !external(current, s.id));
        let Some(server) = added else { return Ok(()) };
        let Some((id, login)) = login else { return Err(StoreError::Login.into()) };
        if id != server.id {
            let problem = Problem::conflict("name", text!("problem-newcomer-overtaken"));
            return Err(CommitError::Refused(vec![problem]));
        }
        let vault = self.vault.get().ok_or(StoreError::Login)?;
        let sealed = vault.seal(id, login).ok_or(StoreError::Random)?;
        transaction
            .execute("INSERT OR REPLACE INTO login (server, sealed) VALUES (?1, ?2)", params![id, sealed])
            .map_err(StoreError::from)?;
        Ok(())
    }

    /// Deletes the logins of databases that are gone.
    pub(super) fn drop_logins(
        transaction: &Connection,
        current: &Desired,
        next: &Desired,
    ) -> Result<(), StoreError> {
        for server in current.db.servers.iter().filter(|s| !external(next, s.id)) {
            transaction.execute("DELETE FROM login WHERE server = ?1", params![server.id])?;
        }
        Ok(())
    }
}

/// Reports whether a database that somebody else runs has that id.
fn external(desired: &Desired, id: u32) -> bool {
    desired.db.servers.iter().any(|s| s.id == id && !s.is_ours())
}
