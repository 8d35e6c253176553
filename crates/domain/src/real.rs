//! Whether a request is fulfilled: it took effect, is under way, or will not come about.

use crate::change::{Change, Request};
use crate::decision::Decision;
use crate::desired::{Admin, Desired, Either, Membership, Power, Routing, Server, Web};
use crate::ids::{Millis, PoolId, ServerName};
use crate::snapshot::{ProxyView, ServerView, Snapshot};
use crate::state::{Severity, State, Status};
use crate::text;
use crate::text::{Text, Thing};

/// The progress of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Real {
    /// It took effect.
    Yes,
    /// It has not yet taken effect, and what it waits for.
    NotYet(Text),
    /// It will not come about by itself, and why.
    Failed(Text),
}

/// Returns the progress of `change`, which was stored as `revision`.
pub fn real(change: &Change, revision: u64, desired: &Desired, seen: &Snapshot) -> Real {
    // The present wish may be newer than the snapshot, which then shows the state under another wish: for instance a
    // standby where a new writer was chosen a moment ago.
    if seen.revision < desired.revision || desired.revision < revision {
        return Real::NotYet(text!("real-unseen"));
    }
    let about = About { desired, seen };
    match change {
        Change::Request(request) => about.asked(request),
        Change::Decision(Decision::Recopy(of)) => about.added(PoolId::Db, &of.name),
        Change::Decision(Decision::SetLogPort { .. }) => about.settled(PoolId::Web),
        // Cordée decided this after the fact: storing it is all there is to it.
        Change::Decision(
            Decision::AbandonHandover { .. }
            | Decision::Elect { .. }
            | Decision::Admit(_)
            | Decision::Forget(_)
            | Decision::Release(_)
            | Decision::LetGo(_)
            | Decision::Readmit { .. }
            | Decision::Saved { .. }
            | Decision::Doubt { .. }
            | Decision::Expel { .. }
            | Decision::Depart { .. },
        ) => Real::Yes,
    }
}

fn overtaken() -> Real {
    Real::Failed(text!("real-overtaken"))
}

/// Whether a server serves, including one that is about to leave.
fn serves(status: &Status) -> bool {
    status.serves()
}

/// Returns `Yes` if it `is` in effect, `NotYet` while it is still `wished`, and otherwise that it was overtaken.
fn yes_if(is: bool, wished: bool, view: &ServerView) -> Real {
    match (wished, is) {
        (false, _) => overtaken(),
        (true, true) => Real::Yes,
        (true, false) => Real::NotYet(why(view)),
    }
}

/// Returns what is shown of a server that is not as wished yet.
fn why(view: &ServerView) -> Text {
    let (name, word) = (view.name.as_str(), view.status.state.sentence());
    match &view.status.reason {
        Some(reason) => text!("real-server-because", name = name, word = word, reason = reason.sentence()),
        None => text!("real-server", name = name, word = word),
    }
}

/// The wish, and the snapshot in which its effect is looked for.
struct About<'a> {
    desired: &'a Desired,
    seen: &'a Snapshot,
}

impl About<'_> {
    /// Returns the progress of an operator's request.
    fn asked(&self, request: &Request) -> Real {
        match request {
            Request::AddServer { pool, server } => self.added(*pool, &server.name),
            Request::Recopy { name, .. } => self.added(PoolId::Db, name),
            Request::RemoveServer { pool, name, .. } => self.removed(*pool, name),
            Request::SetAdmin { name, admin, .. } => self.of_web(name, |s, v| About::admin(s, v, *admin)),
            Request::SetPower { pool, name, power: Power::On, .. } => self.of(*pool, name, About::power_on),
            Request::SetPower { pool, name, power: Power::Off, .. } => self.of(*pool, name, About::power_off),
            Request::Restart { pool, name, .. } => self.of(*pool, name, |s, v| {
                if s.as_web().is_some_and(|web| web.kept) {
                    overtaken()
                } else if v.outdated {
                    Real::NotYet(why(v))
                } else {
                    About::power_on(s, v)
                }
            }),
            Request::Insist { name } => match self.desired.web_server(name) {
                None => self.removed(PoolId::Web, name),
                Some(s) if s.leaving => self.removed(PoolId::Web, name),
                Some(s) if s.stopped() => self.of_web(name, |s, v| About::power_off(&s, v)),
                Some(s) if s.admin != Admin::Ready => self.of_web(name, |s, v| About::admin(s, v, s.admin)),
                Some(_) => self.of_web(name, |s, v| yes_if(!v.outdated, s.anyway, v)),
            },
            Request::Withdraw { name } => {
                self.of_web(name, |s, v| yes_if(v.waits.is_none() && serves(&v.status), s.wanted(), v))
            }
            Request::Promote { name, .. } => self.promoted(name),
            Request::SetRouting { routing } => self.routed(*routing),
            Request::SetSession { mode } => {
                if self.desired.session == *mode {
                    self.settled(PoolId::Web)
                } else {
                    overtaken()
                }
            }
            Request::Reload { proxy } => self.settled(*proxy),
            Request::SetAddresses { .. } => match self.settled(PoolId::Web) {
                Real::Yes => self.settled(PoolId::Db),
                other => other,
            },
            Request::SetKeeping { .. } => self.settled(PoolId::Web),
        }
    }

    fn view(&self, name: &ServerName) -> Option<&ServerView> {
        self.seen.servers.iter().find(|v| v.name.same_as(name))
    }

    /// Evaluates a request about a server that must exist.
    fn of(&self, pool: PoolId, name: &ServerName, ask: impl FnOnce(&Server, &ServerView) -> Real) -> Real {
        match (self.desired.pool(pool).server(name), self.view(name)) {
            (Some(server), Some(view)) => ask(server, view),
            (Some(_), None) => Real::NotYet(text!("real-unseen")),
            (None, _) => overtaken(),
        }
    }

    /// Evaluates a request about a web server that must exist.
    fn of_web(&self, name: &ServerName, ask: impl FnOnce(Web<'_>, &ServerView) -> Real) -> Real {
        match (self.desired.web_server(name), self.view(name)) {
            (Some(server), Some(view)) => ask(server, view),
            (Some(_), None) => Real::NotYet(text!("real-unseen")),
            (None, _) => overtaken(),
        }
    }

    fn added(&self, pool: PoolId, name: &ServerName) -> Real {
        self.of(pool, name, |server, view| {
            if view.status.state == State::CopyFailed {
                return Real::Failed(why(view));
            }
            let served = serves(&view.status) || !server.wanted();
            match server.either() {
                // The web server was added in maintenance, or was taken out meanwhile: HAProxy must have it in that
                // state.
                Either::Web(web) if !web.leaving && !web.stopped() && web.admin != Admin::Ready => {
                    Self::admin(web, view, web.admin)
                }
                Either::Web(web) => yes_if(served, !web.leaving, view),
                Either::Database(database) => {
                    let wished = !matches!(database.membership, Membership::Leaving | Membership::Released);
                    yes_if(*database.membership == Membership::Member && served, wished, view)
                }
            }
        })
    }

    fn removed(&self, pool: PoolId, name: &ServerName) -> Real {
        match (self.desired.pool(pool).server(name), self.view(name)) {
            (Some(server), Some(view)) => {
                let leaves = match server.either() {
                    Either::Web(web) => web.leaving,
                    Either::Database(database) => {
                        matches!(database.membership, Membership::Leaving | Membership::Released)
                    }
                };
                yes_if(false, leaves, view)
            }
            (None, None) => self.settled(pool),
            _ => Real::NotYet(text!("real-unseen")),
        }
    }

    fn admin(server: Web<'_>, view: &ServerView, admin: Admin) -> Real {
        // An operator stopped it meanwhile: it gets no visitors, whatever else is wished of it.
        let off = server.stopped();
        let is = match admin {
            Admin::Ready if off => {
                return Real::Failed(text!("problem-stopped", name = server.name.as_str()));
            }
            Admin::Ready => view.waits.is_none() && serves(&view.status),
            Admin::Drain | Admin::Maintenance if off => view.waits.is_none(),
            // A server that is down, or whose name does not resolve, is in maintenance: it gets no new visitors
            // either.
            Admin::Drain => matches!(view.in_proxy, Some(Admin::Drain | Admin::Maintenance)),
            Admin::Maintenance => view.in_proxy == Some(Admin::Maintenance),
        };
        yes_if(is, server.admin == admin && !server.leaving, view)
    }

    fn power_off(server: &Server, view: &ServerView) -> Real {
        let stopped = view.status.state == State::Stopped;
        yes_if(stopped, server.stopped(), view)
    }

    fn power_on(server: &Server, view: &ServerView) -> Real {
        // It runs, and is not to serve yet, or not any more.
        let aside = match server.either() {
            Either::Web(web) => web.admin != Admin::Ready || web.leaving,
            Either::Database(database) => *database.membership != Membership::Member,
        };
        let runs = aside && view.pid.is_some();
        yes_if(runs || serves(&view.status), !server.stopped(), view)
    }

    fn promoted(&self, name: &ServerName) -> Real {
        match &self.desired.handover {
            Some(handover) if handover.to.same_as(name) => {
                Real::NotYet(text!("reason-handing-over", name = name))
            }
            _ if !self.desired.is_writer(name) => {
                Real::Failed(text!("real-not-promoted", name = name.as_str()))
            }
            _ => match self.view(name) {
                // It is open, and the writer's address leads to it.
                Some(view) if serves(&view.status) && view.in_proxy == Some(Admin::Ready) => {
                    self.settled(PoolId::Db)
                }
                Some(view) if serves(&view.status) => Real::NotYet(text!("wait-opens", name = name)),
                Some(view) => Real::NotYet(why(view)),
                None => Real::NotYet(text!("real-unseen")),
            },
        }
    }

    fn routed(&self, routing: Routing) -> Real {
        if self.desired.routing != routing {
            return overtaken();
        }
        let on = self.desired.members().filter(|s| !s.stopped());
        match on.filter_map(|s| self.view(&s.name)).find(|v| {
            let opens = v.status.state == State::Closed;
            !serves(&v.status) && (v.status.severity == Severity::Progress || opens)
        }) {
            Some(view) => Real::NotYet(why(view)),
            None => self.settled(PoolId::Db),
        }
    }

    /// Whether a HAProxy instance's file and process are as wished.
    fn settled(&self, proxy: PoolId) -> Real {
        let Some(view) = self.seen.proxies.iter().find(|p| p.name == proxy) else {
            return Real::NotYet(text!("real-unseen"));
        };
        let ProxyView { status, settled, .. } = view;
        if status.state == State::Drift
            && let Some(reason) = &status.reason
        {
            return Real::Failed(reason.sentence());
        }
        if *settled && status.severity == Severity::Good {
            Real::Yes
        } else {
            Real::NotYet(text!("real-proxy", proxy = Thing::Proxy(proxy), word = status.state.sentence()))
        }
    }
}

/// Returns the sentence about what is in effect once a change is fulfilled.
pub fn end(change: &Change, desired: &Desired) -> Text {
    let request = match change {
        Change::Request(request) => request,
        Change::Decision(Decision::Recopy(of)) => return text!("end-copied", name = of.name.as_str()),
        Change::Decision(_) => return text!("end-done"),
    };
    match request {
        Request::AddServer { server, .. } if server.admin != Admin::Ready => {
            text!("end-added-out", name = server.name.as_str())
        }
        Request::AddServer { server, .. } => text!("end-added", name = server.name.as_str()),
        Request::RemoveServer { name, .. } => text!("end-removed", name = name.as_str()),
        Request::SetPower { name, power: Power::On, .. } | Request::Restart { name, .. }
            if desired.web_server(name).is_some_and(|s| s.admin != Admin::Ready) =>
        {
            text!("end-started-out", name = name.as_str())
        }
        Request::SetPower { name, power: Power::On, .. } => text!("end-started", name = name.as_str()),
        Request::SetPower { name, power: Power::Off, .. } => text!("end-stopped", name = name.as_str()),
        Request::Restart { name, .. } => text!("end-restarted", name = name.as_str()),
        Request::Recopy { name, .. } => text!("end-copied", name = name.as_str()),
        Request::Promote { name, .. } => text!("end-promoted", name = name.as_str()),
        _ => text!("end-done"),
    }
}

/// The longest time, in milliseconds, for which a caller may ask to wait.
pub const LONGEST_WAIT: Millis = 600_000;

#[cfg(test)]
mod tests;
