//! What changed from one picture to the next: the live stream sends only that, and the journal notes it.

use std::collections::BTreeMap;

use crate::observed::ProcessId;
use crate::snapshot::Snapshot;
use crate::state::{Light, State, Status};
use crate::text;
use crate::text::Text;

/// A change of light worth a line in the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// The server or the HAProxy, by the name of its process.
    pub subject: String,
    /// The new light.
    pub light: Light,
    /// The sentence.
    pub text: Text,
}

/// The lights that changed. A server that is new or gone has its line from the change that caused it.
pub fn turns(before: &Snapshot, after: &Snapshot) -> Vec<Turn> {
    let mut all = Vec::new();
    for proxy in &after.proxies {
        let subject = ProcessId::Proxy(proxy.name);
        let old = before.proxies.iter().find(|p| p.name == proxy.name).map(|p| &p.status);
        all.extend(turn(&subject, old, &proxy.status));
    }
    let known: BTreeMap<_, _> = before.servers.iter().map(|s| (&s.name, &s.status)).collect();
    for server in &after.servers {
        let old = known.get(&server.name).copied();
        all.extend(turn(&ProcessId::Server(server.name.clone()), old, &server.status));
    }
    all
}

fn turn(subject: &ProcessId, old: Option<&Status>, new: &Status) -> Option<Turn> {
    let old = old?;
    if old.light == new.light && old.state == new.state {
        return None;
    }
    // After a reload each server waits for its first check again: the line of the reload says enough.
    if old.light == Light::Good && new.state == State::Joining {
        return None;
    }
    let text = match &new.reason {
        Some(reason) => {
            let (word, reason) = (new.state.sentence(), reason.sentence());
            text!("event-turn-reason", name = subject, word = word, reason = reason)
        }
        None => text!("event-turn", name = subject, word = new.state.sentence()),
    };
    Some(Turn { subject: subject.to_string(), light: new.light, text })
}

/// Whether two pictures look the same but for their time.
pub fn same(a: &Snapshot, b: &Snapshot) -> bool {
    a.revision == b.revision
        && a.verdict == b.verdict
        && a.causes == b.causes
        && a.proxies == b.proxies
        && a.servers == b.servers
}
