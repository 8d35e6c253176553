//! One sentence about the whole.

use super::{ProxyView, Role, ServerView};
use crate::causes::{Culprit, explained};
use crate::desired::{Desired, Power, Standing};
use crate::door::Door;
use crate::ids::{Millis, PoolId, ServerName};
use crate::observed::{Lost, Observed, Own, ProcessId, Room};
use crate::state::{Light, Remark, State};
use crate::text;
use crate::text::{Arg, Text, Thing};

/// The verdict of a Cordée that cannot look, or cannot write down what it decides: said with its cause.
pub(super) fn despite(own: &Own, verdict: Remark) -> Remark {
    if let Some(why) = &own.blind {
        let reason = text!("verdict-own-blind", why = why);
        return Remark::new(Light::Unknown, text!("verdict-blind"), reason);
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
    match verdict.light {
        Light::Unknown | Light::Warning | Light::Critical => {
            let reason = match verdict.reason {
                Some(first) => text!("verdict-and", first = first, then = why),
                None => why,
            };
            Remark::new(verdict.light, verdict.word, reason)
        }
        Light::Good | Light::Maintenance | Light::Progress => {
            Remark::new(Light::Warning, text!("verdict-risk"), why)
        }
    }
}

/// What is found at a proxy's addresses, when that decides about the whole.
fn at_the_door(proxy: &ProxyView) -> Option<Remark> {
    let reason = proxy.status.reason.clone()?;
    if proxy.status.state == State::DoorUnknown {
        return Some(Remark::new(Light::Unknown, text!("verdict-blind"), reason));
    }
    let word = match proxy.name {
        PoolId::Web => text!("verdict-critical"),
        PoolId::Db => text!("verdict-no-database"),
    };
    (proxy.status.state == State::Door).then(|| Remark::new(Light::Critical, word, reason))
}

/// What the site's own addresses tell of the whole.
#[derive(Clone, Debug, Default)]
pub(super) struct Doors {
    /// Servers do their work again, and nobody has been seen to be served yet.
    pub(super) waiting: bool,
    /// The pools that served before something of them ended.
    pub(super) fallen: Vec<PoolId>,
}

/// Whether its HAProxy or a server of it ended since somebody was last served by that pool, and nobody asked for that.
/// What is on its way then is no start, and until it is there nobody is served.
pub(super) fn fallen(desired: &Desired, observed: &Observed, pool: PoolId) -> bool {
    let door = match pool {
        PoolId::Web => Door::Site,
        PoolId::Db => Door::Writer,
    };
    let Some(served) = observed.doors.get(&door).and_then(|seen| seen.right) else { return false };
    let ended = |id: ProcessId| {
        let process = observed.process(&id);
        process.trouble.is_some() && process.ended_at.max(process.started_at).is_some_and(|at| at > served)
    };
    let mut servers = desired.pool(pool).servers.iter();
    ended(ProcessId::Proxy(pool)) || servers.any(|s| ended(ProcessId::Server(s.name.clone())))
}

/// The verdict where a HAProxy decides it: whatever stands behind one that serves nobody.
fn of_proxies(proxies: &[ProxyView], doors: &Doors, now: Millis) -> Option<Remark> {
    for proxy in proxies {
        if let Some(verdict) = at_the_door(proxy) {
            return Some(verdict);
        }
        if proxy.status.light == Light::Unknown || proxy.status.state == State::Frozen {
            let seconds = proxy.seen_at.map_or(0, |at| now.saturating_sub(at) / 1_000);
            let reason = text!("verdict-blind-reason", proxy = Thing::Proxy(proxy.name), seconds = seconds);
            return Some(Remark::new(Light::Unknown, text!("verdict-blind"), reason));
        }
    }
    let lost = |p: &&ProxyView| match p.status.light {
        Light::Critical => true,
        Light::Progress => doors.fallen.contains(&p.name),
        _ => false,
    };
    let proxy = proxies.iter().find(lost)?;
    let reason = text!("verdict-proxy-down", proxy = Thing::Proxy(proxy.name));
    Some(Remark::new(Light::Critical, text!("verdict-critical"), reason))
}

/// One sentence about the whole: what visitors get now, and how close it is to failing.
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
    let starting = servers.iter().any(|s| s.status.light == Light::Progress)
        || proxies.iter().any(|p| p.status.light == Light::Progress);
    let drains = |s: &ServerView| !s.wanted && s.status.state == State::Draining;
    let wished = |s: &ServerView| s.status.light == Light::Maintenance || drains(s);
    let set_aside = web_all > 0 && web == 0 && of(PoolId::Web).all(wished);
    if web_all > 0 && web == 0 && !set_aside {
        return if starting && !fallen(PoolId::Web) {
            Remark::new(Light::Progress, text!("verdict-starting"), count)
        } else {
            Remark::new(Light::Critical, text!("verdict-critical"), text!("verdict-no-web"))
        };
    }
    let writer = of(PoolId::Db).find(|s| s.role == Some(Role::Writer));
    if let Some(writer) = writer {
        match writer.status.light {
            Light::Critical | Light::Maintenance if !writer.status.state.writes() => {
                let reason = text!("verdict-no-writer", name = &writer.name);
                return Remark::new(Light::Critical, text!("verdict-no-database"), reason);
            }
            Light::Progress if !writer.status.serves() && fallen(PoolId::Db) => {
                let reason = text!("verdict-writer-coming", name = &writer.name);
                return Remark::new(Light::Critical, text!("verdict-no-database"), reason);
            }
            Light::Progress if !writer.status.serves() => {
                return Remark::new(Light::Progress, text!("verdict-starting"), count);
            }
            _ => {}
        }
    }
    // After the databases: what a person took out explains nothing that fails there.
    if set_aside {
        let reason = text!("verdict-set-aside-reason");
        return Remark::new(Light::Maintenance, text!("verdict-set-aside"), reason);
    }
    if doors.waiting || proxies.iter().any(|p| p.status.light == Light::Progress) {
        return Remark::new(Light::Progress, text!("verdict-starting"), count);
    }
    let stale = servers.iter().any(|s| s.status.light == Light::Unknown);
    // One that only suffers from another one is not the one to name.
    let stopped = |s: &&ServerView| s.pool == PoolId::Db && s.power == Power::Off;
    let explained = explained(proxies, servers);
    let blamed =
        |s: &&ServerView| explained.values().any(|culprit| *culprit == Culprit::Server(s.name.clone()));
    let risk = servers
        .iter()
        .filter(|s| match s.status.light {
            Light::Critical | Light::Unknown | Light::Warning => {
                !matches!(explained.get(&s.name), Some(Culprit::Server(_)))
            }
            _ => stopped(s) || blamed(s),
        })
        .map(|s| &s.name)
        .collect::<Vec<_>>();
    if stale || !risk.is_empty() {
        let reason = text!(
            "verdict-risk-reason",
            count = risk.len(),
            names = Arg::few(risk.iter().copied()),
            web = web,
            webs = web_all,
            db = db,
            dbs = db_all
        );
        return Remark::new(Light::Warning, text!("verdict-risk"), reason);
    }
    if web_all == 0 {
        return Remark::new(Light::Critical, text!("verdict-critical"), text!("verdict-empty"));
    }
    if let Some(proxy) = proxies.iter().find(|p| p.status.state == State::HalfFrozen) {
        let reason = text!("verdict-half-frozen", proxy = Thing::Proxy(proxy.name));
        return Remark::new(Light::Warning, text!("verdict-risk"), reason);
    }
    let out = |s: &&ServerView| matches!(s.status.light, Light::Maintenance | Light::Progress);
    let alone = db == 1 && of(PoolId::Db).any(away);
    if alone || web == 1 && of(PoolId::Web).any(|s| out(&s)) {
        return Remark::new(Light::Warning, text!("verdict-risk"), count);
    }
    Remark::new(Light::Good, well_but_for(servers), count)
}

/// Whether a database that the writer had beside it is only on its way back: nobody could take over from the writer.
pub(crate) fn away(view: &ServerView) -> bool {
    let beside = matches!(view.standing, Some(Standing::Member | Standing::Returning { .. }));
    beside && view.status.light == Light::Progress && !view.status.serves()
}

/// "All good", with the servers that are not all there: set aside, draining, or on their way.
fn well_but_for(servers: &[ServerView]) -> Text {
    let drains = |s: &ServerView| s.status.state == State::Draining;
    let names = |fits: &dyn Fn(&ServerView) -> bool| {
        servers.iter().filter(|s| fits(s)).map(|s| &s.name).collect::<Vec<_>>()
    };
    let aside = names(&|s| s.status.light == Light::Maintenance);
    let draining = names(&|s| s.status.light == Light::Progress && drains(s));
    let coming = names(&|s| s.status.light == Light::Progress && !drains(s));
    match (aside.len(), draining.len(), coming.len()) {
        (0, 0, 0) => text!("verdict-good"),
        (0, 0, count) => text!("verdict-good-coming", names = fitting(&coming), count = count),
        (0, count, _) => text!("verdict-good-draining", names = fitting(&draining), count = count),
        (count, ..) => text!("verdict-good-aside", names = fitting(&aside), count = count),
    }
}

/// Names, as long as they fit into a title: without those that do not, a number of all of them is shorter.
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

    fn said(own: &Own, light: Light) -> (Light, String, String) {
        let verdict = despite(own, Remark::new(light, text!("verdict-good"), text!("verdict-empty")));
        let reason = verdict.reason.expect("a reason");
        (verdict.light, verdict.word.key.to_string(), reason.sentence().key.to_string())
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
        for light in [Light::Good, Light::Critical, Light::Unknown] {
            let wanted = (Light::Unknown, "verdict-blind".to_owned(), "verdict-own-blind".to_owned());
            assert_eq!(said(&own, light), wanted);
        }
    }

    #[test]
    fn a_state_that_is_not_whole_is_never_good() {
        let lost = Lost { folder: "/var/lib/cordee".to_owned(), names: "secrets.json".to_owned() };
        let mut own = Own { lost: Some(lost), ..Own::default() };
        let wanted = (Light::Warning, "verdict-risk".to_owned(), "own-lost".to_owned());
        assert_eq!(said(&own, Light::Good), wanted);
        own.room = Some(Room { folder: "/var/lib/cordee".to_owned(), free: 200 << 20 });
        assert_eq!(said(&own, Light::Good), wanted, "a nearly full disk says nothing worse");
    }

    #[test]
    fn a_full_disk_is_said_as_such_and_never_as_good() {
        let room = |free| Some(Room { folder: "/var/lib/cordee".to_owned(), free });
        let enough = Own { room: room(1 << 30), ..Own::default() };
        assert_eq!(said(&enough, Light::Good).0, Light::Good);
        for (free, key) in [(200 << 20, "own-disk-short"), (3 << 10, "own-disk-full")] {
            let own = Own { room: room(free), ..Own::default() };
            assert_eq!(said(&own, Light::Good), (Light::Warning, "verdict-risk".to_owned(), key.to_owned()));
            let worse = (Light::Critical, "verdict-good".to_owned(), "verdict-and".to_owned());
            assert_eq!(said(&own, Light::Critical), worse, "what is worse stays, and the cause is added");
        }
        let mut own = Own { unwritable: Some(Fault::ReadOnly(None)), ..Own::default() };
        assert_eq!(said(&own, Light::Good).2, "verdict-unwritable");
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
