//! Who listens on the ports of the servers that Cordée starts: the process that it started, nobody, or somebody else.
//!
//! What is read for it anybody here can make long, so it is read beside the engine, and within bounds.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cordee_domain::desired::{Desired, Server};
use cordee_domain::ids::{Millis, ProcessId};
use cordee_domain::observed::{Observed, Port};
use cordee_domain::plan;
use cordee_domain::scene::Scene;
use cordee_domain::step::Subject;
use cordee_node::clock::now;
use cordee_node::net::{self, Holder};
use cordee_node::ports::{Found, Held, PortCheck, Question, look};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::{Engine, PROXY_HASTE, Sight};

/// Between two searches for the name of whoever holds one port: all processes are gone through.
const NAME_PAUSE: Duration = Duration::from_secs(10);

/// Between two looks while each port is with the process that is to have it: for another one to have it, that one would
/// have to let go of it first.
const QUIET: Duration = Duration::from_millis(cordee_domain::figures::PORTS_LOOK);

/// Milliseconds after its start within which a process is looked for in haste.
const HASTE_FOR: Millis = cordee_domain::figures::HASTE_FOR;

/// What is known of the ports, and what is being looked at.
#[derive(Debug, Default)]
pub(super) struct Ports {
    look: Option<AbortHandle>,
    looked: Option<Instant>,
    /// The last look could not be made.
    blind: bool,
    known: BTreeMap<ProcessId, (PortCheck, Held)>,
    naming: Option<AbortHandle>,
    names: BTreeMap<ProcessId, Name>,
}

/// The name of whoever holds a port of ours.
#[derive(Debug)]
struct Name {
    inode: u64,
    asked: Instant,
    called: Option<String>,
}

fn under_way(task: Option<&AbortHandle>) -> bool {
    task.is_some_and(|task| !task.is_finished())
}

impl Engine {
    /// Whether a process has been started that is not yet seen to listen: HAProxy leads to it as soon as it does, and
    /// is not to wait for the next look.
    pub(super) fn listens_soon(&self) -> bool {
        self.observed.processes.iter().any(|(id, seen)| {
            let young = seen.started_at.is_some_and(|at| now().saturating_sub(at) < HASTE_FOR);
            id.server().is_some() && seen.leader.is_some() && seen.port != Port::Ours && young
        })
    }

    /// Looks at all of them when it is time: less often while each is with its own process. For that the kernel goes
    /// through its table of all connections, however few there are.
    pub(super) fn look_at_ports_in_turn(&mut self) {
        let desired = self.parts.board.desired();
        let questions = self.ports.questions(&desired, &self.observed, &self.busy);
        let known = |q: &Question| matches!(q.last, Some(Held::Ours { .. }));
        if !questions.iter().all(known) || self.ports.looked.is_none_or(|at| at.elapsed() >= QUIET) {
            self.look_at_ports(&desired);
        }
    }

    /// Looks at all of them, unless that is being done.
    pub(super) fn look_at_ports(&mut self, desired: &Desired) {
        if under_way(self.ports.look.as_ref()) {
            return;
        }
        self.ports.looked = Some(Instant::now());
        let (questions, blind) =
            (self.ports.questions(desired, &self.observed, &self.busy), self.ports.blind);
        let out = self.out.clone();
        self.ports.look = Some(self.work.spawn_blocking(move || {
            let found = look(questions);
            // What is as it was is no reason to plan anew.
            if blind || found.looked.is_err() || found.held.iter().any(|(q, held)| q.last != Some(*held)) {
                let _ = out.blocking_send(Sight::Ports(found));
            }
        }));
        self.look_for_name();
    }

    /// The same, while one that was started is about to listen.
    pub(super) fn look_at_ports_in_haste(&mut self, desired: &Desired) {
        if self.listens_soon() && self.ports.looked.is_none_or(|at| at.elapsed() >= PROXY_HASTE) {
            self.look_at_ports(desired);
        }
    }

    /// The look before the first plan, which is to know.
    pub(super) fn look_at_ports_first(&mut self) {
        let desired = self.parts.board.desired();
        let found = look(self.ports.questions(&desired, &self.observed, &self.busy));
        self.take_ports(found);
    }

    /// Takes in what a look found.
    pub(super) fn take_ports(&mut self, found: Found) {
        self.ports.blind = found.looked.is_err();
        self.looked_with("ports", found.looked);
        let desired = self.parts.board.desired();
        self.ports.take(&desired, &mut self.observed, &self.busy, found.held);
        self.look_for_name();
    }

    /// Looks for the name of somebody else, one at a time.
    fn look_for_name(&mut self) {
        if under_way(self.ports.naming.as_ref()) {
            return;
        }
        let Some((id, inode)) = self.ports.next_unnamed(Instant::now()) else { return };
        let out = self.out.clone();
        self.ports.naming = Some(self.work.spawn_blocking(move || {
            if let Some(holder) = net::process_with(inode) {
                let _ = out.blocking_send(Sight::Holder { id, inode, holder });
            }
        }));
    }

    /// Takes in a name.
    pub(super) fn take_holder(&mut self, id: &ProcessId, inode: u64, holder: &Holder) {
        self.ports.named(&mut self.observed, id, inode, holder);
    }

    /// The first step that the plan would make, without what comes before the next plan: a look for what a dead process
    /// left, lines in the journal. Each millisecond may bring a visitor to whoever takes its port.
    pub(super) fn cut_off_at_once(&mut self) {
        let desired = self.parts.board.desired();
        for step in plan::cut_off(Scene::new(&desired, &self.observed, now())) {
            self.act_or_put_off(step, &desired);
        }
    }
}

impl Ports {
    /// What is to be looked at: whether its process was started by us or adopted, a moment or a day ago.
    fn questions(&self, desired: &Desired, observed: &Observed, busy: &BTreeSet<Subject>) -> Vec<Question> {
        let of = |server: &Server| {
            let id = server.process();
            let asked = asked(&id, server, observed, busy)?;
            let last = self.known.get(&id).filter(|(before, _)| *before == asked).map(|(_, held)| *held);
            Some(Question { id, asked, last })
        };
        ours(desired).filter_map(of).collect()
    }

    /// Takes in what was found. What was asked before a process came or went says nothing.
    fn take(
        &mut self,
        desired: &Desired,
        observed: &mut Observed,
        busy: &BTreeSet<Subject>,
        found: Vec<(Question, Held)>,
    ) {
        let ours: BTreeMap<ProcessId, &Server> = ours(desired).map(|s| (s.process(), s)).collect();
        for (question, held) in found {
            let Question { id, asked: before, .. } = question;
            let Some(server) = ours.get(&id).copied() else { continue };
            if asked(&id, server, observed, busy).as_ref() != Some(&before) {
                continue;
            }
            let port = match held {
                Held::Unknown => Port::Unknown,
                Held::Free => Port::Free,
                Held::Ours { .. } => Port::Ours,
                Held::Foreign { uid, inode } => Port::Foreign(self.name(&id, uid, inode)),
            };
            if !server.stopped() || port != Port::Free || observed.processes.contains_key(&id) {
                observed.processes.entry(id.clone()).or_default().port = port;
            }
            self.known.insert(id, (before, held));
        }
        self.known.retain(|id, _| ours.contains_key(id));
        self.names.retain(|id, _| self.known.contains_key(id));
    }

    /// Who it is, as far as that is known: whose socket it is stands beside it.
    fn name(&self, id: &ProcessId, uid: u32, inode: u64) -> String {
        let found = self.names.get(id).filter(|n| n.inode == inode).and_then(|n| n.called.clone());
        found.unwrap_or_else(|| Holder::User(uid).to_string())
    }

    /// Whose name is to be looked for now, and by which socket. Who opens a new one again and again is not looked for
    /// the more often.
    fn next_unnamed(&mut self, now: Instant) -> Option<(ProcessId, u64)> {
        let nameless = |id: &ProcessId, held: &Held| {
            let Held::Foreign { inode, .. } = *held else { return None };
            let Some(name) = self.names.get(id) else { return Some((None, inode)) };
            let due = now.saturating_duration_since(name.asked) >= NAME_PAUSE;
            let known = name.inode == inode && name.called.is_some();
            (due && !known).then_some((Some(name.asked), inode))
        };
        let waiting = self.known.iter().filter_map(|(id, (_, held))| Some((id, nameless(id, held)?)));
        let (id, (_, inode)) = waiting.min_by_key(|(_, (asked, _))| *asked)?;
        let id = id.clone();
        self.names.insert(id.clone(), Name { inode, asked: now, called: None });
        Some((id, inode))
    }

    /// Takes in a name.
    fn named(&mut self, observed: &mut Observed, id: &ProcessId, inode: u64, holder: &Holder) {
        let Some(name) = self.names.get_mut(id).filter(|n| n.inode == inode) else { return };
        name.called = Some(holder.to_string());
        let holds = matches!(self.known.get(id), Some((_, Held::Foreign { inode: i, .. })) if *i == inode);
        if let Some(Port::Foreign(shown)) = observed.processes.get_mut(id).map(|p| &mut p.port)
            && holds
        {
            *shown = holder.to_string();
        }
    }
}

/// The servers that Cordée starts. Nobody else's port is looked at, however many there are.
fn ours(desired: &Desired) -> impl Iterator<Item = &Server> {
    desired.servers().filter(|s| s.is_ours())
}

/// What a look at that server's port is about now, `id` being its process; nothing when it is not ours to judge.
fn asked(
    id: &ProcessId,
    server: &Server,
    observed: &Observed,
    busy: &BTreeSet<Subject>,
) -> Option<PortCheck> {
    // One that is being started may listen before it is known whose it is.
    if busy.contains(&Subject::Process(id.name())) {
        return None;
    }
    // While one of the other kind still ends by its name, whoever listens may be that one: it is no stranger, and says
    // nothing about this server, which is not started before.
    if observed.former_bearer(server).is_some() {
        return None;
    }
    let seen = observed.process(id);
    let pids = seen.leader.iter().map(|l| l.pid).chain(seen.orphans.iter().copied()).collect();
    let (started_at, ended_at) = (seen.started_at, seen.ended_at);
    Some(PortCheck { server: server.id, port: server.port, pids, started_at, ended_at })
}

#[cfg(test)]
mod tests;
