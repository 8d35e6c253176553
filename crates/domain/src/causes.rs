//! The causes of a verdict that is not good, and their remedies: the list below the verdict. It lists causes rather
//! than symptoms: a server that only suffers from something else is listed with that.

use std::collections::{BTreeMap, BTreeSet};

use crate::desired::{Asked, Handover, Membership, Power};
use crate::ids::{PoolId, ServerName};
use crate::observed::{Own, Room};
use crate::reason::Reason;
use crate::snapshot::{ProxyView, Role, ServerView, away};
use crate::state::{Remark, Severity, State};
use crate::text;
use crate::text::{Text, Thing};

mod remedies;

pub use remedies::Remedy;
use remedies::{free_port, keeps_ending, look, socket_gone, thaw, web};

/// One cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// What it is about.
    pub about: About,
    /// Its status in words.
    pub status: Remark,
    /// Who asked for it and when, if somebody did and it is known who.
    pub asked: Option<Asked>,
    /// The servers whose trouble it explains.
    pub explains: Vec<ServerName>,
    /// Its remedies, the most likely first; never empty.
    pub remedies: Vec<Remedy>,
}

/// What a cause is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// Cordée itself.
    Cordee,
    /// A HAProxy instance.
    Proxy(PoolId),
    /// Servers of one pool that share the cause; empty if the pool has no servers.
    Servers(PoolId, Vec<ServerName>),
}

impl About {
    /// Returns the servers.
    pub fn servers(&self) -> &[ServerName] {
        match self {
            Self::Servers(_, names) => names,
            Self::Cordee | Self::Proxy(_) => &[],
        }
    }
}

/// The part of a snapshot in which causes are searched.
pub(crate) struct Shown<'a> {
    pub(crate) verdict: &'a Remark,
    pub(crate) proxies: &'a [ProxyView],
    pub(crate) servers: &'a [ServerView],
    pub(crate) handover: Option<&'a Handover>,
    pub(crate) own: &'a Own,
    /// The HAProxy instance at whose addresses no probe has been served yet.
    pub(crate) waiting: Option<PoolId>,
}

/// What a server's trouble is caused by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Culprit {
    Proxy(PoolId),
    Server(ServerName),
}

/// Returns the servers whose trouble is caused by something else, with that culprit.
fn explained(proxies: &[ProxyView], servers: &[ServerView]) -> BTreeMap<ServerName, Culprit> {
    let bad = |pool: PoolId| {
        let severities = [Severity::Unknown, Severity::Critical, Severity::Progress];
        proxies.iter().any(|p| p.name == pool && severities.contains(&p.status.severity))
    };
    let mut all = BTreeMap::new();
    for view in servers {
        let state = view.status.state;
        let by = match view.pool {
            PoolId::Web => {
                let seen_through_it = matches!(state, State::Unknown | State::Joining);
                (bad(PoolId::Web) && seen_through_it).then_some(Culprit::Proxy(PoolId::Web))
            }
            PoolId::Db if state == State::Unreached => bad(PoolId::Db).then_some(Culprit::Proxy(PoolId::Db)),
            PoolId::Db => fallen_peer(view, servers).map(Culprit::Server),
        };
        if let Some(by) = by {
            all.insert(view.name.clone(), by);
        }
    }
    all
}

/// Returns the database that causes another one's warning: that it is not replicated, receives nothing, or is
/// confirmed by nobody.
fn fallen_peer(view: &ServerView, servers: &[ServerView]) -> Option<ServerName> {
    if view.status.severity != Severity::Warning {
        return None;
    }
    let peers = || servers.iter().filter(|s| s.pool == PoolId::Db && s.name != view.name);
    let fallen = |s: &&ServerView| {
        let passes = s.status.severity == Severity::Progress && !s.status.serves();
        s.power == Power::Off
            || s.status.severity == Severity::Critical
            || s.status.severity == Severity::Unknown
            || passes
    };
    let named = || match &view.status.reason {
        Some(Reason::Peer { name, .. }) => peers().find(|s| s.name == *name).filter(fallen),
        _ => None,
    };
    let by = if matches!(view.status.state, State::Alone | State::NotCopied) {
        named()
    } else if view.status.state == State::Unprotected {
        // If a member could confirm and does not, that is a trouble of its own.
        let could = peers().any(|s| s.membership == Some(Membership::Member) && !fallen(&s));
        peers()
            .filter(fallen)
            .min_by_key(|s| (s.power == Power::On, s.status.severity < Severity::Unknown))
            .filter(|_| !could)
    } else {
        None
    };
    by.map(|s| s.name.clone())
}

/// Returns the causes, the most important first. The list is empty only if the verdict is good.
pub(crate) fn causes(shown: &Shown<'_>) -> Vec<Cause> {
    let explained = explained(shown.proxies, shown.servers);
    let whole = Whole::of(shown.proxies, shown.servers, shown.verdict.severity);
    let mut all: Vec<(u8, Cause)> = Vec::new();
    all.extend(shown.own().map(|cause| (0, cause)));
    all.extend(shown.unkept().map(|cause| (0, cause)));
    all.extend(shown.handover().map(|cause| (1, cause)));
    let mut victims: BTreeMap<&Culprit, Vec<ServerName>> = BTreeMap::new();
    for view in shown.servers.iter().filter(|s| whole.counts(s)) {
        if let Some(culprit) = explained.get(&view.name) {
            victims.entry(culprit).or_default().push(view.name.clone());
        }
    }
    for proxy in shown.proxies {
        let explains = victims.remove(&Culprit::Proxy(proxy.name)).unwrap_or_default();
        all.extend(shown.proxy(proxy, explains).map(|cause| (2, cause)));
    }
    // While Cordée cannot observe, an unknown server is no cause: nothing is known about it.
    let blind = shown.own.blind.is_some();
    for view in shown.servers {
        // Only the trouble of a database can be caused by another server.
        let culprit = || Culprit::Server(view.name.clone());
        let explains = match view.pool {
            PoolId::Web => Vec::new(),
            PoolId::Db => victims.remove(&culprit()).unwrap_or_default(),
        };
        let itself = whole.counts(view) && !explained.contains_key(&view.name);
        let unseen = blind && view.status.severity == Severity::Unknown;
        if !unseen && (itself || !explains.is_empty()) && !shown.passes_the_baton(view) {
            all.push((whole.rank(view), shown.server(view, explains)));
        }
    }
    all.sort_by_key(|(rank, _)| *rank);
    let mut grouped: Vec<Cause> = Vec::new();
    for (_, cause) in all {
        match grouped.iter_mut().find(|known| alike(known, &cause)) {
            Some(known) => join(known, cause),
            None => grouped.push(cause),
        }
    }
    for cause in &mut grouped {
        once_each(&mut cause.remedies);
    }
    if grouped.is_empty() && shown.verdict.severity != Severity::Good {
        grouped.push(shown.rest());
    }
    grouped
}

/// Whether two causes are the same to an operator: the same is said of both, and the same operator asked for it.
fn alike(one: &Cause, other: &Cause) -> bool {
    let by = |cause: &Cause| cause.asked.as_ref().map(|asked| asked.by.clone());
    let pool = |cause: &Cause| match &cause.about {
        About::Servers(pool, _) => Some(*pool),
        About::Cordee | About::Proxy(_) => None,
    };
    let same = |one: &Remark, other: &Remark| {
        let reasons = match (&one.reason, &other.reason) {
            (Some(one), Some(other)) => one.is_like(other),
            (one, other) => one == other,
        };
        one.severity == other.severity && one.word.is_like(&other.word) && reasons
    };
    pool(one).is_some()
        && pool(one) == pool(other)
        && same(&one.status, &other.status)
        && by(one) == by(other)
}

fn join(one: &mut Cause, other: Cause) {
    if let (About::Servers(_, names), About::Servers(_, more)) = (&mut one.about, other.about) {
        names.extend(more);
    }
    one.asked = one.asked.take().into_iter().chain(other.asked).min_by_key(|asked| asked.at);
    one.explains.extend(other.explains);
    one.remedies.extend(other.remedies);
}

/// Removes each remedy that already appeared earlier in the list.
fn once_each(remedies: &mut Vec<Remedy>) {
    let mut known = BTreeSet::new();
    let first: Vec<bool> = remedies.iter().map(|remedy| known.insert(remedy)).collect();
    let mut first = first.into_iter();
    remedies.retain(|_| first.next() == Some(true));
}

/// The facts about the whole that decide whether a server is a cause of the verdict.
struct Whole {
    severity: Severity,
    /// Web servers that serve.
    web: usize,
    /// Databases that serve.
    db: usize,
    /// HAProxy `web` itself is in trouble: a server behind it that was taken out is not a cause then.
    front_fails: bool,
}

impl Whole {
    fn of(proxies: &[ProxyView], servers: &[ServerView], severity: Severity) -> Self {
        // A database that is on its way back cannot be relied on.
        let sound = |s: &&ServerView| s.status.serves() && !(s.pool == PoolId::Db && away(s));
        let serving = |pool| servers.iter().filter(|s| s.pool == pool).filter(sound).count();
        let fails = [Severity::Critical, Severity::Unknown];
        let front_fails = proxies.iter().any(|p| p.name == PoolId::Web && fails.contains(&p.status.severity));
        Self { severity, web: serving(PoolId::Web), db: serving(PoolId::Db), front_fails }
    }

    /// Whether that server, or what explains its trouble, is a cause of the verdict.
    fn counts(&self, view: &ServerView) -> bool {
        match view.status.severity {
            Severity::Critical | Severity::Unknown | Severity::Warning => true,
            Severity::Good => false,
            Severity::Maintenance | Severity::Progress if self.severity == Severity::Good => false,
            Severity::Maintenance | Severity::Progress => match view.pool {
                PoolId::Web => self.web <= 1 && !self.front_fails,
                PoolId::Db if view.power == Power::Off => true,
                PoolId::Db => {
                    let writer = view.role == Some(Role::Writer);
                    let alone = self.db <= 1 && away(view);
                    alone || !view.status.serves() && (writer || self.severity == Severity::Progress)
                }
            },
        }
    }

    /// Returns the rank of a cause: what visitors notice most comes first.
    fn rank(&self, view: &ServerView) -> u8 {
        let stops_all = match view.pool {
            PoolId::Db => view.role == Some(Role::Writer) && !view.status.serves(),
            PoolId::Web => self.web == 0,
        };
        match view.status.severity {
            Severity::Critical | Severity::Maintenance if stops_all => 3,
            Severity::Critical | Severity::Unknown => 4,
            Severity::Maintenance => 5,
            Severity::Warning | Severity::Good => 6,
            Severity::Progress => 7,
        }
    }
}

/// Returns the servers that are named in a warning verdict and in the list below it. A server that only suffers from
/// another one is not named; the other one is.
pub(crate) fn attention<'a>(proxies: &[ProxyView], servers: &'a [ServerView]) -> Vec<&'a ServerView> {
    let whole = Whole::of(proxies, servers, Severity::Warning);
    let explained = explained(proxies, servers);
    let counted = || servers.iter().filter(|s| whole.counts(s));
    let blamed: BTreeSet<&ServerName> = counted()
        .filter_map(|s| match explained.get(&s.name) {
            Some(Culprit::Server(name)) => Some(name),
            Some(Culprit::Proxy(_)) | None => None,
        })
        .collect();
    let itself = |s: &ServerView| whole.counts(s) && !explained.contains_key(&s.name);
    servers.iter().filter(|s| itself(s) || blamed.contains(&s.name)).collect()
}

impl Shown<'_> {
    /// Whether the server only waits for the change of writer under way, which has its own entry.
    fn passes_the_baton(&self, view: &ServerView) -> bool {
        self.handover.is_some() && view.status.state == State::HandingOver
    }

    /// Returns the cause that nothing would start Cordée again.
    fn unkept(&self) -> Option<Cause> {
        self.own.unkept.then(|| Cause {
            about: About::Cordee,
            status: Remark::new(Severity::Warning, text!("cause-unkept"), text!("reason-unkept")),
            asked: None,
            explains: Vec::new(),
            remedies: vec![Remedy::Hand { says: text!("remedy-unkept") }],
        })
    }

    /// Returns what keeps Cordée itself from its work.
    fn own(&self) -> Option<Cause> {
        let doctor = || Remedy::Hand { says: text!("remedy-doctor") };
        let cause = |severity, word, why: Text, remedy| Cause {
            about: About::Cordee,
            status: Remark::new(severity, word, why),
            asked: None,
            explains: Vec::new(),
            remedies: vec![remedy],
        };
        if let Some(why) = &self.own.blind {
            return Some(cause(Severity::Unknown, text!("cause-blind"), why.sentence(), doctor()));
        }
        let room = |r: &Room| Remedy::Hand { says: text!("remedy-room", folder = r.folder.as_str()) };
        let short = self.own.room.as_ref().filter(|r| r.says().is_some());
        if let Some(why) = self.own.hindrance() {
            let remedy = short.map_or_else(doctor, room);
            return Some(cause(Severity::Critical, text!("cause-unwritable"), why, remedy));
        }
        if let Some(lost) = &self.own.lost {
            let remedy = Remedy::Hand { says: text!("remedy-lost") };
            return Some(cause(Severity::Warning, text!("cause-lost"), lost.says(), remedy));
        }
        let short = short?;
        Some(cause(Severity::Warning, text!("cause-room"), short.says()?, room(short)))
    }

    fn handover(&self) -> Option<Cause> {
        let to = &self.handover?.to;
        let reason = text!("verdict-handover-reason", name = to);
        Some(Cause {
            about: About::Servers(PoolId::Db, vec![to.clone()]),
            status: Remark::new(Severity::Progress, text!("verdict-handover"), reason),
            asked: None,
            explains: Vec::new(),
            remedies: vec![Remedy::Itself],
        })
    }

    fn proxy(&self, view: &ProxyView, explains: Vec<ServerName>) -> Option<Cause> {
        let proxy = view.name;
        let waits = self.waiting == Some(proxy) && self.verdict.severity == Severity::Progress;
        let mut status = view.status.remark();
        let remedies = match view.status.severity {
            Severity::Critical | Severity::Unknown | Severity::Warning if self.own.blind.is_some() => {
                return None;
            }
            Severity::Critical | Severity::Warning if !thaw(&view.status).is_empty() => thaw(&view.status),
            Severity::Critical if view.status.state == State::Door => {
                vec![Remedy::Reload { proxy }, Remedy::Config { proxy }]
            }
            Severity::Unknown if socket_gone(&view.status) => {
                let says = |pid: u32| text!("remedy-socket", pid = pid.to_string());
                view.pid.map(|pid| Remedy::Hand { says: says(pid) }).into_iter().collect()
            }
            Severity::Critical | Severity::Unknown => match free_port(&view.status, Thing::Proxy(proxy)) {
                Some(taken) => vec![taken],
                None if keeps_ending(&view.status) => vec![Remedy::Journal, Remedy::Config { proxy }],
                // Cordée starts it again, or goes on asking.
                None => vec![Remedy::Itself],
            },
            Severity::Warning => vec![Remedy::Config { proxy }],
            Severity::Progress if self.verdict.severity != Severity::Good => vec![Remedy::Itself],
            _ if waits => {
                status = Remark::bare(Severity::Progress, text!("cause-door-waits"));
                vec![Remedy::Itself]
            }
            _ if !explains.is_empty() => vec![Remedy::Itself],
            Severity::Good | Severity::Maintenance | Severity::Progress => return None,
        };
        Some(Cause { about: About::Proxy(proxy), status, asked: None, explains, remedies })
    }

    fn server(&self, view: &ServerView, explains: Vec<ServerName>) -> Cause {
        let remedies = match view.pool {
            PoolId::Web => web(view),
            PoolId::Db => self.database(view),
        };
        let remedies = if remedies.is_empty() { vec![look(view)] } else { remedies };
        Cause {
            about: About::Servers(view.pool, vec![view.name.clone()]),
            status: view.status.remark(),
            asked: view.asked.clone(),
            explains,
            remedies,
        }
    }

    /// Returns an entry for a verdict for which no other cause was found.
    fn rest(&self) -> Cause {
        if !self.servers.iter().any(|s| s.pool == PoolId::Web) {
            return Cause {
                about: About::Servers(PoolId::Web, Vec::new()),
                status: Remark::bare(Severity::Critical, text!("cause-no-web")),
                asked: None,
                explains: Vec::new(),
                remedies: vec![Remedy::Add],
            };
        }
        Cause {
            about: About::Cordee,
            status: self.verdict.clone(),
            asked: None,
            explains: Vec::new(),
            remedies: vec![Remedy::Journal],
        }
    }
}

#[cfg(test)]
mod tests;
