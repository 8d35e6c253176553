//! Who listens on the ports of the servers that Cordée starts: the process that it started, nobody, or another
//! program.
//!
//! Any user of this machine can make the tables that are read here long, so they are read outside the engine's
//! task, and within bounds.

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

/// Time between two searches for the name of the program that holds one port: a search goes through all processes.
const NAME_PAUSE: Duration = Duration::from_secs(10);

/// Time between two looks while each port is held by the right process: another program could take the port only
/// after that process let go of it.
const QUIET: Duration = Duration::from_millis(cordee_domain::figures::PORTS_LOOK);

/// A process younger than this (in milliseconds) is looked for in haste.
const HASTE_FOR: Millis = cordee_domain::figures::HASTE_FOR;

/// What is known of the ports, and which looks are under way.
#[derive(Debug, Default)]
pub(super) struct Ports {
    look: Option<AbortHandle>,
    looked: Option<Instant>,
    /// The last look failed.
    blind: bool,
    known: BTreeMap<ProcessId, (PortCheck, Held)>,
    naming: Option<AbortHandle>,
    names: BTreeMap<ProcessId, Name>,
}

/// The name of the program that holds a port of ours.
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
    /// Reports whether a process was started that is not yet seen to listen: HAProxy leads to it as soon as it
    /// listens, and should not wait for the next regular look.
    pub(super) fn listens_soon(&self) -> bool {
        self.observed.processes.iter().any(|(id, seen)| {
            let young = seen.started_at.is_some_and(|at| now().saturating_sub(at) < HASTE_FOR);
            id.server().is_some() && seen.leader.is_some() && seen.port != Port::Ours && young
        })
    }

    /// Looks at all ports when it is time, less often while each is held by its own process. For a look the kernel
    /// goes through its table of all connections, however few ports there are.
    pub(super) fn look_at_ports_in_turn(&mut self) {
        let desired = self.parts.board.desired();
        let questions = self.ports.questions(&desired, &self.observed, &self.busy);
        let known = |q: &Question| matches!(q.last, Some(Held::Ours { .. }));
        if !questions.iter().all(known) || self.ports.looked.is_none_or(|at| at.elapsed() >= QUIET) {
            self.look_at_ports(&desired);
        }
    }

    /// Looks at all ports, unless a look is under way.
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
            // An unchanged result is no reason to plan again.
            if blind || found.looked.is_err() || found.held.iter().any(|(q, held)| q.last != Some(*held)) {
                let _ = out.blocking_send(Sight::Ports(found));
            }
        }));
        self.look_for_name();
    }

    /// The same, while a process that was started is about to listen.
    pub(super) fn look_at_ports_in_haste(&mut self, desired: &Desired) {
        if self.listens_soon() && self.ports.looked.is_none_or(|at| at.elapsed() >= PROXY_HASTE) {
            self.look_at_ports(desired);
        }
    }

    /// Looks before the first plan, which has to know the ports. Unlike the later looks this one is waited for.
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

    /// Searches for the name of one other program, one search at a time.
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

    /// Carries out the cut-off steps that the plan would make first, without the work that comes before the next
    /// plan: the search for what a dead process left, the lines in the journal. Each millisecond may bring a
    /// visitor to the program that takes the port.
    pub(super) fn cut_off_at_once(&mut self) {
        let desired = self.parts.board.desired();
        for step in plan::cut_off(Scene::new(&desired, &self.observed, now())) {
            self.act_or_put_off(step, &desired);
        }
    }
}

impl Ports {
    /// Returns the ports to look at, whether Cordée started the server's process or adopted it, a moment or a day
    /// ago.
    fn questions(&self, desired: &Desired, observed: &Observed, busy: &BTreeSet<Subject>) -> Vec<Question> {
        let of = |server: &Server| {
            let id = server.process();
            let asked = asked(&id, server, observed, busy)?;
            let last = self.known.get(&id).filter(|(before, _)| *before == asked).map(|(_, held)| *held);
            Some(Question { id, asked, last })
        };
        ours(desired).filter_map(of).collect()
    }

    /// Takes in what was found. An answer to a question from before a process came or went says nothing.
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

    /// Returns the name of the other program, as far as it is known; otherwise the user whose socket it is.
    fn name(&self, id: &ProcessId, uid: u32, inode: u64) -> String {
        let found = self.names.get(id).filter(|n| n.inode == inode).and_then(|n| n.called.clone());
        found.unwrap_or_else(|| Holder::User(uid).to_string())
    }

    /// Returns the process whose port holder is to be searched for now, and the socket to search by. A program
    /// that opens new sockets again and again is not searched for more often.
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

/// Returns the servers that Cordée starts. Ports of other servers are not looked at, however many there are.
fn ours(desired: &Desired) -> impl Iterator<Item = &Server> {
    desired.servers().filter(|s| s.is_ours())
}

/// Returns what a look at that server's port checks now, `id` being its process; `None` when the port is not to be
/// judged now.
fn asked(
    id: &ProcessId,
    server: &Server,
    observed: &Observed,
    busy: &BTreeSet<Subject>,
) -> Option<PortCheck> {
    // A process that is being started may listen before its pid is known.
    if busy.contains(&Subject::Process(id.name())) {
        return None;
    }
    // While a server of the other kind by the same name is still ending, it may be the one that listens: it is not
    // another program, and says nothing about this server, which is not started before.
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
