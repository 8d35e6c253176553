//! The browser secrets that a session knows: those that came together with the password. Stored as hashes only.

use cordee_domain::ids::Millis;
use cordee_domain::proof::Proof;
use cordee_node::clock::now;
use rusqlite::{OptionalExtension as _, params};

use super::accounts::digest;
use super::{SignIn, Store, StoreError};

/// How many secrets a session knows at most. The same cookie may be used at several ports of the page (tunnels),
/// and the browser keeps a separate store for each.
const KEPT: u32 = 8;

impl Store {
    /// Records a secret that came together with the right password just now. Nothing is recorded for a session
    /// that has ended meanwhile.
    pub fn confirm(&self, session: &SignIn, proof: &Proof) -> Result<(), StoreError> {
        let (session, secret) = (digest(&session.0), digest(proof.secret()));
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        transaction.execute("DELETE FROM proof WHERE session NOT IN (SELECT token_hash FROM session)", [])?;
        transaction.execute(
            "INSERT OR REPLACE INTO proof (session, secret_hash, confirmed) \
             SELECT token_hash, ?2, ?3 FROM session WHERE token_hash = ?1",
            params![session, secret, now()],
        )?;
        transaction.execute(
            "DELETE FROM proof WHERE session = ?1 AND secret_hash <> ?3 AND secret_hash NOT IN \
             (SELECT secret_hash FROM proof WHERE session = ?1 AND secret_hash <> ?3 \
              ORDER BY confirmed DESC, rowid DESC LIMIT ?2 - 1)",
            params![session, KEPT, secret],
        )?;
        Ok(transaction.commit()?)
    }

    /// Returns when the password was last given together with that secret; `None` when the session does not know
    /// it.
    pub fn confirmed(&self, session: &SignIn, proof: &Proof) -> Result<Option<Millis>, StoreError> {
        let found = self.lock().query_row(
            "SELECT confirmed FROM proof WHERE session = ?1 AND secret_hash = ?2",
            params![digest(&session.0), digest(proof.secret())],
            |r| r.get(0),
        );
        Ok(found.optional()?)
    }

    /// Reports whether a session knows any secret. A session that began without the page's script, or before there
    /// were secrets, knows none, and changes nothing without the password.
    pub fn knows_a_secret(&self, session: &SignIn) -> Result<bool, StoreError> {
        Ok(self.lock().query_row(
            "SELECT EXISTS (SELECT 1 FROM proof WHERE session = ?1)",
            [digest(&session.0)],
            |r| r.get(0),
        )?)
    }

    /// Makes every confirmation older by `ms`.
    #[cfg(test)]
    pub fn age_confirmations(&self, ms: Millis) {
        self.lock().execute("UPDATE proof SET confirmed = confirmed - ?1", params![ms]).unwrap();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Account, Device};
    use crate::web::fixture;

    fn proof(n: u32) -> Proof {
        Proof::parse(&format!("{n:064x}")).unwrap()
    }

    #[test]
    fn a_session_knows_its_own_secrets_and_none_that_came_after_its_end() {
        let (app, _asks, _folder) = fixture::app();
        let store = &app.store;
        store.create_first_account("ana", "long enough").unwrap();
        let sign_in = || store.sign_in(&Account("ana".to_owned()), &Device::default()).unwrap();
        let (one, two) = (sign_in(), sign_in());
        assert_eq!(store.confirmed(&one, &proof(1)).unwrap(), None);
        assert!(!store.knows_a_secret(&one).unwrap());
        store.confirm(&one, &proof(1)).unwrap();
        assert!(store.knows_a_secret(&one).unwrap() && !store.knows_a_secret(&two).unwrap());
        assert!(store.confirmed(&one, &proof(1)).unwrap().is_some());
        assert_eq!(store.confirmed(&one, &proof(2)).unwrap(), None);
        assert_eq!(store.confirmed(&two, &proof(1)).unwrap(), None, "another session's");
        // Given once more, the confirmation is recent again.
        store.age_confirmations(1_000_000);
        let before = store.confirmed(&one, &proof(1)).unwrap().unwrap();
        store.confirm(&one, &proof(1)).unwrap();
        assert!(store.confirmed(&one, &proof(1)).unwrap().unwrap() > before);
        // Two addresses of the page side by side; the oldest of many secrets is dropped.
        store.age_confirmations(1_000_000);
        for n in 2..2 + KEPT {
            store.confirm(&one, &proof(n)).unwrap();
        }
        assert_eq!(store.confirmed(&one, &proof(1)).unwrap(), None);
        assert!((2..2 + KEPT).all(|n| store.confirmed(&one, &proof(n)).unwrap().is_some()));
        // The clock was set back: the newest row does not have the latest time.
        store.lock().execute("UPDATE proof SET confirmed = confirmed + 9000000", []).unwrap();
        store.confirm(&one, &proof(99)).unwrap();
        assert!(store.confirmed(&one, &proof(99)).unwrap().is_some());
        // A password that was compared while the session was signed out.
        store.sign_out(&one.0).unwrap();
        store.confirm(&one, &proof(1)).unwrap();
        assert_eq!(store.confirmed(&one, &proof(1)).unwrap(), None);
        let left: u32 = store.lock().query_row("SELECT count(*) FROM proof", [], |r| r.get(0)).unwrap();
        assert_eq!(left, 0);
    }
}
