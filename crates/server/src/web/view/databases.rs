//! What the page says of the databases together: which take writes, how long none did, and the questions before
//! that is changed.

use std::net::SocketAddr;

use cordee_domain::desired::{HANDOVER_LIMIT, Membership, Power, Routing};
use cordee_domain::ids::PoolId;
use cordee_domain::snapshot::{Role, ServerView, Snapshot};
use cordee_domain::state::{Remark, Severity};
use cordee_domain::text;
use cordee_domain::text::Text;
use serde::Serialize;

use super::question::Question;
use crate::control::guard::out_of_reach;
use crate::words::Lang;

/// The name of the age of the last change of writer, among the ages: no server's name has a space.
pub const GAP_AGE: &str = "last gap";

/// What the databases' section shows besides its rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Writing {
    /// The routing's word.
    pub routing: &'static str,
    /// How long no database accepted writes when the writer last changed; empty when that was not measured. Its
    /// age is in [`Ages`](super::Ages).
    pub gap: String,
}

pub(super) fn writing(snapshot: &Snapshot, lang: Lang) -> Writing {
    Writing {
        routing: snapshot.routing.as_str(),
        gap: snapshot
            .gap
            .map(|gap| lang.say(&text!("gap-last", time = super::delay(gap.ms, lang))))
            .unwrap_or_default(),
    }
}

/// Returns the verdict about the whole cluster. During a change of writer it says neither "starting" nor "all
/// good", but what is under way.
pub fn verdict(snapshot: &Snapshot) -> Remark {
    match &snapshot.handover {
        Some(handover) if !matches!(snapshot.verdict.severity, Severity::Critical | Severity::Unknown) => {
            let reason = text!("verdict-handover-reason", name = &handover.to);
            Remark::new(Severity::Progress, text!("verdict-handover"), reason)
        }
        _ => snapshot.verdict.clone(),
    }
}

/// Returns the database that is the writer.
pub(super) fn writer(snapshot: &Snapshot) -> Option<&ServerView> {
    snapshot.servers.iter().find(|s| s.role == Some(Role::Writer))
}

/// Reports whether another writer is needed now: the present one accepts no writes.
pub(super) fn wanted(snapshot: &Snapshot) -> bool {
    out_of_reach(snapshot) || writer(snapshot).is_some_and(|w| w.status.severity == Severity::Critical)
}

/// Reports whether applications may write to that database, according to the wish.
pub(super) fn takes_writes(view: &ServerView, routing: Routing) -> bool {
    match view.role {
        Some(Role::Writer) => true,
        Some(Role::Standby) => routing == Routing::AllWriters && in_place(view),
        None => false,
    }
}

/// Reports whether the database is wished to run and to replicate from the others.
pub(super) fn in_place(view: &ServerView) -> bool {
    view.membership == Some(Membership::Member) && view.power == Power::On
}

/// Returns why the writer cannot be stopped, restarted or removed now; empty for every other server.
pub(super) fn held(view: &ServerView, all: &[ServerView], lang: Lang) -> String {
    if view.role != Some(Role::Writer) {
        return String::new();
    }
    let name = view.name.as_str();
    let mut others =
        all.iter().filter(|s| s.name != view.name && s.membership == Some(Membership::Member)).peekable();
    let stopped = others.peek().map(|s| s.name.as_str());
    match (others.find(|s| in_place(s)), stopped) {
        (Some(candidate), _) => {
            lang.say(&text!("held-writer", name = name, candidate = candidate.name.as_str()))
        }
        // The writer can be stopped, but not removed.
        (None, Some(candidate)) => {
            lang.say(&text!("problem-writer-leaves", name = name, candidate = candidate))
        }
        (None, None) => lang.say(&text!("problem-last-database", name = name)),
    }
}

/// Returns the question before `server` becomes the writer.
pub(super) fn promotion(snapshot: &Snapshot, server: &ServerView, lang: Lang) -> Question {
    let say = |text: Text| lang.say(&text);
    let name = server.name.as_str();
    let old = writer(snapshot).map_or("–", |w| w.name.as_str());
    let loss = out_of_reach(snapshot);
    let title = say(text!("ask-promote", name = name));
    let stopped = writer(snapshot).is_some_and(|w| w.power == Power::Off);
    let (later, know) = match snapshot.routing {
        Routing::OneWriter if stopped => {
            (text!("ask-promote-stopped", name = old), text!("ask-know-loss", name = old))
        }
        Routing::OneWriter => {
            (text!("ask-promote-loss-more", name = old), text!("ask-know-loss", name = old))
        }
        // What only the lost writer has is the work of one writer among several, and comes back with it.
        Routing::AllWriters => {
            (text!("ask-promote-loss-all", name = old), text!("ask-know-loss-all", name = old))
        }
    };
    let (lead, more) = match (loss, snapshot.gap) {
        (true, _) if snapshot.routing == Routing::AllWriters => {
            (text!("ask-promote-loss-open", name = name, old = old), later)
        }
        (true, _) => (text!("ask-promote-loss", name = name, old = old), later),
        (false, Some(gap)) => {
            (text!("ask-promote-gap", time = super::delay(gap.ms, lang)), promote_more(name, old))
        }
        (false, None) => (text!("ask-promote-wait"), promote_more(name, old)),
    };
    let after = if loss { text!("ask-alone", name = name) } else { roles(snapshot, name, old) };
    let before = if loss { text!("ask-nobody", name = old) } else { roles(snapshot, old, name) };
    let back =
        if loss { text!("ask-back-promote-loss", name = old) } else { text!("ask-back-promote", name = old) };
    Question {
        button: title.clone(),
        title,
        lead: say(lead),
        more: say(more),
        facts: vec![
            (say(text!("ask-before")), say(before)),
            (say(text!("ask-after")), say(after)),
            (say(text!("ask-back")), say(back)),
        ],
        icon: "promote",
        action: format!("/pools/db/servers/{name}/promote"),
        danger: loss,
        type_name: loss.then(|| name.to_owned()),
        know: if loss { say(know) } else { String::new() },
    }
}

fn promote_more(name: &str, old: &str) -> Text {
    text!("ask-promote-more", name = name, old = old, seconds = HANDOVER_LIMIT / 1_000)
}

fn roles(snapshot: &Snapshot, writer: &str, standby: &str) -> Text {
    match snapshot.routing {
        Routing::OneWriter => text!("ask-roles", writer = writer, standby = standby),
        Routing::AllWriters => text!("ask-roles-all", writer = writer, standby = standby),
    }
}

/// Returns the question before the databases share writes differently. `writer_at` is the address that always
/// leads to the writer alone.
pub fn sharing(snapshot: &Snapshot, routing: Routing, writer_at: SocketAddr, lang: Lang) -> Question {
    let say = |text: Text| lang.say(&text);
    let names = snapshot
        .servers
        .iter()
        .filter(|s| in_place(s))
        .map(|s| s.name.as_str())
        .collect::<Vec<_>>()
        .join(", ");
    let writer = writer(snapshot).map_or("–", |w| w.name.as_str());
    let at = snapshot.proxies.iter().find(|p| p.name == PoolId::Db).map_or("–", |p| p.listen.as_str());
    let one = || text!("ask-one-fact", at = at, name = writer);
    let every = || text!("ask-all-fact", at = at, names = names.as_str());
    let sole = text!("ask-sole-fact", at = writer_at.to_string(), name = writer);
    let (title, lead, more, before, after, back) = match routing {
        Routing::AllWriters => (
            text!("ask-all"),
            slowest(snapshot)
                .map_or_else(|| text!("ask-all-unmeasured"), |ms| text!("ask-all-lose", ms = ms)),
            text!("ask-all-more"),
            one(),
            every(),
            text!("ask-back-all"),
        ),
        Routing::OneWriter => (
            text!("ask-one"),
            cut(snapshot, writer),
            text!("ask-one-more"),
            every(),
            one(),
            text!("ask-back-one"),
        ),
    };
    let mut facts = vec![
        (say(text!("ask-before")), say(before)),
        (say(text!("ask-after")), say(after)),
        (say(text!("ask-sole")), say(sole)),
        (say(text!("ask-back")), say(back)),
    ];
    if routing == Routing::AllWriters {
        if let Some(count) = snapshot.unique {
            facts.push((say(text!("ask-unique")), say(text!("ask-unique-fact", count = count))));
        }
        if let Some(why) = &snapshot.sequences {
            facts.push((say(text!("ask-sequences")), say(why.clone())));
        }
    }
    Question {
        title: say(title.clone()),
        lead: say(lead),
        more: say(more),
        facts,
        button: say(title),
        icon: "database",
        action: format!("/pools/db/routing/{routing}", routing = routing.as_str()),
        danger: false,
        type_name: None,
        know: String::new(),
    }
}

/// Returns the largest delay between two databases that is measured now.
fn slowest(snapshot: &Snapshot) -> Option<u64> {
    snapshot.servers.iter().flat_map(|s| s.channels.values()).filter_map(|l| l.delay_ms).max()
}

/// Closing a database cuts its clients' connections: they must not go on in the belief that they can write.
fn cut(snapshot: &Snapshot, writer: &str) -> Text {
    let closed = snapshot.servers.iter().filter(|s| s.role == Some(Role::Standby)).filter(|s| in_place(s));
    let names = closed.map(|s| s.name.as_str()).collect::<Vec<_>>().join(", ");
    text!("ask-one-cut", names = names, writer = writer)
}
