//! The rope: visitor, HAProxy, web servers, HAProxy, databases. Every stroke has a meaning.

use std::collections::BTreeSet;

use cordee_domain::desired::Routing;
use cordee_domain::ids::{PoolId, ServerName};
use cordee_domain::snapshot::{ServerView, Snapshot};
use cordee_domain::state::Severity;
use cordee_domain::text;
use cordee_domain::text::Text;
use serde::Serialize;

use super::window::FEW;
use super::{ChannelRow, databases, rows, severity};
use crate::words::Lang;

/// One stroke, in a box of 100 by 100.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cord {
    /// Its look: full (empty), `lay` (the twist over a full one), `thin`, `cut` or `lost`.
    pub class: &'static str,
    /// The path.
    pub d: String,
}

/// All strokes, by the gap that they cross.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rope {
    /// Visitors to HAProxy `web`.
    pub visitors: Vec<Cord>,
    /// HAProxy `web` to the web servers.
    pub web: Vec<Cord>,
    /// The web servers to HAProxy `db`.
    pub middle: Vec<Cord>,
    /// HAProxy `db` to the databases.
    pub db: Vec<Cord>,
    /// Both directions between the two databases, when there are two: downwards, upwards.
    pub both: Vec<ChannelRow>,
    /// The web servers as one bead, when there are many.
    pub web_crowd: Option<Crowd>,
    /// The databases as one bead, when there are many.
    pub db_crowd: Option<Crowd>,
}

/// Many servers as one bead: how many there are, and how many of them are in which state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Crowd {
    /// `data-st`.
    pub st: &'static str,
    /// "30 web servers".
    pub title: String,
    /// "28 up · 2 need attention".
    pub says: String,
}

/// What a stroke means. A path is as good as its worst stroke, so the order matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Look {
    /// Carries traffic.
    Full,
    /// Draining, joining, or a standby.
    Thin,
    /// Taken out: no stroke.
    None,
    /// Not known now.
    Lost,
    /// Down.
    Cut,
}

pub(super) fn rope(snapshot: &Snapshot, lang: Lang) -> Rope {
    let front = proxy(snapshot, PoolId::Web);
    let back = proxy(snapshot, PoolId::Db);
    let web = beads(of(snapshot, PoolId::Web).map(server).collect());
    let db = beads(of(snapshot, PoolId::Db).map(|s| database(s, snapshot.routing)).collect());
    Rope {
        visitors: strokes(&[front], Side::Straight),
        web: strokes(&beside(&web, front), Side::Out),
        middle: strokes(&beside(&web, back), Side::In),
        db: strokes(&beside(&db, back), Side::Out),
        both: both(snapshot, lang),
        web_crowd: crowd(snapshot, PoolId::Web, lang),
        db_crowd: crowd(snapshot, PoolId::Db, lang),
    }
}

/// Returns the strokes towards the beads. Many servers are one bead: traffic gets through while at least one
/// server takes it.
fn beads(servers: Vec<Look>) -> Vec<Look> {
    if servers.len() > FEW { servers.into_iter().min().into_iter().collect() } else { servers }
}

fn crowd(snapshot: &Snapshot, pool: PoolId, lang: Lang) -> Option<Crowd> {
    let servers: Vec<&ServerView> = of(snapshot, pool).collect();
    if servers.len() <= FEW {
        return None;
    }
    // The servers that the list of causes names. A server that only suffers from another server's problem still
    // serves.
    let named: BTreeSet<&ServerName> = snapshot.causes.iter().flat_map(|c| c.about.servers()).collect();
    let suffers = |s: &ServerView| {
        s.status.severity == Severity::Warning && s.status.serves() && !named.contains(&s.name)
    };
    let severities: Vec<Severity> =
        servers.iter().map(|s| if suffers(s) { Severity::Good } else { s.status.severity }).collect();
    let count = |wanted: &[Severity]| severities.iter().filter(|severity| wanted.contains(severity)).count();
    let (up, busy, aside) =
        (count(&[Severity::Good]), count(&[Severity::Progress]), count(&[Severity::Maintenance]));
    let (unknown, trouble) = (count(&[Severity::Unknown]), count(&[Severity::Warning, Severity::Critical]));
    let look = match severities.iter().min() {
        Some(Severity::Good) if trouble + unknown > 0 => Severity::Warning,
        best => best.copied().unwrap_or(Severity::Unknown),
    };
    let part = |count: usize, says: Text| (count > 0).then(|| lang.say(&says));
    let parts = [
        part(up, text!("rope-crowd-up", count = up)),
        part(trouble, text!("rope-crowd-trouble", count = trouble)),
        part(unknown, text!("rope-crowd-unknown", count = unknown)),
        part(busy, text!("rope-crowd-busy", count = busy)),
        part(aside, text!("rope-crowd-aside", count = aside)),
    ];
    let title = match pool {
        PoolId::Web => text!("rope-crowd-web", count = severities.len()),
        PoolId::Db => text!("rope-crowd-db", count = severities.len()),
    };
    Some(Crowd {
        st: severity(look),
        title: lang.say(&title),
        says: parts.into_iter().flatten().collect::<Vec<_>>().join(" · "),
    })
}

fn of(snapshot: &Snapshot, pool: PoolId) -> impl Iterator<Item = &ServerView> {
    snapshot.servers.iter().filter(move |s| s.pool == pool)
}

fn beside(servers: &[Look], proxy: Look) -> Vec<Look> {
    servers.iter().map(|s| (*s).max(proxy)).collect()
}

fn proxy(snapshot: &Snapshot, pool: PoolId) -> Look {
    let severity = snapshot.proxies.iter().find(|p| p.name == pool).map(|p| p.status.severity);
    match severity {
        Some(Severity::Good | Severity::Warning) => Look::Full,
        Some(Severity::Progress) => Look::Thin,
        Some(Severity::Critical) => Look::Cut,
        Some(Severity::Maintenance) => Look::None,
        Some(Severity::Unknown) | None => Look::Lost,
    }
}

/// A standby carries no traffic.
fn database(view: &ServerView, routing: Routing) -> Look {
    match server(view) {
        Look::Full if !databases::takes_writes(view, routing) => Look::Thin,
        look => look,
    }
}

fn server(view: &ServerView) -> Look {
    match view.status.severity {
        Severity::Progress if !view.status.serves() => Look::Thin,
        Severity::Good | Severity::Warning | Severity::Progress => Look::Full,
        Severity::Maintenance => Look::None,
        Severity::Unknown => Look::Lost,
        Severity::Critical => Look::Cut,
    }
}

/// From one point to many, from many to one, or straight on.
#[derive(Clone, Copy)]
enum Side {
    Straight,
    Out,
    In,
}

/// Full strokes are drawn last, over the others.
fn strokes(looks: &[Look], side: Side) -> Vec<Cord> {
    let mut all: Vec<(Look, Curve)> =
        looks.iter().enumerate().map(|(i, look)| (*look, curve(i, looks.len(), side))).collect();
    all.sort_by_key(|(look, _)| std::cmp::Reverse(*look));
    all.into_iter().flat_map(|(look, curve)| stroke(look, curve)).collect()
}

fn stroke(look: Look, curve: Curve) -> Vec<Cord> {
    let one = |class, curve: Curve| Cord { class, d: curve.path() };
    match look {
        Look::Full => vec![one("", curve), one("lay", curve)],
        Look::Thin => vec![one("thin", curve)],
        Look::None => Vec::new(),
        Look::Lost => vec![one("lost", curve)],
        Look::Cut => {
            let (before, rest) = curve.split(0.42);
            let (_, after) = rest.split(0.28);
            vec![one("cut", before), one("cut", after)]
        }
    }
}

/// A cubic Bézier curve.
#[derive(Clone, Copy)]
struct Curve([(f64, f64); 4]);

fn curve(index: usize, count: usize, side: Side) -> Curve {
    let place = |i: usize| f64::from(u32::try_from(i).unwrap_or(u32::MAX));
    let y = (place(index) + 0.5) / place(count) * 100.0;
    let (from, to) = match side {
        Side::Straight => (50.0, 50.0),
        Side::Out => (50.0, y),
        Side::In => (y, 50.0),
    };
    Curve([(0.0, from), (55.0, from), (45.0, to), (100.0, to)])
}

impl Curve {
    fn path(self) -> String {
        let point = |(x, y): (f64, f64)| format!("{} {}", round(x), round(y));
        let [a, b, c, d] = self.0;
        format!("M{}C{} {} {}", point(a), point(b), point(c), point(d))
    }

    /// De Casteljau's construction: the part before `t` and the part after it.
    fn split(self, t: f64) -> (Self, Self) {
        let mid = |p: (f64, f64), q: (f64, f64)| (p.0 + (q.0 - p.0) * t, p.1 + (q.1 - p.1) * t);
        let [start, out, into, end] = self.0;
        let (first, second, third) = (mid(start, out), mid(out, into), mid(into, end));
        let (left, right) = (mid(first, second), mid(second, third));
        let cut = mid(left, right);
        (Self([start, first, left, cut]), Self([cut, right, third, end]))
    }
}

fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

fn both(snapshot: &Snapshot, lang: Lang) -> Vec<ChannelRow> {
    let all: Vec<&ServerView> = of(snapshot, PoolId::Db).collect();
    let [first, second] = all.as_slice() else { return Vec::new() };
    let into = |view: &ServerView| rows::server(view, snapshot, lang).channels.into_iter().next();
    // Downwards is what the second database replicates from the first.
    [into(second), into(first)].into_iter().flatten().collect()
}
