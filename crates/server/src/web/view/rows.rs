//! One row of a table.

use std::fmt::Write as _;

use cordee_domain::actions::Action;
use cordee_domain::desired::{Membership, Routing, Runtime};
use cordee_domain::ids::PoolId;
use cordee_domain::snapshot::{ProxyView, Role, ServerView, Snapshot};
use cordee_domain::state::Severity;
use cordee_domain::text;
use serde::Serialize;

use super::{StatusRow, databases, severity, status};
use crate::words::Lang;

/// An HAProxy instance: a knot of the rope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProxyRow {
    /// `proxy web` or `proxy db`: no server’s name has a space.
    pub name: String,
    /// Its name on the page.
    pub title: String,
    /// Its status.
    pub status: StatusRow,
    /// The line under its name.
    pub small: String,
    /// The line under the visitors, in front of it.
    pub clients: String,
    /// Where it listens.
    pub listen: String,
    /// Its version; empty when unknown.
    pub version: String,
}

/// A server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ServerRow {
    /// `web` or `db`.
    pub pool: &'static str,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: String,
    /// Address or host name.
    pub address: String,
    /// Port.
    pub port: String,
    /// The cookie's value.
    pub cookie: String,
    /// Its status.
    pub status: StatusRow,
    /// Sessions now.
    pub sessions: String,
    /// The words at the end of its place on the rope.
    pub small: String,
    /// A database's role in words.
    pub role: String,
    /// It is the writer: the one database behind the address of the writer.
    pub writer: bool,
    /// Why it cannot be stopped, restarted or removed now; mostly empty.
    pub held: String,
    /// The progress of its copy in percent, while it is being copied.
    pub progress: Option<u8>,
    /// Its replication channels, one for each other database.
    #[serde(rename = "links")]
    pub channels: Vec<ChannelRow>,
    /// The result of the last check.
    pub result: String,
    /// How long the check took.
    pub took: String,
    /// How many requests or connections it has had so far.
    pub total: String,
    /// Changes when the database's own page would show something else (databases only).
    pub token: String,
    /// The controls to show.
    pub show: Vec<&'static str>,
}

/// One direction of replication.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ChannelRow {
    /// The database that it replicates from.
    pub from: String,
    /// `data-st`.
    pub st: &'static str,
    /// The delay, or what is wrong.
    pub text: String,
}

impl ServerRow {
    /// Reports whether a control is shown.
    pub fn has(&self, control: &str) -> bool {
        self.show.contains(&control)
    }

    /// Returns the empty row of a pool, from which the script makes new rows.
    pub fn blank(pool: PoolId) -> Self {
        let status = StatusRow { st: "unknown", ..StatusRow::default() };
        Self { pool: pool.as_str(), status, ..Self::default() }
    }
}

pub(super) fn proxy(view: &ProxyView, lang: Lang) -> ProxyRow {
    let status = status(&view.status, lang);
    let small = match (view.status.severity, view.name) {
        (Severity::Good | Severity::Warning, PoolId::Web) => lang.say(&text!("rate-web", count = view.rate)),
        (Severity::Good | Severity::Warning, PoolId::Db) => lang.say(&text!("rate-db", count = view.rate)),
        _ => status.word.clone(),
    };
    ProxyRow {
        name: format!("proxy {}", view.name),
        title: format!("HAProxy {}", view.name),
        small,
        clients: if view.status.severity == Severity::Unknown {
            "–".to_owned()
        } else {
            lang.say(&text!("clients", count = view.sessions))
        },
        listen: view.listen.clone(),
        version: view.version.clone().unwrap_or_default(),
        status,
    }
}

pub(super) fn server(view: &ServerView, snapshot: &Snapshot, lang: Lang) -> ServerRow {
    let (all, routing) = (&snapshot.servers, snapshot.routing);
    let known = view.status.severity != Severity::Unknown;
    let held = databases::held(view, all, lang);
    let sessions = if known { view.sessions.to_string() } else { "–".to_owned() };
    ServerRow {
        pool: view.pool.as_str(),
        name: view.name.to_string(),
        kind: kind(view, lang),
        address: view.address.clone(),
        port: view.port.to_string(),
        cookie: cookie(view, lang),
        small: small(view, routing, lang),
        sessions,
        role: role(view, routing, lang),
        writer: view.role == Some(Role::Writer),
        progress: view.progress,
        channels: channels(view, all, lang),
        result: view.last_check.result.as_ref().map_or_else(|| "–".to_owned(), |r| lang.say(r)),
        took: view.last_check.duration_ms.map_or_else(|| "–".to_owned(), |ms| format!("{ms}\u{a0}ms")),
        total: view.total.to_string(),
        token: token(view, all),
        show: controls(view, databases::wanted(snapshot), !held.is_empty()),
        held,
        status: status(&view.status, lang),
    }
}

fn kind(view: &ServerView, lang: Lang) -> String {
    match (view.pool, view.runtime, &view.version) {
        (PoolId::Web, Runtime::External, None) => lang.say(&text!("kind-external")),
        (_, _, Some(version)) => version.clone(),
        (PoolId::Web, _, None) => String::new(),
        (PoolId::Db, _, None) => "MariaDB".to_owned(),
    }
}

fn cookie(view: &ServerView, lang: Lang) -> String {
    match (&view.cookie, view.cookie_chosen) {
        (Some(value), true) => value.clone(),
        _ => lang.say(&text!("cookie-automatic")),
    }
}

fn role(view: &ServerView, routing: Routing, lang: Lang) -> String {
    match (view.role, &view.membership) {
        (Some(Role::Writer), _) => lang.say(&text!("role-writer")),
        (Some(Role::Standby), Some(Membership::Joining)) => lang.say(&text!("role-joining")),
        (Some(Role::Standby), Some(Membership::Leaving | Membership::Released)) => {
            lang.say(&text!("role-leaving"))
        }
        (Some(Role::Standby), Some(Membership::Returning { .. } | Membership::Diverged { .. })) => {
            lang.say(&text!("role-out"))
        }
        (Some(Role::Standby), _) if databases::takes_writes(view, routing) => lang.say(&text!("role-also")),
        (Some(Role::Standby), _) => lang.say(&text!("role-standby")),
        (None, _) => String::new(),
    }
}

fn small(view: &ServerView, routing: Routing, lang: Lang) -> String {
    match (view.status.severity, view.role) {
        // HAProxy's own figure counts requests under way: mostly none.
        (Severity::Good | Severity::Warning, None) => match view.attached {
            Some(held) => lang.say(&text!("rope-attached", count = held.visitors)),
            None => lang.say(&text!("sessions", count = view.sessions)),
        },
        (Severity::Good | Severity::Warning, Some(Role::Writer)) => lang.say(&text!("rope-writer")),
        (Severity::Good | Severity::Warning, Some(Role::Standby))
            if databases::takes_writes(view, routing) =>
        {
            lang.say(&text!("rope-also"))
        }
        (Severity::Good | Severity::Warning, Some(Role::Standby)) => lang.say(&text!("rope-standby")),
        _ => lang.say(&view.status.state.sentence()),
    }
}

/// Returns one entry for each other database, measured or not, so that both directions always have their place.
fn channels(view: &ServerView, all: &[ServerView], lang: Lang) -> Vec<ChannelRow> {
    all.iter()
        .filter(|peer| view.pool == PoolId::Db && peer.pool == PoolId::Db && peer.name != view.name)
        .map(|peer| {
            let channel = view.channels.get(&peer.name);
            let text = match channel {
                Some(channel) if channel.error != 0 => lang.say(&text!("link-error", code = channel.error)),
                Some(channel) => channel.delay_ms.map_or_else(
                    || match channel.severity {
                        Severity::Warning | Severity::Critical => lang.say(&text!("link-stopped")),
                        Severity::Unknown => "–".to_owned(),
                        Severity::Good | Severity::Maintenance | Severity::Progress => "…".to_owned(),
                    },
                    |ms| super::delay(ms, lang),
                ),
                None => "–".to_owned(),
            };
            ChannelRow {
                from: peer.name.to_string(),
                st: channel.map_or("unknown", |l| severity(l.severity)),
                text,
            }
        })
        .collect()
}

/// Returns a text that changes when a page about that database would show something else, apart from figures.
pub(super) fn token(view: &ServerView, all: &[ServerView]) -> String {
    if view.pool != PoolId::Db {
        return String::new();
    }
    let mut token = view.status.state.sentence().key.into_owned();
    if let Some(c) = &view.comparison {
        let _ = write!(token, " {}{}{}", c.wanted, c.running.is_some(), c.at.unwrap_or(0));
    }
    for server in all.iter().filter(|s| s.pool == PoolId::Db) {
        let channels =
            server.channels.iter().filter(|(from, _)| server.name == view.name || **from == view.name);
        for (from, channel) in channels {
            // A delay that was just measured, or is late for once, is not worth a reload of the page.
            let runs = matches!(channel.severity, Severity::Good | Severity::Progress | Severity::Warning);
            let _ = write!(token, " {from}{runs}{}", channel.error);
        }
    }
    token
}

/// Returns which controls of the row are shown. The two beside the menu are the likeliest ones; the rest is in the
/// menu. While a new writer is `wanted`, the likeliest act on a standby is to promote it.
fn controls(view: &ServerView, wanted: bool, held: bool) -> Vec<&'static str> {
    let can = |a: Action| view.actions.contains(&a);
    let pick = |on: bool, name: &'static str| on.then_some(name);
    let waits = can(Action::Withdraw);
    let back = can(Action::Ready) && !waits;
    let candidate = can(Action::Promote) && wanted;
    let joins = view.membership == Some(Membership::Joining);
    let cure = can(Action::Recopy);
    // The place beside the menu is for the likeliest act. Where not all rows can be compared, copying again is one
    // remedy of several.
    let first = cure && view.status.severity == Severity::Critical;
    let test = can(Action::Test) && !candidate && !first && !joins;
    [
        pick(can(Action::Logs), "logs"),
        pick(can(Action::Test), "test"),
        pick(test, "test-first"),
        pick(can(Action::Test) && !test, "test-too"),
        pick(can(Action::Promote), "promote"),
        pick(candidate, "promote-first"),
        pick(can(Action::Verify), "verify"),
        pick(cure, "recopy"),
        pick(first && !candidate, "recopy-first"),
        pick(held, "held"),
        pick(back, "ready"),
        pick(waits, "withdraw"),
        pick(waits, "anyway"),
        pick(can(Action::Drain) && !back && !waits, "drain"),
        pick(can(Action::Drain) && (back || waits), "drain-too"),
        pick(can(Action::Maintenance), "maintenance"),
        pick(can(Action::Start), "start"),
        pick(can(Action::Restart), "restart"),
        pick(can(Action::Stop), "stop"),
        pick(can(Action::Remove) && !joins, "remove"),
        pick(can(Action::Remove) && joins, "cancel"),
        pick(can(Action::Remove) && joins && !first, "cancel-first"),
    ]
    .into_iter()
    .flatten()
    .collect()
}
