//! Whether a wish is real: what was asked for is so, is on its way, or will not come about.

use crate::change::Change;
use crate::desired::{Admin, Desired, Either, Power, Routing, Server, Standing, Web};
use crate::ids::{Millis, PoolId, ServerName};
use crate::snapshot::{ProxyView, ServerView, Snapshot};
use crate::state::{Light, State, Status};
use crate::text;
use crate::text::{Text, Thing};

/// How far a wish is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Real {
    /// It is so.
    Yes,
    /// Not yet, and what it waits for.
    NotYet(Text),
    /// It will not come about by itself, and why.
    Failed(Text),
}

/// How far `change` is, which was written down as `revision`.
pub fn real(change: &Change, revision: u64, desired: &Desired, seen: &Snapshot) -> Real {
    // What is wished now may be newer than the picture: that shows another wish then, a standby for instance where the
    // writer was chosen a moment ago.
    if seen.revision < desired.revision || desired.revision < revision {
        return Real::NotYet(text!("real-unseen"));
    }
    let about = About { desired, seen };
    match change {
        Change::AddServer { pool, server } => about.added(*pool, &server.name),
        Change::Recopy { name } => about.added(PoolId::Db, name),
        Change::RemoveServer { pool, name, .. } => about.removed(*pool, name),
        Change::SetAdmin { name, admin, .. } => about.of_web(name, |s, v| About::admin(s, v, *admin)),
        Change::SetPower { pool, name, power: Power::On, .. } => about.of(*pool, name, About::power_on),
        Change::SetPower { pool, name, power: Power::Off, .. } => about.of(*pool, name, About::power_off),
        Change::Restart { pool, name, .. } => about.of(*pool, name, |s, v| {
            if s.as_web().is_some_and(|web| web.kept) {
                overtaken()
            } else if v.outdated {
                Real::NotYet(why(v))
            } else {
                About::power_on(s, v)
            }
        }),
        Change::Insist { name } => match desired.web_server(name) {
            None => about.removed(PoolId::Web, name),
            Some(s) if s.leaving => about.removed(PoolId::Web, name),
            Some(s) if s.stopped() => about.of_web(name, |s, v| About::power_off(&s, v)),
            Some(s) if s.admin != Admin::Ready => about.of_web(name, |s, v| About::admin(s, v, s.admin)),
            Some(_) => about.of_web(name, |s, v| yes_if(!v.outdated, s.anyway, v)),
        },
        Change::Withdraw { name } => {
            about.of_web(name, |s, v| yes_if(v.waits.is_none() && serves(&v.status), s.wanted(), v))
        }
        Change::Promote { name, .. } => about.promoted(name),
        Change::SetRouting { routing } => about.routed(*routing),
        Change::SetSession { mode } => {
            if desired.session == *mode {
                about.settled(PoolId::Web)
            } else {
                overtaken()
            }
        }
        Change::Reload { proxy } => about.settled(*proxy),
        Change::SetAddresses { .. } => match about.settled(PoolId::Web) {
            Real::Yes => about.settled(PoolId::Db),
            other => other,
        },
        Change::SetKeeping { .. } | Change::SetLogPort { .. } => about.settled(PoolId::Web),
        // Decided by Cordée after the fact: written down is all there is to it.
        Change::AbandonHandover { .. }
        | Change::Elect { .. }
        | Change::Admit { .. }
        | Change::Forget { .. }
        | Change::Release { .. }
        | Change::LetGo { .. }
        | Change::Readmit { .. }
        | Change::Saved { .. }
        | Change::Doubt { .. }
        | Change::Expel { .. }
        | Change::Depart { .. } => Real::Yes,
    }
}

fn overtaken() -> Real {
    Real::Failed(text!("real-overtaken"))
}

/// One that is only about to leave serves, and so does one that is well.
fn serves(status: &Status) -> bool {
    status.serves()
}

/// Real when it `is` so; while it is still `wished`, on its way.
fn yes_if(is: bool, wished: bool, view: &ServerView) -> Real {
    match (wished, is) {
        (false, _) => overtaken(),
        (true, true) => Real::Yes,
        (true, false) => Real::NotYet(why(view)),
    }
}

/// What is shown of a server that is not as wished yet.
fn why(view: &ServerView) -> Text {
    let (name, word) = (view.name.as_str(), view.status.state.sentence());
    match &view.status.reason {
        Some(reason) => text!("real-server-because", name = name, word = word, reason = reason.sentence()),
        None => text!("real-server", name = name, word = word),
    }
}

/// The wish and the picture that it is looked for in.
struct About<'a> {
    desired: &'a Desired,
    seen: &'a Snapshot,
}

impl About<'_> {
    fn view(&self, name: &ServerName) -> Option<&ServerView> {
        self.seen.servers.iter().find(|v| v.name.same_as(name))
    }

    /// Asks about a server that is to be there.
    fn of(&self, pool: PoolId, name: &ServerName, ask: impl FnOnce(&Server, &ServerView) -> Real) -> Real {
        match (self.desired.pool(pool).server(name), self.view(name)) {
            (Some(server), Some(view)) => ask(server, view),
            (Some(_), None) => Real::NotYet(text!("real-unseen")),
            (None, _) => overtaken(),
        }
    }

    /// Asks about a web server that is to be there.
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
                // Added in maintenance, or taken out meanwhile: HAProxy knows it as such.
                Either::Web(web) if !web.leaving && !web.stopped() && web.admin != Admin::Ready => {
                    Self::admin(web, view, web.admin)
                }
                Either::Web(web) => yes_if(served, !web.leaving, view),
                Either::Database(database) => {
                    let wished = !matches!(database.standing, Standing::Leaving | Standing::Released);
                    yes_if(*database.standing == Standing::Member && served, wished, view)
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
                        matches!(database.standing, Standing::Leaving | Standing::Released)
                    }
                };
                yes_if(false, leaves, view)
            }
            (None, None) => self.settled(pool),
            _ => Real::NotYet(text!("real-unseen")),
        }
    }

    fn admin(server: Web<'_>, view: &ServerView, admin: Admin) -> Real {
        // One that a person stopped meanwhile gets nobody, whatever else is wished of it.
        let off = server.stopped();
        let is = match admin {
            Admin::Ready if off => {
                return Real::Failed(text!("problem-stopped", name = server.name.as_str()));
            }
            Admin::Ready => view.waits.is_none() && serves(&view.status),
            Admin::Drain | Admin::Maintenance if off => view.waits.is_none(),
            // One that is dead, or whose name means nobody, is out altogether: no new visitor goes there either.
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
            Either::Database(database) => *database.standing != Standing::Member,
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
                // Open, and the address of the writer leads there.
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
            !serves(&v.status) && (v.status.light == Light::Progress || opens)
        }) {
            Some(view) => Real::NotYet(why(view)),
            None => self.settled(PoolId::Db),
        }
    }

    /// Whether an HAProxy's file and process are as wished.
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
        if *settled && status.light == Light::Good {
            Real::Yes
        } else {
            Real::NotYet(text!("real-proxy", proxy = Thing::Proxy(proxy), word = status.state.sentence()))
        }
    }
}

/// What is so when a change is real.
pub fn end(change: &Change, desired: &Desired) -> Text {
    match change {
        Change::AddServer { server, .. } if server.admin != Admin::Ready => {
            text!("end-added-out", name = server.name.as_str())
        }
        Change::AddServer { server, .. } => text!("end-added", name = server.name.as_str()),
        Change::RemoveServer { name, .. } => text!("end-removed", name = name.as_str()),
        Change::SetPower { name, power: Power::On, .. } | Change::Restart { name, .. }
            if desired.web_server(name).is_some_and(|s| s.admin != Admin::Ready) =>
        {
            text!("end-started-out", name = name.as_str())
        }
        Change::SetPower { name, power: Power::On, .. } => text!("end-started", name = name.as_str()),
        Change::SetPower { name, power: Power::Off, .. } => text!("end-stopped", name = name.as_str()),
        Change::Restart { name, .. } => text!("end-restarted", name = name.as_str()),
        Change::Recopy { name } => text!("end-copied", name = name.as_str()),
        Change::Promote { name, .. } => text!("end-promoted", name = name.as_str()),
        _ => text!("end-done"),
    }
}

/// Milliseconds for which somebody may ask to wait.
pub const LONGEST_WAIT: Millis = 600_000;

#[cfg(test)]
mod tests;
