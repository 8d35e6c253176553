//! What the page says before a database joins, leaves, or is copied again.

use cordee_domain::db::verify::Side;
use cordee_domain::desired::{MOST_DATABASES, Membership};
use cordee_domain::ids::{PoolId, ServerName};
use cordee_domain::problem::Problem;
use cordee_domain::snapshot::{ServerView, Snapshot};
use cordee_domain::text;
use cordee_domain::text::Text;
use serde::Serialize;

use super::databases;
use super::question::Question;
use crate::board::JoinPlan;
use crate::words::Lang;

/// How a new database would join, or why it cannot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Joining {
    /// A name that no server has.
    pub name: String,
    /// The donor, the amount of data, the database's slot.
    pub facts: Vec<(String, String)>,
    /// What will happen, in order.
    pub steps: Vec<String>,
    /// Why it cannot be done now; then there are neither facts nor steps.
    pub reasons: Vec<String>,
}

impl Joining {
    /// Reports whether the answer is not known yet.
    pub fn waits(&self) -> bool {
        !self.may() && self.reasons.is_empty()
    }

    /// Reports whether the database can join.
    pub fn may(&self) -> bool {
        !self.steps.is_empty()
    }
}

/// Puts the engine's answer into words.
pub fn joining(found: &Result<JoinPlan, Vec<Problem>>, snapshot: &Snapshot, lang: Lang) -> Joining {
    let say = |text: Text| lang.say(&text);
    let name = free_name(snapshot);
    let plan = match found {
        Ok(plan) => plan,
        Err(problems) => {
            let reasons = problems.iter().map(|p| lang.say(&p.text)).collect();
            return Joining { name, reasons, ..Joining::default() };
        }
    };
    let donor = plan.donor.as_str();
    let copy = if plan.at.is_some() {
        text!("join-step-import", name = donor)
    } else {
        text!("join-step-copy", name = donor)
    };
    let from = if plan.from_writer {
        text!("join-from-writer", name = donor)
    } else {
        text!("join-from-standby", name = donor)
    };
    let size = text!("join-size", mib = plan.bytes.div_ceil(1 << 20), tables = plan.tables.all);
    let place = text!("join-place", slot = plan.slot, slots = MOST_DATABASES, id = plan.id);
    let writer = databases::writer(snapshot).map_or("–", |w| w.name.as_str());
    let mut facts = vec![
        (say(text!("join-from")), say(from)),
        (say(text!("join-much")), say(size)),
        (say(text!("join-where")), say(place)),
    ];
    let odd = plan.tables.keyless_words().into_iter().chain(plan.tables.memory_words());
    let odd = odd.chain(plan.freight.words());
    facts.extend(odd.map(|words| (say(text!("join-besides")), say(words))));
    Joining {
        name,
        facts,
        steps: vec![
            say(copy),
            say(text!("join-step-catch-up")),
            say(text!("join-step-compare", writer = writer)),
            say(text!("join-step-admit")),
            say(text!("join-step-proxy")),
        ],
        reasons: Vec::new(),
    }
}

/// Returns the first of `db1`, `db2`, … that is not the name of a server.
fn free_name(snapshot: &Snapshot) -> String {
    // One more name than there are servers: at least one of them is free.
    (1..=snapshot.servers.len() + 1)
        .map(|n| format!("db{n}"))
        .find(|name| snapshot.servers.iter().all(|s| !s.name.as_str().eq_ignore_ascii_case(name)))
        .unwrap_or_default()
}

/// Returns the other databases that replicate from each other, and run.
fn others<'a>(snapshot: &'a Snapshot, server: &ServerView) -> Vec<&'a str> {
    let stays = |s: &&ServerView| s.pool == PoolId::Db && s.name != server.name && databases::in_place(s);
    snapshot.servers.iter().filter(stays).map(|s| s.name.as_str()).collect()
}

/// Returns the databases that hold the data, for the lines before and after.
fn kept(names: &[&str]) -> Text {
    text!("ask-kept", count = names.len(), names = names.join(", "))
}

/// Returns what happens to visitors when `server` goes.
fn lead(snapshot: &Snapshot, server: &ServerView) -> Text {
    let name = server.name.as_str();
    let writer = databases::writer(snapshot).map_or("–", |w| w.name.as_str());
    let takes = databases::takes_writes(server, snapshot.routing);
    match (takes, others(snapshot, server).len()) {
        (true, 0 | 1) => {
            text!("ask-leave-also-last", name = name, sessions = server.sessions, writer = writer)
        }
        (true, _) => text!("ask-leave-also", name = name, sessions = server.sessions, writer = writer),
        (false, 0 | 1) => text!("ask-leave-last", name = name, writer = writer),
        (false, _) => text!("ask-leave", name = name, writer = writer),
    }
}

/// Returns the question before a database is removed; for one that is still joining, before its addition is
/// cancelled.
pub(super) fn removal(snapshot: &Snapshot, server: &ServerView, lang: Lang) -> Question {
    let say = |text: Text| lang.say(&text);
    let name = server.name.as_str();
    let rest = others(snapshot, server);
    let mut now = rest.clone();
    if databases::in_place(server) {
        now.push(name);
        now.sort_unstable();
    }
    let joins = server.membership == Some(Membership::Joining);
    let (title, lead, more) = match &server.membership {
        Some(Membership::Joining) => (
            text!("ask-cancel", name = name),
            text!("ask-cancel-lead", name = name),
            text!("ask-cancel-more"),
        ),
        Some(Membership::Returning { .. } | Membership::Diverged(_)) => {
            (text!("ask-remove", name = name), lead(snapshot, server), text!("ask-remove-out", name = name))
        }
        _ => (text!("ask-remove", name = name), lead(snapshot, server), text!("ask-remove-db", name = name)),
    };
    let back = if joins { text!("ask-back-cancel") } else { text!("ask-back-remove-db", name = name) };
    Question {
        button: say(title.clone()),
        title: say(title),
        lead: say(lead),
        more: say(more),
        facts: vec![
            (say(text!("ask-before")), say(kept(&now))),
            (say(text!("ask-after")), say(kept(&rest))),
            (say(text!("ask-back")), say(back)),
        ],
        icon: if joins { "close" } else { "trash" },
        action: format!("/pools/db/servers/{name}/remove"),
        danger: true,
        type_name: (!joins).then(|| name.to_owned()),
        know: String::new(),
    }
}

/// Returns the question before a database's data are discarded and copied again.
pub(super) fn recopy(snapshot: &Snapshot, server: &ServerView, lang: Lang) -> Question {
    let say = |text: Text| lang.say(&text);
    let name = server.name.as_str();
    let rest = others(snapshot, server);
    let mut after = rest.clone();
    after.push(name);
    after.sort_unstable();
    Question {
        title: say(text!("ask-recopy", name = name)),
        lead: say(lead(snapshot, server)),
        more: say(text!("ask-recopy-more", name = name)),
        facts: vec![
            (say(text!("ask-meanwhile")), say(kept(&rest))),
            (say(text!("ask-after")), say(kept(&after))),
            (say(text!("ask-back")), say(text!("ask-back-recopy"))),
        ],
        button: say(text!("ask-recopy", name = name)),
        icon: "copy",
        action: format!("/pools/db/servers/{name}/recopy"),
        danger: true,
        type_name: Some(name.to_owned()),
        know: String::new(),
    }
}

/// Returns the question before rows that differ are repaired.
pub fn repairing(snapshot: &Snapshot, name: &ServerName, side: Side, lang: Lang) -> Question {
    let say = |text: Text| lang.say(&text);
    let (name, writer) = (name.as_str(), databases::writer(snapshot).map_or("–", |w| w.name.as_str()));
    let (title, lead, after, take) = match side {
        Side::Reference => (
            text!("ask-repair-writer", name = name, writer = writer),
            text!("ask-repair-writer-lead", name = name, writer = writer),
            text!("ask-repair-writer-after", name = name, writer = writer),
            "writer",
        ),
        Side::Other => (
            text!("ask-repair-this", name = name),
            text!("ask-repair-this-lead", name = name, writer = writer),
            text!("ask-repair-this-after", name = name),
            "this",
        ),
    };
    Question {
        button: say(title.clone()),
        title: say(title),
        lead: say(lead),
        more: say(text!("ask-repair-more")),
        facts: vec![
            (say(text!("ask-meanwhile")), say(text!("ask-repair-meanwhile"))),
            (say(text!("ask-after")), say(after)),
            (say(text!("ask-back")), say(text!("ask-back-repair"))),
        ],
        icon: "copy",
        action: format!("/pools/db/servers/{name}/repair/{take}"),
        // On the writer, the rows of the site itself are overwritten.
        danger: side == Side::Other,
        type_name: None,
        know: String::new(),
    }
}
