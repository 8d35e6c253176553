//! What tests put into the state file, without a password and without a line in the journal.

use cordee_domain::ids::Millis;

use super::accounts::{begin_session, insert_first_account};
use super::hashing::hash_password;
use super::tokens::insert_token;
use super::{Account, Device, SignIn, Store, StoreError, TokenName};

impl Store {
    /// Creates the first account. Returns `false` when there is one already.
    pub fn create_first_account(&self, name: &str, password: &str) -> Result<bool, StoreError> {
        let hash = hash_password(password)?;
        insert_first_account(&self.lock(), name, &hash)
    }

    /// Makes the file unwritable, or writable again.
    pub fn read_only(&self, on: bool) {
        self.lock().pragma_update(None, "query_only", on).unwrap();
    }

    /// Begins a session.
    pub fn sign_in(&self, account: &Account, from: &Device) -> Result<SignIn, StoreError> {
        begin_session(&self.lock(), account, from)
    }

    /// Creates a token. Returns `None` when the name is taken.
    pub fn create_token(
        &self,
        name: &TokenName,
        expires: Option<Millis>,
    ) -> Result<Option<String>, StoreError> {
        insert_token(&self.lock(), name, expires)
    }
}
