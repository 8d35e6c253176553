//! The snapshot of the cluster that the page, the API and the command line show.

use std::collections::{BTreeMap, BTreeSet};

use crate::actions::actions;
use crate::causes::{Cause, Shown, causes};
use crate::db::verify::{OddTables, Report, TableName};
use crate::db::{DatabaseSeen, Thread};
use crate::desired::{Admin, CookieChoice, Database, Desired, Either, Handover, Routing, Server};
use crate::door::{Door, Finding, finding};
use crate::figures::DATABASE_STALE;
use crate::haproxy::setting::Setting;
use crate::haproxy::{config, stats};
use crate::ids::{Millis, PoolId, ProcessId, ServerName};
use crate::observed::{CopySeen, Gap, Observed, STALE};
use crate::plan::leaving;
use crate::plan::{Peers, bounded, places_among, unproven};
use crate::scene::Scene;
use crate::sessions::Mode;
use crate::state::{Remark, Severity, State, Status};
use crate::status::{self, check_reason};
use crate::text;
use crate::text::Text;

mod verdict;
mod views;

use verdict::{Doors, despite, verdict};
pub(crate) use views::away;
pub use views::{ChannelView, ComparisonView, LastCheck, LeftOut, ProxyView, Role, ServerView};

/// Everything that is shown, at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The revision of the desired state.
    pub revision: u64,
    /// When the snapshot was made.
    pub at: Millis,
    /// The verdict: one sentence about the whole cluster.
    pub verdict: Remark,
    /// The causes of a verdict that is not good, with their remedies; mostly empty if the verdict is good.
    pub causes: Vec<Cause>,
    /// Which databases take writes.
    pub routing: Routing,
    /// Where the visitors' sessions are kept.
    pub session: Mode,
    /// Grows each time another database becomes the writer.
    pub epoch: u64,
    /// The change of writer that is under way.
    pub handover: Option<Handover>,
    /// How long no database took writes during the last change of writer.
    pub gap: Option<Gap>,
    /// The obstacle in the writer's tables to letting all databases take writes, if there is one.
    pub sequences: Option<Text>,
    /// How many of the writer's tables have a unique key besides the primary one, if that is known.
    pub unique: Option<u64>,
    /// The two proxies.
    pub proxies: Vec<ProxyView>,
    /// The servers, web servers first, in the order in which they were added.
    pub servers: Vec<ServerView>,
}

impl Snapshot {
    /// Returns the snapshot with the present wish, which may be newer than the snapshot: a server that was added since
    /// is shown as on its way.
    #[must_use]
    pub fn as_wished(mut self, desired: &Desired) -> Self {
        let wished: BTreeMap<_, _> = desired.servers().map(|s| ((s.pool(), &s.name), s)).collect();
        for view in &mut self.servers {
            view.wanted = wished.get(&(view.pool, &view.name)).is_some_and(|s| s.wanted());
        }
        let known: BTreeSet<_> = self.servers.iter().map(|v| (v.pool, &v.name)).collect();
        let added: Vec<_> = desired.servers().filter(|s| !known.contains(&(s.pool(), &s.name))).collect();
        if added.is_empty() {
            return self;
        }
        let nothing = Observed::default();
        let (scene, peers) = (Scene::new(desired, &nothing, self.at), Peers::of(desired, &nothing));
        for added in added {
            let mut view = server(scene, &peers, added);
            view.status = Status::new(Severity::Progress, State::Joining, text!("reason-first-check"));
            self.servers.push(view);
        }
        self
    }
}

/// Makes a snapshot.
pub fn snapshot(scene: Scene<'_>, setting: &Setting) -> Snapshot {
    let Scene { desired, observed, now } = scene;
    let peers = &Peers::of(desired, observed);
    let proxies: Vec<ProxyView> = PoolId::ALL.iter().map(|p| proxy(scene, peers, setting, *p)).collect();
    let servers: Vec<ServerView> = desired.servers().map(|s| server(scene, peers, s)).collect();
    let waits = |door: &Door| finding(scene, *door) == Finding::Waiting;
    let waiting = Door::ALL.into_iter().find(waits).map(Door::proxy);
    let doors = Doors::of(desired, observed, waiting);
    let verdict = despite(&observed.own, verdict(&proxies, &servers, &doors, now));
    let causes = causes(&Shown {
        verdict: &verdict,
        proxies: &proxies,
        servers: &servers,
        handover: desired.handover.as_ref(),
        own: &observed.own,
        waiting,
    });
    Snapshot {
        revision: desired.revision,
        at: now,
        verdict,
        causes,
        routing: desired.routing,
        session: desired.session,
        epoch: desired.epoch,
        handover: desired.handover.clone(),
        gap: observed.gap,
        sequences: observed.tables.value().and_then(OddTables::sequence_words),
        unique: observed.tables.value().map(|tables| tables.unique),
        proxies,
        servers,
    }
}

fn proxy(scene: Scene<'_>, peers: &Peers<'_>, setting: &Setting, id: PoolId) -> ProxyView {
    let Scene { desired, observed, now } = scene;
    let seen = observed.proxy(id);
    let running = seen.running.fresh(now, STALE);
    let want = config::render(desired, id, setting, &places_among(scene, peers, id));
    let settled = seen.file.as_deref() == Some(want.text.as_str())
        && running.is_some_and(|r| r.shape.as_ref() == Some(&want.shape) && same_servers(desired, id, r))
        && running.is_some_and(|r| !unproven(seen, id, r) && !bounded(r))
        && (id == PoolId::Db || running.is_some_and(|r| r.mode == Some(desired.session)));
    ProxyView {
        name: id,
        listen: desired.pool(id).listen.to_string(),
        status: status::proxy(scene, id),
        rate: running.map_or(0, |r| r.rate).saturating_sub(own_questions(observed, id, now)),
        sessions: running.map_or(0, |r| r.sessions),
        requests: running.map_or(0, |r| r.requests),
        unsent: running.map_or(0, |r| r.unsent),
        pid: observed.process(&ProcessId::Proxy(id)).leader.as_ref().map(|l| l.pid),
        worker_pid: running.map(|r| r.pid),
        version: running.map(|r| r.version.clone()),
        seen_at: seen.running.last(),
        settled,
    }
}

/// Returns how many of the last second's requests or connections came from Cordée's own probes.
fn own_questions(observed: &Observed, id: PoolId, now: Millis) -> u64 {
    let asked =
        |door: &&Door| observed.doors.get(door).is_some_and(|seen| now.saturating_sub(seen.asked) <= 1_000);
    Door::ALL.iter().filter(|door| door.proxy() == id).filter(asked).map(|_| 1).sum()
}

fn same_servers(desired: &Desired, id: PoolId, running: &stats::Running) -> bool {
    let wished = desired.pool(id).by_name();
    running.servers.iter().all(|(name, s)| wished.get(name).is_some_and(|w| w.id == s.id))
}

fn server(scene: Scene<'_>, peers: &Peers<'_>, server: &Server) -> ServerView {
    let Scene { desired, observed, now } = scene;
    let process = observed.process(&server.process());
    let kind = server.either();
    let (web, base) = (server.as_web(), server.as_database());
    let seen = observed.proxy(server.pool());
    let answers = seen.running.fresh(now, STALE);
    let running = answers.and_then(|r| r.servers.get(&server.name));
    let database = observed.databases.get(&server.name);
    let status = match kind {
        Either::Web(web) => status::web(scene, peers, web),
        Either::Database(database) => status::database(scene, database),
    };
    let last_check = match kind {
        Either::Web(_) => LastCheck {
            at: seen.running.last().filter(|_| {
                let there = |r: &stats::Running| r.servers.contains_key(&server.name);
                running.is_some() || seen.running.value().is_none_or(there)
            }),
            result: running.map(|r| check_reason(&r.check)),
            duration_ms: running.and_then(|r| r.check.duration_ms),
        },
        Either::Database(_) => LastCheck {
            at: database.and_then(crate::seen::Seen::last),
            result: Some(status.why()),
            duration_ms: database.and_then(|d| d.value()).map(|d| d.duration_ms),
        },
    };
    let cookie = web.map(|web| match web.cookie {
        CookieChoice::Chosen(cookie) => cookie.as_str().to_owned(),
        CookieChoice::Automatic => running.map(|r| r.cookie.clone()).unwrap_or_default(),
    });
    ServerView {
        pool: server.pool(),
        name: server.name.clone(),
        address: server.host.to_string(),
        port: server.port,
        cookie: cookie.filter(|c| !c.is_empty()),
        cookie_chosen: web.is_some_and(|web| matches!(web.cookie, CookieChoice::Chosen(_))),
        wanted: server.wanted(),
        role: base.map(|base| if desired.is_writer(&base.name) { Role::Writer } else { Role::Standby }),
        runtime: server.runtime.word(),
        power: server.runtime.power(),
        sessions: match (kind, database.and_then(|d| d.value())) {
            (Either::Database(_), Some(d)) => u64::from(d.connections),
            (Either::Database(_), None) | (Either::Web(_), _) => running.map_or(0, |r| r.sessions),
        },
        total: running.map_or(0, |r| r.total),
        last_check,
        pid: process.leader.as_ref().map(|l| l.pid),
        version: match kind {
            Either::Web(_) => server.is_ours().then(|| "Apache · PHP 8.2".to_owned()),
            Either::Database(_) => database.and_then(|d| d.value()).map(|d| d.version.clone()),
        },
        channels: base.map(|base| channels(scene, base)).unwrap_or_default(),
        semi_sync: database
            .and_then(|d| d.value())
            .filter(|_| desired.is_writer(&server.name))
            .map(DatabaseSeen::promises),
        membership: base.map(|base| base.membership.clone()),
        progress: observed.copies.get(&server.name).map(CopySeen::percent),
        comparison: base.filter(|base| !desired.is_writer(&base.name)).map(|base| comparison(observed, base)),
        in_proxy: answers.map(|_| match running.filter(|r| r.id == server.id) {
            None => Admin::Maintenance,
            Some(r) if r.maintenance || r.writer_maintenance => Admin::Maintenance,
            Some(r) if r.drain => Admin::Drain,
            Some(_) => Admin::Ready,
        }),
        outdated: process.leader.as_ref().is_some_and(|l| server.outdates(l.server, l.generation)),
        leave: web.and_then(|web| leaving::leave(web, observed)),
        waits: web.and_then(|web| status::waits_for(scene, peers, web)),
        attached: web
            .zip(running)
            .filter(|_| desired.session == Mode::Proxy)
            .and_then(|(web, there)| status::held(observed, web, &there.cookie)),
        asked: desired.asked(server).cloned(),
        actions: actions(desired, server, &status),
        status,
    }
}

fn channels(scene: Scene<'_>, server: Database<'_>) -> BTreeMap<ServerName, ChannelView> {
    let Scene { desired, observed, now } = scene;
    let Some(database) = observed.databases.get(&server.name).and_then(|d| d.fresh(now, DATABASE_STALE))
    else {
        return BTreeMap::new();
    };
    let answers = |server: Database<'_>| status::answers(observed, server, now);
    let both_answer = |from: &ServerName| answers(server) && desired.database(from).is_some_and(&answers);
    let being_started =
        |from| desired.database(from).is_some_and(|from| status::linking(observed, server, from, now));
    database
        .channels
        .iter()
        .filter(|(name, _)| desired.database(name).is_some())
        .map(|(name, channel)| {
            let runs = channel.receiving == Thread::Running && channel.applying;
            // A delay that was measured before one of the two ends stopped answering says nothing about now.
            let known = both_answer(name);
            let severity = match (channel.receiving, channel.applying, channel.delay_ms) {
                (Thread::Running, true, _) if !known => Severity::Unknown,
                (Thread::Running, true, None) => Severity::Progress,
                (Thread::Running, true, Some(ms)) if ms > status::LAG_LIMIT => Severity::Warning,
                (Thread::Running, true, Some(_)) => Severity::Good,
                _ if channel.error == 0 && being_started(name) => Severity::Progress,
                (Thread::Connecting, true, _) => Severity::Warning,
                _ => Severity::Critical,
            };
            let delay_ms = channel.delay_ms.filter(|_| runs && known);
            (name.clone(), ChannelView { severity, delay_ms, error: channel.error })
        })
        .collect()
}

/// The maximum number of incomparable tables that a snapshot names.
const LEFT_OUT: usize = 20;

fn left_out((table, why): (&TableName, &Text)) -> LeftOut {
    LeftOut { table: table.to_string(), why: why.clone() }
}

fn comparison(observed: &Observed, server: Database<'_>) -> ComparisonView {
    let seen = observed.comparison(server);
    let report = seen.and_then(|c| c.of(server.id));
    ComparisonView {
        wanted: seen.is_some_and(|c| c.wanted),
        repair: seen.is_some_and(|c| c.repair.is_some()),
        running: seen.and_then(|c| c.running),
        at: report.map(|r| r.at_end),
        failed: seen.and_then(|c| c.failed.clone()),
        tables: report.map_or(0, |r| r.tables.len()),
        rows: report.map_or(0, |r| r.rows),
        different: report.map_or(0, Report::different),
        unproven: report.map_or(0, Report::unproven),
        left_out: report.into_iter().flat_map(Report::left_out).take(LEFT_OUT).map(left_out).collect(),
    }
}
