//! Who listens on the ports of the servers that Cordée starts: the process that it started, nobody, or somebody else.

use std::io;

use cordee_domain::desired::{Desired, Power, Runtime, Server};
use cordee_domain::observed::{Port, ProcessId};
use cordee_domain::plan;
use cordee_domain::step::Target;

use crate::clock::now;
use crate::hands::net::{self, Listener};

use super::Engine;

impl Engine {
    /// Whether a process has been started that is not yet seen to listen: HAProxy leads to it as soon as it does.
    pub(super) fn listens_soon(&self) -> bool {
        self.observed.processes.iter().any(|(id, seen)| {
            let young = seen.started_at.is_some_and(|at| now().saturating_sub(at) < 30_000);
            matches!(id, ProcessId::Server(_)) && seen.leader.is_some() && seen.port != Port::Ours && young
        })
    }

    /// Looks at all of them.
    pub(super) fn look_at_ports(&mut self, desired: &Desired) {
        let listeners = net::listeners();
        for (_, server) in desired.servers().filter(|(_, s)| s.runtime == Runtime::Process) {
            let id = ProcessId::Server(server.name.clone());
            // One that is being started may listen before it is known whose it is.
            if self.busy.contains(&Target::Process(id.clone())) {
                continue;
            }
            let port = match &listeners {
                Ok(listeners) => self.who(&id, server, listeners),
                Err(_) => Port::Unknown,
            };
            let known = self.observed.processes.contains_key(&id) || server.power == Power::On;
            if known || port != Port::Free {
                self.observed.processes.entry(id).or_default().port = port;
            }
        }
    }

    /// The first step that the plan would make, without what comes before the next plan: a look for what a dead process
    /// left, lines in the journal. Each millisecond may bring a visitor to whoever takes its port.
    pub(super) fn cut_off_at_once(&mut self) {
        let desired = self.parts.board.desired();
        for step in plan::cut_off(&desired, &self.observed, now()) {
            if self.busy.insert(step.target()) {
                self.act(step, &desired);
            }
        }
    }

    fn who(&mut self, id: &ProcessId, server: &Server, listeners: &[Listener]) -> Port {
        let Some(listener) = net::on_loopback(listeners, server.port) else { return Port::Free };
        let seen = self.observed.process(id);
        let pids = seen.leader.iter().map(|l| l.pid).chain(seen.orphans.iter().copied());
        for pid in pids {
            if self.sockets.get(id) == Some(&(pid, listener.inode)) {
                return Port::Ours;
            }
            match net::holds(pid, listener.inode) {
                Ok(true) => {
                    self.sockets.insert(id.clone(), (pid, listener.inode));
                    return Port::Ours;
                }
                Ok(false) => {}
                // It ended at this very moment, or could not be looked at.
                Err(error) => {
                    if error.kind() != io::ErrorKind::NotFound {
                        tracing::warn!(error = &error as &dyn std::error::Error, "the sockets of a process");
                    }
                    return Port::Unknown;
                }
            }
        }
        match &seen.port {
            // Its name is not looked for again and again: all processes would be gone through.
            Port::Foreign(holder) => Port::Foreign(holder.clone()),
            // It may have been closed since the table was read, and be somebody's of ours by now.
            _ => match net::listeners().map(|again| net::on_loopback(&again, server.port)) {
                Ok(again) if again == Some(listener) => Port::Foreign(net::holder(server.port).to_string()),
                _ => Port::Unknown,
            },
        }
    }
}
