//! What the engine does at an operator's request, without a wish: comparing rows, repairing them, cleaning.

use cordee_domain::actions::incomparable;
use cordee_domain::db::verify::Side;
use cordee_domain::desired::{Server, another};
use cordee_domain::ids::{PoolId, ServerName};
use cordee_domain::problem::Problem;
use cordee_domain::text;
use tokio::time::timeout;

use super::act::Consent;
use super::{Control, Declined, Done, ENGINE_DEADLINE, Effect, Who, blocking};
use crate::board::Ask;

/// Returns the refusal while another cleaning is under way.
pub(super) fn cleaning() -> Declined {
    Problem::conflict("", text!("problem-cleaning")).into()
}

impl Control<'_> {
    /// Asks for a comparison; its result is shown in the journal and in the status.
    pub(super) async fn verify(self, name: &ServerName) -> Result<Done, Declined> {
        let Server { name, id, .. } = self.follower(name)?;
        if !self.order(|reply| Ask::Compare { name: name.clone(), id, reply }).await? {
            return Err(another(&name).into());
        }
        Ok(self.done(Effect::Noted(text!("verify-asked", name = name.as_str()))))
    }

    /// Notes in the journal who asked for the repair, then has the engine do it: a repair changes data, so it is
    /// in the journal before it is done.
    pub(super) async fn repair(
        self,
        name: &ServerName,
        side: Side,
        consent: &Consent,
        who: Who,
    ) -> Result<Done, Declined> {
        let Server { name, id, .. } = self.follower(name)?;
        // Another database may have come under the name while the operator read: its rows were not the ones asked
        // about.
        if consent.about().is_some_and(|about| about != id) {
            return Err(another(&name).into());
        }
        let (store, subject) = (self.store.clone(), name.clone());
        let noted = move || {
            let text = text!("repair-asked", name = &subject);
            store.note(&who.actor, subject.as_str(), None, &text)
        };
        blocking(noted).await?;
        if !self.order(|reply| Ask::Repair { name: name.clone(), id, side, reply }).await? {
            return Err(another(&name).into());
        }
        Ok(self.done(Effect::Noted(text!("repair-asked", name = name.as_str()))))
    }

    /// Returns a database whose rows can be compared with the writer's. Decided by the wish: the snapshot may be
    /// older.
    fn follower(self, name: &ServerName) -> Result<Server, Problem> {
        match incomparable(&self.board.desired(), name) {
            None => self.find(PoolId::Db, name),
            Some(problem) => Err(problem),
        }
    }

    /// Removes the leftovers that no wish explains, and notes how many there were, even when the caller no longer
    /// waits.
    pub(super) async fn clean(self, who: Who) -> Result<Done, Declined> {
        let (store, board) = (self.store.clone(), self.board.clone());
        let work = tokio::spawn(async move {
            let Some(gone) = board.ask(|reply| Ask::Clean { apply: true, reply }).await else {
                return Err(Declined::Stopping);
            };
            let gone = gone.ok_or_else(cleaning)?;
            let told = text!("event-cleaned", count = gone.items.len());
            blocking(move || store.note(&who.actor, "cluster", None, &told)).await?;
            Ok(gone)
        });
        let gone = match timeout(ENGINE_DEADLINE, work).await {
            Ok(Ok(gone)) => gone?,
            // A panic in the task is resumed here.
            Ok(Err(error)) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => return Err(Declined::Stopping),
            },
            Err(_) => return Err(Declined::Unanswered),
        };
        Ok(self.done(Effect::Cleaned(gone)))
    }
}
