//! Objections to a change that follow only from the snapshot.

use crate::actions::copied_again;
use crate::change::Request;
use crate::desired::{Desired, Membership};
use crate::ids::ServerName;
use crate::problem::Problem;
use crate::snapshot::Snapshot;
use crate::text;

/// Returns the objection to a change that follows only from the snapshot. The wish does not say whether a web server
/// waits for another one to serve, nor whether a copy is under way or has failed; a copy that is under way would start
/// again from the beginning.
pub fn untimely(change: &Request, desired: &Desired, seen: &Snapshot) -> Option<Problem> {
    let view = |name: &ServerName| seen.servers.iter().find(|s| s.name.same_as(name));
    let conflict = |text| Some(Problem::conflict("name", text));
    match change {
        Request::Insist { name } | Request::Withdraw { name } => {
            let waits = view(name).is_some_and(|s| s.waits.is_some());
            if waits { None } else { conflict(text!("problem-not-waiting", name = name.as_str())) }
        }
        Request::Recopy { name, .. } => {
            let joins = desired.database(name).is_some_and(|s| *s.membership == Membership::Joining);
            let fresh = view(name).filter(|_| seen.revision >= desired.revision);
            let failed = fresh.is_some_and(|s| copied_again(&s.status));
            if !joins || failed { None } else { conflict(text!("problem-copying", name = name.as_str())) }
        }
        _ => None,
    }
}
