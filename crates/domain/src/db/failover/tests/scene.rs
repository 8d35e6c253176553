//! A cluster in which all is well, and methods for what may happen to it.

use std::collections::{BTreeMap, BTreeSet};

use crate::db::failover::{Decision, decide};
use crate::db::promise::Promise;
use crate::db::{Channel, DatabaseSeen, Position, Thread};
use crate::desired::{Desired, Handover, Membership, Power, Routing, Run};
use crate::fault::Fault;
use crate::haproxy::stats::{Check, CheckState, Limits, Running, RunningServer};
use crate::ids::{Millis, PoolId, ProcessId, ServerName};
use crate::observed::{Leader, Observed, ProcessSeen, ProxySeen};
use crate::plan::tests::first;
use crate::seen::Seen;
use crate::text::{Arg, Text, Thing};

pub(crate) const NOW: Millis = 1_000_000;

/// One line of a table: the situation, how to construct it, and the decision (see [`said`]).
pub(super) type Row = (&'static str, fn(Scene) -> Scene, &'static str);

/// A circumstance, by name.
pub(crate) type Turn = (&'static str, fn(Scene) -> Scene);

/// A situation at [`NOW`]. Every `ago` is in milliseconds before that time.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    pub(crate) desired: Desired,
    pub(crate) seen: Observed,
    pub(crate) now: Millis,
    /// When the writer was lost.
    pub(crate) lost_at: Millis,
}

pub(crate) fn name(text: &str) -> ServerName {
    ServerName::parse(text).expect("a name")
}

fn process(text: &str) -> ProcessId {
    ProcessId::Database(name(text))
}

fn upto(number: u64) -> Position {
    Position(BTreeMap::from([(1, number)]))
}

/// db1 writes; `standbys` others (db2, db3, …) replicate and send ACKs. Each holds ten transactions of db1's.
pub(crate) fn cluster(standbys: u32) -> Scene {
    let mut desired = first();
    for number in 3..=standbys + 1 {
        let mut more = desired.db.servers[1].clone();
        (more.id, more.name, more.port) = (number + 2, name(&format!("db{number}")), 8_680);
        more.database_mut().expect("a database").slot = u8::try_from(number).expect("a slot");
        desired.db.servers.push(more);
    }
    let mut seen = Observed::default();
    let names: Vec<ServerName> = desired.db.servers.iter().map(|s| s.name.clone()).collect();
    for server in &desired.db.servers {
        let writer = server.name == names[0];
        let channel = Channel {
            receiving: Thread::Running,
            applying: true,
            received: upto(if writer { 0 } else { 10 }),
            heard_at: Some(NOW - 100),
            delay_ms: Some(1),
            ..Channel::default()
        };
        let channels = names.iter().filter(|n| **n != server.name).map(|n| (n.clone(), channel.clone()));
        let database = DatabaseSeen {
            server_id: server.id,
            read_only: !writer,
            written: upto(10),
            applied: upto(if writer { 0 } else { 10 }),
            channels: channels.collect(),
            semi_sync: writer,
            in_force: writer,
            acknowledging: if writer { standbys } else { 0 },
            schema: true,
            ..DatabaseSeen::default()
        };
        seen.see_database(&server.name, NOW - 100, Ok(database));
        let leader = Leader { pid: 100 + server.id, server: server.id, generation: 0, frozen: false };
        let running = ProcessSeen { leader: Some(leader), started_at: Some(1), ..ProcessSeen::default() };
        seen.processes.insert(server.process(), running);
        seen.initialised.insert(server.name.clone(), server.id);
    }
    let leader = Leader { pid: 50, server: 0, generation: 0, frozen: false };
    let proxy = ProcessSeen { leader: Some(leader), ..ProcessSeen::default() };
    seen.processes.insert(ProcessId::Proxy(PoolId::Db), proxy);
    let servers = desired.db.servers.iter().map(|s| (s.name.clone(), listed(s.id, s.name != names[0])));
    let running = Running {
        pid: 50,
        shape: None,
        version: String::new(),
        uptime_s: 1,
        rate: 0,
        sessions: 0,
        mode: None,
        requests: 0,
        unsent: 0,
        frontends: BTreeMap::new(),
        limits: Limits::default(),
        waits: true,
        servers: servers.collect(),
    };
    let running = Seen::At(NOW - 100, running);
    seen.proxies.insert(PoolId::Db, ProxySeen { running, ..ProxySeen::default() });
    seen.promise = Some(Promise {
        epoch: desired.epoch,
        at: NOW - 100,
        min_seqno: 10,
        standbys: names[1..].iter().cloned().collect(),
    });
    Scene { desired, seen, now: NOW, lost_at: NOW }
}

pub(crate) fn listed(id: u32, out: bool) -> RunningServer {
    RunningServer {
        id,
        ip: None,
        port: 0,
        maintenance: out,
        writer_maintenance: out,
        drain: false,
        weight: 100,
        most: 0,
        checked: true,
        checked_elsewhere: false,
        verdict: CheckState::Up,
        sessions: 0,
        total: 0,
        cookie: String::new(),
        since_s: 0,
        check: Check::default(),
        uniform: true,
    }
}

/// What happens to the writer.
impl Scene {
    fn each_channel(mut self, alter: impl Fn(&mut Channel)) -> Self {
        for seen in self.seen.databases.values_mut() {
            if let Seen::At(_, seen) = seen
                && let Some(channel) = seen.channels.get_mut(&name("db1"))
            {
                alter(channel);
            }
        }
        self
    }

    fn promise_at(mut self, at: Millis) -> Self {
        if let Some(promise) = &mut self.seen.promise {
            promise.at = at;
        }
        self
    }

    pub(crate) fn writer_process(&mut self) -> &mut ProcessSeen {
        self.seen.processes.entry(process("db1")).or_default()
    }

    fn writer_fails(mut self, last: Option<Millis>, why: Fault) -> Self {
        self.seen.databases.insert(name("db1"), Seen::Failed { last, why });
        self
    }

    /// The writer's process has ended; the standbys try to connect.
    pub(crate) fn dead(mut self, ago: u64) -> Self {
        self.lost_at = self.now - ago;
        let ended = self.lost_at;
        let seen = self.writer_process();
        (seen.leader, seen.ended_at) = (None, Some(ended));
        self.seen.databases.remove(&name("db1"));
        self.seen.open.remove(&name("db1"));
        self.each_channel(|l| l.receiving = Thread::Connecting).promise_at(ended - 300)
    }

    /// The writer's process ended at an unknown time: Cordée was not running.
    pub(crate) fn found_dead(mut self) -> Self {
        self = self.dead(200);
        self.writer_process().ended_at = None;
        self
    }

    /// The writer is stopped by a signal; connections to it stay as they are.
    pub(crate) fn frozen(mut self, ago: u64) -> Self {
        let since = self.now - ago;
        self.lost_at = since;
        let seen = self.writer_process();
        seen.frozen_since = Some(since);
        if let Some(leader) = &mut seen.leader {
            leader.frozen = true;
        }
        self.promise_at(since - 300)
    }

    /// The writer's process was ended 80 ms ago, after it froze or fell silent.
    pub(crate) fn ended(mut self) -> Self {
        let now = self.now;
        let seen = self.writer_process();
        (seen.leader, seen.ended_at) = (None, Some(now - 80));
        self.seen.databases.remove(&name("db1"));
        self.seen.open.remove(&name("db1"));
        self.each_channel(|l| {
            if l.receiving == Thread::Running {
                l.receiving = Thread::Connecting;
            }
        })
    }

    /// Neither Cordée nor a standby hears from the writer.
    pub(crate) fn silent(mut self, ago: u64) -> Self {
        let last = self.now - ago;
        self.lost_at = last;
        self.writer_fails(Some(last), Fault::Silent)
            .each_channel(|l| (l.receiving, l.heard_at) = (Thread::Connecting, Some(last)))
            .promise_at(last)
    }

    /// The writer refuses Cordée's connections: it has too many.
    pub(crate) fn overloaded(self, ago: u64) -> Self {
        let last = self.now - ago;
        self.silent(ago).writer_fails(Some(last), Fault::TooMany)
    }

    /// The writer has not answered since Cordée started.
    pub(crate) fn never_answered(self) -> Self {
        self.silent(60_000).writer_fails(None, Fault::Unreachable(None))
    }

    /// The writer has not been looked at since Cordée started.
    pub(crate) fn not_looked_at(mut self) -> Self {
        self = self.silent(60_000);
        self.seen.databases.insert(name("db1"), Seen::Never);
        self
    }

    /// All databases are external: Cordée does not start them, it only watches them.
    pub(crate) fn external(mut self) -> Self {
        for server in &mut self.desired.db.servers {
            server.runtime = Run::External;
            self.seen.processes.remove(&server.process());
        }
        self
    }

    /// The writer answers, and is closed with that many transactions of its own.
    pub(crate) fn closed(self, written: u64) -> Self {
        self.database("db1", |d| (d.read_only, d.written) = (true, upto(written)))
    }
}

/// The state and the answers of a standby.
impl Scene {
    /// Returns what the decision is based on.
    pub(crate) fn scene(&self) -> crate::scene::Scene<'_> {
        crate::scene::Scene::new(&self.desired, &self.seen, self.now)
    }

    pub(crate) fn database(mut self, on: &str, alter: impl FnOnce(&mut DatabaseSeen)) -> Self {
        let on = name(on);
        if let Some(Seen::At(at, seen)) = self.seen.databases.get(&on) {
            let (at, mut seen) = (*at, seen.clone());
            alter(&mut seen);
            self.seen.see_database(&on, at, Ok(seen));
        }
        self
    }

    /// Changes the standby's channel from the writer.
    pub(crate) fn channel(self, on: &str, alter: impl FnOnce(&mut Channel)) -> Self {
        self.database(on, |d| alter(d.channels.entry(name("db1")).or_default()))
    }

    /// The standby was last looked at then.
    pub(crate) fn looked(mut self, on: &str, ago: u64) -> Self {
        if let Some(Seen::At(at, _)) = self.seen.databases.get_mut(&name(on)) {
            *at = self.now - ago;
        }
        self
    }

    /// The standby was last looked at that long before the loss.
    pub(crate) fn looked_before_the_loss(self, on: &str, by: u64) -> Self {
        let ago = self.now - self.lost_at + by;
        self.looked(on, ago)
    }

    /// The standby no longer receives, and was looked at after that: it received `received`, and applied `holds` of
    /// it.
    pub(crate) fn answered(self, on: &str, received: u64, holds: u64) -> Self {
        self.looked(on, 20).holding(on, holds).channel(on, |l| {
            (l.receiving, l.received) = (Thread::Stopped, upto(received));
        })
    }

    pub(crate) fn holding(self, on: &str, number: u64) -> Self {
        self.database(on, |d| (d.written, d.applied) = (upto(number), upto(number)))
    }

    pub(crate) fn receiving(self, on: &str, thread: Thread) -> Self {
        self.looked(on, 20).channel(on, |l| l.receiving = thread)
    }

    /// The standby tries to connect, and was last looked at then.
    pub(crate) fn connecting(self, on: &str, ago: u64) -> Self {
        self.channel(on, |l| l.receiving = Thread::Connecting).looked(on, ago)
    }

    /// The standby's applying thread stopped at a duplicate key.
    pub(crate) fn broken(self, on: &str) -> Self {
        self.channel(on, |l| (l.applying, l.error) = (false, 1062))
    }

    /// The standby's applying thread was stopped by hand.
    pub(crate) fn idle(self, on: &str) -> Self {
        self.channel(on, |l| l.applying = false)
    }

    /// The standby receives, and last heard from the writer then.
    pub(crate) fn heard(self, on: &str, ago: u64) -> Self {
        let at = self.now - ago;
        self.channel(on, |l| (l.receiving, l.heard_at) = (Thread::Running, Some(at)))
    }

    pub(crate) fn never_heard(self, on: &str) -> Self {
        self.channel(on, |l| (l.receiving, l.heard_at) = (Thread::Running, None))
    }

    /// The standby's process was started then.
    pub(crate) fn started(mut self, on: &str, at: Millis) -> Self {
        self.seen.processes.entry(process(on)).or_default().started_at = Some(at);
        self
    }

    /// The standby's process was started that long after the promise was seen.
    pub(crate) fn started_after_the_promise(self, on: &str, by: u64) -> Self {
        let at = self.seen.promise.as_ref().map_or(0, |p| p.at);
        self.started(on, at + by)
    }

    pub(crate) fn unlinked(self, on: &str) -> Self {
        self.unlinked_from(on, "db1")
    }

    /// The standby has no channel from that database.
    pub(crate) fn unlinked_from(self, on: &str, from: &str) -> Self {
        self.database(on, |d| {
            d.channels.remove(&name(from));
        })
    }

    /// The standby's process is gone, and the look at it with it.
    pub(crate) fn gone(mut self, on: &str) -> Self {
        let seen = self.seen.processes.entry(process(on)).or_default();
        (seen.leader, seen.ended_at) = (None, Some(self.now - 50));
        self.seen.databases.remove(&name(on));
        self.seen.open.remove(&name(on));
        self
    }

    /// The standby has been stopped by a signal since the last look at it.
    pub(crate) fn standby_frozen(mut self, on: &str) -> Self {
        if let Some(leader) = self.seen.processes.entry(process(on)).or_default().leader.as_mut() {
            leader.frozen = true;
        }
        self
    }

    fn fails(mut self, on: &str, why: Fault) -> Self {
        let last = Some(self.now - 500);
        self.seen.databases.insert(name(on), Seen::Failed { last, why });
        self
    }

    pub(crate) fn unanswered(self, on: &str) -> Self {
        self.fails(on, Fault::Silent)
    }

    pub(crate) fn standby_full(self, on: &str) -> Self {
        self.fails(on, Fault::TooMany)
    }

    pub(crate) fn never_seen(mut self, on: &str) -> Self {
        self.seen.databases.insert(name(on), Seen::Never);
        self
    }

    pub(crate) fn wished(mut self, on: &str, alter: impl FnOnce(&mut crate::desired::Server)) -> Self {
        if let Some(server) = self.desired.db.servers.iter_mut().find(|s| s.name == name(on)) {
            alter(server);
        }
        self
    }

    pub(crate) fn off(self, on: &str) -> Self {
        self.wished(on, |s| s.powered(Power::Off))
    }

    pub(crate) fn returning(self, on: &str) -> Self {
        self.wished(on, |s| s.stands(Membership::Returning { limit: 5, saved: None }))
    }

    pub(crate) fn diverged(self, on: &str) -> Self {
        self.wished(on, |s| {
            s.stands(Membership::Diverged(crate::desired::Saved { count: 1, file: "lost/x".to_owned() }));
        })
    }
}

/// The promise, the desired state and HAProxy.
impl Scene {
    pub(crate) fn unpromised(mut self) -> Self {
        self.seen.promise = None;
        self
    }

    /// The promise was last seen that long before the loss.
    pub(crate) fn promised_before(self, by: u64) -> Self {
        let at = self.lost_at - by;
        self.promise_at(at)
    }

    pub(crate) fn min_seqno(mut self, min_seqno: u64) -> Self {
        self.seen.promise.iter_mut().for_each(|p| p.min_seqno = min_seqno);
        self
    }

    pub(crate) fn promised_in(mut self, epoch: u64) -> Self {
        self.seen.promise.iter_mut().for_each(|p| p.epoch = epoch);
        self
    }

    pub(crate) fn promised_by(mut self, standbys: &[&str]) -> Self {
        let standbys: BTreeSet<ServerName> = standbys.iter().map(|s| name(s)).collect();
        self.seen.promise.iter_mut().for_each(|p| p.standbys.clone_from(&standbys));
        self
    }

    fn handover(mut self, to: &str, ago: u64, accept_loss: bool) -> Self {
        self.desired.handover = Some(Handover { to: name(to), at: self.now - ago, accept_loss });
        self
    }

    pub(crate) fn promoting(self, to: &str, ago: u64) -> Self {
        self.handover(to, ago, false)
    }

    pub(crate) fn promoting_at_any_price(self, to: &str, ago: u64) -> Self {
        self.handover(to, ago, true)
    }

    /// The standby was last looked at that long before the promotion was asked for.
    pub(crate) fn looked_at_the_wish(self, on: &str, by: u64) -> Self {
        let ago = self.desired.handover.as_ref().map_or(0, |h| self.now - h.at) + by;
        self.looked(on, ago)
    }

    pub(crate) fn all_writers(mut self) -> Self {
        self.desired.routing = Routing::AllWriters;
        self
    }

    pub(crate) fn proxy(mut self, alter: impl FnOnce(&mut ProxySeen)) -> Self {
        alter(self.seen.proxies.entry(PoolId::Db).or_default());
        self
    }

    /// The writer's maintenance in HAProxy, behind the address that follows the routing and behind the one writer's
    /// address.
    pub(crate) fn maintenance(self, db: bool, writer: bool) -> Self {
        self.proxy(|p| {
            if let Seen::At(_, running) = &mut p.running
                && let Some(server) = running.servers.get_mut(&name("db1"))
            {
                (server.maintenance, server.writer_maintenance) = (db, writer);
            }
        })
    }

    pub(crate) fn out_of_service(self) -> Self {
        self.maintenance(true, true)
    }

    pub(crate) fn proxy_looked(self, ago: u64) -> Self {
        let at = self.now - ago;
        self.proxy(|p| {
            if let Seen::At(seen_at, _) = &mut p.running {
                *seen_at = at;
            }
        })
    }

    pub(crate) fn proxy_gone(mut self) -> Self {
        self.seen.processes.entry(ProcessId::Proxy(PoolId::Db)).or_default().leader = None;
        self.proxy(|p| p.running = Seen::Never)
    }

    pub(crate) fn decide(&self) -> Decision {
        decide(self.scene())
    }

    pub(crate) fn said(&self) -> String {
        said(&self.decide())
    }
}

/// Returns a decision in a few words, with the key of its sentence.
pub(crate) fn said(decision: &Decision) -> String {
    let names = |all: &[ServerName]| all.iter().map(ServerName::as_str).collect::<Vec<_>>().join(" ");
    match decision {
        Decision::Keep => "keep".to_owned(),
        Decision::Fence { pid } => format!("fence {pid}"),
        Decision::Restart(why) => format!("restart: {}", why.key),
        Decision::Prepare { stop, waiting } => format!("stop [{}]: {}", names(stop), waiting.key),
        Decision::Close => "close".to_owned(),
        Decision::Elect { to, limit: Some(limit) } => format!("elect {to} at {limit}"),
        Decision::Elect { to, limit: None } => format!("elect {to}"),
        Decision::Abandon(why) => format!("abandon: {}", why.key),
        Decision::Wait(why) => format!("wait: {}", why.key),
    }
}

/// Returns the sentence that a person reads.
pub(crate) fn sentence(decision: &Decision) -> Option<&Text> {
    match decision {
        Decision::Restart(text) | Decision::Wait(text) | Decision::Abandon(text) => Some(text),
        Decision::Prepare { waiting, .. } => Some(waiting),
        Decision::Keep | Decision::Fence { .. } | Decision::Close | Decision::Elect { .. } => None,
    }
}

const LANGUAGES: [(&str, &str); 2] = [
    ("en", include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../server/locales/en/databases.ftl"))),
    ("fr", include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../server/locales/fr/databases.ftl"))),
];

/// Returns the message of that key, with its continuation lines.
fn message(file: &str, key: &str) -> Option<String> {
    let mut lines = file.lines().skip_while(|l| l.split_once(" = ").is_none_or(|(k, _)| k != key));
    let first = lines.next()?;
    let more = lines.take_while(|l| l.starts_with([' ', '}']));
    Some(std::iter::once(first).chain(more).collect::<Vec<_>>().join("\n"))
}

/// Checks that a refusal is exactly one sentence, which each language has, and which lacks no argument.
pub(crate) fn speaks(decision: &Decision) {
    let Some(text) = sentence(decision) else { return };
    for (language, file) in LANGUAGES {
        let Some(message) = message(file, &text.key) else {
            panic!("{language} has no sentence {}", text.key)
        };
        for asked in message.split("{ $").skip(1) {
            let argument = asked.split([' ', '}']).next().unwrap_or_default();
            assert!(text.args.contains_key(argument), "{}: {argument} is missing", text.key);
        }
    }
    assert!(text.args.values().all(|a| !matches!(a, Arg::Message(_))), "{}: two sentences", text.key);
}

/// Returns the number in a sentence.
pub(crate) fn count(decision: &Decision) -> Option<i64> {
    match sentence(decision)?.args.get("count")? {
        Arg::Number(number) => Some(*number),
        _ => None,
    }
}

/// Returns the server that a sentence names.
pub(crate) fn named(decision: &Decision) -> Option<String> {
    match sentence(decision)?.args.get("name")? {
        Arg::Thing(Thing::Server(name)) => Some(name.to_string()),
        _ => None,
    }
}

/// Judges every case, and reports all whose decision differs.
pub(super) fn judge(cases: impl IntoIterator<Item = (String, Scene, String)>) -> usize {
    let mut wrong = Vec::new();
    let mut titles = BTreeSet::new();
    let mut number = 0;
    for (title, scene, wanted) in cases {
        number += 1;
        assert!(titles.insert(title.clone()), "twice: {title}");
        let decision = scene.decide();
        speaks(&decision);
        let came = said(&decision);
        if came != wanted {
            wrong.push(format!("{title}\n    wanted {wanted}\n    came   {came}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {number} cases:\n{}", wrong.len(), wrong.join("\n"));
    number
}
