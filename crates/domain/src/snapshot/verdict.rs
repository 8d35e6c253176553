//! The verdict: one sentence about the whole cluster.

use super::views::away;
use super::{ProxyView, Role, ServerView};
use crate::causes::attention;
use crate::desired::{Desired, Power, Run, Server};
use crate::door::Door;
use crate::ids::{Millis, PoolId, ProcessId, ServerName};
use crate::observed::{Lost, Observed, Own, Room};
use crate::reason::Reason;
use crate::state::{Remark, Severity, State};
use crate::text;
use crate::text::{Arg, Text, Thing};

/// Returns the verdict of a Cordée that cannot observe, or cannot store what it decides, with the cause of that.
pub(super) fn despite(own: &Own, verdict: Remark) -> Remark {
    let verdict = unkept(own, verdict);
    if let Some(why) = &own.blind {
        let reason = text!("verdict-own-blind", why = why);
        return Remark::new(Severity::Unknown, text!("verdict-blind"), reason);
    }
    let why = match (&own.unwritable, own.hindrance()) {
        (Some(_), Some(why)) => text!("verdict-unwritable", why = why),
        (None, Some(why)) => why,
        (_, None) => {
            match own.lost.as_ref().map(Lost::says).or_else(|| own.room.as_ref().and_then(Room::says)) {
                Some(why) => why,
                None => return verdict,
            }
        }
    };
    although(verdict, why)
}

/// Returns the verdict of a Cordée that nothing would start again.
fn unkept(own: &Own, verdict: Remark) -> Remark {
    if own.unkept { although(verdict, text!("reason-unkept")) } else { verdict }
}

/// Returns the verdict, at least a warning, with the reason that keeps it from being good added to its own.
fn although(verdict: Remark, why: Text) -> Remark {
    let (severity, word) = match verdict.severity {
        Severity::Good => return Remark::new(Severity::Warning, text!("verdict-risk"), why),
        // Nobody is served for another reason, or nobody yet: that word stays.
        Severity::Maintenance | Severity::Progress => (Severity::Warning, verdict.word),
        Severity::Unknown | Severity::Warning | Severity::Critical => (verdict.severity, verdict.word),
    };
    let reason = match verdict.reason {
        Some(first) => text!("verdict-and", first = first, then = why),
        None => why,
    };
    Remark::new(severity, word, reason)
}

/// Returns the word for a cluster in which nobody is served behind that HAProxy instance.
fn nobody_served(proxy: PoolId) -> Text {
    match proxy {
        PoolId::Web => text!("verdict-critical"),
        PoolId::Db => text!("verdict-no-database"),
    }
}

/// Returns the verdict that follows from what is found at a proxy's addresses, if that decides it.
fn at_the_door(proxy: &ProxyView) -> Option<Remark> {
    let reason = proxy.status.reason.clone()?;
    if proxy.status.state == State::DoorUnknown {
        return Some(Remark::new(Severity::Unknown, text!("verdict-blind"), reason));
    }
    let word = nobody_served(proxy.name);
    (proxy.status.state == State::Door).then(|| Remark::new(Severity::Critical, word, reason))
}

/// What probes of the site's own addresses say about the whole.
#[derive(Clone, Debug, Default)]
pub(super) struct Doors {
    /// The pool whose servers work again, while no probe has been served there yet.
    waiting: Option<PoolId>,
    /// The pools that served before one of their processes ended.
    fallen: Vec<PoolId>,
    /// The pools that have been served by the processes that run now: nothing is starting there.
    served: Vec<PoolId>,
    /// Another database is becoming the writer, or has become the writer and has not been seen to serve yet.
    switching: bool,
}

impl Doors {
    /// Collects what is known; `waiting` is stored as given.
    pub(super) fn of(desired: &Desired, observed: &Observed, waiting: Option<PoolId>) -> Self {
        let fell = |pool: &PoolId| desired.handover.is_none() && fallen(desired, observed, *pool);
        let those = |which: &dyn Fn(&PoolId) -> bool| PoolId::ALL.into_iter().filter(which).collect();
        Self {
            waiting,
            fallen: those(&fell),
            served: those(&|pool| served(desired, observed, *pool)),
            switching: desired.handover.is_some() || switched(desired, observed),
        }
    }
}

/// Returns when a probe was last served by that pool.
fn last_served(observed: &Observed, pool: PoolId) -> Option<Millis> {
    let door = match pool {
        PoolId::Web => Door::Site,
        PoolId::Db => Door::Writer,
    };
    observed.doors.get(&door)?.right
}

/// Whether a process has been running since before that time, as far as Cordée knows.
fn ran(observed: &Observed, id: &ProcessId, at: Millis) -> bool {
    let process = observed.process(id);
    process.leader.is_some() && process.started_at.is_none_or(|started| started < at)
}

/// Whether a probe was served by what runs in that pool now.
fn served(desired: &Desired, observed: &Observed, pool: PoolId) -> bool {
    let Some(at) = last_served(observed, pool) else { return false };
    let server = |s: &Server| match s.runtime {
        Run::Process { .. } => ran(observed, &s.process(), at),
        Run::External => s.wanted(),
    };
    ran(observed, &ProcessId::Proxy(pool), at)
        && match pool {
            PoolId::Web => desired.web.servers.iter().any(server),
            PoolId::Db => desired.db.servers.iter().any(|s| desired.is_writer(&s.name) && server(s)),
        }
}

/// Whether another database was the writer when a probe was last served, and the present writer was running then.
fn switched(desired: &Desired, observed: &Observed) -> bool {
    let then = observed.doors.get(&Door::Writer).map(|seen| seen.epoch);
    then.is_some_and(|epoch| epoch != desired.epoch) && served(desired, observed, PoolId::Db)
}

/// Whether the pool's HAProxy instance or one of its servers has ended since a probe was last served there, and nobody
/// asked for that. A process that is on its way then is not a first start, and nobody is served until it is up.
fn fallen(desired: &Desired, observed: &Observed, pool: PoolId) -> bool {
    let Some(served) = last_served(observed, pool) else { return false };
    let ended = |id: ProcessId| {
        let process = observed.process(&id);
        process.trouble.is_some() && process.ended_at.max(process.started_at).is_some_and(|at| at > served)
    };
    let mut servers = desired.pool(pool).servers.iter();
    ended(ProcessId::Proxy(pool)) || servers.any(|s| ended(s.process()))
}

/// Returns the verdict if a proxy decides it: what stands behind a proxy that serves nobody does not matter.
fn of_proxies(proxies: &[ProxyView], doors: &Doors, now: Millis) -> Option<Remark> {
    for proxy in proxies {
        if let Some(verdict) = at_the_door(proxy) {
            return Some(verdict);
        }
        if proxy.status.state == State::Frozen {
            let reason = text!("verdict-frozen", proxy = Thing::Proxy(proxy.name));
            return Some(Remark::new(Severity::Critical, nobody_served(proxy.name), reason));
        }
        if proxy.status.severity == Severity::Unknown {
            let seconds = proxy.seen_at.map_or(0, |at| now.saturating_sub(at) / 1_000);
            let reason = text!("verdict-blind-reason", proxy = Thing::Proxy(proxy.name), seconds = seconds);
            return Some(Remark::new(Severity::Unknown, text!("verdict-blind"), reason));
        }
    }
    let lost = |p: &&ProxyView| match p.status.severity {
        Severity::Critical => true,
        Severity::Progress => doors.fallen.contains(&p.name),
        _ => false,
    };
    let proxy = proxies.iter().find(lost)?;
    let name = Thing::Proxy(proxy.name);
    let reason = match proxy.status.reason.as_ref().and_then(Reason::taken_port) {
        Some(port) => text!("verdict-port", port = port.to_string(), name = name),
        None => text!("verdict-proxy-down", proxy = name),
    };
    Some(Remark::new(Severity::Critical, nobody_served(proxy.name), reason))
}

/// Returns the verdict while the writer serves nobody, unless an operator stopped it.
fn of_writer(writer: &ServerView, doors: &Doors, count: &Text) -> Option<Remark> {
    match writer.status.severity {
        // An operator stopped the writer: that is reported after what operators did to the web servers.
        Severity::Maintenance | Severity::Progress if writer.power == Power::Off => None,
        Severity::Critical | Severity::Maintenance if !writer.status.state.writes() => {
            let reason = text!("verdict-no-writer", name = &writer.name);
            Some(Remark::new(Severity::Critical, text!("verdict-no-database"), reason))
        }
        Severity::Progress if doors.fallen.contains(&PoolId::Db) => {
            let reason = text!("verdict-writer-coming", name = &writer.name);
            Some(Remark::new(Severity::Critical, text!("verdict-no-database"), reason))
        }
        Severity::Progress => {
            let word = if doors.switching { text!("verdict-handover") } else { text!("verdict-starting") };
            Some(Remark::new(Severity::Progress, word, count.clone()))
        }
        _ => None,
    }
}

/// Returns the verdict: what visitors get now, and how close the cluster is to failing.
pub(super) fn verdict(proxies: &[ProxyView], servers: &[ServerView], doors: &Doors, now: Millis) -> Remark {
    let of = |pool: PoolId| servers.iter().filter(move |s| s.pool == pool);
    let well = |s: &&ServerView| s.status.serves();
    let (web, web_all) = (of(PoolId::Web).filter(well).count(), of(PoolId::Web).count());
    let (db, db_all) = (of(PoolId::Db).filter(well).count(), of(PoolId::Db).count());
    let count = text!("verdict-count", web = web, webs = web_all, db = db, dbs = db_all);
    if let Some(verdict) = of_proxies(proxies, doors, now) {
        return verdict;
    }
    let fallen = |pool: PoolId| doors.fallen.contains(&pool);
    let starting = servers.iter().any(|s| s.status.severity == Severity::Progress)
        || proxies.iter().any(|p| p.status.severity == Severity::Progress);
    let set_aside = set_aside(servers);
    if web_all > 0 && web == 0 && set_aside.is_none() {
        return if starting && !fallen(PoolId::Web) {
            Remark::new(Severity::Progress, text!("verdict-starting"), count)
        } else {
            Remark::new(Severity::Critical, text!("verdict-critical"), text!("verdict-no-web"))
        };
    }
    let writer = of(PoolId::Db).find(|s| s.role == Some(Role::Writer) && !s.status.serves());
    if let Some(verdict) = writer.and_then(|writer| of_writer(writer, doors, &count)) {
        return verdict;
    }
    // This comes after the databases: what an operator took out does not explain a failure there.
    if let Some(reason) = set_aside {
        return Remark::new(Severity::Maintenance, text!("verdict-set-aside"), reason);
    }
    if let Some(reason) = writer.and_then(|writer| stopped(writer, servers)) {
        return Remark::new(Severity::Maintenance, text!("verdict-no-database"), reason);
    }
    let moment = doors.waiting.is_some_and(|proxy| doors.served.contains(&proxy));
    let said = |proxy: &PoolId| !moment || doors.fallen.contains(proxy) || doors.switching;
    if let Some(proxy) = doors.waiting.filter(said) {
        return unserved(proxy, doors, count);
    }
    if proxies.iter().any(|p| p.status.severity == Severity::Progress) {
        return Remark::new(Severity::Progress, text!("verdict-starting"), count);
    }
    let risk: Vec<&ServerName> = attention(proxies, servers).into_iter().map(|s| &s.name).collect();
    if !risk.is_empty() {
        let reason = text!(
            "verdict-risk-reason",
            count = risk.len(),
            names = Arg::few(risk.iter().copied()),
            web = web,
            webs = web_all,
            db = db,
            dbs = db_all
        );
        return Remark::new(Severity::Warning, text!("verdict-risk"), reason);
    }
    if web_all == 0 {
        return Remark::new(Severity::Critical, text!("verdict-critical"), text!("verdict-empty"));
    }
    if let Some(proxy) = proxies.iter().find(|p| p.status.state == State::HalfFrozen) {
        let reason = text!("verdict-half-frozen", proxy = Thing::Proxy(proxy.name));
        return Remark::new(Severity::Warning, text!("verdict-risk"), reason);
    }
    let out = |s: &&ServerView| matches!(s.status.severity, Severity::Maintenance | Severity::Progress);
    let beside = of(PoolId::Db).filter(|s| s.status.serves() && !away(s)).count();
    let alone = beside == 1 && of(PoolId::Db).any(away);
    if alone || web == 1 && of(PoolId::Web).any(|s| out(&s)) {
        return Remark::new(Severity::Warning, text!("verdict-risk"), count);
    }
    match doors.waiting {
        Some(proxy) => unserved(proxy, doors, count),
        None => Remark::new(Severity::Good, well_but_for(servers), count),
    }
}

/// Returns the reason to show if every web server was taken out by an operator; `None` if one was not.
fn set_aside(servers: &[ServerView]) -> Option<Text> {
    let drains = |s: &ServerView| !s.wanted && s.status.state == State::Draining;
    let stopped = |s: &ServerView| s.power == Power::Off;
    let web = || servers.iter().filter(|s| s.pool == PoolId::Web);
    let out =
        |s: &ServerView| !s.status.serves() && (s.status.severity == Severity::Maintenance || stopped(s));
    if web().next().is_none() || !web().all(|s| out(s) || drains(s)) {
        return None;
    }
    // Visitors who hold the cookie of a draining server still get their pages.
    Some(if web().any(drains) {
        text!("verdict-set-aside-drain")
    } else if web().all(stopped) {
        text!("verdict-set-aside-stopped")
    } else {
        text!("verdict-set-aside-reason")
    })
}

/// Returns the reason to show if an operator stopped the writer; `None` if nobody did.
fn stopped(writer: &ServerView, servers: &[ServerView]) -> Option<Text> {
    let mut databases = servers.iter().filter(|s| s.pool == PoolId::Db);
    let by_person = |s: &ServerView| s.power == Power::Off;
    by_person(writer).then(|| {
        if databases.all(by_person) {
            text!("verdict-databases-stopped", name = &writer.name)
        } else {
            text!("verdict-writer-stopped", name = &writer.name)
        }
    })
}

/// Returns the verdict while the servers of that pool work and no probe has been served there yet.
fn unserved(proxy: PoolId, doors: &Doors, count: Text) -> Remark {
    if doors.fallen.contains(&proxy) {
        let reason = text!("verdict-unserved", proxy = Thing::Proxy(proxy));
        return Remark::new(Severity::Critical, nobody_served(proxy), reason);
    }
    let word = match proxy {
        PoolId::Db if doors.switching => text!("verdict-handover"),
        _ if doors.served.contains(&proxy) => text!("verdict-checking"),
        _ => text!("verdict-starting"),
    };
    Remark::new(Severity::Progress, word, count)
}

/// Returns "All good", with the servers that are not in service: taken out, draining, or on their way.
fn well_but_for(servers: &[ServerView]) -> Text {
    let drains = |s: &ServerView| s.status.state == State::Draining;
    let names = |fits: &dyn Fn(&ServerView) -> bool| {
        servers.iter().filter(|s| fits(s)).map(|s| &s.name).collect::<Vec<_>>()
    };
    let aside = names(&|s| s.status.severity == Severity::Maintenance);
    let draining = names(&|s| s.status.severity == Severity::Progress && drains(s));
    let coming = names(&|s| s.status.severity == Severity::Progress && !drains(s));
    match (aside.len(), draining.len(), coming.len()) {
        (0, 0, 0) => text!("verdict-good"),
        (0, 0, count) => text!("verdict-good-coming", names = fitting(&coming), count = count),
        (0, count, _) => text!("verdict-good-draining", names = fitting(&draining), count = count),
        (count, ..) => text!("verdict-good-aside", names = fitting(&aside), count = count),
    }
}

/// Returns the names if all of them fit into a title, otherwise their number.
fn fitting(names: &[&ServerName]) -> Arg {
    if names.len() <= Arg::MOST_NAMES {
        Arg::servers(names.iter().copied())
    } else {
        text!("count-servers", count = names.len()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::{Fault, Lack};

    fn said(own: &Own, severity: Severity) -> (Severity, String, String) {
        let verdict = despite(own, Remark::new(severity, text!("verdict-good"), text!("verdict-empty")));
        let reason = verdict.reason.expect("a reason");
        (verdict.severity, verdict.word.key.to_string(), reason.sentence().key.to_string())
    }

    #[test]
    fn a_sentence_names_three_and_counts_the_others() {
        let names: Vec<ServerName> =
            (1..=300).map(|n| ServerName::parse(&format!("web{n}")).expect("a name")).collect();
        let three = Arg::servers(names.iter().take(3));
        assert_eq!(Arg::few(&names[..3]), three);
        assert_eq!(Arg::few(&names), text!("names-and-more", names = three, count = 297_usize).into());
    }

    #[test]
    fn a_cordee_that_cannot_look_says_that_it_does_not_know() {
        let own = Own { blind: Some(Fault::Own(Lack::Descriptors, None)), ..Own::default() };
        for severity in [Severity::Good, Severity::Critical, Severity::Unknown] {
            let wanted = (Severity::Unknown, "verdict-blind".to_owned(), "verdict-own-blind".to_owned());
            assert_eq!(said(&own, severity), wanted);
        }
    }

    #[test]
    fn a_state_that_is_not_whole_is_never_good() {
        let lost = Lost { folder: "/var/lib/cordee".to_owned(), names: "secrets.json".to_owned() };
        let mut own = Own { lost: Some(lost), ..Own::default() };
        let wanted = (Severity::Warning, "verdict-risk".to_owned(), "own-lost".to_owned());
        assert_eq!(said(&own, Severity::Good), wanted);
        own.room = Some(Room { folder: "/var/lib/cordee".to_owned(), free: 200 << 20 });
        assert_eq!(said(&own, Severity::Good), wanted, "a nearly full disk says nothing worse");
    }

    #[test]
    fn a_full_disk_is_said_as_such_and_never_as_good() {
        let room = |free| Some(Room { folder: "/var/lib/cordee".to_owned(), free });
        let enough = Own { room: room(1 << 30), ..Own::default() };
        assert_eq!(said(&enough, Severity::Good).0, Severity::Good);
        for (free, key) in [(200 << 20, "own-disk-short"), (3 << 10, "own-disk-full")] {
            let own = Own { room: room(free), ..Own::default() };
            assert_eq!(
                said(&own, Severity::Good),
                (Severity::Warning, "verdict-risk".to_owned(), key.to_owned())
            );
            let worse = (Severity::Critical, "verdict-good".to_owned(), "verdict-and".to_owned());
            assert_eq!(said(&own, Severity::Critical), worse, "what is worse stays, and the cause is added");
        }
        let mut own = Own { unwritable: Some(Fault::ReadOnly(None)), ..Own::default() };
        assert_eq!(said(&own, Severity::Good).2, "verdict-unwritable");
        own.unwritable = Some(Fault::DiskFull(None));
        own.room = room(2 << 20);
        let said = own.hindrance().map(|why| why.key.to_string());
        assert_eq!(
            said.as_deref(),
            Some("own-disk-full"),
            "what SQLite needed and did not get, with folder and figure"
        );
        own.room = room(0);
        assert_eq!(own.hindrance().map(|why| why.key.to_string()), Some("own-disk-full".to_owned()));
    }
}
