//! The actions that an operator may take on a server now. No action is offered that [`Desired::apply`] would refuse.

use serde::{Deserialize, Serialize};

use crate::desired::{Admin, Database, Desired, Either, Membership, Power, Run, Server, Web};
use crate::ids::{PoolId, ServerName};
use crate::problem::Problem;
use crate::state::{Severity, State, Status};
use crate::text;

/// An action that an operator may take on a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Shows its logs.
    Logs,
    /// Tests the connection to it.
    Test,
    /// Sends it no new visitors.
    Drain,
    /// Sends it no visitors at all.
    Maintenance,
    /// Puts it back in service.
    Ready,
    /// Stops and starts it.
    Restart,
    /// Stops it.
    Stop,
    /// Starts it.
    Start,
    /// Makes it the writer.
    Promote,
    /// Corrects the rows that differ from the writer's.
    Repair,
    /// Makes it leave although no other server serves.
    Anyway,
    /// Makes it stay after all.
    Withdraw,
    /// Removes it.
    Remove,
    /// Compares its rows with the writer's (db).
    Verify,
    /// Throws its data away and gives it a fresh copy (db).
    Recopy,
}

impl Action {
    /// Returns the word used in addresses and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Logs => "logs",
            Self::Test => "test",
            Self::Drain => "drain",
            Self::Maintenance => "maintenance",
            Self::Ready => "ready",
            Self::Restart => "restart",
            Self::Stop => "stop",
            Self::Start => "start",
            Self::Promote => "promote",
            Self::Repair => "repair",
            Self::Anyway => "anyway",
            Self::Withdraw => "withdraw",
            Self::Remove => "remove",
            Self::Verify => "verify",
            Self::Recopy => "recopy",
        }
    }
}

/// Returns all possible actions, in a fixed order. `status` is the server's status as shown.
pub(crate) fn actions(desired: &Desired, server: &Server, status: &Status) -> Vec<Action> {
    let mut all = Vec::new();
    if server.is_ours() {
        all.push(Action::Logs);
    }
    all.push(Action::Test);
    match server.either() {
        Either::Web(server) => web(&mut all, server, status),
        Either::Database(server) => database(&mut all, desired, server, status),
    }
    all
}

fn web(all: &mut Vec<Action>, server: Web<'_>, status: &Status) {
    if status.state == State::Waits {
        all.extend([Action::Anyway, Action::Withdraw]);
    }
    if server.leaving {
        return;
    }
    if !server.stopped() {
        if server.admin != Admin::Ready {
            all.push(Action::Ready);
        }
        if server.admin != Admin::Drain {
            all.push(Action::Drain);
        }
        if server.admin != Admin::Maintenance {
            all.push(Action::Maintenance);
        }
    }
    match server.runtime {
        Run::External => {}
        Run::Process { power: Power::On, .. } => all.extend([Action::Restart, Action::Stop]),
        Run::Process { power: Power::Off, .. } => all.push(Action::Start),
    }
    all.push(Action::Remove);
}

fn database(all: &mut Vec<Action>, desired: &Desired, server: Database<'_>, status: &Status) {
    let writer = desired.is_writer(&server.name);
    let follows = *server.membership == Membership::Member && !server.stopped() && !writer;
    if follows && desired.handover.is_none() {
        all.push(Action::Promote);
    }
    if comparable(desired, server) {
        all.push(Action::Verify);
    }
    let ours = server.is_ours();
    let stays = *server.membership != Membership::Leaving;
    if ours && stays && !writer && copied_again(status) {
        all.push(Action::Recopy);
    }
    if follows && matches!(status.state, State::RowsDiffer | State::ReplicationStopped) {
        all.push(Action::Repair);
    }
    if ours && server.stopped() {
        all.push(Action::Start);
    }
    // The writer is not offered these while another database could take over: that one has to be promoted first.
    if ours && !server.stopped() && desired.may_stop(PoolId::Db, &server.name).is_ok() {
        match server.membership {
            // A joining database can only be added or cancelled.
            Membership::Joining | Membership::Released => {}
            // A leaving database that no longer answers can be stopped, and is then forgotten without what the others
            // lack of it.
            Membership::Leaving => all.push(Action::Stop),
            Membership::Member | Membership::Returning { .. } | Membership::Diverged(_) => {
                all.extend([Action::Restart, Action::Stop]);
            }
        }
    }
    if desired.may_leave(server).is_ok() {
        all.push(Action::Remove);
    }
}

/// Whether its rows can be compared with the writer's: it is a member that follows the writer, and both are to run.
fn comparable(desired: &Desired, server: Database<'_>) -> bool {
    *server.membership == Membership::Member
        && !server.stopped()
        && !desired.is_writer(&server.name)
        && desired.writer_server().is_some_and(|writer| !writer.stopped())
}

/// Returns why the rows of a database cannot be compared with the writer's.
pub fn incomparable(desired: &Desired, name: &ServerName) -> Option<Problem> {
    let Some(server) = desired.database(name) else {
        return Some(Problem::unknown("name", text!("problem-server-unknown", name = name.as_str())));
    };
    let conflict = |text| Some(Problem::conflict("name", text));
    if desired.is_writer(&server.name) {
        return conflict(text!("problem-verify-writer", name = server.name.as_str()));
    }
    let text = || text!("problem-verify", name = server.name.as_str());
    if comparable(desired, server) { None } else { conflict(text()) }
}

/// Whether a fresh copy is the remedy: the data differ from the other databases' and no restart changes that; or some
/// tables can never be proven equal, and only a copy makes them equal.
pub(crate) fn copied_again(status: &Status) -> bool {
    let lost = matches!(
        status.state,
        State::RowsDiffer
            | State::ReplicationStopped
            | State::Diverged
            | State::LogReset
            | State::MayLack
            | State::CopyFailed
    );
    status.state == State::RowsUnproven || lost && status.severity == Severity::Critical
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::Request;
    use crate::desired::{Handover, Routing, Saved};
    use crate::observed::Observed;
    use crate::plan::tests::{first, setting};
    use crate::scene::Scene;
    use crate::snapshot::snapshot;
    use crate::untimely::untimely;

    fn name(text: &str) -> ServerName {
        ServerName::parse(text).expect("a name")
    }

    #[test]
    fn rows_are_held_against_the_writer_s_while_both_run() {
        let desired = first();
        let says = |desired: &Desired, called: &str| {
            incomparable(desired, &name(called)).map(|problem| problem.text.key.into_owned())
        };
        let refused = |key: &str| Some(key.to_owned());
        assert_eq!(says(&desired, "db2"), None);
        assert_eq!(says(&desired, "db1"), refused("problem-verify-writer"));
        assert_eq!(says(&desired, "db9"), refused("problem-server-unknown"));
        assert_eq!(says(&desired, "web1"), refused("problem-server-unknown"));
        let off = |called| {
            let (pool, name, power) = (PoolId::Db, name(called), Power::Off);
            desired.apply(&Request::SetPower { pool, name, power, force: true })
        };
        assert_eq!(says(&off("db2").expect("stopped"), "db2"), refused("problem-verify"));
    }

    /// Returns the request that each action makes; `None` for actions that only show something.
    fn change(desired: &Desired, action: Action, pool: PoolId, name: &ServerName) -> Option<Request> {
        let name = name.clone();
        // The page asks for a confirmation first, and then forces the request.
        let force = true;
        let admin = |name, admin| Some(Request::SetAdmin { pool, name, admin, force });
        match action {
            Action::Logs | Action::Test | Action::Verify | Action::Repair => None,
            Action::Drain => admin(name, Admin::Drain),
            Action::Maintenance => admin(name, Admin::Maintenance),
            Action::Ready => admin(name, Admin::Ready),
            Action::Restart => Some(Request::Restart { pool, name, force }),
            Action::Stop => Some(Request::SetPower { pool, name, power: Power::Off, force }),
            Action::Start => Some(Request::SetPower { pool, name, power: Power::On, force }),
            Action::Promote => Some(Request::Promote { name, at: 0, accept_loss: false }),
            Action::Anyway => Some(Request::Insist { name }),
            Action::Withdraw => Some(Request::Withdraw { name }),
            Action::Remove => Some(Request::RemoveServer { pool, name, force }),
            Action::Recopy => Some(Request::Recopy { id: desired.db.server(&name)?.id, name }),
        }
    }

    const ALL: [Action; 15] = [
        Action::Logs,
        Action::Test,
        Action::Drain,
        Action::Maintenance,
        Action::Ready,
        Action::Restart,
        Action::Stop,
        Action::Start,
        Action::Promote,
        Action::Anyway,
        Action::Withdraw,
        Action::Remove,
        Action::Verify,
        Action::Repair,
        Action::Recopy,
    ];

    fn statuses() -> [Status; 3] {
        [
            Status::bare(Severity::Good, State::InSync),
            Status::bare(Severity::Critical, State::RowsDiffer),
            Status::bare(Severity::Critical, State::Down),
        ]
    }

    /// Wishes with every membership, power, writer, routing and handover.
    fn wishes() -> Vec<Desired> {
        let saved = Saved { count: 2, file: "lost/x".to_owned() };
        let memberships = [
            Membership::Member,
            Membership::Returning { limit: 3, saved: None },
            Membership::Joining,
            Membership::Leaving,
            Membership::Diverged(saved),
        ];
        let mut all = Vec::new();
        for membership in memberships {
            for powers in 0..4_u8 {
                for routing in [Routing::OneWriter, Routing::AllWriters] {
                    for count in [1, 2] {
                        let mut desired = first();
                        desired.routing = routing;
                        desired.db.servers[1].stands(membership.clone());
                        for (i, server) in desired.db.servers.iter_mut().enumerate() {
                            server.powered(if powers >> i & 1 == 0 { Power::On } else { Power::Off });
                        }
                        desired.db.servers.truncate(count);
                        let mut handing = desired.clone();
                        handing.handover = Some(Handover { to: name("db2"), at: 0, accept_loss: false });
                        all.extend([desired, handing]);
                    }
                }
            }
        }
        all
    }

    #[test]
    fn what_is_refused_is_not_offered() {
        let mut offered = 0;
        for desired in wishes() {
            for server in desired.servers() {
                let pool = server.pool();
                for status in statuses() {
                    let actions = actions(&desired, server, &status);
                    for action in ALL {
                        let Some(change) = change(&desired, action, pool, &server.name) else { continue };
                        if actions.contains(&action) {
                            let takes = desired.apply(&change);
                            assert!(takes.is_ok(), "{change:?} of {server:?}: {takes:?}");
                            offered += 1;
                        }
                    }
                }
            }
        }
        assert!(offered > 1_000, "{offered}");
    }

    /// The reverse, for actions that are withheld only if the request would be refused.
    #[test]
    fn what_is_taken_is_offered() {
        for desired in wishes() {
            for server in &desired.db.servers {
                let all = actions(&desired, server, &statuses()[0]);
                for action in [Action::Promote, Action::Remove] {
                    let Some(change) = change(&desired, action, PoolId::Db, &server.name) else { continue };
                    assert_eq!(
                        all.contains(&action),
                        desired.apply(&change).is_ok(),
                        "{change:?} {server:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_fresh_copy_is_offered_where_it_is_the_cure() {
        let desired = first();
        let of = |server: usize, status: usize| {
            let server = &desired.db.servers[server];
            actions(&desired, server, &statuses()[status]).contains(&Action::Recopy)
        };
        assert_eq!([of(1, 0), of(1, 1), of(1, 2), of(0, 1)], [false, true, false, false]);
    }

    #[test]
    fn a_copy_that_is_under_way_is_not_begun_again_and_one_that_failed_is() {
        let again = Request::Recopy { name: name("DB2"), id: 2 };
        let against = |desired: &Desired, revision: u64, status: Status| {
            let mut seen = snapshot(Scene::new(desired, &Observed::default(), 0), &setting());
            seen.revision = revision;
            seen.servers
                .iter_mut()
                .filter(|s| s.name.as_str() == "db2")
                .for_each(|s| s.status = status.clone());
            untimely(&again, desired, &seen).map(|p| p.text.key.to_string())
        };
        let differs = Status::bare(Severity::Critical, State::RowsDiffer);
        let failed = Status::bare(Severity::Critical, State::CopyFailed);
        let copying = Status::bare(Severity::Progress, State::Copying);
        let before = first();
        assert_eq!(against(&before, before.revision, differs.clone()), None);
        let asked = before.apply(&again).expect("a fresh copy");
        let under_way = Some("problem-copying".to_owned());
        assert_eq!(against(&asked, asked.revision, copying), under_way);
        // The request was made twice between two observations: the snapshot still shows the fault that the first one
        // remedies.
        assert_eq!(against(&asked, before.revision, differs), under_way);
        assert_eq!(against(&asked, before.revision, failed.clone()), under_way);
        assert_eq!(against(&asked, asked.revision, failed), None);
    }

    #[test]
    fn a_database_that_joins_is_neither_stopped_nor_restarted() {
        let mut desired = first();
        desired.db.servers[1].stands(Membership::Joining);
        for action in [Action::Stop, Action::Restart] {
            let change = change(&desired, action, PoolId::Db, &name("db2")).expect("a change");
            let refused = desired.apply(&change).expect_err("its copy would begin again");
            assert_eq!(refused[0].text.key, "problem-joining", "{change:?}");
        }
        desired.db.servers[1].powered(Power::Off);
        for action in [Action::Start, Action::Restart] {
            let change = change(&desired, action, PoolId::Db, &name("db2")).expect("a change");
            desired.apply(&change).expect("an older Cordée left it stopped");
        }
    }

    #[test]
    fn a_database_that_joins_is_cancelled_and_nothing_else() {
        let mut desired = first();
        desired.db.servers[1].stands(Membership::Joining);
        let all = actions(&desired, &desired.db.servers[1], &statuses()[0]);
        assert_eq!(all, [Action::Logs, Action::Test, Action::Remove]);
    }
}
