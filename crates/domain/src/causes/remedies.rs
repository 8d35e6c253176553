//! The remedies for a cause, the most likely first.

use super::Shown;
use crate::actions::Action;
use crate::change::Request;
use crate::desired::{Admin, Desired, Power, Runtime};
use crate::fault::Fault;
use crate::ids::{Millis, PoolId, ServerName};
use crate::reason::Reason;
use crate::snapshot::{Role, ServerView};
use crate::state::{Severity, State, Status};
use crate::text;
use crate::text::{Text, Thing};

/// A remedy for a cause.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Remedy {
    /// The operator takes an action on a server. It is one of the actions that the server offers now.
    Ask {
        /// The server's pool.
        pool: PoolId,
        /// The server's name.
        name: ServerName,
        /// The action.
        action: Action,
    },
    /// The operator starts a new worker of a HAProxy instance from its file.
    Reload {
        /// The proxy.
        proxy: PoolId,
    },
    /// The operator adds the first web server.
    Add,
    /// The operator looks at a database's own page, which says what to do.
    Page {
        /// The database.
        name: ServerName,
    },
    /// The operator looks at a HAProxy instance's file.
    Config {
        /// The proxy.
        proxy: PoolId,
    },
    /// The operator looks into the journal.
    Journal,
    /// Something that only an operator on the machine can do, in words.
    Hand {
        /// The words.
        says: Text,
    },
    /// Nothing: Cordée is already working on it.
    Itself,
}

impl Remedy {
    /// Returns the request that the remedy makes, if it makes one. `at` is the time of the request.
    pub fn request(&self, desired: &Desired, at: Millis) -> Option<Request> {
        let (pool, name, action) = match self {
            Self::Ask { pool, name, action } => (*pool, name.clone(), *action),
            Self::Reload { proxy } => return Some(Request::Reload { proxy: *proxy }),
            _ => return None,
        };
        // The remedy is for servers that serve nobody, so forcing it takes nothing from any visitor.
        let force = true;
        Some(match action {
            Action::Ready => Request::SetAdmin { pool, name, admin: Admin::Ready, force },
            Action::Start => Request::SetPower { pool, name, power: Power::On, force },
            Action::Restart => Request::Restart { pool, name, force },
            Action::Withdraw => Request::Withdraw { name },
            Action::Anyway => Request::Insist { name },
            Action::Promote => Request::Promote { name, at, accept_loss: false },
            Action::Recopy => Request::Recopy { id: desired.db.server(&name)?.id, name },
            Action::Remove => Request::RemoveServer { pool, name, force },
            Action::Drain
            | Action::Maintenance
            | Action::Stop
            | Action::Logs
            | Action::Test
            | Action::Verify
            | Action::Repair => return None,
        })
    }
}

impl Shown<'_> {
    pub(super) fn database(&self, view: &ServerView) -> Vec<Remedy> {
        let is = |states: &[State]| states.contains(&view.status.state);
        let writer = view.role == Some(Role::Writer);
        let ours = view.runtime == Runtime::Process;
        if view.power == Power::Off {
            return if view.pid.is_some() { vec![Remedy::Itself] } else { asks(view, &[Action::Start]) };
        }
        match view.status.severity {
            Severity::Progress | Severity::Unknown => return vec![Remedy::Itself],
            Severity::Good | Severity::Maintenance => return Vec::new(),
            Severity::Critical | Severity::Warning => {}
        }
        let mut all = Vec::new();
        if is(&[State::Frozen]) {
            all.extend(asks(view, &[Action::Restart]));
            all.extend(thaw(&view.status));
        } else if is(&[State::Down, State::Open]) {
            // Cordée starts it again, or lets another database take over.
            let taken = free_port(&view.status, Thing::Server(view.name.clone()));
            all.extend(taken.or((ours && !keeps_ending(&view.status)).then_some(Remedy::Itself)));
        } else if is(&[State::Unreached]) {
            all.push(Remedy::Reload { proxy: PoolId::Db });
        } else if is(&[State::ReplicationStopped, State::RowsDiffer]) && !writer {
            // On that page the operator says whose rows are right.
            all.push(Remedy::Page { name: view.name.clone() });
        } else if is(&[State::Altered]) && !(writer && view.status.serves()) {
            // A restart is no remedy for a writer that serves.
            all.extend(asks(view, &[Action::Restart]));
        }
        // This comes before a promotion, which may lose transactions that only this database holds.
        if !ours && is(&[State::Unreachable, State::Astray, State::Diverged]) {
            all.push(Remedy::Hand { says: text!("remedy-external", name = &view.name) });
        }
        if view.status.severity == Severity::Critical {
            all.extend(asks(view, &[Action::Recopy]));
        }
        if writer && view.status.severity == Severity::Critical {
            all.extend(self.candidate());
        }
        let page = Remedy::Page { name: view.name.clone() };
        if !all.contains(&page) {
            all.push(page);
        }
        all.extend(asks(view, &[Action::Logs]));
        all
    }

    /// Returns the promotion of another database that could take the writes.
    fn candidate(&self) -> Option<Remedy> {
        let candidate =
            self.servers.iter().find(|s| s.actions.contains(&Action::Promote) && s.status.serves())?;
        Some(Remedy::Ask { pool: PoolId::Db, name: candidate.name.clone(), action: Action::Promote })
    }
}

pub(super) fn web(view: &ServerView) -> Vec<Remedy> {
    let state = view.status.state;
    let ours = view.runtime == Runtime::Process;
    if view.waits.is_some() {
        return asks(view, &[Action::Withdraw, Action::Anyway]);
    }
    match view.status.severity {
        Severity::Maintenance => return asks(view, &[Action::Start, Action::Ready]),
        Severity::Progress if state == State::Draining => return asks(view, &[Action::Ready]),
        Severity::Progress | Severity::Unknown => return vec![Remedy::Itself],
        Severity::Good => return Vec::new(),
        Severity::Warning => {
            let mut all = thaw(&view.status);
            all.extend(asks(view, &[Action::Test, Action::Logs]));
            return all;
        }
        Severity::Critical => {}
    }
    let mut all = Vec::new();
    if state == State::Double {
        all.extend(asks(view, &[Action::Remove]));
    } else if state == State::Frozen {
        all.extend(asks(view, &[Action::Restart]));
        all.extend(thaw(&view.status));
    } else if let Some(taken) = free_port(&view.status, Thing::Server(view.name.clone())) {
        all.push(taken);
    } else if ours && view.pid.is_none() {
        // Cordée starts it again; if it keeps ending, its log says why.
        all.extend((!keeps_ending(&view.status)).then_some(Remedy::Itself));
    } else if ours {
        all.extend(asks(view, &[Action::Restart]));
    } else {
        all.push(Remedy::Hand { says: text!("remedy-external", name = &view.name) });
    }
    all.extend(asks(view, &[Action::Logs, Action::Test]));
    all
}

/// Whether the process ended again and again, with an error message of its own: another start by Cordée does not help.
pub(super) fn keeps_ending(status: &Status) -> bool {
    matches!(status.reason.as_ref().and_then(Reason::fault), Some(Fault::ExitSaying { .. }))
}

/// Returns the remedy for a port that another program holds.
pub(super) fn free_port(status: &Status, name: Thing) -> Option<Remedy> {
    let port = status.reason.as_ref()?.taken_port()?;
    Some(Remedy::Hand { says: text!("remedy-port", port = port.to_string(), name = name) })
}

/// Returns those of these actions that the server offers now.
fn asks(view: &ServerView, actions: &[Action]) -> Vec<Remedy> {
    let may = actions.iter().filter(|action| view.actions.contains(action));
    may.map(|action| Remedy::Ask { pool: view.pool, name: view.name.clone(), action: *action }).collect()
}

pub(super) fn look(view: &ServerView) -> Remedy {
    match view.pool {
        PoolId::Web => Remedy::Ask { pool: PoolId::Web, name: view.name.clone(), action: Action::Test },
        PoolId::Db => Remedy::Page { name: view.name.clone() },
    }
}

/// Returns the remedy for processes that were stopped by a signal: another signal makes them go on.
pub(super) fn thaw(status: &Status) -> Vec<Remedy> {
    let pids = status.reason.as_ref().and_then(Reason::thaws);
    pids.map(|pids| Remedy::Hand { says: text!("remedy-thaw", pids = pids) }).into_iter().collect()
}

pub(super) fn socket_gone(status: &Status) -> bool {
    matches!(status.reason.as_ref().and_then(Reason::fault), Some(Fault::SocketGone { .. }))
}
