//! Compares two successive snapshots: the live stream sends only the differences, and the journal records changes of
//! severity.

use std::collections::BTreeMap;

use crate::ids::{ProcessName, ServerName};
use crate::reason::Reason;
use crate::snapshot::Snapshot;
use crate::state::{Severity, State, Status};
use crate::text;
use crate::text::Text;

/// A change of severity or state that is recorded in the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// The server or the HAProxy instance, by the name of its process.
    pub subject: String,
    /// The new severity.
    pub severity: Severity,
    /// The new state.
    pub state: State,
    /// Who asked for it, in the journal's form; `None` if it came about by itself.
    pub by: Option<String>,
    /// The sentence.
    pub text: Text,
}

/// Returns the changes of severity or state. A server that is new or gone has a line already, from the change that
/// added or removed it.
pub fn turns(before: &Snapshot, after: &Snapshot) -> Vec<Turn> {
    let mut all = Vec::new();
    for proxy in &after.proxies {
        let subject = ProcessName::Proxy(proxy.name);
        let old = before.proxies.iter().find(|p| p.name == proxy.name).map(|p| &p.status);
        all.extend(turn(&subject, old, &proxy.status));
    }
    // Mostly the same servers are in the same places. The names are only indexed if a server has moved.
    let differs = |old: &Status, new: &Status| (old.severity, old.state) != (new.severity, new.state);
    let mut known: Option<BTreeMap<&ServerName, &Status>> = None;
    for (place, server) in after.servers.iter().enumerate() {
        let old = if let Some(old) = before.servers.get(place).filter(|old| old.name == server.name) {
            Some(&old.status)
        } else {
            let all = || before.servers.iter().map(|s| (&s.name, &s.status)).collect();
            known.get_or_insert_with(all).get(&server.name).copied()
        };
        if old.is_some_and(|old| differs(old, &server.status)) {
            all.extend(turn(&ProcessName::Server(server.name.clone()), old, &server.status));
        }
    }
    all
}

fn turn(subject: &ProcessName, old: Option<&Status>, new: &Status) -> Option<Turn> {
    let old = old?;
    if old.severity == new.severity && old.state == new.state {
        return None;
    }
    // After a reload every server waits for its first check again: the journal's line about the reload suffices.
    if old.severity == Severity::Good && new.state == State::Joining {
        return None;
    }
    let (word, by) = (new.state.sentence(), new.reason.as_ref().and_then(by));
    // The author is shown beside the line.
    let text = match new.reason.as_ref().filter(|_| by.is_none()) {
        Some(reason) => text!("event-turn-reason", name = subject, word = word, reason = reason.sentence()),
        None => text!("event-turn", name = subject, word = word),
    };
    Some(Turn { subject: subject.to_string(), severity: new.severity, state: new.state, by, text })
}

fn by(reason: &Reason) -> Option<String> {
    match reason {
        Reason::StoppedBy(asked) => Some(asked.by.clone()),
        Reason::Fault(_)
        | Reason::Ended { .. }
        | Reason::Writer { .. }
        | Reason::Still(_)
        | Reason::Peer { .. }
        | Reason::Said(_) => None,
    }
}

/// A line of the journal that is not needed if the next snapshot brings a change of severity that says the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Untold {
    /// The server or the HAProxy instance, by the name of its process.
    pub subject: String,
    /// The state that the change would have to lead to.
    pub state: State,
    /// The line's severity.
    pub severity: Severity,
    /// The line.
    pub text: Text,
}

impl Untold {
    /// Whether one of these changes says the same.
    pub fn is_told(&self, turns: &[Turn]) -> bool {
        turns.iter().any(|turn| turn.subject == self.subject && turn.state == self.state)
    }
}

/// Whether two snapshots show the same, apart from their time.
pub fn same(a: &Snapshot, b: &Snapshot) -> bool {
    a.revision == b.revision
        && a.verdict == b.verdict
        && a.causes == b.causes
        && a.proxies == b.proxies
        && a.servers == b.servers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::Asked;
    use crate::fault::Fault;

    #[test]
    fn what_a_person_asked_for_has_that_person_as_its_author() {
        let subject = ProcessName::Proxy(crate::ids::PoolId::Web);
        let up = Status::bare(Severity::Good, State::Up);
        let asked = Asked { by: "token:deploy".to_owned(), at: 1 };
        let stopped = Status::new(Severity::Maintenance, State::Stopped, Reason::StoppedBy(asked));
        let told = turn(&subject, Some(&up), &stopped).expect("a turn");
        assert_eq!((told.by.as_deref(), &*told.text.key), (Some("token:deploy"), "event-turn"));
        let fell =
            Status::new(Severity::Critical, State::Down, Reason::Ended { why: Fault::Exit(1), wait: 0 });
        let told = turn(&subject, Some(&up), &fell).expect("a turn");
        assert_eq!((told.by.clone(), &*told.text.key), (None, "event-turn-reason"));
        // The end of a process is recorded by the change of severity, and by a line of its own if no severity changes.
        let line = |state| Untold {
            subject: subject.to_string(),
            state,
            severity: Severity::Critical,
            text: text!("event-process-ended", name = &subject, why = Fault::Exit(1)),
        };
        assert!(line(State::Down).is_told(std::slice::from_ref(&told)));
        assert!(!line(State::RowsDiffer).is_told(&[told]));
        assert!(!line(State::Down).is_told(&[]));
    }

    /// Mostly the same servers are in the same places; if a server was added or removed, the others are found by their
    /// names.
    #[test]
    fn turns_are_those_of_the_same_names_wherever_they_stand() {
        let scene = crate::door::tests::well();
        let before = crate::snapshot::snapshot(scene.scene(), &crate::plan::tests::setting());
        let told = |after: &Snapshot| {
            let mut all: Vec<String> = turns(&before, after).into_iter().map(|turn| turn.subject).collect();
            all.sort();
            all
        };
        assert!(before.servers.len() > 2 && told(&before).is_empty());
        let mut after = before.clone();
        let name = after.servers[1].name.to_string();
        after.servers[1].status = Status::bare(Severity::Critical, State::Down);
        assert_eq!(told(&after), [name.as_str()]);
        after.servers.reverse();
        assert_eq!(told(&after), [name.as_str()]);
        after.servers.retain(|s| s.name.as_str() != name);
        assert!(told(&after).is_empty(), "one that is gone has its line from elsewhere");
        let mut come = after.servers[0].clone();
        come.name = ServerName::parse("come").expect("a name");
        come.status = Status::bare(Severity::Critical, State::Down);
        after.servers.insert(0, come);
        assert!(told(&after).is_empty(), "one that is new, too");
    }
}
